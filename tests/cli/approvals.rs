//! Approvals that count for `touchmark verify`, and those that do not.

use serde_json::json;

use crate::common::world::RULE;
use crate::common::{AT, World};

#[test]
fn case_202_an_approval_of_an_earlier_head_does_not_count() {
    let world = World::approved();
    world.write(
        "src/lib.rs",
        "pub fn greet(name: &str) -> String { name.into() }\n",
    );
    world.commit("by the agent too");
    world.attest_with(&[]);
    let verdict = world.judged(&[], 11, &["approval.not_bound", RULE]);
    let approval = &verdict["accounted"]["approvals"][0];
    assert_eq!(
        (&approval["counted"], &approval["code"]),
        (&json!(false), &json!("approval.not_bound"))
    );
    world.approve_as("alice", &[]);
    world.judged(&[], 0, &[]);
}

#[test]
fn case_204_an_approval_for_another_branch_or_by_somebody_unknown_does_not_count() {
    let world = World::attested();
    world.git(["branch", "release", "main"]);
    world.approve_as("alice", &["--target", "refs/heads/release"]);
    world.judged(&[], 11, &["approval.not_bound", RULE]);

    let world = World::attested();
    world.approve_as("stranger", &[]);
    world.judged(&[], 11, &["signer.not_expected", RULE]);
    let world = World::attested();
    world.approve_as("agent", &[]);
    world.judged(&[], 11, &["identity.role", RULE]);
}

#[test]
fn an_approval_before_the_agents_change_was_there_does_not_cover_it() {
    let world = World::unattested();
    world.approve_as("alice", &[]);
    world.attest_with(&[]);
    let verdict = world.judged(&[], 11, &["approval.evidence_incomplete", RULE]);
    assert_eq!(verdict["accounted"]["approvals"][0]["counted"], false);
}

#[test]
fn a_rejection_by_the_same_person_denies() {
    let world = World::approved();
    let (key, root) = (world.key("alice"), world.file("root.json"));
    let reject = [
        "reject",
        "HEAD",
        "--target",
        "refs/heads/main",
        "--key",
        &key,
        "--trusted-root",
        &root,
        "--at",
        AT,
    ];
    world.touchmark(reject).ok();
    world.judged(&[], 12, &["approval.rejected"]);
}
