//! Repositories for tests, built by the real git program in temporary folders.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use touchmark_git::{EvidenceItem, EvidenceKey, EvidenceName, GitProgram, OpenOptions, Repository};
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_verify::git_view::GitView as _;

/// A work tree with its repository.
pub(crate) struct Sandbox {
    pub(crate) folder: TempDir,
}

/// The git program as the library uses it.
#[allow(
    clippy::disallowed_methods,
    reason = "tests look for git where the shell does"
)]
pub(crate) fn git_program() -> GitProgram {
    GitProgram::find(&std::env::var_os("PATH").expect("PATH is set")).expect("git is installed")
}

/// Runs git in a folder, without any configuration of the user.
pub(crate) fn git_in(folder: &Path, args: &[&str]) -> String {
    let output = git_command(folder, args).output().expect("git runs");
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .expect("git writes UTF-8 here")
        .trim_end()
        .to_owned()
}

pub(crate) fn git_command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(git_program().path());
    command
        .current_dir(folder)
        .args(["-c", "commit.gpgsign=false", "-c", "gc.auto=0"])
        .args(args);
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "A U Thor")
        .env("GIT_AUTHOR_EMAIL", "author@example.com")
        .env("GIT_AUTHOR_DATE", "1700000000 +0000")
        .env("GIT_COMMITTER_NAME", "C O Mitter")
        .env("GIT_COMMITTER_EMAIL", "committer@example.com")
        .env("GIT_COMMITTER_DATE", "1700000000 +0000");
    command
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self::with(&["--object-format=sha1"])
    }

    pub(crate) fn with(init: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut args = vec!["init", "--quiet", "--initial-branch=main"];
        args.extend(init);
        git_in(folder.path(), &args);
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git_in(self.path(), args)
    }

    pub(crate) fn write(&self, path: &str, content: &str) -> PathBuf {
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a file is in a folder")).expect("folders");
        std::fs::write(&file, content).expect("a file");
        file
    }

    /// Commits everything and returns the commit.
    pub(crate) fn commit(&self, message: &str) -> GitCommitId {
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.id("HEAD")
    }

    pub(crate) fn id(&self, revision: &str) -> GitCommitId {
        self.git(&["rev-parse", "--verify", revision])
            .parse()
            .expect("an id")
    }

    pub(crate) fn tree(&self, revision: &str) -> GitTreeId {
        self.git(&["rev-parse", "--verify", &format!("{revision}^{{tree}}")])
            .parse()
            .expect("an id")
    }

    /// Opens it with the library.
    pub(crate) fn open(&self) -> Repository {
        let options = OpenOptions {
            git: Some(git_program()),
            ..OpenOptions::default()
        };
        Repository::open_with(self.path(), options).expect("a good repository")
    }

    /// Stores an object without git's checks and returns its id.
    pub(crate) fn store(&self, kind: &str, content: &[u8]) -> String {
        let args = ["hash-object", "-w", "--literally", "--stdin", "-t", kind];
        let mut command = git_command(self.path(), &args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("git runs");
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(content)
            .expect("git reads");
        let output = child.wait_with_output().expect("git ends");
        String::from_utf8(output.stdout)
            .expect("an id")
            .trim_end()
            .to_owned()
    }

    /// Replaces the stored bytes of one object by those of another, as somebody with write access to the folder could.
    pub(crate) fn swap(&self, victim: &str, other: &str) {
        let file = self.object_file(victim);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("permissions");
        std::fs::copy(self.object_file(other), &file).expect("a copy");
    }

    pub(crate) fn git_bytes(&self, args: &[&str]) -> Vec<u8> {
        git_command(self.path(), args).output().expect("git runs").stdout
    }

    pub(crate) fn object_file(&self, id: &str) -> PathBuf {
        self.path().join(".git/objects").join(&id[..2]).join(&id[2..])
    }
}

/// Writes paths of a difference as `A path`, `D path` or `M path`.
pub(crate) fn rows(repository: &Repository, base: &GitTreeId, result: &GitTreeId) -> Vec<String> {
    let changes = repository.changed_paths(base, result).expect("a difference");
    let letter = |change: &touchmark_verify::git_view::PathChange| match (&change.from, &change.to) {
        (None, Some(_)) => 'A',
        (Some(_), None) => 'D',
        _ => 'M',
    };
    changes
        .iter()
        .map(|change| format!("{} {}", letter(change), change.path))
        .collect()
}

/// Makes an item of evidence about a commit; its name follows from its bytes.
pub(crate) fn evidence(commit: &GitCommitId, bytes: &[u8]) -> EvidenceItem {
    EvidenceItem {
        key: EvidenceKey::Commit(commit.clone()),
        name: evidence_name(bytes),
        bytes: bytes.to_vec(),
        attests: None,
    }
}

pub(crate) fn evidence_name(bytes: &[u8]) -> EvidenceName {
    let digest = touchmark_statement::digest::Sha256Digest::of(bytes);
    format!("{digest}-{}.sigstore.json", "5".repeat(64))
        .parse()
        .expect("a good name")
}
