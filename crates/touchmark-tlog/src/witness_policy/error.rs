//! Why a witness policy was refused.

use super::{MAX_POLICY_BYTES, MAX_POLICY_ITEMS, MAX_POLICY_TEXT};
use crate::cosignature::CosignatureError;
use crate::note::NoteError;

/// Why a witness policy was refused. `line` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The policy is larger than the limit.
    #[error("a witness policy has at most {MAX_POLICY_BYTES} bytes, found {found}")]
    TooLarge {
        /// The number of bytes found.
        found: usize,
    },
    /// The policy is not UTF-8 text ending in a newline, or has control characters other than tab and newline.
    #[error("a witness policy is UTF-8 text of lines, without control characters other than tabs")]
    Text,
    /// A line does not begin with a known keyword, or has the wrong number of parts.
    #[error("line {line} is no line of a witness policy")]
    Line {
        /// The line.
        line: usize,
    },
    /// There are too many logs, witnesses or groups, or a name or address is too long.
    #[error(
        "a witness policy has at most {MAX_POLICY_ITEMS} of each kind and texts of at most {MAX_POLICY_TEXT} bytes (line {line})"
    )]
    Limit {
        /// The line.
        line: usize,
    },
    /// The key of a log is not one.
    #[error("line {line} has no usable log key")]
    LogKey {
        /// The line.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: NoteError,
    },
    /// The key of a witness is not one.
    #[error("line {line} has no usable witness key")]
    WitnessKey {
        /// The line.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: CosignatureError,
    },
    /// Two logs or two witnesses have the same public key.
    #[error("line {line} has a key that stands in the policy already")]
    DuplicateKey {
        /// The line.
        line: usize,
    },
    /// A witness or group takes a name that is taken or reserved.
    #[error("line {line} defines {name:?}, which is defined already or reserved")]
    DuplicateName {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A group or the quorum names what no line above it defines.
    #[error("line {line} names {name:?}, which no line above it defines")]
    UnknownName {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A witness or group is a member twice.
    #[error("line {line} makes {name:?} a member a second time")]
    MemberTwice {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// The threshold is not `all`, `any` or a number from 1 to the number of members.
    #[error("line {line} has threshold {found:?}, expected all, any or 1 to {members}")]
    Threshold {
        /// The line.
        line: usize,
        /// The threshold found.
        found: String,
        /// The number of members.
        members: usize,
    },
    /// There is no quorum line, or more than one.
    #[error("a witness policy has exactly one quorum line, found {found}")]
    Quorum {
        /// How many were found.
        found: usize,
    },
}

impl PolicyError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "witness_policy.too_large",
            Self::Text => "witness_policy.text",
            Self::Line { .. } => "witness_policy.line",
            Self::Limit { .. } => "witness_policy.limit",
            Self::LogKey { source, .. } => source.code(),
            Self::WitnessKey { source, .. } => source.code(),
            Self::DuplicateKey { .. } => "witness_policy.duplicate_key",
            Self::DuplicateName { .. } => "witness_policy.duplicate_name",
            Self::UnknownName { .. } => "witness_policy.unknown_name",
            Self::MemberTwice { .. } => "witness_policy.member_twice",
            Self::Threshold { .. } => "witness_policy.threshold",
            Self::Quorum { .. } => "witness_policy.quorum",
        }
    }
}
