//! `touchmark verify`: judges a change by its evidence and a policy.

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Flags of this verb.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark verify HEAD --policy policy.toml", "touchmark verify main..HEAD --target refs/heads/main"))]
pub(crate) struct Args {}

/// Runs the verb.
pub(crate) fn run(_args: Args, _context: &Context<'_>) -> Result<ExitCode, CliError> {
    Err(CliError::failed("cli.unfinished", "this verb is not finished"))
}
