//! OIDC identity tokens (OpenID Connect Core 1.0 §2, RFC 7519): where they come from, and what is refused before use.
//!
//! A token is a bearer secret: it is held in zeroizing memory, `Debug` shows its issuer only, no error quotes any part
//! of it but claims that were found to be plain text, and nothing here writes it anywhere. Its signature is the
//! certificate authority's to verify; what is checked here keeps a wrong token from being sent at all.

mod claims;
mod error;
mod program;
mod source;

#[cfg(test)]
mod tests;

use std::fmt;

use touchmark_statement::timestamp::Timestamp;
use zeroize::Zeroizing;

pub use claims::Claims;
pub use error::TokenError;
pub use program::find_program;
pub use source::{Discovered, Found, Surroundings, TOKEN_FILE, TokenSource, discover};

/// The audience that Sigstore's certificate authorities ask for.
pub const DEFAULT_AUDIENCE: &str = "sigstore";
/// The longest token that is read.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// What a token has to be before it is used.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Whom it must be meant for.
    pub audience: &'a str,
    /// The time at which it must not have lapsed.
    pub at: Timestamp,
}

/// A token whose claims were read and found fit for use; its signature is not verified here.
#[derive(Clone)]
pub struct IdentityToken {
    text: Zeroizing<String>,
    claims: Claims,
}

impl IdentityToken {
    /// Reads a token in compact form and refuses one that could not serve.
    pub fn parse(text: Zeroizing<String>, expected: &Expected<'_>) -> Result<Self, TokenError> {
        // Files and programs end with a line end.
        let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
        if trimmed.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLarge {
                found: trimmed.len(),
                max: MAX_TOKEN_BYTES,
            });
        }
        let claims = claims::read(trimmed)?;
        claims.refuse_unfit(expected)?;
        Ok(IdentityToken {
            text: Zeroizing::new(trimmed.to_owned()),
            claims,
        })
    }

    /// Returns the token itself, for the one place that it is sent to.
    pub fn secret(&self) -> &str {
        &self.text
    }

    /// Returns what the token says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl fmt::Debug for IdentityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityToken(redacted, of {})", self.claims.issuer)
    }
}
