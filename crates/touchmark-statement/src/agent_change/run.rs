//! The part of `agent-change/v1` that only the harness or the agent can tell: who, with what, told what.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::DecimalAmount;
use crate::digest::{DigestSet, Sha256Digest};
use crate::statement::ResourceDescriptor;
use crate::strict_json;
use crate::timestamp::Timestamp;

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

/// The issue or ticket that the work was for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The commitment to its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Sha256Digest>,
}

/// Who or what started the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// What kind of starter.
    pub kind: TriggerKind,
    /// The person, service or agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TriggerKind {
    /// A person.
    Human,
    /// A CI job.
    Ci,
    /// A clock.
    Schedule,
    /// Another agent.
    Agent,
    /// Nobody knows.
    Unknown,
}

/// Where a run took place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// What kind of place.
    pub kind: EnvironmentKind,
    /// The CI run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The container or machine image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ResourceDescriptor>,
    /// What kept the run from reaching further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
}

/// What kind of place a run took place in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EnvironmentKind {
    /// Somebody's own machine.
    Local,
    /// A CI job.
    Ci,
    /// A service of the product's vendor.
    Cloud,
    /// Nobody knows.
    Unknown,
}

/// What a run used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Tokens read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Tokens read from the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// Tokens written to the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Requests to the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// How the numbers were come by.
    pub method: String,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// The amount.
    pub amount: DecimalAmount,
    /// The currency, ISO 4217.
    pub currency: String,
}

/// When a run took place, and the place of this statement among those of its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The session's random name.
    pub chain: ChainId,
    /// The number of this statement in the chain, from 0.
    pub sequence: u64,
    /// Digests of the payload of the statement before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<DigestSet>,
}

/// The random name of a chain of statements: 16 bytes, written as 32 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId([u8; 16]);

/// A text that is not the name of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chain is 32 lowercase hex digits")]
pub struct ChainIdError;

impl ChainIdError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        "run.chain"
    }
}

impl ChainId {
    /// Wraps 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainId({self})")
    }
}

impl FromStr for ChainId {
    type Err = ChainIdError;

    fn from_str(text: &str) -> Result<Self, ChainIdError> {
        let lower_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 32 || !lower_hex {
            return Err(ChainIdError);
        }
        u128::from_str_radix(text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| ChainIdError)
    }
}

impl Serialize for ChainId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChainId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict_json::parse_str(deserializer, "32 lowercase hex digits", |text| {
            text.parse::<Self>().map_err(|error| (error.code(), error))
        })
    }
}

/// What wrote a statement, and where each value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capture {
    /// The program that wrote the statement.
    pub tool: Versioned,
    /// The part of it that read the session.
    pub importer: Versioned,
    /// JSON pointers into the predicate, and where the values there came from.
    pub sources: BTreeMap<String, Source>,
}

/// A program or a part of one, with its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Versioned {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Where a value came from, as its author says; weakest first.
///
/// What a value is worth is computed by the verifier, never taken from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// Said by the agent of itself.
    SelfReported,
    /// A trailer of a commit message.
    Trailer,
    /// The process environment.
    Environment,
    /// The session file.
    Transcript,
    /// A hook of the harness.
    Hook,
    /// The platform that the run took place on.
    Platform,
    /// Computed from git.
    Observed,
}
