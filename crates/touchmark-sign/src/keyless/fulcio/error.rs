//! Why there is no certificate.

use std::fmt;

use thiserror::Error;
use touchmark_http::HttpError;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::window::Window;
use touchmark_verify::x509::CertificateError;

use crate::error::SignError;
use crate::keyless::token::TokenError;

/// The part of an answer that is not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The key.
    Key,
    /// The identity.
    Identity,
    /// The issuer of that identity.
    Issuer,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Asked::Key => "key",
            Asked::Identity => "identity",
            Asked::Issuer => "issuer",
        })
    }
}

/// A certificate that was not had, or that is not used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FulcioError {
    /// The authority could not be asked, or its answer not read.
    #[error("certificate authority could not be asked")]
    Http(#[from] HttpError),
    /// The authority said no.
    #[error("certificate authority refused the identity token or the key with status {status}{}", shown(.reason))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its reason, where it gave one in plain text.
        reason: Option<String>,
    },
    /// The answer is not one of this API.
    #[error("{part} in the answer of the certificate authority cannot be read")]
    Malformed {
        /// The part.
        part: &'static str,
    },
    /// The authority wants a proof over something that the token does not hold.
    #[error("certificate authority wants a proof over something that the identity token does not hold")]
    Challenge,
    /// The token cannot serve.
    #[error("identity token cannot serve")]
    Token(#[from] TokenError),
    /// The proof could not be made.
    #[error("proof of possession could not be made")]
    Sign(#[from] SignError),
    /// The certificate is for something else.
    #[error("certificate is for another {part}: expected {expected}, found {found}")]
    Other {
        /// The part that differs.
        part: Asked,
        /// What was asked for.
        expected: String,
        /// What the certificate says.
        found: String,
    },
    /// The certificate cannot be read.
    #[error("certificate cannot be read")]
    Certificate(#[source] CertificateError),
    /// The certificate does not hold now.
    #[error("certificate holds {window}, and it is {at}")]
    Window {
        /// When it holds.
        window: Window,
        /// The caller's time.
        at: Timestamp,
    },
    /// The timestamp of the certificate log came beside the certificate, where no bundle could carry it.
    #[error(
        "certificate log's timestamp is not in the certificate but beside it, where no bundle can carry it"
    )]
    DetachedTimestamp,
    /// The certificate does not lead to the trusted root, or no certificate log has it.
    #[error("certificate is not proven under the trusted root")]
    Unproven(#[source] CertificateError),
}

fn shown(reason: &Option<String>) -> String {
    reason
        .as_ref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default()
}

impl FulcioError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            FulcioError::Http(error) => error.code(),
            FulcioError::Refused { .. } => "fulcio.refused",
            FulcioError::Malformed { .. } => "fulcio.malformed",
            FulcioError::Challenge => "fulcio.challenge",
            FulcioError::Token(error) => error.code(),
            FulcioError::Sign(error) => error.code(),
            FulcioError::Other { part, .. } => match part {
                Asked::Key => "fulcio.other_key",
                Asked::Identity => "fulcio.other_identity",
                Asked::Issuer => "fulcio.other_issuer",
            },
            FulcioError::Certificate(error) | FulcioError::Unproven(error) => error.code(),
            FulcioError::Window { .. } => "fulcio.window",
            FulcioError::DetachedTimestamp => "fulcio.detached_sct",
        }
    }

    /// Tells whether nobody could be asked, so that asking again later may help.
    pub fn is_outage(&self) -> bool {
        matches!(self, FulcioError::Http(error) if error.is_worth_retrying())
    }
}
