//! The shadow git folder: a configuration that we wrote, and links to the refs and objects of a real repository.
//!
//! Because git reads `config` from the folder it is told to work on, no value of the real repository's configuration
//! (filters, drivers, helpers, hooks, redirections, included files) can reach a run.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use touchmark_statement::git_id::ObjectFormat;

use super::run::{Output, run};
use super::{Bounds, GitProgram, Haste};
use crate::error::GitError;
use crate::open::Layout;

/// Where a session's refs live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShadowRefs {
    /// The repository's own.
    Shared,
    /// The repository's own below their first folder, and a private `refs/incoming` beside them.
    Incoming,
}

/// A git program together with a shadow folder of one repository.
#[derive(Debug)]
pub(crate) struct Session {
    program: GitProgram,
    folder: TempDir,
    work_tree: Option<PathBuf>,
}

impl Session {
    /// Prepares a shadow of a repository.
    pub(crate) fn open(program: &GitProgram, layout: &Layout, refs: ShadowRefs) -> Result<Self, GitError> {
        let folder = tempfile::Builder::new()
            .prefix("touchmark-git-")
            .tempdir()
            .map_err(GitError::io(std::env::temp_dir()))?;
        let session = Self {
            program: program.clone(),
            folder,
            work_tree: layout.work_tree.clone(),
        };
        session.write("HEAD", b"ref: refs/heads/touchmark-shadow\n")?;
        session.write("config", config(layout, program.excludes()).as_bytes())?;
        let common = &layout.common_dir;
        session.link(&common.join("objects"), "objects")?;
        session.link(&common.join("packed-refs"), "packed-refs")?;
        session.link(&common.join("shallow"), "shallow")?;
        if layout.reftable {
            session.link(&common.join("reftable"), "reftable")?;
        }
        session.make_folder("info")?;
        session.link(&common.join("info/exclude"), "info/exclude")?;
        match refs {
            ShadowRefs::Shared => session.link(&common.join("refs"), "refs")?,
            ShadowRefs::Incoming => {
                session.make_folder("refs")?;
                let real = common.join("refs");
                for entry in std::fs::read_dir(&real).map_err(GitError::io(&real))? {
                    let entry = entry.map_err(GitError::io(&real))?;
                    if entry.file_name() != "incoming" {
                        session.link(&entry.path(), &format!("refs/{}", entry.file_name().display()))?;
                    }
                }
            }
        }
        Ok(session)
    }

    /// Returns the shadow folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns what a look at the work tree may take.
    pub(crate) fn haste(&self) -> Option<Haste> {
        self.program.haste()
    }

    /// Makes a link in the shadow folder.
    pub(crate) fn link(&self, target: &Path, name: &str) -> Result<(), GitError> {
        let path = self.folder().join(name);
        symlink(target, &path).map_err(GitError::io(path))
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), GitError> {
        let path = self.folder().join(name);
        std::fs::write(&path, content).map_err(GitError::io(path))
    }

    fn make_folder(&self, name: &str) -> Result<(), GitError> {
        let path = self.folder().join(name);
        std::fs::create_dir(&path).map_err(GitError::io(path))
    }

    /// Prepares a run on the shadow folder.
    pub(crate) fn command(&self, remote: bool) -> Command {
        let mut command = self.program.command(self.folder(), remote);
        match &self.work_tree {
            Some(work_tree) => command.env("GIT_WORK_TREE", work_tree).current_dir(work_tree),
            None => command.current_dir(self.folder()),
        };
        command
    }

    /// Runs a local command whatever its exit status.
    pub(crate) fn run(&self, args: &[&str], input: &[u8]) -> Result<Output, GitError> {
        self.run_with(args, input, &[])
    }

    /// Runs a local command with variables of ours, whatever its exit status.
    pub(crate) fn run_with(
        &self,
        args: &[&str],
        input: &[u8],
        variables: &[(&str, &OsStr)],
    ) -> Result<Output, GitError> {
        let mut command = self.command(false);
        command.args(args).envs(variables.iter().copied());
        run(
            command,
            args.first().unwrap_or(&""),
            input,
            self.program.local_bounds(),
        )
    }

