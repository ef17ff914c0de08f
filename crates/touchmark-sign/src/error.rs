//! What can go wrong while signing.

use thiserror::Error;
use touchmark_verify::key::SignatureError;

use crate::agent::AgentError;

/// A signature that could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignError {
    /// The ssh-agent failed or refused.
    #[error("the ssh-agent did not sign")]
    Agent(#[from] AgentError),
    /// The signer returned something that does not verify under its own public key.
    #[error("the signer returned a signature that its own key does not verify")]
    SelfCheck(#[source] SignatureError),
    /// The key cannot make signatures at all.
    #[error("the private key could not be used")]
    UnusableKey,
}

impl SignError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SignError::Agent(error) => error.code(),
            SignError::SelfCheck(_) => "sign.self_check",
            SignError::UnusableKey => "sign.unusable_key",
        }
    }
}
