//! `touchmark find`: every filter, what an empty answer means, and evidence that proves nothing.

use std::fs;

use serde_json::{Value, json};

use crate::common::schema::assert_valid;
use crate::common::world::{MODEL, SESSION};
use crate::common::{AT, Outcome, World};

fn find(world: &World, flags: &[&str]) -> Outcome {
    let root = world.file("root.json");
    let mut all = vec!["find", "--trusted-root", &root, "--at", AT];
    all.extend(flags);
    world.touchmark(all)
}

/// What kinds of evidence the filters leave: agents' ids and decisions, in order.
#[track_caller]
fn kinds(world: &World, flags: &[&str]) -> Vec<String> {
    let mut all = vec!["--format", "json"];
    all.extend(flags);
    let outcome = find(world, &all);
    let document = outcome.json();
    assert_valid(&document);
    let found = document["found"].as_array().unwrap();
    let exit = if found.is_empty() { 10 } else { 0 };
    assert_eq!(outcome.code, Some(exit), "{flags:?}: {}", outcome.stderr);
    let kind = |row: &Value| {
        let known = if row["agent"].is_string() {
            &row["agent"]
        } else {
            &row["decision"]
        };
        known.as_str().unwrap().to_owned()
    };
    found.iter().map(kind).collect()
}

#[test]
fn everything_is_found_and_nothing_is_said_to_be_missing() {
    let world = World::approved();
    assert_eq!(kinds(&world, &[]), ["greeter-agent", "approved"]);
    let document = find(&world, &["--format", "json"]).json();
    assert_eq!(
        document["coverage"],
        json!({"refs": 2, "evidence": 2, "unverified": 0, "unreadable": []})
    );
    let change = &document["found"][0];
    assert_eq!(change["models"], json!([format!("anthropic/{MODEL}")]));
    assert_eq!(change["session"], SESSION);
    assert_eq!(change["commit"], world.id("HEAD"));
    assert_eq!(change["paths"], json!(["src/lib.rs", "tests/greeting.rs"]));
    assert_eq!(change["prompts"], 4);
    assert_eq!(change["claimedEnd"], "2026-03-01T09:01:02Z");
    assert_eq!(change["refs"].as_array().unwrap().len(), 2);
    let text = find(&world, &[]).ok();
    assert!(
        text.stdout
            .contains("ended        2026-03-01T09:01:02Z (claimed)"),
        "{}",
        text.stdout
    );
    assert!(
        text.stderr
            .contains("2 found; looked at 2 pieces of evidence under 2 refs, 0 of them not verified")
    );
}

