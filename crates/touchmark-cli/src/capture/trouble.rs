//! Why turns wait, for `status` and `publish`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use touchmark_sign::folder::Folder;
use touchmark_statement::timestamp::Timestamp;

use crate::error::CliError;

/// Why a turn could not be attested yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trouble {
    /// The stable code.
    pub(crate) code: String,
    /// What happened.
    pub(crate) message: String,
    /// When it was tried last.
    pub(crate) at: Timestamp,
    /// How often it was tried.
    pub(crate) attempts: u64,
}

/// Returns what is known of a turn.
pub(crate) fn of(capture: &Path, name: &str) -> Option<Trouble> {
    let path = capture.join("trouble");
    path.symlink_metadata().ok()?;
    super::read(&Folder::open(&path).ok()?, name).ok()?
}

/// Notes that a turn failed again.
pub(crate) fn note(capture: &Path, name: &str, error: &CliError, at: Timestamp) {
    let attempts = of(capture, name).map_or(0, |before| before.attempts);
    let trouble = Trouble {
        code: error.code().to_owned(),
        message: error.message().to_owned(),
        at,
        attempts: attempts.saturating_add(1),
    };
    // The turn itself is what counts, and it stays.
    if let Ok(folder) = Folder::open(&capture.join("trouble")) {
        let _ = super::write(&folder, name, &trouble);
    }
}

/// Forgets a turn that is dealt with.
pub(crate) fn forget(capture: &Path, name: &str) {
    let path = capture.join("trouble");
    if path.symlink_metadata().is_ok()
        && let Ok(folder) = Folder::open(&path)
    {
        let _ = folder.remove(name);
    }
}
