//! `touchmark hook install`: adds hooks to agents' configurations.

use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Flags of `hook install`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The agent: claude-code, codex, gemini, copilot, cursor, opencode, or git for the repository's own hooks
    #[arg(value_name = "AGENT", required_unless_present = "all")]
    pub(crate) agent: Option<String>,
    /// Every agent whose folder or program is found
    #[arg(long, conflicts_with = "agent")]
    pub(crate) all: bool,
}

/// Runs `hook install`.
pub(crate) fn run(_args: &Args, _context: &Context<'_>) -> Result<ExitCode, CliError> {
    Err(CliError::usage("hook.agent_unknown", "no agent of this name is known"))
}
