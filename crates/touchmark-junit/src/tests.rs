//! Reports as each tool writes them, each defect alone, and bytes at random.

use super::*;
use touchmark_statement::test_result::{TestCounts, TestOutcome};

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/../../testdata/junit/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn outcome(report: &[u8]) -> Outcome {
    let report = read(report).unwrap();
    Outcome::of([&report], None).unwrap()
}

fn counts(passed: u64, flaky: u64, skipped: u64, failed: u64, errors: u64) -> TestCounts {
    TestCounts {
        passed,
        flaky,
        skipped,
        failed,
        errors,
    }
}

#[test]
fn reports_of_every_tool_are_counted_exactly() {
    use TestOutcome::{Failed, Passed, Warned};
    for (name, result, expected) in [
        ("pytest/passed.xml", Passed, counts(2, 0, 2, 0, 0)),
        ("pytest/failed.xml", Failed, counts(2, 0, 2, 2, 3)),
        ("jest/passed.xml", Passed, counts(2, 0, 0, 0, 0)),
        ("jest/failed.xml", Failed, counts(3, 0, 1, 1, 0)),
        ("gotestsum/passed.xml", Passed, counts(3, 0, 1, 0, 0)),
        ("gotestsum/failed.xml", Failed, counts(3, 0, 1, 1, 0)),
        ("go-junit-report/passed.xml", Passed, counts(3, 0, 1, 0, 0)),
        ("go-junit-report/failed.xml", Failed, counts(3, 0, 1, 1, 0)),
        ("surefire/passed.xml", Warned, counts(1, 1, 1, 0, 0)),
        ("surefire/failed.xml", Failed, counts(1, 0, 0, 1, 1)),
        ("gradle/passed.xml", Passed, counts(1, 0, 1, 0, 0)),
        ("junit/passed.xml", Passed, counts(2, 0, 0, 0, 0)),
        ("cargo2junit/failed.xml", Failed, counts(1, 0, 0, 1, 0)),
        ("nextest/passed.xml", Passed, counts(2, 0, 0, 0, 0)),
        ("nextest/failed.xml", Failed, counts(2, 0, 0, 1, 0)),
        ("nextest/flaky.xml", Warned, counts(2, 1, 0, 0, 0)),
    ] {
        let found = outcome(&file(name));
        assert_eq!((found.result, found.counts), (result, expected), "{name}");
    }
}

#[test]
fn names_are_the_class_and_the_test() {
    let found = outcome(&file("pytest/passed.xml"));
    assert_eq!(
        found.passed.unwrap(),
        ["test_sums::test_adds[one & <two>]", "test_sums::test_adds[three]"]
    );
    assert_eq!(found.failed.unwrap(), [""; 0]);
    let found = outcome(&file("surefire/failed.xml"));
    assert_eq!(
        found.failed.unwrap(),
        ["example.SumsTest::fails", "example.SumsTest::breaks"]
    );
    let found = outcome(&file("junit/passed.xml"));
    assert_eq!(found.passed.unwrap(), ["example.SumsTest::adds()"; 2]);
    let found = outcome(&file("surefire/passed.xml"));
    assert_eq!(found.warned.unwrap(), ["example.SumsTest::isFlaky"]);
}

const GOOD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"2\" failures=\"0\" errors=\"0\">\
    <testsuite name=\"s\" tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"1\"><testcase classname=\"c\" name=\"a\"/>\
    <testcase classname=\"c\" name=\"b\"><skipped/></testcase></testsuite></testsuites>";

#[test]
fn a_good_report_is_read() {
    let report = read(GOOD.as_bytes()).unwrap();
    assert_eq!(report.cases.len(), 2);
    assert!(!report.is_inconsistent);
    assert_eq!(
        read(format!("\u{feff}{GOOD}\n<!-- end -->\n").as_bytes()).unwrap(),
        report
    );
}

