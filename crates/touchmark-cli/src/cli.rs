//! What can be typed: verbs, flags, and the words of `--help`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode as ProcessExit;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use touchmark_statement::timestamp::Timestamp;

use crate::commands;
use crate::environment::{Environment, VARIABLES};
use crate::error::{CliError, ExitCode};
use crate::output::{Color, Format, Output};

/// Provenance for changes made by AI coding agents: attest them, verify them, find them again.
#[derive(Debug, Parser)]
#[command(name = "touchmark", version, disable_help_subcommand = true, styles = STYLES, help_template = TEMPLATE)]
#[command(before_help = example("touchmark attest", "touchmark verify HEAD --policy policy.toml"))]
pub(crate) struct Cli {
    /// Flags that every verb takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The verb.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every verb takes.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Works in this folder instead of the current one
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
    /// How standard output is written
    #[arg(long, value_enum, default_value_t, global = true, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// When colour is used
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Says nothing on standard error but warnings and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Takes this time (RFC 3339, UTC) instead of the clock's
    #[arg(long, global = true, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

/// The verbs, in the order of the design's groups.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows a complete case in a scratch folder
    Demo(commands::demo::Args),
    /// Shows the key, the log, the spool and the last attestation
    Status(commands::status::Args),
    /// Lists settings and where each came from
    Config(commands::config::Args),
    /// Lists the environment variables that are read
    Env(commands::env::Args),

    /// Captures an agent's change, signs it, logs it and stores the evidence
    Attest(commands::attest::Args),
    /// Runs a command and attests what it did, for agents without hooks
    Run(commands::run::Args),
    /// Approves exactly one change, as a person
    Approve(commands::review::Args),
    /// Rejects exactly one change, as a person
    Reject(commands::review::Args),
    /// Finishes what an interrupted or unlogged attestation left behind
    Publish(commands::publish::Args),
    /// Writes what a statement says in the forms of others, unsigned
    Export(commands::export::Args),

    /// Keeps, escrows and searches the words behind statements
    Vault(commands::vault::Args),

    /// Makes and lists signing keys
    Key(commands::key::Args),

    /// Judges a change by its evidence and a policy
    Verify(commands::verify::Args),
    /// Reads and tests policies
    Policy(commands::policy::Args),
    /// Fetches, shows and makes what verifiers trust
    Trust(commands::trust::Args),
    /// Shows what a bundle claims, without trusting it
    Inspect(commands::inspect::Args),
    /// Explains a reason code
    Explain(commands::explain::Args),

    /// Finds evidence by commit, path, agent, model, signer and time
    Find(commands::find::Args),
    /// Shows one piece of evidence
    Show(commands::show::Args),
    /// Opens chosen pieces of a run to whoever gets the file
    Disclose(commands::disclose::Args),

    /// Runs and reads transparency logs
    Log(commands::log::Args),
    /// Follows logs and tells when somebody signed as one of ours
    Monitor(commands::monitor::Args),

    /// Installs and takes out the hooks by which agents' runs are captured
    Hook(commands::hook::Args),
    /// Prints a completion script for a shell
    Completion(commands::completion::Args),
    /// Prints the version
    Version(commands::version::Args),
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default())
    .literal(AnsiColor::Green.on_default());

const TEMPLATE: &str = "\
{before-help}{about}

{usage-heading} {usage}

Start:        demo  status  config  env
Attest:       attest  run  approve  reject  publish  export
Keys:         key
Verify:       verify  policy  trust  inspect  explain
Investigate:  find  show  disclose  vault
Log:          log  monitor
Integrate:    hook  completion  version

`touchmark VERB --help` says more about each.

{options}{after-help}";

/// The two examples that open a `--help`.
pub(crate) fn example(first: &str, second: &str) -> String {
    format!("Examples:\n  {first}\n  {second}\n")
}

/// Parses the command line. Usage errors end with 2, `--help` and `--version` with 0.
pub(crate) fn parse() -> Result<Cli, ProcessExit> {
    let parsed = command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        // The parser quotes what it does not understand; the text of a key is not to be quoted.
        if error.to_string().contains("PRIVATE KEY") {
            return key_text();
        }
        // A closed pipe is quiet.
        let _ = error.print();
        if error.use_stderr() {
            ExitCode::Usage.into()
        } else {
            ExitCode::Allowed.into()
        }
    })
}

fn key_text() -> ProcessExit {
    let error = CliError::usage(
        "key.name_is_key",
        "expected the name of a key, found the key itself",
    )
    .hint(
        "put the key into a file and name that; this one has been on a command line and should be replaced",
    );
    Output::new(Format::Text, Color::Auto, false, &Environment::default()).error(&error);
    error.exit().into()
}

/// The command tree, every `--help` of which ends with exit codes and environment.
pub(crate) fn command() -> clap::Command {
    with_appendix(Cli::command(), &appendix())
}

fn with_appendix(command: clap::Command, appendix: &str) -> clap::Command {
    command
        .after_long_help(appendix.to_owned())
        .mut_subcommands(|sub| with_appendix(sub, appendix))
}

fn appendix() -> String {
    let mut text = String::from("Exit codes:\n");
    for exit in ExitCode::ALL {
        let _ = writeln!(
            text,
            "  {:>3}  {:<13} {}",
            exit.number(),
            exit.name(),
            exit.meaning()
        );
    }
    text.push_str("\nEnvironment:\n");
    for variable in VARIABLES {
        let _ = writeln!(text, "  {:<20} {}", variable.name, variable.help);
    }
    text.push_str(
        "  TOUCHMARK_AGENT, TOUCHMARK_OWNER, TOUCHMARK_KEEP_OBJECTS set the settings of the same name\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_verb_stands_under_a_heading_and_opens_with_two_examples() {
        for verb in Cli::command().get_subcommands() {
            let name = verb.get_name();
            assert!(
                TEMPLATE.split_whitespace().any(|word| word == name),
                "{name} is under no heading"
            );
            let opening = verb
                .get_before_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let examples = opening
                .lines()
                .filter(|line| line.trim_start().starts_with("touchmark"))
                .count();
            assert_eq!(examples, 2, "{name}");
        }
    }
}
