//! What became what: base, proposed, commits and subjects, all read from git by ourselves.

use touchmark_git::{EvidenceKey, GitError, Repository};
use touchmark_statement::agent_change as claim;
use touchmark_statement::digest::DigestSet;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::limits::MAX_COMMITS;
use touchmark_statement::statement::ResourceDescriptor;
use touchmark_verify::git_view::{GitView, PathChange};

use crate::error::CliError;

/// How far back the place is sought where a branch left the one it is meant for.
const MAX_HISTORY: usize = 100_000;

/// The change that is attested.
#[derive(Debug)]
pub(crate) struct GitChange {
    pub(crate) repository: claim::Repository,
    pub(crate) ref_name: Option<String>,
    pub(crate) base: claim::Endpoint,
    pub(crate) proposed: claim::Endpoint,
    pub(crate) commits: Vec<claim::CommitRow>,
    pub(crate) changes: Vec<PathChange>,
    pub(crate) dirty: bool,
    pub(crate) subjects: Vec<ResourceDescriptor>,
    /// Where the evidence is found again.
    pub(crate) keys: Vec<EvidenceKey>,
}

/// What the user asked to be attested.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// The commits from a base to a head; the base is sought when absent.
    Commits {
        /// The base, as typed.
        base: Option<String>,
        /// The head, as typed.
        proposed: String,
    },
    /// The work tree against a base.
    Uncommitted {
        /// The base, as typed; HEAD when absent.
        base: Option<String>,
    },
    /// What was seen at two moments.
    Seen {
        /// Before.
        base: Point,
        /// After.
        proposed: Point,
    },
}

/// A tree at one moment, and where it stood among the commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    /// The tree.
    pub(crate) tree: GitTreeId,
    /// The commit that was checked out.
    pub(crate) head: Option<GitCommitId>,
    /// Whether the tree is that commit's own.
    pub(crate) committed: bool,
    /// The branch.
    pub(crate) ref_name: Option<String>,
}

impl Point {
    fn endpoint(&self) -> claim::Endpoint {
        claim::Endpoint {
            git_commit: self.head.clone().filter(|_| self.committed),
            git_tree: self.tree.clone(),
        }
    }
}

impl GitChange {
    /// Reads the change; whether the work tree is dirty is left to [`work_tree_counts`] and whoever asked.
    pub(crate) fn read(git: &Repository, asked: &Asked, forge_id: Option<String>) -> Result<Self, CliError> {
        let ref_name = git.head()?.ref_name;
        let repository = repository(git, forge_id)?;
        match asked {
            Asked::Commits { base, proposed } => {
                let head = git.resolve(proposed)?;
                let base = match base {
                    Some(base) => git.resolve(base)?,
                    None => found_base(git)?,
                };
                let ref_name = named_ref(git, proposed, ref_name)?;
                Self::between(git, &base, &head, ref_name, repository)
            }
            Asked::Uncommitted { base } => {
                let base = git.resolve(base.as_deref().unwrap_or("HEAD"))?;
                Self::uncommitted(git, base, ref_name, repository)
            }
            Asked::Seen { base, proposed } => Self::seen(git, base, proposed, repository),
        }
    }

    /// The change between two moments. Commits are named where they lead in one line from the one to the other; else
    /// the trees alone tell.
    fn seen(
        git: &Repository,
        base: &Point,
        proposed: &Point,
        repository: claim::Repository,
    ) -> Result<Self, CliError> {
        let commits = match &proposed.head {
            Some(head) if proposed.committed => line(git, base.head.as_ref(), head)?,
            _ => None,
        };
        let mut end = proposed.endpoint();
        let tree = proposed.tree.clone();
        let mut keys = Vec::new();
        let digest = git.tree_digest(&tree)?;
        let mut subjects = Vec::new();
        if let Some(commit) = &end.git_commit {
            keys.push(EvidenceKey::Commit(commit.clone()));
            if commits.is_some() {
                let content = git.commit(commit)?.content_sha256;
                subjects.push(ResourceDescriptor::new(
                    format!("git+{}", repository.uri),
                    DigestSet::of_commit(commit, content),
                ));
            }
        }
        if commits.is_none() {
            end.git_commit = None;
        }
        keys.push(EvidenceKey::Tree(tree.clone()));
        subjects.push(ResourceDescriptor::new("tree", DigestSet::of_tree(&tree, digest)));
        Ok(Self {
            repository,
            ref_name: proposed.ref_name.clone(),
            base: base.endpoint(),
            changes: git.changed_paths(&base.tree, &tree)?,
            commits: commits.unwrap_or_default(),
            proposed: end,
            dirty: false,
            subjects,
            keys,
        })
    }

