//! Sessions that an agent packed when it put them away: attested as what they hold.

use std::fs;
use std::path::PathBuf;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};

use crate::common::Sandbox;

const FORK: &str = "019b0000-9000-7000-8000-000000000002";
const RECORDED: &str = include_str!("../../testdata/sessions/codex/fork.jsonl");

/// A change, and Codex's session about it where the product puts old ones away.
fn archived() -> (Sandbox, Vec<u8>, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 1 }\n");
    sandbox.commit("first");
    sandbox.git(["switch", "--quiet", "--create", "work"]);
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    sandbox.commit("second");
    let repo = sandbox.repo().to_string_lossy().into_owned();
    let plain = RECORDED.replace("/home/ada/greeter", &repo);
    let plain = plain.replace("ada:TEST-ONLY-password@", "").into_bytes();
    let name = format!("rollout-2026-03-01T11-00-00-{FORK}.jsonl.zst");
    let file = sandbox.path("home/.codex/archived_sessions").join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, compress_to_vec(&plain[..], CompressionLevel::Fastest)).unwrap();
    (sandbox, plain, file)
}

/// What a statement says of the session, without what is random in each.
fn told(statement: &Value) -> Value {
    let predicate = &statement["predicate"];
    json!([
        predicate["agent"],
        predicate["models"],
        predicate["tools"],
        predicate["usage"],
        predicate["transcript"]["steps"]["count"],
        predicate["transcript"]["complete"],
        predicate["transcript"]["counters"],
    ])
}

#[test]
fn a_packed_session_is_found_and_told_as_the_plain_one_is() {
    let (sandbox, plain, file) = archived();
    let found = sandbox.statement(&["--base", "main"]);
    assert_eq!(found["predicate"]["agent"]["instance"], FORK);
    assert_eq!(found["predicate"]["agent"]["product"]["name"], "codex");
    assert_eq!(found["predicate"]["transcript"]["complete"], "whole");
    let unpacked = sandbox.path("plain.jsonl");
    fs::write(&unpacked, plain).unwrap();
    let by_name =
        |file: &PathBuf| sandbox.statement(&["--base", "main", "--session", file.to_str().unwrap()]);
    assert_eq!(told(&by_name(&unpacked)), told(&found));
    assert_eq!(told(&by_name(&file)), told(&found));
}

#[test]
fn what_a_packed_session_holds_is_what_is_disclosed() {
    let (sandbox, plain, _) = archived();
    sandbox.attest(&["--base", "main"]);
    let key = sandbox.path("key.pub").to_string_lossy().into_owned();
    fs::write(&key, sandbox.touchmark(["key", "public"]).ok().stdout).unwrap();
    let file = sandbox.path("opened.jsonl").to_string_lossy().into_owned();
    sandbox
        .touchmark(["disclose", "--step", "0", "--output", &file])
        .ok();
    let verify = ["verify", "--disclosure", &file, "--key", &key, "--format", "json"];
    let opened = sandbox.touchmark(verify).ok().json();
    let first = plain.split(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(
        opened["pieces"][0]["text"],
        std::str::from_utf8(first).unwrap(),
        "{opened:#}"
    );
}

#[test]
fn a_secret_in_a_packed_session_is_found() {
    let (sandbox, plain, file) = archived();
    let text = String::from_utf8(plain).unwrap();
    let leaked = text.replace("https://", "https://ada:TEST-ONLY-password@");
    fs::write(
        &file,
        compress_to_vec(leaked.as_bytes(), CompressionLevel::Fastest),
    )
    .unwrap();
    sandbox
        .touchmark(["attest", "--base", "main"])
        .refused(2, "attest.secret_in_transcript");
}

#[test]
fn a_packed_session_that_was_cut_is_refused_and_never_a_beginning() {
    let (sandbox, _, file) = archived();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    let named = file.to_string_lossy().into_owned();
    sandbox
        .touchmark(["attest", "--base", "main", "--session", &named])
        .refused(1, "session.packed");
    assert_eq!(sandbox.evidence_refs(), Vec::<String>::new());
}
