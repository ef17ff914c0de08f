//! The public keys that verify a log's signature lines: Ed25519, ECDSA on P-256 and P-384, RSA.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use sha2::{Digest as _, Sha256};

use super::{NoteError, is_key_name};
use crate::ed25519;
use crate::encoding::{base64_decode, base64_encode};
use crate::merkle::Hash;

const TYPE_ED25519: u8 = 0x01;
const TYPE_ECDSA: u8 = 0x02;
const TYPE_PRIVATE: u8 = 0xff;
/// What follows the private type byte in identifiers of RSA keys, before the key.
const RSA_IDENTIFIER: &[u8] = b"PKIX-RSA-PKCS#1v1.5";
/// The DER of an Ed25519 `SubjectPublicKeyInfo` up to the key, RFC 8410 §4.
const ED25519_SPKI_PREFIX: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
/// The DER of a P-256 `SubjectPublicKeyInfo` with a named curve, up to the uncompressed point.
const P256_SPKI_PREFIX: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
/// The same of P-384.
const P384_SPKI_PREFIX: &[u8] =
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00";
/// The algorithm identifier of RSA in a `SubjectPublicKeyInfo`, RFC 3279 §2.3.1.
const RSA_ALGORITHM: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// The algorithm of a note key, and the key in its one encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Ed25519(ed25519_dalek::VerifyingKey),
    /// The DER of the `SubjectPublicKeyInfo`.
    EcdsaP256(Vec<u8>),
    EcdsaP384(Vec<u8>),
    Rsa(Vec<u8>),
}

/// The public key that verifies a log's signature lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    material: Material,
}

impl VerifierKey {
    /// Returns the Ed25519 key with this name.
    pub fn ed25519(name: &str, key: &[u8; 32]) -> Result<Self, NoteError> {
        let name = checked_name(name)?;
        match ed25519::parse(key) {
            Some(key) => Ok(Self {
                name,
                material: Material::Ed25519(key),
            }),
            None => Err(NoteError::Key { name }),
        }
    }

    /// Returns the ECDSA P-256 key with this name, from the DER of its `SubjectPublicKeyInfo`.
    pub fn ecdsa_p256(name: &str, spki_der: &[u8]) -> Result<Self, NoteError> {
        match Self::from_spki(name, spki_der)? {
            key @ Self {
                material: Material::EcdsaP256(_),
                ..
            } => Ok(key),
            other => Err(NoteError::Key { name: other.name }),
        }
    }

    /// Returns the key with this name, from the DER of its `SubjectPublicKeyInfo`: Ed25519, P-256, P-384, or RSA of
    /// 2048 to 8192 bits. Each key has one encoding, and no other is taken.
    pub fn from_spki(name: &str, spki_der: &[u8]) -> Result<Self, NoteError> {
        let name = checked_name(name)?;
        if let Some(raw) = spki_der.strip_prefix(ED25519_SPKI_PREFIX) {
            return match raw.try_into() {
                Ok(raw) => Self::ed25519(&name, raw),
                Err(_) => Err(NoteError::Key { name }),
            };
        }
        let spki = spki_der.to_vec();
        let material = if spki_der.starts_with(P256_SPKI_PREFIX) {
            Material::EcdsaP256(spki)
        } else if spki_der.starts_with(P384_SPKI_PREFIX) {
            Material::EcdsaP384(spki)
        } else {
            Material::Rsa(spki)
        };
        match material.parsed().is_empty() {
            false => Ok(Self { name, material }),
            true => Err(NoteError::Key { name }),
        }
    }

