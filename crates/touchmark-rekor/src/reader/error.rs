//! Why a log could not be read.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use touchmark_http::HttpError;
use touchmark_tlog::entry::EntryError;
use touchmark_tlog::tile::TileError;

/// A log that could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReaderError {
    /// The exchange failed.
    #[error("the log could not be reached")]
    Http(#[from] HttpError),
    /// The file could not be read.
    #[error("{} could not be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// The file or answer is larger than what it should hold can be.
    #[error("{what} is larger than {max} bytes")]
    TooLarge {
        /// What was read.
        what: String,
        /// The cap.
        max: usize,
    },
    /// The log does not have it.
    #[error("the log has no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The bytes are no tile or entry bundle.
    #[error("what the log holds as {what} is none")]
    Tile {
        /// What was asked for.
        what: String,
        /// What is wrong.
        #[source]
        source: TileError,
    },
    /// No tile has this place.
    #[error("no log has entry {index} in a tree of {size}")]
    Range {
        /// The index.
        index: u64,
        /// The size.
        size: u64,
    },
    /// The answer of Rekor v1 cannot be read.
    #[error("the log's answer cannot be read")]
    Answer(#[from] EntryError),
}

impl ReaderError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ReaderError::Http(error) => error.code(),
            ReaderError::Io { .. } => "rekor.tile_unreadable",
            ReaderError::TooLarge { .. } => "rekor.tile_too_large",
            ReaderError::NotFound { .. } => "rekor.not_found",
            ReaderError::Tile { source, .. } => source.code(),
            ReaderError::Range { .. } => "rekor.index_range",
            ReaderError::Answer(_) => "rekor.answer_malformed",
        }
    }
}
