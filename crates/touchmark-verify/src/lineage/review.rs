//! What a review binds to: each field of the change it names, compared with the change under judgement.

use touchmark_statement::repo_path::RepoPath;

use crate::evidence::EvidenceId;

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
