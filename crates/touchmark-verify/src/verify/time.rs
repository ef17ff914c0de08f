//! Step 2: times, each authenticated by its own authority. A time that nobody signed is not a time.
//!
//! Timestamps are RFC 3161 tokens over the raw signature bytes, and the inclusion promises of Rekor v1. Each that is
//! there must verify; thresholds count operators, never tokens. A bundle with Rekor v2 entries and no token has none:
//! `integratedTime` there is a number in a file. A verified time is an upper bound on when a signature was made, nothing
//! more.

use std::collections::BTreeSet;

use thiserror::Error;
use touchmark_statement::timestamp::Timestamp;

use super::authority;
use super::memory::Memory;
use super::options::VerifyOptions;
use super::promise::{self, PromiseError};
use super::structure::Shape;
use crate::timestamp_token::{Token, TokenError};
use crate::trust::TrustedRoot;
use crate::verified::{Check, VerifiedTime};
use crate::window::Window;
use crate::x509::CertificateError;

/// Why a time source was refused. `timestamp` is the position in the bundle.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The token is malformed, or not about this signature.
    #[error("timestamp {timestamp} is refused")]
    Token {
        /// The timestamp.
        timestamp: usize,
        /// What is wrong with it.
        #[source]
        source: TokenError,
    },
    /// The trusted root has no timestamp authority.
    #[error(
        "timestamp {timestamp} cannot be verified: the trusted root has no timestamp authority that can be used"
    )]
    NoAuthority {
        /// The timestamp.
        timestamp: usize,
    },
    /// The token names a signer that is no trusted authority.
    #[error("timestamp {timestamp} is not signed by a trusted authority")]
    AuthorityUnknown {
        /// The timestamp.
        timestamp: usize,
    },
    /// The authority's key did not sign the token.
    #[error("timestamp {timestamp} names a trusted authority, whose key did not sign it")]
    Signature {
        /// The timestamp.
        timestamp: usize,
    },
    /// The signer's certificate is not for timestamps alone.
    #[error("timestamp {timestamp} is signed with a certificate that is not critically for timestamps alone")]
    Usage {
        /// The timestamp.
        timestamp: usize,
    },
    /// The authority was not in use.
    #[error("timestamp {timestamp} is of {at}, but its authority is trusted {window}")]
    OutsideAuthority {
        /// The timestamp.
        timestamp: usize,
        /// The authority's window.
        window: Window,
        /// The time signed.
        at: Timestamp,
    },
    /// A certificate of the authority was not valid.
    #[error("timestamp {timestamp} is of {at}, but its authority's certificates are valid {window}")]
    OutsideValidity {
        /// The timestamp.
        timestamp: usize,
        /// When they are valid.
        window: Window,
        /// The time signed.
        at: Timestamp,
    },
    /// The signer's certificate does not lead to the authority's anchor.
    #[error("the certificate that signed timestamp {timestamp} does not chain to its authority")]
    Chain {
        /// The timestamp.
        timestamp: usize,
        /// What is wrong.
        #[source]
        source: CertificateError,
    },
    /// An inclusion promise of Rekor v1 does not verify.
    #[error(transparent)]
    Promise(#[from] PromiseError),
    /// The timestamps are of too few operators.
    #[error("timestamps of {required} operators are required, found {found}")]
    TooFewOperators {
        /// How many are required.
        required: usize,
        /// How many there are.
        found: usize,
    },
}

impl TimeError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Token { source, .. } => source.code(),
            Self::NoAuthority { .. } => "time.no_authority",
            Self::AuthorityUnknown { .. } => "time.authority_unknown",
            Self::Signature { .. } => "time.timestamp_signature",
            Self::Usage { .. } => "time.timestamp_usage",
            Self::OutsideAuthority { .. } => "time.outside_authority_window",
            Self::OutsideValidity { .. } => "time.outside_certificate_validity",
            Self::Chain { .. } => "time.timestamp_chain",
            Self::Promise(error) => error.code(),
            Self::TooFewOperators { .. } => "time.too_few_operators",
        }
    }

    /// Returns how far verification against one authority came.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::AuthorityUnknown { .. } => 0,
            Self::Signature { .. } => 1,
            Self::Usage { .. } => 2,
            Self::Chain { .. } => 3,
            Self::OutsideAuthority { .. } => 4,
            _ => 5,
        }
    }
}

/// The times that were verified; there may be none.
#[derive(Debug)]
pub(super) struct VerifiedTimes {
    times: Vec<VerifiedTime>,
    ignored_integrated_time: bool,
}

/// Establishes the times of a bundle.
pub(super) fn establish(
    shape: &Shape<'_>,
    root: &TrustedRoot,
    options: &VerifyOptions,
    memory: &Memory,
) -> Result<VerifiedTimes, TimeError> {
    let bundle = shape.bundle();
    let (mut times, mut operators) = (Vec::new(), BTreeSet::new());
    for (timestamp, response) in bundle.timestamps.iter().enumerate() {
        let token = Token::parse(response, bundle.signature())
            .map_err(|source| TimeError::Token { timestamp, source })?;
        let stamped = authority::authenticate(timestamp, &token, root.usable(), memory)?;
        times.push(stamped.time);
        operators.insert(stamped.operator);
    }
    let required = usize::from(options.timestamps);
    if operators.len() < required {
        let found = operators.len();
        return Err(TimeError::TooFewOperators { required, found });
    }
    let mut ignored_integrated_time = false;
    for (entry, (log_entry, body)) in bundle.tlog_entries.iter().zip(shape.bodies()).enumerate() {
        match promise::authenticate(entry, log_entry, body, root)? {
            Some(time) => times.push(time),
            None => ignored_integrated_time |= log_entry.integrated_time.is_some_and(|seconds| seconds != 0),
        }
    }
    Ok(VerifiedTimes {
        times,
        ignored_integrated_time,
    })
}

impl VerifiedTimes {
    pub(super) fn as_slice(&self) -> &[VerifiedTime] {
        &self.times
    }

    pub(super) fn into_verified(self) -> Vec<VerifiedTime> {
        self.times
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        let mut checks = vec![match self.times.is_empty() {
            true => Check::skipped(
                "time.signed",
                "the bundle carries no time that an authority signed",
            ),
            false => Check::pass("time.signed"),
        }];
        if self.ignored_integrated_time {
            checks.push(Check::skipped(
                "time.integrated",
                "an integratedTime that nobody signed is not a time",
            ));
        }
        checks
    }

    #[cfg(test)]
    pub(super) fn for_test(times: Vec<VerifiedTime>) -> Self {
        Self {
            times,
            ignored_integrated_time: false,
        }
    }
}
