//! Which repositories are read at all, and what they are called by.
#![allow(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod common;

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use common::{Sandbox, git_in};
use touchmark_git::{GitError, OpenOptions, Repository};
use touchmark_verify::git_view::GitView as _;

fn code(path: &Path) -> &'static str {
    Repository::discover(path).map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn finds_the_nearest_repository_above() {
    let sandbox = Sandbox::new();
    sandbox.write("a/b/c", "x");
    let head = sandbox.commit("one");
    let found = Repository::discover(&sandbox.path().join("a/b")).unwrap();
    assert_eq!(
        found.work_tree(),
        Some(sandbox.path().canonicalize().unwrap().as_path())
    );
    assert_eq!(found.head().unwrap().commit, Some(head));
    assert_eq!(
        Repository::open(&sandbox.path().join("a")).unwrap_err().code(),
        "git.not_a_repository"
    );
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(code(nothing.path()), "git.not_a_repository");
}

#[test]
fn case_164_the_environment_has_no_say() {
    let (ours, theirs) = (Sandbox::new(), Sandbox::new());
    ours.write("a", "ours");
    theirs.write("a", "theirs");
    let head = ours.commit("ours");
    theirs.commit("theirs");
    ours.write("new", "uncommitted");
    // Variables are process-wide, so the check runs in a process of its own.
    let script = std::env::current_exe().unwrap();
    let output = std::process::Command::new(script)
        .args(["--exact", "child_of_case_164", "--ignored", "--nocapture"])
        .env("CASE_164", ours.path())
        .env("GIT_DIR", theirs.path().join(".git"))
        .env("GIT_WORK_TREE", theirs.path())
        .env("GIT_INDEX_FILE", theirs.path().join(".git/index"))
        .env("GIT_OBJECT_DIRECTORY", theirs.path().join(".git/objects"))
        .env(
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            theirs.path().join(".git/objects"),
        )
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.fsmonitor")
        .env(
            "GIT_CONFIG_VALUE_0",
            format!("touch {}/ran", ours.path().display()),
        )
        .env("GIT_CONFIG_PARAMETERS", "'core.bare'='true'")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains(&format!("head {head} ")), "{text}");
    assert!(text.contains("rows [\"A new\"]"), "{text}");
    assert!(!ours.path().join("ran").exists());
}

#[test]
#[ignore = "run by case_164 in a process of its own"]
#[allow(clippy::disallowed_methods, reason = "the test is about the environment")]
fn child_of_case_164() {
    let path = std::env::var_os("CASE_164").unwrap();
    let options = OpenOptions {
        git: Some(common::git_program()),
        ..OpenOptions::default()
    };
    let repository = Repository::discover_with(Path::new(&path), options).unwrap();
    let snapshot = repository.snapshot_work_tree().unwrap();
    println!("head {} ", repository.head().unwrap().commit.unwrap());
    println!(
        "rows {:?}",
        common::rows(&repository, &snapshot.head_tree.unwrap(), &snapshot.tree)
    );
}

#[test]
fn case_165_a_bare_repository_inside_a_work_tree() {
    let outer = Sandbox::new();
    git_in(outer.path(), &["init", "--quiet", "--bare", "fixtures/evil.git"]);
    let embedded = outer.path().join("fixtures/evil.git");
    assert_eq!(code(&embedded), "git.embedded_bare");
    assert_eq!(code(&embedded.join("hooks")), "git.embedded_bare");
    assert_eq!(
        Repository::open(&embedded).unwrap_err().code(),
        "git.embedded_bare"
    );
    assert_eq!(code(outer.path()), "ok");
    let alone = tempfile::tempdir().unwrap();
    git_in(alone.path(), &["init", "--quiet", "--bare", "good.git"]);
    assert_eq!(code(&alone.path().join("good.git")), "ok");
}

#[test]
fn case_165_a_git_file_that_points_elsewhere() {
    let (victim, elsewhere) = (tempfile::tempdir().unwrap(), Sandbox::new());
    elsewhere.commit("one");
    let target = elsewhere.path().join(".git");
    let file = victim.path().join(".git");
    std::fs::write(&file, format!("gitdir: {}\n", target.display())).unwrap();
    assert_eq!(code(victim.path()), "git.gitfile_elsewhere");
    std::fs::write(&file, "gitdir: /nowhere/at/all\n").unwrap();
    assert_eq!(code(victim.path()), "git.gitfile_elsewhere");
    std::fs::write(&file, "something else\n").unwrap();
    assert_eq!(code(victim.path()), "git.malformed_file");
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&target, &file).unwrap();
    assert_eq!(code(victim.path()), "git.gitfile_elsewhere");
}

