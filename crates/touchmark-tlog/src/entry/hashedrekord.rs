//! `hashedrekord` 0.0.2, the one entry body of Rekor v2: a digest, a signature over it, and who verifies it.

use serde::{Deserialize, Serialize};

use super::rekor_v1::parse_as;
use super::{EntryError, bytes};
use crate::encoding::base64_encode;
use crate::merkle::{Hash, leaf_hash};

const KIND: &str = "hashedrekord";
const VERSION: &str = "0.0.2";

/// A hash algorithm that an entry can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// Returns the protobuf name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA2_256",
            Self::Sha384 => "SHA2_384",
            Self::Sha512 => "SHA2_512",
        }
    }

    /// Returns the name that Rekor v1 uses, such as `sha256`.
    pub fn short_name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns the algorithm with this name of Rekor v1.
    pub fn from_short_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.short_name() == name)
    }

    /// Returns the digest of the bytes.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        use sha2::Digest as _;
        match self {
            Self::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(bytes).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
        }
    }

    /// Returns the length of a digest in bytes.
    pub fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Returns the algorithm with this protobuf name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// A key's algorithm with its hash, as the protobuf enumeration `PublicKeyDetails` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyDetails {
    /// ECDSA over P-256 with SHA-256.
    EcdsaP256Sha256,
    /// ECDSA over P-384 with SHA-384.
    EcdsaP384Sha384,
    /// ECDSA over P-521 with SHA-512.
    EcdsaP521Sha512,
    /// Ed25519, which signs messages and not digests.
    Ed25519,
    /// Ed25519ph, over SHA-512.
    Ed25519Ph,
    /// RSA PKCS #1 v1.5, 2048 bits, with SHA-256.
    RsaPkcs1v15Bits2048Sha256,
    /// RSA PKCS #1 v1.5, 3072 bits, with SHA-256.
    RsaPkcs1v15Bits3072Sha256,
    /// RSA PKCS #1 v1.5, 4096 bits, with SHA-256.
    RsaPkcs1v15Bits4096Sha256,
}

impl KeyDetails {
    const ALL: [Self; 8] = [
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::EcdsaP521Sha512,
        Self::Ed25519,
        Self::Ed25519Ph,
        Self::RsaPkcs1v15Bits2048Sha256,
        Self::RsaPkcs1v15Bits3072Sha256,
        Self::RsaPkcs1v15Bits4096Sha256,
    ];

    /// Returns the protobuf name.
    pub fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256Sha256 => "PKIX_ECDSA_P256_SHA_256",
            Self::EcdsaP384Sha384 => "PKIX_ECDSA_P384_SHA_384",
            Self::EcdsaP521Sha512 => "PKIX_ECDSA_P521_SHA_512",
            Self::Ed25519 => "PKIX_ED25519",
            Self::Ed25519Ph => "PKIX_ED25519_PH",
            Self::RsaPkcs1v15Bits2048Sha256 => "PKIX_RSA_PKCS1V15_2048_SHA256",
            Self::RsaPkcs1v15Bits3072Sha256 => "PKIX_RSA_PKCS1V15_3072_SHA256",
            Self::RsaPkcs1v15Bits4096Sha256 => "PKIX_RSA_PKCS1V15_4096_SHA256",
        }
    }

    /// Returns the algorithm with this protobuf name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|details| details.name() == name)
    }

    /// Returns the hash whose digests keys of this algorithm sign; `None` for those that sign whole messages.
    pub fn hash(self) -> Option<HashAlgorithm> {
        match self {
            Self::EcdsaP384Sha384 => Some(HashAlgorithm::Sha384),
            Self::EcdsaP521Sha512 | Self::Ed25519Ph => Some(HashAlgorithm::Sha512),
            Self::Ed25519 => None,
            Self::EcdsaP256Sha256
            | Self::RsaPkcs1v15Bits2048Sha256
            | Self::RsaPkcs1v15Bits3072Sha256
            | Self::RsaPkcs1v15Bits4096Sha256 => Some(HashAlgorithm::Sha256),
        }
    }
}

/// What verifies the signature of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryVerifier {
    /// The algorithm of the key.
    pub key_details: KeyDetails,
    /// The key or its certificate.
    pub material: VerifierMaterial,
}

/// The public key of an entry, bare or certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifierMaterial {
    /// The DER of a `SubjectPublicKeyInfo`.
    PublicKey(Vec<u8>),
    /// The DER of an X.509 certificate.
    Certificate(Vec<u8>),
}

/// The body of a Rekor v2 entry. An attestation is logged with the digest of its envelope's PAE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedRekordV002 {
    /// The algorithm of the digest.
    pub hash: HashAlgorithm,
    /// The digest that was signed.
    pub digest: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// What verifies the signature.
    pub verifier: EntryVerifier,
}

