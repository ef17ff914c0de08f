//! What a log must never do.

use std::fmt;

use serde::Serialize;
use thiserror::Error;
use touchmark_tlog::checkpoint::VerifiedCheckpoint;
use touchmark_verify::remembered::Fork;

/// How what a log offers contradicts what it signed. That two of its checkpoints contradict each other is a [`Fork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlarmKind {
    /// The entries that it offers are not those of the tree that it signed.
    NotIncluded {
        /// The number of entries after which the trees differ.
        size: u64,
    },
    /// It offers no entries where it signed that there are some.
    EntriesMissing {
        /// The first of them.
        first: u64,
    },
    /// It no longer has a tree that it had.
    TreeForgotten,
}

impl AlarmKind {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotIncluded { .. } => "monitor.not_included",
            Self::EntriesMissing { .. } => "monitor.entries_missing",
            Self::TreeForgotten => "monitor.tree_forgotten",
        }
    }
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIncluded { size } => {
                write!(
                    f,
                    "the first {size} entries that the log offers are not those of its checkpoint"
                )
            }
            Self::TreeForgotten => f.write_str("the log no longer has a tree that it had before"),
            Self::EntriesMissing { first } => {
                write!(f, "the log offers no entry {first}, though its checkpoint has it")
            }
        }
    }
}

/// A log contradicts itself; both of its words are kept, since they prove it to anybody.
#[derive(Debug, Clone, Error, Serialize)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// The stable code.
    pub code: &'static str,
    /// What the log did.
    pub message: String,
    /// The log.
    pub origin: String,
    /// The checkpoint that it signed before, or against which its entries were held: a signed note.
    pub kept: String,
    /// The checkpoint that contradicts it: a signed note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
}

impl From<Fork> for Alarm {
    fn from(fork: Fork) -> Self {
        Self {
            code: fork.code(),
            message: fork.to_string(),
            origin: fork.origin,
            kept: fork.remembered,
            current: Some(fork.found),
        }
    }
}

impl Alarm {
    pub(super) fn new(kind: AlarmKind, kept: &VerifiedCheckpoint) -> Self {
        Self {
            code: kind.code(),
            message: kind.to_string(),
            origin: kept.checkpoint().origin.clone(),
            kept: kept.note().encode(),
            current: None,
        }
    }
}
