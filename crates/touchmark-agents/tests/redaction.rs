//! Redaction of recorded sessions: what comes out is clean, and is the JSON that it was but for what was taken out.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use touchmark_agents::secrets::{self, Scanner};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/sessions");
const MADE_UP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions");
/// The largest recording that is read here; debug builds are slow.
const MAX_BYTES: u64 = 24 * 1024 * 1024;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if entry.metadata().is_ok_and(|metadata| metadata.len() <= MAX_BYTES) {
            found.push(path);
        }
    }
}

/// How many values of each kind there are, whatever they say.
fn shape(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(shape).sum::<usize>(),
        serde_json::Value::Object(fields) => 1 + fields.len(),
        _ => 1,
    }
}

fn stays_json(path: &Path, before: &[u8], after: &[u8]) {
    let parse = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
    if let Some(value) = parse(before) {
        let clean = parse(after).unwrap_or_else(|| panic!("{}: no JSON any more", path.display()));
        assert_eq!(shape(&value), shape(&clean), "{}", path.display());
        return;
    }
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines(before), lines(after), "{}", path.display());
    let pairs = before
        .split(|byte| *byte == b'\n')
        .zip(after.split(|byte| *byte == b'\n'));
    for (number, (line, clean)) in pairs.enumerate() {
        if parse(line).is_some() {
            assert!(
                parse(clean).is_some(),
                "{}:{}: no JSON any more",
                path.display(),
                number + 1
            );
        }
    }
}

fn redact_all(folder: &str) -> usize {
    let mut paths = Vec::new();
    files(Path::new(folder), &mut paths);
    paths.sort();
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    let (mut plain, mut deep) = (0, 0);
    for path in &paths {
        let bytes = fs::read(path).unwrap();
        if bytes.starts_with(b"SQLite format 3\0") {
            continue;
        }
        plain += usize::from(!secrets::find(&bytes).is_empty());
        deep += usize::from(!Scanner::built_in().find_in_json(&bytes).is_empty());
        let redacted = Scanner::built_in().redact_json(&bytes).unwrap();
        for rule in &redacted.rules {
            *rules.entry(rule.to_string()).or_default() += 1;
        }
        stays_json(path, &bytes, &redacted.bytes);
    }
    println!(
        "{} files; with secrets {plain} as they are, {deep} as they read; rules by files {rules:?}",
        paths.len()
    );
    paths.len()
}

#[test]
fn redacted_sessions_stay_json() {
    assert!(redact_all(MADE_UP) > 20);
    if redact_all(RECORDED) == 0 {
        println!("skipped: there are no recorded sessions");
    }
}
