//! The client that Sigstore's conformance suite drives: `sign-bundle` and `verify-bundle`, exit 0 or 1.
//!
//! <https://github.com/sigstore/sigstore-conformance/blob/main/docs/cli_protocol.md>. Verifying uses no network, whatever
//! flags are given: without `--trusted-root` the public-good root that is built in counts.

mod hand;
mod sign;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A failure, in one line.
type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(
    name = "touchmark-conformance",
    version,
    about = "Speaks the protocol of Sigstore's conformance suite"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Signs an artifact and writes the bundle
    SignBundle(sign::Args),
    /// Verifies a bundle for an artifact
    VerifyBundle(verify::Args),
}

fn main() -> ExitCode {
    // Usage errors too are failures of the protocol: there is no third answer.
    let outcome = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) if error.use_stderr() => Err(error.into()),
        Err(help) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::SignBundle(args) => sign::run(&args),
        Command::VerifyBundle(args) => verify::run(&args),
    }
}

#[allow(
    clippy::print_stderr,
    reason = "the protocol leaves standard error to the client"
)]
fn complain(error: &dyn std::error::Error) {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    eprintln!("{text}");
}
