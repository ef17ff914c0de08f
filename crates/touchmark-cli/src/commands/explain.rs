//! `touchmark explain`: explains a reason code.

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Flags of this verb.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark explain tlog.root_mismatch", "touchmark explain --format json tlog.root_mismatch"))]
pub(crate) struct Args {}

/// Runs the verb.
pub(crate) fn run(_args: Args, _context: &Context<'_>) -> Result<ExitCode, CliError> {
    Err(CliError::failed("cli.unfinished", "this verb is not finished"))
}
