//! End-to-end tests, through the binary only.

#[path = "../common/mod.rs"]
mod common;

mod attest;
mod attest_input;
mod attest_review;
mod bundles;
mod crash;
mod demo;
mod keys;
mod log;
mod landed;
mod usage;
mod verify;
