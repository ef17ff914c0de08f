//! Hardened reading of git repositories, the change between two trees, and evidence refs.
//!
//! What this crate promises: every object that an answer relies on was re-hashed (with collision detection for SHA-1)
//! and strictly parsed; replace refs, grafts, commit-graphs and the environment change no answer; nothing that a
//! repository contains or configures is executed, when reading and when writing.
//!
//! ```no_run
//! use std::path::Path;
//! use touchmark_git::Repository;
//!
//! let repository = Repository::discover(Path::new("."))?;
//! let base = repository.resolve("refs/remotes/origin/main")?;
//! let head = repository.resolve("HEAD")?;
//! for commit in repository.linear_range(&base, &head, 10_000)? {
//!     assert_eq!(commit.object_format(), repository.object_format());
//! }
//! # Ok::<(), touchmark_git::GitError>(())
//! ```

mod error;
mod evidence;
mod gather;
mod object;
mod open;
mod packed_refs;
mod program;
mod range;
mod refs;
mod remote;
mod repository;
mod revision;
mod snapshot;
mod view;
mod walk;

pub mod limits;

pub use self::error::GitError;
pub use self::evidence::{
    EvidenceFile, EvidenceItem, EvidenceKey, EvidenceName, EvidenceRef, EvidenceSet, IgnoredEntry, Pushed,
    Written,
};
pub use self::gather::Gathered;
pub use self::program::{GitProgram, Haste};
pub use self::repository::{Finding, Head, OpenOptions, Repository};
pub use self::snapshot::Snapshot;
pub use self::walk::Sought;
