//! `touchmark approve` and `reject`, and evidence that travels.

use serde_json::{Value, json};

use crate::common::world::RULE;
use crate::common::{AT, Sandbox, World, contains};

fn reviewer(sandbox: &Sandbox) -> String {
    sandbox.touchmark(["key", "generate", "alice", "--plain"]).ok();
    sandbox
        .path("touchmark/config/keys/alice.pem")
        .to_string_lossy()
        .into_owned()
}

fn statement(bundle: &[u8]) -> Value {
    use base64::Engine as _;
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(payload).unwrap()).unwrap()
}

#[test]
fn an_approval_binds_exactly_the_change_and_what_was_shown() {
    let sandbox = Sandbox::with_change();
    let attested = sandbox.attest(&["--base", "main"]);
    let key = reviewer(&sandbox);
    let arguments = [
        "approve",
        "HEAD",
        "--target",
        "refs/heads/main",
        "--key",
        &key,
        "--reason",
        "fine",
        "--expires",
        "2027-01-01T00:00:00Z",
        "--format",
        "json",
    ];
    let result = sandbox.touchmark(arguments).ok().json();
    assert_eq!(result["outcome"], "logged");
    assert_eq!(result["agentChanges"], json!([attested["payload"]]));
    let tree = sandbox.git(["rev-parse", "HEAD^{tree}"]);
    let reference = format!("refs/touchmark/tree/{}/{tree}", &tree[..2]);
    assert_eq!(result["refs"], json!([reference]));
    let name = format!("{}.sigstore.json", result["evidence"].as_str().unwrap());
    let (_, bundle) = sandbox
        .evidence(&reference)
        .into_iter()
        .find(|(found, _)| *found == name)
        .unwrap();
    let review = statement(&bundle)["predicate"].clone();
    assert_eq!(
        review["change"],
        json!({
            "repository": {"uri": format!("urn:touchmark:root:{}", sandbox.git(["rev-parse", "main"]))},
            "targetRef": "refs/heads/main",
            "baseTree": sandbox.git(["rev-parse", "main^{tree}"]),
            "resultTree": tree,
            "head": sandbox.git(["rev-parse", "HEAD"]),
        })
    );
    assert_eq!(review["decision"], "approved");
    assert_eq!(review["scope"], json!({"whole": true}));
    assert_eq!(review["evidence"], json!([{"sha256": attested["payload"]}]));
    assert_eq!(review["shown"]["sha256"], result["shownSha256"]);
    assert_eq!(review["reason"], "fine");
    assert_eq!(review["expiresAt"], "2027-01-01T00:00:00Z");
    assert_eq!(review["method"], "cli");
    use sha2::Digest as _;
    let digest: String = sha2::Sha256::digest(result["shown"].as_str().unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(result["shownSha256"], digest);
}

#[test]
fn a_rejection_with_a_scope_and_an_approval_that_supersedes_it() {
    let sandbox = Sandbox::with_change();
    let key = reviewer(&sandbox);
    let base = [
        "HEAD",
        "--target",
        "refs/heads/main",
        "--key",
        &key,
        "--format",
        "json",
    ];
    let reject: Vec<&str> = ["reject"]
        .into_iter()
        .chain(base)
        .chain(["--paths", "src/**", "docs/*.md"])
        .collect();
    let rejected = sandbox.touchmark(reject).ok().json();
    assert_eq!(rejected["decision"], "rejected");
    let payload = rejected["payload"].as_str().unwrap().to_owned();
    let approve: Vec<&str> = ["approve"]
        .into_iter()
        .chain(base)
        .chain(["--supersedes", &payload])
        .collect();
    let approved = sandbox.touchmark(approve).ok().json();
    let reference = approved["refs"][0].as_str().unwrap();
    let reviews: Vec<Value> = sandbox
        .evidence(reference)
        .iter()
        .map(|(_, bytes)| statement(bytes)["predicate"].clone())
        .collect();
    let scoped = reviews
        .iter()
        .find(|review| review["decision"] == "rejected")
        .unwrap();
    assert_eq!(
        scoped["scope"],
        json!({"whole": false, "paths": ["src/**", "docs/*.md"]})
    );
    let superseding = reviews
        .iter()
        .find(|review| review["decision"] == "approved")
        .unwrap();
    assert_eq!(superseding["supersedes"]["sha256"], payload);
}

#[test]
fn a_review_needs_a_key_of_its_own_a_full_target_and_a_change() {
    let sandbox = Sandbox::with_change();
    sandbox.attest(&["--base", "main"]);
    let key = reviewer(&sandbox);
    sandbox
        .touchmark(["approve", "HEAD", "--target", "refs/heads/main"])
        .refused(2, "review.no_key");
    sandbox
        .touchmark(["approve", "HEAD", "--target", "main", "--key", &key])
        .refused(2, "range.target_not_full");
    sandbox
        .touchmark(["approve", "main", "--target", "refs/heads/main", "--key", &key])
        .refused(2, "git.empty_range");
    sandbox
        .touchmark([
            "approve",
            "HEAD",
            "--target",
            "refs/heads/main",
            "--key",
            &key,
            "--paths",
            "../x",
        ])
        .refused(2, "review.scope");
    assert_eq!(
        sandbox.touchmark(["approve", "HEAD", "--key", &key]).code,
        Some(2)
    );
}

#[test]
fn evidence_that_does_not_verify_is_shown_as_set_aside_and_not_named() {
    let sandbox = Sandbox::with_change();
    let attested = sandbox.attest(&["--base", "main"]);
    // Another machine: its own log is not the one that the evidence is in.
    let mut command = sandbox.command(["key", "generate", "bob", "--plain"]);
    command.env("TOUCHMARK_HOME", sandbox.path("bob"));
    crate::common::Outcome::of(command.output().unwrap()).ok();
    let key = sandbox.path("bob/config/keys/bob.pem");
    let mut command = sandbox.command([
        "approve",
        "HEAD",
        "--target",
        "refs/heads/main",
        "--format",
        "json",
        "--key",
    ]);
    command.arg(key).env("TOUCHMARK_HOME", sandbox.path("bob"));
    let result = crate::common::Outcome::of(command.output().unwrap()).ok().json();
    assert_eq!(result["agentChanges"], json!([]));
    let shown = result["shown"].as_str().unwrap();
    assert!(
        shown.contains("set aside, not counted as evidence (1)"),
        "{shown}"
    );
    assert!(contains(
        shown.as_bytes(),
        attested["payload"].as_str().unwrap().as_bytes()
    ));
}

#[test]
fn evidence_is_pushed_and_fetched_ref_by_ref() {
    let sandbox = Sandbox::with_change();
    let remote = sandbox.path("remote.git");
    sandbox.git(["init", "--quiet", "--bare", remote.to_str().unwrap()]);
    sandbox.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    sandbox.git(["push", "--quiet", "origin", "main", "agent/fix"]);
    let result = sandbox.attest(&["--base", "main", "--push", "origin"]);
    let there = sandbox.git_in(
        &remote,
        ["for-each-ref", "--format=%(refname)", "refs/touchmark/"],
    );
    assert_eq!(there.lines().collect::<Vec<_>>(), sandbox.evidence_refs());

    let clone = sandbox.path("clone");
    sandbox.git([
        "clone",
        "--quiet",
        "--branch=agent/fix",
        remote.to_str().unwrap(),
        clone.to_str().unwrap(),
    ]);
    let fetched = sandbox
        .touchmark([
            "publish",
            "--fetch",
            "origin",
            "-C",
            clone.to_str().unwrap(),
            "--format",
            "json",
        ])
        .ok()
        .json();
    assert_eq!(fetched["fetchedRefs"], 2);
    let names = sandbox.git_in(
        &clone,
        ["ls-tree", "--name-only", result["refs"][0].as_str().unwrap()],
    );
    assert_eq!(
        names,
        format!("{}.sigstore.json", result["evidence"].as_str().unwrap())
    );
    sandbox
        .touchmark(["attest", "--base", "main", "--push", "nowhere"])
        .refused(2, "git.remote");
}

#[test]
fn a_reason_with_a_secret_in_it_is_never_signed() {
    let sandbox = Sandbox::with_change();
    let key = reviewer(&sandbox);
    // Put together here, so that no file of ours holds what looks like a token.
    let reason = format!("see ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    let arguments = [
        "approve",
        "HEAD",
        "--target",
        "refs/heads/main",
        "--key",
        &key,
        "--reason",
        &reason,
    ];
    let outcome = sandbox
        .touchmark(arguments)
        .refused(2, "attest.secret_in_statement");
    assert!(!outcome.stderr.contains("ghp_"), "{}", outcome.stderr);
    assert_eq!(sandbox.evidence_refs(), Vec::<String>::new());
}

#[test]
fn evidence_that_cannot_be_read_is_shown_to_the_reviewer() {
    let sandbox = Sandbox::with_change();
    let attested = sandbox.attest(&["--base", "main"]);
    let key = reviewer(&sandbox);
    let arguments = [
        "approve",
        "HEAD",
        "--target",
        "refs/heads/main",
        "--key",
        &key,
        "--format",
        "json",
    ];
    // The ref leads to a commit that is not there, which is not the same as no evidence.
    let reference = attested["refs"][0].as_str().unwrap();
    assert!(reference.starts_with("refs/touchmark/commit/"));
    let broken = format!("{}\n", "ab".repeat(20));
    std::fs::write(sandbox.repo().join(".git").join(reference), broken).unwrap();
    let shown = sandbox.touchmark(arguments).ok().json()["shown"].to_string();
    assert!(shown.contains("unreadable, not looked at (1)"), "{shown}");
    assert!(shown.contains(reference), "{shown}");
}

#[test]
fn nobody_else_waits_for_a_remote() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::with_change();
    let remote = sandbox.path("remote.git");
    sandbox.git(["init", "--quiet", "--bare", remote.to_str().unwrap()]);
    // The remote takes what is pushed only if the lock of this user's spool is free at that time.
    let hook = remote.join("hooks/pre-receive");
    let lock = sandbox.path("touchmark/data/lock");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let script = format!("#!/bin/sh\nexec flock --nonblock '{}' true\n", lock.display());
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let key = reviewer(&sandbox);
    let remote = remote.to_str().unwrap();
    sandbox.attest(&["--base", "main", "--push", remote]);
    let approve = [
        "approve",
        "--target",
        "refs/heads/main",
        "--key",
        &key,
        "--push",
        remote,
    ];
    sandbox.touchmark(approve).ok();
}

