//! The rows of `change.paths`: what git says differs, and what the transcript says was written.

use std::collections::BTreeSet;

use touchmark_agents::paths::relative_to;
use touchmark_agents::session::Session;
use touchmark_statement::agent_change::{Attribution, NewSide, OldSide, PathRow, PathsTree};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::limits::{MAX_PATHS, MAX_STATEMENT_BYTES};
use touchmark_statement::repo_path::RepoPath;
use touchmark_statement::strict_json;
use touchmark_tlog::merkle;
use touchmark_verify::git_view::{GitView, PathChange};

use crate::error::CliError;

/// The most that the rows of one statement take; the rest of its limit is for everything else.
const MAX_ROWS_BYTES: usize = MAX_STATEMENT_BYTES / 2;
/// The most that a list of paths takes.
const MAX_LIST_BYTES: usize = MAX_STATEMENT_BYTES / 8;

/// The paths of a change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    /// One row for each path that differs.
    pub(crate) rows: Vec<PathRow>,
    /// Paths that differ and that the transcript does not mention as written; absent without a transcript.
    pub(crate) undeclared: Option<Vec<RepoPath>>,
    /// Paths that the transcript mentions as written and that do not differ; absent without a transcript.
    pub(crate) unwritten: Option<Vec<RepoPath>>,
}

/// Returns the paths below `work_tree` that a session says were written.
pub(crate) fn written(session: &Session, work_tree: &str) -> BTreeSet<RepoPath> {
    let written = session.run.written.iter();
    named(
        written.map(|(path, how)| (path.as_str(), how.working_directory.as_deref())),
        work_tree,
    )
}

/// Returns those paths below `work_tree` among names that belong to folders.
pub(crate) fn named<'a>(
    names: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    work_tree: &str,
) -> BTreeSet<RepoPath> {
    names
        .filter_map(|(path, folder)| relative_to(work_tree, folder, path))
        .filter_map(|path| RepoPath::from_bytes(path.as_bytes()).ok())
        .collect()
}

impl Rows {
    /// Makes a row of each change; `written` is absent where there is no transcript.
    pub(crate) fn of(
        git: &dyn GitView,
        changes: &[PathChange],
        written: Option<&BTreeSet<RepoPath>>,
    ) -> Result<Self, CliError> {
        let mut rows = Vec::with_capacity(changes.len());
        for change in changes {
            let agent = written.is_some_and(|written| written.contains(&change.path));
            let attribution = if agent {
                Attribution::Agent
            } else {
                Attribution::Unknown
            };
            let from = change.from.as_ref().map(|side| OldSide {
                mode: side.mode,
                git_blob: side.id.clone(),
            });
            let to = change
                .to
                .as_ref()
                .map(|side| new_side(git, side.mode, &side.id))
                .transpose()?;
            rows.extend(PathRow::new(change.path.clone(), from, to, attribution));
        }
        let differing: BTreeSet<&RepoPath> = changes.iter().map(|change| &change.path).collect();
        let undeclared = written.map(|written| {
            differing
                .iter()
                .filter(|path| !written.contains(**path))
                .map(|path| (*path).clone())
                .collect()
        });
        let unwritten = written.map(|written| {
            written
                .iter()
                .filter(|path| !differing.contains(path))
                .cloned()
                .collect()
        });
        Ok(Self {
            rows,
            undeclared,
            unwritten,
        })
    }

    /// Leaves out of what was not written what earlier statements spoke of: it was written then.
    pub(crate) fn forget_unwritten(&mut self, earlier: &BTreeSet<RepoPath>) {
        if let Some(unwritten) = &mut self.unwritten {
            unwritten.retain(|path| !earlier.contains(path));
        }
    }

    /// Returns whether there is more than one statement can hold, by number or by size.
    pub(crate) fn too_many(&self) -> Result<bool, CliError> {
        if self.rows.len() > MAX_PATHS {
            return Ok(true);
        }
        let mut bytes = 0;
        for row in &self.rows {
            bytes += strict_json::canonical(row)?.len();
        }
        Ok(bytes > MAX_ROWS_BYTES)
    }

    /// Cuts lists that no statement could hold: a list that is cut is still a finding, one that is left out is none.
    pub(crate) fn cap_lists(&mut self) {
        for list in [&mut self.undeclared, &mut self.unwritten].into_iter().flatten() {
            let mut room = MAX_LIST_BYTES;
            let fits = |path: &&RepoPath| {
                room = room.saturating_sub(path.as_bytes().len() + 16);
                room > 0
            };
            let kept = list.iter().take(MAX_PATHS).take_while(fits).count();
            list.truncate(kept);
        }
    }

    /// Returns the root that stands in for the rows, which anyone can compute again from git.
    pub(crate) fn tree(&self) -> Result<PathsTree, CliError> {
        let leaf = |row: &PathRow| Ok(merkle::leaf_hash(&strict_json::canonical(row)?));
        let leaves = self.rows.iter().map(leaf).collect::<Result<Vec<_>, CliError>>()?;
        let root = Sha256Digest::from_bytes(*merkle::root_of(&leaves).as_bytes());
        Ok(PathsTree {
            count: leaves.len() as u64,
            root,
        })
    }
}

fn new_side(
    git: &dyn GitView,
    mode: FileMode,
    id: &touchmark_statement::git_id::GitBlobId,
) -> Result<NewSide, CliError> {
    // A submodule's entry names a commit of another repository, which has no content here.
    let (sha256, size) = match mode {
        FileMode::Gitlink => (None, None),
        _ => git
            .blob_digest(id)
            .map(|(sha256, size)| (Some(sha256), Some(size)))?,
    };
    Ok(NewSide {
        mode,
        git_blob: id.clone(),
        sha256,
        size,
    })
}
