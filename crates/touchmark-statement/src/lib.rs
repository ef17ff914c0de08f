//! in-toto Statements, digest sets, the predicates Touchmark writes and reads, and strict JSON.
//!
//! This crate says what the bytes of a statement mean. It checks no signature and reads no file: a
//! [`SignedStatement`](statement::SignedStatement) is what the bytes say, not that anybody may say so.
//!
//! ```
//! use touchmark_statement::digest::{DigestSet, Sha256Digest};
//! use touchmark_statement::predicate::Predicate;
//! use touchmark_statement::statement::{ResourceDescriptor, SignedStatement, Statement};
//! use touchmark_statement::test_result::{TestOutcome, TestResult};
//!
//! let artifact = ResourceDescriptor::new("app.tar", DigestSet::of_sha256(Sha256Digest::of(b"content")));
//! let result = TestResult {
//!     result: TestOutcome::Passed,
//!     configuration: Vec::new(),
//!     url: None,
//!     passed_tests: Some(vec!["starts".to_owned()]),
//!     warned_tests: None,
//!     failed_tests: None,
//! };
//! let statement = Statement::new(vec![artifact], Predicate::TestResult(Box::new(result)));
//!
//! // What is written is canonical, and is read back as it was said.
//! let bytes = statement.encode()?;
//! let signed = SignedStatement::parse(bytes)?;
//! assert_eq!(signed.statement(), &statement);
//!
//! // A second meaning for the same bytes is refused, with a code that stays.
//! let twice = String::from_utf8_lossy(signed.raw()).replacen("{", r#"{"_type":"x","#, 1);
//! let refusal = SignedStatement::parse(twice.into_bytes()).unwrap_err();
//! assert_eq!(refusal.code(), "json.duplicate_key");
//! # Ok::<(), touchmark_statement::statement::StatementError>(())
//! ```

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
