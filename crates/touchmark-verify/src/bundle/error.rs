//! Why bytes are not a bundle that this program reads.

use thiserror::Error;
use touchmark_statement::strict_json::JsonError;
use touchmark_tlog::entry::EntryError;

use super::MediaType;
use crate::limits::{MAX_BUNDLE_BYTES, MAX_CERTIFICATES, MAX_HINT_BYTES, MAX_TIMESTAMPS, MAX_TLOG_ENTRIES};
use crate::message::DigestAlgorithm;

/// A bundle that is refused before anything in it is verified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bundle is larger than the cap; nothing of it was parsed.
    #[error("a bundle has at most {MAX_BUNDLE_BYTES} bytes, found {found}")]
    TooLarge {
        /// The number of bytes found.
        found: usize,
    },
    /// The bytes are not strict JSON of a bundle's shape.
    #[error("the bundle is not strict JSON of the expected shape")]
    Json(#[from] JsonError),
    /// The media type is none that is read.
    #[error("{found:?} is not the media type of a bundle version that is read")]
    MediaType {
        /// The media type found, shortened.
        found: String,
    },
    /// The bundle has no verification material, or more than one kind of it.
    #[error("a bundle has exactly one of certificate, publicKey and x509CertificateChain, found {found}")]
    MaterialCount {
        /// How many were found.
        found: usize,
    },
    /// The verification material does not belong to this version of the format.
    #[error("{material} does not belong in a bundle of type {media_type}")]
    MaterialVersion {
        /// The name of the field.
        material: &'static str,
        /// The bundle's media type.
        media_type: MediaType,
    },
    /// The certificate chain is empty or longer than the cap.
    #[error("a certificate chain has 1 to {MAX_CERTIFICATES} certificates, found {found}")]
    CertificateCount {
        /// How many were found.
        found: usize,
    },
    /// The key hint or `keyid` is longer than the cap.
    #[error("a key hint has at most {MAX_HINT_BYTES} bytes, found {found}")]
    HintTooLong {
        /// The number of bytes found.
        found: usize,
    },
    /// The bundle has more log entries than the cap.
    #[error("a bundle has at most {MAX_TLOG_ENTRIES} log entries, found {found}")]
    TooManyEntries {
        /// How many were found.
        found: usize,
    },
    /// The bundle has more timestamps than the cap.
    #[error("a bundle has at most {MAX_TIMESTAMPS} timestamps, found {found}")]
    TooManyTimestamps {
        /// How many were found.
        found: usize,
    },
    /// A log entry is malformed.
    #[error("log entry {index} is malformed")]
    Entry {
        /// The position of the entry in the bundle.
        index: usize,
        /// What is wrong with it.
        #[source]
        source: EntryError,
    },
    /// A log entry has no inclusion proof with a checkpoint, which this version of the format demands.
    #[error("log entry {index} has no inclusion proof with a checkpoint, which {media_type} demands")]
    ProofMissing {
        /// The position of the entry in the bundle.
        index: usize,
        /// The bundle's media type.
        media_type: MediaType,
    },
    /// A log entry has no inclusion promise, which version 0.1 demands.
    #[error("log entry {index} has no inclusion promise, which version 0.1 demands")]
    PromiseMissing {
        /// The position of the entry in the bundle.
        index: usize,
    },
    /// The bundle carries both a message signature and an envelope.
    #[error("a bundle carries either messageSignature or dsseEnvelope, found both")]
    TwoContents,
    /// The bundle carries neither a message signature nor an envelope.
    #[error("a bundle carries messageSignature or dsseEnvelope, found neither")]
    NoContent,
    /// The message digest is of an unknown kind.
    #[error("{found:?} is not the name of a hash function that is known")]
    DigestAlgorithm {
        /// The name found, shortened.
        found: String,
    },
    /// The message digest is not as long as its hash function's are.
    #[error("a {algorithm} digest does not have {found} bytes")]
    DigestLength {
        /// The hash function.
        algorithm: DigestAlgorithm,
        /// The number of bytes found.
        found: usize,
    },
    /// The envelope does not have exactly one signature.
    #[error("an envelope in a bundle has exactly one signature, found {found}")]
    SignatureCount {
        /// How many were found.
        found: usize,
    },
    /// A field that carries bytes is empty or is not padded standard base64.
    #[error("{field} is not padded standard base64 of at least one byte")]
    Base64 {
        /// The name of the field.
        field: &'static str,
    },
}

impl BundleError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "bundle.too_large",
            Self::Json(error) => error.code(),
            Self::MediaType { .. } => "bundle.media_type",
            Self::MaterialCount { .. } => "bundle.material_count",
            Self::MaterialVersion { .. } => "bundle.material_version",
            Self::CertificateCount { .. } => "bundle.certificate_count",
            Self::HintTooLong { .. } => "bundle.hint_too_long",
            Self::TooManyEntries { .. } => "bundle.too_many_entries",
            Self::TooManyTimestamps { .. } => "bundle.too_many_timestamps",
            Self::Entry { source, .. } => source.code(),
            Self::ProofMissing { .. } => "bundle.proof_missing",
            Self::PromiseMissing { .. } => "bundle.promise_missing",
            Self::TwoContents => "bundle.two_contents",
            Self::NoContent => "bundle.no_content",
            Self::DigestAlgorithm { .. } => "bundle.digest_algorithm",
            Self::DigestLength { .. } => "bundle.digest_length",
            Self::SignatureCount { .. } => "bundle.signature_count",
            Self::Base64 { .. } => "bundle.base64",
        }
    }
}
