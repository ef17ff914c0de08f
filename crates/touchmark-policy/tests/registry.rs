//! The table of codes, the sources of every crate, and `schemas/reason-codes.json` say the same.
//!
//! `REWRITE=1 cargo test -p touchmark-policy --test registry` writes the file anew.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic and reads its own switch"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use touchmark_policy::reason::registry;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns every Rust source of the crates, tests aside.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// Returns the literals of the form `area.reason` in a piece of source.
fn literals(text: &str) -> Vec<String> {
    let form = |text: &str| {
        let plain = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        };
        text.contains('.') && text.split('.').all(plain)
    };
    text.split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| form(text))
        .map(str::to_owned)
        .collect()
}

/// Returns the body that follows, up to the brace that closes it. Braces within literals are balanced in our sources.
fn body(text: &str) -> &str {
    let Some(open) = text.find('{') else { return "" };
    let mut depth = 0_usize;
    for (i, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return &text[open..=i];
                }
            }
            _ => {}
        }
    }
    &text[open..]
}

/// What a code follows in the sources, besides standing in `fn code`.
const MAKERS: [&str; 11] = [
    "Reason::new(",
    "NotChecked::new(",
    "NotChecked::about(",
    "code: ",
    "let code = ",
    "CliError::usage(",
    "CliError::failed(",
    "CliError::io(",
    "CliError::new(",
    "Self::usage(",
    "Self::failed(",
];

/// Returns the code that comes first, or second after an exit code.
fn first_argument(text: &str) -> Option<String> {
    let text = text.trim_start();
    let text = match text.strip_prefix("ExitCode::") {
        Some(exit) => exit.split_once(',')?.1.trim_start(),
        None => text,
    };
    let literal = text.strip_prefix('"')?.split('"').next()?;
    literals(&format!("\"{literal}\"")).pop()
}

/// Codes by where they are made: in `fn code` bodies, as arguments of `Reason::new` and its like, and as `code: "…"`.
fn codes_in_sources() -> BTreeMap<String, BTreeSet<String>> {
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let src = entry.unwrap().path().join("src");
        if src.is_dir() && !src.to_str().unwrap().contains("touchmark-testkit") {
            sources(&src, &mut files);
        }
    }
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // Tests stand at the bottom of a file.
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        if file.to_str().unwrap().contains("touchmark-policy/src/reason/") {
            continue;
        }
        let mut note = |code: String| {
            codes
                .entry(code)
                .or_default()
                .insert(file.strip_prefix(root()).unwrap().display().to_string());
        };
        for (at, _) in text.match_indices("fn code(") {
            literals(body(&text[at..])).into_iter().for_each(&mut note);
        }
        for maker in MAKERS {
            for (at, _) in text.match_indices(maker) {
                if let Some(code) = first_argument(&text[at + maker.len()..]) {
                    note(code);
                }
            }
        }
        if file.to_str().unwrap().contains("touchmark-policy/src") {
            literals(text)
                .into_iter()
                .filter(|text| registry::all().iter().any(|entry| entry.code == text))
                .for_each(&mut note);
        }
    }
    codes
}

#[test]
fn every_code_of_every_crate_is_in_the_table() {
    let missing: Vec<String> = codes_in_sources()
        .into_iter()
        .filter(|(code, _)| registry::explain(code).is_none())
        .map(|(code, files)| format!("{code}  ({})", files.into_iter().collect::<Vec<_>>().join(", ")))
        .collect();
    assert!(
        missing.is_empty(),
        "{} codes are not in the table:\n{}",
        missing.len(),
        missing.join("\n")
    );
}

#[test]
fn every_code_of_the_table_is_in_a_source() {
    let sources = codes_in_sources();
    let stale: Vec<&str> = registry::all()
        .into_iter()
        .map(|entry| entry.code)
        .filter(|code| !code.ends_with('*') && !sources.contains_key(*code))
        .collect();
    assert!(
        stale.is_empty(),
        "{} codes of the table are in no source:\n{}",
        stale.len(),
        stale.join("\n")
    );
}

#[test]
fn every_entry_is_complete_and_stands_once() {
    let mut seen = BTreeSet::new();
    for entry in registry::all() {
        assert!(seen.insert(entry.code), "{} stands twice", entry.code);
        assert!(
            !entry.title.is_empty() && !entry.title.ends_with('.'),
            "{}: title",
            entry.code
        );
        assert!(entry.explanation.ends_with('.'), "{}: explanation", entry.code);
        assert!(
            !entry.help.is_empty() && !entry.help.ends_with('.'),
            "{}: help",
            entry.code
        );
        assert_eq!(registry::explain(entry.code), Some(entry));
    }
    assert_eq!(
        registry::explain("policy.rule.infra-two-humans").unwrap().code,
        "policy.rule.*"
    );
    assert_eq!(registry::explain("no.such_code"), None);
}

#[test]
fn the_published_file_is_the_table() {
    let path = root().join("schemas/reason-codes.json");
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(&path, registry::encode()).unwrap();
    }
    let published = std::fs::read(&path).unwrap_or_default();
    assert!(
        published == registry::encode(),
        "schemas/reason-codes.json differs from the table; rewrite it"
    );
}
