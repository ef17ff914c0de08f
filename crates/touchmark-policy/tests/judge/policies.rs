//! Which policies are in force, and how several of them agree.

use touchmark_policy::{Policy, PolicyInForce};

use crate::world::{ALICE, BOB, World, at, expect};

#[test]
fn case_185_without_a_policy_there_is_no_answer() {
    let verdict = World::good().judge_by(&[]);
    expect(&verdict, 2, &["policy.none"]);
}

#[test]
fn case_187_a_policy_older_than_the_last_one_seen_is_refused() {
    let mut world = World::good();
    world.serial_floor = Some(8);
    let verdict = world.judge();
    expect(&verdict, 11, &["policy.rolled_back"]);
    assert_eq!(
        verdict.reasons()[0].expected.as_deref(),
        Some("serial 8 or higher")
    );
    world.serial_floor = None;
    expect(&world.judge(), 0, &[]);
}

#[test]
fn an_expired_policy_judges_only_its_own_renewal() {
    let mut world = World::good();
    let last: i64 = "2027-06-30T23:59:59Z"
        .parse::<touchmark_statement::timestamp::Timestamp>()
        .unwrap()
        .unix();
    let seconds = last - at(0).unix();
    world.at = at(seconds);
    expect(&world.judge(), 0, &[]);
    world.at = at(seconds + 1);
    expect(&world.judge(), 2, &["policy.expired"]);

    let mut world = World::empty();
    world.edit_policy(
        "require = [\"accounted\", \"tests\"]",
        "require = [\"accounted\"]",
    );
    world.propose_edits(
        &[(".touchmark/policy.toml", Some("serial = 8\n"))],
        "Erin <erin@acme.example>",
    );
    world.at = at(seconds + 1);
    expect(&world.judge(), 14, &["policy.admin_approval"]);
    world.approve(ALICE);
    world.approve(BOB);
    expect(&world.judge(), 0, &[]);
}

#[test]
fn every_policy_must_say_yes() {
    let world = World::good();
    let own = Policy::load(world.policy.as_bytes()).unwrap();
    let strict = world
        .policy
        .replace("classes = [\"infrastructure\"]", "classes = [\"source\"]");
    let strict = Policy::load(strict.as_bytes()).unwrap();
    let in_force = |name: &'static str, policy| PolicyInForce {
        name,
        policy,
        serial_floor: None,
    };
    let both = [in_force("repository", &own), in_force("organisation", &strict)];
    let verdict = world.judge_by(&both);
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    assert_eq!(verdict.reasons()[0].policy.as_deref(), Some("organisation"));
    let turned = world.judge_by(&[both[1], both[0]]);
    assert_eq!(turned.encode(), verdict.encode());
    expect(&world.judge_by(&[both[0], both[0]]), 0, &[]);
}

#[test]
fn suspects_are_not_ignored() {
    let mut world = World::empty();
    let tree = world.git.edit(
        &world.change.base_tree.clone(),
        &[(".touchmark/suspects/a.json", Some("{}"))],
    );
    let base = world.git.commit_tree(&tree, &[], "Old Hand <old@acme.example>");
    world.change.base_tree = tree.clone();
    world.change.base_commit = base.clone();
    world.change.head_commit = base;
    world.change.result_tree = tree;
    expect(&world.judge(), 1, &["suspect.unsupported"]);
}

#[test]
fn a_change_without_commits_is_not_judged() {
    let mut world = World::good();
    world.change.commits.clear();
    expect(&world.judge(), 1, &["range.no_commits"]);
}

#[test]
fn an_object_that_cannot_be_read_leaves_the_question_undecided() {
    let mut world = World::good();
    world.change.result_tree = "1".repeat(40).parse().unwrap();
    expect(&world.judge(), 1, &["git.object_missing"]);
}
