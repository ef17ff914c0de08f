//! `intoto` 0.0.2, which older clients logged: signatures and keys are base64 of what is base64 or PEM already.

use serde::Deserialize;

use super::{
    HashWire, NamedDigest, PemVerifier, encode_body, json_text, parse_spec, require_canonical,
    require_signature_count,
};
use crate::encoding::base64_encode;
use crate::entry::{EntryError, bytes};

const KIND: &str = "intoto";
const VERSION: &str = "0.0.2";

/// The body of an `intoto` 0.0.2 entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntotoV002 {
    /// The type of the payload.
    pub payload_type: String,
    /// The payload itself, where the log did not leave it out.
    pub payload: Option<Vec<u8>>,
    /// Every signature of the envelope; at least one.
    pub signatures: Vec<IntotoSignature>,
    /// The digest of the JSON text that was sent; it cannot be rebuilt from an envelope.
    pub envelope_hash: NamedDigest,
    /// The digest of the payload bytes.
    pub payload_hash: NamedDigest,
}

/// One signature of an `intoto` 0.0.2 body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntotoSignature {
    /// The key's name in the envelope, where it has one.
    pub keyid: Option<String>,
    /// The signature.
    pub signature: Vec<u8>,
    /// What verifies the signature.
    pub verifier: PemVerifier,
}

impl IntotoV002 {
    /// Parses a logged body; only its canonical bytes are accepted.
    pub fn parse_canonical(body: &[u8]) -> Result<Self, EntryError> {
        let SpecWire { content } = parse_spec(body, KIND, VERSION)?;
        require_signature_count(content.envelope.signatures.len())?;
        let parsed = Self {
            payload_type: content.envelope.payload_type,
            payload: content
                .envelope
                .payload
                .map(|text| twice_encoded("payload", &text))
                .transpose()?,
            signatures: content
                .envelope
                .signatures
                .into_iter()
                .map(IntotoSignature::try_from)
                .collect::<Result<_, _>>()?,
            envelope_hash: content.hash.try_into()?,
            payload_hash: content.payload_hash.try_into()?,
        };
        require_canonical(&parsed, &parsed.canonical_body(), body)?;
        Ok(parsed)
    }

    /// Returns the bytes that are logged: RFC 8785 JSON.
    fn canonical_body(&self) -> Vec<u8> {
        let payload = self.payload.as_ref().map_or_else(String::new, |payload| {
            format!(r#""payload":"{}","#, encode_twice(payload))
        });
        let signatures: Vec<String> = self.signatures.iter().map(IntotoSignature::encode).collect();
        let envelope = format!(
            r#"{{{payload}"payloadType":{},"signatures":[{}]}}"#,
            json_text(&self.payload_type),
            signatures.join(","),
        );
        let spec = format!(
            r#"{{"content":{{"envelope":{envelope},"hash":{},"payloadHash":{}}}}}"#,
            self.envelope_hash.encode(),
            self.payload_hash.encode(),
        );
        encode_body(KIND, VERSION, &spec)
    }
}

impl IntotoSignature {
    fn encode(&self) -> String {
        let keyid = self
            .keyid
            .as_ref()
            .map_or_else(String::new, |keyid| format!(r#""keyid":{},"#, json_text(keyid)));
        format!(
            r#"{{{keyid}"publicKey":"{}","sig":"{}"}}"#,
            self.verifier.to_base64(),
            encode_twice(&self.signature)
        )
    }
}

impl TryFrom<SignatureWire> for IntotoSignature {
    type Error = EntryError;

    fn try_from(wire: SignatureWire) -> Result<Self, EntryError> {
        Ok(Self {
            keyid: wire.keyid,
            signature: twice_encoded("sig", &wire.sig)?,
            verifier: PemVerifier::parse_base64("publicKey", &wire.public_key)?,
        })
    }
}

fn twice_encoded(field: &'static str, text: &str) -> Result<Vec<u8>, EntryError> {
    let inner = String::from_utf8(bytes(field, text)?).map_err(|_| EntryError::Bytes { field })?;
    bytes(field, &inner)
}

fn encode_twice(bytes: &[u8]) -> String {
    base64_encode(base64_encode(bytes).as_bytes())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecWire {
    content: ContentWire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ContentWire {
    envelope: EnvelopeWire,
    hash: HashWire,
    payload_hash: HashWire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EnvelopeWire {
    #[serde(default)]
    payload: Option<String>,
    payload_type: String,
    signatures: Vec<SignatureWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SignatureWire {
    #[serde(default)]
    keyid: Option<String>,
    public_key: String,
    sig: String,
}
