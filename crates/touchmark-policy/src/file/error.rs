//! Why a policy file is refused.

use touchmark_verify::identity::PatternError;

use crate::globs::GlobError;

/// Why a policy file is refused. Every variant that is about a place in the file has its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file has no content.
    #[error("the policy file is empty")]
    Empty,
    /// The file is larger than the limit.
    #[error("the policy file has {found} bytes, more than {limit}")]
    TooLarge {
        /// Its size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The file is not UTF-8.
    #[error("line {line}: the policy file is not UTF-8")]
    NotUtf8 {
        /// The line.
        line: usize,
    },
    /// The file is not TOML.
    #[error("line {line}: not TOML: {message}")]
    Syntax {
        /// The line.
        line: usize,
        /// What the TOML parser says.
        message: String,
    },
    /// A version this program does not read.
    #[error("line {line}: policy version {found}, expected 1")]
    Version {
        /// The line.
        line: usize,
        /// The version found.
        found: i64,
    },
    /// A key that does not exist.
    #[error("line {line}: unknown key `{key}`{}", did_you_mean(suggestion.as_deref()))]
    UnknownKey {
        /// The line.
        line: usize,
        /// The key with the tables it is in.
        key: String,
        /// The nearest key that exists.
        suggestion: Option<String>,
    },
    /// A key that this version does not enforce.
    #[error("line {line}: `{key}` is not enforced by this version, so it is refused")]
    Unsupported {
        /// The line.
        line: usize,
        /// The key, or the value, with the tables it is in.
        key: String,
    },
    /// A key that must be there.
    #[error("line {line}: `{key}` is missing")]
    MissingKey {
        /// The line of the table.
        line: usize,
        /// The key with the tables it belongs in.
        key: String,
    },
    /// A value of another type.
    #[error("line {line}: `{key}` must be {expected}, found {found}")]
    WrongType {
        /// The line.
        line: usize,
        /// The key.
        key: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A value of the right type that is not allowed.
    #[error("line {line}: `{key}` is {found:?}, expected {expected}{}", did_you_mean(suggestion.as_deref()))]
    Value {
        /// The line.
        line: usize,
        /// The key.
        key: String,
        /// What is allowed.
        expected: &'static str,
        /// What it is.
        found: String,
        /// The nearest allowed word.
        suggestion: Option<String>,
    },
    /// A pattern outside the dialect.
    #[error("line {line}: `{key}` has the pattern {pattern:?}")]
    Glob {
        /// The line.
        line: usize,
        /// The key.
        key: String,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: GlobError,
    },
    /// A threshold of zero, or one that nobody can reach.
    #[error("line {line}: `{key}` is {found}, expected {expected}")]
    Threshold {
        /// The line.
        line: usize,
        /// The key.
        key: String,
        /// What it is.
        found: i64,
        /// What is allowed.
        expected: &'static str,
    },
    /// An id that stands twice.
    #[error("line {line}: the id {id:?} stands twice")]
    DuplicateId {
        /// The line of the second.
        line: usize,
        /// The id.
        id: String,
    },
    /// A key that stands for two principals.
    #[error("line {line}: the key {key} belongs to {first:?} and to {second:?}")]
    AmbiguousSigner {
        /// The line of the second.
        line: usize,
        /// The fingerprint.
        key: String,
        /// The principal that has it first.
        first: String,
        /// The principal that has it too.
        second: String,
    },
    /// Two identities that one certificate could match, or that are not proven to exclude each other.
    #[error("line {line}: {signer} (of {second:?}) could be the same signer as {other} (of {first:?})")]
    OverlappingSigners {
        /// The line of the second.
        line: usize,
        /// The second.
        signer: String,
        /// The first.
        other: String,
        /// The principal that has the first.
        first: String,
        /// The principal that has the second.
        second: String,
    },
    /// A pattern for names that could match more than it shows.
    #[error("line {line}: `{key}`")]
    Pattern {
        /// The line.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong with it.
        #[source]
        source: PatternError,
    },
    /// A name that nothing in the policy has.
    #[error("line {line}: `{key}` names {name:?}, which the policy does not define{}", did_you_mean(suggestion.as_deref()))]
    UnknownReference {
        /// The line.
        line: usize,
        /// The key.
        key: String,
        /// The name.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
}

impl PolicyError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "policy.empty",
            Self::TooLarge { .. } => "policy.too_large",
            Self::NotUtf8 { .. } => "policy.not_utf8",
            Self::Syntax { .. } => "policy.syntax",
            Self::Version { .. } => "policy.version",
            Self::UnknownKey { .. } => "policy.unknown_key",
            Self::Unsupported { .. } => "policy.unsupported",
            Self::MissingKey { .. } => "policy.missing_key",
            Self::WrongType { .. } => "policy.wrong_type",
            Self::Value { .. } => "policy.value",
            Self::Glob { .. } => "policy.glob",
            Self::Threshold { .. } => "policy.threshold",
            Self::DuplicateId { .. } => "policy.duplicate_id",
            Self::AmbiguousSigner { .. } | Self::OverlappingSigners { .. } => "policy.ambiguous_signer",
            Self::Pattern { source, .. } => source.code(),
            Self::UnknownReference { .. } => "policy.unknown_reference",
        }
    }

    /// Returns the line it is about, counted from 1.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Empty | Self::TooLarge { .. } => None,
            Self::NotUtf8 { line }
            | Self::Syntax { line, .. }
            | Self::Version { line, .. }
            | Self::UnknownKey { line, .. }
            | Self::Unsupported { line, .. }
            | Self::MissingKey { line, .. }
            | Self::WrongType { line, .. }
            | Self::Value { line, .. }
            | Self::Glob { line, .. }
            | Self::Threshold { line, .. }
            | Self::DuplicateId { line, .. }
            | Self::AmbiguousSigner { line, .. }
            | Self::OverlappingSigners { line, .. }
            | Self::Pattern { line, .. }
            | Self::UnknownReference { line, .. } => Some(*line),
        }
    }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion
        .map(|word| format!("; did you mean `{word}`?"))
        .unwrap_or_default()
}
