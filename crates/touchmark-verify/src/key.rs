//! Public keys and bare signatures: one strict rule for each algorithm, on every path.
//!
//! Promises that two parties who read the same key bytes agree on what they mean: a key is parsed, encoded again
//! and compared, so no second spelling of it exists. Knows P-256 with SHA-256, P-384 with SHA-384 (FIPS 186-5, DER
//! signatures) and Ed25519 (RFC 8032, `verify_strict`); nothing else. Holds no private key.
//!
//! A signature is never an identity: `(r, s)` and `(r, n - s)` both verify under one ECDSA key.

pub mod ecdsa_der;
mod ed25519;
mod error;
mod fingerprint;
pub mod pem;
mod spki;

#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ParsedPublicKey};
use ed25519_dalek::VerifyingKey;

pub use error::{KeyError, SignatureError};
pub use fingerprint::KeyFingerprint;

/// The PEM label of a `SubjectPublicKeyInfo` (RFC 7468 §13).
pub const PUBLIC_KEY_LABEL: &str = "PUBLIC KEY";

/// A signature algorithm: a curve together with the one hash it is used with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyAlgorithm {
    /// ECDSA on NIST P-256 over SHA-256.
    EcdsaP256Sha256,
    /// ECDSA on NIST P-384 over SHA-384.
    EcdsaP384Sha384,
    /// Pure Ed25519, RFC 8032.
    Ed25519,
}

impl KeyAlgorithm {
    /// Returns the protobuf name in Sigstore's `PublicKeyDetails`.
    pub fn key_details(self) -> &'static str {
        match self {
            KeyAlgorithm::EcdsaP256Sha256 => "PKIX_ECDSA_P256_SHA_256",
            KeyAlgorithm::EcdsaP384Sha384 => "PKIX_ECDSA_P384_SHA_384",
            KeyAlgorithm::Ed25519 => "PKIX_ED25519",
        }
    }

    /// Parses a `PublicKeyDetails` name; every pairing of curve and hash other than the registered three is refused.
    pub fn from_key_details(name: &str) -> Result<Self, KeyError> {
        match name {
            "PKIX_ECDSA_P256_SHA_256" => Ok(KeyAlgorithm::EcdsaP256Sha256),
            "PKIX_ECDSA_P384_SHA_384" => Ok(KeyAlgorithm::EcdsaP384Sha384),
            "PKIX_ED25519" => Ok(KeyAlgorithm::Ed25519),
            _ => Err(KeyError::UnsupportedScheme {
                found: error::shown(name),
            }),
        }
    }

    /// Returns the length in bytes of the digest this algorithm signs, or `None` where it signs the message itself.
    pub fn digest_len(self) -> Option<usize> {
        match self {
            KeyAlgorithm::EcdsaP256Sha256 => Some(32),
            KeyAlgorithm::EcdsaP384Sha384 => Some(48),
            KeyAlgorithm::Ed25519 => None,
        }
    }

    /// Returns the digest of `message` that this algorithm signs, or `None` where it signs the message itself.
    pub fn digest(self, message: &[u8]) -> Option<Vec<u8>> {
        let algorithm = match self {
            KeyAlgorithm::EcdsaP256Sha256 => &digest::SHA256,
            KeyAlgorithm::EcdsaP384Sha384 => &digest::SHA384,
            KeyAlgorithm::Ed25519 => return None,
        };
        Some(digest::digest(algorithm, message).as_ref().to_vec())
    }

    /// Returns the length in bytes of one coordinate (and one signature half).
    pub(crate) fn field_len(self) -> usize {
        match self {
            KeyAlgorithm::EcdsaP256Sha256 | KeyAlgorithm::Ed25519 => 32,
            KeyAlgorithm::EcdsaP384Sha384 => 48,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyAlgorithm::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            KeyAlgorithm::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            KeyAlgorithm::Ed25519 => "ed25519",
        })
    }
}

impl FromStr for KeyAlgorithm {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text {
            "ecdsa-p256-sha256" => Ok(KeyAlgorithm::EcdsaP256Sha256),
            "ecdsa-p384-sha384" => Ok(KeyAlgorithm::EcdsaP384Sha384),
            "ed25519" => Ok(KeyAlgorithm::Ed25519),
            _ => Err(KeyError::UnsupportedScheme {
                found: error::shown(text),
            }),
        }
    }
}

