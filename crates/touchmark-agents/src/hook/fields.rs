//! The fields of a payload, whatever the agent spells them like, and their values as they stand in it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Fields that are read. Every other one is passed over without being decoded.
macro_rules! fields {
    ($($field:ident: $shown:literal = $($spelling:literal)|+),+ $(,)?) => {
        /// A field that is read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field { $($field),+ }

        impl Field {
            /// The field's name in messages.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$field => $shown),+ }
            }

            /// The field that a key without its separators and in lower case names.
            fn of(plain: &str) -> Option<Self> {
                match plain { $($($spelling)|+ => Some(Self::$field),)+ _ => None }
            }
        }
    };
}

fields! {
    Session: "session_id" = "sessionid" | "threadid",
    Conversation: "conversation_id" = "conversationid",
    Turn: "turn_id" = "turnid",
    PromptId: "prompt_id" = "promptid",
    Generation: "generation_id" = "generationid",
    Agent: "agent_id" = "agentid" | "subagentid",
    AgentType: "agent_type" = "agenttype" | "agentname" | "subagenttype",
    EventName: "hook_event_name" = "hookeventname" | "eventname" | "hooktype",
    Kind: "type" = "type",
    Transcript: "transcript_path" = "transcriptpath" | "sessionref",
    AgentTranscript: "agent_transcript_path" = "agenttranscriptpath",
    Cwd: "cwd" = "cwd",
    Roots: "workspace_roots" = "workspaceroots",
    Model: "model" = "model",
    CursorVersion: "cursor_version" = "cursorversion",
    Permission: "permission_mode" = "permissionmode",
    Source: "source" = "source",
    Reason: "reason" = "reason",
    StopReason: "stop_reason" = "stopreason",
    Status: "status" = "status",
    StopActive: "stop_hook_active" = "stophookactive",
    Prompt: "prompt" = "prompt" | "userprompt",
    InitialPrompt: "initial_prompt" = "initialprompt",
    InputMessages: "input_messages" = "inputmessages",
    LastMessage: "last_assistant_message" = "lastassistantmessage" | "promptresponse",
    ToolName: "tool_name" = "toolname",
    ToolInput: "tool_input" = "toolinput" | "toolargs",
    ToolCall: "tool_use_id" = "tooluseid" | "toolcallid",
    FilePath: "file_path" = "filepath",
    Command: "command" = "command",
    ExitCode: "exit_code" = "exitcode",
    Timestamp: "timestamp" = "timestamp",
}

/// One known field as it stands in the payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'p> {
    /// Which field.
    pub(super) field: Field,
    /// Whether its key is spelt with capitals inside, as in `sessionId`.
    pub(super) camel: bool,
    /// Its value.
    pub(super) value: &'p RawValue,
}

/// Takes the known fields of an object into a list that keeps them even where the object breaks off.
pub(super) struct Collect<'l, 'p>(pub(super) &'l mut Vec<Found<'p>>);

impl<'p> DeserializeSeed<'p> for Collect<'_, 'p> {
    type Value = ();

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'p> Visitor<'p> for Collect<'_, 'p> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key::<Text<'p>>()? {
            let Some(field) = known(&key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value()?;
            self.0.push(Found {
                field,
                camel: key.bytes().any(|byte| byte.is_ascii_uppercase()),
                value,
            });
        }
        Ok(())
    }
}

/// The field that a key names: `session_id`, `sessionId`, `session-id` and `sessionID` are the same.
fn known(key: &str) -> Option<Field> {
    if key.len() > 40 {
        return None;
    }
    let plain: String = key
        .chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    Field::of(&plain)
}

/// A string. Halves of surrogate pairs, which JavaScript cuts texts into, become replacement characters.
pub(super) struct Text<'p>(pub(super) Cow<'p, str>);

impl<'de: 'p, 'p> Deserialize<'de> for Text<'p> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(String::from_utf8_lossy(bytes))
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Cow::Owned(String::from_utf8_lossy(bytes).into_owned()))
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_bytes(TextVisitor).map(Text)
    }
}

/// Decodes a value that is a string.
pub(super) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    if !value.get().starts_with('"') {
        return None;
    }
    serde_json::from_str::<Text<'_>>(value.get())
        .ok()
        .map(|text| text.0)
}

/// Decodes a value that is a list of strings, up to `max` of them; other elements are left out.
pub(super) fn texts(value: &RawValue, max: usize) -> Option<Vec<String>> {
    let list: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
    Some(
        list.into_iter()
            .filter_map(text)
            .take(max)
            .map(Cow::into_owned)
            .collect(),
    )
}

/// Returns whether the value is `null`: the same as not there.
pub(super) fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}
