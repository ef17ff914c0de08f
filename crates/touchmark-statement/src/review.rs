//! `review/v1`: a decision about one change or one deployment.
//!
//! Every field of `change` or `deploy` binds: a review is about exactly that and nothing near it.

use serde::{Deserialize, Serialize};

use crate::agent_change::Repository;
use crate::agent_change::validate::{at_most, full_ref_name, repository_uri, strong};
use crate::digest::DigestSet;
use crate::git_id::{GitCommitId, GitTreeId};
use crate::limits::MAX_REVIEW_ITEMS;
use crate::predicate::PredicateError;
use crate::timestamp::Timestamp;

/// The predicate `https://touchmark.dev/review/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// What was decided.
    pub decision: ReviewDecision,
    /// What it was decided about.
    pub about: ReviewSubject,
    /// The change, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ReviewedChange>,
    /// The deployment, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy: Option<ReviewedDeploy>,
    /// How much of it the decision covers.
    pub scope: ReviewScope,
    /// Digests of the payload of each agent change that the reviewer was shown.
    pub evidence: Vec<DigestSet>,
    /// Digests of the text that the reviewer was shown.
    pub shown: DigestSet,
    /// Digests of the payload of the review that this one replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<DigestSet>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the decision lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How it was given.
    pub method: ReviewMethod,
    /// Where on a forge it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forge: Option<ForgeReview>,
}

/// What a reviewer decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReviewDecision {
    /// Yes.
    Approved,
    /// No.
    Rejected,
}

/// What a review is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReviewSubject {
    /// A change.
    Change,
    /// A deployment.
    Deploy,
}

/// The change that was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewedChange {
    /// The repository.
    pub repository: Repository,
    /// The full name of the ref that the change is for.
    pub target_ref: String,
    /// The tree that it starts from.
    pub base_tree: GitTreeId,
    /// The tree that it leads to.
    pub result_tree: GitTreeId,
    /// The commit that was reviewed.
    pub head: GitCommitId,
}

/// The deployment that was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewedDeploy {
    /// Digests of the artifact.
    pub artifact: DigestSet,
    /// Where it goes.
    pub environment: String,
}

/// How much of a change a review covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewScope {
    /// Whether it covers all of it.
    pub whole: bool,
    /// Else, globs of the paths that it covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
}

/// How a review was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReviewMethod {
    /// On the command line, signed by the reviewer.
    Cli,
    /// On a forge, signed by a service.
    Forge,
}

/// A review on a forge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForgeReview {
    /// Where it is.
    pub uri: String,
    /// The reviewer's login.
    pub login: String,
    /// The reviewer's numeric id, as text.
    pub id: String,
}

impl Review {
    /// Refuses a value that breaks a rule which spans several fields, or a cap.
    pub fn validate(&self) -> Result<(), PredicateError> {
        match (self.about, &self.change, &self.deploy) {
            (ReviewSubject::Change, Some(change), None) => {
                repository_uri("/change/repository/uri", &change.repository.uri)?;
                full_ref_name("/change/targetRef", &change.target_ref)?;
            }
            (ReviewSubject::Deploy, None, Some(deploy)) => {
                strong("/deploy/artifact", Some(&deploy.artifact))?;
            }
            _ => return Err(PredicateError::ChangeOrDeploy),
        }
        let globs = self.scope.paths.as_deref();
        at_most("/scope/paths", MAX_REVIEW_ITEMS, globs.map_or(0, <[String]>::len))?;
        match (self.scope.whole, globs) {
            (true, None) => {}
            (false, Some(globs)) if !globs.is_empty() => {}
            _ => return Err(PredicateError::Scope),
        }
        at_most("/evidence", MAX_REVIEW_ITEMS, self.evidence.len())?;
        for digests in &self.evidence {
            strong("/evidence/-", Some(digests))?;
        }
        strong("/shown", Some(&self.shown))?;
        strong("/supersedes", self.supersedes.as_ref())?;
        if (self.method == ReviewMethod::Forge) == self.forge.is_some() {
            Ok(())
        } else {
            Err(PredicateError::Forge)
        }
    }
}

#[cfg(test)]
mod tests;
