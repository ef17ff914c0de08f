//! Mints good and singly broken evidence: keys, logs, repositories and sessions, all in process.
//!
//! For tests only: every key here is derived from a public seed, and every failure is a panic.
//!
//! ```
//! # #[cfg(feature = "world")]
//! # {
//! use touchmark_testkit::{Defect, World};
//!
//! assert_eq!(World::good().judge().exit_status(), 0);
//! let verdict = World::with(Defect::EvidenceRefDeleted).judge();
//! assert_eq!(verdict.exit_status(), Defect::EvidenceRefDeleted.expected().exit);
//! # }
//! ```

#[cfg(feature = "world")]
pub mod fixtures;
#[cfg(feature = "world")]
pub mod fuzz;
#[cfg(feature = "world")]
pub mod keys;
#[cfg(feature = "world")]
pub mod repo;
#[cfg(feature = "world")]
pub mod session;
pub mod sigstore;
#[cfg(feature = "world")]
pub mod statement;
pub mod tuf;
#[cfg(feature = "world")]
pub mod world;

#[cfg(feature = "world")]
pub use world::{Defect, World};
