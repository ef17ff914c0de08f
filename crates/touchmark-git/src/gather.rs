//! What the gate is asked about: the change between two commits, and every piece of evidence under the exact names of
//! what it touches. Evidence is never searched for: what it costs grows with the change, not with the history.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::statement::SignedStatement;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::git_view::GitView as _;
use touchmark_verify::lineage::{ChangeUnderJudgement, RepositoryIdentity};

use crate::error::GitError;
use crate::evidence::{EvidenceFile, EvidenceKey, EvidenceName};
use crate::limits;
use crate::repository::Repository;

/// Begins the name of a repository without remote; see `touchmark_verify::lineage`.
const ROOT_PREFIX: &str = "urn:touchmark:root:";

/// The evidence about one change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Each piece once, in the order of refs and names.
    pub files: Vec<EvidenceFile>,
    /// Whether a piece names the repository by its root commit, so that the caller has to find that out.
    pub names_root_commit: bool,
}

impl Repository {
    /// Describes the change from `base` to `head`, two commits that the caller names, for the ref `target_ref`.
    ///
    /// # Errors
    /// As [`range`](Self::range).
    pub fn change(
        &self,
        base: &GitCommitId,
        head: &GitCommitId,
        target_ref: &str,
        landed: bool,
    ) -> Result<ChangeUnderJudgement, GitError> {
        let commits = self.range(base, head, limits::MAX_RANGE_COMMITS)?;
        Ok(ChangeUnderJudgement {
            repository: RepositoryIdentity {
                uris: self.remote_uri("origin").into_iter().collect(),
                root_commits: Vec::new(),
            },
            target_ref: target_ref.to_owned(),
            base_commit: base.clone(),
            base_tree: GitTreeId::clone(&self.commit(base)?.tree),
            head_commit: head.clone(),
            result_tree: self.commit(head)?.tree.clone(),
            commits,
            pull_request_commits: Vec::new(),
            landed,
        })
    }

    /// Reads the evidence whose name `wanted` accepts, under every commit and tree of the change, and under every
    /// uncommitted tree that a statement found so far begins from.
    ///
    /// # Errors
    /// An evidence ref that cannot be read, or a cap that was reached; never because a piece of evidence is bad.
    pub fn evidence_about(
        &self,
        change: &ChangeUnderJudgement,
        wanted: &dyn Fn(&EvidenceName) -> bool,
    ) -> Result<Gathered, GitError> {
        self.evidence_kept(change, wanted, &|_, _| true)
    }

    /// As [`evidence_about`](Self::evidence_about), but reads only what `keep` accepts by its content too. Whatever it
    /// refuses costs a look, and counts towards no cap.
    ///
    /// # Errors
    /// As [`evidence_about`](Self::evidence_about).
    pub fn evidence_kept(
        &self,
        change: &ChangeUnderJudgement,
        wanted: &dyn Fn(&EvidenceName) -> bool,
        keep: &dyn Fn(&EvidenceName, &[u8]) -> bool,
    ) -> Result<Gathered, GitError> {
        let mut keys = VecDeque::new();
        for commit in change.commits.iter().chain(&change.pull_request_commits) {
            keys.push_back(EvidenceKey::Commit(commit.clone()));
            keys.push_back(EvidenceKey::Tree(self.commit(commit)?.tree.clone()));
        }
        let mut seen_keys: BTreeSet<String> = keys.iter().map(EvidenceKey::ref_name).collect();
        // What begins where the change begins leads nowhere further back.
        seen_keys.insert(EvidenceKey::Tree(change.base_tree.clone()).ref_name());
        let mut files: BTreeMap<(String, [u8; 32]), EvidenceFile> = BTreeMap::new();
        let mut names_root_commit = false;
        let mut steps_back = 0;
        let mut total = 0;
        while let Some(key) = keys.pop_front() {
            for file in self.read_evidence_kept(&key, wanted, keep)?.files {
                let identity = (file.name.as_str().to_owned(), digest(&file.bytes));
                if files.contains_key(&identity) {
                    continue;
                }
                total += file.bytes.len() as u64;
                if total > limits::MAX_EVIDENCE_BYTES_OF_CHANGE {
                    return Err(GitError::EvidenceCap {
                        ref_name: file.ref_name,
                        limit: limits::MAX_EVIDENCE_BYTES_OF_CHANGE,
                        unit: "bytes for one change",
                    });
                }
                if let Some(claim) = unverified(&file.bytes) {
                    names_root_commit |= claim.repository.starts_with(ROOT_PREFIX);
                    let key = claim.begins.map(EvidenceKey::Tree);
                    // A claim that nobody verified may cost a look, and only so many.
                    if let Some(key) = key
                        && key.object_format() == self.object_format()
                        && steps_back < limits::MAX_STEPS_BACK
                        && seen_keys.insert(key.ref_name())
                    {
                        steps_back += 1;
                        keys.push_back(key);
                    }
                }
                files.insert(identity, file);
            }
        }
        Ok(Gathered {
            files: files.into_values().collect(),
            names_root_commit,
        })
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    *touchmark_statement::digest::Sha256Digest::of(bytes).as_bytes()
}

/// What a bundle claims, for finding more: nothing is decided by it.
struct Claim {
    /// The repository's URI.
    repository: String,
    /// The tree that an agent change begins from.
    begins: Option<GitTreeId>,
}

fn unverified(bytes: &[u8]) -> Option<Claim> {
    let bundle = Bundle::parse(bytes).ok()?;
    let signed = SignedStatement::parse(bundle.envelope()?.payload.clone()).ok()?;
    let predicate = &signed.statement().predicate;
    if let Some(claim) = predicate.as_agent_change() {
        return Some(Claim {
            repository: claim.change.repository.uri.clone(),
            begins: Some(claim.change.base.git_tree.clone()),
        });
    }
    let reviewed = predicate.as_review()?.change.as_ref()?;
    Some(Claim {
        repository: reviewed.repository.uri.clone(),
        begins: None,
    })
}
