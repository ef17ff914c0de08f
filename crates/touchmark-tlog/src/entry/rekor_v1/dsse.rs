//! `dsse` 0.0.1: an envelope, logged as digests of its payload and of its JSON, with all its signatures.

use serde::Deserialize;

use super::{
    HashWire, MAX_BODY_SIGNATURES, NamedDigest, PemVerifier, encode_body, json_text, parse_spec,
    require_canonical, require_signature_count,
};
use crate::encoding::base64_encode;
use crate::entry::{EntryError, bytes};

const KIND: &str = "dsse";
const VERSION: &str = "0.0.1";

/// The body of a `dsse` 0.0.1 entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DsseV001 {
    /// The digest of the JSON text that was sent; it cannot be rebuilt from an envelope.
    pub envelope_hash: NamedDigest,
    /// The digest of the payload bytes.
    pub payload_hash: NamedDigest,
    /// Every signature of the envelope with what verifies it; at least one.
    pub signatures: Vec<(Vec<u8>, PemVerifier)>,
}

impl DsseV001 {
    /// Parses a logged body; only its canonical bytes are accepted.
    pub fn parse_canonical(body: &[u8]) -> Result<Self, EntryError> {
        let spec: SpecWire = parse_spec(body, KIND, VERSION)?;
        require_signature_count(spec.signatures.len())?;
        let signature = |wire: &SignatureWire| {
            Ok((
                bytes("signature", &wire.signature)?,
                PemVerifier::parse_base64("verifier", &wire.verifier)?,
            ))
        };
        let parsed = Self {
            envelope_hash: spec.envelope_hash.try_into()?,
            payload_hash: spec.payload_hash.try_into()?,
            signatures: spec
                .signatures
                .iter()
                .map(signature)
                .collect::<Result<_, EntryError>>()?,
        };
        require_canonical(&parsed, &parsed.canonical_body(), body)?;
        Ok(parsed)
    }

    /// Returns the bytes that are logged: RFC 8785 JSON.
    pub fn canonical_body(&self) -> Vec<u8> {
        let signatures: Vec<String> = self
            .signatures
            .iter()
            .map(|(signature, verifier)| {
                let signature = base64_encode(signature);
                format!(
                    r#"{{"signature":"{signature}","verifier":"{}"}}"#,
                    verifier.to_base64()
                )
            })
            .collect();
        let spec = format!(
            r#"{{"envelopeHash":{},"payloadHash":{},"signatures":[{}]}}"#,
            self.envelope_hash.encode(),
            self.payload_hash.encode(),
            signatures.join(","),
        );
        encode_body(KIND, VERSION, &spec)
    }
}

/// What is sent to Rekor v1 to log an envelope with one signature. Any key will do, Ed25519 too: the log has the
/// payload at hand while it verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DsseRequest {
    envelope: String,
    verifiers: Vec<PemVerifier>,
}

impl DsseRequest {
    /// Returns the request for the JSON text of an envelope, and the verifiers of its signatures.
    pub fn new(envelope: String, verifiers: Vec<PemVerifier>) -> Result<Self, EntryError> {
        if (1..=MAX_BODY_SIGNATURES).contains(&verifiers.len()) {
            Ok(Self { envelope, verifiers })
        } else {
            Err(EntryError::SignatureCount {
                found: verifiers.len(),
            })
        }
    }

    /// Returns the JSON text of the envelope, whose digest is the entry's `envelopeHash`.
    pub fn envelope(&self) -> &str {
        &self.envelope
    }

    /// Encodes the request as JSON.
    pub fn encode(&self) -> Vec<u8> {
        let verifiers: Vec<String> = self
            .verifiers
            .iter()
            .map(|verifier| format!(r#""{}""#, verifier.to_base64()))
            .collect();
        let spec = format!(
            r#"{{"proposedContent":{{"envelope":{},"verifiers":[{}]}}}}"#,
            json_text(&self.envelope),
            verifiers.join(","),
        );
        encode_body(KIND, VERSION, &spec)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SpecWire {
    envelope_hash: HashWire,
    payload_hash: HashWire,
    signatures: Vec<SignatureWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureWire {
    signature: String,
    verifier: String,
}
