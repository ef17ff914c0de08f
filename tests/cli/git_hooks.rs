//! Git's own hooks: evidence stays with commits that are made again and goes where they go, and git never notices.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::common::agent::Agent;
use crate::common::{Outcome, Sandbox};

const ONE: &str = "11111111-1111-4111-8111-111111111111";

/// A repository with our hooks in it, called as `hook install` writes them.
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "a\n");
    sandbox.write("b.txt", "b\n");
    sandbox.commit("first");
    hooked(&sandbox, &sandbox.repo());
    sandbox
}

fn hooked(sandbox: &Sandbox, repo: &Path) {
    for name in ["post-commit", "post-rewrite", "pre-push"] {
        let file = repo.join(".git/hooks").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let script = format!(
            "#!/bin/sh\nTOUCHMARK_HOME='{}' '{}' hook run git-{name} \"$@\"\n",
            sandbox.path("touchmark").display(),
            env!("CARGO_BIN_EXE_touchmark"),
        );
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn evidence_of(sandbox: &Sandbox, commit: &str) -> usize {
    let reference = format!("refs/touchmark/commit/{}/{commit}", &commit[..2]);
    let exists = !sandbox
        .git(["for-each-ref", "--format=%(refname)", &reference])
        .is_empty();
    if exists {
        sandbox.evidence(&reference).len()
    } else {
        0
    }
}

/// Git with its own words on standard error, which our hooks may add nothing to.
fn said_by_git(sandbox: &Sandbox, words: &[&str]) -> Outcome {
    let mut command = Command::new("git");
    command.args(words).current_dir(sandbox.repo()).env_clear();
    command
        .env("PATH", "/usr/bin:/bin:/usr/local/bin")
        .env("HOME", sandbox.path("home"));
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "T")
            .env(format!("GIT_{who}_EMAIL"), "t@example.invalid");
    }
    Outcome::of(command.output().unwrap())
}

#[test]
fn a_reworded_commit_keeps_its_evidence() {
    let sandbox = repository();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("one").writes("a.txt", "1\n");
    let before = agent.commits("one");
    agent.stops();
    sandbox.settled();
    let said = said_by_git(
        &sandbox,
        &["commit", "--quiet", "--amend", "--message", "reworded"],
    );
    assert_eq!(
        (said.code, said.stdout.as_str(), said.stderr.as_str()),
        (Some(0), "", "")
    );
    let after = sandbox.git(["rev-parse", "HEAD"]);
    assert_ne!(before, after);
    sandbox.settled();
    assert_eq!(evidence_of(&sandbox, &after), 1);
    assert_eq!(
        sandbox.chained().len(),
        1,
        "nothing new is said: the tree is the same"
    );
}

#[test]
fn commits_that_are_rebased_are_stated_again_in_the_same_chain() {
    let sandbox = repository();
    sandbox.git(["switch", "--quiet", "--create", "work"]);
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("one").writes("a.txt", "1\n");
    agent.commits("one");
    agent.writes("a.txt", "2\n");
    agent.commits("two");
    agent.stops();
    sandbox.settled();
    sandbox.git(["switch", "--quiet", "main"]);
    sandbox.write("b.txt", "upstream\n");
    let upstream = sandbox.commit("upstream");
    sandbox.git(["switch", "--quiet", "work"]);
    sandbox.git(["rebase", "--quiet", "main"]);
    sandbox.settled();
    let head = sandbox.git(["rev-parse", "HEAD"]);
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 2, "{claims:#?}");
    let again = &claims[1];
    assert_eq!(again["run"]["sequence"], 1);
    assert_eq!(again["run"]["chain"], claims[0]["run"]["chain"]);
    assert_eq!(again["change"]["base"]["gitCommit"], upstream.as_str());
    assert_eq!(again["change"]["proposed"]["gitCommit"], head.as_str());
    assert_eq!(again["change"]["commits"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        again["change"]["paths"].as_array().map(Vec::len),
        Some(1),
        "what upstream did is not in it"
    );
    assert_eq!(again["usage"]["outputTokens"], 0, "nothing is counted twice");
    assert_eq!(again["prompt"]["count"], 1);
    assert_eq!(evidence_of(&sandbox, &head), 1);
    // The session goes on from there.
    agent.is_told("more").writes("b.txt", "3\n");
    agent.commits("three");
    agent.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 3);
    assert_eq!(
        claims[2]["change"]["base"]["gitTree"],
        claims[1]["change"]["proposed"]["gitTree"]
    );
}

