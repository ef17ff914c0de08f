//! The part of `agent-change/v1` that only the harness or the agent can tell: who, with what, told what.

use serde::{Deserialize, Serialize};

use crate::digest::{DigestSet, Sha256Digest};
use crate::strict_json;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// The registered agent; must equal the principal found through the signer.
    pub id: String,
    /// The session or thread id that the product gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// The team that answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who delegated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentAgent>,
    /// How it was started, as the product names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<String>,
}

/// The program that the agent is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Its name, such as `claude-code`.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
}

/// The run that delegated to this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentAgent {
    /// Its session or thread id.
    pub instance: String,
    /// Digests of the payload of its statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<DigestSet>,
    /// What this session is to that one; absent is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<ParentRelation>,
}

/// What a session is to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ParentRelation {
    /// It began with a copy of the other's records.
    Fork,
    /// It goes on where the other ended.
    Resume,
    /// The other delegated work to it.
    Subagent,
}

/// A model that took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Who serves it.
    pub provider: String,
    /// Its id, as the provider names it.
    pub id: String,
    /// Its version, where that is not part of the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Digests of its weights, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestSet>,
    /// How many steps of the run it made.
    pub steps: u64,
    /// What it was there for.
    pub role: ModelRole,
}

/// What a model was there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ModelRole {
    /// The main conversation.
    Primary,
    /// A run that the main one delegated to.
    Subagent,
    /// A tool, such as one that summarises.
    Tool,
}

/// What the agent was told: commitments to the prompts, never the prompts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prompt {
    /// One commitment for each prompt, in order; left out where there are too many, and where only a plain digest is
    /// known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitments: Option<Vec<PromptCommitment>>,
    /// The RFC 6962 root over the commitments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Sha256Digest>,
    /// How many prompts there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Plain digests of the prompt, which can be guessed; only where the user asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain_digest: Option<DigestSet>,
}

/// The commitment to one prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PromptCommitment {
    /// Its number, from 0.
    pub index: u64,
    /// Where the prompt came from.
    pub origin: PromptOrigin,
    /// The commitment.
    pub commitment: Sha256Digest,
}

/// Where a prompt came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PromptOrigin {
    /// A person.
    Human,
    /// The harness: reminders, hook output.
    Injected,
    /// A summary that replaced earlier conversation.
    Compaction,
    /// Another agent.
    Agent,
}

/// A file that steered the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instruction {
    /// Its name or path.
    pub name: String,
    /// Digests of its content, where it is in the base tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestSet>,
    /// The commitment to its content, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Sha256Digest>,
    /// Whether it is in the base tree.
    pub from_base: bool,
}

/// A tool that was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What kind of tool it is.
    pub kind: ToolKind,
    /// The server that offers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ToolServer>,
    /// How often it was called.
    pub calls: u64,
    /// How many of the calls failed.
    pub failures: u64,
}

/// What kind of tool it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ToolKind {
    /// Part of the product.
    Builtin,
    /// Offered by an MCP server.
    Mcp,
    /// A command of the user's own.
    Command,
}

/// A server that offers tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolServer {
    /// Its name.
    pub name: String,
    /// Digests of its configuration or program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestSet>,
}

/// A command that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// The commitment to the command line.
    pub commitment: Sha256Digest,
    /// Its exit code; `null` where the record does not tell.
    #[serde(deserialize_with = "strict_json::nullable")]
    pub exit_code: Option<i64>,
    /// What it was for.
    pub kind: CommandKind,
    /// The step that ran it.
    pub step: u64,
}

/// What a command was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CommandKind {
    /// Running tests.
    Test,
    /// Building.
    Build,
    /// Version control.
    Vcs,
    /// Anything else.
    Other,
}

/// The record of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transcript {
    /// Its format, such as `claude-code-jsonl`.
    pub format: String,
    /// The commitment to its bytes.
    pub commitment: Sha256Digest,
    /// Its steps.
    pub steps: Steps,
    /// What was taken out before it left the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<Redaction>,
    /// How much of the session it covers.
    pub complete: Completeness,
    /// What the importer could not use.
    pub counters: TranscriptCounters,
}

/// The steps of a transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Steps {
    /// How many there are.
    pub count: u64,
    /// The RFC 6962 root over their commitments.
    pub root: Sha256Digest,
}

/// A transcript with secrets taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redaction {
    /// The commitment to the redacted bytes.
    pub commitment: Sha256Digest,
    /// The rules that took something out.
    pub rules: Vec<String>,
}

/// How much of a session a transcript covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Completeness {
    /// All of it.
    Whole,
    /// Its beginning, up to the moment of capture.
    Prefix,
    /// The end is missing.
    TailMissing,
}

/// What an importer could not use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TranscriptCounters {
    /// Records of a kind that it does not know.
    pub unknown: u64,
    /// Records that are not well formed.
    pub malformed: u64,
    /// Records that it left out on purpose.
    pub skipped: u64,
    /// Records of branches that were rewound.
    pub rewound: u64,
}
