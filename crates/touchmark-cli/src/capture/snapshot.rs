//! A repository at one moment: the commit that is checked out and, where it was affordable, the tree of the work tree.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use touchmark_git::{GitProgram, Haste, OpenOptions, Repository};
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_verify::git_view::GitView as _;

use crate::environment::Environment;
use crate::error::CliError;
use crate::pipeline;

/// The largest index of a repository whose work tree a hook looks at itself; a worker does it for others. About 15,000
/// files, which git looks at in some 20 ms.
const MAX_INDEX_BYTES: u64 = 1_600_000;
/// How long a hook waits for it.
const PATIENCE: Duration = Duration::from_millis(60);
/// How long what was ended then may take to be gone. What hangs in the system itself is left behind.
const PARTING: Duration = Duration::from_millis(200);
/// The most bytes of changed files that a hook takes in.
const MAX_CHANGED_BYTES: u64 = 4 * 1024 * 1024;

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
        let mut program = pipeline::git_program(environment);
        let haste = Haste {
            until: Instant::now() + PATIENCE,
            max_bytes: MAX_CHANGED_BYTES,
        };
        program = program.map(|program| program.in_haste(haste));
        let (sender, receiver) = mpsc::channel();
        let folder = folder.to_owned();
        // Nothing of it stays when the time is over: no process that nobody ends, and no folder that nobody removes. What
        // hangs in a file of the repository itself is left behind.
        let look = move || {
            let git = open_with(&folder, program)?;
            let mut snapshot = Self::without_tree(&git)?;
            sender.send(snapshot.clone()).ok()?;
            let index = git.git_dir().join("index").metadata();
            if index.is_ok_and(|index| index.len() > MAX_INDEX_BYTES) {
                return None;
            }
            let found = git.snapshot_work_tree().ok()?;
            drop(git);
            if found.head == snapshot.head {
                snapshot.tree = Some(found.tree);
                sender.send(snapshot).ok()?;
            }
            Some(())
        };
        let until = Instant::now() + PATIENCE + PARTING;
        std::thread::Builder::new().spawn(look).ok()?;
        let mut seen = None;
        while let Ok(snapshot) = receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            seen = Some(snapshot);
        }
        seen
    }

    /// Looks at what is checked out and no further. `None` where there is no repository.
    pub(crate) fn head_only(folder: &Path, environment: &Environment) -> Option<Self> {
        Self::without_tree(&open(folder, environment)?)
    }

    /// Looks at everything, but no longer than this. `None` where there is no repository.
    pub(crate) fn within(
        patience: Duration,
        folder: &Path,
        environment: &Environment,
    ) -> Result<Option<Self>, CliError> {
        let haste = Haste {
            until: Instant::now() + patience,
            max_bytes: u64::MAX,
        };
        let program = pipeline::git_program(environment).map(|program| program.in_haste(haste));
        let git = open_with(folder, program);
        git.map(|git| Self::whole(&git)).transpose()
    }

    /// Looks at everything.
    pub(crate) fn whole(git: &Repository) -> Result<Self, CliError> {
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
    open_with(folder, pipeline::git_program(environment))
}

fn open_with(folder: &Path, git: Option<GitProgram>) -> Option<Repository> {
    let options = OpenOptions {
        git,
        ..OpenOptions::default()
    };
    Repository::discover_with(folder, options).ok()
}
