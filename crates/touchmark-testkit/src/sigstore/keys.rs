//! Signing keys that follow from a name. Anyone can compute them: for tests only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::pkcs8::EncodePublicKey as _;
use sha2::{Digest as _, Sha256, Sha384};

use super::der;

/// The curves and schemes that a party can sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// ECDSA on P-256 with SHA-256.
    P256,
    /// ECDSA on P-384 with SHA-384.
    P384,
    /// Ed25519, pure.
    Ed25519,
}

impl Scheme {
    /// Returns the name of the scheme in Sigstore's protobuf messages.
    pub fn key_details(self) -> &'static str {
        match self {
            Self::P256 => "PKIX_ECDSA_P256_SHA_256",
            Self::P384 => "PKIX_ECDSA_P384_SHA_384",
            Self::Ed25519 => "PKIX_ED25519",
        }
    }

    /// Returns the DER `AlgorithmIdentifier` of signatures.
    pub fn signature_algorithm(self) -> Vec<u8> {
        der::sequence(&[der::oid(match self {
            Self::P256 => "1.2.840.10045.4.3.2",
            Self::P384 => "1.2.840.10045.4.3.3",
            Self::Ed25519 => "1.3.101.112",
        })])
    }

    /// Returns the hash that goes with the scheme.
    pub fn hash(self) -> Hash {
        match self {
            Self::P384 => Hash::Sha384,
            Self::P256 | Self::Ed25519 => Hash::Sha256,
        }
    }
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, which nobody takes any more; its digests here are 20 bytes of SHA-256.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

impl Hash {
    /// Hashes bytes.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha256::digest(bytes)[..20].to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
        }
    }

    /// Returns the DER `AlgorithmIdentifier`.
    pub fn algorithm(self) -> Vec<u8> {
        der::sequence(&[der::oid(match self {
            Self::Sha1 => "1.3.14.3.2.26",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
        })])
    }

    /// Returns the name in Sigstore's protobuf messages.
    pub fn protobuf_name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA2_256",
            Self::Sha384 => "SHA2_384",
        }
    }

    /// Returns the name in Rekor v1 entries.
    pub fn rekor_name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
        }
    }
}

