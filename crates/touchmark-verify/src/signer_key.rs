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

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    };

    use super::*;
    use crate::der::build::{sequence, tlv};

    fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> (SignerKey, Vec<u8>) {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let key = SignerKey::from_certificate(spki.as_ref()).unwrap();
        let signature = pair.sign(&SystemRandom::new(), b"message").unwrap();
        (key, signature.as_ref().to_vec())
    }

    #[test]
    fn every_curve_verifies_with_its_own_hash_and_has_its_own_name() {
        for (algorithm, details, hash) in [
            (
                &ECDSA_P256_SHA256_ASN1_SIGNING,
                "PKIX_ECDSA_P256_SHA_256",
                DigestAlgorithm::Sha256,
            ),
            (
                &ECDSA_P384_SHA384_ASN1_SIGNING,
                "PKIX_ECDSA_P384_SHA_384",
                DigestAlgorithm::Sha384,
            ),
            (
                &ECDSA_P521_SHA512_ASN1_SIGNING,
                "PKIX_ECDSA_P521_SHA_512",
                DigestAlgorithm::Sha512,
            ),
        ] {
            let (key, signature) = ecdsa(algorithm);
            assert_eq!((key.key_details(), key.hash()), (details, Some(hash)));
            key.verify(b"message", &signature).unwrap();
            key.verify_digest(&hash.digest(b"message"), &signature).unwrap();
            let code = |outcome: Result<(), SignatureError>| outcome.unwrap_err().code();
            assert_eq!(code(key.verify(b"another", &signature)), "signature.invalid");
            assert_eq!(
                code(key.verify_digest(&[0; 20], &signature)),
                "signature.digest_length"
            );
            let mut longer = signature.clone();
            longer.push(0);
            assert!(key.verify(b"message", &longer).is_err());
        }
    }

    fn rsa(size: KeySize, encoding: &'static dyn RsaEncoding) -> (Vec<u8>, Vec<u8>) {
        let pair = RsaKeyPair::generate(size).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), b"message", &mut signature)
            .unwrap();
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        (spki.as_ref().to_vec(), signature)
    }

    #[test]
    fn case_41_rsa_is_pkcs1_with_sha256_and_of_three_sizes() {
        let (spki, signature) = rsa(KeySize::Rsa2048, &RSA_PKCS1_SHA256);
        let key = SignerKey::from_certificate(&spki).unwrap();
        assert_eq!(key.key_details(), "PKIX_RSA_PKCS1V15_2048_SHA256");
        key.verify(b"message", &signature).unwrap();
        let digest = DigestAlgorithm::Sha256.digest(b"message");
        key.verify_digest(&digest, &signature).unwrap();
        for encoding in [&RSA_PSS_SHA256 as &'static dyn RsaEncoding, &RSA_PKCS1_SHA512] {
            let (spki, signature) = rsa(KeySize::Rsa2048, encoding);
            let key = SignerKey::from_certificate(&spki).unwrap();
            assert_eq!(
                key.verify(b"message", &signature).unwrap_err().code(),
                "signature.invalid"
            );
        }
        // 1024 bits, an odd number of bits, another exponent, and a modulus that is not in its one form.
        let made_up = |modulus: &[u8], exponent: &[u8]| {
            let numbers = sequence(&[tlv(0x02, modulus), tlv(0x02, exponent)]);
            let algorithm = sequence(&[
                tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]),
                tlv(0x05, b""),
            ]);
            let spki = sequence(&[algorithm, tlv(0x03, &[&[0], numbers.as_slice()].concat())]);
            SignerKey::from_certificate(&spki).is_ok()
        };
        let modulus = |bytes: usize| [&[0, 0x80][..], &vec![1; bytes - 1]].concat();
        assert!(made_up(&modulus(256), &[1, 0, 1]));
        assert!(!made_up(&modulus(128), &[1, 0, 1]));
        assert!(!made_up(&modulus(257), &[1, 0, 1]));
        assert!(!made_up(&modulus(256), &[3]));
        assert!(!made_up(&[&[0], modulus(256).as_slice()].concat(), &[1, 0, 1]));
    }
}
