//! Why a statement was not signed.

use thiserror::Error;
use touchmark_statement::statement::StatementError;
use touchmark_verify::key::{KeyFingerprint, SignatureError};

use crate::error::SignError;

/// A statement that was not signed.
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
        }
    }
}
