//! Step 7: the signed bytes are a statement, and its predicate and subjects speak of the same things.

use thiserror::Error;
use touchmark_statement::statement::{SignedStatement, StatementError};

use super::envelope::OpenedEnvelope;
use crate::verified::{Check, LogFinding, SignerIdentity, VerifiedStatement, VerifiedTime};

/// Why the signed bytes are no statement that can be relied on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The signed bytes are no statement.
    #[error("the signed bytes are not a statement")]
    Statement(#[from] StatementError),
}

impl ContentError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Statement(error) => error.code(),
        }
    }
}

/// A statement that was read from the signed bytes.
#[derive(Debug)]
pub(super) struct Content {
    signed: SignedStatement,
}

/// Reads the statement from the bytes that the signature covers.
pub(super) fn read(opened: &OpenedEnvelope<'_>) -> Result<Content, ContentError> {
    let signed = SignedStatement::parse(opened.payload().to_vec())?;
    Ok(Content { signed })
}

impl Content {
    /// Brings together what all steps proved.
    pub(super) fn into_verified(
        self,
        signer: SignerIdentity,
        logs: Vec<LogFinding>,
        times: Vec<VerifiedTime>,
        mut checks: Vec<Check>,
    ) -> VerifiedStatement {
        checks.push(Check::pass("statement.form"));
        let digest = self.signed.payload_digest();
        VerifiedStatement::new(self.signed, digest, signer, logs, times, checks)
    }
}