#[test]
fn an_amend_with_other_content_is_stated_again() {
    let sandbox = repository();
    let base = sandbox.git(["rev-parse", "HEAD"]);
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("one").writes("a.txt", "1\n");
    agent.commits("one");
    agent.stops();
    sandbox.settled();
    sandbox.write("b.txt", "by hand\n");
    sandbox.git(["add", "--all"]);
    sandbox.git(["commit", "--quiet", "--amend", "--message", "one and more"]);
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 2);
    assert_eq!(claims[1]["change"]["base"]["gitCommit"], base.as_str());
    let rows = claims[1]["change"]["paths"].as_array().unwrap();
    let by: Vec<_> = rows
        .iter()
        .map(|row| row["attribution"].as_str().unwrap())
        .collect();
    assert_eq!(by, ["agent", "unknown"], "what a person added is not the agent's");
}

#[test]
fn a_push_takes_the_evidence_along_and_is_not_slower_for_it() {
    let sandbox = repository();
    let bare = sandbox.path("remote.git");
    sandbox.git(["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    sandbox.git(["remote", "add", "origin", bare.to_str().unwrap()]);
    sandbox.git(["fetch", "--quiet", "origin"]);
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("one").writes("a.txt", "1\n").stops();
    sandbox.settled();
    agent.is_told("two").writes("b.txt", "2\n");
    let head = agent.commits("two");
    agent.stops();
    sandbox.settled();
    let started = Instant::now();
    let said = said_by_git(&sandbox, &["push", "--quiet", "origin", "main"]);
    assert_eq!(
        (said.code, said.stdout.as_str(), said.stderr.as_str()),
        (Some(0), "", "")
    );
    let there = sandbox.git_in(&bare, ["for-each-ref", "--format=%(refname)", "refs/touchmark/"]);
    assert!(there.contains(&head), "after {:?}: {there}", started.elapsed());
    // The tree of the first turn was never committed, and is found from the second.
    assert_eq!(sandbox.statements_in(&bare).len(), 2);
}

#[test]
fn a_push_succeeds_where_the_evidence_cannot_go() {
    let sandbox = repository();
    let bare = sandbox.path("remote.git");
    sandbox.git(["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    sandbox.git(["remote", "add", "origin", bare.to_str().unwrap()]);
    sandbox.git(["fetch", "--quiet", "origin"]);
    fs::write(
        bare.join("hooks/update"),
        "#!/bin/sh\ncase \"$1\" in refs/touchmark/*) exit 1;; esac\n",
    )
    .unwrap();
    fs::set_permissions(bare.join("hooks/update"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("one").writes("a.txt", "1\n");
    let head = agent.commits("one");
    agent.stops();
    sandbox.settled();
    let said = said_by_git(&sandbox, &["push", "--quiet", "origin", "main"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    assert_eq!(sandbox.git_in(&bare, ["rev-parse", "main"]), head);
}

#[test]
fn work_that_was_committed_in_part_is_found_from_the_commit() {
    let sandbox = repository();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("one")
        .writes("a.txt", "1\n")
        .writes("b.txt", "2\n")
        .stops();
    sandbox.settled();
    sandbox.git(["add", "a.txt"]);
    sandbox.git(["commit", "--quiet", "--message", "half of it"]);
    sandbox.settled();
    let head = sandbox.git(["rev-parse", "HEAD"]);
    assert_eq!(evidence_of(&sandbox, &head), 1);
}

#[test]
fn without_any_agent_git_hooks_leave_nothing_behind() {
    let sandbox = repository();
    sandbox.write("a.txt", "by hand\n");
    sandbox.commit("by hand");
    let left: Vec<_> = sandbox
        .files("touchmark")
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
