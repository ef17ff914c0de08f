//! End-to-end tests, through the binary only.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

#[path = "../common/mod.rs"]
mod common;

mod approvals;
mod attest;
mod attest_build;
mod attest_input;
mod attest_review;
mod attest_tests;
mod bundles;
mod capture;
mod capture_crash;
mod capture_hostile;
mod crash;
mod demo;
mod disclose;
mod documents;
mod escrow;
mod explain;
mod export;
mod find;
mod first_use;
mod forks;
mod git_hooks;
mod hook_install;
mod hook_run;
mod hostile;
mod identity;
mod keyless;
mod keys;
mod landed;
mod late_records;
mod log;
mod log_proof;
mod many_runs;
mod monitor;
mod packed_sessions;
mod policy;
mod privacy;
mod publish;
mod recorded;
mod redaction;
mod relanding;
mod remembered;
mod sbom;
mod schemas;
mod show;
mod trust;
mod trust_create;
mod usage;
mod verify;
mod verify_bundle;
mod verify_keyless;
