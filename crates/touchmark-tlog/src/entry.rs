//! Log entries: the protobuf JSON `TransparencyLogEntry` that bundles carry and Rekor v2 answers with.
//!
//! Parsing is strict (one spelling, no unknown fields) and implies no trust. The bodies of entries are in
//! `hashedrekord`, what a client sends to get one is in `request`.

use serde::{Deserialize, Serialize};
use touchmark_statement::strict_json::{self, JsonError, Numbers, Rules};

use crate::encoding::{base64_decode, base64_encode, decimal};
use crate::merkle::Hash;

mod body;
mod hashedrekord;
pub mod rekor_v1;
mod request;

pub use body::EntryBody;
pub use hashedrekord::{EntryVerifier, HashAlgorithm, HashedRekordV002, KeyDetails, VerifierMaterial};
pub use request::CreateEntryRequest;

/// The largest entry, entry body or request that is parsed.
pub const MAX_ENTRY_JSON_BYTES: usize = 4 * 1024 * 1024;
/// The most hashes in an inclusion proof: the height of a tree of 2^64 leaves.
pub const MAX_PROOF_HASHES: usize = 64;

pub(crate) const RULES: Rules = Rules {
    max_bytes: MAX_ENTRY_JSON_BYTES,
    max_depth: 16,
    numbers: Numbers::ExactIntegers,
};

/// Why a log entry, its body or a request for one was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The bytes are not strict JSON of the expected shape.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A field that carries bytes is not padded base64, or has the wrong length.
    #[error("{field} is not padded base64 of the expected length")]
    Bytes {
        /// The name of the field.
        field: &'static str,
    },
    /// A field that carries a number does not hold it as decimal text in its one spelling.
    #[error("{field} is not a decimal number as text: {found:?}")]
    Number {
        /// The name of the field.
        field: &'static str,
        /// The text found.
        found: String,
    },
    /// The inclusion proof has more hashes than any tree demands.
    #[error("an inclusion proof has at most {MAX_PROOF_HASHES} hashes, found {found}")]
    ProofHashes {
        /// The number of hashes found.
        found: usize,
    },
    /// The body or entry is of a kind or version that is unknown, or of another than the one that is named.
    #[error("an entry of kind {kind:?} {version:?} is unknown here, or not the one named")]
    Kind {
        /// The kind found.
        kind: String,
        /// The version found.
        version: String,
    },
    /// The name of a hash algorithm is unknown.
    #[error("{found:?} is not the name of a known hash algorithm")]
    HashAlgorithm {
        /// The name found.
        found: String,
    },
    /// The name of a key's algorithm is unknown.
    #[error("{found:?} is not the name of a known key algorithm")]
    KeyDetails {
        /// The name found.
        found: String,
    },
    /// The key's algorithm signs messages, not digests, so that no entry of this kind can carry it.
    #[error("a key of algorithm {} signs messages, not digests", key_details.name())]
    NotPrehashed {
        /// The key's algorithm.
        key_details: KeyDetails,
    },
    /// The digest does not have the length, or the algorithm, that the key's algorithm demands.
    #[error("a digest for {} must have {expected} bytes, found {found}", key_details.name())]
    Digest {
        /// The key's algorithm.
        key_details: KeyDetails,
        /// The number of bytes demanded.
        expected: usize,
        /// The number of bytes found, or the length of the algorithm named.
        found: usize,
    },
    /// The verifier has no key and no certificate, or both.
    #[error("a verifier is either a public key or a certificate")]
    Verifier,
    /// A verifier is not the text of exactly one PEM block of a certificate or public key.
    #[error("a verifier is one PEM block of a certificate or public key, with nothing around it")]
    Pem,
    /// A body has no signature, or more than are read.
    #[error(
        "an entry body has 1 to {} signatures, found {found}",
        rekor_v1::MAX_BODY_SIGNATURES
    )]
    SignatureCount {
        /// How many were found.
        found: usize,
    },
    /// An answer of Rekor v1 is not about exactly one entry.
    #[error("an answer is about one entry, found {found}")]
    AnswerCount {
        /// How many entries were found.
        found: usize,
    },
    /// An answer names more shards than are read.
    #[error("a log has at most {} shards, found {found}", rekor_v1::MAX_SHARDS)]
    Shards {
        /// How many were found.
        found: usize,
    },
    /// The name of an entry is not 64 or 80 hex digits.
    #[error("{found:?} is not the name of an entry")]
    Uuid {
        /// The name found, shortened.
        found: String,
    },
    /// The name of an entry is not that of its body.
    #[error("the entry's body has leaf hash {expected}, but its name says {found}")]
    UuidMismatch {
        /// The hash of the body's leaf.
        expected: Hash,
        /// The hash in the name.
        found: Hash,
    },
    /// The name of an entry is of another tree than its checkpoint.
    #[error("the entry's checkpoint is of tree {expected}, but its name says {found}")]
    UuidTree {
        /// The tree of the checkpoint.
        expected: u64,
        /// The tree in the name.
        found: u64,
    },
    /// The body does not consist of its canonical bytes.
    #[error("the entry body is not in canonical form")]
    NotCanonical,
}

