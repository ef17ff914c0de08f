//! What HEAD is, for statements about a tree as it stands: that it is clean before and that it has not moved after.

use std::path::{Path, PathBuf};

use touchmark_git::{EvidenceKey, GitError, Repository};
use touchmark_statement::agent_change as claim;
use touchmark_statement::digest::DigestSet;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::repo_path::RepoPath;
use touchmark_statement::statement::ResourceDescriptor;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::git_view::{GitView as _, PathChange};

use super::change::repository;
use crate::error::CliError;

/// The tree that is attested, and the commit that has it.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) repository: claim::Repository,
    pub(super) ref_name: Option<String>,
    /// Absent for uncommitted work.
    pub(super) commit: Option<GitCommitId>,
    pub(super) tree: GitTreeId,
    /// When the commit says that it was made.
    pub(super) committed_at: Option<Timestamp>,
    pub(super) subjects: Vec<ResourceDescriptor>,
    pub(super) keys: Vec<EvidenceKey>,
}

impl Head {
    /// Reads HEAD, whose work tree must be as it was committed, but for new files that the caller names.
    pub(super) fn committed(
        git: &Repository,
        own: &[PathBuf],
        forge_id: Option<String>,
    ) -> Result<Self, CliError> {
        let head = git.head()?;
        let id = head.commit.ok_or(GitError::Unborn)?;
        let commit = git.commit(&id)?;
        if git.work_tree().is_some() {
            let own: Vec<RepoPath> = own.iter().filter_map(|file| inside(git, file)).collect();
            let foreign = changed(git, &commit.tree)?;
            let foreign = foreign
                .iter()
                .find(|change| change.from.is_some() || !own.contains(&change.path));
            if let Some(change) = foreign {
                return Err(CliError::usage(
                    "attest.dirty",
                    format!(
                        "the work tree differs from HEAD, in {}",
                        change.path.to_string_lossy()
                    ),
                )
                .hint("commit or remove it first, or say --uncommitted where the tree alone is meant"));
            }
        }
        let repository = repository(git, forge_id)?;
        let subjects = vec![
            ResourceDescriptor::new(
                format!("git+{}", repository.uri),
                DigestSet::of_commit(&id, commit.content_sha256),
            ),
            tree_subject(git, &commit.tree)?,
        ];
        Ok(Self {
            repository,
            ref_name: head.ref_name,
            committed_at: Timestamp::from_unix(commit.committer.time).ok(),
            keys: vec![
                EvidenceKey::Commit(id.clone()),
                EvidenceKey::Tree(commit.tree.clone()),
            ],
            commit: Some(id),
            tree: commit.tree,
            subjects,
        })
    }

    /// Reads the work tree as it is.
    pub(super) fn uncommitted(git: &Repository, forge_id: Option<String>) -> Result<Self, CliError> {
        let tree = git.snapshot_work_tree()?.tree;
        Ok(Self {
            repository: repository(git, forge_id)?,
            ref_name: git.head()?.ref_name,
            commit: None,
            committed_at: None,
            subjects: vec![tree_subject(git, &tree)?],
            keys: vec![EvidenceKey::Tree(tree.clone())],
            tree,
        })
    }

    /// Refuses what is not the same any more: HEAD has moved, or a file that is attested has changed. Returns how many
    /// new files lie there that were not there before.
    pub(super) fn refuse_moved(&self, git: &Repository) -> Result<usize, CliError> {
        if self.commit.is_some() && git.head()?.commit != self.commit {
            return Err(CliError::failed(
                "attest.head_moved",
                "HEAD has moved since the work began: it is not known which commit the result is of",
            )
            .hint("run it again when nothing commits meanwhile"));
        }
        if git.work_tree().is_none() {
            return Ok(0);
        }
        let changed = changed(git, &self.tree)?;
        if let Some(change) = changed.iter().find(|change| change.from.is_some()) {
            let path = change.path.to_string_lossy();
            return Err(CliError::failed(
                "attest.tree_changed",
                format!(
                    "{path} has changed since the work began: it is not known which tree the result is of"
                ),
            )
            .hint("let the command write into folders that git ignores"));
        }
        Ok(changed.len())
    }
}

fn tree_subject(git: &Repository, tree: &GitTreeId) -> Result<ResourceDescriptor, CliError> {
    Ok(ResourceDescriptor::new(
        "tree",
        DigestSet::of_tree(tree, git.tree_digest(tree)?),
    ))
}

/// What differs between a tree and the work tree, by the files themselves: whose work is tested could write the index.
fn changed(git: &Repository, tree: &GitTreeId) -> Result<Vec<PathChange>, CliError> {
    let snapshot = git.snapshot_afresh(tree)?;
    if snapshot == *tree {
        return Ok(Vec::new());
    }
    Ok(git.changed_paths(tree, &snapshot)?)
}

/// Names a file inside of the work tree as git does.
fn inside(git: &Repository, file: &Path) -> Option<RepoPath> {
    let (root, file) = (git.work_tree()?.canonicalize().ok()?, file.canonicalize().ok()?);
    let path = file.strip_prefix(root).ok()?;
    RepoPath::from_bytes(path.as_os_str().as_encoded_bytes()).ok()
}
