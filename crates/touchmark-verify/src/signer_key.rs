//! The key that a bundle's signature is verified with: one that people manage, or one in a certificate.

use std::sync::Arc;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::ParsedPublicKey;

use crate::key::{KeyAlgorithm, KeyError, KeyFingerprint, PublicKey, SignatureError};
use crate::message::DigestAlgorithm;
use crate::scheme::{self, KeyKind, RawKey};

/// A key and the one hash it signs with.
#[derive(Debug, Clone)]
pub(crate) enum SignerKey {
    /// A key of a kind that people manage.
    Managed(Arc<PublicKey>),
    /// A key of a kind that occurs in certificates only.
    Certified(Arc<CertifiedKey>),
}

/// A P-521 or RSA key of a certificate.
#[derive(Debug)]
pub(crate) struct CertifiedKey {
    spki: Vec<u8>,
    fingerprint: KeyFingerprint,
    kind: KeyKind,
    hash: DigestAlgorithm,
    key: ParsedPublicKey,
}

impl SignerKey {
    /// Reads the `SubjectPublicKeyInfo` of a certificate. Each kind of key goes with one hash.
    pub(crate) fn from_certificate(spki: &[u8]) -> Result<Self, KeyError> {
        let refused = match PublicKey::from_spki_der(spki) {
            Ok(key) => return Ok(Self::Managed(Arc::new(key))),
            Err(error) => error,
        };
        let Some(raw) = RawKey::parse(spki) else {
            return Err(refused);
        };
        let hash = match raw.kind {
            KeyKind::P521 => DigestAlgorithm::Sha512,
            KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => DigestAlgorithm::Sha256,
            KeyKind::P256 | KeyKind::P384 | KeyKind::Ed25519 => return Err(refused),
        };
        let key = scheme::algorithm(raw.kind, hash)
            .and_then(|algorithm| ParsedPublicKey::new(algorithm, &raw.raw).ok())
            .ok_or(KeyError::SpkiMalformed { len: spki.len() })?;
        Ok(Self::Certified(Arc::new(CertifiedKey {
            fingerprint: KeyFingerprint::of_spki(spki),
            spki: spki.to_vec(),
            kind: raw.kind,
            hash,
            key,
        })))
    }

    pub(crate) fn spki_der(&self) -> &[u8] {
        match self {
            Self::Managed(key) => key.spki_der(),
            Self::Certified(key) => &key.spki,
        }
    }

    pub(crate) fn fingerprint(&self) -> KeyFingerprint {
        match self {
            Self::Managed(key) => key.fingerprint(),
            Self::Certified(key) => key.fingerprint,
        }
    }

    /// Returns the protobuf name of key and hash together.
    pub(crate) fn key_details(&self) -> &'static str {
        match self {
            Self::Managed(key) => key.algorithm().key_details(),
            Self::Certified(key) => match key.kind {
                KeyKind::Rsa2048 => "PKIX_RSA_PKCS1V15_2048_SHA256",
                KeyKind::Rsa3072 => "PKIX_RSA_PKCS1V15_3072_SHA256",
                KeyKind::Rsa4096 => "PKIX_RSA_PKCS1V15_4096_SHA256",
                _ => "PKIX_ECDSA_P521_SHA_512",
            },
        }
    }

    /// Returns the hash that signatures of this key are over; `None` for Ed25519, which signs messages.
    pub(crate) fn hash(&self) -> Option<DigestAlgorithm> {
        match self {
            Self::Managed(key) => match key.algorithm() {
                KeyAlgorithm::EcdsaP256Sha256 => Some(DigestAlgorithm::Sha256),
                KeyAlgorithm::EcdsaP384Sha384 => Some(DigestAlgorithm::Sha384),
                KeyAlgorithm::Ed25519 => None,
            },
            Self::Certified(key) => Some(key.hash),
        }
    }

    /// Verifies a signature over a message.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match self {
            Self::Managed(key) => key.verify(message, signature),
            Self::Certified(key) => key
                .key
                .verify_sig(message, signature)
                .map_err(|_| SignatureError::Mismatch { key: key.fingerprint }),
        }
    }

    /// Verifies a signature over a digest made with [`SignerKey::hash`].
    pub(crate) fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let key = match self {
            Self::Managed(key) => return key.verify_digest(digest, signature),
            Self::Certified(key) => key,
        };
        let imported = Digest::import_less_safe(digest, key.hash.implementation()).map_err(|_| {
            SignatureError::DigestLength {
                expected: key.hash.digest_len(),
                found: digest.len(),
            }
        })?;
        key.key
            .verify_digest_sig(&imported, signature)
            .map_err(|_| SignatureError::Mismatch { key: key.fingerprint })
    }
}
