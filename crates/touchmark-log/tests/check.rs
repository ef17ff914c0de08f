//! The audit finds each single defect of a log and names it; and damage never becomes an answer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use common::{TestKey, assert_clean, new_log};
use touchmark_log::Log;
use touchmark_tlog::entry::CreateEntryRequest;
use touchmark_tlog::tile::append_entry;

const ENTRIES: u64 = 300;

/// Copies a log of 300 entries, which is made once.
fn good_log(to: &Path) -> Log {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let (log, key) = (new_log(dir.path()), TestKey::new(1));
        for number in 0..ENTRIES {
            log.add(&key.request(&format!("message {number}"))).unwrap();
        }
        dir
    });
    copy(&made.path().join("log"), &to.join("log"));
    Log::open(&to.join("log")).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Breaks one thing in a good log, and returns what the audit says.
fn findings(break_it: impl FnOnce(&Path)) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let log = good_log(dir.path());
    assert_clean(&log, ENTRIES);
    break_it(log.dir());
    let report = log.check().unwrap();
    report
        .problems
        .iter()
        .map(|problem| format!("{}: {problem}", problem.code()))
        .collect()
}

fn change(path: &Path, at: usize) {
    let mut content = fs::read(path).unwrap();
    content[at] ^= 1;
    fs::write(path, content).unwrap();
}

#[track_caller]
fn assert_finds(found: &[String], expected: &[&str]) {
    let codes: Vec<&str> = found
        .iter()
        .map(|problem| problem.split(':').next().unwrap())
        .collect();
    assert_eq!(codes, expected, "{found:#?}");
}

#[test]
fn a_changed_hash_tile_is_found() {
    let found = findings(|log| change(&log.join("tile/0/000"), 32 * 7 + 3));
    assert_finds(&found, &["log.tile_differs"]);
    assert!(
        found[0].ends_with("tile/0/000 differs from the entries, first at position 7"),
        "{}",
        found[0]
    );
    assert_finds(
        &findings(|log| change(&log.join("tile/1/000.p/1"), 0)),
        &["log.tile_differs"],
    );
    assert_finds(
        &findings(|log| change(&log.join("tile/0/001.p/44"), 40)),
        &["log.tile_differs"],
    );
}

#[test]
fn a_missing_or_short_tile_is_found() {
    assert_finds(
        &findings(|log| fs::remove_file(log.join("tile/0/000")).unwrap()),
        &["log.tile_missing"],
    );
    let short = |log: &Path| fs::write(log.join("tile/0/000"), [0; 31]).unwrap();
    assert_finds(&findings(short), &["log.tile"]);
}

#[test]
fn a_missing_or_short_bundle_is_found() {
    assert_finds(
        &findings(|log| fs::remove_file(log.join("tile/entries/000")).unwrap()),
        &["log.tile_missing"],
    );
    let short = |log: &Path| {
        let path = log.join("tile/entries/000");
        let content = fs::read(&path).unwrap();
        fs::write(path, &content[..content.len() - 1]).unwrap();
    };
    assert_finds(&findings(short), &["log.tile"]);
}

#[test]
fn a_changed_entry_is_found_in_all_that_it_leads_to() {
    // Inside the base64 of the signature of entry 0.
    let found = findings(|log| {
        let path = log.join("tile/entries/000");
        let content = fs::read(&path).unwrap();
        let at = content
            .windows(10)
            .position(|window| window == b"\"content\":")
            .unwrap()
            + 40;
        let mut changed = content;
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        fs::write(path, changed).unwrap();
    });
    let codes: Vec<&str> = found
        .iter()
        .map(|problem| problem.split(':').next().unwrap())
        .collect();
    assert!(codes[0].starts_with("signature."), "{found:#?}");
    assert_eq!(
        codes[1..],
        ["log.tile_differs", "log.tile_differs", "log.root"],
        "{found:#?}"
    );
}

#[test]
fn an_entry_that_was_never_acceptable_is_found() {
    // A log whose tiles agree with its entries, of which one has a signature over something else.
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    let good = key.request("message");
    log.add(&good).unwrap();
    let bad = CreateEntryRequest {
        digest: key.request("other").digest,
        ..good
    };
    let body = bad.to_entry().unwrap().canonical_body();
    let mut bundle = Vec::new();
    append_entry(&mut bundle, &body).unwrap();
    fs::write(log.dir().join("tile/entries/000.p/1"), bundle).unwrap();
    let found: Vec<_> = log
        .check()
        .unwrap()
        .problems
        .iter()
        .map(|problem| problem.code())
        .collect();
    assert_eq!(found, ["signature.invalid", "log.tile_differs", "log.root"]);
}

#[test]
fn damage_never_becomes_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (good_log(dir.path()), TestKey::new(1));
    let tile = log.dir().join("tile/0/001.p/44");
    change(&tile, 5);
    // The proof of entry 3 needs the hash of the whole tile, that of entry 257 the hash next to its own.
    for index in [3, 257] {
        assert_eq!(log.get(index).unwrap_err().code(), "log.root");
    }
    // A new writer does not build on it.
    let writer = Log::open(log.dir()).unwrap();
    assert_eq!(writer.add(&key.request("more")).unwrap_err().code(), "log.root");
    change(&tile, 5);
    assert_eq!(writer.add(&key.request("more")).unwrap().log_index, ENTRIES);
    change(&log.dir().join("tile/entries/000"), 60);
    assert_eq!(log.get(0).unwrap_err().code(), "log.root");
}

#[test]
fn a_named_pipe_in_the_place_of_a_file_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let log = good_log(dir.path());
    for name in ["tile/0/000", "checkpoint"] {
        let path = dir.path().join("log").join(name);
        fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        match log.check() {
            Ok(report) => assert_eq!(report.problems[0].code(), "log.storage"),
            Err(error) => assert_eq!(error.code(), "log.storage"),
        }
    }
}
