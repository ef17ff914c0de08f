//! Publishing to Rekor logs, reading them, and the spool of what is not logged yet.
//!
//! Promises that a log's answer is handed out only after it was compared with what was sent and verified under the
//! key of a log that the caller trusts; that what a spool took survives any crash and any outage; and that the same
//! submission, repeated, is one entry wherever the log knows its own. No log is built in, and no clock is read but
//! the one that never jumps, for deadlines.

mod answer;
mod backoff;
pub mod drain;
mod error;
pub mod monitor;
mod publisher;
pub mod reader;
pub mod spool;
mod submission;
mod v1;
mod v2;

pub use backoff::Backoff;
pub use drain::{Drain, DrainError, Settled};
pub use error::{Missing, PublishError};
pub use publisher::{ApiVersion, Publisher, connect};
pub use reader::TileReader;
pub use submission::{LogSubmission, Signatory};
pub use v1::{EnvelopeKind, RekorV1};
pub use v2::{MAX_SCAN_BUNDLES, RekorV2, verify_answer};
