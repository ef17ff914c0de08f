//! The tree of uncommitted work: right, and made without running anything.
#![allow(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{Sandbox, git_in, rows};

/// Everything in a folder with its content, apart from objects.
fn state(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".git/objects") {
                continue;
            }
            if path.is_dir() && !path.is_symlink() {
                waiting.push(path);
            } else {
                found.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
            }
        }
    }
    found
}

#[test]
fn takes_in_what_a_commit_of_everything_would() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "ignored/\n*.log\n");
    for name in [
        "kept",
        "changed",
        "removed",
        "becomes-folder",
        "tool",
        "dir/deep/file",
    ] {
        sandbox.write(name, name);
    }
    sandbox.commit("one");
    let clean = sandbox.open();
    let snapshot = clean.snapshot_work_tree().unwrap();
    assert_eq!(snapshot.tree, sandbox.tree("HEAD"));
    assert!(!snapshot.is_dirty() && !clean.is_dirty().unwrap());

    sandbox.write("changed", "new content");
    std::fs::remove_file(sandbox.path().join("removed")).unwrap();
    std::fs::remove_file(sandbox.path().join("becomes-folder")).unwrap();
    sandbox.write("becomes-folder/inner", "x");
    sandbox.write("new -file\nwith a line feed", "x");
    sandbox.write("ignored/file", "x");
    sandbox.write("a.log", "x");
    sandbox.write("staged", "x");
    sandbox.git(&["add", "staged"]);
    std::fs::set_permissions(
        sandbox.path().join("tool"),
        std::fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    std::os::unix::fs::symlink("kept", sandbox.path().join("link")).unwrap();
    let before = state(sandbox.path());
    let repository = sandbox.open();
    let snapshot = repository.snapshot_work_tree().unwrap();
    assert!(snapshot.is_dirty() && repository.is_dirty().unwrap());
    assert!(state(sandbox.path()) == before, "nothing but objects was written");
    assert_eq!(
        rows(&repository, &snapshot.head_tree.clone().unwrap(), &snapshot.tree),
        [
            "D becomes-folder",
            "A becomes-folder/inner",
            "M changed",
            "A link",
            "A new -file\\nwith a line feed",
            "D removed",
            "A staged",
            "M tool"
        ]
    );
    sandbox.commit("two");
    assert_eq!(snapshot.tree, sandbox.tree("HEAD"));
}

#[test]
fn folders_become_files_and_merges_may_be_under_way() {
    let sandbox = Sandbox::new();
    sandbox.write("folder/a", "a");
    sandbox.write("folder/deeper/b", "b");
    sandbox.write("alone/c", "c");
    sandbox.write("a-file", "line\n");
    sandbox.write("a.txt", "x");
    let base = sandbox.commit("one");
    std::fs::remove_dir_all(sandbox.path().join("folder")).unwrap();
    std::fs::remove_dir_all(sandbox.path().join("alone")).unwrap();
    sandbox.write("folder", "now a file");
    sandbox.write("a/1", "between a-file and a.txt in one order, not in the other");
    let repository = sandbox.open();
    let snapshot = repository.snapshot_work_tree().unwrap();
    let second = sandbox.commit("two");
    assert_eq!(snapshot.tree, sandbox.tree("HEAD"));
    assert_eq!(
        sandbox.open().snapshot_work_tree().unwrap().tree,
        sandbox.tree("HEAD")
    );

    sandbox.git(&["checkout", "--quiet", "-b", "side", base.as_str()]);
    sandbox.write("a-file", "theirs\n");
    sandbox.commit("three");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.write("a-file", "ours\n");
    sandbox.commit("four");
    let merged = common::git_command(sandbox.path(), &["merge", "--quiet", "side"])
        .output()
        .unwrap();
    assert!(!merged.status.success(), "a conflict");
    let snapshot = sandbox.open().snapshot_work_tree().unwrap();
    assert!(sandbox.open().is_dirty().unwrap());
    let found = sandbox.open().read_path_for_test(&snapshot.tree, "a-file");
    assert!(found.starts_with(b"<<<<<<<"));
    assert_ne!(second, base);

    sandbox.git(&["rm", "--quiet", "-rf", "."]);
    let snapshot = sandbox.open().snapshot_work_tree().unwrap();
    assert_eq!(snapshot.tree.as_str(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
}

#[test]
fn line_endings_follow_gits_own_rules() {
    let sandbox = Sandbox::new();
    sandbox.write("crlf", "one\r\n");
    sandbox.commit("one");
    sandbox.write(".gitattributes", "* text=auto\n");
    sandbox.commit("two");
    // Git leaves a file alone that has these line ends in the index, and turns those of a new one.
    sandbox.write("crlf", "one\r\ntwo\r\n");
    sandbox.write("new", "one\r\n");
    let snapshot = sandbox.open().snapshot_work_tree().unwrap();
    sandbox.commit("three");
    assert_eq!(snapshot.tree, sandbox.tree("HEAD"));
    assert_eq!(sandbox.open().read_path_for_test(&snapshot.tree, "new"), b"one\n");
}

#[test]
fn a_file_with_other_times_and_the_same_content_is_not_dirty() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "same\n");
    sandbox.commit("one");
    let earlier = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let file = std::fs::File::options()
        .write(true)
        .open(sandbox.path().join("file"))
        .unwrap();
    file.set_modified(earlier).unwrap();
    assert!(!sandbox.open().is_dirty().unwrap());
    sandbox.write("file", "else\n");
    assert!(sandbox.open().is_dirty().unwrap());
}

