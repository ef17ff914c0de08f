//! Runs the `git` program so that nothing of the repository's choosing is executed.
//!
//! The program has an absolute path, an environment that holds nothing of ours, and never reads the repository's own
//! configuration: it works on a *shadow* git folder whose `config` we wrote and whose refs and objects are those of the
//! repository. Output is bounded and every run has a time limit.

mod run;
mod shadow;

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) use self::shadow::{Session, ShadowRefs, first_lines};
use crate::error::GitError;

/// The `git` program at an absolute path, with the few settings of the user that it is given.
#[derive(Clone, Debug)]
pub struct GitProgram {
    path: PathBuf,
    search_path: OsString,
    passed: Vec<(OsString, OsString)>,
    excludes: Option<PathBuf>,
    haste: Option<Haste>,
}

/// What a look at a work tree may take where somebody waits for it.
#[derive(Clone, Copy, Debug)]
pub struct Haste {
    /// When every run of git has ended, or is ended.
    pub until: Instant,
    /// The most bytes of changed files that are taken in, so that little is half-written then.
    pub max_bytes: u64,
}

impl GitProgram {
    /// Variables that a caller may hand through: where the user's agent and certificates are, nothing that names a program
    /// or changes what git does.
    pub const PASSABLE: [&str; 9] = [
        "HOME",
        "USER",
        "LOGNAME",
        "SSH_AUTH_SOCK",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "https_proxy",
        "HTTPS_PROXY",
        "no_proxy",
    ];

    /// Finds `git` in the absolute folders of a `PATH` value, which the caller takes from its own environment.
    pub fn find(search_path: &OsStr) -> Result<Self, GitError> {
        let absolute: Vec<PathBuf> = std::env::split_paths(search_path)
            .filter(|path| path.is_absolute())
            .collect();
        let runnable = |path: &PathBuf| {
            std::fs::metadata(path)
                .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        };
        let path = absolute.iter().map(|folder| folder.join("git")).find(runnable);
        let path = path.ok_or(GitError::ProgramMissing)?;
        let search_path = std::env::join_paths(&absolute).map_err(|_| GitError::ProgramMissing)?;
        Ok(Self {
            path,
            search_path,
            passed: Vec::new(),
            excludes: None,
            haste: None,
        })
    }

    /// Hands one variable through to git and to `ssh`. Names that are not on the short list of harmless ones are
    /// ignored.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        if Self::PASSABLE.contains(&name) {
            self.passed.push((name.into(), value.into()));
        }
        self
    }

    /// Uses the user's own list of ignored files, which git would otherwise take from the user's configuration.
    #[must_use]
    pub fn with_excludes_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.excludes = Some(path.into());
        self
    }

    /// Ends every local run by a moment, for a caller who does not stay to see how long it takes.
    #[must_use]
    pub fn in_haste(mut self, haste: Haste) -> Self {
        self.haste = Some(haste);
        self
    }

    pub(crate) fn haste(&self) -> Option<Haste> {
        self.haste
    }

    /// How long a local run may take from now on.
    pub(crate) fn local_bounds(&self) -> Bounds {
        let left = self
            .haste
            .map(|haste| haste.until.saturating_duration_since(Instant::now()));
        Bounds {
            timeout: left.map_or(Bounds::LOCAL.timeout, |left| left.min(Bounds::LOCAL.timeout)),
            ..Bounds::LOCAL
        }
    }

    /// Returns where the program is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn excludes(&self) -> Option<&Path> {
        self.excludes.as_deref()
    }

    /// Prepares a run: everything git could take from its surroundings is fixed here.
    pub(crate) fn command(&self, git_dir: &Path, remote: bool) -> std::process::Command {
        let mut command = std::process::Command::new(&self.path);
        command
            .env_clear()
            .env("PATH", &self.search_path)
            .envs(self.passed.iter().map(|(k, v)| (k, v)));
        command
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_GRAFT_FILE", "/dev/null")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "")
            .env("SSH_ASKPASS", "")
            .env("GIT_PAGER", "cat")
            .env("GIT_EDITOR", "false")
            .env(
                "GIT_SSH_COMMAND",
                "ssh -oBatchMode=yes -oForwardAgent=no -oPermitLocalCommand=no",
            )
            .env(
                "GIT_ALLOW_PROTOCOL",
                if remote { "file:ssh:https" } else { "none" },
            )
            .env("GIT_DIR", git_dir)
            .args(["--no-pager", "--no-replace-objects", "--literal-pathspecs"]);
        for setting in FIXED {
            command.args(["-c", setting]);
        }
        command
    }
}

/// Settings that win over any file.
const FIXED: [&str; 16] = [
    // What is allowed for a run that needs it, `GIT_ALLOW_PROTOCOL` names.
    "protocol.allow=never",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.commitGraph=false",
    "core.askPass=",
    "core.alternateRefsCommand=",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.gpgSign=false",
    "submodule.recurse=false",
    "transfer.bundleURI=false",
    "http.followRedirects=initial",
    "advice.detachedHead=false",
];

/// How long a run may take, and what it may reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) timeout: Duration,
    pub(crate) output: usize,
}

impl Bounds {
    pub(crate) const LOCAL: Self = Self {
        timeout: crate::limits::LOCAL_TIMEOUT,
        output: crate::limits::MAX_OUTPUT_BYTES,
    };
    pub(crate) const REMOTE: Self = Self {
        timeout: crate::limits::REMOTE_TIMEOUT,
        output: crate::limits::MAX_OUTPUT_BYTES,
    };
}
