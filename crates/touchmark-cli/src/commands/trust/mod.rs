//! `touchmark trust`: fetches, shows and makes what verifiers trust.

mod create;
mod fetch;
mod part;
mod show;
pub(crate) mod store;

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Flags of `trust`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark trust fetch", "touchmark trust show sigstore-public-good"))]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Fetches an instance's trusted root and signing config through TUF
    #[command(before_help = example(
        "touchmark trust fetch",
        "touchmark trust fetch acme --mirror https://tuf.acme.example --root acme.root.json"
    ))]
    Fetch(fetch::Args),
    /// Shows what a trusted root or signing config holds, and what of it cannot be used
    #[command(before_help = example("touchmark trust show", "touchmark trust show trusted_root.json --format json"))]
    Show(show::Args),
    /// Makes a trusted root or a signing config from keys, certificates and addresses
    #[command(before_help = example(
        "touchmark trust create root --rekor url=https://log.acme.example,public-key=log.pub,origin=log.acme.example,start-time=2026-01-01T00:00:00Z",
        "touchmark trust create signing-config --rekor url=https://log.acme.example,api-version=2,operator=acme,start-time=2026-01-01T00:00:00Z"
    ))]
    Create(create::Args),
}

/// Runs `trust`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match args.action {
        Action::Fetch(args) => fetch::run(args, context),
        Action::Show(args) => show::run(&args, context),
        Action::Create(args) => create::run(args, context),
    }
}
