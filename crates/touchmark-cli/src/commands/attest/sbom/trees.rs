//! The lockfiles of trees in git: found by name, read from blobs, never from the work tree.

use std::collections::{BTreeSet, HashSet};

use touchmark_git::{Repository, Sought};
use touchmark_sbom::{Inventory, Kind, Lockfile, Tree, TreeError, is_left_out};
use touchmark_statement::git_id::GitTreeId;
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::{GitView as _, GitViewError};

use super::super::change::GitChange;

/// The most files of a tree whose names are those of lockfiles. What is too many is told as such, not left out.
const MAX_FOUND: usize = 100_000;

/// The lockfiles of both trees of a change.
pub(super) struct Pair {
    pub(super) base: Inventory,
    pub(super) proposed: Inventory,
    /// Whether the two say the same: no lockfile, and nothing read beside one, differs.
    pub(super) is_same: bool,
}

impl Pair {
    /// Looks through the base tree, and from there takes the difference of the two, which is known already.
    pub(super) fn of(git: &Repository, change: &GitChange) -> Result<Self, GitViewError> {
        let (base_tree, proposed_tree) = (&change.base.git_tree, &change.proposed.git_tree);
        let changed: HashSet<&RepoPath> = change.changes.iter().map(|change| &change.path).collect();
        let in_base = found(git, base_tree)?;
        let mut in_proposed: BTreeSet<RepoPath> = in_base.iter().cloned().collect();
        for change in &change.changes {
            if Kind::of(change.path.as_bytes()).is_none() {
                continue;
            }
            match &change.to {
                Some(_) => in_proposed.insert(change.path.clone()),
                None => in_proposed.remove(&change.path),
            };
        }
        let in_proposed: Vec<RepoPath> = in_proposed.into_iter().collect();
        let base = Inventory::of(&Blobs::of(git, base_tree), &in_base, &[]);
        let is_unchanged = |lockfile: &&Lockfile| {
            let beside = lockfile.beside.iter().map(|(path, _)| path);
            std::iter::once(&lockfile.path)
                .chain(beside)
                .all(|path| !changed.contains(path))
        };
        let unchanged: Vec<&Lockfile> = base.lockfiles().iter().filter(is_unchanged).collect();
        let is_same = unchanged.len() == in_base.len() && in_base.len() == in_proposed.len();
        let proposed = if is_same {
            base.clone()
        } else {
            Inventory::of(&Blobs::of(git, proposed_tree), &in_proposed, &unchanged)
        };
        Ok(Self {
            base,
            proposed,
            is_same,
        })
    }
}

/// Reads the lockfiles of one tree.
pub(super) fn of_tree(git: &Repository, tree: &GitTreeId) -> Result<Inventory, GitViewError> {
    Ok(Inventory::of(&Blobs::of(git, tree), &found(git, tree)?, &[]))
}

fn found(git: &Repository, tree: &GitTreeId) -> Result<Vec<RepoPath>, GitViewError> {
    let sought = Sought {
        enter: &|folder| !is_left_out(folder),
        wanted: &|folder, name| Kind::in_folder(folder, name).is_some(),
        limit: MAX_FOUND,
    };
    let mut paths: Vec<RepoPath> = git
        .find_entries(tree, &sought)?
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    paths.sort();
    Ok(paths)
}

/// The files of one tree.
struct Blobs<'a> {
    git: &'a Repository,
    tree: &'a GitTreeId,
}

impl<'a> Blobs<'a> {
    fn of(git: &'a Repository, tree: &'a GitTreeId) -> Self {
        Self { git, tree }
    }
}

impl Tree for Blobs<'_> {
    fn read(&self, path: &RepoPath, max: u64) -> Result<Option<Vec<u8>>, TreeError> {
        match self.git.read_path(self.tree, path, max) {
            Ok(bytes) => Ok(bytes),
            Err(GitViewError::NotAFile { .. }) => Ok(None),
            Err(GitViewError::TooLarge { .. }) => Err(TreeError::TooLarge),
            Err(error) => Err(TreeError::Unreadable {
                source: Box::new(error),
            }),
        }
    }
}