#[test]
fn each_defect_is_refused_with_its_own_code() {
    let deep = |depth: usize| format!("{}{}", "<testsuite>".repeat(depth), "</testsuite>".repeat(depth));
    let attributes: String = (0..=MAX_ATTRIBUTES).map(|n| format!(" a{n}='x'")).collect();
    let cases: [(String, &str); 31] = [
        (String::new(), "junit.malformed"),
        ("no xml".to_owned(), "junit.malformed"),
        (GOOD.replace("</testsuites>", ""), "junit.malformed"),
        (GOOD.replace("</testsuite>", "</testsuit>"), "junit.malformed"),
        (format!("{GOOD}{GOOD}"), "junit.malformed"),
        (format!("{GOOD}<testsuite/>"), "junit.malformed"),
        (format!("{GOOD}more"), "junit.malformed"),
        (format!("{GOOD}<![CDATA[more]]>"), "junit.malformed"),
        (
            GOOD.replace("name=\"a\"", "name=\"a\" name=\"b\""),
            "junit.malformed",
        ),
        (GOOD.replace("name=\"a\"", "name=a"), "junit.malformed"),
        (GOOD.replace("name=\"a\"", "name=\"a"), "junit.malformed"),
        (GOOD.replace("name=\"a\"", "name=\"&#0;\""), "junit.malformed"),
        (
            GOOD.replace("<skipped/>", "<!-- a -- b --><skipped/>"),
            "junit.malformed",
        ),
        (GOOD.replace("<skipped/>", "&#xfffffff;"), "junit.malformed"),
        (GOOD.replace("name=\"a\"", "name=\"&lol;\""), "junit.entity"),
        (GOOD.replace("<skipped/>", "&lol;"), "junit.entity"),
        (
            GOOD.replace("<testsuites ", "<!DOCTYPE t [<!ENTITY lol \"lol\">]><testsuites "),
            "junit.doctype",
        ),
        (
            GOOD.replace(
                "<testsuites ",
                "<!DOCTYPE t SYSTEM \"file:///etc/passwd\"><testsuites ",
            ),
            "junit.doctype",
        ),
        (GOOD.replace("UTF-8", "UTF-16"), "junit.encoding"),
        (GOOD.replace("UTF-8", "ISO-8859-1"), "junit.encoding"),
        (deep(MAX_DEPTH + 1), "junit.too_deep"),
        (
            GOOD.replace("name=\"a\"", &attributes),
            "junit.too_many_attributes",
        ),
        ("<html><testcase/></html>".to_owned(), "junit.not_junit"),
        ("<testcase name='a'/>".to_owned(), "junit.not_junit"),
        (GOOD.replace("tests=\"2\"", "tests=\"two\""), "junit.structure"),
        (GOOD.replace("tests=\"2\"", "tests=\"-2\""), "junit.structure"),
        (
            GOOD.replace("tests=\"2\"", "tests=\"99999999999999999999\""),
            "junit.structure",
        ),
        (GOOD.replace("<skipped/>", "<testcase/>"), "junit.structure"),
        (GOOD.replace("<skipped/>", "<testsuite/>"), "junit.structure"),
        (
            "<testsuite><properties><testcase name='a'/></properties></testsuite>".to_owned(),
            "junit.structure",
        ),
        (
            "<testsuite><properties><testsuite/></properties></testsuite>".to_owned(),
            "junit.structure",
        ),
    ];
    for (text, code) in cases {
        let start: String = text.chars().take(300).collect();
        assert_eq!(
            read(text.as_bytes()).map_err(|error| error.code()),
            Err(code),
            "{start}"
        );
    }
    assert_eq!(
        read(b"<testsuite name='\xff'/>").unwrap_err().code(),
        "junit.encoding"
    );
    assert!(read(deep(MAX_DEPTH).as_bytes()).is_ok());
}

#[test]
fn more_cases_than_the_cap_are_refused() {
    let all = "<testcase/>".repeat(MAX_CASES);
    assert_eq!(
        read(format!("<testsuite>{all}</testsuite>").as_bytes())
            .unwrap()
            .cases
            .len(),
        MAX_CASES
    );
    let more = format!("<testsuite>{all}<testcase/></testsuite>");
    assert_eq!(read(more.as_bytes()).unwrap_err(), JunitError::TooManyCases);
    let more = format!("<testsuite>{all}<error/></testsuite>");
    assert_eq!(read(more.as_bytes()).unwrap_err(), JunitError::TooManyCases);
}

#[test]
fn totals_that_do_not_fit_make_no_pass() {
    for (from, to, attribute) in [
        ("<testsuites tests=\"2\"", "<testsuites tests=\"5\"", "tests"),
        ("name=\"s\" tests=\"2\"", "name=\"s\" tests=\"1\"", "tests"),
        (
            "failures=\"0\" errors=\"0\" skipped",
            "failures=\"1\" errors=\"0\" skipped",
            "failures",
        ),
        ("errors=\"0\" skipped", "errors=\"1\" skipped", "errors"),
        ("skipped=\"1\"", "skipped=\"0\"", "skipped"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD);
        match read(text.as_bytes()) {
            Err(JunitError::Totals { attribute: found, .. }) => assert_eq!(found, attribute),
            other => panic!("{attribute}: {other:?}"),
        }
    }
    let failed = GOOD.replace("<skipped/>", "<failure/>");
    let report = read(failed.as_bytes()).unwrap();
    assert!(report.is_inconsistent);
    let outcome = Outcome::of([&report], Some(true)).unwrap();
    assert_eq!(
        (outcome.result, outcome.totals_differ),
        (TestOutcome::Failed, true)
    );
}

