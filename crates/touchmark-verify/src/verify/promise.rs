//! The inclusion promise (SET) of a Rekor v1 entry: the log's signature over body, time and position.
//!
//! It is what makes `integratedTime` a time; without it that is a number in a file. A promise that is there must
//! verify, and its time must lie in the log's window. On entries of Rekor v2 nobody makes promises, and none is read.

use thiserror::Error;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::entry::rekor_v1::promise_payload;
use touchmark_tlog::entry::{EntryBody, LogEntry};
use touchmark_tlog::merkle::Hash;

use crate::trust::TrustedRoot;
use crate::verified::{TimeSource, VerifiedTime};
use crate::window::Window;

/// Why an inclusion promise was refused. `entry` is the position in the bundle.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PromiseError {
    /// The log is not in the trusted root.
    #[error("the inclusion promise of log entry {entry} is of log {log_id}, which is not trusted")]
    LogUnknown {
        /// The entry.
        entry: usize,
        /// The log id found.
        log_id: Hash,
    },
    /// The entry has a promise and no time, or one that is no time.
    #[error("the inclusion promise of log entry {entry} has no time that it could be about")]
    NoTime {
        /// The entry.
        entry: usize,
    },
    /// The log did not sign this body, time, log and position.
    #[error("the inclusion promise of log entry {entry} is not a signature of log {origin:?}")]
    Signature {
        /// The entry.
        entry: usize,
        /// The log.
        origin: String,
    },
    /// The log was not in use at the time that it signed.
    #[error("log entry {entry} was promised at {at} by {origin:?}, which is trusted {window}")]
    OutsideLogWindow {
        /// The entry.
        entry: usize,
        /// The log.
        origin: String,
        /// Its window.
        window: Window,
        /// The time signed.
        at: Timestamp,
    },
}

impl PromiseError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::LogUnknown { .. } => "tlog.log_unknown",
            Self::NoTime { .. } => "tlog.promise_time",
            Self::Signature { .. } => "tlog.promise_signature",
            Self::OutsideLogWindow { .. } => "tlog.outside_log_window",
        }
    }
}

/// Authenticates the promise of one entry; `None` if it has none, or is of Rekor v2.
pub(super) fn authenticate(
    entry: usize,
    log_entry: &LogEntry,
    body: &EntryBody,
    root: &TrustedRoot,
) -> Result<Option<VerifiedTime>, PromiseError> {
    let Some(promise) = log_entry
        .inclusion_promise
        .as_ref()
        .filter(|_| body.is_rekor_v1())
    else {
        return Ok(None);
    };
    let log_id = log_entry.log_id;
    let log = root
        .log(&log_id)
        .ok_or(PromiseError::LogUnknown { entry, log_id })?;
    let no_time = || PromiseError::NoTime { entry };
    let seconds = log_entry.integrated_time.filter(|seconds| *seconds > 0);
    let seconds = i64::try_from(seconds.ok_or_else(no_time)?).map_err(|_| no_time())?;
    let at = Timestamp::from_unix(seconds).map_err(|_| no_time())?;
    let payload = promise_payload(log_entry).ok_or_else(no_time)?;
    log.key
        .verify(&payload, promise)
        .map_err(|_| PromiseError::Signature {
            entry,
            origin: log.origin.clone(),
        })?;
    if !log.valid_for.contains(at) {
        return Err(PromiseError::OutsideLogWindow {
            entry,
            origin: log.origin.clone(),
            window: log.valid_for,
            at,
        });
    }
    Ok(Some(VerifiedTime {
        not_after: at,
        source: TimeSource::InclusionPromise { log_id },
    }))
}
