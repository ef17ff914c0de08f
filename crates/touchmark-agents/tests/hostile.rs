//! What every importer does with what is left of a session after cutting, mutation and malice. Each format takes part
//! through its fixtures, so that a new importer is held to the same.
//!
//! `TOUCHMARK_TEST_MUTATIONS=100000 cargo test --release -p touchmark-agents --test hostile mutations -- --nocapture` runs
//! as many of each kind as that says; without it there are fewer.

#![allow(clippy::print_stdout, reason = "how many there were is worth a line")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(
    clippy::disallowed_methods,
    reason = "the environment says how many mutations there are"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::IgnoredAny;
use touchmark_agents::atif;
use touchmark_agents::importer::{self, Importer};
use touchmark_agents::run::{Completeness, Run};
use touchmark_agents::session::{ImportOptions, Layout, Session, SessionFile};

use support::files_below;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions");
/// Cutting at every byte takes the square of the size. The smallest of each format is not larger, with one exception.
const SMALL_BYTES: usize = 16 * 1024;
const MUTATIONS: usize = 300;

/// The fixtures of each format, smallest first.
fn fixtures() -> BTreeMap<&'static str, Vec<Session>> {
    let mut found: BTreeMap<&'static str, Vec<Session>> = BTreeMap::new();
    for path in files_below(Path::new(SESSIONS)) {
        if let Ok(session) = importer::load(&path, &ImportOptions::default()) {
            found.entry(session.format).or_default().push(session);
        }
    }
    for sessions in found.values_mut() {
        sessions.sort_by_key(|session| session.files[0].bytes.len());
    }
    assert!(found.len() >= importer::IMPORTERS.len() - 1);
    found
}

fn importer_of(session: &Session) -> &'static dyn Importer {
    importer::by_format(session.format).unwrap()
}

/// Imports the session with other bytes in its own file.
fn import(session: &Session, bytes: &[u8]) -> Option<Run> {
    let mut files = session.files.clone();
    files[0].bytes = bytes.to_vec();
    let run = importer_of(session)
        .import(&files, &ImportOptions::default())
        .ok()?;
    assert_sound(session, &files, &run);
    Some(run)
}

/// What holds whatever the bytes are. `Whole` is said only of bytes that end where a writer could have ended: lines with
/// a line feed, a document with its last bracket.
fn assert_sound(session: &Session, files: &[SessionFile], run: &Run) {
    for step in &run.steps {
        let file = &files[step.source as usize];
        assert!(
            step.bytes(&file.bytes).is_some(),
            "{}: a step outside",
            session.format
        );
    }
    for prompt in &run.prompts {
        assert!(prompt.step < run.steps.len());
    }
    if run.sources[0].completeness == Completeness::Whole {
        let bytes = &files[0].bytes;
        match session.layout {
            Layout::Lines => assert!(
                bytes.is_empty() || bytes.last() == Some(&b'\n'),
                "{}: whole without a last line feed",
                session.format
            ),
            Layout::Document => assert!(
                // What stood in a folder of documents was written out as lines.
                bytes.ends_with(b"}\n")
                    || std::str::from_utf8(bytes)
                        .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok()),
                "{}: whole, but no JSON to its end: {:?}",
                session.format,
                String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(300)..])
            ),
        }
    }
}

/// A file cut anywhere is whole only where what is left is byte for byte what its writer had written before: for lines,
/// up to and with a line feed; for a document, nothing but white space is cut away.
#[test]
fn a_file_cut_at_any_byte_is_whole_only_as_an_earlier_state() {
    for (format, sessions) in fixtures() {
        let mut cuts = 0;
        for (nth, session) in sessions.into_iter().enumerate() {
            let bytes = &session.files[0].bytes;
            // The smallest is cut at every byte, the others at so many that no place is far from one.
            let stride = if nth == 0 && bytes.len() <= SMALL_BYTES {
                1
            } else {
                bytes.len() / 500 + 1
            };
            for cut in (0..bytes.len()).step_by(stride) {
                let Some(run) = import(&session, &bytes[..cut]) else {
                    continue;
                };
                cuts += 1;
                let is_earlier_state = match session.layout {
                    // A file that its writer had only opened is one that sub-agents stand beside.
                    Layout::Lines => cut == 0 || bytes[cut - 1] == b'\n',
                    Layout::Document => bytes[cut..].iter().all(u8::is_ascii_whitespace),
                };
                let own = run.sources[0].completeness;
                assert!(
                    own != Completeness::Whole || is_earlier_state,
                    "{format} cut at {cut}"
                );
                assert!(run.completeness >= own);
            }
        }
        println!("{format:<22} {cuts} cuts that left something to read");
        assert!(cuts > 0 || format == "opencode", "{format}");
    }
}

/// A generator of numbers that is the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// What is put into a session somewhere.
const PIECES: [&[u8]; 16] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\n",
    b"\\u0000",
    b"\0",
    b"\xff\xfe",
    b"18446744073709551616",
    b"-1",
    b"1e999",
    b"null",
    b"\\ud800",
    b"\"type\":",
];

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        let len = random.below(40).min(bytes.len() - at);
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..at + len)),
            2 => {
                let copy = bytes[at..at + len].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            3 => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            4 => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at + len.min(8), piece.iter().copied());
            }
            _ => bytes.truncate(at),
        }
    }
}