#[test]
fn every_way_to_fail_is_a_failure() {
    let with = |inner: &str| format!("<testsuite name='s'><testcase name='a'/>{inner}</testsuite>");
    for inner in [
        "<testcase name='b'><failure/></testcase>",
        "<testcase name='b'><error/></testcase>",
        "<testcase name='b'><skipped/><failure/></testcase>",
        "<testcase name='b'><system-out/><x:failure xmlns:x='u'/></testcase>",
        "<testcase name='b'><properties><error/></properties></testcase>",
        "<testcase name='b' status='failed'/>",
        "<testcase name='b' result='Error'/>",
        "<error message='the suite did not start'/>",
        "<testsuite><failure/></testsuite>",
    ] {
        assert_eq!(
            outcome(with(inner).as_bytes()).result,
            TestOutcome::Failed,
            "{inner}"
        );
    }
    for inner in [
        "",
        "<testcase name='b' status='run'/>",
        "<testcase name='b' status='notrun'/>",
        "<testcase name='b'><system-out>&lt;failure/&gt;<![CDATA[<failure/>]]></system-out></testcase>",
        "<testcase name='b'><rerunError/></testcase>",
    ] {
        assert_eq!(
            outcome(with(inner).as_bytes()).result,
            TestOutcome::Passed,
            "{inner}"
        );
    }
}

#[test]
fn what_did_not_run_is_no_pass() {
    let refused = |text: &[u8], succeeded| {
        let report = read(text).unwrap();
        Outcome::of([&report], succeeded).map_err(|error| error.code().to_owned())
    };
    assert_eq!(
        refused(&file("pytest/empty.xml"), None).unwrap_err(),
        "tests.empty"
    );
    assert_eq!(refused(b"<testsuites/>", Some(true)).unwrap_err(), "tests.empty");
    let skipped = b"<testsuite><testcase><skipped/></testcase></testsuite>";
    assert_eq!(refused(skipped, Some(true)).unwrap_err(), "tests.none_ran");
    // A command that failed has failed, whatever its report says.
    assert_eq!(
        refused(b"<testsuites/>", Some(false)).unwrap().result,
        TestOutcome::Failed
    );
    assert_eq!(
        refused(GOOD.as_bytes(), Some(false)).unwrap().result,
        TestOutcome::Failed
    );
    assert_eq!(
        refused(GOOD.as_bytes(), Some(true)).unwrap().result,
        TestOutcome::Passed
    );
}

#[test]
fn long_lists_of_names_are_left_out_or_cut() {
    let names = |mark: &str| -> String {
        let case = |n: usize| format!("<testcase name='{n}{}'>{mark}</testcase>", "x".repeat(2_000));
        (0..1_000).map(case).collect()
    };
    let found = outcome(format!("<testsuite>{}</testsuite>", names("")).as_bytes());
    assert_eq!(
        (found.counts.passed, found.passed, found.failed),
        (1_000, None, Some(Vec::new()))
    );
    let found = outcome(format!("<testsuite>{}</testsuite>", names("<failure/>")).as_bytes());
    assert_eq!(found.counts.failed, 1_000);
    let listed = found.failed.unwrap();
    assert!(!listed.is_empty() && listed.len() < 1_000);
    assert!(listed.iter().all(|name| name.len() == MAX_NAME_BYTES));
}

/// A small generator, so that a failure can be run again.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

#[test]
fn changed_at_random_a_report_never_panics_and_cut_it_is_never_read() {
    let pieces: [&[u8]; 14] = [
        b"<",
        b">",
        b"&",
        b"\"",
        b"</testcase>",
        b"<testcase ",
        b"<![CDATA[",
        b"]]>",
        b"<!DOCTYPE x>",
        b"<!--",
        b"\0",
        b"\xff",
        b"&#x1;",
        b"tests=\"18446744073709551616\"",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut good, mut refused) = (0_u32, 0_u32);
    for name in [
        "pytest/failed.xml",
        "surefire/passed.xml",
        "gotestsum/failed.xml",
        "nextest/flaky.xml",
    ] {
        let original = file(name);
        for _ in 0..5_000 {
            let mut bytes = original.clone();
            for _ in 0..=random.next(4) {
                let at = random.next(bytes.len());
                match random.next(4) {
                    0 => bytes[at] = random.next(256) as u8,
                    1 => drop(bytes.splice(at..at, pieces[random.next(pieces.len())].iter().copied())),
                    2 => drop(bytes.drain(at..(at + random.next(40)).min(bytes.len()))),
                    _ => bytes.extend_from_within(at..(at + random.next(60)).min(bytes.len())),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            match read(&bytes) {
                Ok(_) => good += 1,
                Err(_) => refused += 1,
            }
        }
        let end = original.trim_ascii_end().len();
        for length in 0..end {
            assert!(read(&original[..length]).is_err(), "{name} cut at {length}");
        }
    }
    assert!(good > 0 && refused > 0, "{good} {refused}");
}