/// A public key whose one encoding has been checked. Equal keys have equal bytes.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    spki: Vec<u8>,
    fingerprint: KeyFingerprint,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Ecdsa(ParsedPublicKey),
    Ed25519(VerifyingKey),
}

impl PublicKey {
    /// Parses a DER `SubjectPublicKeyInfo`; exactly one encoding of each key is accepted.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, raw) = spki::parse(der)?;
        let key = Self::from_raw(algorithm, raw)?;
        if key.spki == der {
            Ok(key)
        } else {
            Err(KeyError::NotCanonical)
        }
    }

    /// Parses exactly one `PUBLIC KEY` PEM block with nothing before or after it.
    pub fn from_pem(text: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let text = text.as_ref();
        // Asked before anything is decoded, so that no private byte is touched, kept or shown.
        if pem::mentions_private_key(text) {
            return Err(KeyError::PrivateWherePublicExpected);
        }
        let block = pem::decode(text, &[PUBLIC_KEY_LABEL])?;
        Self::from_spki_der(&block.contents)
    }

    /// Builds a key from an uncompressed SEC1 point (ECDSA) or from the 32 bytes of RFC 8032 (Ed25519).
    pub fn from_raw(algorithm: KeyAlgorithm, raw: &[u8]) -> Result<Self, KeyError> {
        let material = match algorithm {
            KeyAlgorithm::EcdsaP256Sha256 => {
                spki::validate_point(algorithm, raw)?;
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, raw)
                    .map(Material::Ecdsa)
                    .map_err(|_| KeyError::PointNotOnCurve { algorithm })?
            }
            KeyAlgorithm::EcdsaP384Sha384 => {
                spki::validate_point(algorithm, raw)?;
                ParsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, raw)
                    .map(Material::Ecdsa)
                    .map_err(|_| KeyError::PointNotOnCurve { algorithm })?
            }
            KeyAlgorithm::Ed25519 => Material::Ed25519(ed25519::parse(raw)?),
        };
        let spki = spki::encode(algorithm, raw);
        let fingerprint = KeyFingerprint::of_spki(&spki);
        Ok(PublicKey {
            algorithm,
            spki,
            fingerprint,
            material,
        })
    }

    /// Returns the DER `SubjectPublicKeyInfo`.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// Returns the raw key: an uncompressed SEC1 point, or the 32 bytes of Ed25519.
    pub fn raw(&self) -> &[u8] {
        &self.spki[spki::prefix(self.algorithm).len()..]
    }

    /// Returns the key as one `PUBLIC KEY` PEM block, ending in a line feed.
    pub fn to_pem(&self) -> String {
        pem::encode(PUBLIC_KEY_LABEL, &self.spki)
    }

    /// Returns the algorithm this key is used with.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Returns the SHA-256 of the DER `SubjectPublicKeyInfo`.
    pub fn fingerprint(&self) -> KeyFingerprint {
        self.fingerprint
    }

    /// Verifies `signature` over `message`. ECDSA signatures are DER, Ed25519 signatures are 64 bytes.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match &self.material {
            Material::Ecdsa(key) => {
                ecdsa_der::parse(self.algorithm, signature)?;
                key.verify_sig(message, signature)
                    .map_err(|_| SignatureError::Mismatch {
                        key: self.fingerprint,
                    })
            }
            Material::Ed25519(key) => ed25519::verify(key, message, signature, self.fingerprint),
        }
    }

    /// Verifies an ECDSA `signature` over a `digest` made with this key's own hash; refused for Ed25519.
    pub fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let key = match &self.material {
            Material::Ecdsa(key) => key,
            Material::Ed25519(_) => {
                return Err(SignatureError::NotPrehashable {
                    algorithm: self.algorithm,
                });
            }
        };
        let algorithm = match self.algorithm {
            KeyAlgorithm::EcdsaP384Sha384 => &digest::SHA384,
            _ => &digest::SHA256,
        };
        let imported =
            Digest::import_less_safe(digest, algorithm).map_err(|_| SignatureError::DigestLength {
                expected: algorithm.output_len(),
                found: digest.len(),
            })?;
        ecdsa_der::parse(self.algorithm, signature)?;
        key.verify_digest_sig(&imported, signature)
            .map_err(|_| SignatureError::Mismatch {
                key: self.fingerprint,
            })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm, self.fingerprint)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spki.hash(state);
    }
}
