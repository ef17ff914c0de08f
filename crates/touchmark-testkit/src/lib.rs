//! Mints good and singly broken evidence: keys, logs, repositories and sessions, all in process.
//!
//! For tests only: every key here is derived from a public seed, and every failure is a panic.
//!
//! ```
//! use touchmark_testkit::{Defect, World};
//!
//! assert_eq!(World::good().judge().exit_status(), 0);
//! let verdict = World::with(Defect::EvidenceRefDeleted).judge();
//! assert_eq!(verdict.exit_status(), Defect::EvidenceRefDeleted.expected().exit);
//! ```

pub mod fixtures;
pub mod fuzz;
pub mod keys;
pub mod repo;
pub mod session;
pub mod statement;
pub mod world;

pub use world::{Defect, World};
