//! What can be wrong with a public key or a bare signature, with the evidence and a stable code.

use thiserror::Error;

use super::{KeyAlgorithm, KeyFingerprint, ecdsa_der::DerFault, pem::PemError};

/// A key that is refused before it is used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The PEM around the key is not exactly one expected block.
    #[error("public key file is not exactly one PEM block")]
    Pem(#[from] PemError),
    /// A private key was offered as a public one; nothing of it is kept.
    #[error("expected a public key, found a private key")]
    PrivateWherePublicExpected,
    /// The bytes are no DER `SubjectPublicKeyInfo`.
    #[error("expected a DER SubjectPublicKeyInfo in {len} bytes, found something else")]
    SpkiMalformed {
        /// Length of the input.
        len: usize,
    },
    /// Bytes follow the key.
    #[error("{count} bytes follow the SubjectPublicKeyInfo")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// The key's algorithm is none of ours.
    #[error("key algorithm {oid} is not supported")]
    UnsupportedAlgorithm {
        /// The object identifier found.
        oid: String,
    },
    /// The elliptic curve is none of ours.
    #[error("elliptic curve {oid} is not supported")]
    UnsupportedCurve {
        /// The object identifier found.
        oid: String,
    },
    /// A pairing of key and hash that is not registered.
    #[error("signature scheme `{found}` is not supported")]
    UnsupportedScheme {
        /// The name found, shortened and with unusual characters replaced.
        found: String,
    },
    /// The curve is spelled out instead of named.
    #[error("curve parameters are explicit or missing where a named curve is expected")]
    ExplicitParameters,
    /// The point is in compressed form.
    #[error("point is compressed where an uncompressed one is expected")]
    CompressedPoint,
    /// The point is in hybrid form.
    #[error("point is in hybrid form where an uncompressed one is expected")]
    HybridPoint,
    /// The point has the wrong length or form.
    #[error("{algorithm} key has {found} bytes, expected {expected}")]
    PointLength {
        /// The key's algorithm.
        algorithm: KeyAlgorithm,
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The coordinates are no point of the curve.
    #[error("coordinates are not a point of the {algorithm} curve")]
    PointNotOnCurve {
        /// The key's algorithm.
        algorithm: KeyAlgorithm,
    },
    /// The Ed25519 bytes are no point, or a second spelling of one.
    #[error("Ed25519 key is not the canonical encoding of a point")]
    Ed25519NotCanonical,
    /// The Ed25519 point has small order: signatures under it prove nothing.
    #[error("Ed25519 key is a point of small order")]
    Ed25519Weak,
    /// The key is not encoded in its one canonical form.
    #[error("key is not in its canonical encoding")]
    NotCanonical,
    /// The text is no key fingerprint.
    #[error("expected a fingerprint as `sha256:` and 64 lowercase hex digits, found `{found}`")]
    FingerprintMalformed {
        /// The text found, shortened and with unusual characters replaced.
        found: String,
    },
}

impl KeyError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            KeyError::Pem(error) => error.code(),
            KeyError::PrivateWherePublicExpected => "key.private_where_public_expected",
            KeyError::SpkiMalformed { .. } => "key.spki_malformed",
            KeyError::TrailingBytes { .. } => "key.trailing_bytes",
            KeyError::UnsupportedAlgorithm { .. } => "key.unsupported_algorithm",
            KeyError::UnsupportedCurve { .. } => "key.unsupported_curve",
            KeyError::UnsupportedScheme { .. } => "key.unsupported_scheme",
            KeyError::ExplicitParameters => "key.explicit_parameters",
            KeyError::CompressedPoint => "key.compressed_point",
            KeyError::HybridPoint => "key.hybrid_point",
            KeyError::PointLength { .. } => "key.point_length",
            KeyError::PointNotOnCurve { .. } => "key.point_not_on_curve",
            KeyError::Ed25519NotCanonical => "key.ed25519_not_canonical",
            KeyError::Ed25519Weak => "key.ed25519_weak",
            KeyError::NotCanonical => "key.not_canonical",
            KeyError::FingerprintMalformed { .. } => "key.fingerprint_malformed",
        }
    }
}

/// A bare signature that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Well formed, but not made by this key over these bytes.
    #[error("signature does not verify under key {key}")]
    Mismatch {
        /// The key it was checked with.
        key: KeyFingerprint,
    },
    /// Not a strict DER `ECDSA-Sig-Value`.
    #[error("ECDSA signature is not strict DER")]
    Der(#[from] DerFault),
    /// The two halves side by side (IEEE P1363) where DER is expected.
    #[error("ECDSA signature is raw r||s of {len} bytes, expected DER")]
    RawWhereDerExpected {
        /// Length of the input.
        len: usize,
    },
    /// Not as long as this algorithm's signatures are.
    #[error("signature has {found} bytes, expected {expected}")]
    Length {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The digest is not as long as this key's hash makes them.
    #[error("digest has {found} bytes, expected {expected}")]
    DigestLength {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// This algorithm signs messages, never digests.
    #[error("{algorithm} signs whole messages, so a digest cannot be checked")]
    NotPrehashable {
        /// The key's algorithm.
        algorithm: KeyAlgorithm,
    },
}

impl SignatureError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SignatureError::Mismatch { .. } => "signature.invalid",
            SignatureError::Der(_) => "signature.malformed",
            SignatureError::RawWhereDerExpected { .. } => "signature.raw_where_der_expected",
            SignatureError::Length { .. } => "signature.length",
            SignatureError::DigestLength { .. } => "signature.digest_length",
            SignatureError::NotPrehashable { .. } => "signature.not_prehashable",
        }
    }
}

/// Returns a short form of hostile text that is safe in a message.
pub(super) fn shown(text: &str) -> String {
    const MAX_SHOWN_CHARS: usize = 80;
    text.chars()
        .take(MAX_SHOWN_CHARS)
        .map(|c| if c.is_ascii_graphic() { c } else { '?' })
        .collect()
}
