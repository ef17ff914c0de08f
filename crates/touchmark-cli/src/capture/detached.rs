//! Starts a process of our own that outlives this one, with nothing of this one's streams.

use std::ffi::OsStr;
use std::process::{Child, Command, Stdio};

use crate::environment::Environment;

/// Starts this program with these words. It makes a session of its own first thing, so that what ends the agent does
/// not end it; whoever waits for our end does not wait for its.
pub(crate) fn start<S: AsRef<OsStr>>(words: &[S], environment: &Environment) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    // Relative to the folder that it is started in, which is another one there.
    if let Some(home) = environment.path("TOUCHMARK_HOME") {
        command.env("TOUCHMARK_HOME", std::path::absolute(home)?);
    }
    command
        .args(words)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn()
}

/// Leaves the session and the process group of whoever started this process.
pub(crate) fn leave() {
    // Refused only to the leader of a group, which is apart from its parent already.
    let _ = rustix::process::setsid();
}
