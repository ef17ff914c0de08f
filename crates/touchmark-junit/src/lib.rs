//! Test reports in JUnit's XML, as JUnit, surefire, Gradle, nextest, cargo2junit, pytest, gotestsum, go-junit-report and
//! jest-junit write it.
//!
//! A report is a file from outside. It is read in one pass, without entities, without a document type, below the caps of
//! this crate; what is not well-formed is refused. Nothing of it is kept but the names of tests and how each one ended.
//! [`Outcome`] is the one result that reports and a command's end come to: nothing that failed, and nothing that did not
//! run, is a pass.
//!
//! ```
//! use touchmark_junit::{Outcome, read};
//! use touchmark_statement::test_result::TestOutcome;
//!
//! let report = read(b"<testsuite><testcase classname='sums' name='adds'/></testsuite>").unwrap();
//! assert_eq!(report.cases[0].name, "sums::adds");
//! let outcome = Outcome::of([&report], None).unwrap();
//! assert_eq!(outcome.result, TestOutcome::Passed);
//! ```

mod outcome;

pub use outcome::{Outcome, OutcomeError};

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The largest report that is read.
pub const MAX_REPORT_BYTES: u64 = 64 * 1_024 * 1_024;
/// How deep elements may nest.
const MAX_DEPTH: usize = 64;
/// The most attributes of one element.
const MAX_ATTRIBUTES: usize = 64;
/// The most cases of one report.
pub const MAX_CASES: usize = 500_000;
/// The longest name that is kept; what is longer is cut.
pub const MAX_NAME_BYTES: usize = 1_024;

/// Why a file is no report that could be attested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JunitError {
    /// The bytes are not UTF-8, or say that they are something else.
    #[error("the report is not in UTF-8")]
    Encoding,
    /// The file has a document type.
    #[error("the report has a document type declaration, which no test tool writes")]
    DocumentType,
    /// An entity that XML does not predefine.
    #[error("the report uses an entity that is not predefined")]
    Entity,
    /// The file is not well-formed.
    #[error("the report is no well-formed XML at byte {offset}")]
    Malformed {
        /// Where the reader stopped.
        offset: u64,
    },
    /// Elements nest too deep.
    #[error("elements nest deeper than {MAX_DEPTH}")]
    TooDeep,
    /// Too many attributes.
    #[error("an element has more than {MAX_ATTRIBUTES} attributes")]
    TooManyAttributes,
    /// Too many cases.
    #[error("the report has more than {MAX_CASES} cases")]
    TooManyCases,
    /// XML, but of something else.
    #[error("expected <testsuites> or <testsuite>, found another element")]
    NotJunit,
    /// Elements where they cannot stand, or a total that is no number.
    #[error("the report is not built as one: {what}")]
    Structure {
        /// What stands where it cannot.
        what: &'static str,
    },
    /// The report says other numbers than its cases show, and a failure may be what is missing.
    #[error("the report says {attribute}={stated}, its cases show {counted}")]
    Totals {
        /// The attribute.
        attribute: &'static str,
        /// What it says.
        stated: u64,
        /// What was counted.
        counted: u64,
    },
}

impl JunitError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Encoding => "junit.encoding",
            Self::DocumentType => "junit.doctype",
            Self::Entity => "junit.entity",
            Self::Malformed { .. } => "junit.malformed",
            Self::TooDeep => "junit.too_deep",
            Self::TooManyAttributes => "junit.too_many_attributes",
            Self::TooManyCases => "junit.too_many_cases",
            Self::NotJunit => "junit.not_junit",
            Self::Structure { .. } => "junit.structure",
            Self::Totals { .. } => "junit.totals",
        }
    }
}

/// How a test ended; of several marks the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It passed.
    Passed,
    /// It did not run.
    Skipped,
    /// It passed after it had failed.
    Flaky,
    /// A check failed.
    Failed,
    /// It broke off.
    Error,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// `classname::name`, as far as the report gives them.
    pub name: String,
    /// How it ended.
    pub ending: Ending,
}

/// What a report says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Its tests, in order; several may have one name.
    pub cases: Vec<Case>,
    /// Whether a suite states totals that its cases do not show. Such a report never passes.
    pub is_inconsistent: bool,
}

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    tests: u64,
    skipped: u64,
    failures: u64,
    errors: u64,
}

impl Tally {
    fn note(&mut self, ending: Ending) {
        self.tests += 1;
        match ending {
            Ending::Skipped => self.skipped += 1,
            Ending::Failed => self.failures += 1,
            Ending::Error => self.errors += 1,
            Ending::Passed | Ending::Flaky => {}
        }
    }

    fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.skipped += other.skipped;
        self.failures += other.failures;
        self.errors += other.errors;
    }
}

