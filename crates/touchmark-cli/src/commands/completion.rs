//! `touchmark completion`: completion scripts, made from the same command tree as `--help`.

use crate::cli::{self, example};
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Flags of `completion`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark completion bash > /etc/bash_completion.d/touchmark", "touchmark completion zsh"))]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Runs `completion`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "touchmark", &mut script);
    context.output.raw(&script);
    Ok(ExitCode::Allowed)
}
