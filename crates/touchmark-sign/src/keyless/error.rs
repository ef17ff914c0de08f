//! Whatever kept a keyless signature from being made.

use thiserror::Error;

use super::fulcio::FulcioError;
use super::login::LoginError;
use super::signing_config::SigningConfigError;
use super::token::TokenError;
use super::tsa::TsaError;

/// A keyless signature that was not made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeylessError {
    /// The signing config names no service that could serve.
    #[error(transparent)]
    SigningConfig(#[from] SigningConfigError),
    /// There is no token that could serve.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Nobody logged in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// There is no certificate.
    #[error(transparent)]
    Fulcio(#[from] FulcioError),
    /// There is no signed time.
    #[error(transparent)]
    Tsa(#[from] TsaError),
}

impl KeylessError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            KeylessError::SigningConfig(error) => error.code(),
            KeylessError::Token(error) => error.code(),
            KeylessError::Login(error) => error.code(),
            KeylessError::Fulcio(error) => error.code(),
            KeylessError::Tsa(error) => error.code(),
        }
    }

    /// Tells whether a service could not be asked, so that trying again later may help.
    pub fn is_outage(&self) -> bool {
        match self {
            KeylessError::SigningConfig(_) => false,
            KeylessError::Token(error) => error.is_outage(),
            KeylessError::Login(error) => error.is_outage(),
            KeylessError::Fulcio(error) => error.is_outage(),
            KeylessError::Tsa(error) => error.is_outage(),
        }
    }
}
