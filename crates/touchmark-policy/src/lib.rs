//! From a policy file and a lineage to a verdict with reasons.
//!
//! [`Policy::load`] reads a policy; [`judge()`] runs the whole flow of the gate: filter by signer, verify, check roles,
//! build the lineage, apply the rules; [`Verdict`] is its answer. No network, no clock, no files: everything is passed
//! in.
//!
//! ```
//! use touchmark_policy::{Policy, reason::registry};
//!
//! let policy = Policy::load(b"version = 1\nserial = 1\n[gate.merge]\nresidual = 'approval'\n").unwrap();
//! assert_eq!(policy.serial, 1);
//!
//! let misspelt = Policy::load(b"version = 1\nserail = 1\n").unwrap_err();
//! assert_eq!(misspelt.to_string(), "line 2: unknown key `serail`; did you mean `serial`?");
//! assert_eq!(registry::explain(misspelt.code()).unwrap().class.name(), "usage");
//! ```

#![allow(
    clippy::mutable_key_type,
    reason = "people are ordered by their ids, whatever a compiled pattern of theirs holds"
)]

pub mod agreement;
pub mod classes;
pub mod exit;
pub mod file;
pub mod globs;
pub mod identity;
pub mod judge;
pub mod reason;
pub mod verdict;

pub use exit::{Class, Decision, ExitCode};
pub use file::{Policy, PolicyError};
pub use judge::{Candidate, JudgeRequest, NamedRoot, NamedWitnessPolicy, PolicyInForce, judge};
pub use verdict::{Reason, Verdict};
