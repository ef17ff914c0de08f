//! Step 6: a log that the verifier trusts has an entry, and the entry is about this signature.
//!
//! A log proves that an entry exists, not that it is about us: digest, signature and key of its body are compared
//! with what was verified, on every path, or a genuine entry of something else could stand in (CVE-2022-36056,
//! CVE-2026-22703). The copies of size and root inside an inclusion proof are signed by nobody and not read; the
//! verified checkpoint counts. Requirements count operators, never entries.

mod body;
mod error;
mod inclusion;
mod signed;
mod views;

use std::collections::HashSet;

use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::entry::{EntryBody, LogEntry};

use super::envelope::Opened;
use super::memory::Memory;
use super::options::{LogRequirement, VerifyOptions};
use super::time::VerifiedTimes;
use crate::trust::{TrustedLog, TrustedRoot};
use crate::verified::{Check, LogFinding, TimeSource};

pub(super) use body::read_body;
pub use error::LogError;
pub(super) use signed::{Signed, SignedContent};

/// The log entries of a signature, each proven, at most one a log.
#[derive(Debug)]
pub(super) struct LoggedEnvelope {
    findings: Vec<LogFinding>,
    checks: Vec<Check>,
}

/// Locates an envelope in the logs that its bundle names.
pub(super) fn locate(
    opened: &Opened<'_>,
    times: &VerifiedTimes,
    root: &TrustedRoot,
    options: &VerifyOptions,
    memory: &Memory,
) -> Result<LoggedEnvelope, LogError> {
    let context = Context {
        times,
        root,
        options,
        memory,
    };
    context.locate(&opened.bundle().tlog_entries, opened.bodies(), &opened.signed())
}

/// What entries are judged by.
pub(super) struct Context<'c> {
    pub(super) times: &'c VerifiedTimes,
    pub(super) root: &'c TrustedRoot,
    pub(super) options: &'c VerifyOptions,
    pub(super) memory: &'c Memory,
}

impl Context<'_> {
    /// Locates what was signed in the logs that its bundle's entries name.
    pub(super) fn locate(
        &self,
        entries: &[LogEntry],
        bodies: &[EntryBody],
        signed: &Signed<'_>,
    ) -> Result<LoggedEnvelope, LogError> {
        refuse_duplicates(entries)?;
        let (mut findings, mut checks) = (Vec::new(), Vec::new());
        let mut witnessed = Vec::new();
        for (entry, (log_entry, body)) in entries.iter().zip(bodies).enumerate() {
            body::bind(entry, body, signed)?;
            let log = self.root.log(&log_entry.log_id).ok_or(LogError::LogUnknown {
                entry,
                log_id: log_entry.log_id,
            })?;
            checks.push(require_in_use(entry, log, self.times, self.options.at)?);
            let mut finding = self.prove(entry, log_entry, body, log)?;
            let views = views::examine(entry, &mut finding, log, self.options)?;
            finding.counts = views.witnessed;
            witnessed.push(views.witnessed);
            checks.extend(views.checks);
            findings.push(finding);
        }
        require_operators(&findings, &witnessed, self.options)?;
        checks.extend(outcomes(&findings, &self.options.log));
        Ok(LoggedEnvelope { findings, checks })
    }

    /// Proves that the log has the entry, or has at least promised to include it where the caller allows that.
    fn prove(
        &self,
        entry: usize,
        log_entry: &LogEntry,
        body: &EntryBody,
        log: &TrustedLog,
    ) -> Result<LogFinding, LogError> {
        let finding = |index, checkpoint| LogFinding {
            origin: log.origin.clone(),
            log_id: log.log_id,
            index,
            operator: log.operator.clone(),
            checkpoint,
            cosigned: Vec::new(),
            counts: true,
        };
        // Step 2 verified the promise that makes a time, and with it the position over all shards.
        let promise = TimeSource::InclusionPromise { log_id: log.log_id };
        let times = self.times.as_slice();
        let promised = body.is_rekor_v1() && times.iter().any(|time| time.source == promise);
        if log_entry.inclusion_proof.is_none() && self.options.allow_promise_only && promised {
            return Ok(finding(log_entry.log_index, None));
        }
        let proven = inclusion::prove(entry, log_entry, body, log, self.memory)?;
        let index = match promised {
            true => log_entry.log_index,
            false => proven.index,
        };
        Ok(finding(index, Some(proven.checkpoint)))
    }
}

/// Examines who else saw the checkpoint of one finding; a quorum of witnesses that is asked for must be there.
pub(super) fn examine_views(
    entry: usize,
    finding: &mut LogFinding,
    log: &TrustedLog,
    options: &VerifyOptions,
) -> Result<Vec<Check>, LogError> {
    let views = views::examine(entry, finding, log, options)?;
    if views.witnessed {
        return Ok(views.checks);
    }
    Err(views::quorum_missing(
        std::slice::from_ref(finding),
        &[false],
        options,
    ))
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

/// Counts the operators of the logs whose checkpoints enough witnesses have cosigned, where that is asked for.
fn require_operators(
    findings: &[LogFinding],
    witnessed: &[bool],
    options: &VerifyOptions,
) -> Result<(), LogError> {
    // A log that nobody is named for stands for itself.
    let operator = |finding: &LogFinding| {
        finding
            .operator
            .clone()
            .unwrap_or_else(|| format!("log {}", finding.log_id))
    };
    let all: HashSet<_> = findings.iter().map(operator).collect();
    let satisfied = findings
        .iter()
        .zip(witnessed)
        .filter(|(_, satisfied)| **satisfied);
    let counted: HashSet<_> = satisfied.map(|(finding, _)| operator(finding)).collect();
    let required = match &options.log {
        LogRequirement::Inclusion { operators } => usize::from(operators.get()),
        LogRequirement::DangerouslyUnlogged { .. } => 0,
    };
    if all.is_empty() && required > 0 {
        return Err(LogError::EntryMissing);
    }
    if all.len() < required {
        return Err(LogError::TooFewOperators {
            required,
            found: all.len(),
        });
    }
    // Without any entry there is nothing that witnesses could have seen.
    if counted.len() < required || (counted.is_empty() && !all.is_empty()) {
        return Err(views::quorum_missing(findings, witnessed, options));
    }
    Ok(())
}

fn outcomes(findings: &[LogFinding], requirement: &LogRequirement) -> Vec<Check> {
    match requirement {
        LogRequirement::DangerouslyUnlogged { reason } if findings.is_empty() => {
            return vec![Check::skipped(
                "tlog.inclusion",
                format!("not asked for: {reason}"),
            )];
        }
        _ => {}
    }
    if findings.iter().any(|finding| finding.checkpoint.is_none()) {
        return vec![
            Check::pass("tlog.binding"),
            Check::skipped(
                "tlog.inclusion",
                "the log only promised to include the entry, which the caller allows for bundles of version 0.1",
            ),
        ];
    }
    vec![
        Check::pass("tlog.binding"),
        Check::pass("tlog.checkpoint"),
        Check::pass("tlog.inclusion"),
    ]
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
