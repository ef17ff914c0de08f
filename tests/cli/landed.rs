//! `touchmark verify --landed`: what really landed, and the signed verdict about it.

use crate::common::world::RULE;
use crate::common::{AT, World};

/// The landed case: `main` has moved to the approved head. Returns old and new commit as a range.
fn land(world: &World) -> String {
    let old = world.id("main");
    world.git(["switch", "--quiet", "main"]);
    world.git(["merge", "--quiet", "--ff-only", "agent/greeting"]);
    format!("{old}..{}", world.id("main"))
}

fn landed<'a>(range: &'a str, flags: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["--landed", range, "--target", "refs/heads/main"];
    all.extend(flags);
    all
}

#[test]
fn what_landed_as_it_was_approved_is_allowed() {
    let world = World::approved();
    let range = land(&world);
    let verdict = world.asked(&landed(&range, &[]), 0, &[]);
    assert_eq!(verdict["inputs"]["change"]["landed"], true);
    let text = world.verify(&landed(&range, &[])).ok().stdout;
    assert!(text.contains("landed on refs/heads/main"), "{text}");
}

#[test]
fn what_landed_without_approval_is_found() {
    let world = World::attested();
    let range = land(&world);
    world.asked(&landed(&range, &[]), 14, &[RULE]);
}

#[test]
fn a_squash_is_recognised_by_its_tree() {
    let world = World::approved();
    let old = world.id("main");
    world.git(["switch", "--quiet", "main"]);
    world.git(["merge", "--quiet", "--squash", "agent/greeting"]);
    let new = world.commit("squashed");
    world.asked(&landed(&format!("{old}..{new}"), &[]), 0, &[]);
}

