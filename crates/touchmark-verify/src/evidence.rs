//! The name of a piece of evidence: the SHA-256 of its payload, and its signer.
//!
//! Neither the bytes of a bundle nor those of a signature take part, so that a bundle that was encoded again, or an
//! ECDSA signature replaced by its twin, is the same piece of evidence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use touchmark_statement::digest::Sha256Digest;

use crate::identity::CertificateIdentity;
use crate::key::KeyFingerprint;

/// What follows the evidence id in the name of a file.
pub const FILE_SUFFIX: &str = ".sigstore.json";

/// A text that is not an evidence id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an evidence id is two digests of 64 lowercase hex digits, joined by a hyphen")]
pub struct EvidenceIdError;

impl EvidenceIdError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        "evidence.id_malformed"
    }
}

/// A signer in 32 bytes: for a key, its fingerprint; for a certificate, a digest of name and issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignerId(Sha256Digest);

impl SignerId {
    /// Returns the id of whoever holds this key.
    pub fn of_key(fingerprint: &KeyFingerprint) -> Self {
        SignerId(Sha256Digest::from_bytes(*fingerprint.as_bytes()))
    }

    /// Returns the id of whoever this issuer calls by this name, whatever the keys and the other claims.
    pub fn of_identity(identity: &CertificateIdentity) -> Self {
        let mut bytes = b"touchmark.dev/signer-id/v1\0".to_vec();
        // Lengths keep the parts apart: no two identities are written alike.
        for part in [identity.san.kind(), identity.san.as_str(), &identity.issuer] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        SignerId(Sha256Digest::of(&bytes))
    }
}

impl fmt::Display for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The identity of a piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceId {
    /// The SHA-256 of the payload.
    pub payload: Sha256Digest,
    /// Who signed it.
    pub signer: SignerId,
}

impl EvidenceId {
    /// Returns the name of the file that holds the evidence.
    pub fn file_name(&self) -> String {
        format!("{self}{FILE_SUFFIX}")
    }

    /// Parses the name of a file that holds evidence.
    pub fn from_file_name(name: &str) -> Result<Self, EvidenceIdError> {
        name.strip_suffix(FILE_SUFFIX).ok_or(EvidenceIdError)?.parse()
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.payload, self.signer)
    }
}

impl FromStr for EvidenceId {
    type Err = EvidenceIdError;

    fn from_str(text: &str) -> Result<Self, EvidenceIdError> {
        let (payload, signer) = text.split_once('-').ok_or(EvidenceIdError)?;
        let digest = |text: &str| text.parse::<Sha256Digest>().map_err(|_| EvidenceIdError);
        Ok(EvidenceId {
            payload: digest(payload)?,
            signer: SignerId(digest(signer)?),
        })
    }
}

impl Serialize for EvidenceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EvidenceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::EvidenceId;

    #[test]
    fn a_file_name_has_one_spelling() {
        let id: EvidenceId = format!("{}-{}", "a".repeat(64), "0".repeat(64)).parse().unwrap();
        assert_eq!(EvidenceId::from_file_name(&id.file_name()).unwrap(), id);
        for name in [
            "",
            "-",
            &"a".repeat(129),
            &format!("{}-{}", "A".repeat(64), "0".repeat(64)),
        ] {
            assert!(name.parse::<EvidenceId>().is_err(), "{name:?}");
        }
        assert!(EvidenceId::from_file_name(&id.to_string()).is_err());
    }
}
