//! Sigstore bundles, versions 0.1 to 0.3: parsed strictly, with nothing in them verified.
//!
//! One meaning only: unknown, duplicate and look-alike keys are refused at every depth, as are arrays in place of
//! objects. Bytes are base64 of RFC 4648 §4, padded, without whitespace or stray bits, here and in log entries alike;
//! protobuf JSON would let readers take the URL-safe alphabet and missing padding too, which no writer needs.
//! `null` and an absent field are the same, as in protobuf JSON.

mod encoding;
mod error;
mod media_type;
mod wire;

use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_tlog::entry::LogEntry;

use self::encoding::decode_field;
use self::wire::{BundleWire, EnvelopeWire, MaterialWire, MessageWire};
use crate::envelope::Envelope;
use crate::limits::{MAX_BUNDLE_BYTES, MAX_BUNDLE_DEPTH, MAX_HINT_BYTES};
use crate::message::{DigestAlgorithm, MessageDigest, MessageSignature};

pub use error::BundleError;
pub use media_type::MediaType;

const RULES: Rules = Rules {
    max_bytes: MAX_BUNDLE_BYTES,
    max_depth: MAX_BUNDLE_DEPTH,
    numbers: Numbers::ExactIntegers,
};

/// A bundle as it arrived: an envelope, and what is said to prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The version of the format.
    pub media_type: MediaType,
    /// What is said of the signer.
    pub material: VerificationMaterial,
    /// The log entries that are said to be about the envelope.
    pub tlog_entries: Vec<LogEntry>,
    /// RFC 3161 timestamp responses, DER.
    pub timestamps: Vec<Vec<u8>>,
    /// What was signed.
    pub content: Content,
}

/// What a bundle carries the signature of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A DSSE envelope: the signed bytes are inside.
    Envelope(Envelope),
    /// A bare signature: the signed bytes are elsewhere.
    Message(MessageSignature),
}

/// What a bundle says of its signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerificationMaterial {
    /// A key that the verifier must know; the hint says which.
    PublicKey {
        /// The hint; empty when absent.
        hint: String,
    },
    /// The leaf certificate of a keyless signer, DER.
    Certificate(Vec<u8>),
    /// A certificate chain, leaf first, DER; versions 0.1 and 0.2 only.
    CertificateChain(Vec<Vec<u8>>),
}

impl Bundle {
    /// Parses the JSON of one bundle.
    pub fn parse(json: &[u8]) -> Result<Self, BundleError> {
        if json.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLarge { found: json.len() });
        }
        let wire: BundleWire = strict_json::from_slice(json, &RULES)?;
        let media_type = MediaType::from_name(&wire.media_type).ok_or_else(|| BundleError::MediaType {
            found: wire.media_type.chars().take(100).collect(),
        })?;
        let content = match (wire.dsse_envelope, wire.message_signature) {
            (Some(_), Some(_)) => return Err(BundleError::TwoContents),
            (None, None) => return Err(BundleError::NoContent),
            (None, Some(message)) => Content::Message(parse_message(message)?),
            (Some(envelope), None) => Content::Envelope(parse_envelope(envelope)?),
        };
        let mut material = wire.verification_material;
        let bundle = Bundle {
            media_type,
            tlog_entries: parse_entries(&mut material)?,
            timestamps: parse_timestamps(&mut material)?,
            material: parse_material(material)?,
            content,
        };
        bundle.validate()?;
        Ok(bundle)
    }

    /// Returns the envelope, where the bundle carries one.
    pub fn envelope(&self) -> Option<&Envelope> {
        match &self.content {
            Content::Envelope(envelope) => Some(envelope),
            Content::Message(_) => None,
        }
    }

    /// Returns the envelope for changing, where the bundle carries one; nothing was verified yet.
    pub fn envelope_mut(&mut self) -> Option<&mut Envelope> {
        match &mut self.content {
            Content::Envelope(envelope) => Some(envelope),
            Content::Message(_) => None,
        }
    }

    /// Returns the bare signature over a message, where the bundle carries one.
    pub fn message(&self) -> Option<&MessageSignature> {
        match &self.content {
            Content::Envelope(_) => None,
            Content::Message(message) => Some(message),
        }
    }

    /// Returns the bytes of the one signature.
    pub fn signature(&self) -> &[u8] {
        match &self.content {
            Content::Envelope(envelope) => &envelope.signature,
            Content::Message(message) => &message.signature,
        }
    }

    /// Encodes the bundle as one line of JSON.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(&encoding::to_wire(self)).expect("a bundle consists of text and lists")
    }

    /// Applies the rules of the bundle's own version, which also bind a bundle that was not parsed but built.
    pub(crate) fn validate(&self) -> Result<(), BundleError> {
        let misplaced = |material| BundleError::MaterialVersion {
            material,
            media_type: self.media_type,
        };
        match &self.material {
            VerificationMaterial::PublicKey { hint } if hint.len() > MAX_HINT_BYTES => {
                return Err(BundleError::HintTooLong { found: hint.len() });
            }
            VerificationMaterial::PublicKey { .. } => {}
            VerificationMaterial::Certificate(_) if self.media_type.is_v03() => {}
            VerificationMaterial::Certificate(_) => return Err(misplaced("certificate")),
            VerificationMaterial::CertificateChain(_) if self.media_type.is_v03() => {
                return Err(misplaced("x509CertificateChain"));
            }
            VerificationMaterial::CertificateChain(_) => {}
        }
        for (index, entry) in self.tlog_entries.iter().enumerate() {
            let proven = entry
                .inclusion_proof
                .as_ref()
                .is_some_and(|proof| proof.checkpoint.is_some());
            if self.media_type.demands_inclusion_proof() && !proven {
                return Err(BundleError::ProofMissing {
                    index,
                    media_type: self.media_type,
                });
            }
            if !self.media_type.demands_inclusion_proof() && entry.inclusion_promise.is_none() {
                return Err(BundleError::PromiseMissing { index });
            }
        }
        Ok(())
    }
}