#[test]
fn a_merge_commit_is_recognised_by_its_tree_and_a_dirty_one_is_not() {
    let world = World::approved();
    let old = world.id("main");
    world.git(["switch", "--quiet", "main"]);
    world.git(["merge", "--quiet", "--no-ff", "--no-edit", "agent/greeting"]);
    let range = format!("{old}..{}", world.id("HEAD"));
    world.asked(&landed(&range, &[]), 0, &[]);
    // Bytes that neither parent has.
    world.write("src/lib.rs", "pub fn greet() { evil() }\n");
    world.git(["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    let range = format!("{old}..{}", world.id("HEAD"));
    let verdict = world.asked(
        &landed(&range, &[]),
        11,
        &["approval.not_bound", "accounted.residual", RULE],
    );
    assert_eq!(verdict["accounted"]["paths"][0]["account"], "residual");
}

#[test]
fn a_branch_that_merged_its_target_is_judged_against_it() {
    let world = World::attested();
    world.git(["switch", "--quiet", "main"]);
    world.write("docs/more.md", "more\n");
    world.commit("docs");
    world.git(["switch", "--quiet", "agent/greeting"]);
    world.git(["merge", "--quiet", "--no-edit", "main"]);
    let verdict = world.judged(&[], 14, &[RULE]);
    let accounts: Vec<_> = verdict["accounted"]["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["account"])
        .collect();
    assert_eq!(accounts, ["replayed", "replayed"]);
    world.approve_as("alice", &[]);
    world.judged(&[], 0, &[]);
}

#[test]
fn bytes_that_slipped_in_while_landing_are_found() {
    let world = World::unattested();
    let change = world.attest_with(&[])["payload"].as_str().unwrap().to_owned();
    world.approve_as("alice", &[]);
    let change = world.export(&change, "change.json");
    let old = world.id("main");
    world.git(["switch", "--quiet", "main"]);
    world.git(["merge", "--quiet", "--squash", "agent/greeting"]);
    world.write("src/extra.rs", "pub fn extra() {}\n");
    let range = format!("{old}..{}", world.commit("squashed"));
    // No evidence is filed under what landed.
    world.asked(&landed(&range, &[]), 10, &["accounted.residual", RULE]);
    // The agent's statement is about a commit that did not land, and only a whole tree would stand in for it.
    let codes = &["accounted.residual", "binding.not_in_range", RULE];
    world.asked(&landed(&range, &["--bundle", &change]), 10, codes);
    // Where the verifier names the pull request, what it accounts for is told from what slipped in.
    let flags = ["--pull-request", "agent/greeting"];
    let verdict = world.asked(
        &landed(&range, &flags),
        11,
        &["approval.not_bound", "accounted.residual", RULE],
    );
    let accounts: Vec<_> = verdict["accounted"]["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["account"])
        .collect();
    assert_eq!(accounts, ["residual", "replayed", "replayed"]);
    assert_eq!(verdict["accounted"]["paths"][0]["path"], "src/extra.rs");
}

#[test]
fn a_squash_onto_a_branch_that_moved_on_is_replayed() {
    let world = World::under(|policy| {
        policy
            .replace("tier = \"gated\"", "tier = \"free\"")
            .replace("approvals", "# approvals")
    });
    world.attest_with(&[]);
    world.git(["switch", "--quiet", "main"]);
    world.write("docs/more.md", "more\n");
    let old = world.commit("docs");
    world.git(["merge", "--quiet", "--squash", "agent/greeting"]);
    let range = format!("{old}..{}", world.commit("squashed"));
    world.asked(&landed(&range, &[]), 10, &["accounted.residual"]);
    let verdict = world.asked(&landed(&range, &["--pull-request", "agent/greeting"]), 0, &[]);
    assert_eq!(verdict["accounted"]["paths"][1]["account"], "replayed");
    let outcome = world.verify(&landed(&range, &["--pull-request", "absent"]));
    outcome.refused(2, "git.revision_unknown");
}

#[test]
fn a_signed_verdict_is_stored_found_shown_and_verified() {
    let world = World::approved();
    let range = land(&world);
    let gate = world.key("gate");
    world.asked(&landed(&range, &["--gate-key", &gate]), 0, &[]);
    let root = world.file("root.json");
    let found = world
        .touchmark([
            "find",
            "--signer",
            &world.fingerprint("gate"),
            "--trusted-root",
            &root,
            "--format",
            "json",
        ])
        .ok()
        .json();
    let rows = found["found"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0]["predicateType"],
        "https://slsa.dev/verification_summary/v1"
    );
    let payload = rows[0]["payloadDigest"].as_str().unwrap();
    let shown = world
        .touchmark(["show", payload, "--trusted-root", &root, "--format", "json"])
        .ok()
        .json();
    let statement = &shown["statement"];
    assert_eq!(statement["predicate"]["verificationResult"], "PASSED");
    assert_eq!(statement["predicate"]["timeVerified"], AT);
    assert_eq!(
        statement["predicate"]["verifiedLevels"],
        serde_json::json!(["ORG_SOURCE_TOUCHMARK_ACCOUNTED"])
    );
    assert_eq!(
        statement["predicate"]["inputAttestations"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(statement["subject"][0]["digest"]["gitCommit"], world.id("main"));
    assert_eq!(
        statement["subject"][1]["digest"]["gitTree"],
        world.id("main^{tree}")
    );
    let file = world.export(payload, "vsa.json");
    let key = world.public_key("gate");
    world.verify(&["--bundle", &file, "--key", &key]).ok();
    // It changes no later verdict: nobody may vouch for changes in its place.
    world.asked(&landed(&range, &[]), 0, &[]);
}

#[test]
fn a_verdict_that_does_not_say_yes_is_not_signed() {
    let world = World::attested();
    let range = land(&world);
    let before = world.files("touchmark/data/log");
    let outcome = world.verify(&landed(&range, &["--gate-key", &world.key("gate")]));
    assert_eq!(outcome.code, Some(14));
    assert!(
        outcome.stderr.contains("nothing was signed"),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.files("touchmark/data/log"), before);
}

#[test]
fn a_landed_range_that_rewrites_the_branch_is_refused() {
    let world = World::approved();
    let range = land(&world);
    let (old, new) = range.split_once("..").unwrap();
    let outcome = world.verify(&landed(&format!("{new}..{old}"), &[]));
    assert_ne!(outcome.code, Some(0), "{}", outcome.stdout);
}
