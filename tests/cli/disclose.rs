//! `touchmark disclose` and `verify --disclosure`: one piece opened, proven, and refused for every change to it.

use std::fs;

use serde_json::{Value, json};

use crate::common::schema::assert_valid;
use crate::common::{Outcome, World};

/// The first prompt of the recorded session, as the session file has it.
fn first_prompt(world: &World) -> String {
    let session = fs::read_to_string(world.path("session.jsonl")).unwrap();
    let records = session
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut prompts = records.filter(|record| record["type"] == "user");
    prompts
        .find_map(|record| record["message"]["content"].as_str().map(str::to_owned))
        .expect("a prompt")
}

#[track_caller]
fn disclose(world: &World, name: &str, flags: &[&str]) -> (String, Outcome) {
    let file = world.file(name);
    let outcome = world
        .touchmark(["disclose", "--output", &file].iter().chain(flags))
        .ok();
    (file, outcome)
}

fn verify(world: &World, file: &str, flags: &[&str]) -> Outcome {
    let key = world.public_key("agent");
    world.verify(&[&["--disclosure", file, "--key", &key], flags].concat())
}

#[test]
fn a_prompt_is_opened_and_proven_and_nothing_else_is() {
    let world = World::attested();
    let (file, said) = disclose(&world, "prompt.jsonl", &["--prompt", "0"]);
    assert!(said.stdout.contains("opened prompt 0"), "{}", said.stdout);
    let prompt = first_prompt(&world);
    assert!(!said.stdout.contains(&prompt) && !said.stderr.contains(&prompt));
    let text = verify(&world, &file, &[]).ok().stdout;
    for line in prompt.lines() {
        assert!(text.contains(&format!("| {line}")), "{text}");
    }
    assert!(
        text.contains("not claimed  that a person typed a prompt"),
        "{text}"
    );
    let document = verify(&world, &file, &["--format", "json"]).ok().json();
    assert_valid(&document);
    assert_eq!(document["pieces"][0]["text"], prompt.as_str());
    assert_eq!(document["pieces"][0]["origin"], "injected");
    assert_eq!(document["signer"], format!("key {}", world.fingerprint("agent")));
    // Neither the run key nor any other piece is in the file.
    let record = world.files("touchmark/data/vault").pop().unwrap().1;
    let run_key: String = record[67..99].iter().map(|byte| format!("{byte:02x}")).collect();
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written.lines().count(), 1);
    assert!(!written.contains(&run_key));
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // Nothing is replaced.
    world
        .touchmark(["disclose", "--prompt", "0", "--output", &file])
        .refused(2, "output.exists");
}