#[test]
fn work_trees_and_submodules_point_back() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "x");
    let head = sandbox.commit("one");
    let other = tempfile::tempdir().unwrap();
    let linked = other.path().join("linked");
    sandbox.git(&[
        "worktree",
        "add",
        "--quiet",
        "-b",
        "side",
        linked.to_str().unwrap(),
    ]);
    let repository = Repository::discover(&linked).unwrap();
    assert_eq!(
        repository.head().unwrap().ref_name.as_deref(),
        Some("refs/heads/side")
    );
    assert_eq!(repository.resolve("refs/heads/main").unwrap(), head);
    let source = sandbox.path().to_str().unwrap();
    let outer = Sandbox::new();
    outer.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        source,
        "sub",
    ]);
    let sub = Repository::discover(&outer.path().join("sub")).unwrap();
    assert_eq!(sub.head().unwrap().commit, Some(head));
}

#[test]
fn case_165_a_repository_of_another_user() {
    let sandbox = Sandbox::new();
    sandbox.commit("one");
    let own = std::fs::metadata(sandbox.path()).unwrap().uid();
    if own != 0 {
        println!("skipped: only root can give files away");
        return;
    }
    for part in ["", ".git", ".git/objects", ".git/config"] {
        let path = sandbox.path().join(part);
        chown(&path, Some(12345), None).unwrap();
        let error = Repository::discover(sandbox.path()).unwrap_err();
        assert!(
            matches!(
                error,
                GitError::ForeignOwner {
                    owner: 12345,
                    expected: 0,
                    ..
                }
            ),
            "{part}: {error}"
        );
        assert_eq!(error.code(), "git.foreign_owner");
        let options = OpenOptions {
            trusted_owners: vec![12345],
            ..OpenOptions::default()
        };
        assert!(Repository::discover_with(sandbox.path(), options).is_ok());
        chown(&path, Some(0), None).unwrap();
    }
    assert_eq!(code(sandbox.path()), "ok");
}

#[test]
fn formats_that_are_not_known_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.commit("one");
    for (version, extension, expected) in [
        ("0", "", "ok"),
        ("1", "", "ok"),
        ("2", "", "git.unsupported_format"),
        ("1", "objectFormat = sha512", "git.unsupported_format"),
        ("0", "objectFormat = sha256", "git.unsupported_format"),
        ("1", "refStorage = other", "git.unsupported_format"),
        ("1", "unheardOf = true", "git.unsupported_format"),
        ("0", "unheardOf = true", "ok"),
    ] {
        let config = format!("[core]\n\trepositoryformatversion = {version}\n[extensions]\n\t{extension}\n");
        sandbox.write(".git/config", &config);
        assert_eq!(code(sandbox.path()), expected, "{config}");
    }
    sandbox.write(".git/config", "[core\n");
    assert_eq!(code(sandbox.path()), "git.malformed_file");
}

#[test]
fn a_reftable_repository_needs_the_git_program() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["init", "--quiet", "--ref-format=reftable"];
    if !common::git_command(folder.path(), &args)
        .output()
        .unwrap()
        .status
        .success()
    {
        println!("skipped: this git does not know reftable");
        return;
    }
    git_in(
        folder.path(),
        &["commit", "--quiet", "--allow-empty", "-m", "one"],
    );
    let id = git_in(folder.path(), &["rev-parse", "HEAD"]);
    assert_eq!(code(folder.path()), "git.program_missing");
    let options = OpenOptions {
        git: Some(common::git_program()),
        ..OpenOptions::default()
    };
    let with = Repository::open_with(folder.path(), options).unwrap();
    assert_eq!(with.resolve("HEAD").unwrap().as_str(), id);
    assert!(with.commit(&with.head().unwrap().commit.unwrap()).is_ok());
}

#[test]
fn a_named_pipe_in_the_place_of_a_file_does_not_hang() {
    let sandbox = Sandbox::new();
    sandbox.commit("one");
    let config = sandbox.path().join(".git/config");
    std::fs::remove_file(&config).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&config).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no mkfifo");
        return;
    }
    assert_eq!(code(sandbox.path()), "git.io");
}

#[test]
fn remotes_are_written_without_secrets() {
    let sandbox = Sandbox::new();
    sandbox.git(&[
        "remote",
        "add",
        "origin",
        "https://user:secret@example.com/acme/app.git?token=x",
    ]);
    let repository = sandbox.open();
    assert_eq!(
        repository.remote_uri("origin").as_deref(),
        Some("https://example.com/acme/app")
    );
    assert_eq!(repository.remote_uri("other"), None);
}