fn parse_envelope(wire: EnvelopeWire) -> Result<Envelope, BundleError> {
    let count = wire.signatures.found;
    let Ok([signature]) = <[_; 1]>::try_from(wire.signatures.within().unwrap_or_default()) else {
        return Err(BundleError::SignatureCount { found: count });
    };
    let keyid = signature.keyid.unwrap_or_default();
    if keyid.len() > MAX_HINT_BYTES {
        return Err(BundleError::HintTooLong { found: keyid.len() });
    }
    Ok(Envelope {
        payload_type: wire.payload_type,
        payload: decode_field("dsseEnvelope.payload", &wire.payload)?,
        keyid,
        signature: decode_field("dsseEnvelope.signatures.sig", &signature.sig)?,
    })
}

fn parse_message(wire: MessageWire) -> Result<MessageSignature, BundleError> {
    let digest = wire.message_digest.map(|digest| {
        let algorithm = DigestAlgorithm::from_protobuf_name(&digest.algorithm);
        let algorithm = algorithm.ok_or_else(|| BundleError::DigestAlgorithm {
            found: digest.algorithm.chars().take(100).collect(),
        })?;
        let value = decode_field("messageSignature.messageDigest.digest", &digest.digest)?;
        if value.len() == algorithm.digest_len() {
            Ok(MessageDigest { algorithm, value })
        } else {
            Err(BundleError::DigestLength {
                algorithm,
                found: value.len(),
            })
        }
    });
    Ok(MessageSignature {
        digest: digest.transpose()?,
        signature: decode_field("messageSignature.signature", &wire.signature)?,
    })
}

/// The bytes of one log entry inside the bundle's.
type RawEntry = Box<serde_json::value::RawValue>;

fn parse_entries(material: &mut MaterialWire) -> Result<Vec<LogEntry>, BundleError> {
    let Some(entries) = material.tlog_entries.take() else {
        return Ok(Vec::new());
    };
    let entries = entries
        .within()
        .map_err(|found| BundleError::TooManyEntries { found })?;
    let parse = |(index, entry): (usize, &RawEntry)| {
        LogEntry::parse(entry.get().as_bytes()).map_err(|source| BundleError::Entry { index, source })
    };
    entries.iter().enumerate().map(parse).collect()
}

fn parse_timestamps(material: &mut MaterialWire) -> Result<Vec<Vec<u8>>, BundleError> {
    let data = material.timestamp_verification_data.take();
    let Some(timestamps) = data.and_then(|data| data.rfc3161_timestamps) else {
        return Ok(Vec::new());
    };
    let timestamps = timestamps
        .within()
        .map_err(|found| BundleError::TooManyTimestamps { found })?;
    let decode = |wire: &wire::TimestampWire| decode_field("signedTimestamp", &wire.signed_timestamp);
    timestamps.iter().map(decode).collect()
}

fn parse_material(wire: MaterialWire) -> Result<VerificationMaterial, BundleError> {
    match (wire.public_key, wire.certificate, wire.x509_certificate_chain) {
        (Some(key), None, None) => Ok(VerificationMaterial::PublicKey {
            hint: key.hint.unwrap_or_default(),
        }),
        (None, Some(leaf), None) => Ok(VerificationMaterial::Certificate(decode_field(
            "certificate.rawBytes",
            &leaf.raw_bytes,
        )?)),
        (None, None, Some(chain)) => {
            let certificates = chain
                .certificates
                .within()
                .map_err(|found| BundleError::CertificateCount { found })?;
            if certificates.is_empty() {
                return Err(BundleError::CertificateCount { found: 0 });
            }
            let decode = |wire: &wire::BytesWire| decode_field("certificates.rawBytes", &wire.raw_bytes);
            Ok(VerificationMaterial::CertificateChain(
                certificates.iter().map(decode).collect::<Result<_, _>>()?,
            ))
        }
        (key, leaf, chain) => {
            let found =
                usize::from(key.is_some()) + usize::from(leaf.is_some()) + usize::from(chain.is_some());
            Err(BundleError::MaterialCount { found })
        }
    }
}
