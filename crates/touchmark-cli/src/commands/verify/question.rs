//! Which change is asked about. The base is what the verifier names as the protected tip, never anything in the change.

use std::collections::BTreeSet;

use touchmark_git::limits::MAX_RANGE_COMMITS;
use touchmark_git::{GitError, Repository};
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::lineage::ChangeUnderJudgement;

use super::Args;
use crate::error::CliError;

/// The two commits and the protected ref.
#[derive(Debug)]
pub(super) struct Question {
    base: GitCommitId,
    head: GitCommitId,
    target_ref: String,
    landed: bool,
}

impl Question {
    /// Reads the question from the flags.
    pub(super) fn ask(args: &Args, repository: &Repository) -> Result<Self, CliError> {
        if let Some(range) = &args.landed {
            let (old, new) = split(range)?;
            return Ok(Self {
                base: repository.resolve(old)?,
                head: repository.resolve(new)?,
                target_ref: full_ref(args.target.as_deref().unwrap_or_default())?,
                landed: true,
            });
        }
        let change = args.change.as_deref().unwrap_or("HEAD");
        let (range_base, head) = match change.split_once("..") {
            Some(_) => split(change).map(|(base, head)| (Some(base), head))?,
            None => (None, change),
        };
        let target_ref = match (&args.target, range_base) {
            (Some(target), _) => full_ref(target)?,
            (None, Some(base)) => protected_ref(base, repository)?,
            (None, None) => {
                return Err(CliError::usage(
                    "verify.no_target",
                    "it is not said which protected ref the change is for",
                )
                .hint("touchmark verify main..HEAD, or touchmark verify HEAD --target refs/heads/main"));
            }
        };
        let base = repository.resolve(&target_ref).map_err(|error| match error {
            GitError::RevisionUnknown { .. } => CliError::from(error)
                .hint("a clone has it under another name; for instance: git fetch origin main:main"),
            error => error.into(),
        })?;
        if let Some(range_base) = range_base {
            let named = repository.resolve(range_base)?;
            if named != base {
                return Err(CliError::usage(
                    "range.base_not_target",
                    format!("the range begins at {named}, but {target_ref} is at {base}"),
                )
                .hint("the base of a change is the tip of the protected ref; leave it out or name that"));
            }
        }
        Ok(Self {
            base,
            head: repository.resolve(head)?,
            target_ref,
            landed: false,
        })
    }

    /// Returns what is likely not meant: reviews are about the branch, not about what a clone calls it.
    pub(super) fn doubt(&self) -> Option<String> {
        self.target_ref.starts_with("refs/remotes/").then(|| {
            format!(
                "approvals for {} count only if they name it so; to judge the branch itself: git fetch origin main:main",
                self.target_ref
            )
        })
    }

    /// Reads the change from git.
    pub(super) fn change(&self, repository: &Repository) -> Result<ChangeUnderJudgement, CliError> {
        let change = repository.change(&self.base, &self.head, &self.target_ref, self.landed);
        change.map_err(|error| match error {
            GitError::BaseNotAncestor { .. } => CliError::from(error).hint(if self.landed {
                "NEW does not follow from OLD: the protected ref was rewritten, or OLD is not where it was"
            } else {
                "the change does not contain the tip of its target: rebase it or merge the target into it"
            }),
            GitError::EmptyRange { .. } if !self.landed => CliError::from(error).hint(
                "the head is the tip of the target already; for what landed: --landed OLD..NEW --target REF",
            ),
            error => error.into(),
        })
    }
}

/// Adds the commits of pull requests that the verifier names, each once, parents before children.
pub(super) fn add_pull_requests(
    change: &mut ChangeUnderJudgement,
    heads: &[String],
    repository: &Repository,
) -> Result<(), CliError> {
    let mut known = BTreeSet::new();
    for head in heads {
        let head = repository.resolve(head)?;
        let commits = repository.commits_beyond(&change.base_commit, &head, MAX_RANGE_COMMITS)?;
        let new = commits.into_iter().filter(|commit| known.insert(commit.clone()));
        change.pull_request_commits.extend(new);
    }
    Ok(())
}

fn split(range: &str) -> Result<(&str, &str), CliError> {
    match range.split_once("..") {
        Some((base, head)) if !base.is_empty() && !head.is_empty() && !head.starts_with('.') => {
            Ok((base, head))
        }
        _ => Err(
            CliError::usage("range.syntax", format!("{range} is not BASE..HEAD"))
                .hint("two dots between the protected tip and the head of the change"),
        ),
    }
}

fn full_ref(text: &str) -> Result<String, CliError> {
    if text.starts_with("refs/") {
        return Ok(text.to_owned());
    }
    Err(CliError::usage(
        "range.target_not_full",
        format!("{text:?} is not the full name of a ref"),
    )
    .hint("for instance --target refs/heads/main"))
}

/// The ref that a range begins at, when the range itself names the target.
fn protected_ref(base: &str, repository: &Repository) -> Result<String, CliError> {
    if base.parse::<GitCommitId>().is_ok() || base == "HEAD" {
        return Err(CliError::usage(
            "verify.no_target",
            format!("{base} names a commit, not the protected ref"),
        )
        .hint("add --target refs/heads/main"));
    }
    Ok(repository.full_name(base)?)
}
