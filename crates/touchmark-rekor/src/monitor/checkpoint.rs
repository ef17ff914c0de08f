//! A log's own word on its size and root.

use touchmark_tlog::checkpoint::{CheckpointError, VerifiedCheckpoint, verify_note, verify_rekor_v1_note};
use touchmark_verify::trust::TrustedLog;

/// Verifies that a note is a checkpoint of this log; of a Rekor v1 log, of any of its trees.
pub(super) fn verify_checkpoint(
    note: &[u8],
    log: &TrustedLog,
) -> Result<VerifiedCheckpoint, CheckpointError> {
    match verify_note(note, &log.origin, &log.key) {
        Ok(checkpoint) => Ok(checkpoint),
        // What is refused as Rekor v1's as well is refused for what is wrong with it as this log's.
        Err(error) => verify_rekor_v1_note(note, &log.key).map_err(|_| error),
    }
}
