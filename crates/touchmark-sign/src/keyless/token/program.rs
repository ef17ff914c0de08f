//! The program of a CI service that prints a token: found by us, run by its absolute path, ended by a deadline.

use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use zeroize::Zeroizing;

use super::source::Surroundings;
use super::{MAX_TOKEN_BYTES, TokenError};

const POLL: Duration = Duration::from_millis(10);

/// A program outside the repository.
#[derive(Debug)]
pub(super) struct Program {
    name: &'static str,
    path: PathBuf,
}

impl Program {
    /// Finds a program in the absolute folders of `PATH` that are not in the repository, where the change under
    /// attestation could have put one.
    pub(super) fn find(name: &'static str, surroundings: &dyn Surroundings) -> Result<Self, TokenError> {
        let path = find_program(name, surroundings)?;
        Ok(Program { name, path })
    }

    /// Runs the program and returns what it printed. It sees `PATH`, `HOME` and the variables that begin so, no more.
    pub(super) fn run(
        &self,
        arguments: &[&str],
        prefixes: &[&str],
        surroundings: &dyn Surroundings,
    ) -> Result<Zeroizing<String>, TokenError> {
        let failed = TokenError::ProgramFailed { program: self.name };
        let mut command = Command::new(&self.path);
        command
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // It may print the token there too.
            .stderr(Stdio::null())
            .process_group(0);
        if let Some(folders) = surroundings.program_folders() {
            command.env("PATH", folders);
        }
        for prefix in prefixes.iter().chain(&["HOME"]) {
            command.envs(surroundings.variables_beginning(prefix));
        }
        let Ok(mut child) = command.spawn() else {
            return Err(failed);
        };
        let limit = surroundings.program_timeout();
        let outcome = output(&mut child, Instant::now() + limit);
        end_group(&mut child);
        match outcome {
            Outcome::Printed(bytes) => {
                let text = std::str::from_utf8(&bytes).map_err(|_| failed)?;
                Ok(Zeroizing::new(text.to_owned()))
            }
            Outcome::Failed => Err(failed),
            Outcome::TimedOut => Err(TokenError::ProgramTimeout {
                program: self.name,
                seconds: limit.as_secs(),
            }),
        }
    }
}

/// Returns the path of a program in the absolute folders of `PATH` that are not in the repository.
pub fn find_program(name: &'static str, surroundings: &dyn Surroundings) -> Result<PathBuf, TokenError> {
    let missing = TokenError::ProgramMissing { program: name };
    let Some(folders) = surroundings.program_folders() else {
        return Err(missing);
    };
    let untrusted: Vec<PathBuf> = surroundings
        .untrusted_folders()
        .iter()
        .filter_map(|folder| folder.canonicalize().ok())
        .collect();
    let usable = |folder: PathBuf| {
        if !folder.is_absolute() {
            return None;
        }
        // A link in the repository to a program outside chooses that program, such as `env`, for our arguments.
        let folder = folder.canonicalize().ok()?;
        let path = folder.join(name).canonicalize().ok()?;
        let is_inside = |place: &Path| untrusted.iter().any(|root| place.starts_with(root));
        (!is_inside(&folder) && !is_inside(&path) && is_program(&path)).then_some(path)
    };
    std::env::split_paths(&folders).find_map(usable).ok_or(missing)
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

enum Outcome {
    Printed(Zeroizing<Vec<u8>>),
    Failed,
    TimedOut,
}

fn output(child: &mut Child, deadline: Instant) -> Outcome {
    let Some(mut stdout) = child.stdout.take() else {
        return Outcome::Failed;
    };
    // A thread reads, so that a program that neither ends nor prints is left behind at the deadline.
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_TOKEN_BYTES + 2));
        let limit = MAX_TOKEN_BYTES as u64 + 1;
        let read = stdout.by_ref().take(limit).read_to_end(&mut bytes);
        // Nobody listens any more once the deadline has passed.
        let _ = sender.send(read.map(|_| bytes));
    });
    let left = deadline.saturating_duration_since(Instant::now());
    let bytes = match receiver.recv_timeout(left) {
        Ok(Ok(bytes)) if bytes.len() <= MAX_TOKEN_BYTES => bytes,
        Ok(_) => return Outcome::Failed,
        Err(_) => return Outcome::TimedOut,
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Outcome::Printed(bytes),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(POLL),
            Ok(None) => return Outcome::TimedOut,
            Ok(Some(_)) | Err(_) => return Outcome::Failed,
        }
    }
}

/// Ends the program and whatever it started.
fn end_group(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // Gone already is as good as ended.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}