#[test]
fn every_kind_of_piece_is_opened() {
    let world = World::attested();
    let statement = world.attest_with(&[]);
    let payload = statement["payload"].as_str().unwrap();
    for (name, flags) in [
        ("steps", &["--step", "0..2", "--step", "1"][..]),
        ("command", &["--command", "0"]),
        ("transcript", &["--transcript"]),
        (
            "all",
            &["--prompt", "0", "--step", "3", "--command", "0", "--transcript"],
        ),
    ] {
        let named = [&[payload][..], flags].concat();
        let (file, _) = disclose(&world, name, &named);
        let document = verify(&world, &file, &["--format", "json"]).ok().json();
        assert_valid(&document);
        if name == "steps" {
            assert_eq!(document["pieces"].as_array().unwrap().len(), 3);
        }
        if name == "transcript" {
            let session = fs::read(world.path("session.jsonl")).unwrap();
            assert_eq!(document["pieces"][0]["bytes"], session.len());
        }
    }
    // By the commit that it is about, and from a bundle, outside of the repository.
    let (file, _) = disclose(&world, "by-commit", &["HEAD", "--prompt", "0"]);
    let bundle = world.export(payload, "bundle.json");
    fs::create_dir(world.path("elsewhere")).unwrap();
    let elsewhere = world.file("elsewhere");
    let outcome = verify(&world, &file, &["--bundle", &bundle, "-C", &elsewhere]).ok();
    assert!(
        outcome.stdout.contains("proven       prompt 0 (injected)"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn what_is_not_there_is_not_opened() {
    let world = World::attested();
    let file = world.file("none");
    let run = |flags: &[&str]| world.touchmark(["disclose", "--output", &file].iter().chain(flags));
    run(&["--prompt", "4000"]).refused(10, "disclose.no_piece");
    run(&["--step", "5..2"]).refused(2, "disclose.range");
    run(&["--step", "0..20000"]).refused(2, "disclose.too_many");
    run(&["--transcript", "--redacted"]).refused(10, "disclose.no_piece");
    run(&["sha256:00000000", "--prompt", "0"]).refused(10, "disclose.no_statement");
    run(&["sha256:xyz", "--prompt", "0"]).refused(2, "show.not_a_digest");
    fs::rename(world.path("touchmark/data/vault"), world.path("gone")).unwrap();
    run(&["--prompt", "0"]).refused(10, "vault.no_record");
    assert!(!world.path("none").exists());
}

/// Starts from a good disclosure, breaks one thing, and expects its code.
#[test]
fn every_single_change_is_refused_with_its_own_code() {
    let world = World::attested();
    let (prompt, _) = disclose(&world, "prompt.jsonl", &["--prompt", "0"]);
    let (step, _) = disclose(&world, "step.jsonl", &["--step", "4"]);
    let (other, _) = disclose(&world, "other.jsonl", &["--step", "3"]);
    let (command, _) = disclose(&world, "command.jsonl", &["--command", "0"]);
    let read = |file: &str| -> Value { serde_json::from_slice(&fs::read(file).unwrap()).unwrap() };
    let (prompt, step, other, command) = (read(&prompt), read(&step), read(&other), read(&command));
    let zeros = "0".repeat(64);
    type Break<'b> = Box<dyn Fn(&mut Value) + 'b>;
    let cases: Vec<(&str, &Value, Break<'_>, i32, &str)> = vec![
        (
            "other bytes",
            &prompt,
            Box::new(|d| d["bytes"] = json!("QUJD")),
            11,
            "commitment.mismatch",
        ),
        (
            "other bytes of a step",
            &step,
            Box::new(|d| d["bytes"] = json!("QUJD")),
            11,
            "commitment.audit_path",
        ),
        (
            "other key",
            &prompt,
            Box::new(|d| d["key"] = json!(zeros)),
            11,
            "commitment.mismatch",
        ),
        (
            "other index",
            &step,
            Box::new(|d| d["item"]["index"] = json!(5)),
            11,
            "commitment.audit_path",
        ),
        (
            "index beyond the count",
            &step,
            Box::new(|d| d["item"]["index"] = json!(900_000)),
            11,
            "commitment.none",
        ),
        (
            "index too large",
            &step,
            Box::new(|d| d["item"]["index"] = json!(4_294_967_296_u64)),
            11,
            "json.",
        ),
        (
            "other kind",
            &step,
            Box::new(|d| d["item"]["kind"] = json!("command")),
            11,
            "commitment.shape",
        ),
        (
            "other origin",
            &prompt,
            Box::new(|d| d["item"]["origin"] = json!("agent")),
            11,
            "commitment.audit_path",
        ),
        (
            "no origin",
            &prompt,
            Box::new(|d| drop(d["item"].as_object_mut().unwrap().remove("origin"))),
            11,
            "commitment.shape",
        ),
        (
            "moved path",
            &step,
            Box::new(|d| d["auditPath"] = other["auditPath"].clone()),
            11,
            "commitment.audit_path",
        ),
        (
            "no path",
            &step,
            Box::new(|d| drop(d.as_object_mut().unwrap().remove("auditPath"))),
            11,
            "commitment.audit_path",
        ),
        (
            "longer path",
            &step,
            Box::new(|d| d["auditPath"].as_array_mut().unwrap().push(json!(zeros))),
            11,
            "commitment.audit_path",
        ),
        (
            "far too long path",
            &step,
            Box::new(|d| d["auditPath"] = json!(vec![&zeros; 33])),
            11,
            "commitment.shape",
        ),
        (
            "a path for a command",
            &command,
            Box::new(|d| d["auditPath"] = json!([zeros])),
            11,
            "commitment.shape",
        ),
        (
            "another command",
            &command,
            Box::new(|d| d["item"]["index"] = json!(1)),
            11,
            "commitment.",
        ),
        (
            "other statement",
            &step,
            Box::new(|d| d["payload"] = json!(zeros)),
            10,
            "verify.no_evidence",
        ),
        (
            "unknown field",
            &step,
            Box::new(|d| d["runKey"] = json!(zeros)),
            11,
            "json.",
        ),
        (
            "base64 of another form",
            &step,
            Box::new(|d| d["bytes"] = json!("QUJ")),
            11,
            "commitment.encoding",
        ),
    ];
    for (at, (what, good, change, exit, code)) in cases.into_iter().enumerate() {
        let mut broken = good.clone();
        change(&mut broken);
        let file = world.file(format!("broken-{at}"));
        fs::write(&file, format!("{broken}\n")).unwrap();
        let outcome = verify(&world, &file, &[]);
        assert_eq!(outcome.code, Some(exit), "{what}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(&format!("error[{code}")),
            "{what}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "", "{what}");
    }
    let line = step.to_string();
    for (what, text, code) in [
        (
            "duplicate",
            format!("{line}\n{line}\n"),
            "commitment.disclosed_twice",
        ),
        ("trailing data", format!("{line} {{}}\n"), "json."),
        ("an empty line", format!("{line}\n\n"), "json."),
        ("nothing", String::new(), "commitment.nothing_disclosed"),
        ("half", line[..line.len() / 2].to_owned(), "json."),
        (
            "a key twice",
            line.replacen("\"key\":", "\"key\":\"\",\"key\":", 1),
            "json.",
        ),
        (
            "over-large",
            format!("{{\"bytes\":\"{}\"}}", "A".repeat(65 << 20)),
            "json.",
        ),
    ] {
        let file = world.file("text");
        fs::write(&file, text).unwrap();
        let outcome = verify(&world, &file, &[]);
        assert_eq!(outcome.code, Some(11), "{what}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(&format!("error[{code}")),
            "{what}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn a_disclosure_counts_for_nothing_where_its_statement_does_not() {
    let world = World::attested();
    let (file, _) = disclose(&world, "prompt.jsonl", &["--prompt", "0"]);
    let (alice, root) = (world.public_key("alice"), world.file("root.json"));
    let run = |flags: &[&str]| world.verify(&[&["--disclosure", &file], flags].concat());
    run(&[]).refused(2, "verify.no_signer");
    run(&["--key", &alice]).refused(11, "signer.not_expected");
    // By a policy that knows the signer, and by one that does not.
    let policy = world.file("policy.toml");
    fs::write(&policy, world.policy()).unwrap();
    run(&["--policy", &policy]).ok();
    let text = world
        .policy()
        .replace(&world.fingerprint("agent"), &world.fingerprint("stranger"));
    fs::write(&policy, text).unwrap();
    run(&["--policy", &policy]).refused(11, "signer.not_expected");
    run(&["--key", &alice, "--target", "refs/heads/main"]).refused(2, "verify.disclosure_alone");
    // Another log than the one it is in.
    let key = world.public_key("agent");
    world
        .touchmark([
            "log",
            "create",
            "--log",
            &world.file("new"),
            "--name",
            "other.example",
        ])
        .ok();
    let other = world
        .touchmark(["log", "root", "--log", &world.file("new"), "--operator", "other"])
        .ok();
    fs::write(world.path("other.json"), other.stdout).unwrap();
    let outcome = world.touchmark([
        "verify",
        "--disclosure",
        &file,
        "--key",
        &key,
        "--trusted-root",
        &world.file("other.json"),
    ]);
    assert_eq!(outcome.code, Some(11), "{}", outcome.stderr);
    world.drop_evidence();
    let outcome = world.touchmark([
        "verify",
        "--disclosure",
        &file,
        "--key",
        &key,
        "--trusted-root",
        &root,
    ]);
    outcome.refused(10, "verify.no_evidence");
}

#[test]
fn what_is_printed_is_escaped_and_cut() {
    let world = World::unattested();
    let session = world
        .session()
        .prompt(&format!(
            "fix it \u{1b}[31m\u{202e}evil\nproven  x\n{}",
            "y".repeat(200_000)
        ))
        .writes("src/lib.rs")
        .store(&world);
    let session = session.to_string_lossy().into_owned();
    let key = world.key("agent");
    world.attest(&[
        "--base",
        "main",
        "--session",
        &session,
        "--agent",
        "greeter-agent",
        "--key",
        &key,
    ]);
    let (file, _) = disclose(&world, "prompt.jsonl", &["--prompt", "0"]);
    let text = verify(&world, &file, &[]).ok().stdout;
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    assert!(text.lines().all(|line| !line.starts_with("proven  x")));
    assert!(text.contains("… cut here") && text.len() < 100_000);
    let document = verify(&world, &file, &["--format", "json"]).ok().json();
    assert_eq!(document["pieces"][0]["isCut"], true);
    assert!(document["pieces"][0]["text"].as_str().unwrap().len() <= 64 * 1024);
}
