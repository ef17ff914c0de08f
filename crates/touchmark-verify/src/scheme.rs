//! Which key verifies which signature with which hash: one table, everything else is refused.
//!
//! Wider than [`key`](crate::key), which holds the keys that people manage: authorities and logs also sign with RSA, with
//! P-521, and with hashes other than their curve's.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::signature::{self as aws, ParsedPublicKey, RsaParameters, VerificationAlgorithm};

use crate::der::{self, NULL, Reader, SEQUENCE};
use crate::message::DigestAlgorithm;

const ID_EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SECP256R1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// The one exponent that RSA keys have, 65537.
const RSA_EXPONENT: &[u8] = &[0x01, 0x00, 0x01];

/// The kind of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyKind {
    P256,
    P384,
    P521,
    Ed25519,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

/// A public key as its `SubjectPublicKeyInfo` holds it.
#[derive(Clone)]
pub(crate) struct RawKey {
    pub(crate) kind: KeyKind,
    /// An uncompressed point, the 32 bytes of Ed25519, or an `RSAPublicKey`.
    pub(crate) raw: Vec<u8>,
    /// The key ready for use with each hash that it was used with.
    ready: Arc<[OnceLock<Option<ParsedPublicKey>>; DigestAlgorithm::ALL.len()]>,
}

impl fmt::Debug for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawKey({:?})", self.kind)
    }
}

impl RawKey {
    /// Reads a `SubjectPublicKeyInfo`; `None` if it is malformed or of a kind that is not verified with.
    pub(crate) fn parse(spki: &[u8]) -> Option<Self> {
        let mut fields = Reader::new(der::only(spki, SEQUENCE).ok()?.content);
        let mut algorithm = fields.nested(SEQUENCE).ok()?;
        let oid = algorithm.oid().ok()?;
        let curve = if oid == ID_EC_PUBLIC_KEY {
            algorithm.oid().ok()?
        } else {
            if oid == RSA_ENCRYPTION {
                algorithm
                    .element(NULL)
                    .ok()
                    .filter(|null| null.content.is_empty())?;
            }
            &[]
        };
        algorithm.finish().ok()?;
        let raw = fields.bytes_as_bits().ok()?;
        fields.finish().ok()?;
        let point = |len: usize| raw.len() == len && raw[0] == 4;
        let kind = match (oid, curve) {
            (ID_EC_PUBLIC_KEY, SECP256R1) if point(65) => KeyKind::P256,
            (ID_EC_PUBLIC_KEY, SECP384R1) if point(97) => KeyKind::P384,
            (ID_EC_PUBLIC_KEY, SECP521R1) if point(133) => KeyKind::P521,
            (ID_ED25519, _) if raw.len() == 32 => KeyKind::Ed25519,
            (RSA_ENCRYPTION, _) => rsa_kind(raw)?,
            _ => return None,
        };
        Some(Self {
            kind,
            raw: raw.to_vec(),
            ready: Arc::default(),
        })
    }

