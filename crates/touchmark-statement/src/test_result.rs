//! The in-toto test result predicate, v0.1.
//!
//! Spec: in-toto/attestation, `spec/predicates/test-result.md`.

use serde::{Deserialize, Serialize};

use crate::statement::ResourceDescriptor;
use crate::strict_json::null_as_default;

/// The predicate `https://in-toto.io/attestation/test-result/v0.1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// The outcome of the whole run.
    pub result: TestOutcome,
    /// What determined the run: commands, workflow files, configuration.
    #[serde(deserialize_with = "null_as_default")]
    pub configuration: Vec<ResourceDescriptor>,
    /// Where the run can be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Names of tests that passed; absent is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed_tests: Option<Vec<String>>,
    /// Names of tests that passed with warnings; absent is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warned_tests: Option<Vec<String>>,
    /// Names of tests that failed; absent is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_tests: Option<Vec<String>>,
}

impl TestResult {
    /// Returns whether the run passed and names no failed test.
    ///
    /// A result that says it passed while it names failed tests contradicts itself and counts as failed.
    pub fn is_clean_pass(&self) -> bool {
        self.result == TestOutcome::Passed && self.failed_tests.as_ref().is_none_or(Vec::is_empty)
    }
}

/// The outcome of a test run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TestOutcome {
    /// Every test passed.
    Passed,
    /// No test failed, some gave warnings.
    Warned,
    /// At least one test failed.
    Failed,
}
