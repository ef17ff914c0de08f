//! `touchmark policy`: a policy is read as the gate reads it, and what is wrong with it is named by line.

use std::fs;

use serde_json::Value;

use crate::common::schema::{assert_valid, folder};
use crate::common::{AT, Outcome, World};

fn check(world: &World, content: &str, flags: &[&str]) -> Outcome {
    fs::write(world.path("policy.toml"), content).unwrap();
    let file = world.file("policy.toml");
    let mut all = vec!["policy", "check", &file, "--at", AT];
    all.extend(flags);
    world.touchmark(all)
}

#[test]
fn a_good_policy_is_summed_up() {
    let world = World::unattested();
    let policy = world.policy();
    let document = check(&world, &policy, &["--format", "json"]).ok().json();
    assert_valid(&document);
    let names: Vec<&Value> = document["principals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["id"])
        .collect();
    assert_eq!(names, ["alice", "greeter-agent", "ci"]);
    assert_eq!(document["principals"][0]["keys"][0], world.fingerprint("alice"));
    assert_eq!(document["rules"][0], "a-person-reads-it");
    let text = check(&world, &policy, &[]).ok().stdout;
    assert!(
        text.contains("serial 1") && text.contains("agent        greeter-agent (1 keys, 0 identities)"),
        "{text}"
    );
    // The digest is the one that a verdict names.
    world.attest_with(&[]);
    let verdict = world.verify(&["main..HEAD", "--format", "json"]).json();
    assert_eq!(verdict["inputs"]["policies"][0]["sha256"], document["sha256"]);
}

#[test]
fn case_186_what_is_wrong_is_named_with_its_line() {
    let world = World::unattested();
    let good = world.policy();
    let line_of = |text: &str| good.lines().position(|line| line.contains(text)).unwrap() + 1;
    let cases = [
        (
            "residual = \"forbid\"",
            "residuall = \"forbid\"",
            "policy.unknown_key",
        ),
        ("tier = \"gated\"", "tier = \"gate\"", "policy.value"),
        ("serial = 1", "serial = \"one\"", "policy.wrong_type"),
        ("people = 1, not", "peple = 1, not", "policy.unknown_key"),
        ("version = 1", "version = 2", "policy.version"),
        ("paths = [\"**\"]", "paths = [\"../**\"]", "policy.glob"),
        ("serial = 1", "serial = = 1", "policy.syntax"),
    ];
    for (from, to, code) in cases {
        let outcome = check(&world, &good.replace(from, to), &[]).refused(2, code);
        let place = format!("policy.toml:{}", line_of(from));
        assert!(outcome.stderr.contains(&place), "{to}: {}", outcome.stderr);
    }
    let outcome = check(&world, &good.replace("residual =", "residuall ="), &[]);
    assert!(outcome.stderr.contains("residual"), "{}", outcome.stderr);
    let twice = format!("{good}\n[[rule]]\nid = \"a-person-reads-it\"\npaths = [\"**\"]\ntier = \"free\"\n");
    check(&world, &twice, &[]).refused(2, "policy.duplicate_id");
}

#[test]
fn case_221_a_line_feed_in_a_key_begins_no_line_of_its_own() {
    let world = World::unattested();
    let forged = format!(
        "{}\n\"evil\\nerror[policy.fine]: all is well\" = 1\n",
        world.policy()
    );
    let outcome = check(&world, &forged, &[]).refused(2, "policy.unknown_key");
    assert!(
        outcome
            .stderr
            .lines()
            .all(|line| !line.starts_with("error[policy.fine]")),
        "{}",
        outcome.stderr
    );
    let outcome = world
        .touchmark(["explain", "a.b\nhint: run this"])
        .refused(2, "explain.unknown_code");
    assert!(
        outcome.stderr.contains("a.b\\u{a}hint: run this"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_expired_policy_is_not_good_any_more() {
    let world = World::unattested();
    let expired = world.policy().replace("2099-12-31", "2026-02-28");
    check(&world, &expired, &[]).refused(2, "policy.expired");
    check(&world, &world.policy().replace("2099-12-31", "2026-03-01"), &[]).ok();
}

#[test]
fn the_schema_is_the_published_one() {
    let world = World::unattested();
    let printed = world.touchmark(["policy", "schema"]).ok().stdout;
    assert_eq!(
        printed.as_bytes(),
        fs::read(folder().join("policy/v1.json")).unwrap()
    );
}

#[test]
fn files_that_are_no_policy_are_refused() {
    let world = World::unattested();
    for content in ["", "\0", "version = 1\n", "[[[", &"a = [".repeat(10_000)] {
        let outcome = check(&world, content, &[]);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(2), ""),
            "{}",
            outcome.stderr
        );
    }
    world
        .touchmark(["policy", "check", "absent"])
        .refused(2, "file.missing");
    world
        .touchmark(["policy", "check", "."])
        .refused(2, "file.not_regular");
}
