//! From reports and a command's end to one result: nothing that failed, and nothing that did not run, is a pass.

use touchmark_statement::test_result::{TestCounts, TestOutcome};

use crate::{Ending, Report};

/// The most bytes that one list of names takes in a statement.
const MAX_LIST_BYTES: usize = 768 * 1_024;

/// Why reports show nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// No report names a test.
    #[error("the report names no test")]
    Empty,
    /// No test ran.
    #[error("all {skipped} tests were skipped")]
    NoneRan {
        /// How many there are.
        skipped: u64,
    },
}

impl OutcomeError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "tests.empty",
            Self::NoneRan { .. } => "tests.none_ran",
        }
    }
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The worst that was found.
    pub result: TestOutcome,
    /// How many tests ended how.
    pub counts: TestCounts,
    /// Whether a report states totals that its tests do not show.
    pub totals_differ: bool,
    /// What passed. Absent where nothing names tests, or where there are too many to name.
    pub passed: Option<Vec<String>>,
    /// What passed after it had failed; absent in the same cases.
    pub warned: Option<Vec<String>>,
    /// What failed. Cut where there are too many; never empty where a named test failed.
    pub failed: Option<Vec<String>>,
}

impl Outcome {
    /// Takes reports and how the command ended, whichever there is, together. The worse of both counts.
    ///
    /// # Errors
    ///
    /// Fails where reports show no test that ran, unless something failed.
    pub fn of<'r>(
        reports: impl IntoIterator<Item = &'r Report>,
        succeeded: Option<bool>,
    ) -> Result<Self, OutcomeError> {
        let (mut counts, mut totals_differ, mut has_reports) = (TestCounts::default(), false, false);
        let (mut passed, mut warned, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for report in reports {
            has_reports = true;
            totals_differ |= report.is_inconsistent;
            for case in &report.cases {
                let (count, list) = match case.ending {
                    Ending::Passed => (&mut counts.passed, Some(&mut passed)),
                    Ending::Flaky => (&mut counts.flaky, Some(&mut warned)),
                    Ending::Skipped => (&mut counts.skipped, None),
                    Ending::Failed => (&mut counts.failed, Some(&mut failed)),
                    Ending::Error => (&mut counts.errors, Some(&mut failed)),
                };
                *count += 1;
                list.into_iter().for_each(|list| list.push(case.name.clone()));
            }
        }
        let failures = counts.failed + counts.errors;
        let result = if failures > 0 || succeeded == Some(false) {
            TestOutcome::Failed
        } else {
            if has_reports {
                refuse_nothing(&counts)?;
            }
            if counts.flaky > 0 {
                TestOutcome::Warned
            } else {
                TestOutcome::Passed
            }
        };
        Ok(Self {
            result,
            counts,
            totals_differ,
            passed: Some(passed).filter(|list| has_reports && fits(list)),
            warned: Some(warned).filter(|list| has_reports && fits(list)),
            failed: has_reports.then(|| first(failed)),
        })
    }
}

/// A report without a test that ran proves nothing.
fn refuse_nothing(counts: &TestCounts) -> Result<(), OutcomeError> {
    if counts.passed + counts.flaky > 0 {
        return Ok(());
    }
    Err(match counts.skipped {
        0 => OutcomeError::Empty,
        skipped => OutcomeError::NoneRan { skipped },
    })
}

fn fits(list: &[String]) -> bool {
    list.iter().map(|name| name.len() + 3).sum::<usize>() <= MAX_LIST_BYTES
}

fn first(mut list: Vec<String>) -> Vec<String> {
    let mut left = MAX_LIST_BYTES;
    let fitting = list
        .iter()
        .take_while(|name| match left.checked_sub(name.len() + 3) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
    let fitting = fitting.count();
    list.truncate(fitting);
    list
}