/// What a suite's own attributes say.
#[derive(Debug, Clone, Copy, Default)]
struct Stated {
    tests: Option<u64>,
    skipped: Option<u64>,
    failures: Option<u64>,
    errors: Option<u64>,
}

/// An element that is open.
#[derive(Debug)]
enum Open {
    /// `testsuites` or `testsuite`: its name, what it states, what it holds itself, and with what it holds.
    Suite {
        name: String,
        stated: Stated,
        own: Tally,
        all: Tally,
    },
    /// `testcase`.
    Case(Case),
    /// A mark within a case, or anything else.
    Other,
}

/// Reads a report.
pub fn read(bytes: &[u8]) -> Result<Report, JunitError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JunitError::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut reading = Reading::default();
    loop {
        let event = reader.read_event();
        let offset = reader.error_position().max(reader.buffer_position());
        let malformed = JunitError::Malformed { offset };
        match event.map_err(|_| malformed.clone())? {
            Event::Start(element) => reading.open(&element, &malformed)?,
            Event::Empty(element) => {
                reading.open(&element, &malformed)?;
                reading.close(&malformed)?;
            }
            Event::End(_) => reading.close(&malformed)?,
            Event::Text(text) => {
                let is_blank = text.trim_ascii().is_empty();
                if reading.open.is_empty() && !is_blank {
                    return Err(malformed);
                }
            }
            Event::CData(_) if reading.open.is_empty() => return Err(malformed),
            Event::GeneralRef(reference) => {
                resolve(&reference, &malformed)?;
                if reading.open.is_empty() {
                    return Err(malformed);
                }
            }
            Event::DocType(_) => return Err(JunitError::DocumentType),
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(name)) if !is_utf8(&name) => return Err(JunitError::Encoding),
                Some(Err(_)) => return Err(malformed),
                _ => {}
            },
            Event::CData(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let end = JunitError::Malformed {
        offset: bytes.len() as u64,
    };
    reading.finish(end)
}

