//! The part of `agent-change/v1` that git can confirm: what became what.

use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::file_mode::FileMode;
use crate::git_id::{GitBlobId, GitCommitId, GitTreeId};
use crate::repo_path::RepoPath;

/// What became what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The repository.
    pub repository: Repository,
    /// The full name of the ref that was worked on; absent for a detached head.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub ref_name: Option<String>,
    /// What the work started from.
    pub base: Endpoint,
    /// What the agent proposes.
    pub proposed: Endpoint,
    /// The commits from base (excluded) to proposed (included), oldest first; empty for uncommitted work.
    pub commits: Vec<CommitRow>,
    /// One row for every path that differs between the two trees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<PathRow>>,
    /// Stands in for `paths` beyond the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths_tree: Option<PathsTree>,
    /// Paths that differ, but that the transcript does not say were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undeclared: Option<Vec<RepoPath>>,
    /// Paths that the transcript says were written, but that do not differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<Vec<RepoPath>>,
    /// Whether the work tree differed from what was captured.
    pub dirty: bool,
}

/// A repository, as its remote is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    /// The URI without credentials and query, or `urn:touchmark:root:<root commit>` where there is no remote.
    pub uri: String,
    /// The forge's numeric id, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// One end of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The commit; absent for uncommitted work and before the first commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<GitCommitId>,
    /// The tree.
    pub git_tree: GitTreeId,
}

/// One commit of the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitRow {
    /// The commit.
    pub git_commit: GitCommitId,
    /// Its tree.
    pub git_tree: GitTreeId,
    /// Its parents, in order.
    pub parents: Vec<GitCommitId>,
}

/// One path that differs between the two trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathRow {
    /// The path.
    pub path: RepoPath,
    /// How it differs; follows from the two sides.
    pub status: PathStatus,
    /// What was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<OldSide>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<NewSide>,
    /// Who wrote it, as far as the transcript tells.
    pub attribution: Attribution,
}

impl PathRow {
    /// Returns a row whose status follows from its sides; nothing where they are equal or both absent.
    pub fn new(
        path: RepoPath,
        from: Option<OldSide>,
        to: Option<NewSide>,
        attribution: Attribution,
    ) -> Option<Self> {
        let status = PathStatus::of(from.as_ref(), to.as_ref())?;
        Some(Self {
            path,
            status,
            from,
            to,
            attribution,
        })
    }
}

/// A tree entry before the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OldSide {
    /// Its mode.
    pub mode: FileMode,
    /// Its blob; for a gitlink the submodule's commit.
    pub git_blob: GitBlobId,
}

/// A tree entry after the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSide {
    /// Its mode.
    pub mode: FileMode,
    /// Its blob; for a gitlink the submodule's commit.
    pub git_blob: GitBlobId,
    /// The digest of the blob's content; absent exactly for a gitlink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// The length of the blob's content in bytes; absent exactly for a gitlink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// How a path differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PathStatus {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Deleted,
    /// Its content differs.
    Modified,
    /// Only its mode differs, and it is a file on both sides.
    ModeChanged,
    /// It is another kind of thing: file, symbolic link, gitlink.
    TypeChanged,
}

impl PathStatus {
    /// Returns how two sides of a path differ, if they do.
    pub fn of(from: Option<&OldSide>, to: Option<&NewSide>) -> Option<Self> {
        match (from, to) {
            (None, None) => None,
            (None, Some(_)) => Some(Self::Added),
            (Some(_), None) => Some(Self::Deleted),
            (Some(from), Some(to)) if from.mode == to.mode => {
                (from.git_blob != to.git_blob).then_some(Self::Modified)
            }
            (Some(from), Some(to)) if !(from.mode.is_file() && to.mode.is_file()) => Some(Self::TypeChanged),
            (Some(from), Some(to)) if from.git_blob == to.git_blob => Some(Self::ModeChanged),
            (Some(_), Some(_)) => Some(Self::Modified),
        }
    }
}

/// Who wrote a path, as far as the transcript tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Attribution {
    /// The agent alone.
    Agent,
    /// A person alone.
    Human,
    /// Both.
    Mixed,
    /// Nobody knows.
    Unknown,
}

/// A tree over path rows that are kept beside the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathsTree {
    /// The number of rows.
    pub count: u64,
    /// The RFC 6962 root over the canonical JSON of each row, in order of path.
    pub root: Sha256Digest,
}
