//! An opened repository.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use gix_hash::ObjectId;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::{GitBlobId, GitCommitId, ObjectFormat};

use crate::error::GitError;
use crate::limits;
use crate::object::hash::kind_of;
use crate::object::store::Store;
use crate::open::{self, Layout, read_control_if_any};
use crate::program::{GitProgram, Session, ShadowRefs};
use crate::refs::Refs;

/// How a repository is opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The git program, for everything that writes or talks to a remote; reftable repositories cannot be opened without.
    pub git: Option<GitProgram>,
    /// Users beside the one of this process whose repositories may be read.
    pub trusted_owners: Vec<u32>,
}

/// A repository whose objects are re-hashed on every read and whose configuration decides nothing.
pub struct Repository {
    pub(crate) layout: Layout,
    pub(crate) store: Store,
    pub(crate) refs: Refs,
    pub(crate) shallow: HashSet<String>,
    pub(crate) grafted: HashSet<String>,
    pub(crate) blobs: Mutex<HashMap<GitBlobId, (Sha256Digest, u64)>>,
    findings: Vec<Finding>,
    git: Option<GitProgram>,
    session: OnceLock<Session>,
}

/// Where HEAD is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The full name of the branch, or `None` when HEAD is detached.
    pub ref_name: Option<String>,
    /// The commit, or `None` on a branch without commits.
    pub commit: Option<GitCommitId>,
}

/// Something about a repository that misleads other tools and had no effect on what was read here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Replace refs exist; objects they replace are refused.
    ReplaceRefs {
        /// The ids of the replaced objects.
        replaced: Vec<String>,
    },
    /// A grafts file exists; commits it changes are refused.
    Grafts {
        /// The ids of the commits.
        commits: Vec<String>,
    },
    /// Objects are borrowed from other folders; they are re-hashed like any other.
    Alternates {
        /// The folders.
        folders: Vec<PathBuf>,
    },
}

impl Finding {
    /// Returns the stable code of this finding.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ReplaceRefs { .. } => "git.replace_refs",
            Self::Grafts { .. } => "git.grafts_file",
            Self::Alternates { .. } => "git.alternates",
        }
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository")
            .field("git_dir", &self.layout.git_dir)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// Finds the repository at a folder or the nearest one above it.
    pub fn discover(path: &Path) -> Result<Self, GitError> {
        Self::discover_with(path, OpenOptions::default())
    }

    /// Opens the repository whose work tree, `.git` folder or bare folder is exactly `path`.
    pub fn open(path: &Path) -> Result<Self, GitError> {
        Self::open_with(path, OpenOptions::default())
    }

    /// As [`discover`](Self::discover), with options.
    pub fn discover_with(path: &Path, options: OpenOptions) -> Result<Self, GitError> {
        Self::at(open::discover(path, &options.trusted_owners)?, options.git)
    }

    /// As [`open`](Self::open), with options.
    pub fn open_with(path: &Path, options: OpenOptions) -> Result<Self, GitError> {
        Self::at(open::exactly(path, &options.trusted_owners)?, options.git)
    }

    /// Gives the repository a git program, for everything that writes or talks to a remote.
    #[must_use]
    pub fn with_git(mut self, git: GitProgram) -> Self {
        self.git = Some(git);
        self.session = OnceLock::new();
        self
    }

    /// Returns the hash function that names objects.
    pub fn object_format(&self) -> ObjectFormat {
        self.layout.object_format
    }

    /// Returns the folder that holds HEAD and the index.
    pub fn git_dir(&self) -> &Path {
        &self.layout.git_dir
    }

    /// Returns the folder of the checked-out files, if there is one.
    pub fn work_tree(&self) -> Option<&Path> {
        self.layout.work_tree.as_deref()
    }

    /// Returns whether history is cut off somewhere.
    pub fn is_shallow(&self) -> bool {
        !self.shallow.is_empty()
    }

    /// Returns what would mislead other tools that read this repository.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the address of a remote as configured, without user, password, query and fragment, in URI form.
    pub fn remote_uri(&self, name: &str) -> Option<String> {
        crate::remote::uri(self.layout.config.value("remote", name, "url")?)
    }

    pub(crate) fn git(&self) -> Result<&GitProgram, GitError> {
        self.git.as_ref().ok_or(GitError::ProgramMissing)
    }

    /// Returns the session that reading refs needs: none, but for the reftable format.
    pub(crate) fn session(&self) -> Result<Option<&Session>, GitError> {
        if self.layout.reftable {
            self.writing_session().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Returns the session on the repository's own refs.
    pub(crate) fn writing_session(&self) -> Result<&Session, GitError> {
        if self.session.get().is_none() {
            let session = Session::open(self.git()?, &self.layout, ShadowRefs::Shared)?;
            // Another thread may have been faster; its session is as good.
            let _ = self.session.set(session);
        }
        Ok(self.session.get().expect("a session was set above"))
    }

    fn at(layout: Layout, git: Option<GitProgram>) -> Result<Self, GitError> {
        let format = kind_of(layout.object_format);
        let refs = Refs::at(&layout.git_dir, &layout.common_dir, format, layout.reftable);
        let shallow = commit_lines(&layout.common_dir.join("shallow"))?;
        let grafted = commit_lines(&layout.common_dir.join("info/grafts"))?;
        let session = OnceLock::new();
        if layout.reftable {
            let git = git.as_ref().ok_or(GitError::ProgramMissing)?;
            let _ = session.set(Session::open(git, &layout, ShadowRefs::Shared)?);
        }
        let replaced = refs.list("refs/replace/", session.get())?;
        let replaced: Vec<String> = replaced
            .keys()
            .filter_map(|name| name.strip_prefix("refs/replace/"))
            .map(str::to_owned)
            .collect();
        let ids = replaced
            .iter()
            .filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok())
            .collect();
        let store = Store::open(&layout.common_dir.join("objects"), layout.object_format, ids)?;
        let findings = findings(&store, replaced, &grafted);
        let blobs = Mutex::new(HashMap::new());
        Ok(Self {
            layout,
            store,
            refs,
            shallow,
            grafted,
            blobs,
            findings,
            git,
            session,
        })
    }
}

fn findings(store: &Store, mut replaced: Vec<String>, grafted: &HashSet<String>) -> Vec<Finding> {
    let mut found = Vec::new();
    replaced.sort();
    if !replaced.is_empty() {
        found.push(Finding::ReplaceRefs { replaced });
    }
    if !grafted.is_empty() {
        let mut commits: Vec<String> = grafted.iter().cloned().collect();
        commits.sort();
        found.push(Finding::Grafts { commits });
    }
    let folders = store.alternates();
    if !folders.is_empty() {
        found.push(Finding::Alternates { folders });
    }
    found
}

/// Reads the first word of each line of `shallow` or `info/grafts`.
fn commit_lines(path: &Path) -> Result<HashSet<String>, GitError> {
    let Some(bytes) = read_control_if_any(path, limits::MAX_CONTROL_FILE_BYTES)? else {
        return Ok(HashSet::new());
    };
    let mut commits = HashSet::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let word = line.split(|byte| *byte == b' ').next().unwrap_or(line);
        let id = std::str::from_utf8(word)
            .ok()
            .and_then(|word| word.to_ascii_lowercase().parse().ok());
        let id: GitCommitId = id.ok_or_else(|| GitError::Malformed {
            path: path.to_owned(),
            line: number + 1,
        })?;
        commits.insert(id.to_string());
    }
    Ok(commits)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_repository_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<super::Repository>();
    }
}
