//! One line for each hook: when, which, what became of it. Never a word of a payload, a path or a name of a session.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use touchmark_statement::digest::Sha256Digest;

use super::spool::Turn;

/// The file's largest size; then it becomes `hook.log.1`, in place of the one before.
const MAX_BYTES: u64 = 1024 * 1024;

/// What became of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is durable.
    Kept,
    /// There was nothing to keep.
    Passed,
    /// It could not be kept.
    Lost,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Passed => "passed",
            Self::Lost => "lost",
        }
    }
}

/// Adds a line. A log that cannot be written is no reason to fail.
pub(crate) fn add(capture: &Path, turn: &Turn, fate: Fate, code: &str, millis: u128) {
    let session = turn
        .session
        .as_deref()
        .map(|session| Sha256Digest::of(session.as_bytes()).to_string())
        .unwrap_or_default();
    let mut line = format!(
        "{} {} {} {} session={} {millis}ms",
        turn.at,
        plain(&turn.called),
        turn.kind.name(),
        fate.name(),
        session.get(..12).unwrap_or("-"),
    );
    if turn.mismatch {
        let product = turn.product.as_deref().unwrap_or("unknown");
        line.push_str(&format!(" payload-of={}", plain(product)));
    }
    for problem in turn.problems.iter().map(String::as_str).chain([code]) {
        if !problem.is_empty() {
            line.push_str(&format!(" [{}]", plain(problem)));
        }
    }
    line.push('\n');
    let _ = append(&capture.join("hook.log"), line.as_bytes());
}

fn append(path: &Path, line: &[u8]) -> std::io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.len() > MAX_BYTES) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    file.write_all(line)
}

/// A word of the log: short, and of letters that mean nothing to a terminal.
fn plain(word: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    word.chars()
        .take(64)
        .map(|c| if keep(c) { c } else { '?' })
        .collect()
}
