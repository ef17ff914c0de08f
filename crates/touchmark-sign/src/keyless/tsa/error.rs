//! Why there is no signed time.

use std::fmt;

use thiserror::Error;
use touchmark_http::HttpError;
use touchmark_verify::verify::VerifyError;

/// The part of an answer that is not about the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamped {
    /// The digest that was stamped.
    Imprint,
    /// The nonce.
    Nonce,
}

impl fmt::Display for Stamped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stamped::Imprint => "imprint",
            Stamped::Nonce => "nonce",
        })
    }
}

/// A signed time that was not had, or that is not kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TsaError {
    /// The authority could not be asked, or its answer not read.
    #[error("timestamp authority could not be asked")]
    Http(#[from] HttpError),
    /// The authority does not answer questions like this.
    #[error("timestamp authority refused the request with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The authority granted no timestamp.
    #[error("timestamp authority granted no timestamp: its status is {status}, not 0")]
    NotGranted {
        /// The `PKIStatus`.
        status: u8,
    },
    /// The answer is not DER of the expected shape.
    #[error("answer of the timestamp authority cannot be read")]
    Malformed,
    /// The answer is about something else.
    #[error("answer of the timestamp authority is not about what was sent: its {part} differs")]
    OtherAnswer {
        /// The part that differs.
        part: Stamped,
    },
    /// The answer is not proven under the trusted root.
    #[error("timestamp is not proven under the trusted root")]
    Unproven(#[source] Box<VerifyError>),
    /// The operating system gives no randomness.
    #[error("no randomness for the nonce of a timestamp request")]
    NoRandomness,
}

impl TsaError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            TsaError::Http(error) => error.code(),
            TsaError::Refused { .. } => "tsa.refused",
            TsaError::NotGranted { .. } => "tsa.not_granted",
            TsaError::Malformed => "tsa.malformed",
            TsaError::OtherAnswer { part } => match part {
                Stamped::Imprint => "tsa.other_imprint",
                Stamped::Nonce => "tsa.other_nonce",
            },
            TsaError::Unproven(error) => error.code(),
            TsaError::NoRandomness => "key.no_randomness",
        }
    }

    /// Tells whether nobody could be asked, so that asking again later may help.
    pub fn is_outage(&self) -> bool {
        matches!(self, TsaError::Http(error) if error.is_worth_retrying())
    }
}
