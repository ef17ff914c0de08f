//! Why a trusted root cannot be relied on.

use thiserror::Error;
use touchmark_statement::strict_json::JsonError;
use touchmark_tlog::note::NoteError;

use crate::limits::{MAX_TRUSTED_PARTS, MAX_TRUSTED_ROOT_BYTES};

/// A trusted root that is refused as a whole.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The file is larger than the cap.
    #[error("a trusted root has at most {MAX_TRUSTED_ROOT_BYTES} bytes, found {found}")]
    TooLarge {
        /// The number of bytes found.
        found: usize,
    },
    /// The file is not strict JSON of a trusted root's shape.
    #[error("the trusted root is not strict JSON of the expected shape")]
    Json(#[from] JsonError),
    /// The media type is none that is read.
    #[error("{found:?} is not the media type of a trusted root version that is read")]
    MediaType {
        /// The media type found, shortened.
        found: String,
    },
    /// A list is longer than the cap.
    #[error("{list} has at most {MAX_TRUSTED_PARTS} members, found {found}")]
    TooMany {
        /// The name of the list.
        list: &'static str,
        /// How many were found.
        found: usize,
    },
    /// A field that carries bytes is empty or is not padded standard base64.
    #[error("{at} {field} is not padded standard base64 of at least one byte")]
    Base64 {
        /// Which part of the root.
        at: Part,
        /// The name of the field.
        field: &'static str,
    },
    /// A validity period has no start.
    #[error("{at} has no start of its validity")]
    StartMissing {
        /// Which part of the root.
        at: Part,
    },
    /// A time is malformed.
    #[error("{at} has a malformed time {found:?}")]
    Time {
        /// Which part of the root.
        at: Part,
        /// The text found, shortened.
        found: String,
    },
    /// A validity period ends before it starts.
    #[error("{at} ends before it starts")]
    WindowReversed {
        /// Which part of the root.
        at: Part,
    },
    /// The base URL does not name a host.
    #[error("{at} has no usable base URL")]
    BaseUrl {
        /// Which part of the root.
        at: Part,
    },
    /// A key is malformed although its algorithm is one of ours.
    #[error("{at} has an unusable key")]
    Key {
        /// Which part of the root.
        at: Part,
        /// What is wrong with it.
        #[source]
        source: NoteError,
    },
    /// A log id is not what the log's key and origin demand.
    #[error("{at} has log id {found}, but its key and origin demand {expected}")]
    LogId {
        /// Which part of the root.
        at: Part,
        /// The id demanded, hex.
        expected: String,
        /// The id found, hex.
        found: String,
    },
    /// Two logs have one id.
    #[error("two logs have the id {log_id}")]
    DuplicateLogId {
        /// The id, hex.
        log_id: String,
    },
    /// An authority has no certificates.
    #[error("{at} has no certificates")]
    ChainEmpty {
        /// Which part of the root.
        at: Part,
    },
}

impl TrustError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "trust.too_large",
            Self::Json(error) => error.code(),
            Self::MediaType { .. } => "trust.media_type",
            Self::TooMany { .. } => "trust.too_many",
            Self::Base64 { .. } => "trust.base64",
            Self::StartMissing { .. } => "trust.start_missing",
            Self::Time { .. } => "trust.time",
            Self::WindowReversed { .. } => "trust.window_reversed",
            Self::BaseUrl { .. } => "trust.base_url",
            Self::Key { .. } => "trust.key",
            Self::LogId { .. } => "trust.log_id",
            Self::DuplicateLogId { .. } => "trust.duplicate_log_id",
            Self::ChainEmpty { .. } => "trust.chain_empty",
        }
    }
}

/// A member of a list in a trusted root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The name of the list.
    pub list: &'static str,
    /// The position in it, from 0.
    pub index: usize,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]", self.list, self.index)
    }
}
