//! What accounts for the bytes of the change: paths, approvals, rules.

use serde::{Deserialize, Serialize};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::GitCommitId;
use touchmark_statement::repo_path::RepoPath;

/// What accounts for the bytes of the change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accounted {
    /// One row for every path that differs between the base tree and the result tree, sorted by path.
    pub paths: Vec<PathAccount>,
    /// Commits of the change that no statement names, in order.
    pub commits_without_statement: Vec<GitCommitId>,
    /// Every approval and rejection found, counted or not.
    pub approvals: Vec<ApprovalAccount>,
    /// Every rule that a changed path meets.
    pub rules: Vec<RuleAccount>,
}

/// How a changed path is accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// An agent change (or a chain) from the base tree to the result tree.
    Exact,
    /// Applying whole agent changes to the base reproduces the entry.
    Replayed,
    /// A review of this very change covers it.
    Approved,
    /// Nothing accounts for it.
    Residual,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathAccount {
    /// The path.
    pub path: RepoPath,
    /// How it is accounted for.
    pub account: Account,
    /// Why it is residual: `omitted`, `added`, `edited`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual: Option<String>,
    /// Path classes it belongs to, over all policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Payload digests of the agent changes that touch it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agent_changes: Vec<Sha256Digest>,
    /// People whose approval covers it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// True when an agent change lists it as undeclared or as not made by the agent alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub undeclared: bool,
}

/// One approval or rejection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalAccount {
    /// The policy under which it was looked at, where several are in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The principal who signed it.
    pub person: String,
    /// `approved` or `rejected`.
    pub decision: String,
    /// Payload digest of the review.
    pub statement: Sha256Digest,
    /// Whether it counts.
    pub counted: bool,
    /// Why it does not count (a reason code).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// One rule and how far it is met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleAccount {
    /// The policy it is in, where several are in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The rule's id.
    pub rule: String,
    /// `free`, `gated` or `forbidden`.
    pub tier: String,
    /// Whether it is met.
    pub met: bool,
    /// How many paths it is about.
    pub paths: usize,
    /// People who count towards it, for every path it is about.
    pub people: Vec<String>,
    /// How many people it needs.
    pub needed: u32,
}
