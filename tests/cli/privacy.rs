//! No word of a session leaves the vault: not into the statement, the log, the spool, the repository or any message.
//!
//! Every made-up session of every product gets a marker in each of its texts: prompts, commands, tool output, paths
//! outside of the repository. After attesting in every way, everything but the vault is searched for it, also in base64, in
//! hex and with its bytes as numbers.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Outcome, World, contains};

/// What is put into every text. Letters and digits only, so that no escape changes it.
const MARKER: &str = "Zq7VwKp3Tn5RbYc2HdJf8GsA4eUoXiMl";
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions");

/// Returns the marker in every form in which it could be written.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    use base64::Engine as _;
    let hex: String = MARKER.bytes().map(|byte| format!("{byte:02x}")).collect();
    let numbers: Vec<String> = MARKER.bytes().map(|byte| byte.to_string()).collect();
    let escapes: String = MARKER.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let mut forms = vec![
        ("raw", MARKER.as_bytes().to_vec()),
        ("lower case", MARKER.to_lowercase().into_bytes()),
        ("upper case", MARKER.to_uppercase().into_bytes()),
        ("reversed", MARKER.bytes().rev().collect()),
        ("hex", hex.clone().into_bytes()),
        ("hex in capitals", hex.to_uppercase().into_bytes()),
        ("numbers", numbers.join(", ").into_bytes()),
        ("escapes", escapes.into_bytes()),
    ];
    for (name, before) in [
        ("base64", ""),
        ("base64, one byte on", "a"),
        ("base64, two bytes on", "ab"),
    ] {
        // Only what does not depend on what stands around it.
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{before}{MARKER}"));
        forms.push((name, encoded.as_bytes()[4..encoded.len() - 4].to_vec()));
    }
    forms
}

#[track_caller]
fn assert_clean(place: &str, bytes: &[u8]) {
    for (form, needle) in forms() {
        assert!(!contains(bytes, &needle), "the marker is in {place} as {form}");
    }
}

fn assert_silent(what: &str, outcome: &Outcome) {
    assert_clean(&format!("{what}: standard output"), outcome.stdout.as_bytes());
    assert_clean(&format!("{what}: standard error"), outcome.stderr.as_bytes());
}

/// Names whose values are texts even where they are one word.
const TEXTS: [&str; 22] = [
    "aggregated_output",
    "arguments",
    "cmd",
    "command",
    "content",
    "description",
    "display",
    "message",
    "observation",
    "output",
    "prompt",
    "query",
    "reasoning",
    "response",
    "result",
    "stderr",
    "stdout",
    "summary",
    "text",
    "thought",
    "title",
    "value",
];

/// Marks every text of a value; returns how many there were.
fn mark(value: &mut Value, name: &str) -> usize {
    match value {
        Value::Object(fields) => fields.iter_mut().map(|(name, value)| mark(value, name)).sum(),
        Value::Array(items) => items.iter_mut().map(|value| mark(value, name)).sum(),
        Value::String(text) => {
            if text.starts_with(['{', '['])
                && let Ok(mut inner) = serde_json::from_str::<Value>(text)
            {
                let count = mark(&mut inner, name);
                *text = inner.to_string();
                return count;
            }
            let is_text = text.contains(' ') || TEXTS.contains(&name);
            if is_text && !text.is_empty() {
                text.push_str(&format!(" {MARKER}"));
            }
            usize::from(is_text)
        }
        _ => 0,
    }
}

/// Marks a document, or each line of a file of documents.
fn marked(bytes: &[u8]) -> (Vec<u8>, usize) {
    if let Ok(mut document) = serde_json::from_slice::<Value>(bytes) {
        let count = mark(&mut document, "");
        return (document.to_string().into_bytes(), count);
    }
    let (mut out, mut count) = (Vec::new(), 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice::<Value>(line) {
            Ok(mut record) => {
                count += mark(&mut record, "");
                out.extend(record.to_string().into_bytes());
                out.push(b'\n');
            }
            Err(_) => out.extend_from_slice(line),
        }
    }
    (out, count)
}

/// Copies the fixtures of one product with their texts marked; returns what may be a session.
fn copy_marked(from: &Path, to: &Path, sessions: &mut Vec<PathBuf>) {
    fs::create_dir_all(to).unwrap();
    let mut entries: Vec<_> = fs::read_dir(from)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy_marked(&entry, &target, sessions);
            sessions.push(target);
        } else {
            let (bytes, count) = marked(&fs::read(&entry).unwrap());
            fs::write(&target, bytes).unwrap();
            if count > 0 {
                sessions.push(target);
            }
        }
    }
}

