//! Why a lineage cannot be built, and why a statement counts for nothing.

use thiserror::Error;
use touchmark_statement::git_id::{GitCommitId, GitTreeId, ObjectFormat};
use touchmark_statement::repo_path::RepoPath;

use crate::git_view::GitViewError;
use crate::limits::{MAX_CHANGE_COMMITS, MAX_LINEAGE_STATEMENTS};

/// Why the question cannot be decided at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LineageError {
    /// Git has no answer about the change itself.
    #[error(transparent)]
    Git(#[from] GitViewError),
    /// A commit named by the caller does not have the tree that the caller named.
    #[error("commit {commit} has tree {found}, not {named}")]
    TreeMismatch {
        /// The commit.
        commit: GitCommitId,
        /// The tree that the caller named.
        named: GitTreeId,
        /// The tree that the commit has.
        found: GitTreeId,
    },
    /// The commits are not those from base to head, parents before children, each once.
    #[error("commit {commit} is out of place in the list of the change's commits")]
    CommitOrder {
        /// The first commit out of place.
        commit: GitCommitId,
    },
    /// The change has too many commits.
    #[error("a change has at most {MAX_CHANGE_COMMITS} commits, found {found}")]
    TooManyCommits {
        /// How many there are.
        found: usize,
    },
    /// There are too many statements.
    #[error("a lineage is built from at most {MAX_LINEAGE_STATEMENTS} statements, found {found}")]
    TooManyStatements {
        /// How many there are.
        found: usize,
    },
}

impl LineageError {
    /// Returns the stable code of this failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Git(error) => error.code(),
            Self::TreeMismatch { .. } => "lineage.tree_mismatch",
            Self::CommitOrder { .. } => "lineage.commit_order",
            Self::TooManyCommits { .. } => "lineage.too_many_commits",
            Self::TooManyStatements { .. } => "lineage.too_many_statements",
        }
    }
}

/// Why a statement counts for nothing in this change.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SetAsideReason {
    /// It is not an agent change.
    #[error("the statement is not an agent change")]
    NotAnAgentChange,
    /// The same payload by the same signer was given before.
    #[error("the same statement was given before")]
    Duplicate,
    /// It is about another repository.
    #[error("the statement is about repository {found:?}")]
    RepositoryMismatch {
        /// The repository that it names.
        found: String,
    },
    /// An id does not have the length of this repository's object ids.
    #[error("the statement names an object {found} in a repository of {expected:?} ids")]
    ObjectFormat {
        /// The id found.
        found: String,
        /// The repository's object format.
        expected: ObjectFormat,
    },
    /// Neither its commit nor its tree is part of this change.
    #[error("neither commit nor tree of the statement is part of this change")]
    NotInRange,
    /// A subject's digests do not all belong to one object.
    #[error("the digests of subject {subject} do not all belong to {object}")]
    DigestMismatch {
        /// The position of the subject.
        subject: usize,
        /// The object that one of them names.
        object: String,
    },
    /// An object that it names is not in the repository, or cannot be relied on.
    #[error("{object} cannot be read from the repository ({code})")]
    ObjectUnreadable {
        /// The object.
        object: String,
        /// The code of the reason.
        code: &'static str,
    },
    /// A commit that it names has another tree than it says.
    #[error("commit {commit} has tree {found}, not {claimed}")]
    TreeMismatch {
        /// The commit.
        commit: GitCommitId,
        /// The tree that the statement says.
        claimed: GitTreeId,
        /// The tree that the commit has.
        found: GitTreeId,
    },
    /// Its list of commits is not what leads from its base to its proposed commit.
    #[error("the statement's commits do not lead from its base to its proposed commit, at commit {commit}")]
    CommitsMismatch {
        /// The first commit that does not fit.
        commit: GitCommitId,
    },
    /// Its path rows are not what git computes.
    #[error("the statement's row for path {path:?} is not what git computes")]
    PathsMismatch {
        /// The first path that differs.
        path: RepoPath,
    },
    /// It has more paths than it lists, and the rows are not at hand.
    #[error("the statement lists its paths elsewhere, which this version does not read")]
    PathsTreeUnsupported,
    /// Two statements of one session have one place in it.
    #[error("two statements have place {sequence} in one session")]
    SessionForked {
        /// The place.
        sequence: u64,
    },
    /// It names as its predecessor a statement that is not the one before it in its session.
    #[error("the statement has place {sequence} in its session and names one that does not come before it")]
    SessionSkipped {
        /// Its place.
        sequence: u64,
    },
}

impl SetAsideReason {
    /// Returns the stable code of this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnAgentChange => "binding.not_agent_change",
            Self::Duplicate => "binding.duplicate",
            Self::RepositoryMismatch { .. } => "binding.repository_mismatch",
            Self::ObjectFormat { .. } => "binding.object_format",
            Self::NotInRange => "binding.not_in_range",
            Self::DigestMismatch { .. } => "binding.digest_mismatch",
            Self::ObjectUnreadable { .. } => "binding.object_unreadable",
            Self::TreeMismatch { .. } => "binding.tree_mismatch",
            Self::CommitsMismatch { .. } => "binding.commits_mismatch",
            Self::PathsMismatch { .. } => "binding.paths_mismatch",
            Self::PathsTreeUnsupported => "binding.paths_tree_unsupported",
            Self::SessionForked { .. } => "session.forked",
            Self::SessionSkipped { .. } => "session.skipped",
        }
    }
}
