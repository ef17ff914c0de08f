//! 1,000 evidence pushes from 20 clones at once to one repository, most of them to keys that others write to as well:
//! every one of them can be read afterwards.
#![allow(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod common;

use std::collections::BTreeSet;
use std::time::Instant;

use common::{Sandbox, evidence, git_in};
use touchmark_git::{EvidenceKey, OpenOptions, Repository};
use touchmark_statement::git_id::GitCommitId;

const CLONES: usize = 20;
const PUSHES: usize = 50;
/// Keys that everybody writes to.
const SHARED: usize = 10;

fn text(clone: usize, push: usize) -> String {
    format!("evidence {push} of clone {clone}")
}

/// Three pushes of five go to a key that all clones share, two to a key of the clone's own.
fn key_of(commits: &[GitCommitId], clone: usize, push: usize) -> &GitCommitId {
    if push % 5 < 3 {
        &commits[(clone * 7 + push * 3) % SHARED]
    } else {
        &commits[SHARED + clone]
    }
}

#[test]
fn more_refs_than_one_run_of_git_is_told_of_are_pushed() {
    let folder = tempfile::tempdir().unwrap();
    git_in(folder.path(), &["init", "--quiet", "--bare", "remote.git"]);
    let remote = folder.path().join("remote.git");
    let sandbox = Sandbox::new();
    let commit = sandbox.commit("one");
    let repository = sandbox.open();
    let written = repository
        .write_evidence(&[evidence(&commit, b"evidence")], false)
        .unwrap();
    let keys: Vec<EvidenceKey> = (0..2_100)
        .map(|number| EvidenceKey::Tree(format!("{number:040x}").parse().unwrap()))
        .collect();
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    for key in &keys {
        packed.push_str(&format!("{} {}\n", written[0].commit, key.ref_name()));
    }
    std::fs::write(sandbox.path().join(".git/packed-refs"), &packed).unwrap();
    let repository = sandbox.open();
    // The remote has most of them already, so that it is the names alone that count.
    let some = repository
        .push_evidence(remote.to_str().unwrap(), &keys[..1])
        .unwrap();
    assert_eq!(some.refs, 1);
    std::fs::write(remote.join("packed-refs"), &packed).unwrap();
    let pushed = repository.push_evidence(remote.to_str().unwrap(), &keys).unwrap();
    assert_eq!((pushed.refs, pushed.attempts), (keys.len(), 1));
}

#[test]
fn a_thousand_concurrent_pushes_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    git_in(
        folder.path(),
        &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"],
    );
    let remote = folder.path().join("remote.git");
    git_in(&remote, &["config", "gc.auto", "0"]);
    git_in(&remote, &["config", "receive.autogc", "false"]);
    let seed = Sandbox::new();
    let commits: Vec<GitCommitId> = (0..SHARED + CLONES)
        .map(|n| seed.commit(&format!("commit {n}")))
        .collect();
    seed.git(&["push", "--quiet", remote.to_str().unwrap(), "main"]);
    let open = |name: &str| {
        git_in(folder.path(), &["clone", "--quiet", "remote.git", name]);
        let options = OpenOptions {
            git: Some(common::git_program()),
            ..OpenOptions::default()
        };
        Repository::open_with(&folder.path().join(name), options).unwrap()
    };
    let clones: Vec<Repository> = (0..CLONES)
        .map(|number| open(&format!("clone{number}")))
        .collect();

    let started = Instant::now();
    let attempts: u32 = std::thread::scope(|scope| {
        let work = |(clone, repository): (usize, Repository)| {
            let commits = &commits;
            scope.spawn(move || {
                let mut attempts = 0;
                for push in 0..PUSHES {
                    let item = evidence(key_of(commits, clone, push), text(clone, push).as_bytes());
                    repository
                        .write_evidence(std::slice::from_ref(&item), true)
                        .unwrap();
                    attempts += repository.push_evidence("origin", &[item.key]).unwrap().attempts;
                }
                attempts
            })
        };
        let threads: Vec<_> = clones.into_iter().enumerate().map(work).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    println!(
        "{} pushes, {attempts} attempts, {:.1} s",
        CLONES * PUSHES,
        started.elapsed().as_secs_f64()
    );

    // From the remote itself, and from a fresh clone that fetches by exact name.
    let reader = open("reader");
    let keys: Vec<EvidenceKey> = commits.iter().cloned().map(EvidenceKey::Commit).collect();
    assert_eq!(reader.fetch_evidence("origin", &keys).unwrap(), keys.len());
    for repository in [Repository::open(&remote).unwrap(), reader] {
        let mut found = BTreeSet::new();
        for key in &keys {
            let EvidenceKey::Commit(commit) = key else {
                continue;
            };
            for file in repository.read_evidence(key).unwrap().files {
                assert!(
                    found.insert((commit.clone(), String::from_utf8(file.bytes).unwrap())),
                    "nothing twice"
                );
            }
        }
        let all = (0..CLONES).flat_map(|clone| (0..PUSHES).map(move |push| (clone, push)));
        let expected: BTreeSet<_> = all
            .map(|(clone, push)| (key_of(&commits, clone, push).clone(), text(clone, push)))
            .collect();
        assert_eq!(expected.len(), CLONES * PUSHES);
        assert!(
            found == expected,
            "{} of {} found",
            found.intersection(&expected).count(),
            expected.len()
        );
    }
    git_in(&remote, &["fsck", "--strict"]);
}