/// A private key.
#[derive(Clone)]
pub struct Key {
    scheme: Scheme,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

impl Key {
    /// Returns the key of this name.
    pub fn named(scheme: Scheme, name: &str) -> Self {
        let seed = Sha384::digest(format!("touchmark test instance key {name}").as_bytes());
        let secret = match scheme {
            Scheme::P256 => Secret::P256(
                p256::ecdsa::SigningKey::from_slice(&seed[..32]).expect("a digest is a scalar of the curve"),
            ),
            Scheme::P384 => Secret::P384(
                p384::ecdsa::SigningKey::from_slice(&seed).expect("a digest is a scalar of the curve"),
            ),
            Scheme::Ed25519 => Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(
                seed[..32].try_into().expect("32 bytes"),
            )),
        };
        Self { scheme, secret }
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the public key, DER `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> Vec<u8> {
        match &self.secret {
            Secret::P256(key) => key
                .verifying_key()
                .to_public_key_der()
                .expect("a key can be encoded")
                .into_vec(),
            Secret::P384(key) => key
                .verifying_key()
                .to_public_key_der()
                .expect("a key can be encoded")
                .into_vec(),
            Secret::Ed25519(key) => key
                .verifying_key()
                .to_public_key_der()
                .expect("a key can be encoded")
                .into_vec(),
        }
    }

    /// Returns the SHA-256 of the public key's DER form.
    pub fn spki_digest(&self) -> [u8; 32] {
        Sha256::digest(self.spki()).into()
    }

    /// Returns the bytes of an Ed25519 public key.
    pub fn raw_ed25519(&self) -> Option<[u8; 32]> {
        match &self.secret {
            Secret::Ed25519(key) => Some(key.verifying_key().to_bytes()),
            _ => None,
        }
    }

    /// Returns the public key as PEM.
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki())
    }

    /// Returns the private key as an unencrypted PKCS#8 PEM.
    pub fn private_pem(&self) -> String {
        use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
        let text = match &self.secret {
            Secret::P256(key) => p256::SecretKey::from(key).to_pkcs8_pem(LineEnding::LF),
            Secret::P384(key) => p384::SecretKey::from(key).to_pkcs8_pem(LineEnding::LF),
            Secret::Ed25519(key) => key.to_pkcs8_pem(LineEnding::LF),
        };
        text.expect("a key can be encoded").to_string()
    }

    /// Signs a message: ECDSA in DER form with a deterministic nonce (RFC 6979), or Ed25519.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            _ => self.sign_digest(&self.scheme.hash().of(message)),
        }
    }

    /// Signs a digest with ECDSA, in DER form.
    pub fn sign_digest(&self, digest: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(digest).expect("a digest");
                signature.to_der().as_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(digest).expect("a digest");
                signature.to_der().as_bytes().to_vec()
            }
            Secret::Ed25519(_) => panic!("pure Ed25519 signs messages, not digests"),
        }
    }

    /// Signs a message with P-256 in the fixed-length form that JSON Web Signatures use.
    pub fn sign_fixed(&self, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature =
                    key.sign_prehash(&Hash::Sha256.of(message)).expect("a digest");
                signature.to_bytes().to_vec()
            }
            _ => panic!("tokens are signed with P-256"),
        }
    }
}

/// Encodes DER as PEM.
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(std::str::from_utf8(line).expect("base64"));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// Verifies a signature over a message by the key of a `SubjectPublicKeyInfo`, with the hash that goes with its curve.
pub(super) fn verify(spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    use ed25519_dalek::pkcs8::DecodePublicKey as _;
    if let Ok(key) = ed25519_dalek::VerifyingKey::from_public_key_der(spki) {
        let signature = ed25519_dalek::Signature::from_slice(signature);
        return signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok());
    }
    let scheme = if p384::PublicKey::from_public_key_der(spki).is_ok() {
        Scheme::P384
    } else {
        Scheme::P256
    };
    verify_digest(spki, &scheme.hash().of(message), signature)
}

/// Verifies an ECDSA signature over a digest.
pub(super) fn verify_digest(spki: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
    use p256::pkcs8::DecodePublicKey as _;
    if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(spki) {
        let signature = p256::ecdsa::Signature::from_der(signature);
        return signature.is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok());
    }
    let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(spki) else {
        return false;
    };
    let signature = p384::ecdsa::Signature::from_der(signature);
    signature.is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
}

/// Verifies a signature in the fixed-length form of JSON Web Signatures.
pub(super) fn verify_fixed_p256(spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let signature = p256::ecdsa::Signature::from_slice(signature);
    signature
        .is_ok_and(|signature| verify_digest(spki, &Hash::Sha256.of(message), signature.to_der().as_bytes()))
}

/// Returns the public key in a PEM text: a key, or a certificate's.
pub(super) fn spki_of_pem(text: &str) -> Option<(bool, Vec<u8>, Vec<u8>)> {
    let label = text
        .trim_start()
        .strip_prefix("-----BEGIN ")?
        .split("-----")
        .next()?
        .to_owned();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body.trim()).ok()?;
    match label.as_str() {
        "PUBLIC KEY" => Some((false, der.clone(), der)),
        "CERTIFICATE" => {
            let spki = spki_of_certificate(&der)?;
            Some((true, der, spki))
        }
        _ => None,
    }
}

/// Returns the public key of a certificate, DER.
pub(super) fn spki_of_certificate(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate, _) = element(der)?;
    let (_, mut tbs, _) = element(certificate)?;
    // Version, serial number, algorithm, issuer, validity, subject; then the key.
    for _ in 0..6 {
        tbs = element(tbs)?.2;
    }
    let rest = element(tbs)?.2;
    Some(tbs[..tbs.len() - rest.len()].to_vec())
}

/// Splits the first element off: its tag, its content, what follows.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (
                bytes
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte)),
                rest,
            )
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}
