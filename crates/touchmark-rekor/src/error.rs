//! Why something is not in a log, or an answer not believed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use thiserror::Error;
use touchmark_http::HttpError;
use touchmark_tlog::checkpoint::CheckpointError;
use touchmark_tlog::entry::EntryError;
use touchmark_tlog::merkle::{Hash, MerkleError};
use touchmark_verify::key::{KeyFingerprint, SignatureError};

use crate::reader::ReaderError;

/// The part of an answer that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The inclusion proof with its checkpoint.
    Proof,
    /// The inclusion promise of Rekor v1.
    Promise,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Missing::Proof => "inclusion proof with a checkpoint",
            Missing::Promise => "inclusion promise",
        })
    }
}

/// A signature that is not proven to be in a log.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The signature does not verify, so that it was not sent.
    #[error("the signature does not verify and was not sent")]
    Signature(#[source] SignatureError),
    /// The key signs whole messages, and this log sees digests only.
    #[error("key {key} signs whole messages, and this log sees digests only")]
    NotLoggable {
        /// The key.
        key: KeyFingerprint,
    },
    /// The log's own key would sign what it logs.
    #[error("key {key} signs the checkpoints of {origin}, so it must not sign what is logged")]
    RoleReused {
        /// The key.
        key: KeyFingerprint,
        /// The log.
        origin: String,
    },
    /// The log does not take this kind of content.
    #[error("this log takes envelopes only")]
    NoEnvelope,
    /// The request cannot be written.
    #[error("the request cannot be written")]
    Request {
        /// What is wrong.
        #[source]
        source: EntryError,
    },
    /// The exchange failed.
    #[error("the log could not be reached")]
    Http(#[from] HttpError),
    /// The log refuses what was sent.
    #[error("the log refuses the entry with status {status}: {message}")]
    Refused {
        /// The status.
        status: u16,
        /// What the log says, shortened to printable characters.
        message: String,
    },
    /// The log takes no entries any more.
    #[error("the log takes no entries any more")]
    Frozen,
    /// The answer is no entry.
    #[error("the log's answer is no entry")]
    Malformed {
        /// What is wrong.
        #[source]
        source: EntryError,
    },
    /// The answer is about something else than what was sent.
    #[error("the log's answer is about another entry than the one that was sent")]
    OtherEntry,
    /// The answer names a log that is not trusted.
    #[error("the answer names log {log_id}, which the trusted root does not have")]
    UnknownLog {
        /// The log named.
        log_id: Hash,
    },
    /// The checkpoint is of a log that is not trusted.
    #[error("the checkpoint is of {origin:?}, which the trusted root does not have")]
    UnknownOrigin {
        /// The origin.
        origin: String,
    },
    /// The answer lacks a part.
    #[error("the log's answer has no {part}")]
    Incomplete {
        /// The part.
        part: Missing,
    },
    /// The inclusion promise does not verify.
    #[error("the inclusion promise in the log's answer does not verify")]
    Promise,
    /// The checkpoint does not verify.
    #[error("the checkpoint in the log's answer is not believed")]
    Checkpoint(#[from] CheckpointError),
    /// The inclusion proof fails.
    #[error("the inclusion proof in the log's answer fails")]
    Inclusion(#[from] MerkleError),
    /// The log says that it has the entry, and does not show it.
    #[error("the log says that it has the entry already, but does not show it")]
    DuplicateLost,
    /// The log could not be read, to find the entry that it has.
    #[error("the entry that the log has already could not be read")]
    Read(#[source] ReaderError),
    /// Two services that should be two logs are one.
    #[error("two services answer for the same log {log_id}")]
    SameLogTwice {
        /// The log.
        log_id: Hash,
    },
    /// A log that this crate does not know, such as an embedded one, failed.
    #[error("the log failed")]
    Other {
        /// The stable code.
        code: &'static str,
        /// Whether it may succeed later.
        is_worth_retrying: bool,
        /// What is wrong.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nothing was tried: this log failed just before.
    #[error("the log failed just before and was not asked again")]
    Skipped {
        /// The code of that failure.
        code: &'static str,
    },
}

impl PublishError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            PublishError::Signature(error) => error.code(),
            PublishError::Promise => "rekor.answer_promise",
            PublishError::NotLoggable { .. } => "key.ed25519_not_loggable",
            PublishError::RoleReused { .. } => "key.role_reused",
            PublishError::NoEnvelope => "rekor.no_envelope",
            PublishError::Request { source } => source.code(),
            PublishError::Http(error) => error.code(),
            PublishError::Refused { .. } => "rekor.refused",
            PublishError::Frozen => "rekor.frozen",
            PublishError::Malformed { .. } => "rekor.answer_malformed",
            PublishError::OtherEntry => "rekor.answer_for_another_entry",
            PublishError::UnknownLog { .. } | PublishError::UnknownOrigin { .. } => {
                "rekor.answer_unknown_log"
            }
            PublishError::Incomplete { part } => match part {
                Missing::Proof => "rekor.answer_no_proof",
                Missing::Promise => "rekor.answer_no_promise",
            },
            PublishError::Checkpoint(_) => "rekor.answer_checkpoint",
            PublishError::Inclusion(_) => "rekor.answer_inclusion",
            PublishError::DuplicateLost => "rekor.duplicate_lost",
            PublishError::Read(error) => error.code(),
            PublishError::SameLogTwice { .. } => "rekor.same_log_twice",
            PublishError::Other { code, .. } | PublishError::Skipped { code } => code,
        }
    }

    /// Returns whether the very same submission may well succeed later. An answer that is not believed counts: what
    /// was signed is still good, and the log or what stands before it may mend.
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            PublishError::Signature(_)
            | PublishError::NotLoggable { .. }
            | PublishError::RoleReused { .. }
            | PublishError::NoEnvelope
            | PublishError::Request { .. }
            | PublishError::Refused { .. }
            | PublishError::Frozen
            | PublishError::SameLogTwice { .. } => false,
            PublishError::Http(error) => error.is_worth_retrying(),
            PublishError::Other {
                is_worth_retrying, ..
            } => *is_worth_retrying,
            _ => true,
        }
    }

    /// Returns whether the failure is the log's, so that the next entry would fail like this one.
    pub(crate) fn is_about_log(&self) -> bool {
        match self {
            PublishError::Http(_) | PublishError::Frozen => true,
            PublishError::Other {
                is_worth_retrying, ..
            } => *is_worth_retrying,
            _ => false,
        }
    }

    /// Returns how long the log asks to be left alone, under the client's cap.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            PublishError::Http(error) => error.retry_after().map(|found| found.delay()),
            _ => None,
        }
    }
}