#[test]
fn each_filter_admits_what_it_says_and_nothing_else() {
    let world = World::approved();
    let (agent, alice, gate) = (
        world.fingerprint("agent"),
        world.fingerprint("alice"),
        world.fingerprint("gate"),
    );
    let change: &[&str] = &["greeter-agent"];
    let both: &[&str] = &["greeter-agent", "approved"];
    for (flags, expected) in [
        (vec!["--commit", "HEAD"], both),
        (vec!["--commit", "agent/greeting"], both),
        (vec!["--commit", "main"], &[]),
        (vec!["--path", "src/lib.rs"], change),
        (vec!["--path", "src/*"], change),
        (vec!["--path", "**/*.rs"], change),
        (vec!["--path", "*.rs"], &[]),
        (vec!["--path", "src"], &[]),
        (vec!["--agent", "greeter-agent"], change),
        (vec!["--agent", "greeter"], &[]),
        (vec!["--model", MODEL], change),
        (vec!["--model", "claude-*"], change),
        (vec!["--model", "anthropic/claude-*"], change),
        (vec!["--model", "anthropic/*"], change),
        (vec!["--model", "*opus*"], change),
        (vec!["--model", "*claude-opus*"], change),
        (vec!["--model", "*/claude-o*-20251101"], change),
        (vec!["--model", "openai/*"], &[]),
        (vec!["--model", "claude"], &[]),
        (vec!["--signer", &agent], change),
        (vec!["--signer", &alice], &["approved"]),
        (vec!["--signer", &gate], &[]),
        (vec!["--since", "2026-03-01T09:01:02Z"], change),
        (vec!["--since", "2026-03-01T09:01:03Z"], &[]),
        (vec!["--until", "2026-03-01T09:01:03Z"], change),
        (vec!["--until", "2026-03-01T09:01:02Z"], &[]),
        (
            vec![
                "--path", "src/**", "--model", "claude-*", "--commit", "HEAD", "--signer", &agent,
            ],
            change,
        ),
        (vec!["--path", "src/**", "--model", "gpt-*"], &[]),
    ] {
        assert_eq!(kinds(&world, &flags), expected, "{flags:?}");
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_refused() {
    let world = World::unattested();
    for flags in [
        ["--since", "yesterday"],
        ["--until", "2026-03-01"],
        ["--signer", "alice"],
        ["--signer", "sha256:12"],
    ] {
        assert_eq!(find(&world, &flags).code, Some(2), "{flags:?}");
    }
    for glob in ["", "!src", "../x", "/src", "src//x"] {
        find(&world, &["--path", glob]).refused(2, "find.glob");
    }
    find(&world, &["--commit", "HEAD~1"]).refused(2, "git.revision_syntax");
    find(&world, &["--commit", "absent"]).refused(2, "git.revision_unknown");
}

#[test]
fn an_empty_answer_ends_with_10_and_says_what_was_looked_at() {
    let world = World::unattested();
    let outcome = find(&world, &[]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(10), ""));
    assert!(
        outcome
            .stderr
            .contains("0 found; looked at 0 pieces of evidence under 0 refs")
    );
}

#[test]
fn evidence_that_proves_nothing_is_listed_with_its_code() {
    let world = World::approved();
    // One byte of one stored bundle is changed: every other piece is found as before.
    let head = world.id("HEAD");
    let name = format!("refs/touchmark/commit/{}/{head}", &head[..2]);
    let (file, bytes) = world.evidence(&name).remove(0);
    let text = String::from_utf8(bytes).unwrap();
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    let mut other = signature.to_owned();
    other.replace_range(20..21, if &signature[20..21] == "A" { "B" } else { "A" });
    put(
        &world,
        &name,
        &[(file.as_str(), text.replace(signature, &other).as_bytes())],
    );
    let outcome = find(&world, &["--format", "json"]).ok();
    let document = outcome.json();
    assert_valid(&document);
    assert_eq!(kinds(&world, &[]), ["greeter-agent", "approved"]);
    assert_eq!(document["unverified"][0]["code"], "signature.invalid");
    assert_eq!(document["coverage"]["unverified"], 1);
    let text = find(&world, &[]).ok();
    assert!(
        text.stderr.contains("is not verified [signature.invalid]"),
        "{}",
        text.stderr
    );
    // Without a root that knows the log nothing is proven, and nothing is passed over in silence.
    let mut command = world.command(["find", "--format", "json"]);
    command.env("TOUCHMARK_HOME", world.path("elsewhere"));
    let outcome = Outcome::of(command.output().unwrap());
    assert_eq!(outcome.code, Some(10));
    let document = outcome.json();
    assert_eq!(document["coverage"]["unverified"], 3);
    assert_eq!(document["unverified"][1]["code"], "trust.no_root");
}

#[test]
fn one_statement_under_two_names_is_one_answer() {
    let world = World::approved();
    let head = world.id("HEAD");
    let reference = format!("refs/touchmark/commit/{}/{head}", &head[..2]);
    let (name, bytes) = world.evidence(&reference).remove(0);
    let other = name.replace(&name[65..69], "0000");
    put(&world, &reference, &[(&name, &bytes), (&other, &bytes)]);
    assert_eq!(kinds(&world, &[]), ["greeter-agent", "approved"]);
    world.judged(&[], 0, &[]);
}

#[test]
fn case_217_hostile_text_in_verified_evidence_is_shown_not_obeyed() {
    let world = World::unattested();
    let name = "a\u{1b}[2J\u{1b}]52;c;AAAA\u{7}\u{202e}txt\u{200b}\u{9b}31m\nsha256:0000 forged";
    let payload = world.attest_with(&["--agent", name])["payload"]
        .as_str()
        .unwrap()
        .to_owned();
    let root = world.file("root.json");
    let file = world.export(&payload, "bundle.json");
    for arguments in [
        vec!["find", "--trusted-root", &root],
        vec!["show", &payload, "--trusted-root", &root],
        vec!["inspect", &file],
        vec!["verify", "main..HEAD", "--trusted-root", &root],
        vec![
            "approve",
            "HEAD",
            "--target",
            "refs/heads/main",
            "--key",
            &world.key("alice"),
            "--trusted-root",
            &root,
        ],
    ] {
        for format in ["text", "json"] {
            let outcome = world.touchmark(arguments.iter().copied().chain(["--format", format]));
            for text in [&outcome.stdout, &outcome.stderr] {
                let obeyed = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
                assert!(!text.contains(obeyed), "{arguments:?} {format}: {text:?}");
                assert!(!text.contains("\nsha256:0000"), "{arguments:?}: {text}");
            }
            let shown = ["\\u{202e}txt", "\\u202etxt"];
            assert!(
                shown.iter().any(|text| outcome.stdout.contains(text)),
                "{arguments:?} {format}: {}",
                outcome.stdout
            );
        }
    }
    assert_eq!(kinds(&world, &["--agent", name]), [name]);
}

#[test]
fn case_222_long_text_is_cut_with_its_digest() {
    let world = World::unattested();
    let name = "x".repeat(4_000);
    world.attest_with(&["--agent", &name]);
    let outcome = find(&world, &[]).ok();
    assert!(outcome.stdout.len() < 3_000, "{} bytes", outcome.stdout.len());
    assert!(
        outcome.stdout.contains("… (4000 bytes, sha256:"),
        "{}",
        outcome.stdout
    );

    // Five megabytes of name in evidence that somebody pushed: listed, in bounded output.
    let head = world.id("HEAD");
    let reference = format!("refs/touchmark/commit/{}/{head}", &head[..2]);
    let (file, bytes) = world.evidence(&reference).remove(0);
    for size in [3_000_000, 5_000_000] {
        let mut bundle: Value = serde_json::from_slice(&bytes).unwrap();
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::STANDARD;
        let payload = engine
            .decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap())
            .unwrap();
        let payload = String::from_utf8(payload)
            .unwrap()
            .replace(&name, &"y".repeat(size));
        bundle["dsseEnvelope"]["payload"] = json!(engine.encode(payload));
        let huge = bundle.to_string();
        put(&world, &reference, &[(file.as_str(), huge.as_bytes())]);
        for format in ["text", "json"] {
            let outcome = find(&world, &["--format", format]);
            assert!(
                outcome.stdout.len() + outcome.stderr.len() < 20_000,
                "{size} {format}"
            );
        }
        fs::write(world.path("huge.json"), huge).unwrap();
        let outcome = world.touchmark(["inspect", &world.file("huge.json")]);
        assert_eq!(outcome.code, Some(11), "{}", outcome.stderr);
        assert!(outcome.stderr.len() < 5_000, "{} bytes", outcome.stderr.len());
    }
}

/// Puts a tree of files under an evidence ref, as anybody who may push can.
fn put(world: &World, reference: &str, files: &[(&str, &[u8])]) {
    let mut tree = String::new();
    for (name, bytes) in files {
        fs::write(world.path("blob"), bytes).unwrap();
        let blob = world.git(["hash-object", "-w", "--no-filters", &world.file("blob")]);
        tree.push_str(&format!("100644 blob {blob}\t{name}\n"));
    }
    fs::write(world.path("tree"), tree).unwrap();
    let mut command = std::process::Command::new("git");
    command
        .arg("mktree")
        .current_dir(world.repo())
        .stdin(fs::File::open(world.path("tree")).unwrap());
    let output = command.output().unwrap();
    assert!(output.status.success());
    let tree = String::from_utf8(output.stdout).unwrap();
    let kind = world.git(["cat-file", "-t", reference]);
    let object = match kind.as_str() {
        "tree" => tree.trim().to_owned(),
        _ => world.git(["commit-tree", tree.trim(), "-m", "evidence"]),
    };
    world.git(["update-ref", reference, &object]);
}
