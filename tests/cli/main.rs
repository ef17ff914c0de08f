//! End-to-end tests, through the binary only.

#[path = "../common/mod.rs"]
mod common;

mod attest;
mod attest_input;
mod attest_review;
mod bundles;
mod crash;
mod demo;
mod documents;
mod explain;
mod find;
mod hostile;
mod keys;
mod landed;
mod log;
mod policy;
mod recorded;
mod schemas;
mod show;
mod usage;
mod verify;