    /// Returns the key with this name whose algorithm has this protobuf name, as trusted roots write it; `None` if
    /// the algorithm is none that log keys have here. A key of another algorithm than named is refused.
    pub fn from_key_details(
        name: &str,
        key_details: &str,
        spki_der: &[u8],
    ) -> Result<Option<Self>, NoteError> {
        const RSA: [&str; 3] = [
            "PKIX_RSA_PKCS1V15_2048_SHA256",
            "PKIX_RSA_PKCS1V15_3072_SHA256",
            "PKIX_RSA_PKCS1V15_4096_SHA256",
        ];
        let known = [
            "PKIX_ED25519",
            "PKIX_ECDSA_P256_SHA_256",
            "PKIX_ECDSA_P384_SHA_384",
        ];
        if !known.contains(&key_details) && !RSA.contains(&key_details) {
            return Ok(None);
        }
        let key = Self::from_spki(name, spki_der)?;
        if key.key_details() == key_details {
            Ok(Some(key))
        } else {
            Err(NoteError::Key { name: key.name })
        }
    }

    /// Returns the name of the key, which is the origin of the logs that follow C2SP.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the whole key identifier, by which Rekor v2 entries and trusted roots name a log.
    pub fn log_id(&self) -> Hash {
        let digest = |kind: &[u8], key: &[u8]| {
            Sha256::new()
                .chain_update(&self.name)
                .chain_update(b"\n")
                .chain_update(kind)
                .chain_update(key)
                .finalize()
        };
        let digest = match &self.material {
            Material::Ed25519(key) => digest(&[TYPE_ED25519], key.as_bytes()),
            // The exception of the signed-note specification: neither name nor algorithm byte.
            Material::EcdsaP256(spki) | Material::EcdsaP384(spki) => Sha256::digest(spki),
            Material::Rsa(spki) => digest(&[&[TYPE_PRIVATE], RSA_IDENTIFIER].concat(), spki),
        };
        Hash::from_bytes(digest.into())
    }

    /// Returns the first four bytes of the key identifier, which signature lines carry.
    pub fn hint(&self) -> [u8; 4] {
        first_four(&self.log_id())
    }

    /// Returns the SHA-256 of the key's `SubjectPublicKeyInfo`, by which Rekor v1 names a log.
    pub fn spki_digest(&self) -> Hash {
        Hash::from_bytes(Sha256::digest(self.spki_der()).into())
    }

    /// Returns what the signature lines of Rekor v1 carry as hint.
    pub(super) fn spki_hint(&self) -> [u8; 4] {
        first_four(&self.spki_digest())
    }

    /// Returns the DER of the key's `SubjectPublicKeyInfo`.
    pub fn spki_der(&self) -> Vec<u8> {
        match &self.material {
            Material::Ed25519(key) => [ED25519_SPKI_PREFIX, key.as_bytes()].concat(),
            Material::EcdsaP256(spki) | Material::EcdsaP384(spki) | Material::Rsa(spki) => spki.clone(),
        }
    }

    /// Returns the protobuf name of the key's algorithm, as trusted roots write it.
    pub fn key_details(&self) -> &'static str {
        match &self.material {
            Material::Ed25519(_) => "PKIX_ED25519",
            Material::EcdsaP256(_) => "PKIX_ECDSA_P256_SHA_256",
            Material::EcdsaP384(_) => "PKIX_ECDSA_P384_SHA_384",
            // By the length of the key: the modulus, an exponent of up to nine bytes, and 35 bytes around them.
            Material::Rsa(spki) => match spki.len() {
                292..=300 => "PKIX_RSA_PKCS1V15_2048_SHA256",
                420..=428 => "PKIX_RSA_PKCS1V15_3072_SHA256",
                548..=556 => "PKIX_RSA_PKCS1V15_4096_SHA256",
                _ => "PKIX_RSA_PKCS1V5",
            },
        }
    }

    /// Verifies the signature over the bytes: of a note, or of an inclusion promise of Rekor v1.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), NoteError> {
        if self.is_signature(message, signature) {
            Ok(())
        } else {
            Err(NoteError::InvalidSignature {
                name: self.name.clone(),
            })
        }
    }

    pub(super) fn is_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            other => {
                let keys = other.parsed();
                keys.iter().any(|key| key.verify_sig(message, signature).is_ok())
            }
        }
    }
}

