//! What a caller asks of verification.

use std::num::NonZeroU8;
use std::sync::Arc;

use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::witness_policy::WitnessPolicy;

use crate::remembered::RememberedCheckpoints;

/// How to verify.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The time of judgement: nothing that begins later counts.
    pub at: Timestamp,
    /// What is asked of transparency logs.
    pub log: LogRequirement,
    /// The signed timestamps of how many distinct operators of timestamp authorities are asked for. A certificate
    /// needs a verified time in any case, but not necessarily one of these.
    pub timestamps: u8,
    /// What is asked of certificate transparency.
    pub sct: SctRequirement,
    /// Which witnesses must have cosigned the checkpoints of the logs that count, if any.
    pub witnesses: Option<WitnessPolicy>,
    /// The checkpoints that were seen before, with which new ones are compared.
    pub remembered: Option<Arc<dyn RememberedCheckpoints>>,
    /// Whether an entry of a version 0.1 bundle may have an inclusion promise and no inclusion proof: the log then only
    /// promised to include it. Off by default.
    pub allow_promise_only: bool,
}

impl VerifyOptions {
    /// Returns the options that demand inclusion in one log, and one certificate transparency log for certificates.
    pub fn new(at: Timestamp) -> Self {
        Self {
            at,
            log: LogRequirement::ONE_LOG,
            timestamps: 0,
            sct: SctRequirement::ONE_LOG,
            witnesses: None,
            remembered: None,
            allow_promise_only: false,
        }
    }
}

/// What is asked of transparency logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogRequirement {
    /// Proven inclusion in the logs of this many operators. A log without an operator counts for itself; several
    /// entries of one log, or several logs of one operator, count once.
    Inclusion {
        /// How many.
        operators: NonZeroU8,
    },
    /// No log entry is asked for. One that is there must still be right.
    DangerouslyUnlogged {
        /// Why, for the record: it is repeated in the result.
        reason: String,
    },
}

impl LogRequirement {
    /// Proven inclusion in one log.
    pub const ONE_LOG: Self = Self::Inclusion {
        operators: NonZeroU8::MIN,
    };
}

/// What is asked of certificate transparency, for bundles signed with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SctRequirement {
    /// Timestamps of this many operators of certificate logs, embedded in the certificate. Several of one operator
    /// count once.
    Embedded {
        /// How many.
        operators: NonZeroU8,
    },
    /// None is asked for.
    DangerouslySkipped {
        /// Why, for the record: it is repeated in the result.
        reason: String,
    },
}

impl SctRequirement {
    /// The timestamp of one certificate log.
    pub const ONE_LOG: Self = Self::Embedded {
        operators: NonZeroU8::MIN,
    };
}
