//! A log's answer against what was sent, and its proofs under the log's key. Both, before anybody sees it.

use touchmark_tlog::checkpoint::{VerifiedCheckpoint, verify_note, verify_rekor_v1_note};
use touchmark_tlog::entry::rekor_v1::promise_payload;
use touchmark_tlog::entry::{InclusionProof, KindVersion, LogEntry};
use touchmark_tlog::merkle::{Hash, leaf_hash, verify_inclusion};
use touchmark_verify::trust::TrustedLog;

use crate::error::{Missing, PublishError};

/// What the log must hold after a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) kind: KindVersion,
    pub(crate) body: Vec<u8>,
}

impl Expected {
    /// Compares body, kind and version, byte by byte.
    pub(crate) fn compare(&self, answer: &LogEntry) -> Result<(), PublishError> {
        if answer.canonicalized_body == self.body && answer.kind == self.kind {
            Ok(())
        } else {
            Err(PublishError::OtherEntry)
        }
    }
}

/// Verifies an answer of Rekor v2: ours, of a trusted log, in the tree that the log signed.
pub(crate) fn verify_v2(
    expected: &Expected,
    answer: &LogEntry,
    logs: &[TrustedLog],
) -> Result<(), PublishError> {
    let log = log_of(&answer.log_id, logs)?;
    expected.compare(answer)?;
    let (proof, note) = proof(answer)?;
    let checkpoint = verify_note(note.as_bytes(), &log.origin, &log.key)?;
    // The copies of index, size and root inside the proof are signed by nobody: the entry's own index and the
    // verified checkpoint count.
    include(answer, answer.log_index, &proof.hashes, &checkpoint)
}

/// Verifies an answer of Rekor v1: ours, of a trusted log, promised and in the tree that the log signed.
pub(crate) fn verify_v1(
    expected: &Expected,
    answer: &LogEntry,
    logs: &[TrustedLog],
) -> Result<(), PublishError> {
    let log = log_of(&answer.log_id, logs)?;
    expected.compare(answer)?;
    let promise = answer
        .inclusion_promise
        .as_ref()
        .ok_or(PublishError::Incomplete {
            part: Missing::Promise,
        })?;
    let payload = promise_payload(answer).ok_or(PublishError::Incomplete {
        part: Missing::Promise,
    })?;
    log.key
        .verify(&payload, promise)
        .map_err(|_| PublishError::Promise)?;
    let (proof, note) = proof(answer)?;
    let checkpoint = verify_rekor_v1_note(note.as_bytes(), &log.key)?;
    // The index inside the proof counts within one shard; that outside, which the promise signs, counts over all.
    include(answer, proof.log_index, &proof.hashes, &checkpoint)
}

fn log_of<'a>(log_id: &Hash, logs: &'a [TrustedLog]) -> Result<&'a TrustedLog, PublishError> {
    logs.iter()
        .find(|log| log.log_id == *log_id)
        .ok_or(PublishError::UnknownLog { log_id: *log_id })
}

fn proof(answer: &LogEntry) -> Result<(&InclusionProof, &str), PublishError> {
    answer
        .inclusion_proof
        .as_ref()
        .and_then(|proof| Some((proof, proof.checkpoint.as_deref()?)))
        .ok_or(PublishError::Incomplete { part: Missing::Proof })
}

fn include(
    answer: &LogEntry,
    index: u64,
    hashes: &[Hash],
    checkpoint: &VerifiedCheckpoint,
) -> Result<(), PublishError> {
    verify_inclusion(
        &leaf_hash(&answer.canonicalized_body),
        index,
        checkpoint.size(),
        hashes,
        checkpoint.root(),
    )?;
    Ok(())
}
