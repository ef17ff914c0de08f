//! The records of a session, as far as we read them. Everything that is not named here is skipped unread.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::lenient::{Count, Object, Present, Text};

/// One line of the newer form: a header, a message, or an order to change what was written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line<'a> {
    #[serde(borrow, rename = "$set")]
    pub(super) set: Object<Header<'a>>,
    #[serde(borrow, rename = "$rewindTo")]
    pub(super) rewind_to: Option<&'a RawValue>,
    #[serde(rename = "$patch")]
    pub(super) patch: Present,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, rename = "sessionId")]
    pub(super) session_id: Text<'a>,
}

/// What is known of the whole session.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Header<'a> {
    #[serde(borrow, rename = "sessionId")]
    pub(super) session_id: Text<'a>,
    #[serde(borrow, rename = "startTime")]
    pub(super) start_time: Text<'a>,
    #[serde(borrow, rename = "lastUpdated")]
    pub(super) last_updated: Text<'a>,
    #[serde(borrow)]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) directories: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) messages: Option<&'a RawValue>,
}

/// A message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    pub(super) tokens: Object<Tokens>,
    #[serde(borrow, rename = "toolCalls")]
    pub(super) tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) thoughts: Option<&'a RawValue>,
}

/// The tokens of one answer: input with what came from the cache, output without thoughts.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    pub(super) input: Count,
    pub(super) output: Count,
    pub(super) cached: Count,
    pub(super) thoughts: Count,
    pub(super) tool: Count,
}

/// A tool call with what came of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow, rename = "agentId")]
    pub(super) agent_id: Text<'a>,
}

/// A thought that the model shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Thought<'a> {
    #[serde(borrow)]
    pub(super) subject: Text<'a>,
    #[serde(borrow)]
    pub(super) description: Text<'a>,
}

/// One part of a message's content.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Part<'a> {
    #[serde(borrow, rename = "functionCall")]
    pub(super) call: Object<FunctionCall<'a>>,
    #[serde(borrow, rename = "functionResponse")]
    pub(super) response: Object<FunctionResponse<'a>>,
}

/// A call as the model wrote it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FunctionCall<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
}

/// A result as the model was given it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FunctionResponse<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) response: Object<Response<'a>>,
}

/// What a tool gave back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) output: Text<'a>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

/// Reads a list of objects; what is no list has no items.
pub(super) fn list<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Vec<T> {
    raw.and_then(|raw| serde_json::from_str::<Vec<Object<T>>>(raw.get()).ok())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| item.0)
        .collect()
}
