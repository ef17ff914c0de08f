//! Why log entries were refused, or are not enough.

use thiserror::Error;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::checkpoint::CheckpointError;
use touchmark_tlog::cosignature::CosignatureError;
use touchmark_tlog::entry::EntryError;
use touchmark_tlog::merkle::{Hash, MerkleError};

use crate::key::KeyFingerprint;
use crate::remembered::{Fork, RememberedError};
use crate::window::Window;

/// Why log entries were refused, or are not enough. `entry` is the position in the bundle.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// There is no log entry, and one is required.
    #[error("the bundle has no log entry")]
    EntryMissing,
    /// The entries are in the logs of too few operators.
    #[error("log entries of {required} operators are required, found {found}")]
    TooFewOperators {
        /// How many are required.
        required: usize,
        /// How many there are.
        found: usize,
    },
    /// Two entries name one log.
    #[error("log entry {entry} is the second one of log {log_id}")]
    DuplicateEntry {
        /// The second entry.
        entry: usize,
        /// The log.
        log_id: Hash,
    },
    /// The entry is of an unknown kind.
    #[error("log entry {entry} is of unknown kind {kind:?} {version:?}")]
    EntryKind {
        /// The entry.
        entry: usize,
        /// The kind found.
        kind: String,
        /// The version found.
        version: String,
    },
    /// The body of the entry is not what its kind demands.
    #[error("the body of log entry {entry} is malformed")]
    Body {
        /// The entry.
        entry: usize,
        /// What is wrong with it.
        #[source]
        source: EntryError,
    },
    /// The entry is about another key.
    #[error("log entry {entry} is about another key than {expected}")]
    VerifierMismatch {
        /// The entry.
        entry: usize,
        /// The key that signed the envelope.
        expected: KeyFingerprint,
        /// The key in the entry; `None` if it is a certificate.
        found: Option<KeyFingerprint>,
    },
    /// The entry names another algorithm than the key's.
    #[error("log entry {entry} names algorithm {found} for a key of {expected}")]
    KeyDetailsMismatch {
        /// The entry.
        entry: usize,
        /// The key's algorithm.
        expected: &'static str,
        /// The algorithm named.
        found: &'static str,
    },
    /// The entry is about other bytes.
    #[error("log entry {entry} is about digest {found}, but the signed bytes have {expected}")]
    DigestMismatch {
        /// The entry.
        entry: usize,
        /// The digest of the envelope's pre-authentication encoding, hex.
        expected: String,
        /// The digest in the entry, hex.
        found: String,
    },
    /// The entry is about another signature.
    #[error("log entry {entry} is about another signature than the envelope's")]
    SignatureMismatch {
        /// The entry.
        entry: usize,
    },
    /// The entry has another number of signatures than the envelope's one.
    #[error("log entry {entry} is about an envelope with {found} signatures, not one")]
    SignatureCount {
        /// The entry.
        entry: usize,
        /// How many it has.
        found: usize,
    },
    /// The entry is about an envelope, and the bundle has none.
    #[error("log entry {entry} is a {kind} entry, but no envelope was signed")]
    NoEnvelope {
        /// The entry.
        entry: usize,
        /// Its kind.
        kind: &'static str,
    },
    /// The entry names another payload type than the envelope.
    #[error("log entry {entry} is about payload type {found:?}")]
    PayloadTypeMismatch {
        /// The entry.
        entry: usize,
        /// The payload type found, shortened.
        found: String,
    },
    /// The entry has a digest that the caller does not know of the message.
    #[error("log entry {entry} has a {algorithm} digest, which is not known of the message")]
    DigestUnknown {
        /// The entry.
        entry: usize,
        /// The hash function.
        algorithm: &'static str,
    },
    /// A cosignature of a known witness is wrong.
    #[error("the checkpoint of log entry {entry} has a wrong cosignature")]
    Cosignature {
        /// The entry.
        entry: usize,
        /// What is wrong with it.
        #[source]
        source: CosignatureError,
    },
    /// Too few witnesses have cosigned the checkpoint, or the witness policy does not know the log.
    #[error("the checkpoint of {origin:?} lacks the quorum {quorum:?}; cosigned by {cosigned:?}")]
    WitnessQuorum {
        /// The entry.
        entry: usize,
        /// The log.
        origin: String,
        /// The quorum's name in the policy.
        quorum: String,
        /// The witnesses that did cosign.
        cosigned: Vec<String>,
    },
    /// The remembered checkpoint cannot be read.
    #[error("what is remembered of the log of entry {entry} is lost")]
    RememberedUnreadable {
        /// The entry.
        entry: usize,
        /// What is wrong.
        #[source]
        source: RememberedError,
    },
    /// The remembered checkpoint is not one that the log signed.
    #[error("what is remembered of the log of entry {entry} is no checkpoint of it")]
    RememberedCheckpoint {
        /// The entry.
        entry: usize,
        /// What is wrong with it.
        #[source]
        source: CheckpointError,
    },
    /// The checkpoint contradicts the remembered one: the log shows two views.
    #[error("the log of entry {entry} shows two views")]
    Fork {
        /// The entry.
        entry: usize,
        /// Both notes.
        #[source]
        source: Box<Fork>,
    },
    /// The log is not in the trusted root.
    #[error("log entry {entry} names log {log_id}, which is not trusted")]
    LogUnknown {
        /// The entry.
        entry: usize,
        /// The log id found.
        log_id: Hash,
    },
    /// No log of the trusted root has signed the checkpoint.
    #[error("no trusted log has signed this checkpoint of {origin:?}")]
    NoLog {
        /// The origin that the checkpoint states.
        origin: String,
    },
    /// The log was not in use at the time that counts.
    #[error("log entry {entry} is of {origin:?}, trusted {window}, not at {at}")]
    OutsideLogWindow {
        /// The entry.
        entry: usize,
        /// The log.
        origin: String,
        /// Its window.
        window: Window,
        /// The time that falls outside.
        at: Timestamp,
    },
    /// The entry has no inclusion proof with a checkpoint.
    #[error("log entry {entry} has no inclusion proof with a checkpoint")]
    ProofMissing {
        /// The entry.
        entry: usize,
    },
    /// The checkpoint is malformed, or not signed by the log that the entry names.
    #[error("the checkpoint of log entry {entry} does not verify")]
    Checkpoint {
        /// The entry.
        entry: usize,
        /// What is wrong with it.
        #[source]
        source: CheckpointError,
    },
    /// The inclusion proof does not lead to the checkpoint.
    #[error("the inclusion proof of log entry {entry} does not verify")]
    Inclusion {
        /// The entry.
        entry: usize,
        /// What is wrong with it.
        #[source]
        source: MerkleError,
    },
}

