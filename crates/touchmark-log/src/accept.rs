//! What the log lets in: a request whose signature verifies over its digest with its own key.

use touchmark_tlog::entry::{CreateEntryRequest, EntryError, KeyDetails, VerifierMaterial};
use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_tlog::tile::MAX_ENTRY_BYTES;
use touchmark_verify::key::{KeyAlgorithm, KeyError, PublicKey, SignatureError};

use crate::certificate;

/// Why a request will never be accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RejectError {
    /// The request is malformed, or its digest does not suit the key's algorithm.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The key is an Ed25519 key: it signs messages, and the log is given a digest only.
    #[error("an Ed25519 key signs messages, not digests: sign with an ECDSA key to use this log")]
    Ed25519Unsupported,
    /// The key's algorithm is none that the log verifies.
    #[error("the log does not verify keys of algorithm {}", key_details.name())]
    KeyUnsupported {
        /// The algorithm that the request names.
        key_details: KeyDetails,
    },
    /// The bytes are not exactly one X.509 certificate.
    #[error("the verifier is not exactly one DER certificate")]
    Certificate,
    /// The public key was refused.
    #[error("the verifier's public key was refused")]
    Key(#[source] KeyError),
    /// The request names another algorithm than that of its key.
    #[error("the request names {}, but the key is for {found}", claimed.name())]
    KeyDetailsMismatch {
        /// The algorithm that the request names.
        claimed: KeyDetails,
        /// The algorithm of the key.
        found: KeyAlgorithm,
    },
    /// The signature does not verify over the digest with the key.
    #[error("the signature does not verify over the digest")]
    Signature(#[source] SignatureError),
    /// The entry would not fit into an entry bundle.
    #[error("an entry may have at most {MAX_ENTRY_BYTES} bytes, found {found}")]
    TooLarge {
        /// The number of bytes.
        found: usize,
    },
}

impl RejectError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Entry(error) => error.code(),
            Self::Ed25519Unsupported => "log.ed25519_unsupported",
            Self::KeyUnsupported { .. } => "log.key_unsupported",
            Self::Certificate => "log.certificate",
            Self::Key(error) => error.code(),
            Self::KeyDetailsMismatch { .. } => "log.key_details_mismatch",
            Self::Signature(error) => error.code(),
            Self::TooLarge { .. } => "log.entry_too_large",
        }
    }
}

/// An entry that verified, ready to be appended.
#[derive(Debug, Clone)]
pub(crate) struct AcceptedEntry {
    body: Vec<u8>,
    leaf: Hash,
}

impl AcceptedEntry {
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn leaf(&self) -> Hash {
        self.leaf
    }
}

/// Verifies a request and returns the entry that it makes.
pub(crate) fn accept(request: &CreateEntryRequest) -> Result<AcceptedEntry, RejectError> {
    let claimed = request.verifier.key_details;
    if matches!(claimed, KeyDetails::Ed25519 | KeyDetails::Ed25519Ph) {
        return Err(RejectError::Ed25519Unsupported);
    }
    let entry = request.to_entry()?;
    let spki = match &request.verifier.material {
        VerifierMaterial::PublicKey(der) => der,
        VerifierMaterial::Certificate(der) => certificate::spki(der).ok_or(RejectError::Certificate)?,
    };
    if !matches!(claimed, KeyDetails::EcdsaP256Sha256 | KeyDetails::EcdsaP384Sha384) {
        return Err(RejectError::KeyUnsupported { key_details: claimed });
    }
    let key = PublicKey::from_spki_der(spki).map_err(RejectError::Key)?;
    match key.algorithm() {
        KeyAlgorithm::Ed25519 => return Err(RejectError::Ed25519Unsupported),
        found if found.key_details() != claimed.name() => {
            return Err(RejectError::KeyDetailsMismatch { claimed, found });
        }
        _ => {}
    }
    key.verify_digest(&request.digest, &request.signature)
        .map_err(RejectError::Signature)?;
    let body = entry.canonical_body();
    if body.len() > MAX_ENTRY_BYTES {
        return Err(RejectError::TooLarge { found: body.len() });
    }
    Ok(AcceptedEntry {
        leaf: leaf_hash(&body),
        body,
    })
}
