//! in-toto Statements, digest sets, the predicates Touchmark writes and reads, and strict JSON.
//!
//! This crate says what the bytes of a statement mean. It checks no signature and reads no file: a
//! [`SignedStatement`](statement::SignedStatement) is what the bytes say, not that anybody may say so.

pub mod agent_change;
pub mod decimal;
pub mod digest;
pub mod file_mode;
pub mod git_id;
pub mod limits;
pub mod predicate;
pub mod provenance;
pub mod repo_path;
pub mod review;
pub mod sbom;
pub mod schemas;
pub mod statement;
pub mod strict_json;
pub mod test_result;
pub mod timestamp;
pub mod vsa;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod samples;
