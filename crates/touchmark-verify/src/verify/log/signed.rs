//! What a log entry must be about: the signature, the key or certificate that verifies it, and what it covers.

use touchmark_tlog::entry::HashAlgorithm;

use crate::envelope::Envelope;
use crate::message::{ArtifactDigests, DigestAlgorithm};

/// A signature that was verified, with everything that a log entry must repeat of it.
#[derive(Debug)]
pub(in crate::verify) struct Signed<'s> {
    /// The bytes of the signature.
    pub(in crate::verify) signature: &'s [u8],
    /// The `SubjectPublicKeyInfo` of the key that verifies it.
    pub(in crate::verify) spki_der: &'s [u8],
    /// The protobuf name of that key's algorithm.
    pub(in crate::verify) key_details: &'static str,
    /// The leaf certificate of that key, where the bundle was signed with one.
    pub(in crate::verify) certificate: Option<&'s [u8]>,
    /// What the signature covers.
    pub(in crate::verify) content: SignedContent<'s>,
}

/// What a signature covers.
#[derive(Debug)]
pub(in crate::verify) enum SignedContent<'s> {
    /// The pre-authentication encoding of an envelope.
    Envelope {
        /// The envelope.
        envelope: &'s Envelope,
        /// Its pre-authentication encoding.
        pae: &'s [u8],
    },
    /// A message, of which these digests are known.
    Message(&'s ArtifactDigests),
}

impl SignedContent<'_> {
    /// Returns the digest of the covered bytes, where it can be known.
    pub(super) fn digest(&self, algorithm: HashAlgorithm) -> Option<Vec<u8>> {
        match self {
            Self::Envelope { pae, .. } => Some(algorithm.digest(pae)),
            Self::Message(digests) => digests
                .get(match algorithm {
                    HashAlgorithm::Sha256 => DigestAlgorithm::Sha256,
                    HashAlgorithm::Sha384 => DigestAlgorithm::Sha384,
                    HashAlgorithm::Sha512 => DigestAlgorithm::Sha512,
                })
                .map(<[u8]>::to_vec),
        }
    }
}
