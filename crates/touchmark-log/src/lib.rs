//! An embedded transparency log: the Rekor v2 write API over C2SP tiles on disk.
//!
//! A log is a directory. Its checkpoint, tiles and entry bundles are plain files that any static server may offer;
//! the signing key, the lock and the index of known entries are in a private part that `serve` never reaches.
//! Entries are verified before they are accepted. An entry is answered only when it, the tiles above it and the
//! checkpoint over them are durable; the checkpoint's rename is the one instant at which a batch becomes part of
//! the log, so there is nothing to repair after a crash. Several processes may append to one directory.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dir = tempfile::tempdir()?;
//! let log = touchmark_log::Log::create(&dir.path().join("log"), "example.test")?;
//! assert_eq!(log.checkpoint()?.size(), 0);
//! assert!(log.check()?.problems.is_empty());
//! # Ok(())
//! # }
//! ```

mod accept;
mod certificate;
mod check;
mod dedup;
mod durable;
mod error;
mod frontier;
mod key;
mod layout;
mod log;
mod queue;
pub mod serve;
mod tiles;
mod trust;
mod writer;

pub use accept::RejectError;
pub use check::{Problem, Report};
pub use error::{AddError, LogError, StorageError};
pub use log::Log;
