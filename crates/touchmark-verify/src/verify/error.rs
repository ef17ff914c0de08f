//! The errors of all steps as one.

use thiserror::Error;

use super::{ContentError, EnvelopeError, IdentityError, LogError, SignerError, StructureError, TimeError};

/// Why a bundle does not verify.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The bundle does not have the form that can be verified.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// A time source is wrong.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The signer is not one that was expected.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The identity in the certificate is not one that was expected.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The signature is wrong.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A log entry is wrong or missing.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What was signed is not a statement, or contradicts itself.
    #[error(transparent)]
    Content(#[from] ContentError),
}

impl VerifyError {
    /// Returns the stable code of this failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Structure(error) => error.code(),
            Self::Time(error) => error.code(),
            Self::Signer(error) => error.code(),
            Self::Identity(error) => error.code(),
            Self::Envelope(error) => error.code(),
            Self::Log(error) => error.code(),
            Self::Content(error) => error.code(),
        }
    }
}
