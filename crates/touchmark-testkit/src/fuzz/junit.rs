//! Reports of test tools.

use touchmark_junit::{Ending, MAX_CASES, MAX_NAME_BYTES, Outcome, Report, read};
use touchmark_statement::test_result::TestOutcome;

use super::Seed;

/// Reports as tools write them, by their path in `testdata/junit`.
macro_rules! reports {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../../../testdata/junit/", $path)))),+]
    };
}

const REPORTS: &[(&str, &[u8])] = reports![
    "cargo2junit/failed.xml",
    "go-junit-report/failed.xml",
    "gotestsum/passed.xml",
    "gradle/passed.xml",
    "jest/failed.xml",
    "junit/passed.xml",
    "nextest/flaky.xml",
    "pytest/empty.xml",
    "pytest/failed.xml",
    "surefire/failed.xml",
    "surefire/passed.xml",
];

/// Reads an input as a report.
///
/// What is asserted: nothing panics; one input gives one answer; names and cases stay below their caps; what is read is
/// read as the same when it is written again; no report passes in which a test failed or none passed, and none is read
/// that goes on after its end.
///
/// # Panics
///
/// Where one of these does not hold.
pub fn junit(input: &[u8]) {
    let answer = read(input);
    assert_eq!(answer, read(input), "one input, two answers");
    let Ok(report) = answer else { return };
    assert!(report.cases.len() <= MAX_CASES);
    for case in &report.cases {
        assert!(case.name.len() <= MAX_NAME_BYTES && !case.name.is_empty());
        assert!(!case.name.contains('\0'));
    }
    judged(&report);
    let again = read(written(&report).as_bytes()).expect("what was read is written well");
    assert_eq!(again.cases, report.cases);
    let more = [input, b"<testsuite/>"].concat();
    assert!(read(&more).is_err(), "a report with two ends");
}

/// Nothing that failed, and nothing that did not run, is a pass.
fn judged(report: &Report) {
    let number = |ending| {
        let of = report.cases.iter().filter(|case| case.ending == ending);
        of.count() as u64
    };
    let has_failed = number(Ending::Failed) + number(Ending::Error) > 0;
    let has_passed = number(Ending::Passed) + number(Ending::Flaky) > 0;
    assert!(
        has_failed || !report.is_inconsistent,
        "totals that may hide a failure"
    );
    match Outcome::of([report], Some(true)) {
        Ok(outcome) => {
            assert_eq!(outcome.result == TestOutcome::Failed, has_failed);
            assert!(has_failed || has_passed);
            let counts = outcome.counts;
            assert_eq!(
                [
                    counts.passed,
                    counts.flaky,
                    counts.skipped,
                    counts.failed,
                    counts.errors
                ],
                [
                    number(Ending::Passed),
                    number(Ending::Flaky),
                    number(Ending::Skipped),
                    number(Ending::Failed),
                    number(Ending::Error)
                ]
            );
        }
        Err(_) => assert!(!has_failed && !has_passed),
    }
    let failed = Outcome::of([report], Some(false)).expect("what failed has a result");
    assert_eq!(failed.result, TestOutcome::Failed);
}

fn written(report: &Report) -> String {
    let mut text = "<testsuite>".to_owned();
    for case in &report.cases {
        let name = case.name.replace('&', "&amp;").replace('<', "&lt;");
        let name = name.replace('"', "&quot;");
        let mark = match case.ending {
            Ending::Passed => "",
            Ending::Skipped => "<skipped/>",
            Ending::Flaky => "<flakyError/>",
            Ending::Failed => "<failure/>",
            Ending::Error => "<error/>",
        };
        text.push_str(&format!("<testcase name=\"{name}\">{mark}</testcase>"));
    }
    text + "</testsuite>"
}

/// A report of each tool.
pub(super) fn seeds() -> Vec<Seed> {
    REPORTS
        .iter()
        .map(|(path, bytes)| Seed::new(&path.replace('/', "-"), *bytes))
        .collect()
}
