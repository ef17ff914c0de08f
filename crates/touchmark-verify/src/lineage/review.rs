//! What a review binds to: each field of the change it names, compared with the change under judgement.

use std::collections::HashSet;

use touchmark_statement::digest::DigestSet;
use touchmark_statement::repo_path::RepoPath;
use touchmark_statement::review::ReviewedChange;

use super::bind::{Refusal, require_digests};
use super::diffs::Diffs;
use super::{ChangeUnderJudgement, LineageError};
use crate::evidence::EvidenceId;
use crate::git_view::{GitViewError, PathChange};
use crate::verified::VerifiedStatement;

/// A review and what it binds to. Its scope's globs are the policy's to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundReview {
    /// Its position among the reviews given.
    pub statement: usize,
    /// Its identity.
    pub evidence: EvidenceId,
    /// Which fields of the change it names match; `None` for a review that is not about a change.
    pub binding: Option<ReviewBinding>,
    /// The agent changes relied on that the reviewer was shown, by position.
    pub shown: Vec<usize>,
    /// The agent changes relied on that the reviewer was not shown, by position.
    pub not_shown: Vec<usize>,
    /// Where only base, result or head differ: whether the reviewed change as a whole is part of this one.
    pub carried: Option<CarriedReview>,
}

/// Which fields of a reviewed change match the change under judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewBinding {
    /// The repository.
    pub repository: bool,
    /// The target ref.
    pub target_ref: bool,
    /// The base tree.
    pub base_tree: bool,
    /// The result tree.
    pub result_tree: bool,
    /// The head commit.
    pub head: bool,
    /// The subjects' digests, recomputed from git.
    pub subjects: bool,
}

impl ReviewBinding {
    /// Tells whether every field matches.
    pub fn is_exact(&self) -> bool {
        self.repository && self.target_ref && self.base_tree && self.result_tree && self.head && self.subjects
    }
}

/// How the reviewed change, base tree to result tree, stands in the change under judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedReview {
    /// The paths that the reviewed change touches.
    pub touched: Vec<RepoPath>,
    /// Those of them that the base under judgement does not hold as the reviewed base did.
    pub base_differs: Vec<RepoPath>,
    /// Those of them that the result under judgement does not hold as the reviewed result did.
    pub result_differs: Vec<RepoPath>,
}

/// Binds every review to the change under judgement.
pub(super) fn bind_all(
    change: &ChangeUnderJudgement,
    reviews: &[VerifiedStatement],
    relied: &[usize],
    agent_changes: &[VerifiedStatement],
    diffs: &mut Diffs<'_>,
) -> Result<Vec<BoundReview>, LineageError> {
    let mut bound = Vec::new();
    for (statement, verified) in reviews.iter().enumerate() {
        let Some(review) = verified.statement().predicate.as_review() else {
            continue;
        };
        let was_shown = |position: &usize| {
            let payload = DigestSet::of_sha256(agent_changes[*position].payload_digest());
            review
                .evidence
                .iter()
                .any(|digests| digests.agrees_with(&payload))
        };
        let (shown, not_shown): (Vec<usize>, Vec<usize>) =
            relied.iter().partition(|position| was_shown(position));
        let binding = match &review.change {
            Some(reviewed) => Some(compare(change, reviewed, verified, diffs)?),
            None => None,
        };
        let moved = binding.is_some_and(|binding| {
            binding.repository && binding.target_ref && !(binding.base_tree && binding.result_tree)
        });
        let carried = match &review.change {
            Some(reviewed) if moved => carry(change, reviewed, diffs)?,
            _ => None,
        };
        let evidence = verified.evidence_id();
        bound.push(BoundReview {
            statement,
            evidence,
            binding,
            shown,
            not_shown,
            carried,
        });
    }
    Ok(bound)
}

fn compare(
    change: &ChangeUnderJudgement,
    reviewed: &ReviewedChange,
    verified: &VerifiedStatement,
    diffs: &mut Diffs<'_>,
) -> Result<ReviewBinding, LineageError> {
    let mut subjects = true;
    for (subject, descriptor) in verified.statement().subject.iter().enumerate() {
        match require_digests(subject, descriptor, diffs) {
            Ok(_) => {}
            Err(Refusal::Aside(_)) => subjects = false,
            Err(Refusal::Undecided(error)) => return Err(error.into()),
        }
    }
    Ok(ReviewBinding {
        repository: change.repository.is_named_by(&reviewed.repository.uri),
        target_ref: reviewed.target_ref == change.target_ref,
        base_tree: reviewed.base_tree == change.base_tree,
        result_tree: reviewed.result_tree == change.result_tree,
        head: reviewed.head == change.head_commit,
        subjects,
    })
}

/// Compares the reviewed change with the one under judgement at every path that it touches; `None` where its trees
/// are not at hand.
fn carry(
    change: &ChangeUnderJudgement,
    reviewed: &ReviewedChange,
    diffs: &mut Diffs<'_>,
) -> Result<Option<CarriedReview>, LineageError> {
    let pairs = [
        (&reviewed.base_tree, &reviewed.result_tree),
        (&reviewed.base_tree, &change.base_tree),
        (&reviewed.result_tree, &change.result_tree),
    ];
    let mut differing = Vec::new();
    for (one, other) in pairs {
        match diffs.changed(one, other) {
            Ok(changed) => differing.push(changed),
            Err(error @ GitViewError::Unreadable { .. }) => return Err(error.into()),
            Err(_) => return Ok(None),
        }
    }
    let touched: Vec<RepoPath> = differing[0].iter().map(|row| row.path.clone()).collect();
    let within = |changed: &[PathChange]| {
        let paths: HashSet<&RepoPath> = changed.iter().map(|row| &row.path).collect();
        touched
            .iter()
            .filter(|path| paths.contains(path))
            .cloned()
            .collect::<Vec<_>>()
    };
    let (base_differs, result_differs) = (within(&differing[1]), within(&differing[2]));
    Ok(Some(CarriedReview {
        touched,
        base_differs,
        result_differs,
    }))
}
