//! The commits of a change whose history has merges.
#![allow(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod common;

use common::Sandbox;
use touchmark_git::GitError;
use touchmark_statement::git_id::GitCommitId;

fn code<T: std::fmt::Debug>(result: Result<T, GitError>) -> &'static str {
    result.expect_err("a refusal").code()
}

/// `main`: one, two, three; `topic` leaves at one, and merges `main` at two.
fn merged_into_topic(sandbox: &Sandbox) -> (GitCommitId, Vec<GitCommitId>) {
    sandbox.commit("one");
    sandbox.git(&["checkout", "--quiet", "-b", "topic"]);
    let first = sandbox.commit("topic one");
    sandbox.git(&["checkout", "--quiet", "main"]);
    let base = sandbox.commit("two");
    sandbox.git(&["checkout", "--quiet", "topic"]);
    sandbox.git(&["merge", "--quiet", "--no-edit", "main"]);
    let merge = sandbox.id("HEAD");
    let last = sandbox.commit("topic two");
    (base, vec![first, merge, last])
}

#[test]
fn a_branch_that_merged_its_target_holds_its_own_commits_only() {
    let sandbox = Sandbox::new();
    let (base, topic) = merged_into_topic(&sandbox);
    let repository = sandbox.open();
    assert_eq!(repository.range(&base, &topic[2], 9).unwrap(), topic);
    assert_eq!(code(repository.range(&base, &topic[2], 2)), "git.range_cap");
    assert_eq!(
        code(repository.range(&topic[2], &base, 9)),
        "git.base_not_ancestor"
    );
    sandbox.git(&["checkout", "--quiet", "main"]);
    let beside = sandbox.commit("three");
    assert_eq!(
        code(sandbox.open().range(&beside, &topic[2], 9)),
        "git.base_not_ancestor"
    );
}

#[test]
fn a_merge_commit_brings_what_it_merges() {
    let sandbox = Sandbox::new();
    let (base, topic) = merged_into_topic(&sandbox);
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.git(&["merge", "--quiet", "--no-ff", "--no-edit", "topic"]);
    let merge = sandbox.id("HEAD");
    let expected: Vec<_> = topic.iter().chain([&merge]).cloned().collect();
    let range = sandbox.open().range(&base, &merge, 9).unwrap();
    assert_eq!(range, expected);
}

#[test]
fn a_branch_beside_the_target_holds_what_the_target_does_not() {
    let sandbox = Sandbox::new();
    let (_, topic) = merged_into_topic(&sandbox);
    sandbox.git(&["checkout", "--quiet", "main"]);
    let beside = sandbox.commit("three");
    let repository = sandbox.open();
    assert_eq!(repository.commits_beyond(&beside, &topic[2], 9).unwrap(), topic);
    assert_eq!(repository.commits_beyond(&topic[2], &topic[0], 9).unwrap(), []);
    assert_eq!(repository.commits_beyond(&beside, &beside, 9).unwrap(), []);
    assert_eq!(
        code(repository.commits_beyond(&beside, &topic[2], 3)),
        "git.range_cap"
    );
}

#[test]
fn commits_without_a_merge_are_a_line() {
    let sandbox = Sandbox::new();
    let ids: Vec<_> = ["one", "two", "three"].map(|text| sandbox.commit(text)).into();
    let repository = sandbox.open();
    assert_eq!(repository.range(&ids[0], &ids[2], 9).unwrap(), ids[1..]);
    assert_eq!(code(repository.range(&ids[2], &ids[2], 9)), "git.empty_range");
}

#[test]
fn case_160_a_shallow_boundary_beside_the_base_is_not_the_whole_range() {
    let sandbox = Sandbox::new();
    let (base, topic) = merged_into_topic(&sandbox);
    let boundary = sandbox.path().join(".git/shallow");
    std::fs::write(&boundary, format!("{}\n", topic[0])).unwrap();
    assert_eq!(code(sandbox.open().range(&base, &topic[2], 9)), "git.shallow");
    std::fs::write(&boundary, format!("{base}\n")).unwrap();
    // What lies behind the base cannot be told any more, so all of it counts as part of the change.
    assert_eq!(sandbox.open().range(&base, &topic[2], 9).unwrap().len(), 4);
}
