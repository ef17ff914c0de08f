//! What is worth a look in a lineage although it changes no class.

use touchmark_statement::agent_change::Attribution;
use touchmark_statement::git_id::GitCommitId;
use touchmark_statement::repo_path::RepoPath;

/// Something worth a look. `statement` is the position among the agent changes given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A path differs, but the transcript does not say that the agent wrote it.
    Undeclared {
        /// The statement.
        statement: usize,
        /// The path.
        path: RepoPath,
    },
    /// A path is not attributed to the agent alone.
    Attribution {
        /// The statement.
        statement: usize,
        /// The path.
        path: RepoPath,
        /// To whom it is attributed.
        attribution: Attribution,
    },
    /// The work tree differed from what was captured.
    Dirty {
        /// The statement.
        statement: usize,
    },
    /// A statement of the same session that should come before this one is not at hand.
    SessionGap {
        /// The statement.
        statement: usize,
    },
    /// The statement's commit is gone, as after a squash or amend; its tree is what binds it.
    CommitNotAtHand {
        /// The statement.
        statement: usize,
        /// The commit.
        commit: GitCommitId,
    },
}

impl Finding {
    /// Returns the stable code of this finding.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Undeclared { .. } => "lineage.undeclared",
            Self::Attribution { .. } => "lineage.attribution",
            Self::Dirty { .. } => "lineage.dirty",
            Self::SessionGap { .. } => "session.gap",
            Self::CommitNotAtHand { .. } => "lineage.commit_not_at_hand",
        }
    }

    /// Returns the position of the statement it is about.
    pub fn statement(&self) -> usize {
        match self {
            Self::Undeclared { statement, .. }
            | Self::Attribution { statement, .. }
            | Self::Dirty { statement }
            | Self::SessionGap { statement }
            | Self::CommitNotAtHand { statement, .. } => *statement,
        }
    }

    /// Returns the path it is about, if it is about one.
    pub fn path(&self) -> Option<&RepoPath> {
        match self {
            Self::Undeclared { path, .. } | Self::Attribution { path, .. } => Some(path),
            Self::Dirty { .. } | Self::SessionGap { .. } | Self::CommitNotAtHand { .. } => None,
        }
    }
}
