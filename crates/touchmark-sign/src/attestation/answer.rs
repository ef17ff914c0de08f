//! A log's answer against what was sent: the same digest, signature and key, in the tree the log signed.

use touchmark_tlog::checkpoint::verify_note;
use touchmark_tlog::entry::{CreateEntryRequest, HashedRekordV002, KindVersion, LogEntry};
use touchmark_tlog::merkle::{leaf_hash, verify_inclusion};
use touchmark_verify::trust::TrustedLog;

use super::{Answer, AttestationError};

/// Verifies an answer under the log's key.
pub(super) fn verify(
    sent: &CreateEntryRequest,
    answer: &LogEntry,
    log: &TrustedLog,
) -> Result<(), AttestationError> {
    let other = |part| AttestationError::OtherAnswer { part };
    if answer.log_id != log.log_id {
        return Err(other(Answer::Log));
    }
    if answer.kind != KindVersion::hashedrekord_v002() {
        return Err(other(Answer::Kind));
    }
    let found = HashedRekordV002::parse_canonical(&answer.canonicalized_body)?;
    let expected = sent.to_entry()?;
    if (found.hash, &found.digest) != (expected.hash, &expected.digest) {
        return Err(other(Answer::Digest));
    }
    if found.signature != expected.signature {
        return Err(other(Answer::Signature));
    }
    if found.verifier != expected.verifier {
        return Err(other(Answer::Key));
    }
    let proof = answer
        .inclusion_proof
        .as_ref()
        .ok_or_else(|| other(Answer::Proof))?;
    let note = proof.checkpoint.as_ref().ok_or_else(|| other(Answer::Proof))?;
    let checkpoint = verify_note(note.as_bytes(), &log.origin, &log.key)?;
    let leaf = leaf_hash(&answer.canonicalized_body);
    // The copies of index, size and root inside the proof are signed by nobody: the entry's own index and the
    // verified checkpoint count.
    verify_inclusion(
        &leaf,
        answer.log_index,
        checkpoint.size(),
        &proof.hashes,
        checkpoint.root(),
    )?;
    Ok(())
}