/// The number of objects that a repository holds.
fn objects(folder: &Path) -> String {
    git_in(folder, &["count-objects", "-v"])
}

#[test]
fn looking_for_changes_writes_no_content() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n");
    sandbox.commit("one");
    let before = objects(sandbox.path());
    sandbox.write("private.env", "TOKEN=never staged\n");
    assert!(sandbox.open().is_dirty().unwrap());
    assert_eq!(objects(sandbox.path()), before, "a new file");
    std::fs::remove_file(sandbox.path().join("private.env")).unwrap();
    sandbox.write("file", "TOKEN=never staged either\n");
    assert!(sandbox.open().is_dirty().unwrap());
    std::fs::remove_file(sandbox.path().join("file")).unwrap();
    assert!(sandbox.open().is_dirty().unwrap());
    assert_eq!(objects(sandbox.path()), before, "a changed file");
    sandbox.git(&["checkout", "--quiet", "--", "file"]);
    assert!(!sandbox.open().is_dirty().unwrap());
}

#[test]
fn knows_empty_repositories_split_indexes_and_work_trees() {
    let sandbox = Sandbox::new();
    let snapshot = sandbox.open().snapshot_work_tree().unwrap();
    assert_eq!(snapshot.tree.as_str(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    assert_eq!((snapshot.head, snapshot.head_tree), (None, None));
    sandbox.write("a", "1");
    assert!(sandbox.open().is_dirty().unwrap());
    sandbox.commit("one");
    sandbox.git(&["update-index", "--split-index"]);
    sandbox.write("b", "2");
    let repository = sandbox.open();
    let snapshot = repository.snapshot_work_tree().unwrap();
    assert_eq!(rows(&repository, &sandbox.tree("HEAD"), &snapshot.tree), ["A b"]);
    let other = tempfile::tempdir().unwrap();
    let linked = other.path().join("linked");
    sandbox.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    std::fs::write(linked.join("c"), "3").unwrap();
    let linked = touchmark_git::Repository::open(&linked)
        .unwrap()
        .with_git(common::git_program());
    let snapshot = linked.snapshot_work_tree().unwrap();
    assert_eq!(rows(&linked, &sandbox.tree("HEAD"), &snapshot.tree), ["A c"]);
    let bare = tempfile::tempdir().unwrap();
    git_in(bare.path(), &["init", "--quiet", "--bare", "x.git"]);
    let bare = touchmark_git::Repository::open(&bare.path().join("x.git"))
        .unwrap()
        .with_git(common::git_program());
    assert_eq!(bare.snapshot_work_tree().unwrap_err().code(), "git.no_work_tree");
    assert_eq!(
        touchmark_git::Repository::open(sandbox.path())
            .unwrap()
            .snapshot_work_tree()
            .unwrap_err()
            .code(),
        "git.program_missing"
    );
}

/// Configures everything that is known to run programs, each leaving a mark, in a repository and its submodule.
fn booby_trap(folder: &Path, mark: &Path) {
    let script = mark.join("trap.sh");
    std::fs::write(
        &script,
        format!("#!/bin/sh\necho \"$0 $*\" >> {}/ran\ncat\n", mark.display()),
    )
    .unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let trap = script.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.askPass",
        "core.pager",
        "core.editor",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "credential.helper",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "merge.evil.driver",
        "gpg.program",
        "uploadpack.packObjectsHook",
        "remote.origin.uploadpack",
        "remote.origin.receivepack",
        "sequence.editor",
        "alias.ls-files",
        "alias.update-index",
        "alias.push",
    ] {
        git_in(folder, &["config", key, trap]);
    }
    git_in(folder, &["config", "filter.evil.required", "true"]);
    git_in(folder, &["config", "push.gpgSign", "if-asked"]);
    git_in(
        folder,
        &["config", "include.path", mark.join("included").to_str().unwrap()],
    );
    std::fs::write(mark.join("included"), format!("[core]\n\tfsmonitor = {trap}\n")).unwrap();
    let git_dir = git_in(folder, &["rev-parse", "--absolute-git-dir"]);
    let hooks = Path::new(&git_dir).join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "pre-push",
        "post-index-change",
        "reference-transaction",
        "fsmonitor-watchman",
        "pre-auto-gc",
    ] {
        std::fs::copy(&script, hooks.join(hook)).unwrap();
    }
    git_in(folder, &["config", "core.hooksPath", hooks.to_str().unwrap()]);
}

