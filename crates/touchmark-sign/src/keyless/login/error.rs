//! Why nobody is logged in.

use std::io;

use thiserror::Error;
use touchmark_http::HttpError;

use crate::keyless::token::TokenError;

/// A login that did not end with a token.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The provider could not be asked, or its answer not read.
    #[error("identity provider could not be asked")]
    Http(#[from] HttpError),
    /// The provider's description cannot be read.
    #[error("identity provider does not describe itself as OpenID Connect asks for")]
    Description,
    /// The description is of another provider.
    #[error("description found at {expected} is of another identity provider")]
    OtherIssuer {
        /// The provider that was asked.
        expected: String,
    },
    /// The provider does not take proof of who asked for the code.
    #[error("identity provider does not know PKCE with S256")]
    NoPkce,
    /// The operating system gives no randomness.
    #[error("no randomness for a login")]
    NoRandomness,
    /// This machine cannot be come back to.
    #[error("no address on this machine that a browser could come back to")]
    Listener {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The answer is not to this login: somebody else's, or a forged one.
    #[error("answer does not carry the state of this login")]
    State,
    /// The token is not of this login.
    #[error("identity token does not carry the nonce of this login")]
    Nonce,
    /// The person or the provider said no.
    #[error("login was denied")]
    Denied,
    /// No code came.
    #[error("login ended without a code")]
    NoCode,
    /// Nobody came back in time.
    #[error("nobody logged in in time")]
    Timeout,
    /// The provider refused the code.
    #[error("identity provider refused the code with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The provider answered without a token.
    #[error("identity provider answered without an identity token")]
    Answer,
    /// The token cannot serve.
    #[error("identity token of the login cannot serve")]
    Token(#[from] TokenError),
}

impl LoginError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            LoginError::Http(error) => error.code(),
            LoginError::Description => "login.description",
            LoginError::OtherIssuer { .. } => "login.other_issuer",
            LoginError::NoPkce => "login.no_pkce",
            LoginError::NoRandomness => "key.no_randomness",
            LoginError::Listener { .. } => "login.listener",
            LoginError::State => "login.state",
            LoginError::Nonce => "login.nonce",
            LoginError::Denied => "login.denied",
            LoginError::NoCode => "login.no_code",
            LoginError::Timeout => "login.timeout",
            LoginError::Refused { .. } => "login.refused",
            LoginError::Answer => "login.answer",
            LoginError::Token(error) => error.code(),
        }
    }

    /// Tells whether nobody could be asked, so that asking again later may help.
    pub fn is_outage(&self) -> bool {
        matches!(self, LoginError::Http(error) if error.is_worth_retrying())
    }
}
