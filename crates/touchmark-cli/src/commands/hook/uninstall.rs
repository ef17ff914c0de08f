//! `touchmark hook uninstall`: takes out exactly what install has added.

pub(crate) use super::install::Args;
use super::install::{self, Installed};
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Runs `hook uninstall`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    install::run_either(args, Installed::No, context)
}
