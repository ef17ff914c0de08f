//! Why a statement was refused.

use crate::limits::MAX_TEXT_BYTES;
use crate::predicate::PredicateError;
use crate::sbom::SbomError;
use crate::strict_json::JsonError;

/// Why a statement was refused, when read or before it was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// The JSON itself, or the shape or format of a value in it.
    #[error("the statement's JSON is refused")]
    Json(#[from] JsonError),
    /// A predicate of ours breaks a rule that spans several of its fields.
    #[error("the predicate is refused")]
    Predicate(#[from] PredicateError),
    /// A bill of materials is of a version that is not read, or of another than it says.
    #[error("the bill of materials is refused")]
    Sbom(#[from] SbomError),
    /// `_type` is not Statement v1.
    #[error("the statement's `_type` is {found:?}, only Statement v1 is read")]
    UnknownType {
        /// The type found.
        found: String,
    },
    /// `predicateType` is empty, too long, or holds white space or control characters.
    #[error("a `predicateType` is 1 to {MAX_TEXT_BYTES} bytes without white space or control characters")]
    PredicateType,
    /// `predicateType` is not that of the predicate, or a value in it would not be read back as it is.
    #[error("the statement would not be read back as it is")]
    NotRoundTrip,
    /// There is no subject.
    #[error("the statement is about nothing: `subject` is empty")]
    NoSubject,
    /// There are too many subjects.
    #[error("the statement has {found} subjects, at most {max} are read")]
    TooManySubjects {
        /// The cap.
        max: usize,
        /// The number found.
        found: usize,
    },
    /// A subject has no digest.
    #[error("subject {index} has no digest")]
    NoDigest {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// A subject has only digests that are weak or of unknown algorithms.
    #[error("subject {index} has no digest of a known, strong algorithm")]
    WeakDigest {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// A text of a subject is too long or holds a NUL character.
    #[error("a text of subject {index} is longer than {MAX_TEXT_BYTES} bytes or holds a NUL character")]
    SubjectText {
        /// Its place in the list, from 0.
        index: usize,
    },
}

impl StatementError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::Predicate(error) => error.code(),
            Self::Sbom(error) => error.code(),
            Self::UnknownType { .. } => "statement.unknown_type",
            Self::PredicateType => "statement.predicate_type",
            Self::NotRoundTrip => "statement.not_round_trip",
            Self::NoSubject => "subject.none",
            Self::TooManySubjects { .. } => "subject.too_many",
            Self::NoDigest { .. } => "subject.no_digest",
            Self::WeakDigest { .. } => "subject.weak_digest",
            Self::SubjectText { .. } => "subject.text",
        }
    }
}
