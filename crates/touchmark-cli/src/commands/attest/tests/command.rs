//! A command that is run and watched: how it ended and how long it took. Its words and its output are nobody's business.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::test_result::TestCommand;
use touchmark_verify::commitment::{Kind, RunKey};

use crate::context::Context;
use crate::environment::VARIABLES;
use crate::error::CliError;

/// What became of a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    exit_code: Option<i32>,
    signal: Option<i32>,
    duration_ms: u64,
}

impl Ended {
    /// Whether the command says that all went well.
    pub(super) fn is_success(&self) -> bool {
        self.exit_code == Some(0)
    }

    /// Returns the status that a shell would report.
    pub(super) fn status(&self) -> u8 {
        let code = self.exit_code.or_else(|| Some(128 + self.signal?)).unwrap_or(1);
        u8::try_from(code).unwrap_or(1)
    }

    /// Returns what the statement says of it.
    pub(super) fn said(&self, commitment: Sha256Digest) -> TestCommand {
        TestCommand {
            commitment,
            exit_code: self.exit_code,
            signal: self.signal,
            duration_ms: self.duration_ms,
        }
    }
}

/// Returns the bytes of a command line that are committed to: each word ended by a NUL.
pub(super) fn bytes(words: &[OsString]) -> Vec<u8> {
    words
        .iter()
        .flat_map(|word| [word.as_bytes(), b"\0"].concat())
        .collect()
}

/// Commits to a command line.
pub(super) fn commitment(words: &[OsString], key: &RunKey) -> Sha256Digest {
    key.commit(Kind::Command, 0, &bytes(words))
}

/// Runs a command to its end. What it prints goes to standard error: standard output is ours. Variables that hold our own
/// secrets are kept from it.
pub(super) fn run(words: &[OsString], context: &Context<'_>) -> Result<Ended, CliError> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| CliError::usage("attest.no_command", "no command stands behind --"))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&context.directory)
        .stdin(Stdio::null())
        .stdout(std::io::stderr());
    for variable in VARIABLES.iter().filter(|variable| variable.secret) {
        command.env_remove(variable.name);
    }
    let started = Instant::now();
    let status = command.status().map_err(|error| {
        CliError::usage(
            "attest.command_not_run",
            format!("{} cannot be run", program.to_string_lossy()),
        )
        .because(error)
    })?;
    Ok(Ended {
        exit_code: status.code(),
        signal: status.signal(),
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}
