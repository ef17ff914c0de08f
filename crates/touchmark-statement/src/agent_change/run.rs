//! The part of `agent-change/v1` that is about the run around the work: why, where, when, and who wrote it down.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::DecimalAmount;
use crate::digest::{DigestSet, Sha256Digest};
use crate::statement::ResourceDescriptor;
use crate::strict_json;
use crate::timestamp::Timestamp;

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
    /// What of the transcript other statements account for already; absent where this one accounts for all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// Where the part of a transcript begins that a statement accounts for.
///
/// The commitments of `transcript` are to everything up to its last step. Models, prompts, tools, commands and usage
/// are of the steps from here on, so that the sums over a session's statements count nothing twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Since {
    /// How many of the transcript's steps earlier statements account for.
    pub steps: u64,
    /// How many of its prompts they do.
    pub prompts: u64,
    /// How many of its commands they do.
    pub commands: u64,
    /// True where no prompt is new: the last one of before is named again, because it steered these steps too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prompt_again: bool,
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
