//! A log's own word on its size and root.

use touchmark_tlog::checkpoint::{CheckpointError, VerifiedCheckpoint, verify_note};
use touchmark_verify::trust::TrustedLog;

/// Verifies that a note is a checkpoint of this log.
pub(super) fn verify_checkpoint(
    note: &[u8],
    log: &TrustedLog,
) -> Result<VerifiedCheckpoint, CheckpointError> {
    verify_note(note, &log.origin, &log.key)
}