    /// Runs a command that talks to a remote, whatever its exit status.
    pub(crate) fn run_remote(&self, args: &[&str]) -> Result<Output, GitError> {
        let mut command = self.command(true);
        command.args(args);
        run(command, args.first().unwrap_or(&""), b"", Bounds::REMOTE)
    }

    /// Runs a local command that must succeed and returns what it wrote.
    pub(crate) fn lines(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        self.run(args, b"").and_then(|output| output.success(args))
    }
}

impl Output {
    /// Returns standard output, or the failure.
    pub(crate) fn success(self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        if self.status == Some(0) {
            return Ok(self.stdout);
        }
        let command = (*args.first().unwrap_or(&"")).to_owned();
        Err(GitError::Program {
            command,
            status: self.status,
            stderr: first_lines(&self.stderr),
        })
    }
}

/// Keeps the first lines of messages that end up in errors, without control characters.
pub(crate) fn first_lines(text: &str) -> String {
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(4)
        .collect();
    kept.join("; ")
        .chars()
        .filter(|c| !c.is_control())
        .take(600)
        .collect()
}

/// Writes the shadow's configuration: the repository's format, and the settings that decide which bytes a file has,
/// each taken over only if it is one of the known values.
fn config(layout: &Layout, excludes: Option<&Path>) -> String {
    let mut text = String::from("[core]\n\trepositoryformatversion = 1\n\tlogAllRefUpdates = false\n");
    let _ = writeln!(text, "\tbare = {}", layout.work_tree.is_none());
    for (key, allowed) in [
        ("filemode", &["true", "false"][..]),
        ("symlinks", &["true", "false"]),
        ("ignorecase", &["true", "false"]),
        ("precomposeunicode", &["true", "false"]),
        ("autocrlf", &["true", "false", "input"]),
        ("eol", &["lf", "crlf", "native"]),
    ] {
        let value = layout.config.value("core", "", key).map(str::to_ascii_lowercase);
        if let Some(value) = value.filter(|value| allowed.contains(&value.as_str())) {
            let _ = writeln!(text, "\t{key} = {value}");
        }
    }
    if let Some(path) = excludes.and_then(Path::to_str) {
        let _ = writeln!(text, "\texcludesFile = {}", quoted(path));
    }
    // The token that a CI job's checkout left for its own forge; it goes to that address only.
    for (address, header) in layout.config.subsections("http", "extraheader") {
        if address.starts_with("https://") && !format!("{address}{header}").contains(char::is_control) {
            let _ = write!(
                text,
                "[http {}]\n\textraHeader = {}\n",
                quoted(address),
                quoted(header)
            );
        }
    }
    text.push_str("[extensions]\n");
    if layout.object_format == ObjectFormat::Sha256 {
        text.push_str("\tobjectFormat = sha256\n");
    }
    if layout.reftable {
        text.push_str("\trefStorage = reftable\n");
    }
    text
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::open::Config;

    #[test]
    fn only_known_values_reach_the_shadow() {
        let theirs = "[core]\n\tautocrlf = input\n\teol = evil\n\tfsmonitor = /bin/evil\n\tsshCommand = evil\n\
                      [filter \"x\"]\n\tclean = evil\n[include]\n\tpath = /evil\n[url \"x\"]\n\tinsteadOf = evil\n\
                      [http \"https://forge.example/\"]\n\textraheader = AUTHORIZATION: basic \\\"x\n\
                      [http \"http://evil\"]\n\textraheader = evil\n[http \"https://a\"]\n\textraheader = \"a\\nevil\"\n\
                      [http]\n\tproxy = evil\n";
        let layout = Layout {
            git_dir: "/g".into(),
            common_dir: "/g".into(),
            work_tree: None,
            config: Config::parse(theirs.as_bytes(), Path::new("config")).unwrap(),
            object_format: ObjectFormat::Sha256,
            reftable: false,
        };
        let text = config(&layout, None);
        assert!(!text.contains("evil"), "{text}");
        let ours = Config::parse(text.as_bytes(), Path::new("ours")).unwrap();
        assert_eq!(ours.value("core", "", "autocrlf"), Some("input"));
        assert_eq!(ours.value("extensions", "", "objectformat"), Some("sha256"));
        let header = ours.value("http", "https://forge.example/", "extraheader");
        assert_eq!(header, Some("AUTHORIZATION: basic \"x"));
    }
}
