//! The records of a session file, as far as we read them. Everything that is not named here is skipped unread.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::lenient::{Count, Flag, Object, Present, Text, otherwise};

/// The most parts of one message that are read.
const MAX_BLOCKS: usize = 65_536;

/// One record.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) subtype: Text<'a>,
    #[serde(borrow)]
    pub(super) uuid: Text<'a>,
    #[serde(borrow, rename = "parentUuid")]
    pub(super) parent: Text<'a>,
    #[serde(borrow, rename = "sessionId")]
    pub(super) session_id: Text<'a>,
    /// The name that headless output uses.
    #[serde(borrow, rename = "session_id")]
    pub(super) headless_session_id: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow)]
    pub(super) cwd: Text<'a>,
    #[serde(borrow, rename = "gitBranch")]
    pub(super) branch: Text<'a>,
    #[serde(borrow)]
    pub(super) version: Text<'a>,
    /// The name that headless output uses.
    #[serde(borrow, rename = "claude_code_version")]
    pub(super) headless_version: Text<'a>,
    #[serde(borrow)]
    pub(super) entrypoint: Text<'a>,
    /// The model that headless output names first.
    #[serde(borrow, rename = "model")]
    pub(super) headless_model: Text<'a>,
    /// The call that a sub-agent's record of headless output belongs to.
    #[serde(borrow, rename = "parent_tool_use_id")]
    pub(super) headless_parent_tool_use_id: Text<'a>,
    #[serde(borrow, rename = "forkedFrom")]
    pub(super) forked_from: Object<ForkedFrom<'a>>,
    #[serde(borrow)]
    pub(super) origin: Object<Origin<'a>>,
    #[serde(borrow, rename = "requestId")]
    pub(super) request_id: Text<'a>,
    #[serde(borrow, rename = "agentId")]
    pub(super) agent_id: Text<'a>,
    #[serde(rename = "isSidechain")]
    pub(super) is_sidechain: Flag,
    #[serde(rename = "isMeta")]
    pub(super) is_meta: Flag,
    #[serde(rename = "isCompactSummary")]
    pub(super) is_compact_summary: Flag,
    #[serde(borrow)]
    pub(super) message: Object<Message<'a>>,
    #[serde(borrow, rename = "toolUseResult")]
    pub(super) tool_use_result: Object<ToolUseResult<'a>>,
    #[serde(borrow, rename = "parentToolUseID")]
    pub(super) parent_tool_use_id: Text<'a>,
    #[serde(borrow)]
    pub(super) data: Object<Progress<'a>>,
    #[serde(borrow)]
    pub(super) attachment: Object<Attachment<'a>>,
    #[serde(borrow, rename = "totalCostUSD")]
    pub(super) total_cost: Option<&'a RawValue>,
    /// The name that headless output uses.
    #[serde(borrow, rename = "total_cost_usd")]
    pub(super) headless_total_cost: Option<&'a RawValue>,
    #[serde(rename = "hasUnknownModelCost")]
    pub(super) has_unknown_model_cost: Flag,
}

/// The session that a record was copied from when the session was forked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ForkedFrom<'a> {
    #[serde(borrow, rename = "sessionId")]
    pub(super) session_id: Text<'a>,
}

/// Who a prompt comes from, where a record says so.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Origin<'a> {
    #[serde(borrow)]
    pub(super) kind: Text<'a>,
}

/// A message to or from a model.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow)]
    pub(super) content: Content<'a>,
    pub(super) usage: Object<TokenCounts>,
}

/// The tokens of one answer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenCounts {
    pub(super) input_tokens: Count,
    pub(super) output_tokens: Count,
    pub(super) cache_creation_input_tokens: Count,
    pub(super) cache_read_input_tokens: Count,
}

/// The content of a message.
#[derive(Debug, Default)]
pub(super) enum Content<'a> {
    /// None, or of a type that we do not know.
    #[default]
    Absent,
    /// One text.
    Text(Cow<'a, str>),
    /// A list of parts; what is not an object is `None`.
    Blocks(Vec<Object<Block<'a>>>),
}

/// One part of a message. Long values stay as they are in the source until they are needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Block<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_use_id: Text<'a>,
    pub(super) is_error: Flag,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) source: Option<&'a RawValue>,
}

/// What the product keeps about a tool's result, besides what the model saw.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolUseResult<'a> {
    #[serde(borrow, rename = "filePath")]
    pub(super) file_path: Text<'a>,
    #[serde(rename = "structuredPatch")]
    pub(super) structured_patch: Present,
    #[serde(borrow)]
    pub(super) stdout: Option<&'a RawValue>,
    #[serde(borrow, rename = "agentId")]
    pub(super) agent_id: Text<'a>,
    #[serde(borrow, rename = "agentType")]
    pub(super) agent_type: Text<'a>,
    #[serde(rename = "totalTokens")]
    pub(super) total_tokens: Count,
}

/// The data of a progress record.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Progress<'a> {
    #[serde(borrow, rename = "agentId")]
    pub(super) agent_id: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Object<Echo<'a>>,
}

/// A sub-agent's record, repeated inside a progress record of its caller.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Echo<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Object<Message<'a>>,
}

/// Something attached by the product; only prompts that waited in its queue are of interest.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attachment<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) prompt: Option<&'a RawValue>,
    #[serde(borrow, rename = "commandMode")]
    pub(super) command_mode: Text<'a>,
    #[serde(borrow)]
    pub(super) origin: Object<Origin<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for ContentVisitor<'a> {
            type Value = Content<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of parts")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = seq.next_element()? {
                    blocks.push(block);
                    if blocks.len() > MAX_BLOCKS {
                        return Err(A::Error::custom("too many parts"));
                    }
                }
                Ok(Content::Blocks(blocks))
            }
            otherwise!(Content::Absent; bool, i64, u64, f64, unit, map);
        }
        deserializer.deserialize_any(ContentVisitor(PhantomData))
    }
}
