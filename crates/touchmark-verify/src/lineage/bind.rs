//! Binds one agent change to this repository and this change: every id and digest in it is computed again from git.
//!
//! An object that only the statement names and that git cannot give sets the statement aside; what the verifier
//! itself named must be readable, or the question is undecided.

use std::collections::HashSet;

use touchmark_statement::agent_change::{AgentChange, Change};
use touchmark_statement::git_id::{GitCommitId, GitTreeId, ObjectFormat};
use touchmark_statement::statement::ResourceDescriptor;

use super::diffs::Diffs;
use super::{ChangeUnderJudgement, SetAsideReason, commits, rows};
use crate::git_view::GitViewError;
use crate::verified::VerifiedStatement;

/// Why a statement is not bound, short of an answer from git.
pub(super) enum Refusal {
    /// The statement is at fault.
    Aside(SetAsideReason),
    /// Git could not be read.
    Undecided(GitViewError),
}

impl From<SetAsideReason> for Refusal {
    fn from(reason: SetAsideReason) -> Self {
        Refusal::Aside(reason)
    }
}

impl Refusal {
    /// Judges an error about an object that only a statement names: only a store that fails leaves it undecided.
    pub(super) fn of_claim(error: GitViewError) -> Self {
        if matches!(error, GitViewError::Unreadable { .. }) {
            return Refusal::Undecided(error);
        }
        let object = match &error {
            GitViewError::Missing { object } | GitViewError::WrongKind { object, .. } => object.to_string(),
            other => other.to_string(),
        };
        Refusal::Aside(SetAsideReason::ObjectUnreadable {
            object,
            code: error.code(),
        })
    }
}

/// What makes up the change under judgement.
pub(super) struct Range {
    pub(super) commits: HashSet<GitCommitId>,
    pub(super) trees: HashSet<GitTreeId>,
    /// The commits whose trees a statement could start from, with these trees: the change's base and its commits.
    pub(super) starts: Vec<(GitCommitId, GitTreeId)>,
}

/// An agent change that says what git says.
pub(super) struct Bound {
    pub(super) subjects: Vec<usize>,
    /// Its commit, where that is gone and the tree alone binds it.
    pub(super) commit_gone: Option<GitCommitId>,
}

/// Refuses what is no agent change of this repository, without asking git.
pub(super) fn claim<'s>(
    statement: &'s VerifiedStatement,
    change: &ChangeUnderJudgement,
    format: ObjectFormat,
) -> Result<&'s AgentChange, SetAsideReason> {
    let claim = statement
        .statement()
        .predicate
        .as_agent_change()
        .ok_or(SetAsideReason::NotAnAgentChange)?;
    let uri = &claim.change.repository.uri;
    if !change.repository.is_named_by(uri) {
        return Err(SetAsideReason::RepositoryMismatch { found: uri.clone() });
    }
    let trees = [&claim.change.base.git_tree, &claim.change.proposed.git_tree];
    let commits = [&claim.change.base.git_commit, &claim.change.proposed.git_commit];
    let foreign_tree = trees
        .iter()
        .find(|tree| tree.object_format() != format)
        .map(ToString::to_string);
    let foreign_commit = commits
        .into_iter()
        .flatten()
        .find(|commit| commit.object_format() != format);
    match foreign_tree.or_else(|| foreign_commit.map(ToString::to_string)) {
        Some(found) => Err(SetAsideReason::ObjectFormat {
            found,
            expected: format,
        }),
        None => Ok(claim),
    }
}

/// Tells whether an agent change ends at a commit or tree of the range.
pub(super) fn is_in_range(change: &Change, range: &Range) -> bool {
    let proposed = &change.proposed;
    proposed
        .git_commit
        .as_ref()
        .is_some_and(|commit| range.commits.contains(commit))
        || range.trees.contains(&proposed.git_tree)
}

/// Binds an agent change: commits, trees, subjects' digests and path rows.
pub(super) fn bind(
    claim: &AgentChange,
    subjects: &[ResourceDescriptor],
    range: &Range,
    diffs: &mut Diffs<'_>,
) -> Result<Bound, Refusal> {
    let change = &claim.change;
    let commit_gone = require_endpoints(change, range, diffs)?;
    let mut matched = Vec::new();
    for (subject, descriptor) in subjects.iter().enumerate() {
        if commit_gone.is_some() && descriptor.digest.git_commit().is_some() {
            continue;
        }
        if require_digests(subject, descriptor, diffs)? {
            matched.push(subject);
        }
    }
    if commit_gone.is_none() {
        commits::require_path(change, range, diffs)?;
    }
    rows::require_equal(change, diffs)?;
    Ok(Bound {
        subjects: matched,
        commit_gone,
    })
}

/// Base and proposed commit have the trees that the statement says. Returns the proposed commit if it is gone.
fn require_endpoints(
    change: &Change,
    range: &Range,
    diffs: &mut Diffs<'_>,
) -> Result<Option<GitCommitId>, Refusal> {
    let mut gone = None;
    for (endpoint, is_proposed) in [(&change.proposed, true), (&change.base, false)] {
        let Some(id) = &endpoint.git_commit else { continue };
        let commit = match diffs.commit(id) {
            Ok(commit) => commit,
            // After a squash or amend the commits may be gone; trees and subjects still bind.
            Err(GitViewError::Missing { .. }) if is_proposed && !range.commits.contains(id) => {
                gone = Some(id.clone());
                continue;
            }
            Err(GitViewError::Missing { .. }) if gone.is_some() => continue,
            Err(error) => return Err(Refusal::of_claim(error)),
        };
        if commit.tree != endpoint.git_tree {
            let (claimed, found) = (endpoint.git_tree.clone(), commit.tree.clone());
            return Err(SetAsideReason::TreeMismatch {
                commit: id.clone(),
                claimed,
                found,
            }
            .into());
        }
    }
    Ok(gone)
}

/// Every digest of a subject that names a git object belongs to that object; `false` if it names none.
pub(super) fn require_digests(
    subject: usize,
    descriptor: &ResourceDescriptor,
    diffs: &mut Diffs<'_>,
) -> Result<bool, Refusal> {
    let digest = &descriptor.digest;
    let (object, content) = match (digest.git_commit(), digest.git_tree()) {
        (Some(id), None) => {
            let commit = diffs.commit(&id).map_err(Refusal::of_claim)?;
            (format!("commit {id}"), commit.content_sha256)
        }
        (None, Some(id)) => {
            let content = diffs.git().tree_digest(&id).map_err(Refusal::of_claim)?;
            (format!("tree {id}"), content)
        }
        _ => return Ok(false),
    };
    if digest.sha256().is_some_and(|claimed| claimed != content) {
        return Err(SetAsideReason::DigestMismatch { subject, object }.into());
    }
    Ok(true)
}