#[test]
fn a_person_reads_first_and_signs_only_what_was_read() {
    let world = World::attested();
    let (key, root) = (world.key("alice"), world.file("root.json"));
    let approve = |flags: &[&str]| {
        let all = [
            "approve",
            "agent/greeting",
            "--target",
            "refs/heads/main",
            "--trusted-root",
            &root,
            "--at",
            AT,
        ];
        world.touchmark(all.iter().chain(flags).copied())
    };
    let refs = world.evidence_refs();
    let preview = approve(&["--dry-run", "--format", "json"]).ok().json();
    assert_eq!(world.evidence_refs(), refs, "nothing is signed yet");
    world.judged(&[], 14, &[RULE]);
    let read = preview["shownSha256"].as_str().unwrap();

    world.attest_as("stranger", &[]);
    approve(&["--key", &key, "--shown", read]).refused(2, "review.shown_changed");
    let again = approve(&["--dry-run", "--format", "json"]).ok().json();
    assert_ne!(
        again["shownSha256"], preview["shownSha256"],
        "the new evidence is shown"
    );
    let signed = approve(&[
        "--key",
        &key,
        "--shown",
        again["shownSha256"].as_str().unwrap(),
        "--format",
        "json",
    ])
    .ok()
    .json();
    assert_eq!(
        (&signed["shown"], &signed["shownSha256"]),
        (&again["shown"], &again["shownSha256"])
    );
}