impl HashedRekordV002 {
    /// Returns the bytes that are logged: RFC 8785 JSON.
    pub fn canonical_body(&self) -> Vec<u8> {
        // Every name and value below is ASCII without characters to escape, and the names are in RFC 8785 order.
        let (material, der) = match &self.verifier.material {
            VerifierMaterial::PublicKey(der) => ("publicKey", der),
            VerifierMaterial::Certificate(der) => ("x509Certificate", der),
        };
        let data = format!(
            r#"{{"algorithm":"{}","digest":"{}"}}"#,
            self.hash.name(),
            base64_encode(&self.digest)
        );
        let verifier = format!(
            r#"{{"keyDetails":"{}","{material}":{{"rawBytes":"{}"}}}}"#,
            self.verifier.key_details.name(),
            base64_encode(der),
        );
        let signature = format!(
            r#"{{"content":"{}","verifier":{verifier}}}"#,
            base64_encode(&self.signature)
        );
        let spec = format!(r#"{{"hashedRekordV002":{{"data":{data},"signature":{signature}}}}}"#);
        format!(r#"{{"apiVersion":"{VERSION}","kind":"{KIND}","spec":{spec}}}"#).into_bytes()
    }

    /// Returns the hash of the leaf that holds this body.
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.canonical_body())
    }

    /// Parses a logged body; only its canonical bytes are accepted.
    pub fn parse_canonical(body: &[u8]) -> Result<Self, EntryError> {
        let wire: BodyWire = parse_as(body, KIND, VERSION)?;
        if wire.kind != KIND || wire.api_version != VERSION {
            return Err(EntryError::Kind {
                kind: wire.kind,
                version: wire.api_version,
            });
        }
        let unknown = || EntryError::Kind {
            kind: KIND.to_owned(),
            version: "without hashedRekordV002".to_owned(),
        };
        let wire = wire.spec.hashed_rekord_v002.ok_or_else(unknown)?;
        let hash = HashAlgorithm::from_name(&wire.data.algorithm).ok_or(EntryError::HashAlgorithm {
            found: wire.data.algorithm,
        })?;
        let (signature, verifier) = wire.signature.try_into()?;
        let parsed = Self {
            hash,
            digest: bytes("digest", &wire.data.digest)?,
            signature,
            verifier,
        };
        parsed.expect_matching_digest()?;
        if parsed.canonical_body() == body {
            Ok(parsed)
        } else {
            Err(EntryError::NotCanonical)
        }
    }

    /// The key's algorithm names the hash, and the hash the length of the digest.
    pub(super) fn expect_matching_digest(&self) -> Result<(), EntryError> {
        let key_details = self.verifier.key_details;
        let demanded = key_details
            .hash()
            .ok_or(EntryError::NotPrehashed { key_details })?;
        let expected = demanded.digest_len();
        for found in [self.hash.digest_len(), self.digest.len()] {
            if found != expected {
                return Err(EntryError::Digest {
                    key_details,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BodyWire {
    api_version: String,
    kind: String,
    spec: SpecWire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecWire {
    #[serde(default, rename = "hashedRekordV002")]
    hashed_rekord_v002: Option<RecordWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordWire {
    data: DataWire,
    signature: SignatureWire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataWire {
    algorithm: String,
    digest: String,
}

/// A signature and its verifier, alike in bodies and requests. Requests may spell names in snake case; in bodies
/// the comparison with the canonical bytes refuses that.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureWire {
    content: String,
    verifier: VerifierWire,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifierWire {
    #[serde(rename = "keyDetails", alias = "key_details")]
    key_details: String,
    #[serde(
        default,
        rename = "publicKey",
        alias = "public_key",
        skip_serializing_if = "Option::is_none"
    )]
    public_key: Option<RawBytesWire>,
    #[serde(
        default,
        rename = "x509Certificate",
        alias = "x509_certificate",
        skip_serializing_if = "Option::is_none"
    )]
    x509_certificate: Option<RawBytesWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBytesWire {
    #[serde(rename = "rawBytes", alias = "raw_bytes")]
    raw_bytes: String,
}

impl SignatureWire {
    pub(super) fn new(signature: &[u8], verifier: &EntryVerifier) -> Self {
        let raw = |der: &[u8]| {
            Some(RawBytesWire {
                raw_bytes: base64_encode(der),
            })
        };
        let (public_key, x509_certificate) = match &verifier.material {
            VerifierMaterial::PublicKey(der) => (raw(der), None),
            VerifierMaterial::Certificate(der) => (None, raw(der)),
        };
        let key_details = verifier.key_details.name().to_owned();
        let verifier = VerifierWire {
            key_details,
            public_key,
            x509_certificate,
        };
        Self {
            content: base64_encode(signature),
            verifier,
        }
    }
}

impl TryFrom<SignatureWire> for (Vec<u8>, EntryVerifier) {
    type Error = EntryError;

    fn try_from(wire: SignatureWire) -> Result<Self, EntryError> {
        let SignatureWire { content, verifier } = wire;
        let key_details = KeyDetails::from_name(&verifier.key_details).ok_or(EntryError::KeyDetails {
            found: verifier.key_details,
        })?;
        let material = match (verifier.public_key, verifier.x509_certificate) {
            (Some(key), None) => VerifierMaterial::PublicKey(bytes("publicKey", &key.raw_bytes)?),
            (None, Some(cert)) => VerifierMaterial::Certificate(bytes("x509Certificate", &cert.raw_bytes)?),
            _ => return Err(EntryError::Verifier),
        };
        Ok((
            bytes("content", &content)?,
            EntryVerifier {
                key_details,
                material,
            },
        ))
    }
}
