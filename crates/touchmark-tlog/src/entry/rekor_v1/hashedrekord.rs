//! `hashedrekord` 0.0.1: a digest, the signature over it, and the PEM of who verifies it.

use serde::Deserialize;

use super::{HashWire, NamedDigest, PemVerifier, encode_body, parse_spec, require_canonical};
use crate::encoding::base64_encode;
use crate::entry::{EntryError, EntryVerifier, KeyDetails, bytes};

const KIND: &str = "hashedrekord";
const VERSION: &str = "0.0.1";

/// The body of a `hashedrekord` 0.0.1 entry. Request and body are the same document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedRekordV001 {
    /// The digest that was signed: of a blob, or of an envelope's PAE.
    pub digest: NamedDigest,
    /// The signature.
    pub signature: Vec<u8>,
    /// What verifies the signature.
    pub verifier: PemVerifier,
}

impl HashedRekordV001 {
    /// Parses a logged body; only its canonical bytes are accepted.
    pub fn parse_canonical(body: &[u8]) -> Result<Self, EntryError> {
        let spec: SpecWire = parse_spec(body, KIND, VERSION)?;
        let parsed = Self {
            digest: spec.data.hash.try_into()?,
            signature: bytes("content", &spec.signature.content)?,
            verifier: PemVerifier::parse_base64("publicKey", &spec.signature.public_key.content)?,
        };
        require_canonical(&parsed, &parsed.canonical_body(), body)?;
        Ok(parsed)
    }

    /// Returns the bytes that are logged: RFC 8785 JSON.
    pub fn canonical_body(&self) -> Vec<u8> {
        // Every value is ASCII without characters to escape, and the names are in RFC 8785 order.
        let spec = format!(
            r#"{{"data":{{"hash":{}}},"signature":{{"content":"{}","publicKey":{{"content":"{}"}}}}}}"#,
            self.digest.encode(),
            base64_encode(&self.signature),
            self.verifier.to_base64(),
        );
        encode_body(KIND, VERSION, &spec)
    }
}

/// What is sent to Rekor v1 to log a digest, its signature and its verifier.
///
/// Keys that sign messages cannot be sent this way: for Ed25519, Rekor v1 takes Ed25519ph over SHA-512 here, which is
/// another signature. Pure Ed25519 goes into a `dsse` entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedRekordRequest {
    entry: HashedRekordV001,
}

impl HashedRekordRequest {
    /// Returns the request; the digest must be of the hash that the key's algorithm signs.
    pub fn new(digest: Vec<u8>, signature: Vec<u8>, verifier: &EntryVerifier) -> Result<Self, EntryError> {
        let key_details: KeyDetails = verifier.key_details;
        let algorithm = key_details
            .hash()
            .ok_or(EntryError::NotPrehashed { key_details })?;
        if digest.len() != algorithm.digest_len() {
            return Err(EntryError::Digest {
                key_details,
                expected: algorithm.digest_len(),
                found: digest.len(),
            });
        }
        Ok(Self {
            entry: HashedRekordV001 {
                digest: NamedDigest { algorithm, digest },
                signature,
                verifier: PemVerifier::new(verifier.material.clone()),
            },
        })
    }

    /// Encodes the request as JSON.
    pub fn encode(&self) -> Vec<u8> {
        self.entry.canonical_body()
    }

    /// Returns the body that the log must hold afterwards.
    pub fn expected_entry(&self) -> &HashedRekordV001 {
        &self.entry
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecWire {
    data: DataWire,
    signature: SignatureWire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataWire {
    hash: HashWire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SignatureWire {
    content: String,
    public_key: ContentWire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentWire {
    content: String,
}