    /// Verifies a signature over a message that is hashed with `hash`; Ed25519 hashes for itself, whatever is named.
    pub(crate) fn verify(&self, hash: DigestAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        if self.kind == KeyKind::Ed25519 {
            return verify_ed25519(&self.raw, message, signature);
        }
        let index = DigestAlgorithm::ALL.iter().position(|known| *known == hash);
        let ready = index.and_then(|index| {
            let key = self.ready[index].get_or_init(|| {
                let algorithm = algorithm(self.kind, hash)?;
                ParsedPublicKey::new(algorithm, &self.raw).ok()
            });
            key.as_ref()
        });
        ready.is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

/// The strict rule that holds everywhere: no weak key, no second spelling.
fn verify_ed25519(raw: &[u8], message: &[u8], signature: &[u8]) -> bool {
    crate::key::PublicKey::from_raw(crate::key::KeyAlgorithm::Ed25519, raw)
        .is_ok_and(|key| key.verify(message, signature).is_ok())
}

/// Returns the algorithm that verifies with this kind of key over this hash.
pub(crate) fn algorithm(kind: KeyKind, hash: DigestAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    use DigestAlgorithm::{Sha256, Sha384, Sha512};
    let rsa = |parameters: &'static RsaParameters| Some(parameters as &'static dyn VerificationAlgorithm);
    match (kind, hash) {
        (KeyKind::P256, Sha256) => Some(&aws::ECDSA_P256_SHA256_ASN1),
        (KeyKind::P256, Sha384) => Some(&aws::ECDSA_P256_SHA384_ASN1),
        (KeyKind::P256, Sha512) => Some(&aws::ECDSA_P256_SHA512_ASN1),
        (KeyKind::P384, Sha256) => Some(&aws::ECDSA_P384_SHA256_ASN1),
        (KeyKind::P384, Sha384) => Some(&aws::ECDSA_P384_SHA384_ASN1),
        (KeyKind::P384, Sha512) => Some(&aws::ECDSA_P384_SHA512_ASN1),
        (KeyKind::P521, Sha256) => Some(&aws::ECDSA_P521_SHA256_ASN1),
        (KeyKind::P521, Sha384) => Some(&aws::ECDSA_P521_SHA384_ASN1),
        (KeyKind::P521, Sha512) => Some(&aws::ECDSA_P521_SHA512_ASN1),
        (KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096, hash) => rsa(match hash {
            Sha256 => &aws::RSA_PKCS1_2048_8192_SHA256,
            Sha384 => &aws::RSA_PKCS1_2048_8192_SHA384,
            Sha512 => &aws::RSA_PKCS1_2048_8192_SHA512,
        }),
        (KeyKind::Ed25519, _) => None,
    }
}

fn rsa_kind(raw: &[u8]) -> Option<KeyKind> {
    let mut numbers = Reader::new(der::only(raw, SEQUENCE).ok()?.content);
    let modulus = numbers.integer().ok()?;
    let exponent = numbers.integer().ok()?;
    numbers.finish().ok()?;
    // A modulus fills its bytes, so that its DER has the leading zero of a positive number.
    let [0, modulus @ ..] = modulus else { return None };
    if exponent != RSA_EXPONENT {
        return None;
    }
    match modulus.len() * 8 {
        2048 => Some(KeyKind::Rsa2048),
        3072 => Some(KeyKind::Rsa3072),
        4096 => Some(KeyKind::Rsa4096),
        _ => None,
    }
}

/// Reads an `AlgorithmIdentifier` of a hash, whose parameters are absent or NULL. SHA-1 is not known.
pub(crate) fn hash_of(identifier: &mut Reader<'_>) -> Option<DigestAlgorithm> {
    const SHA2: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    let mut fields = identifier.nested(SEQUENCE).ok()?;
    let oid = fields.oid().ok()?;
    if !fields.is_empty() {
        fields.element(NULL).ok().filter(|null| null.content.is_empty())?;
    }
    fields.finish().ok()?;
    match oid.strip_prefix(&SHA2)? {
        [1] => Some(DigestAlgorithm::Sha256),
        [2] => Some(DigestAlgorithm::Sha384),
        [3] => Some(DigestAlgorithm::Sha512),
        _ => None,
    }
}

/// Reads the `AlgorithmIdentifier` of a signature, and tells whether it fits the key and the hash that is named beside it.
pub(crate) fn signature_fits(identifier: &mut Reader<'_>, kind: KeyKind, hash: DigestAlgorithm) -> bool {
    const ECDSA: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
    let Ok(mut fields) = identifier.nested(SEQUENCE) else {
        return false;
    };
    let Ok(oid) = fields.oid() else { return false };
    let parameters_ok = fields.is_empty() || fields.element(NULL).is_ok_and(|null| null.content.is_empty());
    if !parameters_ok || fields.finish().is_err() {
        return false;
    }
    let number = match hash {
        DigestAlgorithm::Sha256 => (2, 11),
        DigestAlgorithm::Sha384 => (3, 12),
        DigestAlgorithm::Sha512 => (4, 13),
    };
    match kind {
        KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => oid.strip_prefix(&ECDSA) == Some(&[number.0]),
        KeyKind::Ed25519 => oid == ID_ED25519,
        KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => {
            let combined = [&RSA_ENCRYPTION[..8], &[number.1]].concat();
            oid == RSA_ENCRYPTION || oid == combined
        }
    }
}
