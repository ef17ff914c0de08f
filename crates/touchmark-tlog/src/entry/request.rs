//! The request that creates a Rekor v2 entry: `hashedRekordRequestV002`.

use serde::{Deserialize, Serialize};
use touchmark_statement::strict_json;

use super::hashedrekord::SignatureWire;
use super::{EntryError, EntryVerifier, HashedRekordV002, RULES, bytes};
use crate::encoding::base64_encode;

/// A digest, a signature over it and its verifier, on their way into a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateEntryRequest {
    /// The digest that was signed.
    pub digest: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// What verifies the signature.
    pub verifier: EntryVerifier,
}

impl CreateEntryRequest {
    /// Parses a request; names may be in camel case or, as protobuf JSON allows, in snake case.
    pub fn parse(json: &[u8]) -> Result<Self, EntryError> {
        let RequestWire { request } = strict_json::from_slice(json, &RULES)?;
        let (signature, verifier) = request.signature.try_into()?;
        Ok(Self {
            digest: bytes("digest", &request.digest)?,
            signature,
            verifier,
        })
    }

    /// Encodes the request as JSON.
    pub fn encode(&self) -> Vec<u8> {
        let signature = SignatureWire::new(&self.signature, &self.verifier);
        let request = HashedRekordRequestWire {
            digest: base64_encode(&self.digest),
            signature,
        };
        serde_json::to_vec(&RequestWire { request }).expect("a request consists of text")
    }

    /// Returns the body that the log would hold; the digest must have the length that the key's algorithm demands.
    pub fn to_entry(&self) -> Result<HashedRekordV002, EntryError> {
        let key_details = self.verifier.key_details;
        let entry = HashedRekordV002 {
            hash: key_details
                .hash()
                .ok_or(EntryError::NotPrehashed { key_details })?,
            digest: self.digest.clone(),
            signature: self.signature.clone(),
            verifier: self.verifier.clone(),
        };
        entry.expect_matching_digest()?;
        Ok(entry)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestWire {
    #[serde(rename = "hashedRekordRequestV002", alias = "hashed_rekord_request_v002")]
    request: HashedRekordRequestWire,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HashedRekordRequestWire {
    digest: String,
    signature: SignatureWire,
}
