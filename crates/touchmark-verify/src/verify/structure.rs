//! Step 1: the bundle has the one form that can be verified.
//!
//! [`Bundle::parse`] has refused what is malformed; this step applies the same rules to bundles that were built, and
//! refuses what is well-formed but not a signed in-toto statement.

use thiserror::Error;
use touchmark_statement::statement::IN_TOTO_PAYLOAD_TYPE;
use touchmark_tlog::entry::EntryBody;

use super::log::{self, LogError};
use crate::bundle::{Bundle, BundleError, VerificationMaterial};
use crate::envelope::Envelope;
use crate::limits::{MAX_TIMESTAMPS, MAX_TLOG_ENTRIES};
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
    /// The bundle was signed with a certificate, which this version does not verify.
    #[error("bundles with certificates are not verified by this version")]
    CertificateUnsupported,
}

impl StructureError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bundle(error) => error.code(),
            Self::Entry(error) => error.code(),
            Self::PayloadType { .. } => "envelope.payload_type",
            Self::NoStatement => "bundle.message_signature",
            Self::CertificateUnsupported => "certificate.unsupported",
        }
    }
}

/// A bundle of the right form, signed with a key.
#[derive(Debug)]
pub(super) struct Shape<'b> {
    bundle: &'b Bundle,
    envelope: &'b Envelope,
    hint: &'b str,
    bodies: Vec<EntryBody>,
}

/// Examines the form of a bundle.
pub(super) fn examine(bundle: &Bundle) -> Result<Shape<'_>, StructureError> {
    bundle.validate()?;
    if bundle.tlog_entries.len() > MAX_TLOG_ENTRIES {
        return Err(BundleError::TooManyEntries {
            found: bundle.tlog_entries.len(),
        }
        .into());
    }
    if bundle.timestamps.len() > MAX_TIMESTAMPS {
        return Err(BundleError::TooManyTimestamps {
            found: bundle.timestamps.len(),
        }
        .into());
    }
    let envelope = bundle.envelope().ok_or(StructureError::NoStatement)?;
    if envelope.payload_type != IN_TOTO_PAYLOAD_TYPE {
        let found = envelope.payload_type.chars().take(100).collect();
        return Err(StructureError::PayloadType { found });
    }
    let VerificationMaterial::PublicKey { hint } = &bundle.material else {
        return Err(StructureError::CertificateUnsupported);
    };
    let entries = bundle.tlog_entries.iter().enumerate();
    let bodies = entries
        .map(|(entry, log_entry)| log::read_body(entry, log_entry))
        .collect::<Result<_, _>>()?;
    Ok(Shape {
        bundle,
        envelope,
        hint,
        bodies,
    })
}

impl<'b> Shape<'b> {
    pub(super) fn bundle(&self) -> &'b Bundle {
        self.bundle
    }

    pub(super) fn envelope(&self) -> &'b Envelope {
        self.envelope
    }

    pub(super) fn hint(&self) -> &'b str {
        self.hint
    }

    /// Returns the bodies of the log entries, in their order.
    pub(super) fn bodies(&self) -> &[EntryBody] {
        &self.bodies
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        vec![
            Check::pass("bundle.structure"),
            Check::pass("envelope.payload_type"),
        ]
    }
}
