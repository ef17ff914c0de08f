//! Where each file of a log is.

use std::path::{Path, PathBuf};

use touchmark_tlog::tile::TilePath;

/// The paths inside one log directory.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The latest signed checkpoint.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.root.join("checkpoint")
    }

    /// A hash tile or entry bundle.
    pub(crate) fn tile(&self, path: &TilePath) -> PathBuf {
        self.root.join(path.to_string())
    }

    /// The directory of all tiles.
    pub(crate) fn tiles(&self) -> PathBuf {
        self.root.join("tile")
    }

    /// The part that is never served.
    pub(crate) fn private(&self) -> PathBuf {
        self.root.join(".private")
    }

    /// The signing key. Its presence means that the log exists.
    pub(crate) fn key(&self) -> PathBuf {
        self.private().join("key.pem")
    }

    /// The origin line of the checkpoints.
    pub(crate) fn origin(&self) -> PathBuf {
        self.private().join("origin")
    }

    /// The file whose advisory lock a writer holds.
    pub(crate) fn lock(&self) -> PathBuf {
        self.private().join("lock")
    }

    /// Files that are not finished.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.private().join("tmp")
    }

    /// Sorted runs of leaf hashes, for recognising duplicates.
    pub(crate) fn dedup(&self) -> PathBuf {
        self.private().join("dedup")
    }
}
