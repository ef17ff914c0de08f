//! Ed25519 by one rule: canonical A, no A or R of small order, R compared as bytes, cofactorless (`verify_strict`).
//!
//! Other libraries accept the identity point as a key, under which `R = identity, S = 0` signs every message.

use ed25519_dalek::{Signature, VerifyingKey};

use super::{KeyAlgorithm, KeyError, KeyFingerprint, SignatureError};

/// Parses a public key; weak keys and second spellings are refused here, before anything is verified with them.
pub(super) fn parse(raw: &[u8]) -> Result<VerifyingKey, KeyError> {
    let bytes: &[u8; 32] = raw.try_into().map_err(|_| KeyError::PointLength {
        algorithm: KeyAlgorithm::Ed25519,
        expected: 32,
        found: raw.len(),
    })?;
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Ed25519NotCanonical)?;
    // ZIP-215 decoding accepts y >= p and "minus zero"; RFC 8032 §5.1.3 does not.
    if key.to_edwards().compress().as_bytes() != bytes {
        return Err(KeyError::Ed25519NotCanonical);
    }
    if key.is_weak() {
        Err(KeyError::Ed25519Weak)
    } else {
        Ok(key)
    }
}

/// Verifies a 64-byte signature over the whole message.
pub(super) fn verify(
    key: &VerifyingKey,
    message: &[u8],
    signature: &[u8],
    fingerprint: KeyFingerprint,
) -> Result<(), SignatureError> {
    let bytes: &[u8; 64] = signature.try_into().map_err(|_| SignatureError::Length {
        expected: 64,
        found: signature.len(),
    })?;
    key.verify_strict(message, &Signature::from_bytes(bytes))
        .map_err(|_| SignatureError::Mismatch { key: fingerprint })
}