#[test]
fn mutations_of_every_format_are_survived() {
    let wanted = std::env::var("TOUCHMARK_TEST_MUTATIONS");
    let count: usize = wanted
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(MUTATIONS);
    let formats: Vec<(&str, Vec<Session>)> = fixtures().into_iter().collect();
    std::thread::scope(|scope| {
        for (format, sessions) in &formats {
            scope.spawn(move || {
                let mut random = Random(0x9e37_79b9_7f4a_7c15);
                let (mut read, mut refused) = (0u32, 0u32);
                for round in 0..count {
                    let session = &sessions[round % sessions.len()];
                    let mut bytes = session.files[0].bytes.clone();
                    mutate(&mut bytes, &mut random);
                    match import(session, &bytes) {
                        Some(_) => read += 1,
                        None => refused += 1,
                    }
                }
                println!("{format:<22} {count} mutations: {read} read, {refused} refused");
            });
        }
    });
}

#[test]
fn what_is_left_of_a_session_can_be_exported() {
    for (format, sessions) in fixtures() {
        let mut random = Random(7);
        for round in 0..40 {
            let mut session = sessions[round % sessions.len()].clone();
            mutate(&mut session.files[0].bytes, &mut random);
            let Ok(run) = importer_of(&session).import(&session.files, &ImportOptions::default()) else {
                continue;
            };
            session.run = run;
            if let Ok(trajectory) = atif::export(&session) {
                assert!(!trajectory["steps"].as_array().unwrap().is_empty(), "{format}");
            }
        }
    }
}

/// Puts something before the first field of the first record, or of the document.
fn with_first_field(session: &Session, field: &str) -> Vec<u8> {
    let bytes = &session.files[0].bytes;
    let at = bytes.iter().position(|byte| *byte == b'{').unwrap() + 1;
    let mut changed = bytes[..at].to_vec();
    changed.extend_from_slice(field.as_bytes());
    changed.extend_from_slice(&bytes[at..]);
    changed
}

#[test]
fn depth_length_and_size_do_no_harm() {
    let deep = format!("\"deep\":{}{},", "[".repeat(100_000), "]".repeat(100_000));
    let deep_objects = format!("\"deep\":{}1{},", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    let long = format!("\"long\":\"{}\",", "x".repeat(4 * 1024 * 1024));
    let many = format!("{}\"last\":0,", "\"a\":0,".repeat(100_000));
    let open = format!("\"open\":{}", "[".repeat(100_000));
    for (format, sessions) in fixtures() {
        for field in [&deep, &deep_objects, &long, &many, &open] {
            let bytes = with_first_field(&sessions[0], field);
            let run = import(&sessions[0], &bytes);
            if std::ptr::eq(field, &open) && sessions[0].layout == Layout::Document {
                assert!(
                    run.is_none_or(|run| run.completeness == Completeness::TailMissing),
                    "{format}"
                );
            }
        }
    }
}

#[test]
fn a_line_that_is_too_long_is_skipped_and_counted() {
    for (format, sessions) in fixtures() {
        let whole = |session: &&Session| session.run.completeness == Completeness::Whole;
        let Some(session) = sessions
            .iter()
            .find(whole)
            .filter(|found| found.layout == Layout::Lines)
        else {
            continue;
        };
        let mut files = session.files.clone();
        let long = format!("{{\"x\":\"{}\"}}\n", "y".repeat(100_000));
        files[0].bytes.extend_from_slice(long.as_bytes());
        let options = ImportOptions {
            max_line_bytes: 64 * 1024,
            ..ImportOptions::default()
        };
        let run = importer_of(session).import(&files, &options).unwrap();
        assert_eq!(run.counters.skipped, 1, "{format}");
        assert_eq!(run.completeness, Completeness::Whole, "{format}");
    }
}

/// Every number of a session in turn replaced by one that nobody can mean.
#[test]
fn absurd_numbers_are_absent_and_never_small() {
    for (format, sessions) in fixtures() {
        let session = &sessions[0];
        let text = String::from_utf8(session.files[0].bytes.clone()).unwrap();
        let most = session.run.usage.output_tokens;
        for absurd in [
            "18446744073709551616",
            "99999999999999999999999999",
            "-7",
            "1e300",
            "0.5",
        ] {
            let all: Vec<usize> = text.match_indices(':').map(|(at, _)| at).collect();
            for at in all.iter().step_by(all.len() / 200 + 1).copied() {
                let rest = &text[at + 1..];
                let start = rest.len() - rest.trim_start().len();
                let digits = rest[start..]
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len() - start);
                if digits == 0 {
                    continue;
                }
                let from = at + 1 + start;
                let changed = format!("{}{absurd}{}", &text[..from], &text[from + digits..]);
                if let Some(run) = import(session, changed.as_bytes()) {
                    assert!(run.usage.output_tokens <= most, "{format} {absurd}");
                }
            }
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_counted() {
    for (format, sessions) in fixtures() {
        let session = &sessions[0];
        for bad in [&b"\xff\xfe\xfd"[..], b"\0\0\0", b"\xed\xa0\x80"] {
            let mut bytes = session.files[0].bytes.clone();
            let middle = bytes.len() / 2;
            bytes.splice(middle..middle, bad.iter().copied());
            let Some(run) = import(session, &bytes) else {
                continue;
            };
            let counters = run.counters;
            let is_noticed = counters.malformed + counters.skipped > session.run.counters.malformed
                || run.completeness != Completeness::Whole;
            assert!(is_noticed, "{format}: {bad:?}");
        }
    }
}