    fn between(
        git: &Repository,
        base: &GitCommitId,
        head: &GitCommitId,
        ref_name: Option<String>,
        repository: claim::Repository,
    ) -> Result<Self, CliError> {
        let line = git.linear_range(base, head, MAX_COMMITS)?;
        let (base_tree, proposed) = (git.commit(base)?.tree, git.commit(head)?);
        let mut commits = Vec::with_capacity(line.len());
        for id in line {
            let commit = git.commit(&id)?;
            commits.push(claim::CommitRow {
                git_commit: id,
                git_tree: commit.tree,
                parents: commit.parents,
            });
        }
        let changes = git.changed_paths(&base_tree, &proposed.tree)?;
        let tree_digest = git.tree_digest(&proposed.tree)?;
        let subjects = vec![
            ResourceDescriptor::new(
                format!("git+{}", repository.uri),
                DigestSet::of_commit(head, proposed.content_sha256),
            ),
            ResourceDescriptor::new("tree", DigestSet::of_tree(&proposed.tree, tree_digest)),
        ];
        Ok(Self {
            repository,
            ref_name,
            base: claim::Endpoint {
                git_commit: Some(base.clone()),
                git_tree: base_tree,
            },
            keys: vec![
                EvidenceKey::Commit(head.clone()),
                EvidenceKey::Tree(proposed.tree.clone()),
            ],
            proposed: claim::Endpoint {
                git_commit: Some(head.clone()),
                git_tree: proposed.tree,
            },
            commits,
            changes,
            dirty: false,
            subjects,
        })
    }

    fn uncommitted(
        git: &Repository,
        commit: GitCommitId,
        ref_name: Option<String>,
        repository: claim::Repository,
    ) -> Result<Self, CliError> {
        let base = Point {
            tree: git.commit(&commit)?.tree,
            head: Some(commit.clone()),
            committed: true,
            ref_name: None,
        };
        let now = Point {
            tree: git.snapshot_work_tree()?.tree,
            head: None,
            committed: false,
            ref_name,
        };
        let change = Self::seen(git, &base, &now, repository)?;
        if change.changes.is_empty() {
            return Err(GitError::EmptyRange { commit }.into());
        }
        Ok(change)
    }
}

/// The commits from one (excluded, or none before the first) to another (included); nothing where they form no line.
fn line(
    git: &Repository,
    base: Option<&GitCommitId>,
    head: &GitCommitId,
) -> Result<Option<Vec<claim::CommitRow>>, CliError> {
    let mut rows = Vec::new();
    let mut next = Some(head.clone());
    while let Some(id) = next {
        if base == Some(&id) {
            break;
        }
        let commit = git.commit(&id)?;
        next = match commit.parents.as_slice() {
            [] if base.is_none() => None,
            [parent] if rows.len() < MAX_COMMITS => Some(parent.clone()),
            _ => return Ok(None),
        };
        rows.push(claim::CommitRow {
            git_commit: id,
            git_tree: commit.tree,
            parents: commit.parents,
        });
    }
    rows.reverse();
    Ok((!rows.is_empty()).then_some(rows))
}

/// Returns whether the work tree could hold changes that a statement about these commits would leave out.
pub(crate) fn work_tree_counts(git: &Repository, asked: &Asked) -> Result<bool, CliError> {
    match (asked, git.head()?.commit) {
        (Asked::Commits { proposed, .. }, Some(head)) if git.work_tree().is_some() => {
            Ok(git.resolve(proposed)? == head)
        }
        _ => Ok(false),
    }
}

/// Names the repository: its remote without credentials, else its first commit.
pub(crate) fn repository(git: &Repository, forge_id: Option<String>) -> Result<claim::Repository, CliError> {
    if let Some(uri) = git.remote_uri("origin") {
        return Ok(claim::Repository { uri, id: forge_id });
    }
    let roots = git.root_commits(usize::MAX - 1)?;
    let root = roots.first().ok_or(GitError::Unborn)?;
    Ok(claim::Repository {
        uri: format!("urn:touchmark:root:{root}"),
        id: forge_id,
    })
}

fn found_base(git: &Repository) -> Result<GitCommitId, CliError> {
    git.upstream_base(MAX_HISTORY)?.ok_or_else(|| {
        CliError::usage(
            "attest.no_base",
            "it is not known from where this work started: there is no upstream branch",
        )
        .hint("say it with --base COMMIT")
    })
}

/// The ref that was worked on: the one that was named, else the checked-out one where HEAD was named.
fn named_ref(git: &Repository, proposed: &str, head: Option<String>) -> Result<Option<String>, CliError> {
    if proposed == "HEAD" {
        return Ok(head);
    }
    if proposed.parse::<GitCommitId>().is_ok() {
        return Ok(None);
    }
    Ok(Some(git.full_name(proposed)?).filter(|name| name.starts_with("refs/")))
}
