//! The commits that a change consists of, merges included: what the head reaches and the base does not.
//!
//! The walk takes the youngest commit first, by the time that commits claim. A claim may mislead it into taking too
//! many commits for part of the change, never too few: only parents of the base are ever left out.

use std::collections::{BinaryHeap, HashMap, HashSet};

use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::git_view::GitView as _;

use crate::error::GitError;
use crate::repository::Repository;

/// A commit on the way, with what reached it.
#[derive(Debug, Clone, Default)]
struct Seen {
    parents: Vec<GitCommitId>,
    from_head: bool,
    from_base: bool,
}

impl Repository {
    /// Returns the commits that `head` reaches and `base` does not, parents before children.
    ///
    /// # Errors
    /// The two are the same, `base` is no ancestor of `head`, history is cut off, or `cap` commits were looked at.
    pub fn range(
        &self,
        base: &GitCommitId,
        head: &GitCommitId,
        cap: usize,
    ) -> Result<Vec<GitCommitId>, GitError> {
        match self.linear_range(base, head, cap) {
            Err(GitError::NotLinear { .. }) => {}
            linear => return linear,
        }
        let seen = self.paint(base, head, cap)?;
        if !seen.get(base).is_some_and(|base| base.from_head) {
            let (base, head) = (base.clone(), head.clone());
            return Err(GitError::BaseNotAncestor { base, head });
        }
        Ok(parents_first(head, &seen))
    }

    /// Returns the commits that `head` reaches and `base` does not, parents before children, wherever the two parted.
    ///
    /// # Errors
    /// History is cut off, or `cap` commits were looked at.
    pub fn commits_beyond(
        &self,
        base: &GitCommitId,
        head: &GitCommitId,
        cap: usize,
    ) -> Result<Vec<GitCommitId>, GitError> {
        Ok(parents_first(head, &self.paint(base, head, cap)?))
    }

    /// Walks from both ends until nothing is left that only the head reaches.
    fn paint(
        &self,
        base: &GitCommitId,
        head: &GitCommitId,
        cap: usize,
    ) -> Result<HashMap<GitCommitId, Seen>, GitError> {
        let mut seen: HashMap<GitCommitId, Seen> = HashMap::new();
        // Of two commits of one time the base's side goes first.
        let mut open: BinaryHeap<(i64, bool, GitCommitId)> = BinaryHeap::new();
        // How many entries of the queue are reached by the head alone, as far as is known.
        let mut undecided: HashSet<GitCommitId> = HashSet::new();
        for (id, from_base) in [(head, false), (base, true)] {
            let commit = self.commit(id)?;
            open.push((commit.committer.time, from_base, id.clone()));
            let known = seen.entry(id.clone()).or_default();
            known.parents.clone_from(&commit.parents);
            known.from_head |= !from_base;
            known.from_base |= from_base;
        }
        if head != base {
            undecided.insert(head.clone());
        }
        while !undecided.is_empty() {
            let Some((_, _, id)) = open.pop() else { break };
            undecided.remove(&id);
            let child = seen.get(&id).cloned().unwrap_or_default();
            if self.shallow.contains(id.as_str()) {
                // Behind the base it does not matter what was cut off.
                if child.from_base {
                    continue;
                }
                return Err(GitError::Shallow { commit: id });
            }
            for parent in &child.parents {
                if !seen.contains_key(parent) {
                    if seen.len() >= cap {
                        return Err(GitError::RangeCap { limit: cap });
                    }
                    let parents = self.commit(parent)?.parents.clone();
                    seen.insert(
                        parent.clone(),
                        Seen {
                            parents,
                            ..Seen::default()
                        },
                    );
                }
                let Some(known) = seen.get_mut(parent) else {
                    continue;
                };
                let before = (known.from_head, known.from_base);
                known.from_head |= child.from_head;
                known.from_base |= child.from_base;
                if before != (known.from_head, known.from_base) {
                    if known.from_base {
                        undecided.remove(parent);
                    } else {
                        undecided.insert(parent.clone());
                    }
                    let from_base = known.from_base;
                    open.push((self.commit(parent)?.committer.time, from_base, parent.clone()));
                }
            }
        }
        Ok(seen)
    }
}

/// Puts what only the head reaches into order, without recursion.
fn parents_first(head: &GitCommitId, seen: &HashMap<GitCommitId, Seen>) -> Vec<GitCommitId> {
    let mut ordered = Vec::new();
    let mut entered: HashSet<&GitCommitId> = HashSet::new();
    let mut path: Vec<(&GitCommitId, bool)> = vec![(head, false)];
    while let Some((id, parents_done)) = path.pop() {
        if parents_done {
            ordered.push(id.clone());
            continue;
        }
        let Some(commit) = seen
            .get(id)
            .filter(|commit| commit.from_head && !commit.from_base)
        else {
            continue;
        };
        if !entered.insert(id) {
            continue;
        }
        path.push((id, true));
        // The first parent's side comes first.
        path.extend(commit.parents.iter().rev().map(|parent| (parent, false)));
    }
    ordered
}
