//! `touchmark policy`: reads and tests policies.

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Flags of this verb.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark policy check .touchmark/policy.toml", "touchmark policy schema"))]
pub(crate) struct Args {}

/// Runs the verb.
pub(crate) fn run(_args: Args, _context: &Context<'_>) -> Result<ExitCode, CliError> {
    Err(CliError::failed("cli.unfinished", "this verb is not finished"))
}
