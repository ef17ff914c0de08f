//! What a verdict was made from.

use serde::{Deserialize, Serialize};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::timestamp::Timestamp;

/// What a verdict was made from: enough to ask again and get the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inputs {
    /// Version of the program.
    pub tool: String,
    /// The time the question was asked for.
    pub at: Timestamp,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeInput>,
    /// Policies in force.
    pub policies: Vec<PolicyUsed>,
    /// Trusted roots in force.
    pub trusted_roots: Vec<NamedDigest>,
    /// Witness policies at hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witness_policies: Vec<NamedDigest>,
    /// Checkpoints that inclusion was proven against.
    pub checkpoints: Vec<CheckpointUsed>,
    /// Evidence ids that were verified.
    pub evidence: Vec<String>,
}

impl Inputs {
    pub(super) fn sort(&mut self) {
        self.policies.sort();
        self.trusted_roots.sort();
        self.witness_policies.sort();
        self.checkpoints.sort();
        self.checkpoints.dedup();
        self.evidence.sort();
        self.evidence.dedup();
    }
}

/// The change that was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeInput {
    /// Names of the repository.
    pub repository: Vec<String>,
    /// The protected ref.
    pub target_ref: String,
    /// Tip of the protected ref before the change.
    pub base_commit: GitCommitId,
    /// Its tree.
    pub base_tree: GitTreeId,
    /// Head of the change.
    pub head_commit: GitCommitId,
    /// The tree that would land, or has landed.
    pub result_tree: GitTreeId,
    /// Whether the change has landed.
    pub landed: bool,
    /// The forge's author of the change, where the gate was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forge_author: Option<String>,
}

/// A name with a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedDigest {
    /// The name.
    pub name: String,
    /// sha256 of its bytes.
    pub sha256: Sha256Digest,
}

/// A policy that was in force.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyUsed {
    /// The name the caller gave it.
    pub name: String,
    /// sha256 of the file.
    pub sha256: Sha256Digest,
    /// Its serial.
    pub serial: u64,
}

/// A checkpoint that an inclusion proof was verified against.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointUsed {
    /// The log's origin.
    pub origin: String,
    /// Tree size.
    pub size: u64,
    /// Root hash, hex.
    pub root: String,
}
