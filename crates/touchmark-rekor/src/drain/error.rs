//! Why an entry still waits.

use thiserror::Error;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::evidence::EvidenceId;

use crate::error::PublishError;
use crate::spool::{LogAddress, SpoolError};

/// An entry that still waits.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DrainError {
    /// A log does not have it.
    #[error("{log} does not have it")]
    Publish {
        /// The log.
        log: LogAddress,
        /// What is wrong.
        #[source]
        error: Box<PublishError>,
    },
    /// The spool could not be read or written.
    #[error("the spool could not be used")]
    Spool(#[source] SpoolError),
    /// The certificate lapsed before a log had the signature, and no timestamp stands for its time.
    #[error(
        "the certificate of {id} lapsed at {expired_at} before a log had it: the statement has to be signed again"
    )]
    Lapsed {
        /// The entry.
        id: EvidenceId,
        /// The end of the certificate.
        expired_at: Timestamp,
    },
    /// The time of the run was over.
    #[error("the time was over before {log} was asked")]
    OutOfTime {
        /// The log.
        log: LogAddress,
    },
}

impl DrainError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            DrainError::Publish { error, .. } => error.code(),
            DrainError::Spool(error) => error.code(),
            DrainError::Lapsed { .. } => "spool.certificate_lapsed",
            DrainError::OutOfTime { .. } => "spool.out_of_time",
        }
    }

    /// Returns whether a later run may well finish it without anybody doing anything.
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            DrainError::Publish { error, .. } => error.is_worth_retrying(),
            DrainError::OutOfTime { .. } => true,
            DrainError::Spool(_) | DrainError::Lapsed { .. } => false,
        }
    }
}
