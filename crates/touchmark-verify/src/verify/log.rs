//! Step 6: a log that the verifier trusts has an entry, and the entry is about this envelope.
//!
//! A log proves that an entry exists, not that it is about us: digest, signature and key of its body are compared
//! with the envelope, on every path, or a genuine entry of something else could stand in (CVE-2022-36056,
//! CVE-2026-22703). The copies of index, size and root inside an inclusion proof are signed by nobody and not read;
//! the entry's own index and the verified checkpoint count. Requirements count operators, never entries.

mod body;
mod error;

use std::collections::HashSet;

use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::checkpoint::{VerifiedCheckpoint, verify_note};
use touchmark_tlog::entry::LogEntry;
use touchmark_tlog::merkle::{leaf_hash, verify_inclusion};

use super::envelope::OpenedEnvelope;
use super::memory::Memory;
use super::options::{LogRequirement, VerifyOptions};
use super::time::VerifiedTimes;
use crate::trust::{TrustedLog, TrustedRoot};
use crate::verified::{Check, LogFinding};

pub(super) use body::read_body;
pub use error::LogError;

/// The log entries of an envelope, each proven, at most one a log.
#[derive(Debug)]
pub(super) struct LoggedEnvelope {
    findings: Vec<LogFinding>,
    checks: Vec<Check>,
}

/// Locates the envelope in the logs that the bundle names.
pub(super) fn locate(
    opened: &OpenedEnvelope<'_>,
    times: &VerifiedTimes,
    root: &TrustedRoot,
    options: &VerifyOptions,
    memory: &Memory,
) -> Result<LoggedEnvelope, LogError> {
    let entries = &opened.bundle().tlog_entries;
    refuse_duplicates(entries)?;
    let mut logged = LoggedEnvelope {
        findings: Vec::new(),
        checks: Vec::new(),
    };
    for (entry, (log_entry, body)) in entries.iter().zip(opened.bodies()).enumerate() {
        body::bind(entry, body, opened)?;
        let log = root.log(&log_entry.log_id).ok_or(LogError::LogUnknown {
            entry,
            log_id: log_entry.log_id,
        })?;
        logged.checks.push(require_in_use(entry, log, times, options.at)?);
        let checkpoint = prove_inclusion(entry, log_entry, log, memory)?;
        logged.findings.push(LogFinding {
            origin: log.origin.clone(),
            log_id: log.log_id,
            index: log_entry.log_index,
            operator: log.operator.clone(),
            checkpoint,
        });
    }
    require_operators(&logged.findings, &options.log)?;
    logged.checks.extend(outcomes(&logged.findings, &options.log));
    Ok(logged)
}

/// Refuses a second entry of one log: it adds nothing, and would invite counting.
fn refuse_duplicates(entries: &[LogEntry]) -> Result<(), LogError> {
    let mut seen = HashSet::new();
    for (entry, log_entry) in entries.iter().enumerate() {
        if !seen.insert(log_entry.log_id) {
            return Err(LogError::DuplicateEntry {
                entry,
                log_id: log_entry.log_id,
            });
        }
    }
    Ok(())
}

/// The log was in use at every verified time. Without one, only its start can be compared, with the time of judgement.
fn require_in_use(
    entry: usize,
    log: &TrustedLog,
    times: &VerifiedTimes,
    at: Timestamp,
) -> Result<Check, LogError> {
    let window = log.valid_for;
    let outside = |at| LogError::OutsideLogWindow {
        entry,
        origin: log.origin.clone(),
        window,
        at,
    };
    if at < window.start {
        return Err(outside(at));
    }
    if let Some(time) = times
        .as_slice()
        .iter()
        .find(|time| !window.contains(time.not_after))
    {
        return Err(outside(time.not_after));
    }
    let retired = window.end.is_some_and(|end| end < at);
    if times.as_slice().is_empty() && retired {
        return Ok(Check::skipped(
            "tlog.window",
            "the log is retired, and no verified time tells when it took the entry",
        ));
    }
    Ok(Check::pass("tlog.window"))
}

/// The entry's body is a leaf of the tree whose checkpoint the named log signed.
fn prove_inclusion(
    entry: usize,
    log_entry: &LogEntry,
    log: &TrustedLog,
    memory: &Memory,
) -> Result<VerifiedCheckpoint, LogError> {
    let proof = log_entry
        .inclusion_proof
        .as_ref()
        .ok_or(LogError::ProofMissing { entry })?;
    let note = proof
        .checkpoint
        .as_ref()
        .ok_or(LogError::ProofMissing { entry })?;
    let checkpoint = match memory.checkpoint(&log.log_id, note) {
        Some(checkpoint) => checkpoint,
        None => {
            let checkpoint = verify_note(note.as_bytes(), &log.origin, &log.key)
                .map_err(|source| LogError::Checkpoint { entry, source })?;
            memory.keep_checkpoint(&log.log_id, note, &checkpoint);
            checkpoint
        }
    };
    let leaf = leaf_hash(&log_entry.canonicalized_body);
    verify_inclusion(
        &leaf,
        log_entry.log_index,
        checkpoint.size(),
        &proof.hashes,
        checkpoint.root(),
    )
    .map_err(|source| LogError::Inclusion { entry, source })?;
    Ok(checkpoint)
}

fn require_operators(findings: &[LogFinding], requirement: &LogRequirement) -> Result<(), LogError> {
    let LogRequirement::Inclusion { operators } = requirement else {
        return Ok(());
    };
    // A log that nobody is named for stands for itself.
    let distinct: HashSet<_> = findings
        .iter()
        .map(|finding| {
            finding
                .operator
                .clone()
                .unwrap_or_else(|| format!("log {}", finding.log_id))
        })
        .collect();
    let required = usize::from(operators.get());
    match distinct.len() {
        0 => Err(LogError::EntryMissing),
        found if found < required => Err(LogError::TooFewOperators { required, found }),
        _ => Ok(()),
    }
}

fn outcomes(findings: &[LogFinding], requirement: &LogRequirement) -> Vec<Check> {
    match requirement {
        LogRequirement::DangerouslyUnlogged { reason } if findings.is_empty() => {
            vec![Check::skipped(
                "tlog.inclusion",
                format!("not asked for: {reason}"),
            )]
        }
        _ => vec![
            Check::pass("tlog.binding"),
            Check::pass("tlog.checkpoint"),
            Check::pass("tlog.inclusion"),
            Check::skipped(
                "tlog.consistency",
                "the checkpoint was not compared with a remembered one",
            ),
            Check::skipped("tlog.witnesses", "no quorum of witnesses was asked for"),
        ],
    }
}

impl LoggedEnvelope {
    pub(super) fn into_findings(self) -> Vec<LogFinding> {
        self.findings
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        self.checks.clone()
    }
}

#[cfg(test)]
mod tests;
