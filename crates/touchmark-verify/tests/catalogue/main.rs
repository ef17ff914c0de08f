//! Hostile evidence: each test begins with good evidence, breaks one thing, and names the exact code.

mod support;

mod dsse;
mod encoding;
mod log;
mod statement;
