//! Work that landed once and was taken back does not come back by commits that only pass through its trees.

use crate::common::World;

/// Everything agents do is accounted for, and nobody has to read it.
fn unread(policy: String) -> String {
    let (before, rule) = policy.split_once("[[rule]]").expect("the policy has a rule");
    let (_, after) = rule
        .split_once("[gate.merge]")
        .expect("the rule comes before the gate");
    format!("{before}[gate.merge]{after}")
}

/// The agent's change has landed, was reverted, and other work followed; a branch replays its trees and ends with its
/// lines on top of that work.
fn replayed(world: &World) {
    world.git(["switch", "--quiet", "main"]);
    world.git(["merge", "--quiet", "--ff-only", "agent/greeting"]);
    let (before, landed) = (world.id("HEAD~1^{tree}"), world.id("HEAD^{tree}"));
    world.git(["revert", "--no-edit", "HEAD"]);
    world.write("src/other.rs", "pub fn other() {}\n");
    world.commit("other work");
    world.git(["switch", "--quiet", "--create", "again"]);
    world.git([
        "checkout",
        "agent/greeting",
        "--",
        "src/lib.rs",
        "tests/greeting.rs",
    ]);
    let result = world.git(["write-tree"]);
    let mut tip = world.id("HEAD");
    for tree in [before, landed, result] {
        tip = world.git(["commit-tree", &tree, "-p", &tip, "-m", "again"]);
    }
    world.git(["reset", "--quiet", "--hard", &tip]);
}

#[test]
fn case_179_reverted_work_is_not_replayed_from_its_tree() {
    let world = World::under(unread);
    world.attest_with(&[]);
    world.asked(&["main..agent/greeting"], 0, &[]);
    replayed(&world);
    world.asked(&["main..again"], 10, &["accounted.residual"]);
}

#[test]
fn case_179_reverted_work_that_was_attested_uncommitted_is_not_replayed_either() {
    let world = World::under(unread);
    world.git(["reset", "--quiet", "--soft", "main"]);
    let (key, session) = (world.key("agent"), world.file("session.jsonl"));
    world.attest(&[
        "--uncommitted",
        "--session",
        &session,
        "--agent",
        "greeter-agent",
        "--key",
        &key,
    ]);
    world.commit("greet by name");
    world.asked(&["main..agent/greeting"], 0, &[]);
    replayed(&world);
    world.asked(&["main..again"], 10, &["accounted.residual"]);
}
