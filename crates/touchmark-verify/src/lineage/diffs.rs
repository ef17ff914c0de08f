//! Differences between trees and contents of commits, each computed once.

use std::collections::HashMap;
use std::rc::Rc;

use touchmark_statement::git_id::{GitCommitId, GitTreeId};

use crate::git_view::{GitCommit, GitView, GitViewError, PathChange};
use crate::limits::MAX_REMEMBERED_ROWS;

/// A git view that remembers its answers about trees and commits.
pub(super) struct Diffs<'g> {
    git: &'g dyn GitView,
    changed: HashMap<(GitTreeId, GitTreeId), Rc<[PathChange]>>,
    remembered: usize,
    commits: HashMap<GitCommitId, Rc<GitCommit>>,
}

impl<'g> Diffs<'g> {
    pub(super) fn new(git: &'g dyn GitView) -> Self {
        Self {
            git,
            changed: HashMap::new(),
            remembered: 0,
            commits: HashMap::new(),
        }
    }

    pub(super) fn git(&self) -> &'g dyn GitView {
        self.git
    }

    /// Returns the paths that differ between two trees, in the order of the paths.
    pub(super) fn changed(
        &mut self,
        base: &GitTreeId,
        result: &GitTreeId,
    ) -> Result<Rc<[PathChange]>, GitViewError> {
        if base == result {
            return Ok(Rc::from([]));
        }
        let pair = (base.clone(), result.clone());
        if let Some(changed) = self.changed.get(&pair) {
            return Ok(Rc::clone(changed));
        }
        let changed: Rc<[PathChange]> = self.git.changed_paths(base, result)?.into();
        // Statements name pairs of trees as they like; what they differ in is not all kept.
        if self.remembered + changed.len() <= MAX_REMEMBERED_ROWS {
            self.remembered += changed.len();
            self.changed.insert(pair, Rc::clone(&changed));
        }
        Ok(changed)
    }

    pub(super) fn commit(&mut self, id: &GitCommitId) -> Result<Rc<GitCommit>, GitViewError> {
        if let Some(commit) = self.commits.get(id) {
            return Ok(Rc::clone(commit));
        }
        let commit = Rc::new(self.git.commit(id)?);
        self.commits.insert(id.clone(), Rc::clone(&commit));
        Ok(commit)
    }
}