impl EntryError {
    fn kind(found: &KindVersion) -> Self {
        let shown = |text: &str| text.chars().take(40).collect();
        Self::Kind {
            kind: shown(&found.kind),
            version: shown(&found.version),
        }
    }

    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::Bytes { .. } => "tlog.entry_bytes",
            Self::Number { .. } => "tlog.entry_number",
            Self::ProofHashes { .. } => "tlog.proof_length",
            Self::Kind { .. } => "tlog.entry_kind",
            Self::HashAlgorithm { .. } => "tlog.entry_hash_algorithm",
            Self::KeyDetails { .. } => "tlog.entry_key_details",
            Self::NotPrehashed { .. } => "tlog.entry_not_prehashed",
            Self::Digest { .. } => "tlog.entry_digest",
            Self::Verifier => "tlog.entry_verifier",
            Self::Pem => "tlog.entry_pem",
            Self::SignatureCount { .. } => "tlog.entry_signatures",
            Self::AnswerCount { .. } => "tlog.answer_count",
            Self::Shards { .. } => "tlog.answer_shards",
            Self::Uuid { .. } => "tlog.entry_uuid",
            Self::UuidMismatch { .. } => "tlog.entry_uuid_mismatch",
            Self::UuidTree { .. } => "tlog.entry_uuid_tree",
            Self::NotCanonical => "tlog.entry_not_canonical",
        }
    }
}

/// A log's answer that it has an entry, as bundles carry it.
///
/// `Deserialize` is there for documents that contain entries; it is strict only under a strict reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "EntryWire", into = "EntryWire")]
pub struct LogEntry {
    /// The position of the entry in the log.
    pub log_index: u64,
    /// The identifier of the log: the whole key identifier, or for Rekor v1 the digest of the key.
    pub log_id: Hash,
    /// What kind of body the entry claims to have.
    pub kind: KindVersion,
    /// The time at which Rekor v1 says that it took the entry, in Unix seconds; absent or 0 in Rekor v2.
    pub integrated_time: Option<u64>,
    /// The signature of Rekor v1 over time, position and body.
    pub inclusion_promise: Option<Vec<u8>>,
    /// The proof that the entry is in the tree of a checkpoint.
    pub inclusion_proof: Option<InclusionProof>,
    /// The bytes that were logged: the content of the leaf.
    pub canonicalized_body: Vec<u8>,
}

/// The kind and version of an entry body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KindVersion {
    /// The kind, such as `hashedrekord`.
    pub kind: String,
    /// The version, such as `0.0.2`.
    pub version: String,
}

impl KindVersion {
    /// Returns the kind and version that Rekor v2 writes.
    pub fn hashedrekord_v002() -> Self {
        Self {
            kind: "hashedrekord".to_owned(),
            version: "0.0.2".to_owned(),
        }
    }
}

/// An inclusion proof as it stands in an entry. Index, size and root are copies that nobody signed: judge by the
/// entry's own index and by the verified checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The position of the leaf in the tree of the checkpoint.
    pub log_index: u64,
    /// The root of that tree.
    pub root_hash: Hash,
    /// The size of that tree.
    pub tree_size: u64,
    /// The siblings on the way from the leaf to the root, nearest first.
    pub hashes: Vec<Hash>,
    /// The signed note of the checkpoint; entries of old bundles have none.
    pub checkpoint: Option<String>,
}

impl LogEntry {
    /// Parses the JSON of one entry.
    pub fn parse(json: &[u8]) -> Result<Self, EntryError> {
        strict_json::from_slice::<EntryWire>(json, &RULES)?.try_into()
    }