impl Material {
    /// Returns the key, once for each hash it may be used with; nothing if it is unusable.
    fn parsed(&self) -> Vec<ParsedPublicKey> {
        // P-384 goes with SHA-384, but Rekor v1 hashes with SHA-256 whatever the curve.
        let (algorithms, key): (&[&'static dyn VerificationAlgorithm], _) = match self {
            Self::Ed25519(_) => return Vec::new(),
            Self::EcdsaP256(spki) => (&[&ECDSA_P256_SHA256_ASN1], point(spki, P256_SPKI_PREFIX, 65)),
            Self::EcdsaP384(spki) => (
                &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1],
                point(spki, P384_SPKI_PREFIX, 97),
            ),
            Self::Rsa(spki) => (&[&RSA_PKCS1_2048_8192_SHA256], rsa_key(spki)),
        };
        let Some(key) = key else {
            return Vec::new();
        };
        let parse =
            |algorithm: &&'static dyn VerificationAlgorithm| ParsedPublicKey::new(*algorithm, key).ok();
        algorithms.iter().filter_map(parse).collect()
    }
}

/// Returns the uncompressed point of an ECDSA key in its one DER spelling.
fn point<'s>(spki_der: &'s [u8], prefix: &[u8], len: usize) -> Option<&'s [u8]> {
    spki_der
        .strip_prefix(prefix)
        .filter(|point| point.len() == len && point[0] == 0x04)
}

/// Returns the `RSAPublicKey` inside a `SubjectPublicKeyInfo` in its one DER spelling.
fn rsa_key(spki_der: &[u8]) -> Option<&[u8]> {
    // SEQUENCE, algorithm, BIT STRING without unused bits, both of a length in two bytes.
    let [0x30, 0x82, _, _, rest @ ..] = spki_der else {
        return None;
    };
    let [0x03, 0x82, _, _, 0x00, key @ ..] = rest.strip_prefix(RSA_ALGORITHM)? else {
        return None;
    };
    let length = |length: usize| u16::try_from(length).ok().map(u16::to_be_bytes);
    let [bits_high, bits_low] = length(key.len() + 1)?;
    let [high, low] = length(rest.len())?;
    let bits = [&[0x03, 0x82, bits_high, bits_low, 0x00], key].concat();
    let again = [&[0x30, 0x82, high, low], RSA_ALGORITHM, &bits].concat();
    (again == spki_der && key.len() > 256).then_some(key)
}

fn first_four(hash: &Hash) -> [u8; 4] {
    let [a, b, c, d, ..] = *hash.as_bytes();
    [a, b, c, d]
}

fn checked_name(name: &str) -> Result<String, NoteError> {
    if is_key_name(name) {
        Ok(name.to_owned())
    } else {
        Err(NoteError::KeyName)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match &self.material {
            Material::Ed25519(key) => [&[TYPE_ED25519], key.as_bytes().as_slice()].concat(),
            Material::EcdsaP256(spki) | Material::EcdsaP384(spki) => {
                [&[TYPE_ECDSA], spki.as_slice()].concat()
            }
            Material::Rsa(spki) => [&[TYPE_PRIVATE], RSA_IDENTIFIER, spki].concat(),
        };
        let hint = u32::from_be_bytes(self.hint());
        write!(f, "{}+{hint:08x}+{}", self.name, base64_encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hint), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::KeyText);
        };
        let bytes = base64_decode(encoded).ok_or(NoteError::KeyText)?;
        let key = match bytes.split_first() {
            Some((&TYPE_ED25519, key)) => {
                Self::ed25519(name, key.try_into().map_err(|_| NoteError::KeyText)?)
            }
            Some((&TYPE_ECDSA, spki)) => Self::from_spki(name, spki),
            Some((&kind, rest)) => match rest.strip_prefix(RSA_IDENTIFIER) {
                Some(spki) if kind == TYPE_PRIVATE => Self::from_spki(name, spki),
                _ => Err(NoteError::KeyType { kind }),
            },
            None => Err(NoteError::KeyText),
        }?;
        // One spelling only, which also makes the text's hint and type agree with its key.
        if hint.len() == 8 && key.to_string() == text {
            Ok(key)
        } else {
            Err(NoteError::KeyText)
        }
    }
}
