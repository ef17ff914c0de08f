//! Publishing to Rekor logs, reading them, and the spool of what is not logged yet.
//!
//! Promises that a log's answer is handed out only after it was compared with what was sent and verified under the
//! key of a log that the caller trusts; that what a spool took survives any crash and any outage; and that the same
//! submission, repeated, is one entry wherever the log knows its own. No log is built in, and no clock is read but
//! the one that never jumps, for deadlines.
//!
//! ```
//! use touchmark_http::{Client, Deadline, Options};
//! use touchmark_rekor::{LogSubmission, Publisher, RekorV2, Signatory};
//! use touchmark_sign::{PrivateKey, Signer as _};
//! use touchmark_statement::digest::Sha256Digest;
//! use touchmark_verify::key::KeyAlgorithm;
//!
//! let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256Sha256)?;
//! let digest = Sha256Digest::of(b"a message").as_bytes().to_vec();
//! let signature = key.sign(b"a message")?;
//! let submission = LogSubmission::of_digest(digest, signature, Signatory::key(key.public_key().clone()))?;
//!
//! // Nobody listens there, and without a trusted log no answer would be believed.
//! let log = RekorV2::new(Client::new(Options::default())?, &"http://127.0.0.1:9".parse()?, Vec::new());
//! let refused = log.publish(&submission, Deadline::after(std::time::Duration::from_secs(5))).unwrap_err();
//! assert_eq!((refused.code(), refused.is_worth_retrying()), ("network.connect", true));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
