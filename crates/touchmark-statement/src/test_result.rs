//! The in-toto test result predicate, v0.1.
//!
//! Spec: in-toto/attestation, `spec/predicates/test-result.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::agent_change::Source;
use crate::digest::{DigestSet, Sha256Digest};
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

    /// Returns what the statement says of the run itself: nothing where it does not say it as we do.
    pub fn run(&self) -> Option<TestRun> {
        TestRun::of(self.run_descriptor()?)
    }

    /// Returns whether the tests are said to be an agent's own. What is said of the run in a form that cannot be read
    /// counts as such: it was meant to be read.
    pub fn is_run_by_agent(&self) -> bool {
        let Some(descriptor) = self.run_descriptor() else {
            return false;
        };
        TestRun::of(descriptor)
            .is_none_or(|run| run.run_by == Some(RunBy::Agent) || !run.agent_marks.is_empty())
    }

    fn run_descriptor(&self) -> Option<&ResourceDescriptor> {
        let mut all = self.configuration.iter();
        all.find(|descriptor| descriptor.uri.as_deref() == Some(TEST_RUN_URI))
    }
}

/// The `uri` of the configuration entry whose annotations are a [`TestRun`].
pub const TEST_RUN_URI: &str = "https://touchmark.dev/test-run/v1";

/// What we say of a run of tests beside its result, as annotations of one entry of `configuration`: the predicate has no
/// fields of its own for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestRun {
    /// Who ran them; absent is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_by: Option<RunBy>,
    /// How that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Variables by which an agent marks what it starts, as far as they were set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agent_marks: Vec<String>,
    /// The command that was run and watched; absent where only reports were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<TestCommand>,
    /// How many tests ended how; absent where no report says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<TestCounts>,
    /// Whether a report states other totals than its tests show. Only a result that failed has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub totals_differ: bool,
}

impl TestRun {
    fn of(descriptor: &ResourceDescriptor) -> Option<Self> {
        let annotations = descriptor.annotations.as_ref()?;
        let object = annotations
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        serde_json::from_value(Value::Object(object.collect())).ok()
    }

    /// Returns the entry of `configuration` that says it.
    pub fn descriptor(&self) -> ResourceDescriptor {
        let annotations = match serde_json::to_value(self) {
            Ok(Value::Object(object)) => object.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        ResourceDescriptor {
            name: Some("run".to_owned()),
            uri: Some(TEST_RUN_URI.to_owned()),
            digest: DigestSet::new(),
            annotations: Some(annotations),
            ..ResourceDescriptor::default()
        }
    }
}

/// Who ran tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunBy {
    /// The agent whose work is tested: such a result is shown and counts for nothing.
    Agent,
    /// Whoever judges the work.
    Verifier,
    /// A CI service.
    Ci,
}

/// A command that was run and watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestCommand {
    /// The commitment to its words, each ended by a NUL.
    pub commitment: Sha256Digest,
    /// How it ended; absent after a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// How long it took.
    pub duration_ms: u64,
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestCounts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that passed after they had failed.
    pub flaky: u64,
    /// Tests that did not run.
    pub skipped: u64,
    /// Tests in which a check failed.
    pub failed: u64,
    /// Tests that broke off.
    pub errors: u64,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn result(run: &TestRun) -> TestResult {
        TestResult {
            result: TestOutcome::Passed,
            configuration: vec![run.descriptor()],
            url: None,
            passed_tests: None,
            warned_tests: None,
            failed_tests: None,
        }
    }

    fn run() -> TestRun {
        TestRun {
            run_by: Some(RunBy::Ci),
            source: Some(Source::Environment),
            counts: Some(TestCounts {
                passed: 3,
                skipped: 1,
                ..TestCounts::default()
            }),
            command: Some(TestCommand {
                commitment: Sha256Digest::of(b"x"),
                exit_code: Some(0),
                signal: None,
                duration_ms: 12,
            }),
            ..TestRun::default()
        }
    }

    #[test]
    fn what_is_said_of_a_run_is_read_back() {
        assert_eq!(result(&run()).run(), Some(run()));
        assert!(!result(&run()).is_run_by_agent());
        assert_eq!(result(&TestRun::default()).run(), Some(TestRun::default()));
    }

    #[test]
    fn an_agent_s_run_is_known_by_what_it_says_by_its_marks_and_by_what_cannot_be_read() {
        let said = TestRun {
            run_by: Some(RunBy::Agent),
            ..run()
        };
        assert!(result(&said).is_run_by_agent());
        let marked = TestRun {
            agent_marks: vec!["CLAUDECODE".to_owned()],
            ..run()
        };
        assert!(result(&marked).is_run_by_agent());
        let mut garbled = result(&run());
        let annotations = garbled.configuration[0].annotations.as_mut().unwrap();
        annotations.insert("runBy".to_owned(), "nobody".into());
        assert_eq!(garbled.run(), None);
        assert!(garbled.is_run_by_agent());
        garbled.configuration.clear();
        assert!(!garbled.is_run_by_agent());
    }
}
