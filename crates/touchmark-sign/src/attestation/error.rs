//! Why a statement was not signed, or a log's answer not believed.

use std::fmt;

use thiserror::Error;
use touchmark_statement::statement::StatementError;
use touchmark_tlog::checkpoint::CheckpointError;
use touchmark_tlog::entry::EntryError;
use touchmark_tlog::merkle::MerkleError;
use touchmark_verify::key::{KeyFingerprint, SignatureError};

use crate::error::SignError;

/// The part of a log's answer that is not about what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It names another log.
    Log,
    /// It is of another kind or version.
    Kind,
    /// It holds another digest.
    Digest,
    /// It holds another signature.
    Signature,
    /// It holds another key.
    Key,
    /// It holds no inclusion proof with a checkpoint.
    Proof,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Answer::Log => "log id",
            Answer::Kind => "kind",
            Answer::Digest => "digest",
            Answer::Signature => "signature",
            Answer::Key => "key",
            Answer::Proof => "inclusion proof",
        })
    }
}

/// A statement that was not signed, or an answer that is not believed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttestationError {
    /// The statement breaks a rule of its format.
    #[error("statement cannot be written")]
    Statement(#[from] StatementError),
    /// The statement does not fit its JSON Schema; nothing was signed.
    #[error("statement does not fit {schema} at `{at}` ({rule})")]
    Schema {
        /// The schema.
        schema: &'static str,
        /// JSON pointer to the value that does not fit.
        at: String,
        /// JSON pointer to the rule in the schema.
        rule: String,
    },
    /// The signer failed.
    #[error("statement could not be signed")]
    Sign(#[from] SignError),
    /// The envelope holds something that is no in-toto statement.
    #[error("envelope holds no in-toto statement")]
    PayloadType,
    /// The envelope's `keyid` is not the fingerprint of the key.
    #[error("keyid of the envelope does not name its key {key}")]
    KeyIdMismatch {
        /// The key.
        key: KeyFingerprint,
    },
    /// The envelope does not verify under its key.
    #[error("envelope does not verify under its key")]
    Signature(#[source] SignatureError),
    /// Logs of digests cannot verify Ed25519.
    #[error(
        "key {key} is Ed25519, which this log cannot take: it sees a digest, and Ed25519 signs whole messages"
    )]
    Ed25519NotLoggable {
        /// The key.
        key: KeyFingerprint,
    },
    /// The log's own key would sign a statement.
    #[error("key {key} signs the checkpoints of {origin}, so it must not sign statements")]
    RoleReused {
        /// The key.
        key: KeyFingerprint,
        /// The log.
        origin: String,
    },
    /// The log answered about something else.
    #[error("the log's answer is not about what was sent: its {part} differs")]
    OtherAnswer {
        /// The part that differs.
        part: Answer,
    },
    /// The body in the log's answer is no entry.
    #[error("the log's answer holds no entry that can be read")]
    Entry(#[from] EntryError),
    /// The checkpoint in the log's answer is not the log's.
    #[error("the checkpoint in the log's answer is not believed")]
    Checkpoint(#[from] CheckpointError),
    /// The inclusion proof in the log's answer fails.
    #[error("the inclusion proof in the log's answer fails")]
    Inclusion(#[from] MerkleError),
}

impl AttestationError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AttestationError::Statement(error) => error.code(),
            AttestationError::Schema { .. } => "statement.schema",
            AttestationError::Sign(error) => error.code(),
            AttestationError::PayloadType => "envelope.payload_type",
            AttestationError::KeyIdMismatch { .. } => "envelope.keyid_mismatch",
            AttestationError::Signature(error) => error.code(),
            AttestationError::Ed25519NotLoggable { .. } => "key.ed25519_not_loggable",
            AttestationError::RoleReused { .. } => "key.role_reused",
            AttestationError::OtherAnswer { part } => match part {
                Answer::Log => "answer.other_log",
                Answer::Kind => "answer.other_kind",
                Answer::Digest => "answer.other_digest",
                Answer::Signature => "answer.other_signature",
                Answer::Key => "answer.other_key",
                Answer::Proof => "answer.no_proof",
            },
            AttestationError::Entry(error) => error.code(),
            AttestationError::Checkpoint(error) => error.code(),
            AttestationError::Inclusion(error) => error.code(),
        }
    }
}
