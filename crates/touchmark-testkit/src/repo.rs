//! Repositories made by the real `git`, with fixed people and dates, so that every id is the same in every run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use touchmark_git::{GitProgram, OpenOptions, Repository};
use touchmark_statement::git_id::{GitCommitId, GitTreeId};

/// Where `git` is looked for.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// The time of the first commit; each later one is a minute later.
const FIRST_COMMIT: i64 = 1_772_352_000;

/// A repository in a folder of its own.
#[derive(Debug)]
pub struct Repo {
    path: PathBuf,
    commits: i64,
}

impl Repo {
    /// Makes an empty repository on the branch `main`, with `origin` at this address.
    pub fn init(path: &Path, origin: &str) -> Self {
        std::fs::create_dir_all(path).expect("the folder can be made");
        let repo = Self {
            path: path.to_owned(),
            commits: 0,
        };
        repo.git(&["init", "--quiet", "--initial-branch=main", "."]);
        repo.git(&["config", "gc.auto", "0"]);
        repo.git(&["remote", "add", "origin", origin]);
        repo
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of the work tree, making its folders.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        std::fs::write(path, content).expect("the file can be written");
    }

    /// Commits everything in the work tree as `name <name@example.test>`.
    pub fn commit(&mut self, name: &str, message: &str) -> GitCommitId {
        self.git(&["add", "--all"]);
        self.run(
            name,
            &["commit", "--quiet", "--allow-empty", "--message", message],
            b"",
        );
        self.commits += 1;
        self.head()
    }

    /// Replaces the last commit by one of everything in the work tree.
    pub fn amend(&mut self, name: &str) -> GitCommitId {
        self.git(&["add", "--all"]);
        self.run(
            name,
            &["commit", "--quiet", "--amend", "--no-edit", "--reset-author"],
            b"",
        );
        self.head()
    }

    /// Makes a branch at a revision and checks it out.
    pub fn branch(&self, name: &str, at: &str) {
        self.git(&["checkout", "--quiet", "-B", name, at]);
    }

    /// Returns the commit that is checked out.
    pub fn head(&self) -> GitCommitId {
        self.resolve("HEAD")
    }

    /// Returns the commit of a revision.
    pub fn resolve(&self, revision: &str) -> GitCommitId {
        let id = self.git(&[
            "rev-parse",
            "--verify",
            "--quiet",
            &format!("{revision}^{{commit}}"),
        ]);
        id.parse().expect("git prints a commit id")
    }

    /// Returns the tree of a commit.
    pub fn tree(&self, commit: &GitCommitId) -> GitTreeId {
        self.git(&["rev-parse", "--verify", &format!("{commit}^{{tree}}")])
            .parse()
            .expect("git prints a tree id")
    }

    /// Opens the repository with the reader under test.
    pub fn open(&self) -> Repository {
        let git = GitProgram::find(SEARCH_PATH.as_ref()).expect("git is installed");
        let options = OpenOptions {
            git: Some(git),
            ..OpenOptions::default()
        };
        Repository::open_with(&self.path, options).expect("the repository can be opened")
    }

    /// Runs git and returns what it printed, without the last line feed.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.run("Ada", arguments, b"")
    }

    /// Overwrites the stored bytes of one object by those of another: their ids no longer fit.
    pub fn swap_object(&self, id: &str, with: &str) {
        let file = |id: &str| self.path.join(".git/objects").join(&id[..2]).join(&id[2..]);
        let bytes = std::fs::read(file(with)).expect("the object is a loose file");
        std::fs::remove_file(file(id)).expect("the object is a loose file");
        std::fs::write(file(id), bytes).expect("the object can be written");
    }

    fn run(&self, name: &str, arguments: &[&str], input: &[u8]) -> String {
        let date = format!("{} +0000", FIRST_COMMIT + 60 * self.commits);
        let email = format!("{}@example.test", name.to_ascii_lowercase().replace(' ', "."));
        let mut child = Command::new("git")
            .args([
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "commit.gpgSign=false",
                "-c",
                "core.autocrlf=false",
            ])
            .args(arguments)
            .current_dir(&self.path)
            .env_clear()
            .env("PATH", SEARCH_PATH)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs([("GIT_AUTHOR_NAME", name), ("GIT_COMMITTER_NAME", name)])
            .envs([("GIT_AUTHOR_EMAIL", &email), ("GIT_COMMITTER_EMAIL", &email)])
            .envs([("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git is installed");
        child
            .stdin
            .take()
            .expect("stdin is a pipe")
            .write_all(input)
            .expect("git reads its input");
        let output = child.wait_with_output().expect("git ends");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .expect("git prints text")
            .trim_end_matches('\n')
            .to_owned()
    }
}
