//! The events of a session, as far as we read them. Everything that is not named here is skipped unread: the product's
//! instructions, encrypted content, quotas.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::lenient::{Count, Flag, Object, Text};

/// One event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, rename = "parentId")]
    pub(super) parent: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow, rename = "agentId")]
    pub(super) agent: Text<'a>,
    #[serde(borrow)]
    pub(super) data: Object<Data<'a>>,
}

/// What an event carries; which fields are there depends on its type.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Data<'a> {
    // The session.
    #[serde(borrow)]
    pub(super) session_id: Text<'a>,
    #[serde(borrow)]
    pub(super) copilot_version: Text<'a>,
    #[serde(borrow)]
    pub(super) producer: Text<'a>,
    #[serde(borrow)]
    pub(super) detached_from_spawning_parent_session_id: Text<'a>,
    #[serde(borrow)]
    pub(super) start_time: Text<'a>,
    #[serde(borrow)]
    pub(super) context: Object<Context<'a>>,
    #[serde(borrow)]
    pub(super) cwd: Text<'a>,
    #[serde(borrow)]
    pub(super) branch: Text<'a>,
    // Models.
    #[serde(borrow)]
    pub(super) selected_model: Text<'a>,
    #[serde(borrow)]
    pub(super) new_model: Text<'a>,
    #[serde(borrow)]
    pub(super) chosen_model: Text<'a>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    // Messages.
    #[serde(borrow)]
    pub(super) message_id: Text<'a>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) attachments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) source: Text<'a>,
    pub(super) is_autopilot_continuation: Flag,
    #[serde(borrow)]
    pub(super) reasoning_text: Text<'a>,
    pub(super) output_tokens: Count,
    #[serde(borrow)]
    pub(super) summary_content: Text<'a>,
    // Calls and their results.
    #[serde(borrow)]
    pub(super) tool_call_id: Text<'a>,
    #[serde(borrow)]
    pub(super) parent_tool_call_id: Text<'a>,
    #[serde(borrow)]
    pub(super) tool_name: Text<'a>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) mcp_server_name: Text<'a>,
    #[serde(borrow)]
    pub(super) mcp_tool_name: Text<'a>,
    pub(super) success: Flag,
    #[serde(borrow)]
    pub(super) result: Object<ToolResult<'a>>,
    #[serde(borrow)]
    pub(super) error: Object<Failure<'a>>,
    #[serde(borrow)]
    pub(super) shell_execution: Object<Exit<'a>>,
    #[serde(borrow)]
    pub(super) file_edits: Option<&'a RawValue>,
    // Sub-agents.
    #[serde(borrow)]
    pub(super) agent_name: Text<'a>,
    pub(super) total_tokens: Count,
    // What one answer took.
    #[serde(borrow)]
    pub(super) usage: Option<&'a RawValue>,
    // Going back.
    #[serde(borrow)]
    pub(super) up_to_event_id: Text<'a>,
    #[serde(borrow)]
    pub(super) event_ids: Option<&'a RawValue>,
    // The end.
    #[serde(borrow)]
    pub(super) model_metrics: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) usage_accounting_watermarks: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) code_changes: Object<CodeChanges<'a>>,
}

/// Where the session works.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Context<'a> {
    #[serde(borrow)]
    pub(super) cwd: Text<'a>,
    #[serde(borrow)]
    pub(super) branch: Text<'a>,
    #[serde(borrow)]
    pub(super) head_commit: Text<'a>,
    #[serde(borrow)]
    pub(super) base_commit: Text<'a>,
    #[serde(borrow)]
    pub(super) repository: Text<'a>,
    #[serde(borrow)]
    pub(super) repository_host: Text<'a>,
}

/// What a tool gave back, in the names of several versions.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolResult<'a> {
    #[serde(borrow)]
    pub(super) content: Text<'a>,
    #[serde(borrow, rename = "detailedContent")]
    pub(super) detailed_content: Text<'a>,
    #[serde(borrow, alias = "textResultForLlm")]
    pub(super) text_result_for_llm: Text<'a>,
    #[serde(borrow, alias = "resultType")]
    pub(super) result_type: Text<'a>,
    #[serde(borrow)]
    pub(super) contents: Option<&'a RawValue>,
}

/// Why a tool did not work.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Failure<'a> {
    #[serde(borrow)]
    pub(super) message: Text<'a>,
}

/// How a command ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Exit<'a> {
    #[serde(borrow, rename = "exitCode")]
    pub(super) exit_code: Option<&'a RawValue>,
}

/// A file that a tool changed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FileEdit<'a> {
    #[serde(borrow)]
    pub(super) path: Text<'a>,
}

/// What changed in the whole session.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CodeChanges<'a> {
    #[serde(borrow)]
    pub(super) files_modified: Option<&'a RawValue>,
}

/// What one model took.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ModelMetrics {
    pub(super) requests: Object<Requests>,
    pub(super) usage: Object<Tokens>,
}

/// What one answer took: whose, and which of its session's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UsageRecord<'a> {
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow)]
    pub(super) accounting: Object<Accounting<'a>>,
}

/// The place of an answer among all of a session.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Accounting<'a> {
    #[serde(borrow)]
    pub(super) source_session_id: Text<'a>,
    pub(super) sequence: Count,
}

/// How many requests there were.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Requests {
    pub(super) count: Count,
}

/// Tokens: input with what came from and went to the cache, output with reasoning.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Tokens {
    pub(super) input_tokens: Count,
    pub(super) output_tokens: Count,
    pub(super) cache_read_tokens: Count,
    pub(super) cache_write_tokens: Count,
}

/// Reads a list; what is no list has no items.
pub(super) fn list<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Vec<T> {
    raw.and_then(|raw| serde_json::from_str::<Vec<T>>(raw.get()).ok())
        .unwrap_or_default()
}
