//! Step 5: the signature covers exactly the payload bytes, through the pre-authentication encoding.

use thiserror::Error;
use touchmark_tlog::entry::EntryBody;

use super::log::{Signed, SignedContent};
use super::signer::AuthenticSigner;
use super::structure::Shape;
use crate::bundle::Bundle;
use crate::envelope::Envelope;
use crate::key::{KeyFingerprint, PublicKey, SignatureError};
use crate::verified::Check;

/// Why the signature was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The signature is malformed, or not this key's over these bytes.
    #[error("the envelope's signature does not verify with key {key}")]
    Signature {
        /// The key that the bundle names.
        key: KeyFingerprint,
        /// What is wrong.
        #[source]
        source: SignatureError,
    },
}

impl EnvelopeError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signature { source, .. } => source.code(),
        }
    }
}

/// An envelope that its signer signed.
#[derive(Debug)]
pub(super) struct OpenedEnvelope<'s> {
    bundle: &'s Bundle,
    envelope: &'s Envelope,
    key: &'s PublicKey,
    pae: Vec<u8>,
    bodies: &'s [EntryBody],
}

/// Opens the envelope: from here on its payload is what the signer signed.
pub(super) fn open<'s>(
    shape: &'s Shape<'s>,
    signer: &'s AuthenticSigner,
) -> Result<OpenedEnvelope<'s>, EnvelopeError> {
    let (bundle, key) = (shape.bundle(), signer.key());
    let envelope = shape.envelope();
    let pae = envelope.pae();
    key.verify(&pae, &envelope.signature)
        .map_err(|source| EnvelopeError::Signature {
            key: key.fingerprint(),
            source,
        })?;
    Ok(OpenedEnvelope {
        bundle,
        envelope,
        key,
        pae,
        bodies: shape.bodies(),
    })
}

impl<'s> OpenedEnvelope<'s> {
    pub(super) fn bundle(&self) -> &'s Bundle {
        self.bundle
    }

    pub(super) fn key(&self) -> &'s PublicKey {
        self.key
    }

    /// Returns the bodies of the bundle's log entries, in their order.
    pub(super) fn bodies(&self) -> &'s [EntryBody] {
        self.bodies
    }

    pub(super) fn pae(&self) -> &[u8] {
        &self.pae
    }

    pub(super) fn payload(&self) -> &'s [u8] {
        &self.envelope.payload
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        vec![Check::pass("envelope.signature")]
    }

    /// Returns what a log entry must be about.
    pub(super) fn signed(&self) -> Signed<'_> {
        Signed {
            signature: &self.envelope.signature,
            spki_der: self.key.spki_der(),
            key_details: self.key.algorithm().key_details(),
            certificate: None,
            content: SignedContent::Envelope {
                envelope: self.envelope,
                pae: &self.pae,
            },
        }
    }
}
