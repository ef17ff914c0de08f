//! Objects, trees and commits that mislead other readers.
#![allow(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod common;

use std::path::Path;

use common::Sandbox;
use touchmark_git::Repository;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::{GitBlobId, GitCommitId, GitTreeId};
use touchmark_verify::git_view::GitView as _;

const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
const WHO: &str = "A U Thor <a@example.com> 1700000000 +0000\n";

fn commit_code(content: impl AsRef<[u8]>) -> &'static str {
    let sandbox = Sandbox::new();
    let id: GitCommitId = sandbox.store("commit", content.as_ref()).parse().unwrap();
    sandbox
        .open()
        .commit(&id)
        .map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn case_154_two_trees_authors_or_signatures_in_a_stored_commit() {
    let good = format!("{TREE}author {WHO}committer {WHO}\nm\n");
    assert_eq!(commit_code(&good), "ok");
    assert_eq!(
        commit_code(good.replace(TREE, &TREE.repeat(2))),
        "git.commit_duplicate_header"
    );
    let twice = good.replace("author ", &format!("author {WHO}author "));
    assert_eq!(commit_code(twice), "git.commit_duplicate_header");
    let parent = "parent 1111111111111111111111111111111111111111\n";
    let late = good.replace("committer", &format!("{parent}committer"));
    assert_eq!(commit_code(late), "git.commit_header_order");
    let signed = good.replace("\n\nm", "\ngpgsig a\ngpgsig b\n\nm");
    assert_eq!(commit_code(signed), "git.commit_duplicate_header");
}

#[test]
fn case_155_a_stored_commit_with_carriage_returns() {
    let good = format!("{TREE}author {WHO}committer {WHO}gpgsig a\n b\n\nm\n");
    assert_eq!(commit_code(&good), "ok");
    assert_eq!(
        commit_code(good.replace("gpgsig", &format!("\r\n{TREE}gpgsig"))),
        "git.commit_carriage_return"
    );
    assert_eq!(
        commit_code(good.replace(" b\n", " b\r\n")),
        "git.commit_carriage_return"
    );
}

#[test]
fn case_156_raw_bytes_of_a_message_are_judged() {
    let content = format!("{TREE}author {WHO}committer {WHO}encoding ISO-8859-7\n\nme\0ss\u{202e}age\n");
    let sandbox = Sandbox::new();
    let id: GitCommitId = sandbox.store("commit", content.as_bytes()).parse().unwrap();
    let commit = sandbox.open().commit(&id).unwrap();
    assert_eq!(commit.content_sha256, Sha256Digest::of(content.as_bytes()));
    assert_eq!(
        commit_code(content.replace("A U Thor", "A\0Thor")),
        "git.commit_nul"
    );
}

#[test]
fn a_git_object_swapped_on_disk_is_detected() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "good\n");
    let first = sandbox.commit("one");
    sandbox.write("a", "evil\n");
    let second = sandbox.commit("two");
    let blobs = [
        sandbox.git(&["rev-parse", "HEAD~1:a"]),
        sandbox.git(&["rev-parse", "HEAD:a"]),
    ];
    let trees = [sandbox.tree("HEAD~1"), sandbox.tree("HEAD")];
    let good: GitBlobId = blobs[0].parse().unwrap();
    assert_eq!(
        sandbox.open().blob_digest(&good).unwrap(),
        (Sha256Digest::of(b"good\n"), 5)
    );

    sandbox.swap(&blobs[0], &blobs[1]);
    assert_eq!(
        sandbox.git(&["cat-file", "blob", &blobs[0]]),
        "evil",
        "git itself does not notice"
    );
    assert_eq!(
        sandbox.open().blob_digest(&good).unwrap_err().code(),
        "git.object_mismatch"
    );
    sandbox.swap(trees[0].as_str(), trees[1].as_str());
    assert_eq!(
        sandbox
            .open()
            .changed_paths(&trees[0], &trees[1])
            .unwrap_err()
            .code(),
        "git.object_mismatch"
    );
    assert_eq!(
        sandbox.open().tree_digest(&trees[0]).unwrap_err().code(),
        "git.object_mismatch"
    );
    sandbox.swap(first.as_str(), second.as_str());
    assert_eq!(
        sandbox.open().commit(&first).unwrap_err().code(),
        "git.object_mismatch"
    );
    sandbox.swap(second.as_str(), &blobs[1]);
    assert_eq!(
        sandbox.open().commit(&second).unwrap_err().code(),
        "git.object_mismatch"
    );
}

#[test]
fn missing_objects_wrong_kinds_and_wrong_formats_have_their_codes() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "x");
    let commit = sandbox.commit("one");
    let repository = sandbox.open();
    let code = |id: &str| repository.commit(&id.parse().unwrap()).unwrap_err().code();
    assert_eq!(code(&"1".repeat(40)), "git.object_missing");
    assert_eq!(code(&"1".repeat(64)), "git.object_format");
    assert_eq!(code(sandbox.tree("HEAD").as_str()), "git.wrong_kind");
    let as_tree: GitTreeId = commit.as_str().parse().unwrap();
    assert_eq!(
        repository.tree_digest(&as_tree).unwrap_err().code(),
        "git.wrong_kind"
    );
    std::fs::write(
        sandbox.path().join(".git/objects/11").join("1".repeat(38)),
        "junk",
    )
    .unwrap_or_default();
    let folder = sandbox.path().join(".git/objects/22");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("2".repeat(38)), "junk").unwrap();
    assert_eq!(code(&"2".repeat(40)), "git.unreadable");
}

