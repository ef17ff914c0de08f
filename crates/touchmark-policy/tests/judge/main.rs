//! The judge on whole cases: a good one, and good ones with one thing broken.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod accounting;
mod agents;
mod approvals;
mod document;
mod git;
mod identity;
mod keyless;
mod policies;
mod rules;
mod tests_required;
mod trusted;
mod world;
