//! What accounts for each path, and which commits bring what nothing accounts for.

use std::collections::{BTreeMap, HashMap, HashSet};

use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::repo_path::RepoPath;

use super::build::AllKnown;
use super::diffs::Diffs;
use super::replay::Replay;
use super::{AccountedPath, ChangeUnderJudgement, MissingCommit, PathClass, REPLAY_STRATEGY, ResidualKind};
use crate::git_view::{GitCommit, GitViewError};

/// Classifies the paths of a change that an unbroken chain of statements explains.
pub(super) fn exact(
    change: &ChangeUnderJudgement,
    chain: &[usize],
    known: &AllKnown<'_>,
    diffs: &mut Diffs<'_>,
) -> Result<Vec<AccountedPath>, GitViewError> {
    let changed = diffs.changed(&change.base_tree, &change.result_tree)?;
    let mut by: HashMap<&RepoPath, Vec<usize>> = changed.iter().map(|row| (&row.path, Vec::new())).collect();
    for &statement in chain {
        for row in known[&statement].claim.change.paths.iter().flatten() {
            if let Some(statements) = by.get_mut(&row.path) {
                statements.push(statement);
            }
        }
    }
    let accounted = |row: &crate::git_view::PathChange| AccountedPath {
        path: row.path.clone(),
        from: row.from.clone(),
        to: row.to.clone(),
        class: PathClass::Exact,
        by: by.get(&row.path).cloned().unwrap_or_default(),
    };
    Ok(changed.iter().map(accounted).collect())
}

/// Compares what replay gives with what the result holds, path by path.
pub(super) fn replayed(
    change: &ChangeUnderJudgement,
    replay: &Replay,
    diffs: &mut Diffs<'_>,
) -> Result<Vec<AccountedPath>, GitViewError> {
    let changed = diffs.changed(&change.base_tree, &change.result_tree)?;
    let mut paths = BTreeMap::new();
    for row in changed.iter() {
        let touched = replay.touched.get(&row.path);
        let class = match touched {
            None => PathClass::Residual(ResidualKind::Added),
            Some(touched) if touched.conflict => PathClass::Residual(ResidualKind::Conflict),
            Some(touched) if touched.now == row.to => PathClass::Replayed {
                strategy: REPLAY_STRATEGY,
            },
            Some(_) => PathClass::Residual(ResidualKind::Edited),
        };
        let by = touched.map(|touched| touched.by.clone()).unwrap_or_default();
        let (path, from, to) = (row.path.clone(), row.from.clone(), row.to.clone());
        paths.insert(
            row.path.clone(),
            AccountedPath {
                path,
                from,
                to,
                class,
                by,
            },
        );
    }
    for (path, touched) in &replay.touched {
        if paths.contains_key(path) || (!touched.conflict && touched.now == touched.base) {
            continue;
        }
        let kind = if touched.conflict {
            ResidualKind::Conflict
        } else {
            ResidualKind::Omitted
        };
        let (from, to) = (touched.base.clone(), touched.base.clone());
        let class = PathClass::Residual(kind);
        paths.insert(
            path.clone(),
            AccountedPath {
                path: path.clone(),
                from,
                to,
                class,
                by: touched.by.clone(),
            },
        );
    }
    Ok(paths.into_values().collect())
}

/// Returns the paths that nothing accounts for.
pub(super) fn residual(paths: &[AccountedPath]) -> impl Iterator<Item = &RepoPath> {
    paths
        .iter()
        .filter(|path| matches!(path.class, PathClass::Residual(_)))
        .map(|path| &path.path)
}

/// Names the commits that no bound statement covers, by commit or by tree, with the residual paths each brings.
///
/// A commit with several parents that adds nothing of its own needs no statement, and neither does one whose tree is
/// the result where that is fully accounted for.
pub(super) fn missing(
    change: &ChangeUnderJudgement,
    known: &AllKnown<'_>,
    residual: &HashSet<&RepoPath>,
    diffs: &mut Diffs<'_>,
) -> Result<Vec<MissingCommit>, GitViewError> {
    let (mut commits, mut trees): (HashSet<&GitCommitId>, HashSet<&GitTreeId>) = Default::default();
    for known in known.values() {
        let change = &known.claim.change;
        trees.insert(&change.proposed.git_tree);
        commits.extend(&change.proposed.git_commit);
        // Where its own commit is gone, nothing proves that the others lead to it.
        if known.bound.commit_gone.is_none() {
            commits.extend(change.commits.iter().map(|row| &row.git_commit));
        }
    }
    let mut missing = Vec::new();
    for id in &change.commits {
        let commit = diffs.commit(id)?;
        let settled = residual.is_empty() && commit.tree == change.result_tree;
        if commits.contains(id) || trees.contains(&commit.tree) || settled {
            continue;
        }
        let own = own_paths(&commit, diffs)?;
        if commit.parents.len() > 1 && own.is_empty() {
            continue;
        }
        let residual = own.into_iter().filter(|path| residual.contains(path)).collect();
        missing.push(MissingCommit {
            commit: id.clone(),
            residual,
        });
    }
    Ok(missing)
}

/// Returns the paths at which a commit differs from every one of its parents.
fn own_paths(commit: &GitCommit, diffs: &mut Diffs<'_>) -> Result<Vec<RepoPath>, GitViewError> {
    let mut own: Option<Vec<RepoPath>> = None;
    let empty = super::replay::empty_tree(commit.tree.object_format());
    let mut parents = Vec::new();
    for parent in &commit.parents {
        parents.push(diffs.commit(parent)?.tree.clone());
    }
    if parents.is_empty() {
        parents.push(empty);
    }
    for parent in parents {
        let changed = diffs.changed(&parent, &commit.tree)?;
        own = Some(match own {
            None => changed.iter().map(|row| row.path.clone()).collect(),
            Some(own) => {
                let here: HashSet<&RepoPath> = changed.iter().map(|row| &row.path).collect();
                own.into_iter().filter(|path| here.contains(path)).collect()
            }
        });
    }
    Ok(own.unwrap_or_default())
}