    /// Encodes the entry as JSON.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an entry consists of text and lists")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EntryWire {
    /// Protobuf JSON leaves out zeros.
    #[serde(default)]
    log_index: Option<String>,
    log_id: LogIdWire,
    kind_version: KindVersion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    integrated_time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inclusion_promise: Option<PromiseWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inclusion_proof: Option<ProofWire>,
    canonicalized_body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct LogIdWire {
    key_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PromiseWire {
    signed_entry_timestamp: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProofWire {
    #[serde(default)]
    log_index: Option<String>,
    root_hash: String,
    tree_size: String,
    #[serde(default)]
    hashes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<CheckpointWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CheckpointWire {
    envelope: String,
}

impl TryFrom<EntryWire> for LogEntry {
    type Error = EntryError;

    fn try_from(wire: EntryWire) -> Result<Self, EntryError> {
        let promise = |wire: PromiseWire| bytes("signedEntryTimestamp", &wire.signed_entry_timestamp);
        Ok(Self {
            log_index: number_or_zero("logIndex", wire.log_index)?,
            log_id: hash("keyId", &wire.log_id.key_id)?,
            kind: wire.kind_version,
            integrated_time: wire
                .integrated_time
                .map(|text| number("integratedTime", text))
                .transpose()?,
            inclusion_promise: wire.inclusion_promise.map(promise).transpose()?,
            inclusion_proof: wire.inclusion_proof.map(InclusionProof::try_from).transpose()?,
            canonicalized_body: bytes("canonicalizedBody", &wire.canonicalized_body)?,
        })
    }
}

impl TryFrom<ProofWire> for InclusionProof {
    type Error = EntryError;

    fn try_from(wire: ProofWire) -> Result<Self, EntryError> {
        if wire.hashes.len() > MAX_PROOF_HASHES {
            return Err(EntryError::ProofHashes {
                found: wire.hashes.len(),
            });
        }
        Ok(Self {
            log_index: number_or_zero("inclusionProof.logIndex", wire.log_index)?,
            root_hash: hash("rootHash", &wire.root_hash)?,
            tree_size: number("treeSize", wire.tree_size)?,
            hashes: wire
                .hashes
                .iter()
                .map(|text| hash("hashes", text))
                .collect::<Result<_, _>>()?,
            checkpoint: wire.checkpoint.map(|checkpoint| checkpoint.envelope),
        })
    }
}

impl From<LogEntry> for EntryWire {
    fn from(entry: LogEntry) -> Self {
        let promise = |bytes: Vec<u8>| PromiseWire {
            signed_entry_timestamp: base64_encode(&bytes),
        };
        let proof = |proof: InclusionProof| ProofWire {
            log_index: Some(proof.log_index.to_string()),
            root_hash: proof.root_hash.to_base64(),
            tree_size: proof.tree_size.to_string(),
            hashes: proof.hashes.iter().map(Hash::to_base64).collect(),
            checkpoint: proof.checkpoint.map(|envelope| CheckpointWire { envelope }),
        };
        Self {
            log_index: Some(entry.log_index.to_string()),
            log_id: LogIdWire {
                key_id: entry.log_id.to_base64(),
            },
            kind_version: entry.kind,
            integrated_time: entry.integrated_time.map(|time| time.to_string()),
            inclusion_promise: entry.inclusion_promise.map(promise),
            inclusion_proof: entry.inclusion_proof.map(proof),
            canonicalized_body: base64_encode(&entry.canonicalized_body),
        }
    }
}

pub(crate) fn bytes(field: &'static str, text: &str) -> Result<Vec<u8>, EntryError> {
    base64_decode(text)
        .filter(|bytes| !bytes.is_empty())
        .ok_or(EntryError::Bytes { field })
}

fn hash(field: &'static str, text: &str) -> Result<Hash, EntryError> {
    Hash::from_base64(text).ok_or(EntryError::Bytes { field })
}

fn number(field: &'static str, text: String) -> Result<u64, EntryError> {
    decimal(&text).ok_or(EntryError::Number { field, found: text })
}

fn number_or_zero(field: &'static str, text: Option<String>) -> Result<u64, EntryError> {
    text.map_or(Ok(0), |text| number(field, text))
}
