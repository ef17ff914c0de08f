//! `touchmark explain`: every code that is published, and help for one that is mistyped.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::common::Sandbox;
use crate::common::schema::{assert_valid, folder};

/// The codes of the published table.
fn published() -> BTreeSet<String> {
    let bytes = fs::read(folder().join("reason-codes.json")).unwrap();
    let table: Value = serde_json::from_slice(&bytes).unwrap();
    let rows = table.as_array().unwrap();
    rows.iter()
        .map(|row| row["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_list_holds_every_published_code_and_no_other() {
    let sandbox = Sandbox::new();
    let document = sandbox
        .touchmark(["explain", "--list", "--format", "json"])
        .ok()
        .json();
    assert_valid(&document);
    let rows = document["codes"].as_array().unwrap();
    let listed: BTreeSet<String> = rows
        .iter()
        .map(|row| row["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed.len(), rows.len(), "a code is listed twice");
    assert_eq!(listed, published());
    let text = sandbox.touchmark(["explain", "--list"]).ok().stdout;
    assert_eq!(text.lines().count(), rows.len());
}

#[test]
fn a_code_is_explained_with_its_exit_code_and_what_to_do() {
    let sandbox = Sandbox::new();
    let document = sandbox
        .touchmark(["explain", "accounted.residual", "--format", "json"])
        .ok()
        .json();
    assert_valid(&document);
    assert_eq!(document["code"], "accounted.residual");
    for name in ["title", "explanation", "help"] {
        assert!(document[name].as_str().unwrap().len() > 10, "{name}");
    }
    let text = sandbox.touchmark(["explain", "accounted.residual"]).ok().stdout;
    assert!(
        text.starts_with("accounted.residual: ") && text.contains("\nwhat to do: "),
        "{text}"
    );
    // A rule of a policy has a code of its own.
    let rule = sandbox
        .touchmark(["explain", "policy.rule.a-person-reads-it", "--format", "json"])
        .ok()
        .json();
    assert_valid(&rule);
    assert_eq!(rule["code"], "policy.rule.a-person-reads-it");
}

#[test]
fn an_unknown_code_is_refused_with_its_neighbours() {
    let sandbox = Sandbox::new();
    let outcome = sandbox
        .touchmark(["explain", "accounted.residul"])
        .refused(2, "explain.unknown_code");
    assert!(
        outcome.stderr.contains("did you mean") && outcome.stderr.contains("accounted.residual"),
        "{}",
        outcome.stderr
    );
    let outcome = sandbox
        .touchmark(["explain", "nonsense"])
        .refused(2, "explain.unknown_code");
    assert!(outcome.stderr.contains("explain --list"), "{}", outcome.stderr);
    assert_eq!(sandbox.touchmark(["explain"]).code, Some(2));
    let outcome = sandbox
        .touchmark(["explain", "a\u{1b}[2Jb"])
        .refused(2, "explain.unknown_code");
    assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
}
