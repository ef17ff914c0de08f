//! Why a signing config is not used.

use std::fmt;

use thiserror::Error;
use touchmark_http::HttpError;
use touchmark_statement::strict_json::JsonError;
use touchmark_statement::timestamp::Timestamp;

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceKind {
    /// Fulcio: certificates for identities.
    CertificateAuthority,
    /// OpenID Connect: tokens for people.
    IdentityProvider,
    /// Rekor: transparency logs.
    Log,
    /// RFC 3161: signed times.
    TimestampAuthority,
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServiceKind::CertificateAuthority => "certificate authority",
            ServiceKind::IdentityProvider => "identity provider",
            ServiceKind::Log => "log",
            ServiceKind::TimestampAuthority => "timestamp authority",
        })
    }
}

/// A signing config that cannot be read, or that has no service for now.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SigningConfigError {
    /// More bytes than any signing config has.
    #[error("signing config has {found} bytes, more than are read")]
    TooLarge {
        /// How many bytes there are.
        found: usize,
    },
    /// It is no JSON of one meaning, or has members that this version does not know.
    #[error("signing config cannot be read")]
    Json(#[from] JsonError),
    /// It is of another version, or something else.
    #[error("signing config is of media type {found:?}, which is not read")]
    MediaType {
        /// The media type, shortened.
        found: String,
    },
    /// Too many services of one kind.
    #[error("signing config names {found} services of the kind {kind}")]
    TooMany {
        /// The kind.
        kind: ServiceKind,
        /// How many there are.
        found: usize,
    },
    /// A member of one service is missing or malformed.
    #[error("{field} of {kind} {index} in the signing config is missing or malformed")]
    Field {
        /// The kind.
        kind: ServiceKind,
        /// Which one, from 0.
        index: usize,
        /// The member.
        field: &'static str,
    },
    /// The address of one service is none that may be asked.
    #[error("address of {kind} {index} in the signing config may not be asked")]
    Url {
        /// The kind.
        kind: ServiceKind,
        /// Which one, from 0.
        index: usize,
        /// Why.
        #[source]
        source: HttpError,
    },
    /// How services are chosen is not said in a way that has one meaning.
    #[error("how a {kind} is chosen is neither ANY, ALL nor EXACT with a count")]
    Selection {
        /// The kind.
        kind: ServiceKind,
    },
    /// None is in use at this time, in a version that is spoken.
    #[error("signing config has no {kind} in use at {at} with an API version that is spoken ({found} named)")]
    NoService {
        /// The kind.
        kind: ServiceKind,
        /// The time asked about.
        at: Timestamp,
        /// How many of the kind it names.
        found: usize,
    },
    /// Fewer operators than are asked for.
    #[error("signing config asks for {wanted} operators of a {kind}, and {found} are in use")]
    TooFew {
        /// The kind.
        kind: ServiceKind,
        /// How many are asked for.
        wanted: u64,
        /// How many there are.
        found: usize,
    },
}

impl SigningConfigError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SigningConfigError::TooLarge { .. } => "signing_config.too_large",
            SigningConfigError::Json(error) => error.code(),
            SigningConfigError::MediaType { .. } => "signing_config.media_type",
            SigningConfigError::TooMany { .. } => "signing_config.too_many",
            SigningConfigError::Field { .. } => "signing_config.field",
            SigningConfigError::Url { source, .. } => source.code(),
            SigningConfigError::Selection { .. } => "signing_config.selection",
            SigningConfigError::NoService { .. } => "signing_config.no_service",
            SigningConfigError::TooFew { .. } => "signing_config.too_few",
        }
    }
}
