//! What can go wrong with a log: the request, the directory, or the disk under it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use touchmark_tlog::checkpoint::CheckpointError;
use touchmark_tlog::merkle::Hash;
use touchmark_tlog::note::NoteError;
use touchmark_tlog::tile::TileError;

use crate::accept::RejectError;

/// A file operation failed. Whatever was answered before is untouched, and the log stays usable.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation} {}", path.display())]
pub struct StorageError {
    /// What was tried.
    pub operation: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

impl StorageError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                "log.storage_full"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "log.read_only",
            _ => "log.storage",
        }
    }
}

/// Turns an I/O error into one that says what was tried on which file.
pub(crate) fn storage(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    move |source| {
        LogError::Storage(StorageError {
            operation,
            path: path.to_owned(),
            source,
        })
    }
}

/// Why a log could not be created, opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file operation failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// There is a log, or something else, where one was to be created.
    #[error("{} already holds a log", dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// There is no log in the directory.
    #[error("{} holds no log", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The name cannot be part of an origin.
    #[error("a log's name is a host name in lower case of up to 200 characters, found {name:?}")]
    Name {
        /// The name given.
        name: String,
    },
    /// The system gave no random bytes for a new key.
    #[error("the system gave no random bytes for a new key")]
    Random,
    /// The private key file can be read by others, or is not a regular file.
    #[error("the key file {} must be a regular file that only its owner can read", path.display())]
    KeyMode {
        /// The key file.
        path: PathBuf,
    },
    /// The private key file does not hold an Ed25519 key, or not the one that the origin names.
    #[error("the key file {} does not hold the Ed25519 key of this log", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
    },
    /// The public key cannot sign checkpoints.
    #[error("the log's key cannot sign checkpoints")]
    VerifierKey(#[source] NoteError),
    /// The checkpoint on disk is not one that this log signed.
    #[error("the checkpoint in the log's directory was refused")]
    Checkpoint(#[source] CheckpointError),
    /// The directory has tiles but no checkpoint.
    #[error("{} is missing, although the log has tiles", path.display())]
    CheckpointMissing {
        /// Where the checkpoint should be.
        path: PathBuf,
    },
    /// The directory went back behind a checkpoint that was answered already.
    #[error(
        "the log's directory went back: size {answered} was answered, the checkpoint on disk has {found}"
    )]
    RolledBack {
        /// The size that this process has seen.
        answered: u64,
        /// The size on disk now.
        found: u64,
    },
    /// The tiles on disk lead to another root than the checkpoint on disk.
    #[error("the tiles lead to root {computed} at size {size}, but the checkpoint has {signed}")]
    Root {
        /// The size of the tree.
        size: u64,
        /// The root that the tiles lead to.
        computed: Hash,
        /// The root in the checkpoint.
        signed: Hash,
    },
    /// A tile or entry bundle is damaged.
    #[error("{} is damaged", path.display())]
    Tile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TileError,
    },
    /// A tile or entry bundle that the checkpoint covers is not there.
    #[error("{} is missing", path.display())]
    TileMissing {
        /// The file.
        path: PathBuf,
    },
    /// The log has no entry at this index.
    #[error("the log has {size} entries, none at index {index}")]
    NoEntry {
        /// The index asked for.
        index: u64,
        /// The size of the log.
        size: u64,
    },
    /// The thread that was to commit the entry died. Whether the entry is in the log is not known.
    #[error("the commit was interrupted; the entry may or may not be in the log")]
    Interrupted,
}

impl LogError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Storage(error) => error.code(),
            Self::Exists { .. } => "log.exists",
            Self::Missing { .. } => "log.missing",
            Self::Name { .. } => "log.name",
            Self::Random => "log.random",
            Self::KeyMode { .. } => "log.key_mode",
            Self::Key { .. } | Self::VerifierKey(_) => "log.key",
            Self::Checkpoint(_) => "log.checkpoint",
            Self::CheckpointMissing { .. } => "log.checkpoint_missing",
            Self::RolledBack { .. } => "log.rolled_back",
            Self::Root { .. } => "log.root",
            Self::Tile { .. } => "log.tile",
            Self::TileMissing { .. } => "log.tile_missing",
            Self::NoEntry { .. } => "log.no_entry",
            Self::Interrupted => "log.interrupted",
        }
    }
}

/// Why an entry was not added.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The request does not verify; it will never be accepted.
    #[error(transparent)]
    Rejected(Arc<RejectError>),
    /// The log has this very entry already. `Log::get` gives it with a fresh proof.
    #[error("the log has this entry already, at index {index}")]
    Duplicate {
        /// Where the entry is.
        index: u64,
    },
    /// The log could not take the entry. The same request may succeed later.
    #[error(transparent)]
    Failed(Arc<LogError>),
}

impl AddError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(error) => error.code(),
            Self::Duplicate { .. } => "log.duplicate",
            Self::Failed(error) => error.code(),
        }
    }
}

impl From<RejectError> for AddError {
    fn from(error: RejectError) -> Self {
        Self::Rejected(Arc::new(error))
    }
}

impl From<LogError> for AddError {
    fn from(error: LogError) -> Self {
        Self::Failed(Arc::new(error))
    }
}
