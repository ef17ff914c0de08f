//! Who accounts for each path of a change: verified agent changes, bound to git and put in order.
//!
//! Every statement is compared with objects that were re-hashed: repository, commits, trees, path rows. What does not
//! match is set aside with its reason, and can only be missing, never count. The question is about bytes, from the
//! base tree to the result tree; commit messages and claimed times play no part. Cost grows with the change.

mod bind;
mod build;
mod classify;
mod commits;
mod diffs;
mod error;
mod finding;
mod replay;
mod repository;
mod review;
mod route;
mod rows;
mod session;

use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::repo_path::RepoPath;

use crate::evidence::EvidenceId;
use crate::git_view::{GitView, TreeEntry};
use crate::verified::VerifiedStatement;

pub use error::{LineageError, SetAsideReason};
pub use finding::Finding;
pub use repository::{RepositoryIdentity, normal_uri};
pub use review::{BoundReview, CarriedReview, ReviewBinding};

/// How paths are replayed: a path takes a change's new entry only where it holds the change's old one.
pub const REPLAY_STRATEGY: &str = "path-entries/1";

/// The change that is judged, as the verifier (and nothing in the change) names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeUnderJudgement {
    /// The repository.
    pub repository: RepositoryIdentity,
    /// The full name of the ref that the change is for.
    pub target_ref: String,
    /// The tip of that ref before the change.
    pub base_commit: GitCommitId,
    /// Its tree.
    pub base_tree: GitTreeId,
    /// The commit that is to land, or has landed.
    pub head_commit: GitCommitId,
    /// The tree that is to land, or has landed.
    pub result_tree: GitTreeId,
    /// The commits of the change, base excluded, parents before children.
    pub commits: Vec<GitCommitId>,
    /// Commits of pull-request heads that the verifier names, parents before children; for squashes and rebases.
    pub pull_request_commits: Vec<GitCommitId>,
    /// Whether the change has landed.
    pub landed: bool,
}

/// The verified chain of evidence behind a change. Statements are named by their position in `agent_changes` or
/// `reviews` as they were given to [`Lineage::build`].
#[derive(Debug, Clone)]
pub struct Lineage {
    pub(crate) paths: Vec<AccountedPath>,
    pub(crate) changes: Vec<BoundChange>,
    pub(crate) set_aside: Vec<SetAside>,
    pub(crate) missing: Vec<MissingCommit>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) reviews: Vec<BoundReview>,
}

impl Lineage {
    /// Builds the lineage of a change from statements whose signers may make them.
    pub fn build(
        change: &ChangeUnderJudgement,
        agent_changes: &[VerifiedStatement],
        reviews: &[VerifiedStatement],
        git: &dyn GitView,
    ) -> Result<Self, LineageError> {
        build::build(change, agent_changes, reviews, git)
    }

    /// Returns every path that differs between base and result tree, and every path that evidence changes although
    /// the result does not; in the order of the paths.
    pub fn paths(&self) -> &[AccountedPath] {
        &self.paths
    }

    /// Returns the agent changes that are bound to this change.
    pub fn changes(&self) -> &[BoundChange] {
        &self.changes
    }

    /// Returns the agent changes that the lineage relies on, in the order in which they apply.
    pub fn relied_on(&self) -> impl Iterator<Item = &BoundChange> {
        self.changes.iter().filter(|change| change.relied_on)
    }

    /// Returns the statements that count for nothing here, and why.
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
    }

    /// Returns the commits of the change that no statement covers.
    pub fn missing(&self) -> &[MissingCommit] {
        &self.missing
    }

    /// Returns what is worth a look although it changes no class.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns what each review binds to.
    pub fn reviews(&self) -> &[BoundReview] {
        &self.reviews
    }

    /// Tells whether evidence accounts for every path.
    pub fn is_accounted(&self) -> bool {
        self.paths
            .iter()
            .all(|path| !matches!(path.class, PathClass::Residual(_)))
    }

    /// Returns the paths that evidence does not account for.
    pub fn residual(&self) -> impl Iterator<Item = &AccountedPath> {
        self.paths
            .iter()
            .filter(|path| matches!(path.class, PathClass::Residual(_)))
    }
}

/// One path, what became of it, and what accounts for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountedPath {
    /// The path.
    pub path: RepoPath,
    /// Its entry in the base tree.
    pub from: Option<TreeEntry>,
    /// Its entry in the result tree.
    pub to: Option<TreeEntry>,
    /// What accounts for the difference.
    pub class: PathClass,
    /// The agent changes that touch the path, in the order in which they apply.
    pub by: Vec<usize>,
}

/// What accounts for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathClass {
    /// Agent changes lead from exactly the base tree to exactly the result tree.
    Exact,
    /// Applying whole agent changes to the base tree gives this path's entry.
    Replayed {
        /// How they were applied.
        strategy: &'static str,
    },
    /// Nothing does.
    Residual(ResidualKind),
}

/// Why nothing accounts for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ResidualKind {
    /// The result changes the path, and no evidence does.
    Added,
    /// Evidence changes the path, and the result does not.
    Omitted,
    /// Evidence changes the path to something else.
    Edited,
    /// Evidence changes the path from something else than was there.
    Conflict,
}

impl ResidualKind {
    /// Returns the kind in one word, as verdicts spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Omitted => "omitted",
            Self::Edited => "edited",
            Self::Conflict => "conflict",
        }
    }
}

/// An agent change that is bound to the change under judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundChange {
    /// Its position among the statements given.
    pub statement: usize,
    /// Its identity.
    pub evidence: EvidenceId,
    /// The positions of its subjects that were recomputed from git and match.
    pub subjects: Vec<usize>,
    /// Whether the lineage relies on it.
    pub relied_on: bool,
}

/// A statement that counts for nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its position among the agent changes given.
    pub statement: usize,
    /// Its identity.
    pub evidence: EvidenceId,
    /// Why.
    pub reason: SetAsideReason,
}

/// A commit of the change that no statement covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingCommit {
    /// The commit.
    pub commit: GitCommitId,
    /// The residual paths that differ between it and its first parent.
    pub residual: Vec<RepoPath>,
}
