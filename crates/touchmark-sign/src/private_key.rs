//! A private key in memory: P-256, P-384 or Ed25519, with PKCS#8 (RFC 5958, RFC 8410) in and out.

use std::fmt;

use ed25519_dalek::Signer as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, PrivateKeyInfoRef, der::Decode as _};
use touchmark_verify::key::{KeyAlgorithm, PublicKey};
use zeroize::Zeroizing;

use crate::error::SignError;
use crate::key_file::KeyFileError;
use crate::signer::Signer;

/// RFC 8410 §7: version 0, id-Ed25519, an OCTET STRING in an OCTET STRING. OpenSSL and Go read this older form;
/// not all of them read version 1 with the public key behind it.
const ED25519_PKCS8_PREFIX: &[u8; 16] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// A private key. Cleared on drop; `Debug` shows the public fingerprint only.
pub struct PrivateKey {
    material: Material,
    public: PublicKey,
}

enum Material {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl PrivateKey {
    /// Makes a new key from the operating system's randomness.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyFileError> {
        let mut secret = Zeroizing::new([0; 48]);
        let secret = match algorithm {
            KeyAlgorithm::EcdsaP384Sha384 => &mut secret[..],
            KeyAlgorithm::EcdsaP256Sha256 | KeyAlgorithm::Ed25519 => &mut secret[..32],
        };
        // A random string is outside the range of P-256 once in 2^32 and of P-384 once in 2^192: draw again, but
        // not for ever when the source is broken.
        const MAX_DRAWS: usize = 16;
        for _ in 0..MAX_DRAWS {
            getrandom::fill(secret).map_err(|_| KeyFileError::NoRandomness)?;
            if let Ok(key) = Self::from_secret(algorithm, secret) {
                return Ok(key);
            }
        }
        Err(KeyFileError::NoRandomness)
    }

    /// Builds a key from a big-endian scalar (ECDSA) or a seed (Ed25519).
    pub fn from_secret(algorithm: KeyAlgorithm, secret: &[u8]) -> Result<Self, KeyFileError> {
        let malformed = |_| KeyFileError::Malformed;
        let material = match algorithm {
            KeyAlgorithm::EcdsaP256Sha256 if secret.len() == 32 => {
                Material::P256(p256::ecdsa::SigningKey::from_slice(secret).map_err(malformed)?)
            }
            KeyAlgorithm::EcdsaP384Sha384 if secret.len() == 48 => {
                Material::P384(p384::ecdsa::SigningKey::from_slice(secret).map_err(malformed)?)
            }
            KeyAlgorithm::Ed25519 => {
                let seed = Zeroizing::new(<[u8; 32]>::try_from(secret).map_err(|_| KeyFileError::Malformed)?);
                Material::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            }
            _ => return Err(KeyFileError::Malformed),
        };
        Self::from_material(material)
    }

    /// Parses a plain PKCS#8 `PrivateKeyInfo`. A public key inside must belong to the private one.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyFileError> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| KeyFileError::Malformed)?;
        let curve = info.algorithm.parameters_oid().map(|oid| oid.to_string());
        let malformed = |_| KeyFileError::Malformed;
        let material = match (info.algorithm.oid.to_string().as_str(), curve.as_deref()) {
            ("1.2.840.10045.2.1", Ok("1.2.840.10045.3.1.7")) => {
                Material::P256(p256::ecdsa::SigningKey::from_pkcs8_der(der).map_err(malformed)?)
            }
            ("1.2.840.10045.2.1", Ok("1.3.132.0.34")) => {
                Material::P384(p384::ecdsa::SigningKey::from_pkcs8_der(der).map_err(malformed)?)
            }
            ("1.3.101.112", _) => {
                Material::Ed25519(ed25519_dalek::SigningKey::from_pkcs8_der(der).map_err(malformed)?)
            }
            (oid, _) => {
                return Err(KeyFileError::UnsupportedAlgorithm {
                    found: oid.to_owned(),
                });
            }
        };
        Self::from_material(material)
    }

    fn from_material(material: Material) -> Result<Self, KeyFileError> {
        let (algorithm, raw) = match &material {
            Material::P256(key) => (
                KeyAlgorithm::EcdsaP256Sha256,
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            ),
            Material::P384(key) => (
                KeyAlgorithm::EcdsaP384Sha384,
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            ),
            Material::Ed25519(key) => (KeyAlgorithm::Ed25519, key.verifying_key().to_bytes().to_vec()),
        };
        // Through the verifier's own door: a key nobody would accept is refused before it signs anything.
        let public = PublicKey::from_raw(algorithm, &raw)?;
        Ok(PrivateKey { material, public })
    }

    /// Returns the algorithm this key is used with.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.public.algorithm()
    }

    /// Encodes the key as a plain PKCS#8 `PrivateKeyInfo`.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let malformed = |_| KeyFileError::Malformed;
        match &self.material {
            Material::P256(key) => Ok(key.to_pkcs8_der().map_err(malformed)?.to_bytes()),
            Material::P384(key) => Ok(key.to_pkcs8_der().map_err(malformed)?.to_bytes()),
            Material::Ed25519(key) => {
                let mut der = Zeroizing::new(Vec::with_capacity(ED25519_PKCS8_PREFIX.len() + 32));
                der.extend_from_slice(ED25519_PKCS8_PREFIX);
                der.extend_from_slice(key.as_bytes());
                Ok(der)
            }
        }
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        // ECDSA nonces are deterministic (RFC 6979): no randomness that could be weak.
        let signature = match &self.material {
            Material::P256(key) => {
                let signature: p256::ecdsa::DerSignature =
                    key.try_sign(message).map_err(|_| SignError::UnusableKey)?;
                signature.as_bytes().to_vec()
            }
            Material::P384(key) => {
                let signature: p384::ecdsa::DerSignature =
                    key.try_sign(message).map_err(|_| SignError::UnusableKey)?;
                signature.as_bytes().to_vec()
            }
            Material::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        };
        // Another library verifies what this one made: a fault while signing must not leave the process.
        self.public
            .verify(message, &signature)
            .map_err(SignError::SelfCheck)?;
        Ok(signature)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PrivateKey(redacted, {} {})",
            self.public.algorithm(),
            self.public.fingerprint()
        )
    }
}
