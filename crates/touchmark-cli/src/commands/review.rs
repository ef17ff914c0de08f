//! `touchmark review`: reviews.

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Flags of this verb.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark approve HEAD --target refs/heads/main --key ssh-agent:", "touchmark reject HEAD --target refs/heads/main --key alice.pem --reason why"))]
pub(crate) struct Args {}

/// Which way.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Decision {
    Approved,
    Rejected,
}

/// Runs the verb.
pub(crate) fn run(_args: Args, _decision: Decision, _context: &Context<'_>) -> Result<ExitCode, CliError> {
    Err(CliError::failed("cli.unfinished", "this verb is not finished"))
}
