//! A bare signature over a message, as bundles of blobs carry it, and the digests by which a message is known.

use std::fmt;

use aws_lc_rs::digest as hash;

/// A hash function that messages are named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestAlgorithm {
    /// Every algorithm that is known.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// Returns the name in Sigstore's protobuf JSON.
    pub fn protobuf_name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA2_256",
            Self::Sha384 => "SHA2_384",
            Self::Sha512 => "SHA2_512",
        }
    }

    /// Returns the algorithm with this name in Sigstore's protobuf JSON.
    pub fn from_protobuf_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.protobuf_name() == name)
    }

    /// Returns the number of bytes of a digest.
    pub fn digest_len(self) -> usize {
        self.implementation().output_len()
    }

    /// Returns the digest of a message.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        hash::digest(self.implementation(), message).as_ref().to_vec()
    }

    pub(crate) fn implementation(self) -> &'static hash::Algorithm {
        match self {
            Self::Sha256 => &hash::SHA256,
            Self::Sha384 => &hash::SHA384,
            Self::Sha512 => &hash::SHA512,
        }
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}

/// A bare signature over a message, as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSignature {
    /// The digest that the bundle names: a hint for finding the message, and held against it, but never proof.
    pub digest: Option<MessageDigest>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A digest that a bundle names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageDigest {
    /// The hash function.
    pub algorithm: DigestAlgorithm,
    /// The digest; as long as the function's are.
    pub value: Vec<u8>,
}

/// What a caller knows of the message: its bytes, or digests of it that the caller made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactDigests {
    sha256: Option<Vec<u8>>,
    sha384: Option<Vec<u8>>,
    sha512: Option<Vec<u8>>,
    bytes: Option<Vec<u8>>,
}

impl ArtifactDigests {
    /// Returns what can be known of a message whose bytes are at hand.
    pub fn of(message: impl Into<Vec<u8>>) -> Self {
        let message = message.into();
        Self {
            sha256: Some(DigestAlgorithm::Sha256.digest(&message)),
            sha384: Some(DigestAlgorithm::Sha384.digest(&message)),
            sha512: Some(DigestAlgorithm::Sha512.digest(&message)),
            bytes: Some(message),
        }
    }

    /// Returns the one digest that is known of a message; `None` if it is not as long as the function's digests are.
    pub fn from_digest(algorithm: DigestAlgorithm, digest: impl Into<Vec<u8>>) -> Option<Self> {
        Self::default().with_digest(algorithm, digest)
    }

    /// Adds a digest of the same message; `None` if it is not as long as the function's digests are.
    pub fn with_digest(mut self, algorithm: DigestAlgorithm, digest: impl Into<Vec<u8>>) -> Option<Self> {
        let digest = digest.into();
        if digest.len() != algorithm.digest_len() {
            return None;
        }
        let slot = match algorithm {
            DigestAlgorithm::Sha256 => &mut self.sha256,
            DigestAlgorithm::Sha384 => &mut self.sha384,
            DigestAlgorithm::Sha512 => &mut self.sha512,
        };
        *slot = Some(digest);
        Some(self)
    }

    /// Returns the digest of this kind, where it is known.
    pub fn get(&self, algorithm: DigestAlgorithm) -> Option<&[u8]> {
        match algorithm {
            DigestAlgorithm::Sha256 => self.sha256.as_deref(),
            DigestAlgorithm::Sha384 => self.sha384.as_deref(),
            DigestAlgorithm::Sha512 => self.sha512.as_deref(),
        }
    }

    /// Returns the message itself, where it is at hand.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}