impl LogError {
    /// Returns the stable code of this failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EntryMissing => "tlog.entry_missing",
            Self::TooFewOperators { .. } => "tlog.too_few_operators",
            Self::DuplicateEntry { .. } => "tlog.duplicate_entry",
            Self::EntryKind { .. } => "tlog.entry_kind",
            Self::Body { source, .. } => source.code(),
            Self::VerifierMismatch { .. } => "tlog.verifier_mismatch",
            Self::KeyDetailsMismatch { .. } => "tlog.key_details_mismatch",
            Self::DigestMismatch { .. } => "tlog.digest_mismatch",
            Self::SignatureMismatch { .. } => "tlog.signature_mismatch",
            Self::SignatureCount { .. } => "tlog.signature_count",
            Self::NoEnvelope { .. } => "tlog.no_envelope",
            Self::PayloadTypeMismatch { .. } => "tlog.payload_type_mismatch",
            Self::DigestUnknown { .. } => "tlog.digest_unknown",
            Self::Cosignature { source, .. } => source.code(),
            Self::WitnessQuorum { .. } => "tlog.witness_quorum",
            Self::RememberedUnreadable { .. } | Self::RememberedCheckpoint { .. } => {
                "tlog.remembered_unreadable"
            }
            Self::Fork { source, .. } => source.code(),
            Self::LogUnknown { .. } | Self::NoLog { .. } => "tlog.log_unknown",
            Self::OutsideLogWindow { .. } => "tlog.outside_log_window",
            Self::ProofMissing { .. } => "tlog.proof_missing",
            Self::Checkpoint { source, .. } => source.code(),
            Self::Inclusion { source, .. } => source.code(),
        }
    }
}