fn is_utf8(name: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

fn resolve(reference: &BytesRef<'_>, malformed: &JunitError) -> Result<(), JunitError> {
    match reference.resolve_char_ref() {
        Ok(Some(_)) => Ok(()),
        Ok(None) if matches!(&**reference, "lt" | "gt" | "amp" | "apos" | "quot") => Ok(()),
        Ok(None) => Err(JunitError::Entity),
        Err(_) => Err(malformed.clone()),
    }
}

#[derive(Debug, Default)]
struct Reading {
    open: Vec<Open>,
    has_root: bool,
    /// How deep the case is that is open.
    case: Option<usize>,
    report: Report,
    /// The first total that does not fit.
    misfit: Option<JunitError>,
    total: Tally,
}

/// The attributes of an element that are looked at.
#[derive(Debug, Default)]
struct Attributes {
    name: Option<String>,
    class: Option<String>,
    status: Option<String>,
    stated: Stated,
}

impl Reading {
    fn open(&mut self, element: &BytesStart<'_>, malformed: &JunitError) -> Result<(), JunitError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(JunitError::TooDeep);
        }
        let local = element.local_name();
        let name: &str = local.as_ref();
        if self.open.is_empty() {
            if self.has_root {
                return Err(malformed.clone());
            }
            self.has_root = true;
            if !matches!(name, "testsuites" | "testsuite") {
                return Err(JunitError::NotJunit);
            }
        }
        let attributes = attributes(element, malformed)?;
        let opened = match name {
            "testsuites" | "testsuite" if self.case.is_some() => {
                return Err(JunitError::Structure {
                    what: "a suite in a case",
                });
            }
            "testsuites" | "testsuite" => Open::Suite {
                name: attributes.name.unwrap_or_default(),
                stated: attributes.stated,
                own: Tally::default(),
                all: Tally::default(),
            },
            "testcase" if self.case.is_some() => {
                return Err(JunitError::Structure {
                    what: "a case in a case",
                });
            }
            "testcase" => {
                if self.report.cases.len() >= MAX_CASES {
                    return Err(JunitError::TooManyCases);
                }
                self.case = Some(self.open.len());
                Open::Case(case(attributes))
            }
            mark => {
                self.mark(mark)?;
                Open::Other
            }
        };
        self.open.push(opened);
        Ok(())
    }

    /// Notes how a case ended. An error of a suite itself is a case that broke off.
    fn mark(&mut self, element: &str) -> Result<(), JunitError> {
        let ending = match element {
            "failure" => Ending::Failed,
            "error" => Ending::Error,
            "skipped" => Ending::Skipped,
            "flakyFailure" | "flakyError" => Ending::Flaky,
            // A test that was run again and failed again has a failure beside these.
            _ => return Ok(()),
        };
        let parent = self.case.map_or(self.open.len().checked_sub(1), Some);
        match parent.and_then(|at| self.open.get_mut(at)) {
            Some(Open::Case(case)) => case.ending = case.ending.max(ending),
            Some(Open::Suite { name, own, all, .. }) if ending >= Ending::Failed => {
                if self.report.cases.len() >= MAX_CASES {
                    return Err(JunitError::TooManyCases);
                }
                own.note(ending);
                all.note(ending);
                let name = joined(Some(name), None);
                self.report.cases.push(Case { name, ending });
            }
            // Properties and output hold texts, not results.
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, malformed: &JunitError) -> Result<(), JunitError> {
        let closed = self.open.pop().ok_or_else(|| malformed.clone())?;
        match closed {
            Open::Case(case) => {
                self.case = None;
                let Some(Open::Suite { own, all, .. }) = self.open.last_mut() else {
                    return Err(JunitError::Structure {
                        what: "a case outside of a suite",
                    });
                };
                own.note(case.ending);
                all.note(case.ending);
                self.report.cases.push(case);
            }
            Open::Suite { stated, own, all, .. } => {
                self.compare(stated, own, all);
                match self.open.last_mut() {
                    Some(Open::Suite { all: outer, .. }) => outer.add(all),
                    Some(_) => {
                        return Err(JunitError::Structure {
                            what: "a suite in something else",
                        });
                    }
                    None => self.total = all,
                }
            }
            Open::Other => {}
        }
        Ok(())
    }

    /// Holds a suite's totals against its cases. Tools differ in whether what is nested counts.
    fn compare(&mut self, stated: Stated, own: Tally, all: Tally) {
        let rows = [
            ("tests", stated.tests, own.tests, all.tests),
            ("failures", stated.failures, own.failures, all.failures),
            ("errors", stated.errors, own.errors, all.errors),
            ("skipped", stated.skipped, own.skipped, all.skipped),
        ];
        for (attribute, stated, own, all) in rows {
            if let Some(stated) = stated.filter(|stated| *stated != own && *stated != all) {
                self.report.is_inconsistent = true;
                self.misfit.get_or_insert(JunitError::Totals {
                    attribute,
                    stated,
                    counted: all,
                });
            }
        }
    }

    fn finish(self, end: JunitError) -> Result<Report, JunitError> {
        if !self.has_root || !self.open.is_empty() {
            return Err(end);
        }
        let failed = self.total.failures + self.total.errors > 0;
        match self.misfit {
            // It has failed already: that is said, and that its numbers do not fit.
            Some(misfit) if !failed => Err(misfit),
            _ => Ok(self.report),
        }
    }
}

fn attributes(element: &BytesStart<'_>, malformed: &JunitError) -> Result<Attributes, JunitError> {
    let mut found = Attributes::default();
    for (number, attribute) in element.attributes().enumerate() {
        if number >= MAX_ATTRIBUTES {
            return Err(JunitError::TooManyAttributes);
        }
        let attribute = attribute.map_err(|_| malformed.clone())?;
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|error| match error {
            quick_xml::escape::EscapeError::UnrecognizedEntity(..) => JunitError::Entity,
            _ => malformed.clone(),
        })?;
        let count = || {
            let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            value.parse().ok().filter(|_| plain).ok_or(JunitError::Structure {
                what: "a total that is no number",
            })
        };
        match attribute.key.as_ref() {
            "name" => found.name = Some(cut(&value)),
            "classname" => found.class = Some(cut(&value)),
            "status" | "result" => found.status = Some(cut(&value)),
            "tests" => found.stated.tests = Some(count()?),
            "failures" => found.stated.failures = Some(count()?),
            "errors" => found.stated.errors = Some(count()?),
            "skipped" | "skips" => found.stated.skipped = Some(count()?),
            _ => {}
        }
    }
    Ok(found)
}

/// Some tools say in an attribute what others say in an element.
fn case(attributes: Attributes) -> Case {
    let status = attributes.status.unwrap_or_default().to_ascii_lowercase();
    let ending = match status.as_str() {
        "failed" | "failure" | "fail" => Ending::Failed,
        "error" | "errored" => Ending::Error,
        "notrun" | "skipped" | "disabled" | "ignored" => Ending::Skipped,
        _ => Ending::Passed,
    };
    Case {
        name: joined(attributes.class.as_deref(), attributes.name.as_deref()),
        ending,
    }
}

fn joined(class: Option<&str>, name: Option<&str>) -> String {
    let parts = [class, name].into_iter().flatten();
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => "(no name)".to_owned(),
        parts => cut(&parts.join("::")),
    }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_NAME_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // A NUL has no place in a name.
    text[..end].replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests;
