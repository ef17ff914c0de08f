//! Why a session could not be imported.

use std::path::PathBuf;

use touchmark_statement::strict_json::JsonError;

/// Why a session, or a record about one, could not be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file holds no record at all.
    #[error("the session holds no record (bytes read: {bytes}, unreadable pieces: {unreadable})")]
    Empty {
        /// The bytes that were read.
        bytes: u64,
        /// The pieces that are no records.
        unreadable: u64,
    },
    /// A cap was reached.
    #[error("the session has more {what} than the limit of {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The cap.
        limit: u64,
    },
    /// The file is shorter than the watermark up to which it was to be read: it was rewritten.
    #[error("the session file {name:?} has {len} bytes, but was to be read up to byte {up_to}")]
    Shrunk {
        /// The file's name.
        name: String,
        /// Its length.
        len: u64,
        /// The watermark.
        up_to: u64,
    },
    /// The path is not a regular file, or is reached through a symbolic link.
    #[error("{path:?} is not a regular file of its own")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// No importer knows the file.
    #[error("{path:?} is no session file of a known product")]
    UnknownFormat {
        /// The path.
        path: PathBuf,
    },
    /// The file is no database that can be read, or this build reads none.
    #[error("{path:?} is no database that can be read")]
    Database {
        /// The path.
        path: PathBuf,
    },
    /// A packed file was cut short or damaged, or cannot be unpacked.
    #[error("{path:?} cannot be unpacked")]
    Packed {
        /// The path.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A file of many sessions does not hold the one that was asked for.
    #[error("the file holds no session {session_id:?}")]
    NoSuchSession {
        /// The identifier.
        session_id: String,
    },
    /// The file could not be read.
    #[error("cannot read {path:?}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A metadata record is not strict JSON of the expected shape.
    #[error("the metadata record is malformed")]
    Metadata {
        /// The reason.
        #[source]
        source: JsonError,
    },
    /// A field of a metadata record has a value that it cannot have.
    #[error("the metadata field {field:?} is not {expected}")]
    MetadataField {
        /// The field.
        field: &'static str,
        /// What was expected.
        expected: &'static str,
    },
}

impl ImportError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "session.empty",
            Self::TooLarge { .. } => "session.too_large",
            Self::Shrunk { .. } => "session.shrunk",
            Self::NotAFile { .. } => "session.not_a_file",
            Self::UnknownFormat { .. } => "session.unknown_format",
            Self::Database { .. } => "session.database",
            Self::Packed { .. } => "session.packed",
            Self::NoSuchSession { .. } => "session.not_held",
            Self::Io { .. } => "session.unreadable",
            Self::Metadata { .. } => "metadata.malformed",
            Self::MetadataField { .. } => "metadata.field",
        }
    }
}
