//! Step 1: the bundle has the one form that can be verified.
//!
//! [`Bundle::parse`] has refused what is malformed; this step applies the same rules to bundles that were built, and
//! refuses what is well-formed but not what the caller wants verified.

use thiserror::Error;
use touchmark_statement::statement::IN_TOTO_PAYLOAD_TYPE;
use touchmark_tlog::entry::EntryBody;

use super::log::{self, LogError};
use crate::bundle::{Bundle, BundleError, Content, VerificationMaterial};
use crate::limits::{MAX_CERTIFICATES, MAX_TIMESTAMPS, MAX_TLOG_ENTRIES};
use crate::verified::Check;

/// Why a bundle does not have the form that can be verified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StructureError {
    /// The bundle breaks a rule of its own version.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A log entry is of a kind that is not verified, or its body is malformed.
    #[error(transparent)]
    Entry(#[from] LogError),
    /// The signed bytes are said to be something else than an in-toto statement.
    #[error("expected payload type {IN_TOTO_PAYLOAD_TYPE:?}, found {found:?}")]
    PayloadType {
        /// The payload type found, shortened.
        found: String,
    },
    /// The bundle carries a bare signature over a message, where a statement is wanted.
    #[error("the bundle carries a bare message signature, which is no statement")]
    NoStatement,
    /// The bundle carries an envelope, where a bare signature over a message is wanted.
    #[error("the bundle carries an envelope, not a signature over a message")]
    NoMessage,
}

impl StructureError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bundle(error) => error.code(),
            Self::Entry(error) => error.code(),
            Self::PayloadType { .. } => "envelope.payload_type",
            Self::NoStatement => "bundle.message_signature",
            Self::NoMessage => "bundle.envelope",
        }
    }
}

/// What the caller wants verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Statement,
    Message,
}

/// A bundle of the right form.
#[derive(Debug)]
pub(super) struct Shape<'b> {
    bundle: &'b Bundle,
    named: Named<'b>,
    bodies: Vec<EntryBody>,
}

/// Whom a bundle names as its signer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named<'b> {
    /// The key that this is a hint at.
    Key { hint: &'b str },
    /// The holder of this certificate.
    Certificate { leaf: &'b [u8], chain: &'b [Vec<u8>] },
}

/// Examines the form of a bundle.
pub(super) fn examine(bundle: &Bundle, wanted: Wanted) -> Result<Shape<'_>, StructureError> {
    bundle.validate()?;
    require_caps(bundle)?;
    match (&bundle.content, wanted) {
        (Content::Envelope(envelope), Wanted::Statement) => {
            if envelope.payload_type != IN_TOTO_PAYLOAD_TYPE {
                let found = envelope.payload_type.chars().take(100).collect();
                return Err(StructureError::PayloadType { found });
            }
        }
        (Content::Message(_), Wanted::Message) => {}
        (Content::Message(_), Wanted::Statement) => return Err(StructureError::NoStatement),
        (Content::Envelope(_), Wanted::Message) => return Err(StructureError::NoMessage),
    }
    let named = match &bundle.material {
        VerificationMaterial::PublicKey { hint } => Named::Key { hint },
        VerificationMaterial::Certificate(leaf) => Named::Certificate { leaf, chain: &[] },
        VerificationMaterial::CertificateChain(chain) => {
            let (leaf, chain) = chain
                .split_first()
                .ok_or(BundleError::CertificateCount { found: 0 })?;
            Named::Certificate { leaf, chain }
        }
    };
    let entries = bundle.tlog_entries.iter().enumerate();
    let bodies = entries
        .map(|(entry, log_entry)| log::read_body(entry, log_entry))
        .collect::<Result<_, _>>()?;
    Ok(Shape {
        bundle,
        named,
        bodies,
    })
}

/// Bundles that were built and not parsed have met no cap yet.
fn require_caps(bundle: &Bundle) -> Result<(), BundleError> {
    let found = bundle.tlog_entries.len();
    if found > MAX_TLOG_ENTRIES {
        return Err(BundleError::TooManyEntries { found });
    }
    let found = bundle.timestamps.len();
    if found > MAX_TIMESTAMPS {
        return Err(BundleError::TooManyTimestamps { found });
    }
    match &bundle.material {
        VerificationMaterial::CertificateChain(chain) if chain.len() > MAX_CERTIFICATES => {
            Err(BundleError::CertificateCount { found: chain.len() })
        }
        _ => Ok(()),
    }
}

impl<'b> Shape<'b> {
    pub(super) fn bundle(&self) -> &'b Bundle {
        self.bundle
    }

    pub(super) fn named(&self) -> Named<'b> {
        self.named
    }

    /// Returns the bodies of the log entries, in their order.
    pub(super) fn bodies(&self) -> &[EntryBody] {
        &self.bodies
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        let mut checks = vec![Check::pass("bundle.structure")];
        if self.bundle.envelope().is_some() {
            checks.push(Check::pass("envelope.payload_type"));
        }
        checks
    }
}
