//! What a caller asks of verification.

use std::num::NonZeroU8;

use touchmark_statement::timestamp::Timestamp;

/// How to verify.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The time of judgement: nothing that begins later counts.
    pub at: Timestamp,
    /// What is asked of transparency logs.
    pub log: LogRequirement,
}

impl VerifyOptions {
    /// Returns the options that demand inclusion in one log.
    pub fn new(at: Timestamp) -> Self {
        Self {
            at,
            log: LogRequirement::ONE_LOG,
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
