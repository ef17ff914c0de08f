//! `agent-change/v1`: what an agent did, from what, with what.
//!
//! Everything here is a claim of the signer. A field that is absent is unknown: never zero, never false. What must be
//! there (`dirty`, `fromBase`, `complete`, counts) cannot be left out in anybody's favour.

mod change;
mod identity;
mod run;
pub(crate) mod validate;
mod work;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::change::{
    Attribution, Change, CommitRow, Endpoint, NewSide, OldSide, PathRow, PathStatus, PathsTree, Repository,
};
pub use self::identity::{Finding, FoundValue, Identity, IdentityRole};
pub use self::run::{
    Capture, ChainId, ChainIdError, Cost, Environment, EnvironmentKind, Run, Since, Source, Task, Trigger,
    TriggerKind, Usage, Versioned,
};
pub use self::work::{
    Agent, Command, CommandKind, Completeness, Instruction, Model, ModelRole, ParentAgent, ParentRelation,
    Product, Prompt, PromptCommitment, PromptOrigin, Redaction, Steps, Tool, ToolKind, ToolServer,
    Transcript, TranscriptCounters,
};
use crate::digest::DigestSet;
use crate::predicate::PredicateError;

/// The predicate `https://touchmark.dev/agent-change/v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentChange {
    /// Who did it.
    pub agent: Agent,
    /// Every model that took part; never empty.
    pub models: Vec<Model>,
    /// What the agent was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt>,
    /// Files that steered the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<Vec<Instruction>>,
    /// Tools that were called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Tool>>,
    /// Commands that were run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<Command>>,
    /// The record of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Transcript>,
    /// What became what.
    pub change: Change,
    /// What the proposed tree is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sbom: Option<SbomClaim>,
    /// The issue or ticket that the work was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Who or what started the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// Where it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// What it used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Who took part, as each source says; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identities: Option<Vec<Identity>>,
    /// Contradictions between sources; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
    /// When it ran, and its place among the statements of one session.
    pub run: Run,
    /// What wrote this statement, and where each value came from.
    pub capture: Capture,
}

impl AgentChange {
    /// Refuses a value that breaks a rule which spans several fields, or a cap.
    pub fn validate(&self) -> Result<(), PredicateError> {
        validate::validate(self)
    }
}

/// The software bill of materials of the proposed tree, and what changed against base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SbomClaim {
    /// The format, such as `cyclonedx-1.6`.
    pub format: String,
    /// Digests of the document for the proposed tree.
    pub digest: DigestSet,
    /// Digests of the document for the base tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<DigestSet>,
    /// Dependencies that were added, removed or changed.
    pub dependencies: Vec<DependencyChange>,
    /// Lockfiles of which not everything is known, so that `dependencies` may lack what they list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadManifest>,
    /// How many changed dependencies are not listed, since there are too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A lockfile of which not everything is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnreadManifest {
    /// The lockfile.
    pub manifest: crate::repo_path::RepoPath,
    /// Whose it is.
    pub tree: TreeSide,
    /// Why, as a stable code.
    pub reason: String,
}

/// One of the two trees of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TreeSide {
    /// The base tree.
    Base,
    /// The proposed tree.
    Proposed,
}

/// A dependency that differs between base and proposed tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DependencyChange {
    /// The package URL, without version.
    pub purl: String,
    /// The version in base; absent where it was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The version in the proposed tree; absent where it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The manifest or lock file that says so.
    pub manifest: crate::repo_path::RepoPath,
}

impl fmt::Display for PathStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Deleted => "deleted",
            Self::Modified => "modified",
            Self::ModeChanged => "modeChanged",
            Self::TypeChanged => "typeChanged",
        })
    }
}

#[cfg(test)]
mod tests;
