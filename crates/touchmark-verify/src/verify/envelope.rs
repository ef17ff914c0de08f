//! Step 5: the signature covers exactly the bytes that are judged: an envelope's payload through the
//! pre-authentication encoding, or the message that the caller knows.

use thiserror::Error;
use touchmark_tlog::entry::EntryBody;

use super::log::{Signed, SignedContent};
use super::signer::AuthenticSigner;
use super::structure::{Named, Shape, StructureError};
use crate::bundle::{Bundle, Content};
use crate::envelope::Envelope;
use crate::key::{KeyFingerprint, SignatureError};
use crate::message::{ArtifactDigests, DigestAlgorithm, MessageSignature};
use crate::signer_key::SignerKey;
use crate::verified::Check;

/// Why the signature was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The signature is malformed, or not this key's over these bytes.
    #[error("the signature does not verify with key {key}")]
    Signature {
        /// The key that the bundle names.
        key: KeyFingerprint,
        /// What is wrong.
        #[source]
        source: SignatureError,
    },
    /// The bundle says that the message is another one.
    #[error("the bundle is about a message with another {algorithm} digest")]
    MessageDigest {
        /// The hash function.
        algorithm: DigestAlgorithm,
    },
    /// The digest that this key signs is not known.
    #[error("to verify this key's signature, the message's {needed} must be known")]
    DigestUnknown {
        /// What is needed.
        needed: &'static str,
    },
    /// Nothing is known of the message, so that nothing can be proven of it.
    #[error("nothing is known of the message: neither its bytes nor a digest")]
    NothingKnown,
    /// The bundle carries something else.
    #[error(transparent)]
    Content(#[from] StructureError),
}

impl EnvelopeError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signature { source, .. } => source.code(),
            Self::MessageDigest { .. } => "message.digest_mismatch",
            Self::DigestUnknown { .. } => "message.digest_unknown",
            Self::NothingKnown => "message.nothing_known",
            Self::Content(error) => error.code(),
        }
    }
}

/// Signed bytes whose signer signed them.
#[derive(Debug)]
pub(super) struct Opened<'s> {
    bundle: &'s Bundle,
    key: &'s SignerKey,
    certificate: Option<&'s [u8]>,
    covered: Covered<'s>,
    bodies: &'s [EntryBody],
}

/// What the signature covers.
#[derive(Debug)]
enum Covered<'s> {
    Envelope { envelope: &'s Envelope, pae: Vec<u8> },
    Message(&'s ArtifactDigests),
}

/// Opens the envelope: from here on its payload is what the signer signed.
pub(super) fn open<'s>(
    shape: &'s Shape<'s>,
    signer: &'s AuthenticSigner,
) -> Result<Opened<'s>, EnvelopeError> {
    let Content::Envelope(envelope) = &shape.bundle().content else {
        return Err(StructureError::NoStatement.into());
    };
    let pae = envelope.pae();
    let key = signer.key();
    key.verify(&pae, &envelope.signature)
        .map_err(|source| EnvelopeError::Signature {
            key: key.fingerprint(),
            source,
        })?;
    Ok(opened(shape, signer, Covered::Envelope { envelope, pae }))
}

/// Verifies the signature over a message that the caller knows.
pub(super) fn open_message<'s>(
    shape: &'s Shape<'s>,
    signer: &'s AuthenticSigner,
    message: &'s ArtifactDigests,
) -> Result<Opened<'s>, EnvelopeError> {
    let Content::Message(signature) = &shape.bundle().content else {
        return Err(StructureError::NoMessage.into());
    };
    require_agreement(signature, message)?;
    let key = signer.key();
    let outcome = match (message.bytes(), key.hash()) {
        (Some(bytes), _) => key.verify(bytes, &signature.signature),
        (None, Some(hash)) => {
            let needed = match hash {
                DigestAlgorithm::Sha256 => "SHA-256 digest",
                DigestAlgorithm::Sha384 => "SHA-384 digest",
                DigestAlgorithm::Sha512 => "SHA-512 digest",
            };
            let digest = message.get(hash).ok_or(EnvelopeError::DigestUnknown { needed })?;
            key.verify_digest(digest, &signature.signature)
        }
        (None, None) => return Err(EnvelopeError::DigestUnknown { needed: "bytes" }),
    };
    outcome.map_err(|source| EnvelopeError::Signature {
        key: key.fingerprint(),
        source,
    })?;
    Ok(opened(shape, signer, Covered::Message(message)))
}

/// The digest in the bundle is a hint and proves nothing, but one that contradicts the message is not passed over.
fn require_agreement(signature: &MessageSignature, message: &ArtifactDigests) -> Result<(), EnvelopeError> {
    if DigestAlgorithm::ALL
        .iter()
        .all(|algorithm| message.get(*algorithm).is_none())
    {
        return Err(EnvelopeError::NothingKnown);
    }
    let Some(hint) = &signature.digest else {
        return Ok(());
    };
    match message.get(hint.algorithm) {
        Some(known) if known != hint.value => Err(EnvelopeError::MessageDigest {
            algorithm: hint.algorithm,
        }),
        _ => Ok(()),
    }
}

fn opened<'s>(shape: &'s Shape<'s>, signer: &'s AuthenticSigner, covered: Covered<'s>) -> Opened<'s> {
    Opened {
        bundle: shape.bundle(),
        key: signer.key(),
        certificate: match shape.named() {
            Named::Key { .. } => None,
            Named::Certificate { leaf, .. } => Some(leaf),
        },
        covered,
        bodies: shape.bodies(),
    }
}

impl<'s> Opened<'s> {
    pub(super) fn bundle(&self) -> &'s Bundle {
        self.bundle
    }

    /// Returns the bodies of the bundle's log entries, in their order.
    pub(super) fn bodies(&self) -> &'s [EntryBody] {
        self.bodies
    }

    /// Returns the payload of the envelope; empty for a message.
    pub(super) fn payload(&self) -> &'s [u8] {
        match &self.covered {
            Covered::Envelope { envelope, .. } => &envelope.payload,
            Covered::Message(_) => &[],
        }
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        vec![Check::pass(match &self.covered {
            Covered::Envelope { .. } => "envelope.signature",
            Covered::Message(_) => "message.signature",
        })]
    }

    /// Returns what a log entry must be about.
    pub(super) fn signed(&self) -> Signed<'_> {
        Signed {
            signature: self.bundle.signature(),
            spki_der: self.key.spki_der(),
            key_details: self.key.key_details(),
            certificate: self.certificate,
            content: match &self.covered {
                Covered::Envelope { envelope, pae } => SignedContent::Envelope { envelope, pae },
                Covered::Message(digests) => SignedContent::Message(digests),
            },
        }
    }
}
