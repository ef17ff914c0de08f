//! Rekor v1: the bodies of its entries, what is sent to get one, what comes back, and its inclusion promise.
//!
//! Bodies are typed and strict, and only their canonical bytes (RFC 8785) are accepted. `intoto` is read, never
//! written. <https://github.com/sigstore/rekor/tree/v1.5.4/pkg/types>

mod answer;
mod dsse;
mod hashedrekord;
mod intoto;
mod log_info;
mod promise;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use touchmark_statement::strict_json;

use super::{EntryError, HashAlgorithm, KindVersion, RULES, VerifierMaterial, bytes};
use crate::encoding::{base64_encode, hex_decode, hex_encode};
use crate::pem;

pub use answer::{ApiEntry, EntryUuid, parse_answer};
pub use dsse::{DsseRequest, DsseV001};
pub use hashedrekord::{HashedRekordRequest, HashedRekordV001};
pub use intoto::{IntotoSignature, IntotoV002};
pub use log_info::{ApiConsistencyProof, LogInfo, MAX_SHARDS, ShardInfo};
pub use promise::promise_payload;

/// The most signatures in one `dsse` or `intoto` body.
pub const MAX_BODY_SIGNATURES: usize = 16;

const CERTIFICATE: &str = "CERTIFICATE";
const PUBLIC_KEY: &str = "PUBLIC KEY";

/// A key or certificate as Rekor v1 logs it: the text of one PEM block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemVerifier {
    pem: Vec<u8>,
    material: VerifierMaterial,
}

impl PemVerifier {
    /// Returns the verifier with this key or certificate.
    pub fn new(material: VerifierMaterial) -> Self {
        let pem = match &material {
            VerifierMaterial::PublicKey(der) => pem::encode(PUBLIC_KEY, der),
            VerifierMaterial::Certificate(der) => pem::encode(CERTIFICATE, der),
        };
        Self {
            pem: pem.into_bytes(),
            material,
        }
    }

    /// Parses the text of exactly one PEM block of a certificate or public key.
    pub fn parse(pem: &[u8]) -> Result<Self, EntryError> {
        let (label, der) = pem::decode(pem, &[CERTIFICATE, PUBLIC_KEY]).ok_or(EntryError::Pem)?;
        let material = match label {
            CERTIFICATE => VerifierMaterial::Certificate(der),
            _ => VerifierMaterial::PublicKey(der),
        };
        Ok(Self {
            pem: pem.to_vec(),
            material,
        })
    }

    /// Returns the text.
    pub fn pem(&self) -> &[u8] {
        &self.pem
    }

    /// Returns the key or certificate.
    pub fn material(&self) -> &VerifierMaterial {
        &self.material
    }

    fn parse_base64(field: &'static str, text: &str) -> Result<Self, EntryError> {
        Self::parse(&bytes(field, text)?)
    }

    fn to_base64(&self) -> String {
        base64_encode(&self.pem)
    }
}

/// A digest that says which algorithm it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDigest {
    /// The algorithm.
    pub algorithm: HashAlgorithm,
    /// The digest.
    pub digest: Vec<u8>,
}

impl NamedDigest {
    /// Encodes `{"algorithm":…,"value":…}`.
    fn encode(&self) -> String {
        format!(
            r#"{{"algorithm":"{}","value":"{}"}}"#,
            self.algorithm.short_name(),
            hex_encode(&self.digest)
        )
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HashWire {
    algorithm: String,
    value: String,
}

impl TryFrom<HashWire> for NamedDigest {
    type Error = EntryError;

    fn try_from(wire: HashWire) -> Result<Self, EntryError> {
        let algorithm = HashAlgorithm::from_short_name(&wire.algorithm).ok_or(EntryError::HashAlgorithm {
            found: wire.algorithm.chars().take(40).collect(),
        })?;
        let digest = hex_decode(&wire.value)
            .filter(|digest| digest.len() == algorithm.digest_len())
            .ok_or(EntryError::Bytes { field: "value" })?;
        Ok(Self { algorithm, digest })
    }
}

/// What every body has around its `spec`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BodyWire<S> {
    api_version: String,
    kind: String,
    spec: S,
}

/// The kind and version that a body states of itself; nothing else of it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatedKind {
    api_version: String,
    kind: String,
}

/// Returns the kind and version that a body states of itself.
pub(super) fn stated_kind(body: &[u8]) -> Result<KindVersion, EntryError> {
    let stated: StatedKind = strict_json::from_slice(body, &RULES)?;
    Ok(KindVersion {
        kind: stated.kind,
        version: stated.api_version,
    })
}

/// Parses a body whose kind and version must be these, and returns its `spec`.
fn parse_spec<S: DeserializeOwned>(body: &[u8], kind: &str, version: &str) -> Result<S, EntryError> {
    let wire: BodyWire<S> = parse_as(body, kind, version)?;
    let stated = KindVersion {
        kind: wire.kind,
        version: wire.api_version,
    };
    require_kind(&stated, kind, version)?;
    Ok(wire.spec)
}

/// Parses a body; one that has another shape because it is of another kind is refused for its kind.
pub(super) fn parse_as<W: DeserializeOwned>(body: &[u8], kind: &str, version: &str) -> Result<W, EntryError> {
    strict_json::from_slice(body, &RULES).map_err(|error| {
        let stated = stated_kind(body).and_then(|stated| require_kind(&stated, kind, version));
        match stated {
            Err(other @ EntryError::Kind { .. }) => other,
            _ => error.into(),
        }
    })
}

fn require_kind(stated: &KindVersion, kind: &str, version: &str) -> Result<(), EntryError> {
    if stated.kind == kind && stated.version == version {
        Ok(())
    } else {
        Err(EntryError::kind(stated))
    }
}

fn encode_body(kind: &str, version: &str, spec: &str) -> Vec<u8> {
    format!(r#"{{"apiVersion":"{version}","kind":"{kind}","spec":{spec}}}"#).into_bytes()
}

/// Encodes a text as JSON; what must be escaped, and how, is as RFC 8785 demands.
fn json_text(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

fn require_canonical<T>(parsed: T, encoded: &[u8], body: &[u8]) -> Result<T, EntryError> {
    if encoded == body {
        Ok(parsed)
    } else {
        Err(EntryError::NotCanonical)
    }
}

fn require_signature_count(found: usize) -> Result<(), EntryError> {
    if (1..=MAX_BODY_SIGNATURES).contains(&found) {
        Ok(())
    } else {
        Err(EntryError::SignatureCount { found })
    }
}
