//! Hostile evidence: each test begins with good evidence, breaks one thing, and names the exact code.

#![allow(clippy::unwrap_used, reason = "a test that cannot mint its evidence fails")]

mod case;
mod repository;
mod support;

mod accounting;
mod binding;
mod chain;
mod dsse;
mod encoding;
mod forms;
mod log;
mod mutation;
mod reviews;
mod statement;
mod trust;
