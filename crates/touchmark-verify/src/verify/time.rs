//! Step 2: times, each authenticated by its own authority. A time that nobody signed is not a time.
//!
//! A key-signed bundle with Rekor v2 entries has none: `integratedTime` there is a number in a file and is ignored.
//! A verified time is an upper bound on when a signature was made, nothing more.

use thiserror::Error;

use super::structure::Shape;
use crate::verified::{Check, VerifiedTime};

/// Why a time source was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The bundle has RFC 3161 timestamps, which this version does not verify, and what is there must verify.
    #[error("the bundle has {found} RFC 3161 timestamps, which this version does not verify")]
    TimestampUnsupported {
        /// How many.
        found: usize,
    },
}

impl TimeError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TimestampUnsupported { .. } => "time.timestamp_unsupported",
        }
    }
}

/// The times that were verified; there may be none.
#[derive(Debug)]
pub(super) struct VerifiedTimes {
    times: Vec<VerifiedTime>,
    ignored_integrated_time: bool,
}

/// Establishes the times of a bundle.
pub(super) fn establish(shape: &Shape<'_>) -> Result<VerifiedTimes, TimeError> {
    let bundle = shape.bundle();
    if !bundle.timestamps.is_empty() {
        return Err(TimeError::TimestampUnsupported {
            found: bundle.timestamps.len(),
        });
    }
    let claimed = |time: Option<u64>| time.is_some_and(|seconds| seconds != 0);
    let ignored_integrated_time = bundle
        .tlog_entries
        .iter()
        .any(|entry| claimed(entry.integrated_time));
    Ok(VerifiedTimes {
        times: Vec::new(),
        ignored_integrated_time,
    })
}

impl VerifiedTimes {
    pub(super) fn as_slice(&self) -> &[VerifiedTime] {
        &self.times
    }

    pub(super) fn into_verified(self) -> Vec<VerifiedTime> {
        self.times
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        let mut checks = vec![Check::skipped(
            "time.signed",
            "the bundle carries no time that an authority signed",
        )];
        if self.ignored_integrated_time {
            checks.push(Check::skipped(
                "time.integrated",
                "an integratedTime that nobody signed is not a time",
            ));
        }
        checks
    }

    #[cfg(test)]
    pub(super) fn for_test(times: Vec<VerifiedTime>) -> Self {
        Self {
            times,
            ignored_integrated_time: false,
        }
    }
}