fn products() -> Vec<String> {
    let entries = fs::read_dir(FIXTURES).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn run(world: &World, arguments: &[&str]) -> Outcome {
    let outcome = world.touchmark(arguments);
    assert_silent(&arguments.join(" "), &outcome);
    outcome
}

/// Everything below the data folder but what is meant to hold words: the vault, and the spool of captured runs.
fn assert_data_is_clean(world: &World) {
    let mut searched = 0;
    for (path, bytes) in world.files("touchmark/data") {
        let shown = path.to_string_lossy().into_owned();
        let holds_words = ["/data/vault/", "/data/capture/"]
            .iter()
            .any(|folder| shown.contains(folder));
        if !holds_words || shown.ends_with(".log") {
            assert_clean(&shown, &bytes);
            searched += 1;
        }
    }
    assert!(searched > 5, "only {searched} files were searched");
    for (path, bytes) in world.files("touchmark/config") {
        assert_clean(&path.to_string_lossy(), &bytes);
    }
}

/// Every object of the repository, inflated, and every other file of `.git`.
fn assert_repository_is_clean(world: &World) {
    let objects = Command::new("git")
        .args(["cat-file", "--batch-all-objects", "--batch", "--unordered"])
        .current_dir(world.repo())
        .output()
        .unwrap();
    assert!(objects.status.success());
    assert!(contains(&objects.stdout, b"predicateType") || contains(&objects.stdout, b"dsseEnvelope"));
    assert_clean("the repository's objects", &objects.stdout);
    // Statements are in base64 inside their bundles: the payloads themselves.
    for reference in world.evidence_refs() {
        for (name, bundle) in world.evidence(&reference) {
            let bundle: Value = serde_json::from_slice(&bundle).unwrap();
            let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
            use base64::Engine as _;
            let payload = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
            assert_clean(&format!("the statement {name}"), &payload);
        }
    }
    for (path, bytes) in world.files("repo/.git") {
        assert_clean(&path.to_string_lossy(), &bytes);
    }
}

#[test]
fn case_151_no_word_of_any_products_session_leaves_the_vault() {
    let world = World::unattested();
    let key = world.key("agent");
    let mut attested: Vec<(String, usize)> = Vec::new();
    for product in products() {
        let mut sessions = Vec::new();
        copy_marked(
            &Path::new(FIXTURES).join(&product),
            &world.path("marked").join(&product),
            &mut sessions,
        );
        let mut count = 0;
        for session in &sessions {
            let session = session.to_str().unwrap();
            let attest = [
                "attest",
                "--base",
                "refs/heads/main",
                "--session",
                session,
                "--key",
                &key,
            ];
            run(&world, &[&attest[..], &["--dry-run"]].concat());
            run(
                &world,
                &[&attest[..], &["--dry-run", "--format", "json"]].concat(),
            );
            // Files that are only a part of a session are refused, and nothing of them is said.
            let done = run(&world, &[&attest[..], &["--redact", "--format", "json"]].concat());
            count += usize::from(done.code == Some(0));
        }
        attested.push((product, count));
    }
    let missing = attested
        .iter()
        .filter(|(_, count)| *count == 0)
        .map(|(product, _)| product.as_str());
    // Its transcripts name no model, so that they are refused as no agent's work.
    assert_eq!(missing.collect::<Vec<_>>(), ["windsurf"], "{attested:?}");
    println!("attested: {attested:?}");
    // The vault does hold them: the marker was in what was read.
    let vault = world.files("touchmark/data/vault");
    assert!(
        vault
            .iter()
            .filter(|(_, bytes)| contains(bytes, MARKER.as_bytes()))
            .count()
            + 1
            >= attested.len()
    );
    for arguments in [
        &["status"][..],
        &["publish", "--format", "json"],
        &["find", "--format", "json"],
        &["vault", "list"],
        &["config", "list"],
        &["log", "check"],
    ] {
        run(&world, arguments);
    }
    assert_data_is_clean(&world);
    assert_repository_is_clean(&world);
}

#[test]
fn no_word_is_said_where_something_fails() {
    let world = World::unattested();
    let session = world
        .session()
        .prompt(&format!("do it {MARKER}"))
        .bash(&format!(
            "cat /home/else/{MARKER}/notes && echo password=hunter2{MARKER}"
        ))
        .writes(&format!("/home/elsewhere/{MARKER}/outside.rs"))
        .writes("src/lib.rs");
    fs::write(world.path("marked.jsonl"), session.bytes()).unwrap();
    let mut cut = session.bytes();
    cut.truncate(cut.len() - 40);
    cut.extend(format!("\n{{\"type\":\"{MARKER}\",\"broken\": {MARKER}\n\u{0}\u{1} {MARKER}").into_bytes());
    fs::write(world.path("cut.jsonl"), cut).unwrap();
    fs::write(
        world.path("no-session.txt"),
        format!("{MARKER} is no session at all\n"),
    )
    .unwrap();
    fs::write(
        world.path("metadata.json"),
        json!({"agent_id": 1, "model": MARKER}).to_string(),
    )
    .unwrap();
    let (key, root) = (world.key("agent"), world.file("root.json"));
    for file in ["marked.jsonl", "cut.jsonl", "no-session.txt"] {
        let file = world.file(file);
        let attest = [
            "attest",
            "--base",
            "refs/heads/main",
            "--session",
            &file,
            "--key",
            &key,
        ];
        for more in [
            &[][..],
            &["--dry-run"],
            &["--redact", "--dry-run"],
            &["--format", "json"],
        ] {
            run(&world, &[&attest[..], more].concat());
        }
    }
    run(
        &world,
        &[
            "attest",
            "--metadata",
            &world.file("metadata.json"),
            "--key",
            &key,
        ],
    );
    let marked = world.file("marked.jsonl");
    let attest = [
        "attest",
        "--base",
        "refs/heads/main",
        "--session",
        &marked,
        "--key",
        &key,
        "--redact",
    ];
    run(&world, &attest).ok();
    world.write("src/lib.rs", "pub fn another() {}\n");
    world.commit("another change");
    // A log that cannot be written leaves the statement in the spool.
    fs::rename(world.path("touchmark/data/log"), world.path("away")).unwrap();
    fs::write(world.path("touchmark/data/log"), "no log").unwrap();
    let outcome = run(&world, &attest);
    assert_ne!(outcome.code, Some(0));
    run(&world, &["status"]);
    run(&world, &["publish"]);
    fs::remove_file(world.path("touchmark/data/log")).unwrap();
    fs::rename(world.path("away"), world.path("touchmark/data/log")).unwrap();
    assert_data_is_clean(&world);
    run(&world, &["publish"]).ok();
    run(&world, &["find", "--trusted-root", &root]);
    assert_data_is_clean(&world);
    assert_repository_is_clean(&world);
    // A damaged vault says which record, never what is in it.
    let mut records = world.files("touchmark/data/vault").into_iter();
    let (record, bytes) = records
        .find(|(path, _)| path.to_string_lossy().ends_with(".vault"))
        .unwrap();
    fs::write(&record, &bytes[..bytes.len() - 1]).unwrap();
    run(
        &world,
        &["disclose", "--prompt", "0", "--output", &world.file("out")],
    );
    run(&world, &["vault", "search", "--text-file", &marked]);
}

/// What a hook is given holds the prompt: it answers with nothing, and keeps it only where captured runs wait.
#[test]
fn no_word_of_a_hooks_payload_is_said_or_logged() {
    let world = World::unattested();
    let transcript = world
        .session()
        .prompt(&format!("do it {MARKER}"))
        .writes("src/lib.rs")
        .store(&world);
    let payloads = [
        json!({"hook_event_name": "UserPromptSubmit", "session_id": "0b5d1c1e-7a51-4a0e-9d2f-3f6f0f6b1a11", "cwd": world.repo(),
            "transcript_path": transcript, "prompt": MARKER, "permission_mode": "default"}),
        json!({"hook_event_name": "PostToolUse", "session_id": "0b5d1c1e-7a51-4a0e-9d2f-3f6f0f6b1a11", "cwd": world.repo(),
            "transcript_path": transcript, "tool_name": "Bash", "tool_input": {"command": MARKER}, "tool_response": {"stdout": MARKER}}),
        json!({"hook_event_name": "SessionEnd", "session_id": "0b5d1c1e-7a51-4a0e-9d2f-3f6f0f6b1a11", "cwd": world.repo(),
            "transcript_path": transcript, "reason": "other"}),
        json!({"hook_event_name": MARKER, "session_id": 7, "cwd": MARKER}),
    ];
    for payload in &payloads {
        let mut command = world.command(["hook", "run", "claude-code"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(payload.to_string().as_bytes())
            .unwrap();
        let outcome = Outcome::of(child.wait_with_output().unwrap());
        assert_silent("hook run", &outcome);
        assert_eq!(outcome.stdout, "");
    }
    run(&world, &["publish"]);
    for (path, bytes) in world.files("touchmark/data") {
        let shown = path.to_string_lossy().into_owned();
        let holds_words = ["/data/vault/", "/data/capture/"]
            .iter()
            .any(|folder| shown.contains(folder));
        if !holds_words || shown.ends_with(".log") || shown.contains("hook-log") {
            assert_clean(&shown, &bytes);
        }
    }
}
