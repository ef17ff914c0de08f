//! A C2SP log proof against a trusted root: an entry is in a log, whoever signed it and whatever it says.

use touchmark_tlog::checkpoint::{
    Checkpoint, CheckpointError, VerifiedCheckpoint, verify_note, verify_rekor_v1_note,
};
use touchmark_tlog::merkle::Hash;
use touchmark_tlog::note::Note;
use touchmark_tlog::tlog_proof::TlogProof;

use super::log::{LogError, examine_views};
use super::options::VerifyOptions;
use crate::trust::{TrustedLog, TrustedRoot};
use crate::verified::{Check, LogFinding};

/// An entry that was proven to be in a log of the trusted root.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProvenEntry {
    /// The log, and where in it the entry is. The position is the one in the tree of the checkpoint.
    pub log: LogFinding,
    /// What was checked, and what was not and why.
    pub checks: Vec<Check>,
}

/// Verifies that a log of the trusted root has the leaf with this hash where the proof says, with the quorum of
/// witnesses and the remembered checkpoint where the options ask for them.
///
/// A log proof knows no time, so that of a log's window only the start is compared, with the time of judgement.
pub fn verify_log_proof(
    proof: &TlogProof,
    leaf: &Hash,
    root: &TrustedRoot,
    options: &VerifyOptions,
) -> Result<ProvenEntry, LogError> {
    let entry = 0;
    let (log, checkpoint) = signed_by(&proof.checkpoint, root)?;
    if options.at < log.valid_for.start {
        return Err(LogError::OutsideLogWindow {
            entry,
            origin: log.origin.clone(),
            window: log.valid_for,
            at: options.at,
        });
    }
    proof
        .verify(leaf, &checkpoint)
        .map_err(|source| LogError::Inclusion { entry, source })?;
    let mut finding = LogFinding {
        origin: log.origin.clone(),
        log_id: log.log_id,
        index: proof.index,
        operator: log.operator.clone(),
        checkpoint: Some(checkpoint),
        cosigned: Vec::new(),
        counts: true,
    };
    let window = match log.valid_for.end {
        Some(end) if end < options.at => Check::skipped(
            "tlog.window",
            "the log is retired, and a log proof does not tell when it took the entry",
        ),
        _ => Check::pass("tlog.window"),
    };
    let mut checks = vec![
        Check::pass("tlog.checkpoint"),
        Check::pass("tlog.inclusion"),
        window,
    ];
    checks.extend(examine_views(entry, &mut finding, log, options)?);
    Ok(ProvenEntry { log: finding, checks })
}

/// Finds the trusted log that signed a checkpoint. Where none did, the error is that of the log it names.
fn signed_by<'r>(
    note: &str,
    root: &'r TrustedRoot,
) -> Result<(&'r TrustedLog, VerifiedCheckpoint), LogError> {
    let malformed = |source: CheckpointError| LogError::Checkpoint { entry: 0, source };
    let parsed = Note::parse(note.as_bytes()).map_err(|error| malformed(error.into()))?;
    let said = Checkpoint::parse(parsed.text()).map_err(malformed)?;
    let mut refused = None;
    for log in root.logs() {
        // A log of either generation: `<host> - <tree>` is no origin of the second, which has no spaces.
        let (verified, named) = match said.rekor_v1_origin() {
            Some((host, _)) => (
                verify_rekor_v1_note(note.as_bytes(), &log.key),
                host == log.origin,
            ),
            None => (
                verify_note(note.as_bytes(), &log.origin, &log.key),
                said.origin == log.origin,
            ),
        };
        match verified {
            Ok(checkpoint) => return Ok((log, checkpoint)),
            Err(error) if named && refused.is_none() => refused = Some(error),
            Err(_) => {}
        }
    }
    Err(refused.map_or(LogError::NoLog { origin: said.origin }, malformed))
}
