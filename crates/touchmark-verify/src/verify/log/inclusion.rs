//! The entry's body is a leaf of the tree whose checkpoint the named log signed.

use touchmark_tlog::checkpoint::{CheckpointError, VerifiedCheckpoint, verify_note, verify_rekor_v1_note};
use touchmark_tlog::entry::{EntryBody, LogEntry};
use touchmark_tlog::merkle::{leaf_hash, verify_inclusion};

use super::LogError;
use crate::trust::TrustedLog;
use crate::verify::memory::Memory;

/// A proven entry: its position in the tree, and the checkpoint of that tree.
pub(super) struct Proven {
    pub(super) index: u64,
    pub(super) checkpoint: VerifiedCheckpoint,
}

/// Proves the inclusion of one entry.
pub(super) fn prove(
    entry: usize,
    log_entry: &LogEntry,
    body: &EntryBody,
    log: &TrustedLog,
    memory: &Memory,
) -> Result<Proven, LogError> {
    let proof = log_entry
        .inclusion_proof
        .as_ref()
        .ok_or(LogError::ProofMissing { entry })?;
    let note = proof
        .checkpoint
        .as_ref()
        .ok_or(LogError::ProofMissing { entry })?;
    let checkpoint =
        verified(note, body, log, memory).map_err(|source| LogError::Checkpoint { entry, source })?;
    // The entry of a Rekor v1 log has a position over all its trees, and the proof the one in its own tree.
    let index = match body.is_rekor_v1() {
        true => proof.log_index,
        false => log_entry.log_index,
    };
    let leaf = leaf_hash(&log_entry.canonicalized_body);
    verify_inclusion(&leaf, index, checkpoint.size(), &proof.hashes, checkpoint.root())
        .map_err(|source| LogError::Inclusion { entry, source })?;
    Ok(Proven { index, checkpoint })
}

/// Verifies the checkpoint by the rules of the log's generation, which the kind of the entry tells.
fn verified(
    note: &str,
    body: &EntryBody,
    log: &TrustedLog,
    memory: &Memory,
) -> Result<VerifiedCheckpoint, CheckpointError> {
    // The two generations' origins have no form in common, so that a remembered one is of the right generation.
    let fits = |checkpoint: &VerifiedCheckpoint| match body.is_rekor_v1() {
        true => checkpoint.checkpoint().rekor_v1_origin().is_some(),
        false => checkpoint.checkpoint().origin == log.origin,
    };
    if let Some(checkpoint) = memory.checkpoint(&log.log_id, note).filter(fits) {
        return Ok(checkpoint);
    }
    let checkpoint = match body.is_rekor_v1() {
        true => verify_rekor_v1_note(note.as_bytes(), &log.key)?,
        false => verify_note(note.as_bytes(), &log.origin, &log.key)?,
    };
    memory.keep_checkpoint(&log.log_id, note, &checkpoint);
    Ok(checkpoint)
}
