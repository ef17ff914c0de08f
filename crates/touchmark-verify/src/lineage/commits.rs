//! Whether the commits of a statement lead from its base to what it proposes, as git has them.

use std::collections::HashSet;

use touchmark_statement::agent_change::Change;
use touchmark_statement::git_id::GitCommitId;

use super::SetAsideReason;
use super::bind::{Range, Refusal};
use super::diffs::Diffs;

/// Requires trees and parents to be those in git, parents before children, nothing skipped and nothing beside.
pub(super) fn require_path(change: &Change, range: &Range, diffs: &mut Diffs<'_>) -> Result<(), Refusal> {
    let Some(proposed) = &change.proposed.git_commit else {
        return match change.commits.first() {
            Some(row) => Err(mismatch(&row.git_commit)),
            None => Ok(()),
        };
    };
    if change.commits.is_empty() && change.base.git_commit.as_ref() == Some(proposed) {
        return Ok(());
    }
    let mut reached: HashSet<&GitCommitId> = change.base.git_commit.iter().collect();
    // Commits that nothing in the list follows; at the end only the proposed one.
    let mut open: HashSet<&GitCommitId> = HashSet::new();
    for row in &change.commits {
        let commit = diffs.commit(&row.git_commit).map_err(Refusal::of_claim)?;
        if commit.tree != row.git_tree || commit.parents != row.parents || reached.contains(&row.git_commit) {
            return Err(mismatch(&row.git_commit));
        }
        let follows = row.parents.iter().any(|parent| reached.contains(parent));
        // Uncommitted work has no commit to start from: the first one that follows it begins the list. What a commit
        // holds that is not in the list is no uncommitted work: those after it would be skipped.
        let begins = change.base.git_commit.is_none()
            && reached.is_empty()
            && (row.parents.is_empty() || !starts_at_a_commit(change, range));
        if !follows && !begins {
            return Err(mismatch(&row.git_commit));
        }
        for parent in &row.parents {
            open.remove(parent);
        }
        reached.insert(&row.git_commit);
        open.insert(&row.git_commit);
    }
    match change.commits.last() {
        Some(last) if last.git_commit == *proposed && open.len() == 1 => Ok(()),
        _ => Err(mismatch(proposed)),
    }
}

/// Returns whether the base is the tree of a commit that the statement does not list.
fn starts_at_a_commit(change: &Change, range: &Range) -> bool {
    let is_listed = |id: &GitCommitId| change.commits.iter().any(|row| row.git_commit == *id);
    range
        .starts
        .iter()
        .any(|(id, tree)| *tree == change.base.git_tree && !is_listed(id))
}

fn mismatch(commit: &GitCommitId) -> Refusal {
    SetAsideReason::CommitsMismatch {
        commit: commit.clone(),
    }
    .into()
}