#[test]
fn case_157_the_public_collision_is_none_behind_gits_header() {
    // No two git objects that collide are public; that the pattern is detected is tested beside the hasher. This shows that
    // detection refuses the pattern itself and not content that merely looks like it.
    let sandbox = Sandbox::new();
    let message = include_bytes!("data/sha-mbles-1.bin");
    let id = sandbox.store("blob", message);
    assert!(
        sandbox.open().blob_digest(&id.parse().unwrap()).is_ok(),
        "behind git's header the state differs"
    );
}

#[test]
fn hostile_trees_are_refused_wherever_a_difference_meets_them() {
    let sandbox = Sandbox::new();
    sandbox.write("ok", "x");
    sandbox.commit("one");
    let base = sandbox.tree("HEAD");
    let blob = sandbox.git(&["rev-parse", "HEAD:ok"]);
    let raw: Vec<u8> = (0..40)
        .step_by(2)
        .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).unwrap())
        .collect();
    let entry = |mode: &str, name: &str| [format!("{mode} {name}\0").into_bytes(), raw.clone()].concat();
    for (content, expected) in [
        (entry("100664", "a"), "git.tree_mode"),
        (entry("100644", ".git"), "git.tree_name"),
        (entry("100644", "a/b"), "git.tree_name"),
        (
            [entry("100644", "a"), entry("100644", "a")].concat(),
            "git.tree_duplicate_name",
        ),
        (
            [entry("100644", "b"), entry("100644", "a")].concat(),
            "git.tree_order",
        ),
        (entry("100644", "a")[..12].to_vec(), "git.tree_truncated"),
    ] {
        let inner = sandbox.store("tree", &content);
        let raw: Vec<u8> = (0..40)
            .step_by(2)
            .map(|at| u8::from_str_radix(&inner[at..at + 2], 16).unwrap())
            .collect();
        let outer = sandbox.store("tree", &[b"40000 dir\0".to_vec(), raw].concat());
        for result in [inner, outer] {
            let error = sandbox
                .open()
                .changed_paths(&base, &result.parse().unwrap())
                .unwrap_err();
            assert_eq!(error.code(), expected, "{}", content.escape_ascii());
        }
    }
}

#[test]
fn a_tree_that_holds_itself_many_times_over_ends() {
    let sandbox = Sandbox::new();
    sandbox.commit("one");
    let raw = |id: &str| -> Vec<u8> {
        (0..40)
            .step_by(2)
            .map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap())
            .collect()
    };
    let mut id = sandbox.store("blob", b"bomb");
    let mut mode = "100644";
    for _ in 0..10 {
        let entries = (b'a'..=b'j')
            .flat_map(|name| [format!("{mode} {}\0", name as char).into_bytes(), raw(&id)].concat());
        let content: Vec<u8> = entries.collect();
        id = sandbox.store("tree", &content);
        mode = "40000";
    }
    let empty: GitTreeId = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().unwrap();
    let error = sandbox
        .open()
        .changed_paths(&empty, &id.parse().unwrap())
        .unwrap_err();
    assert_eq!(error.code(), "git.too_many_paths");
}

#[test]
fn reads_sha256_repositories_packs_and_work_trees() {
    let sandbox = Sandbox::with(&["--object-format=sha256"]);
    sandbox.write("a", "1");
    let base = sandbox.commit("one");
    sandbox.write("a", "2");
    let head = sandbox.commit("two");
    let linked = tempfile::tempdir().unwrap();
    let path = linked.path().join("linked");
    sandbox.git(&["worktree", "add", "--quiet", "--detach", path.to_str().unwrap()]);
    for packed in [false, true] {
        if packed {
            sandbox.git(&["repack", "-adq"]);
            sandbox.git(&["pack-refs", "--all"]);
        }
        for folder in [sandbox.path(), &path, &sandbox.path().join(".git")] {
            let repository = Repository::discover(folder).unwrap();
            assert_eq!(repository.resolve("refs/heads/main").unwrap(), head);
            assert_eq!(repository.resolve("HEAD").unwrap(), head);
            assert_eq!(
                repository.linear_range(&base, &head, 1).unwrap(),
                std::slice::from_ref(&head)
            );
            let content =
                common::git_command(Path::new(sandbox.path()), &["cat-file", "commit", head.as_str()]);
            let content = { content }.output().unwrap().stdout;
            let commit = repository.commit(&head).unwrap();
            assert_eq!(commit.content_sha256, Sha256Digest::of(&content));
            assert_eq!(
                repository.tree_digest(&commit.tree).unwrap(),
                Sha256Digest::of(&sandbox.git_bytes(&["cat-file", "tree", "HEAD^{tree}"]))
            );
        }
    }
}
