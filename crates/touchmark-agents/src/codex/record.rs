//! The records of a session file, as far as we read them. Everything that is not named here is skipped unread: the
//! product's instructions, encrypted reasoning, rate limits and plans, names of untracked files.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::lenient::{Count, Flag, Object, Present, Text};

/// One line: an envelope with a payload, or, in the form of 2025, an item of its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow)]
    pub(super) payload: Object<Payload<'a>>,
    #[serde(borrow)]
    pub(super) record_type: Text<'a>,
    /// Of the first line of the form of 2025.
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) instructions: Present,
    #[serde(borrow)]
    pub(super) git: Object<Git<'a>>,
}

/// What a record carries; which fields are there depends on its type.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) session_id: Text<'a>,
    #[serde(borrow)]
    pub(super) call_id: Text<'a>,
    #[serde(borrow)]
    pub(super) turn_id: Text<'a>,
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    // Messages.
    #[serde(borrow)]
    pub(super) role: Text<'a>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    /// What the model shows of its reasoning.
    #[serde(borrow)]
    pub(super) summary: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) message: Text<'a>,
    #[serde(borrow)]
    pub(super) images: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) local_images: Option<&'a RawValue>,
    pub(super) num_turns: Count,
    // Calls and their results.
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) namespace: Text<'a>,
    #[serde(borrow)]
    pub(super) arguments: Text<'a>,
    #[serde(borrow)]
    pub(super) input: Text<'a>,
    #[serde(borrow)]
    pub(super) action: Object<Action<'a>>,
    #[serde(borrow)]
    pub(super) output: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) exit_code: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) aggregated_output: Text<'a>,
    pub(super) success: Flag,
    #[serde(borrow)]
    pub(super) invocation: Object<Invocation<'a>>,
    #[serde(borrow)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) item: Object<Item<'a>>,
    #[serde(borrow)]
    pub(super) new_thread_id: Text<'a>,
    #[serde(borrow)]
    pub(super) agent_thread_id: Text<'a>,
    // The session and its turns.
    #[serde(borrow)]
    pub(super) cwd: Text<'a>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow)]
    pub(super) model_provider: Text<'a>,
    #[serde(borrow)]
    pub(super) cli_version: Text<'a>,
    #[serde(borrow)]
    pub(super) originator: Text<'a>,
    #[serde(borrow)]
    pub(super) source: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) thread_source: Text<'a>,
    #[serde(borrow)]
    pub(super) parent_thread_id: Text<'a>,
    #[serde(borrow)]
    pub(super) forked_from_id: Text<'a>,
    #[serde(borrow)]
    pub(super) agent_role: Text<'a>,
    #[serde(borrow)]
    pub(super) agent_type: Text<'a>,
    #[serde(borrow)]
    pub(super) git: Object<Git<'a>>,
    #[serde(borrow)]
    pub(super) ghost_commit: Object<GhostCommit<'a>>,
    pub(super) info: Object<TokenInfo>,
}

/// A part of the reasoning that the model shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Summary<'a> {
    #[serde(borrow)]
    pub(super) text: Text<'a>,
}

/// Where the session began.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Git<'a> {
    #[serde(borrow)]
    pub(super) commit_hash: Text<'a>,
    #[serde(borrow)]
    pub(super) branch: Text<'a>,
    #[serde(borrow)]
    pub(super) repository_url: Text<'a>,
}

/// A commit that the product made to be able to go back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GhostCommit<'a> {
    #[serde(borrow)]
    pub(super) parent: Text<'a>,
}

/// What a call of the model's own shell runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Action<'a> {
    #[serde(borrow)]
    pub(super) command: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) working_directory: Text<'a>,
}

/// The tool of an MCP server that was called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Invocation<'a> {
    #[serde(borrow)]
    pub(super) server: Text<'a>,
    #[serde(borrow)]
    pub(super) tool: Text<'a>,
}

/// Something that is done, as newer versions tell it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Item<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) command: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) cwd: Text<'a>,
    #[serde(borrow)]
    pub(super) source: Text<'a>,
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    #[serde(borrow, alias = "exitCode")]
    pub(super) exit_code: Option<&'a RawValue>,
    #[serde(borrow, alias = "aggregatedOutput")]
    pub(super) aggregated_output: Text<'a>,
    #[serde(borrow)]
    pub(super) server: Text<'a>,
    #[serde(borrow)]
    pub(super) tool: Text<'a>,
    #[serde(borrow)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
    pub(super) success: Flag,
    #[serde(borrow)]
    pub(super) changes: Option<&'a RawValue>,
    /// The kind of an extension.
    #[serde(borrow, rename = "kind")]
    pub(super) extension: Text<'a>,
    #[serde(borrow, alias = "agentThreadId")]
    pub(super) agent_thread_id: Text<'a>,
    #[serde(borrow, alias = "receiverThreadIds")]
    pub(super) receiver_thread_ids: Option<&'a RawValue>,
}

/// The counters of a session.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenInfo {
    pub(super) total_token_usage: Object<TokenCounts>,
    pub(super) last_token_usage: Object<TokenCounts>,
}

/// Tokens: input with what came from and went to the cache, output with reasoning.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenCounts {
    pub(super) input_tokens: Count,
    pub(super) cached_input_tokens: Count,
    pub(super) cache_write_input_tokens: Count,
    pub(super) output_tokens: Count,
}
