//! From a policy file and a lineage to a verdict with reasons.
//!
//! [`file::Policy::load`] reads a policy; [`verdict::Verdict`] is the answer. No network, no clock, no files:
//! everything is passed in.

pub mod classes;
pub mod exit;
pub mod file;
pub mod globs;
pub mod judge;
pub mod reason;
pub mod verdict;

pub use exit::{Class, Decision, ExitCode};
pub use file::{Policy, PolicyError};
pub use judge::{Candidate, JudgeRequest, NamedRoot, PolicyInForce, judge};
pub use verdict::{Reason, Verdict};
