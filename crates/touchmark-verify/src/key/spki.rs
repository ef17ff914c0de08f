//! `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7; RFC 5480 for curves, RFC 8410 for Ed25519) as three fixed forms.
//!
//! For our three algorithms everything before the key itself is constant, so encoding is a prefix and a key, and
//! "parse, encode again, compare" leaves no room. The DER reader is only here to say what is wrong with the rest.

use p256::pkcs8::der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};
use p256::pkcs8::{ObjectIdentifier, spki::SubjectPublicKeyInfoRef};

use super::{KeyAlgorithm, KeyError};

const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const P256_PREFIX: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const P384_PREFIX: &[u8] =
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00";
const ED25519_PREFIX: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// Returns the constant bytes before the key itself.
pub(super) fn prefix(algorithm: KeyAlgorithm) -> &'static [u8] {
    match algorithm {
        KeyAlgorithm::EcdsaP256Sha256 => P256_PREFIX,
        KeyAlgorithm::EcdsaP384Sha384 => P384_PREFIX,
        KeyAlgorithm::Ed25519 => ED25519_PREFIX,
    }
}

/// Encodes a raw key of the right length.
pub(super) fn encode(algorithm: KeyAlgorithm, raw: &[u8]) -> Vec<u8> {
    [prefix(algorithm), raw].concat()
}

/// Parses the outer structure and returns the algorithm and the raw key, which is not validated yet.
pub(super) fn parse(der: &[u8]) -> Result<(KeyAlgorithm, &[u8]), KeyError> {
    let malformed = || KeyError::SpkiMalformed { len: der.len() };
    let mut reader = SliceReader::new(der).map_err(|_| malformed())?;
    let info = SubjectPublicKeyInfoRef::decode(&mut reader).map_err(|_| malformed())?;
    let count = usize::try_from(u32::from(reader.remaining_len())).map_err(|_| malformed())?;
    if count > 0 {
        return Err(KeyError::TrailingBytes { count });
    }
    let raw = info.subject_public_key.as_bytes().ok_or_else(malformed)?;
    let algorithm = match info.algorithm.oid {
        ID_ED25519 if info.algorithm.parameters.is_none() => KeyAlgorithm::Ed25519,
        ID_ED25519 => return Err(KeyError::NotCanonical),
        ID_EC_PUBLIC_KEY => {
            let parameters = info.algorithm.parameters.ok_or(KeyError::ExplicitParameters)?;
            if parameters.tag() != Tag::ObjectIdentifier {
                return Err(KeyError::ExplicitParameters);
            }
            match parameters
                .decode_as::<ObjectIdentifier>()
                .map_err(|_| malformed())?
            {
                SECP256R1 => KeyAlgorithm::EcdsaP256Sha256,
                SECP384R1 => KeyAlgorithm::EcdsaP384Sha384,
                other => {
                    return Err(KeyError::UnsupportedCurve {
                        oid: other.to_string(),
                    });
                }
            }
        }
        other => {
            return Err(KeyError::UnsupportedAlgorithm {
                oid: other.to_string(),
            });
        }
    };
    Ok((algorithm, raw))
}

/// Refuses everything but an uncompressed point of the curve (SEC1 §2.3.3).
pub(super) fn validate_point(algorithm: KeyAlgorithm, raw: &[u8]) -> Result<(), KeyError> {
    match raw.first() {
        Some(0x04) => {}
        Some(0x02 | 0x03) => return Err(KeyError::CompressedPoint),
        Some(0x06 | 0x07) => return Err(KeyError::HybridPoint),
        // 0x00 alone is the point at infinity.
        _ => return Err(KeyError::PointNotOnCurve { algorithm }),
    }
    let expected = 1 + 2 * algorithm.field_len();
    if raw.len() != expected {
        return Err(KeyError::PointLength {
            algorithm,
            expected,
            found: raw.len(),
        });
    }
    let on_curve = match algorithm {
        KeyAlgorithm::EcdsaP256Sha256 => p256::PublicKey::from_sec1_bytes(raw).is_ok(),
        KeyAlgorithm::EcdsaP384Sha384 => p384::PublicKey::from_sec1_bytes(raw).is_ok(),
        KeyAlgorithm::Ed25519 => false,
    };
    if on_curve {
        Ok(())
    } else {
        Err(KeyError::PointNotOnCurve { algorithm })
    }
}
