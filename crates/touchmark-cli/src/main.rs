//! The command line of Touchmark: flags, files, exit codes and output; no logic that a library user would miss.
//!
//! `main` is one screen: parse, run, write what the command produced, leave with its exit code. Standard output is
//! written once, after the command returned, so that a panic or an error never leaves half an answer behind.

mod capture;
mod cli;
mod commands;
mod config;
mod context;
mod environment;
mod error;
mod escrow;
mod file_argument;
mod home;
mod interrupt;
mod investigation;
mod keyless;
mod output;
mod password;
mod pipeline;
mod remembered;
mod render;
mod signing_key;
mod trust;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode as ProcessExit;

use crate::cli::Cli;
use crate::context::Context;
use crate::environment::Environment;
use crate::error::{CliError, ExitCode};
use crate::output::Output;

fn main() -> ProcessExit {
    // Before anything that could fail or print: to an agent, both would be an answer.
    if let Some(exit) = commands::hook::run::intercept() {
        return exit.into();
    }
    interrupt::install();
    interrupt::silence_panics();
    let environment = Environment::capture();
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    let output = Output::new(
        cli.global.format,
        cli.global.color,
        cli.global.quiet,
        &environment,
    );
    let outcome = catch_unwind(AssertUnwindSafe(|| run(cli, environment, &output)));
    let exit = match outcome {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            output.discard();
            output.error(&error);
            error.exit()
        }
        Err(_) => {
            output.discard();
            output.error(&CliError::panicked(&interrupt::last_panic()));
            ExitCode::Error
        }
    };
    output.status(output.finish(exit)).into()
}

fn run(cli: Cli, environment: Environment, output: &Output) -> Result<ExitCode, CliError> {
    let context = Context::new(&cli.global, environment, output)?;
    commands::run(cli.command, &context)
}
