//! A repository at one moment: the commit that is checked out and, where it was affordable, the tree of the work tree.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use touchmark_git::{OpenOptions, Repository};
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_verify::git_view::GitView as _;

use crate::environment::Environment;
use crate::pipeline;

/// The largest index of a repository whose work tree a hook looks at itself; a worker does it for others. About 15,000
/// files, which git looks at in some 20 ms.
const MAX_INDEX_BYTES: u64 = 1_600_000;
/// How long a hook waits for it.
const PATIENCE: Duration = Duration::from_millis(60);

/// A repository at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    /// Its work tree.
    pub(crate) work_tree: String,
    /// The commit that was checked out; absent before the first one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) head: Option<GitCommitId>,
    /// The full name of the branch; absent for a detached head.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none", default)]
    pub(crate) ref_name: Option<String>,
    /// The tree of everything that lay there; absent where nobody has looked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) tree: Option<GitTreeId>,
}

impl Snapshot {
    /// Looks at the repository around a folder as a hook does: quickly. `None` where there is none.
    pub(crate) fn quick(folder: &Path, environment: &Environment) -> Option<Self> {
        let git = open(folder, environment)?;
        let mut snapshot = Self::without_tree(&git)?;
        let index = git.git_dir().join("index").metadata();
        if index.is_ok_and(|index| index.len() > MAX_INDEX_BYTES) {
            return Some(snapshot);
        }
        let (sender, receiver) = mpsc::channel();
        // What takes longer is left behind: it only reads, or writes objects that nothing names.
        let look = move || {
            let _ = sender.send(git.snapshot_work_tree().ok());
        };
        std::thread::Builder::new().spawn(look).ok()?;
        if let Ok(Some(found)) = receiver.recv_timeout(PATIENCE)
            && found.head == snapshot.head
        {
            snapshot.tree = Some(found.tree);
        }
        Some(snapshot)
    }

    /// Looks at what is checked out and no further. `None` where there is no repository.
    pub(crate) fn head_only(folder: &Path, environment: &Environment) -> Option<Self> {
        Self::without_tree(&open(folder, environment)?)
    }

    /// Looks at everything.
    pub(crate) fn whole(git: &Repository) -> Result<Self, crate::error::CliError> {
        let found = git.snapshot_work_tree()?;
        let ref_name = git.head()?.ref_name;
        Ok(Self {
            work_tree: work_tree(git),
            head: found.head,
            ref_name,
            tree: Some(found.tree),
        })
    }

    fn without_tree(git: &Repository) -> Option<Self> {
        git.work_tree()?;
        let head = git.head().ok();
        Some(Self {
            work_tree: work_tree(git),
            ref_name: head.as_ref().and_then(|head| head.ref_name.clone()),
            head: head.and_then(|head| head.commit),
            tree: None,
        })
    }

    /// Returns the snapshot as if nothing was uncommitted, for a moment that has passed.
    pub(crate) fn as_committed(&self, git: &Repository) -> Option<Self> {
        let tree = git.commit(self.head.as_ref()?).ok()?.tree;
        Some(Self {
            tree: Some(tree),
            ..self.clone()
        })
    }
}

/// Returns the name of a repository's work tree.
pub(crate) fn work_tree(git: &Repository) -> String {
    git.work_tree()
        .unwrap_or(git.git_dir())
        .to_string_lossy()
        .into_owned()
}

/// Opens the repository around a folder, with the git program of this environment.
pub(crate) fn open(folder: &Path, environment: &Environment) -> Option<Repository> {
    let options = OpenOptions {
        git: pipeline::git_program(environment),
        ..OpenOptions::default()
    };
    Repository::discover_with(folder, options).ok()
}
