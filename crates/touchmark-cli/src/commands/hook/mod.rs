//! `touchmark hook`: puts hooks into agents' configurations, takes them out again, and is what they call.

pub(crate) mod base;
mod git;
pub(crate) mod install;
mod record;
pub(crate) mod run;
mod sweep;
pub(crate) mod uninstall;
pub(crate) mod worker;

use std::ffi::OsString;

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Flags of `hook`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark hook install --all", "touchmark hook install claude-code --print"))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// What is done with hooks.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Adds hooks to an agent's configuration, or to a repository
    #[command(before_help = example("touchmark hook install claude-code", "touchmark hook install --all --project"))]
    Install(install::Args),
    /// Takes out exactly what install has added
    #[command(before_help = example("touchmark hook uninstall codex", "touchmark hook uninstall --all"))]
    Uninstall(uninstall::Args),
    /// What the hooks call: captures and returns at once, with nothing on standard output and always 0
    #[command(before_help = example("touchmark hook run claude-code", "touchmark hook run git-post-commit"))]
    Run(RunArgs),
    /// Attests what hooks have left
    #[command(hide = true)]
    Worker(worker::Args),
    /// Pushes the evidence about commits that are being pushed
    #[command(hide = true)]
    Push(git::PushArgs),
}

/// What a hook was called with. Anything is taken: an agent would show a complaint of ours to its model.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The agent or the git hook, and what it passes on
    #[arg(value_name = "AGENT", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<OsString>,
}

/// Runs `hook`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match args.action {
        Action::Install(args) => install::run(&args, context),
        Action::Uninstall(args) => uninstall::run(&args, context),
        Action::Run(args) => run::run(&args, context),
        Action::Worker(args) => worker::run(&args, context),
        Action::Push(args) => git::push(&args, context),
    }
}
