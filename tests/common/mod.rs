//! A sandbox for tests that go through the binary: its own home, its own repository, a cleared environment.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

pub mod agent;
pub mod schema;
mod session;
pub mod world;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub use session::{SESSION_ID, Session};
pub use world::World;

/// The time that tests give with `--at`.
pub const AT: &str = "2026-03-01T12:00:00Z";

/// What one invocation said and returned.
#[derive(Debug)]
pub struct Outcome {
    /// The exit status, absent after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Takes over what a process left.
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Fails the test unless the command succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(
            self.code,
            Some(0),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails the test unless the command ended with this status, this reason code and, for every refusal, a hint or a
    /// message of its own; nothing may stand on standard output.
    #[track_caller]
    pub fn refused(self, status: i32, code: &str) -> Self {
        assert_eq!(
            self.code,
            Some(status),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        assert!(
            self.stderr.contains(&format!("error[{code}]: ")),
            "expected {code}, got: {}",
            self.stderr
        );
        assert_eq!(self.stdout, "", "a refusal printed data");
        self
    }

    /// Parses standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }
}

/// One user on one machine with one repository.
pub struct Sandbox {
    root: tempfile::TempDir,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// A sandbox with an empty repository on branch `main` and no commit.
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let this = Self { root };
        for folder in ["home", "repo"] {
            fs::create_dir(this.path(folder)).expect("a folder");
        }
        this.git(["init", "--quiet", "--initial-branch=main", "."]);
        this
    }

    /// A sandbox with one commit on `main`, and on branch `agent/fix` a second one that a recorded session made.
    pub fn with_change() -> Self {
        let this = Self::new();
        this.write("src/lib.rs", "pub fn two() -> u32 { 1 }\n");
        this.write("README.md", "# Example\n");
        this.commit("first");
        this.git(["switch", "--quiet", "--create", "agent/fix"]);
        this.write("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
        this.commit("fix two");
        this.session()
            .prompt("make two() return 2")
            .writes("src/lib.rs")
            .bash("cargo test")
            .store(&this);
        this
    }

    /// A path inside the sandbox.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(path)
    }

    /// The repository's work tree.
    pub fn repo(&self) -> PathBuf {
        self.path("repo")
    }

    /// Writes a file of the work tree.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.repo().join(path);
        fs::create_dir_all(file.parent().expect("a parent")).expect("folders");
        fs::write(file, content).expect("a file");
    }

    /// Commits everything and returns the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(["rev-parse", "HEAD"])
    }

    /// Runs git in the work tree with fixed names and times, and returns what it printed.
    #[track_caller]
    pub fn git<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> String {
        self.git_in(&self.repo(), arguments)
    }

    /// Runs git in another folder.
    #[track_caller]
    pub fn git_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, folder: &Path, arguments: I) -> String {
        let mut command = Command::new("git");
        command
            .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false"])
            .args(arguments);
        command
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/local/bin");
        command
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Test")
                .env(format!("GIT_{who}_EMAIL"), "test@example.invalid");
            command.env(format!("GIT_{who}_DATE"), "2026-03-01T11:30:00Z");
        }
        let output = command.output().expect("git runs");
        assert!(
            output.status.success(),
            "git: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .expect("git prints UTF-8")
            .trim_end()
            .to_owned()
    }

    /// A session of this sandbox's work tree, to be filled and stored.
    pub fn session(&self) -> Session {
        Session::new(&self.repo())
    }

    /// The binary, ready to run in the work tree with a cleared environment.
    pub fn command<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark"));
        command.args(arguments).current_dir(self.repo()).env_clear();
        command
            .env("HOME", self.path("home"))
            .env("TOUCHMARK_HOME", self.path("touchmark"));
        command
            .env("PATH", "/usr/bin:/bin:/usr/local/bin")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary.
    #[track_caller]
    pub fn touchmark<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Outcome {
        Outcome::of(self.command(arguments).output().expect("the binary runs"))
    }

    /// Runs `attest --format json` with more flags and returns its document.
    #[track_caller]
    pub fn attest(&self, flags: &[&str]) -> Value {
        let arguments = ["attest", "--format", "json"].iter().chain(flags);
        self.touchmark(arguments).ok().json()
    }

    /// Runs `attest --dry-run --format json` with more flags and returns the statement.
    #[track_caller]
    pub fn statement(&self, flags: &[&str]) -> Value {
        let arguments = ["attest", "--dry-run", "--format", "json"].iter().chain(flags);
        self.touchmark(arguments).ok().json()["statement"].clone()
    }

    /// Every regular file below a folder of the sandbox, with its bytes.
    pub fn files(&self, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![self.path(folder)];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => open.push(entry.path()),
                    Ok(kind) if kind.is_file() => {
                        found.push((entry.path(), fs::read(entry.path()).unwrap_or_default()))
                    }
                    _ => {}
                }
            }
        }
        found.sort();
        found
    }

    /// The names of the evidence refs.
    pub fn evidence_refs(&self) -> Vec<String> {
        let printed = self.git(["for-each-ref", "--format=%(refname)", "refs/touchmark/"]);
        printed.lines().map(str::to_owned).collect()
    }

    /// The evidence file names and bytes under one ref.
    pub fn evidence(&self, reference: &str) -> Vec<(String, Vec<u8>)> {
        let names = self.git(["ls-tree", "--name-only", reference]);
        names
            .lines()
            .map(|name| {
                (
                    name.to_owned(),
                    self.git(["cat-file", "blob", &format!("{reference}:{name}")])
                        .into_bytes(),
                )
            })
            .collect()
    }
}

/// Returns whether a file of the spool is an entry; locks and half-written files begin with a dot.
pub fn is_spool_entry(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".spool.json") && !name.starts_with('.')
}

/// Returns whether `needle` occurs in `haystack`.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
