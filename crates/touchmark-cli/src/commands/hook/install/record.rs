//! What install put into which file, so that uninstall takes out exactly that: places and digests, no contents.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use touchmark_sign::folder::Folder;
use touchmark_statement::digest::Sha256Digest;

use super::draft::Draft;
use crate::context::Context;
use crate::error::CliError;

const MAX_RECORD_BYTES: u64 = 64 * 1024;

/// What is known of one file that install has changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// The digest of the file as install left it.
    after: String,
    /// Where in it our pieces stand.
    ours: Vec<Range<usize>>,
    /// Whether install made the file.
    pub(crate) made: bool,
    /// The folders that install made for it, outermost first.
    pub(crate) folders: Vec<PathBuf>,
}

impl Record {
    /// Describes a file that was just written.
    pub(crate) fn of(draft: &Draft, made: bool, folders: Vec<PathBuf>) -> Self {
        Self {
            after: Sha256Digest::of(draft.text.as_bytes()).to_string(),
            ours: draft.ours.clone(),
            made,
            folders,
        }
    }

    /// The file as it was before, if nobody has changed it since.
    pub(crate) fn before(&self, text: &str) -> Option<String> {
        let sound = self.ours.iter().all(|range| text.get(range.clone()).is_some());
        let same = self.after == Sha256Digest::of(text.as_bytes()).to_string();
        (same && sound).then(|| super::json::remove(text, &self.ours))
    }
}

/// Where records are kept.
#[derive(Debug)]
pub(crate) struct Records(PathBuf);

impl Records {
    /// The user's records.
    pub(crate) fn of(context: &Context<'_>) -> Self {
        Self(context.home.data().join("hooks"))
    }

    /// Returns what is known of a file. A record that cannot be read is none.
    pub(crate) fn find(&self, path: &Path) -> Option<Record> {
        if !self.0.exists() {
            return None;
        }
        let folder = Folder::open(&self.0).ok()?;
        let bytes = folder.read(&name(path), MAX_RECORD_BYTES).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps a record, before the file it speaks of is written.
    pub(crate) fn keep(&self, path: &Path, record: &Record) -> Result<(), CliError> {
        let folder = Folder::open(&self.0)?;
        let bytes = serde_json::to_vec(record).map_err(|error| {
            CliError::failed("output.unencodable", "a record cannot be written").because(error)
        })?;
        Ok(folder.write(&name(path), |file| file.write_all(&bytes))?)
    }

    /// Forgets a file.
    pub(crate) fn forget(&self, path: &Path) {
        // A record that stays speaks of a file that is not as it was, and says nothing then.
        if self.0.exists()
            && let Ok(folder) = Folder::open(&self.0)
        {
            let _ = folder.remove(&name(path));
        }
    }
}

fn name(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    format!("{}.json", Sha256Digest::of(path.as_os_str().as_bytes()))
}
