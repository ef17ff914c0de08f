//! From a statement to a signed envelope, ready to be logged.
//!
//! A statement is validated against its JSON Schema before it is signed; a signature is verified before it is kept.

mod error;
mod schema;

#[cfg(test)]
mod tests;

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::statement::{IN_TOTO_PAYLOAD_TYPE, SignedStatement, Statement};
use touchmark_verify::bundle::{Bundle, Content, MediaType, VerificationMaterial};
use touchmark_verify::envelope::{Envelope, pae};
use touchmark_verify::evidence::{EvidenceId, SignerId};
use touchmark_verify::key::PublicKey;

pub use error::AttestationError;

use crate::signer::Signer;

/// The canonical bytes of a statement that fits its schema, ready to be signed.
///
/// Their digest is known before the signature is made, so that the vault can be written first.
#[derive(Debug, Clone)]
pub struct Prepared {
    payload: Vec<u8>,
}

/// Encodes a statement canonically and validates it against its JSON Schemas.
pub fn prepare(statement: &Statement) -> Result<Prepared, AttestationError> {
    let payload = statement.encode()?;
    schema::validate(&statement.predicate_type, &payload)?;
    Ok(Prepared { payload })
}

impl Prepared {
    /// Returns the bytes that will be signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Returns the digest by which the evidence will be named.
    pub fn payload_digest(&self) -> Sha256Digest {
        Sha256Digest::of(&self.payload)
    }

    /// Signs the bytes.
    pub fn sign(self, signer: &dyn Signer) -> Result<SignedEnvelope, AttestationError> {
        let public_key = signer.public_key().clone();
        let signature = signer.sign(&pae(IN_TOTO_PAYLOAD_TYPE, &self.payload))?;
        let envelope = Envelope {
            payload_type: IN_TOTO_PAYLOAD_TYPE.to_owned(),
            payload: self.payload,
            keyid: public_key.fingerprint().to_string(),
            signature,
        };
        SignedEnvelope::from_parts(envelope, public_key)
    }
}

/// Signs a statement. Every algorithm may sign; not every log takes every algorithm.
pub fn sign(statement: &Statement, signer: &dyn Signer) -> Result<SignedEnvelope, AttestationError> {
    prepare(statement)?.sign(signer)
}

/// An envelope, the key it verifies under, and signed times of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEnvelope {
    envelope: Envelope,
    public_key: PublicKey,
    timestamps: Vec<Vec<u8>>,
}

impl SignedEnvelope {
    /// Puts an envelope and its key together again; the signature must verify and the `keyid` name the key.
    pub fn from_parts(envelope: Envelope, public_key: PublicKey) -> Result<Self, AttestationError> {
        if envelope.payload_type != IN_TOTO_PAYLOAD_TYPE {
            return Err(AttestationError::PayloadType);
        }
        if envelope.keyid != public_key.fingerprint().to_string() {
            return Err(AttestationError::KeyIdMismatch {
                key: public_key.fingerprint(),
            });
        }
        public_key
            .verify(&envelope.pae(), &envelope.signature)
            .map_err(AttestationError::Signature)?;
        Ok(SignedEnvelope {
            envelope,
            public_key,
            timestamps: Vec::new(),
        })
    }

    /// Adds answers of timestamp authorities over the signature, DER, in place of those it has.
    #[must_use]
    pub fn with_timestamps(mut self, timestamps: Vec<Vec<u8>>) -> Self {
        self.timestamps = timestamps;
        self
    }

    /// Returns the answers of timestamp authorities, DER.
    pub fn timestamps(&self) -> &[Vec<u8>] {
        &self.timestamps
    }

    /// Returns the same bytes, ready to be signed once more: under a newer certificate of the same signer.
    pub fn prepare_again(&self) -> Prepared {
        Prepared {
            payload: self.envelope.payload.clone(),
        }
    }

    /// Returns the envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Returns the key the envelope verifies under.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Returns what was signed, parsed from the signed bytes.
    pub fn statement(&self) -> Result<SignedStatement, AttestationError> {
        Ok(SignedStatement::parse(self.envelope.payload.clone())?)
    }

    /// Returns the digest of the signed bytes.
    pub fn payload_digest(&self) -> Sha256Digest {
        self.envelope.payload_digest()
    }

    /// Returns the name of this piece of evidence.
    pub fn evidence_id(&self) -> EvidenceId {
        EvidenceId {
            payload: self.payload_digest(),
            signer: SignerId::of_key(&self.public_key.fingerprint()),
        }
    }

    /// Tells whether a bundle holds this very envelope, by this very key.
    pub fn is_in(&self, bundle: &Bundle) -> bool {
        let unlogged = self.unlogged_bundle();
        bundle.content == unlogged.content && bundle.material == unlogged.material
    }

    /// Returns a bundle without any log's answer.
    pub fn unlogged_bundle(&self) -> Bundle {
        Bundle {
            media_type: MediaType::V03,
            material: VerificationMaterial::PublicKey {
                hint: self.envelope.keyid.clone(),
            },
            tlog_entries: Vec::new(),
            timestamps: self.timestamps.clone(),
            // go-securesystemslib, and with it cosign, skips a signature whose keyid is not the key's SSH fingerprint;
            // DSSE leaves the keyid to the signer, and every client takes a bundle without one.
            content: Content::Envelope(Envelope {
                keyid: String::new(),
                ..self.envelope.clone()
            }),
        }
    }
}
