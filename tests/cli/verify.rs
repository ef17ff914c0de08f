//! `touchmark verify`: the good case, and each way in which it is not one, by exit code and reason code.

use std::fs;
use std::process::Stdio;

use crate::common::world::{RULE, set_aside_codes, verdict_of};
use crate::common::{AT, Outcome, World};

#[test]
fn the_good_case_is_allowed_and_without_approval_only_that_is_lacking() {
    let world = World::attested();
    let verdict = world.judged(&[], 14, &[RULE]);
    assert_eq!(verdict["decision"], "approval");
    world.approve_as("alice", &[]);
    let verdict = world.judged(&[], 0, &[]);
    assert_eq!(verdict["decision"], "allowed");
    assert_eq!(verdict["enforced"], true);
    assert_eq!(verdict["statements"].as_array().unwrap().len(), 2);
    let accounts: Vec<_> = verdict["accounted"]["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["account"].clone())
        .collect();
    assert_eq!(accounts, ["exact", "exact"]);
    assert_eq!(world.judged(&["--target", "refs/heads/main"], 0, &[]), verdict);
    let named = world.asked(&["agent/greeting", "--target", "refs/heads/main"], 0, &[]);
    assert_eq!(named, verdict);
}

#[test]
fn text_says_the_same_as_json_and_what_a_yes_does_not_claim() {
    let world = World::approved();
    let outcome = world.verify(&["main..HEAD"]).ok();
    let text = outcome.stdout;
    assert!(text.starts_with("verdict: allowed (exit 0)\n"), "{text}");
    for line in [
        "accounted: 2 paths: 2 exact, 0 replayed, 0 approved, 0 residual",
        "review       approved by alice, counts",
        "that no unattested agent helped a person is not claimed",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn without_evidence_every_path_is_residual_and_the_commit_is_missing() {
    let world = World::unattested();
    let verdict = world.judged(&[], 10, &["accounted.residual", RULE]);
    assert_eq!(
        verdict["accounted"]["commitsWithoutStatement"],
        serde_json::json!([world.id("HEAD")])
    );
}

#[test]
fn the_question_has_to_be_complete() {
    let world = World::approved();
    world.verify(&["HEAD"]).refused(2, "verify.no_target");
    world.verify(&["HEAD..HEAD"]).refused(2, "verify.no_target");
    let base = world.id("main");
    world
        .verify(&[&format!("{base}..HEAD")])
        .refused(2, "verify.no_target");
    world
        .verify(&["HEAD", "--target", "main"])
        .refused(2, "range.target_not_full");
    world.verify(&["main...HEAD"]).refused(2, "range.syntax");
    world.verify(&["..HEAD"]).refused(2, "range.syntax");
    world.verify(&[]).refused(2, "verify.nothing_named");
    let head = world.id("HEAD");
    let landed = format!("{base}..{head}");
    assert_eq!(world.verify(&["--landed", &landed]).code, Some(2));
    world
        .verify(&["main..HEAD", "--output", "sarif=x"])
        .refused(2, "output.unknown_format");
    assert_eq!(
        world
            .verify(&[
                "--landed",
                &landed,
                "--target",
                "refs/heads/main",
                "--exit-zero",
                "--gate-key",
                "k"
            ])
            .code,
        Some(2),
        "a verdict that is not enforced is never signed"
    );
}

#[test]
fn case_177_a_range_begins_at_the_protected_tip_and_nowhere_else() {
    let world = World::approved();
    let base = world.id("HEAD");
    world.write("src/evil.rs", "pub fn evil() {}\n");
    world.commit("evil");
    // The attested commit as base would leave only the attacker's own commit, or nothing, to be judged.
    world
        .verify(&[&format!("{base}..HEAD"), "--target", "refs/heads/main"])
        .refused(2, "range.base_not_target");
    world.git(["branch", "main2", &base]);
    world
        .verify(&["main2..HEAD", "--target", "refs/heads/main"])
        .refused(2, "range.base_not_target");
    let base = world.id("main");
    world.asked(
        &[&format!("{base}..HEAD"), "--target", "refs/heads/main"],
        11,
        &["approval.not_bound", "accounted.residual", RULE],
    );
}

#[test]
fn a_root_that_does_not_know_the_log_proves_nothing() {
    let world = World::approved();
    let mut other = world.command([
        "log",
        "create",
        "--log",
        &world.file("other-log"),
        "--name",
        "other.example",
    ]);
    Outcome::of(other.output().unwrap()).ok();
    let root = world
        .touchmark([
            "log",
            "root",
            "--log",
            &world.file("other-log"),
            "--operator",
            "acme-platform",
        ])
        .ok();
    fs::write(world.path("other.json"), root.stdout).unwrap();
    let flags = [
        "verify",
        "main..HEAD",
        "--at",
        AT,
        "--format",
        "json",
        "--trusted-root",
    ];
    let run = |root: &str| world.touchmark(flags.iter().copied().chain([root]));
    let verdict = verdict_of(
        &run(&world.file("other.json")),
        11,
        &["tlog.log_unknown", "accounted.residual", RULE],
    );
    assert_eq!(set_aside_codes(&verdict), ["tlog.log_unknown"]);
    let outcome = run(&world.file("absent.json"));
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert_eq!(outcome.json()["code"], "file.missing");
    fs::write(world.path("bad.json"), "{}").unwrap();
    let outcome = run(&world.file("bad.json"));
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    let twice = format!("root={}", world.file("other.json"));
    let mut command = world.command(["verify", "main..HEAD", "--trusted-root", &world.file("root.json")]);
    command.args(["--trusted-root", &twice]);
    Outcome::of(command.output().unwrap()).refused(2, "trust.root_name_twice");
}

#[test]
fn without_a_root_only_the_users_own_log_is_known_and_the_policy_denies_it() {
    let world = World::approved();
    let own = ["verify", "main..HEAD", "--at", AT, "--format", "json"];
    let verdict = verdict_of(
        &world.touchmark(own),
        10,
        &["accounted.residual", "tlog.self_operated", RULE],
    );
    assert_eq!(verdict["inputs"]["trustedRoots"][0]["name"], "local");
    // On another machine there is no log at all.
    let mut command = world.command(own);
    command.env("TOUCHMARK_HOME", world.path("elsewhere"));
    let verdict = verdict_of(&Outcome::of(command.output().unwrap()), 10, &["trust.no_root"]);
    assert_eq!(verdict["inputs"]["trustedRoots"], serde_json::json!([]));
}

#[test]
fn a_verdict_that_is_not_enforced_says_so_everywhere() {
    let world = World::attested();
    let verdict = world.verify(&["main..HEAD", "--exit-zero", "--format", "json"]);
    assert_eq!(verdict.code, Some(0));
    let verdict = verdict.json();
    assert_eq!(verdict["enforced"], false);
    assert_eq!(
        (&verdict["decision"], &verdict["exitCode"]),
        (&"approval".into(), &14.into())
    );
    let text = world.verify(&["main..HEAD", "--exit-zero"]).ok();
    assert!(text.stdout.contains("NOT ENFORCED"), "{}", text.stdout);
    assert!(text.stderr.contains("warning: --exit-zero"), "{}", text.stderr);
}

#[test]
fn the_verdict_is_also_written_to_files() {
    let world = World::attested();
    let (json, text) = (world.file("verdict.json"), world.file("verdict.txt"));
    let outcome = world.verify(&[
        "main..HEAD",
        "--output",
        &format!("json={json}"),
        "--output",
        &format!("text={text}"),
    ]);
    assert_eq!(outcome.code, Some(14));
    assert_eq!(fs::read_to_string(text).unwrap(), outcome.stdout);
    let printed = world.judged(&[], 14, &[RULE]);
    let written: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(written, printed);
    for place in ["json=absent/verdict.json", "text=/dev/full", "json=."] {
        world
            .verify(&["main..HEAD", "--output", place])
            .refused(1, "output.unwritable");
    }
}

#[test]
fn the_same_question_gets_the_same_bytes() {
    let world = World::approved();
    for format in ["json", "text"] {
        let ask = || world.verify(&["main..HEAD", "--format", format]).ok().stdout;
        assert_eq!(ask(), ask());
    }
    let later = world.verify(&["main..HEAD", "--format", "json", "--at", "2027-03-01T12:00:00Z"]);
    assert_eq!(later.code, Some(2), "--at is given once");
}

#[test]
fn more_evidence_may_come_as_files() {
    let world = World::unattested();
    let change = world.attest_with(&[])["payload"].as_str().unwrap().to_owned();
    let approval = world.approve_as("alice", &[])["payload"]
        .as_str()
        .unwrap()
        .to_owned();
    let payloads = [change, approval];
    fs::create_dir(world.path("evidence")).unwrap();
    let mut lines = Vec::new();
    for (number, payload) in payloads.iter().enumerate() {
        let file = world.export(payload, &format!("evidence/{number}.json"));
        lines.extend(fs::read(file).unwrap());
        lines.push(b'\n');
    }
    fs::write(world.path("all.jsonl"), &lines).unwrap();
    world.drop_evidence();
    world.judged(&["--bundle", &world.file("all.jsonl")], 0, &[]);
    world.judged(&["--bundle", &world.file("evidence")], 0, &[]);
    // A broken line beside them is listed and changes nothing.
    lines.extend(b"{\"mediaType\": 1}\n");
    fs::write(world.path("all.jsonl"), &lines).unwrap();
    let verdict = world.judged(&["--bundle", &world.file("all.jsonl")], 0, &[]);
    assert_eq!(
        set_aside_codes(&verdict).len(),
        1,
        "{:?}",
        set_aside_codes(&verdict)
    );
    world
        .verify(&["main..HEAD", "--bundle", &world.file("absent.json")])
        .refused(2, "file.missing");
}

#[test]
fn evidence_is_fetched_from_a_remote() {
    let world = World::approved();
    let remote = world.file("remote.git");
    world.git(["init", "--quiet", "--bare", &remote]);
    world.git(["remote", "set-url", "origin", &format!("file://{remote}")]);
    let refs = "refs/touchmark/*:refs/touchmark/*";
    world.git(["push", "--quiet", "origin", refs]);
    world.git([
        "config",
        "remote.origin.url",
        "https://git.example/acme/greeter.git",
    ]);
    world.git(["remote", "add", "store", &format!("file://{remote}")]);
    world.drop_evidence();
    world.judged(&["--from", "store"], 0, &[]);
}

#[test]
fn several_policies_must_all_say_yes() {
    let world = World::approved();
    fs::write(world.path("same.toml"), world.policy()).unwrap();
    let strict = world.policy().replace("people = 1, not", "people = 2, not");
    fs::write(world.path("strict.toml"), strict).unwrap();
    let (same, strict) = (world.file("same.toml"), world.file("strict.toml"));
    world.judged(&["--policy", &same], 0, &[]);
    world.judged(&["--policy", &same, "--policy", &strict], 14, &[RULE]);
    world.judged(&["--policy", &strict, "--policy", &same], 14, &[RULE]);
    world.judged(
        &["--policy", &same, "--min-serial", "2"],
        11,
        &["policy.rolled_back"],
    );
}

#[test]
fn case_195_a_reader_that_is_gone_a_full_disk_and_a_kill_are_never_a_yes() {
    let world = World::approved();
    let command = || {
        let mut command = world.command(["verify", "main..HEAD", "--at", AT, "--trusted-root"]);
        command.arg(world.path("root.json")).stderr(Stdio::piped());
        command
    };
    let mut gone = command().stdout(Stdio::piped()).spawn().unwrap();
    drop(gone.stdout.take());
    let outcome = Outcome::of(gone.wait_with_output().unwrap());
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);

    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let outcome = Outcome::of(command().stdout(full).output().unwrap());
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);

    let mut killed = command().stdout(Stdio::piped()).spawn().unwrap();
    killed.kill().unwrap();
    let outcome = Outcome::of(killed.wait_with_output().unwrap());
    assert_eq!((outcome.code, outcome.stdout.as_str()), (None, ""));
}

#[test]
fn case_195_an_interrupted_or_starved_verifier_is_not_a_yes() {
    let world = World::approved();
    // Too little memory for the program: it cannot start, or it aborts; it never says yes.
    let mut command = std::process::Command::new("bash");
    command
        .args([
            "-c",
            "ulimit -v 20000; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_touchmark"),
        ])
        .args(["verify", "main..HEAD", "--trusted-root"])
        .arg(world.path("root.json"));
    command.current_dir(world.repo()).env_clear();
    command
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", world.path("home"));
    let output = command.output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
}
