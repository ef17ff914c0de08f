//! Test results: only a service's, only for exactly the result tree.

use touchmark_statement::predicate::Predicate;
use touchmark_statement::statement::ResourceDescriptor;
use touchmark_statement::test_result::{TestOutcome, TestResult};
use touchmark_verify::git_view::GitViewError;

use super::gather::Evidence;
use super::request::JudgeRequest;
use crate::exit::Class;
use crate::verdict::Reason;

/// What test results say of the result tree.
#[derive(Debug, Default)]
pub(super) struct Tested {
    pub(super) reasons: Vec<Reason>,
    /// Positions of the test results that are about the result tree.
    pub(super) counted: Vec<usize>,
    /// Whether a test result is needed and none is there.
    pub(super) missing: bool,
}

/// Judges the test results.
pub(super) fn judge(
    request: &JudgeRequest<'_>,
    tests: &[Evidence<'_>],
    required: bool,
) -> Result<Tested, GitViewError> {
    let mut tested = Tested::default();
    let tree = &request.change.result_tree;
    let sha256 = match tests.is_empty() {
        true => None,
        false => Some(request.git.tree_digest(tree)?),
    };
    let is_result = |subject: &ResourceDescriptor| {
        let digests = &subject.digest;
        // Every digest that is recognised must be the result tree's.
        digests.git_tree().as_ref() == Some(tree)
            && digests.sha256().is_none_or(|found| Some(found) == sha256)
            && digests.git_commit().is_none()
    };
    for (i, evidence) in tests.iter().enumerate() {
        let statement = evidence.verified.statement();
        let Predicate::TestResult(result) = &statement.predicate else {
            continue;
        };
        let digest = evidence.verified.payload_digest();
        if !statement.subject.iter().any(is_result) {
            let reason = Reason::new("tests.other_subject").expected(format!("tree {tree}"));
            tested
                .reasons
                .push(reason.found("another subject").statement(digest));
            continue;
        }
        if result.is_run_by_agent() {
            let reason = Reason::new("tests.run_by_agent").expected("tests that somebody else ran");
            tested
                .reasons
                .push(reason.found("an agent's own").statement(digest));
            continue;
        }
        tested.counted.push(i);
        if let Some(reason) = outcome(result, required) {
            tested.reasons.push(reason.statement(digest));
        }
    }
    tested.missing = required && tested.counted.is_empty();
    if tested.missing {
        tested.reasons.push(
            Reason::new("tests.missing")
                .expected(format!("a test result for tree {tree}"))
                .found("none"),
        );
    }
    Ok(tested)
}

fn outcome(result: &TestResult, required: bool) -> Option<Reason> {
    if result.is_clean_pass() {
        return None;
    }
    if result.result == TestOutcome::Warned && result.failed_tests.as_ref().is_none_or(Vec::is_empty) {
        return Some(Reason::new("tests.warned").expected("PASSED").found("WARNED"));
    }
    let failed = result.failed_tests.as_deref().unwrap_or_default();
    let found = match failed {
        [] => "FAILED".to_owned(),
        [first] => format!("failed: {first}"),
        [first, ..] => format!("{} failed, the first: {first}", failed.len()),
    };
    let class = if required { Class::Denied } else { Class::Finding };
    Some(
        Reason::new("tests.failed")
            .class(class)
            .expected("PASSED")
            .found(found),
    )
}
