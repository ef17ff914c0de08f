//! Rules of our own predicates that span several fields, and what breaking them is called.

use crate::agent_change::PathStatus;
use crate::repo_path::RepoPath;

/// Why a predicate of ours was refused although every value in it is well formed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PredicateError {
    /// A list is longer than its cap.
    #[error("{pointer} has {found} items, at most {max} are allowed")]
    TooMany {
        /// JSON pointer to the list, inside the predicate.
        pointer: &'static str,
        /// The cap.
        max: usize,
        /// The length found.
        found: usize,
    },
    /// A list or digest set that must say something is empty.
    #[error("{pointer} is empty")]
    Empty {
        /// JSON pointer to the list, inside the predicate.
        pointer: &'static str,
    },
    /// A digest set has no digest of a known, strong algorithm.
    #[error("{pointer} has no digest of a known, strong algorithm")]
    WeakDigest {
        /// JSON pointer to the set, inside the predicate.
        pointer: &'static str,
    },
    /// One path has two rows.
    #[error("{pointer} names {path} twice")]
    DuplicatePath {
        /// JSON pointer to the list, inside the predicate.
        pointer: &'static str,
        /// The path.
        path: RepoPath,
    },
    /// A path row says another status than its two sides do, or nothing changed.
    #[error("the row of {path} says {stated}, its two sides say {computed:?}")]
    PathStatus {
        /// The path.
        path: RepoPath,
        /// What the row says.
        stated: PathStatus,
        /// What follows from its sides; nothing where they are equal or both absent.
        computed: Option<PathStatus>,
    },
    /// The new side of a path lacks digest or size, or has them although it is a gitlink, or is a tree.
    #[error(
        "the row of {path}: a file or link has `sha256` and `size`, a gitlink has neither, a tree has no row"
    )]
    PathContent {
        /// The path.
        path: RepoPath,
    },
    /// Not exactly one of `paths` and `pathsTree`.
    #[error("a change has exactly one of `paths` and `pathsTree`")]
    PathsOrTree,
    /// `root` and `count` do not come together, or the commitments are not numbered 0 to `count` - 1.
    #[error("prompt commitments are numbered from 0, and come with their root and count")]
    PromptCommitments,
    /// A prompt without commitments and without a plain digest.
    #[error("a prompt has commitments or a plain digest")]
    PromptSaysNothing,
    /// A repository URI without a scheme, with credentials, or with a query or fragment.
    #[error("a repository URI has a scheme, and no credentials, query or fragment")]
    RepositoryUri {
        /// JSON pointer to the URI, inside the predicate.
        pointer: &'static str,
    },
    /// A ref name that is not full.
    #[error("{pointer} is a full ref name, beginning with refs/")]
    RefName {
        /// JSON pointer to the name, inside the predicate.
        pointer: &'static str,
    },
    /// Not exactly one of `change` and `deploy`, or not the one that `about` names.
    #[error("a review has exactly one of `change` and `deploy`, the one that `about` names")]
    ChangeOrDeploy,
    /// A scope of the whole with paths, or of a part without.
    #[error("a scope is the whole, or at least one path glob, not both")]
    Scope,
    /// A review by a forge without `forge`, or the reverse.
    #[error("`forge` is there exactly when `method` is forge")]
    Forge,
    /// A source key that is no JSON pointer, or is too long.
    #[error("the keys of `capture.sources` are JSON pointers of at most 4096 bytes")]
    SourcePointer,
    /// A currency that is not three capital letters.
    #[error("a currency is three capital letters (ISO 4217)")]
    Currency,
    /// A time span that ends before it begins.
    #[error("a run ends after it starts")]
    RunTimes,
}

impl PredicateError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "predicate.too_many",
            Self::Empty { .. } => "predicate.empty",
            Self::WeakDigest { .. } => "predicate.weak_digest",
            Self::DuplicatePath { .. } => "change.duplicate_path",
            Self::PathStatus { .. } => "change.path_status",
            Self::PathContent { .. } => "change.path_content",
            Self::PathsOrTree => "change.paths_or_tree",
            Self::PromptCommitments => "prompt.commitments",
            Self::PromptSaysNothing => "prompt.says_nothing",
            Self::RepositoryUri { .. } => "repository.uri",
            Self::RefName { .. } => "change.ref_name",
            Self::ChangeOrDeploy => "review.change_or_deploy",
            Self::Scope => "review.scope",
            Self::Forge => "review.forge",
            Self::SourcePointer => "capture.source_pointer",
            Self::Currency => "usage.currency",
            Self::RunTimes => "run.times",
        }
    }
}
