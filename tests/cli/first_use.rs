//! What a person meets who has never used the program: the first mistakes, and the way out of each.

use serde_json::json;

use crate::common::world::RULE;
use crate::common::{Outcome, World};

const ID: &str = "greeter-agent";

#[test]
fn an_agent_that_was_named_wrongly_is_named_rightly_by_attesting_again() {
    let world = World::unattested();
    let first = world.attest_with(&["--agent", "claude-code"]);
    world.judged(&[], 11, &["agent.id_mismatch", "accounted.residual", RULE]);

    let second = world.attest_with(&["--agent", ID]);
    assert_eq!(second["outcome"], "logged");
    assert_ne!(second["payload"], first["payload"]);
    // The statement that was set aside leaves a gap in the session's chain: worth a look, and no reason to refuse.
    world.judged(&[], 14, &[RULE, "session.gap"]);
    world.approve_as("alice", &[]);
    world.judged(&[], 0, &["session.gap"]);
}

#[test]
fn what_the_user_tells_anew_is_stated_and_what_was_told_is_not_repeated() {
    let world = World::attested();
    let told = [
        ["--owner", "team-greeter"],
        ["--task", "https://tracker.example/7"],
    ];
    for flags in told {
        assert_eq!(world.attest_with(&flags)["outcome"], "logged", "{flags:?}");
        assert_eq!(world.attest_with(&flags)["outcome"], "folded", "{flags:?}");
    }
    let last = world.attest_with(&["--task", "https://tracker.example/7"]);
    assert_eq!(last["outcome"], json!("folded"));
}

#[test]
fn a_key_that_is_called_by_its_name_is_found_by_the_hint() {
    let world = World::unattested();
    world.touchmark(["key", "generate", "release", "--plain"]).ok();
    let again = world
        .touchmark(["key", "generate", "release", "--plain"])
        .refused(2, "key.file_exists");
    assert!(
        again.stderr.contains("hint: no key is ever replaced"),
        "{}",
        again.stderr
    );
    let outcome = world
        .touchmark(["key", "public", "--key", "release"])
        .refused(2, "key.file_not_found");
    let file = world.path("touchmark/config/keys/release.pem");
    assert!(
        outcome.stderr.contains(&format!("--key {}", file.display())),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_change_behind_its_target_is_no_usage_error_and_the_way_out_is_said() {
    let world = World::approved();
    world.git(["switch", "--quiet", "main"]);
    world.write("other.txt", "meanwhile\n");
    world.commit("meanwhile");
    world.git(["switch", "--quiet", "agent/greeting"]);
    let outcome = world.verify(&["main..HEAD"]).refused(1, "git.base_not_ancestor");
    assert!(
        outcome
            .stderr
            .contains("hint: the change does not contain the tip of its target"),
        "{}",
        outcome.stderr
    );
    let range = format!("{}..{}", world.id("main"), world.id("HEAD"));
    let landed = world
        .verify(&["--landed", &range, "--target", "refs/heads/main"])
        .refused(1, "git.base_not_ancestor");
    assert!(
        landed.stderr.contains("NEW does not follow from OLD"),
        "{}",
        landed.stderr
    );
}

#[test]
fn a_target_that_the_clone_does_not_have_is_to_be_fetched() {
    let world = World::approved();
    let outcome = world
        .verify(&["HEAD", "--target", "refs/heads/release"])
        .refused(2, "git.revision_unknown");
    assert!(
        outcome.stderr.contains("git fetch origin main:main"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_remote_tracking_branch_as_target_is_doubted_and_a_missing_person_explained() {
    let world = World::unattested();
    world.git(["update-ref", "refs/remotes/origin/main", "main"]);
    let outcome = world.verify(&["origin/main..HEAD"]);
    assert_eq!(outcome.code, Some(10), "{}", outcome.stdout);
    assert!(
        outcome
            .stderr
            .contains("warning: approvals for refs/remotes/origin/main"),
        "{}",
        outcome.stderr
    );
    let why = "approval by 2 people: one more than the rule asks, since nothing proves who made a path";
    assert!(outcome.stdout.contains(why), "{}", outcome.stdout);
}

#[test]
fn a_target_that_is_its_own_change_is_asked_for_what_landed() {
    let world = World::approved();
    let outcome = world.verify(&["main..main"]).refused(2, "git.empty_range");
    assert!(
        outcome
            .stderr
            .contains("hint: the head is the tip of the target already"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn every_command_opens_its_help_with_two_examples_and_puts_flags_under_their_headings() {
    let world = World::unattested();
    for verb in [
        ["policy", "check"],
        ["policy", "schema"],
        ["key", "generate"],
        ["key", "public"],
        ["key", "import"],
    ] {
        let help = world.touchmark([verb[0], verb[1], "--help"]).ok().stdout;
        assert!(help.starts_with("Examples:\n  touchmark "), "{help}");
    }
    let help = world.touchmark(["key", "public", "--help"]).ok().stdout;
    let (options, password) = (
        help.find("--fingerprint").unwrap(),
        help.find("Password:").unwrap(),
    );
    assert!(options < password, "{help}");
}

#[test]
fn who_investigates_in_a_fresh_clone_is_told_what_to_bring() {
    let world = World::approved();
    let (from, clone) = (world.repo(), world.path("clone"));
    world.git([
        "clone",
        "--quiet",
        &from.to_string_lossy(),
        &clone.to_string_lossy(),
    ]);
    let find = |roots: &[&str]| {
        let mut command = world.command(["find", "--agent", ID]);
        command.args(roots).current_dir(&clone);
        // Another person on another machine has a home without a log.
        command.env("TOUCHMARK_HOME", world.path("investigator"));
        Outcome::of(command.output().unwrap())
    };
    let outcome = find(&[]);
    assert_eq!(outcome.code, Some(10));
    let refs = "refs/touchmark/*:refs/touchmark/*";
    assert!(outcome.stderr.contains(refs), "{}", outcome.stderr);

    world.git_in(&clone, ["fetch", "--quiet", "origin", refs]);
    let outcome = find(&[]);
    assert_eq!(outcome.code, Some(10));
    assert!(
        outcome.stderr.contains("hint: name the log's trusted root"),
        "{}",
        outcome.stderr
    );

    let outcome = find(&["--trusted-root", &world.file("root.json")]).ok();
    assert!(
        outcome.stdout.contains(ID) && !outcome.stderr.contains("hint"),
        "{}",
        outcome.stderr
    );
}
