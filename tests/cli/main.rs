//! End-to-end tests, through the binary only.

#[path = "../common/mod.rs"]
mod common;

mod attest;
mod crash;
mod keys;
mod usage;
