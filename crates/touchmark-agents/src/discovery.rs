//! What finding sessions takes, whoever wrote them: which directory a file's records speak of, and what to offer first.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use memchr::memmem;

use crate::error::ImportError;
use crate::files::{io, name_of, open, read_head};
use crate::json::lenient::Text;
use crate::limits::{DISCOVERY_WINDOW_BYTES, MAX_CANDIDATES, MAX_NAME_BYTES};
use crate::packed;
use crate::paths;
use crate::session::Candidate;

/// Sessions that were found, offered newest first.
#[derive(Default)]
pub(crate) struct Found {
    candidates: Vec<Candidate>,
    looked_at: usize,
}

impl Found {
    /// Counts a file that is looked at; too many are refused.
    pub(crate) fn look(&mut self) -> Result<(), ImportError> {
        self.looked_at += 1;
        if self.looked_at > MAX_CANDIDATES {
            return Err(ImportError::TooLarge {
                what: "session files",
                limit: MAX_CANDIDATES as u64,
            });
        }
        Ok(())
    }

    /// Adds a session's own file. A file that vanished, or is none of its own, is no candidate.
    pub(crate) fn add(&mut self, path: PathBuf, session_id: String, working_directory: String) {
        let Ok(metadata) = std::fs::symlink_metadata(&path) else {
            return;
        };
        let Some(modified) = metadata.modified().ok().filter(|_| metadata.is_file()) else {
            return;
        };
        self.candidates.push(Candidate {
            path,
            session_id,
            modified: DateTime::<Utc>::from(modified),
            bytes: metadata.len(),
            working_directory,
        });
    }

    /// Returns them, newest first.
    pub(crate) fn sorted(mut self) -> Vec<Candidate> {
        self.candidates
            .sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.path.cmp(&b.path)));
        self.candidates
    }
}

/// Searches both ends of a file for a `cwd` inside `root`; of a packed one, the beginning of what it holds.
pub(crate) fn working_directory_inside(path: &Path, root: &str) -> Result<Option<String>, ImportError> {
    if packed::is_packed(&name_of(path)) {
        let head = read_head(path, DISCOVERY_WINDOW_BYTES)?;
        let mut directories = directories(&head).into_iter();
        return Ok(directories.find(|directory| is_inside(root, directory)));
    }
    let (mut file, metadata) = open(path)?;
    let window = DISCOVERY_WINDOW_BYTES as u64;
    let mut bytes = Vec::new();
    // The end first: a session may have moved into the repository.
    for start in [metadata.len().saturating_sub(window), 0] {
        bytes.clear();
        file.seek(SeekFrom::Start(start))
            .map_err(|source| io(path, source))?;
        (&mut file)
            .take(window)
            .read_to_end(&mut bytes)
            .map_err(|source| io(path, source))?;
        if let Some(directory) = directories(&bytes)
            .into_iter()
            .find(|directory| is_inside(root, directory))
        {
            return Ok(Some(directory));
        }
        if start == 0 {
            break;
        }
    }
    Ok(None)
}

/// Returns the values of `"cwd"` as they are spelled, each once, last first. The search is textual, which is enough to
/// choose a candidate: what a session says is read by the importer, not here.
pub(crate) fn directories(bytes: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut seen: HashSet<&[u8]> = HashSet::new();
    for at in memmem::rfind_iter(bytes, b"\"cwd\":\"") {
        let value = &bytes[at + 6..];
        let Some(end) = value
            .iter()
            .skip(1)
            .take(MAX_NAME_BYTES)
            .position(|byte| *byte == b'"')
        else {
            continue;
        };
        let json = &value[..end + 2];
        if seen.insert(json)
            && let Ok(Text(Some(directory))) = serde_json::from_slice::<Text<'_>>(json)
        {
            found.push(directory.into_owned());
        }
    }
    found
}

/// Returns whether a directory is the root or below it.
pub(crate) fn is_inside(root: &str, directory: &str) -> bool {
    let marker = format!("{}/x", directory.trim_end_matches('/'));
    paths::relative_to(root, None, &marker).is_some()
}
