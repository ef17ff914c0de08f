//! One bounded run of a program: input is written, output and messages are read at the same time, and the whole process
//! group ends when the time is over.

use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use super::Bounds;
use crate::error::GitError;

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Output {
    /// The exit status, or `None` when a signal ended the program.
    pub(crate) status: Option<i32>,
    /// Standard output, whole.
    pub(crate) stdout: Vec<u8>,
    /// The first bytes of standard error.
    pub(crate) stderr: String,
}

/// How much of the program's messages is kept.
const MAX_STDERR_BYTES: usize = 8 * 1024;

/// Runs a command to its end.
pub(crate) fn run(
    mut command: Command,
    name: &str,
    input: &[u8],
    bounds: Bounds,
) -> Result<Output, GitError> {
    let started = Instant::now();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().map_err(|source| GitError::Io {
        path: command.get_program().into(),
        source,
    })?;
    let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let from_stdout = sender.clone();
        scope.spawn(move || {
            let read = stdout.map(|pipe| read_bounded(pipe, bounds.output, false));
            let _ = from_stdout.send(Stream::Stdout(read.unwrap_or_default()));
        });
        scope.spawn(move || {
            let read = stderr.map(|pipe| read_bounded(pipe, MAX_STDERR_BYTES, true));
            let _ = sender.send(Stream::Stderr(read.unwrap_or_default()));
        });
        if !input.is_empty() {
            scope.spawn(move || {
                // A program that stops reading early says why by its status.
                let _ = stdin.take().map(|mut pipe| pipe.write_all(input));
            });
        } else {
            drop(stdin.take());
        }
        let mut streams = (None, None);
        while streams.0.is_none() || streams.1.is_none() {
            let left = bounds.timeout.saturating_sub(started.elapsed());
            match receiver.recv_timeout(left) {
                Ok(Stream::Stdout(Bounded { truncated: true, .. })) => {
                    stop(&mut child);
                    return Err(GitError::OutputTooLarge {
                        command: name.to_owned(),
                        limit: bounds.output,
                    });
                }
                Ok(Stream::Stdout(read)) => streams.0 = Some(read.bytes),
                Ok(Stream::Stderr(read)) => streams.1 = Some(read.bytes),
                Err(_) => {
                    stop(&mut child);
                    let seconds = bounds.timeout.as_secs();
                    return Err(GitError::Timeout {
                        command: name.to_owned(),
                        seconds,
                    });
                }
            }
        }
        let status = child.wait().map_err(|source| GitError::Io {
            path: name.into(),
            source,
        })?;
        let stderr = String::from_utf8_lossy(&streams.1.unwrap_or_default()).into_owned();
        Ok(Output {
            status: status.code(),
            stdout: streams.0.unwrap_or_default(),
            stderr,
        })
    })
}

enum Stream {
    Stdout(Bounded),
    Stderr(Bounded),
}

#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    truncated: bool,
}

/// Reads up to `limit` bytes. What is beyond is either drained, so that the writer is never blocked, or ends the reading.
fn read_bounded(mut pipe: impl Read, limit: usize, drain: bool) -> Bounded {
    let mut read = Bounded::default();
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = pipe.read(&mut chunk) {
        let room = limit - read.bytes.len();
        read.bytes.extend_from_slice(&chunk[..length.min(room)]);
        read.truncated |= length > room;
        if read.truncated && !drain {
            break;
        }
    }
    read
}

/// Ends the program and everything it started.
fn stop(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_run_ends_with_everything_it_started_when_time_is_over() {
        let bounds = Bounds {
            timeout: Duration::from_millis(300),
            output: 100,
        };
        let started = Instant::now();
        let error = run(shell("sleep 30 & sleep 30"), "sleep", b"", bounds).unwrap_err();
        assert_eq!(error.code(), "git.timeout");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn output_is_bounded_and_messages_are_kept() {
        let bounds = Bounds {
            timeout: Duration::from_secs(20),
            output: 100,
        };
        let error = run(shell("yes"), "yes", b"", bounds).unwrap_err();
        assert_eq!(error.code(), "git.output_too_large");
        let output = run(shell("cat; echo why >&2; exit 3"), "cat", b"in", bounds).unwrap();
        assert_eq!(
            (output.status, output.stdout, output.stderr.as_str()),
            (Some(3), b"in".to_vec(), "why\n")
        );
    }
}
