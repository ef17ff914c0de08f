//! One file a verb: its `Args`, and `run`, which gathers inputs, calls the libraries and renders.

pub(crate) mod attest;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod disclose;
pub(crate) mod env;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod find;
pub(crate) mod hook;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod log_proof;
pub(crate) mod monitor;
pub(crate) mod policy;
pub(crate) mod publish;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod trust;
pub(crate) mod vault;
pub(crate) mod verify;
pub(crate) mod version;

use crate::cli::Command;
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Runs one verb.
pub(crate) fn run(command: Command, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match command {
        Command::Approve(args) => review::run(args, review::Decision::Approved, context),
        Command::Attest(args) => attest::run(args, context),
        Command::Completion(args) => completion::run(&args, context),
        Command::Config(args) => config::run(args, context),
        Command::Demo(args) => demo::run(args, context),
        Command::Disclose(args) => disclose::run(args, context),
        Command::Env(args) => env::run(&args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Export(args) => export::run(&args, context),
        Command::Find(args) => find::run(args, context),
        Command::Hook(args) => hook::run(args, context),
        Command::Inspect(args) => inspect::run(args, context),
        Command::Key(args) => key::run(args, context),
        Command::Log(args) => log::run(args, context),
        Command::Monitor(args) => monitor::run(&args, context),
        Command::Policy(args) => policy::run(args, context),
        Command::Publish(args) => publish::run(&args, context),
        Command::Reject(args) => review::run(args, review::Decision::Rejected, context),
        Command::Run(args) => run::run(&args, context),
        Command::Show(args) => show::run(args, context),
        Command::Status(args) => status::run(&args, context),
        Command::Trust(args) => trust::run(args, context),
        Command::Vault(args) => vault::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Version(args) => version::run(&args, context),
    }
}