#[test]
fn nothing_that_a_repository_configures_is_executed() {
    let mark = tempfile::tempdir().unwrap();
    let (sandbox, inner) = (Sandbox::new(), Sandbox::new());
    inner.write("in-sub", "x");
    inner.commit("inner");
    sandbox.write("a.txt", "one");
    let source = inner.path().to_str().unwrap();
    sandbox.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        source,
        "sub",
    ]);
    let head = sandbox.commit("one");
    let remote = tempfile::tempdir().unwrap();
    git_in(remote.path(), &["init", "--quiet", "--bare", "r.git"]);
    let remote = remote.path().join("r.git");
    sandbox.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    let git_dir = sandbox.path().join(".git");
    booby_trap(sandbox.path(), mark.path());
    booby_trap(&sandbox.path().join("sub"), mark.path());
    std::fs::write(
        git_dir.join("info/attributes"),
        "* filter=evil diff=evil merge=evil\n",
    )
    .unwrap();
    sandbox.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    sandbox.write("a.txt", "two");
    sandbox.write("new.txt", "three");
    sandbox.write("sub/in-sub", "changed inside");
    let _ = std::fs::remove_file(mark.path().join("ran"));

    let repository = sandbox.open();
    let snapshot = repository.snapshot_work_tree().unwrap();
    assert!(repository.is_dirty().unwrap());
    assert_eq!(
        rows(&repository, &snapshot.head_tree.unwrap(), &snapshot.tree),
        ["A .gitattributes", "M a.txt", "A new.txt"]
    );
    let read = repository.read_path_for_test(&snapshot.tree, "new.txt");
    assert_eq!(read, b"three");
    let item = common::evidence(&head, b"evidence");
    repository
        .write_evidence(std::slice::from_ref(&item), true)
        .unwrap();
    repository
        .push_evidence("origin", std::slice::from_ref(&item.key))
        .unwrap();
    assert_eq!(
        repository
            .fetch_evidence("origin", std::slice::from_ref(&item.key))
            .unwrap(),
        1
    );
    assert_eq!(repository.list_evidence().unwrap().len(), 1);
    repository.upstream_base(10).unwrap();
    let ran = std::fs::read_to_string(mark.path().join("ran")).unwrap_or_default();
    assert_eq!(ran, "");

    // The traps do work: git itself falls into them.
    let _ = common::git_command(sandbox.path(), &["status"]).output();
    assert!(mark.path().join("ran").exists(), "the traps are set");
}

trait ReadForTest {
    fn read_path_for_test(&self, tree: &touchmark_statement::git_id::GitTreeId, path: &str) -> Vec<u8>;
}

impl ReadForTest for touchmark_git::Repository {
    fn read_path_for_test(&self, tree: &touchmark_statement::git_id::GitTreeId, path: &str) -> Vec<u8> {
        use touchmark_verify::git_view::GitView as _;
        self.read_path(tree, &path.parse().unwrap(), 1000)
            .unwrap()
            .unwrap()
    }
}

#[test]
fn a_remote_inside_the_repository_is_refused() {
    let sandbox = Sandbox::new();
    let head = sandbox.commit("one");
    git_in(sandbox.path(), &["init", "--quiet", "--bare", "evil.git"]);
    sandbox.git(&["remote", "add", "origin", "./evil.git"]);
    let repository = sandbox.open();
    let item = common::evidence(&head, b"evidence");
    repository
        .write_evidence(std::slice::from_ref(&item), true)
        .unwrap();
    let outside = format!("file://{}/evil.git", sandbox.path().display());
    for remote in [
        "origin",
        "evil.git",
        "ext::sh -c true",
        "-oProxyCommand=x",
        &outside,
        "git://host/x",
    ] {
        let error = repository
            .push_evidence(remote, std::slice::from_ref(&item.key))
            .unwrap_err();
        assert_eq!(error.code(), "git.remote", "{remote}");
    }
    let gone = tempfile::tempdir().unwrap();
    let error = repository
        .push_evidence(gone.path().to_str().unwrap(), &[item.key])
        .unwrap_err();
    assert_eq!(error.code(), "git.remote_unavailable");
}
