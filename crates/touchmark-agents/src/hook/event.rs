//! The neutral event, and what was noticed while it was read.

use std::fmt;

use touchmark_statement::digest::Sha256Digest;

use super::kind::HookKind;

/// What [`parse`](super::parse) made of a payload.
#[derive(Clone, Debug, Default)]
pub struct HookReading {
    /// What the payload says.
    pub event: HookEvent,
    /// The product that called: the payload's shape decides where it can be of one product only, else what was
    /// claimed. `None` where neither is known.
    pub product: Option<String>,
    /// The product that the hook was installed for, as it was claimed.
    pub claimed: Option<String>,
    /// The products that a payload of this shape can come from, the likeliest first; none where it has no shape.
    pub by_shape: &'static [&'static str],
    /// Whether the shape excludes the product that was claimed, as when Cursor runs the hooks of Claude Code.
    pub mismatch: bool,
    /// What could not be read or taken over.
    pub problems: Vec<HookProblem>,
}

/// One event, as far as its payload tells it. What a payload does not hold is `None`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HookEvent {
    /// What the hook was called for.
    pub kind: HookKind,
    /// The agent's own name for the event. Some payloads have none.
    pub event_name: Option<String>,
    /// The session, thread or conversation.
    pub session_id: Option<String>,
    /// The turn or generation inside the session.
    pub turn_id: Option<String>,
    /// The sub-agent that the event is about.
    pub agent_id: Option<String>,
    /// What kind of sub-agent it is.
    pub agent_type: Option<String>,
    /// Where the session's record is. Untrusted.
    pub transcript_path: Option<String>,
    /// Where the sub-agent's own record is. Untrusted.
    pub agent_transcript_path: Option<String>,
    /// The working directory. Untrusted.
    pub cwd: Option<String>,
    /// The folders of the workspace, where the product has several. Untrusted.
    pub workspace_roots: Vec<String>,
    /// The model, as the product names it.
    pub model: Option<String>,
    /// The product's version, where the payload tells it.
    pub product_version: Option<String>,
    /// What the agent may do without asking.
    pub permission_mode: Option<String>,
    /// How a session began: `startup`, `resume`, `clear`, ….
    pub source: Option<String>,
    /// Why a session or a turn ended.
    pub reason: Option<String>,
    /// Whether the turn goes on because a hook asked for it.
    pub stop_hook_active: Option<bool>,
    /// What the agent was given to do. Never shown by `Debug`.
    pub prompt: Option<String>,
    /// The agent's last answer. Callers keep its digest only. Never shown by `Debug`.
    pub last_assistant_message: Option<String>,
    /// The tool that ran or is about to.
    pub tool: Option<ToolUse>,
    /// When the agent says that it happened, as the payload writes it: RFC 3339, or milliseconds since 1970.
    pub timestamp: Option<String>,
}

/// A tool that ran or is about to.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ToolUse {
    /// Its name; for events of one tool (`afterFileEdit`, `afterShellExecution`) the event's name.
    pub name: Option<String>,
    /// The identifier of the call.
    pub call_id: Option<String>,
    /// Whether it has run.
    pub done: bool,
    /// The shell command, where it is one. Never shown by `Debug`.
    pub command: Option<String>,
    /// The files that it says it edited. Untrusted.
    pub files: Vec<String>,
    /// What the tool was given, as JSON text exactly as the payload has it. Never shown by `Debug`.
    pub input: Option<String>,
    /// The exit code, where the payload tells one.
    pub exit_code: Option<i64>,
}

/// What was noticed in a payload. Tells positions and names of fields, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HookProblem {
    /// The payload is empty.
    #[error("the payload is empty")]
    Empty,
    /// The payload is longer than the cap; only its beginning was read.
    #[error("the payload has {bytes} bytes, and is read up to {limit}")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The cap.
        limit: usize,
    },
    /// The payload is not one JSON object. What stood before the defect was taken over.
    #[error("the payload is no JSON object (line {line}, column {column})")]
    Malformed {
        /// The defect's line.
        line: usize,
        /// The defect's column.
        column: usize,
    },
    /// Something follows the object.
    #[error("something follows the payload's object")]
    Trailing,
    /// A field is there twice; the last counts, as it does for the agents' own readers.
    #[error("the field {field} is there twice")]
    Repeated {
        /// The field.
        field: &'static str,
    },
    /// A field has a value of another type than it should, or one that no field of its kind can have.
    #[error("the field {field} has a value that it cannot have")]
    Unusable {
        /// The field.
        field: &'static str,
    },
    /// A field is longer than its cap, and is treated as absent.
    #[error("the field {field} is longer than {limit} bytes")]
    TooLong {
        /// The field.
        field: &'static str,
        /// The cap.
        limit: usize,
    },
    /// Two fields that should agree do not; the first counts.
    #[error("the fields {first} and {second} disagree")]
    Contradiction {
        /// The field that counts.
        first: &'static str,
        /// The field that does not.
        second: &'static str,
    },
}

impl HookProblem {
    /// Returns the stable code of this problem.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "hook.payload_empty",
            Self::TooLarge { .. } => "hook.payload_too_large",
            Self::Malformed { .. } => "hook.payload_malformed",
            Self::Trailing => "hook.payload_trailing",
            Self::Repeated { .. } => "hook.field_repeated",
            Self::Unusable { .. } => "hook.field_unusable",
            Self::TooLong { .. } => "hook.field_too_long",
            Self::Contradiction { .. } => "hook.field_contradiction",
        }
    }
}

impl HookEvent {
    /// Returns the digest of the agent's last answer, to bind it even where the transcript lags.
    pub fn last_message_digest(&self) -> Option<Sha256Digest> {
        self.last_assistant_message
            .as_ref()
            .map(|text| Sha256Digest::of(text.as_bytes()))
    }

    /// Returns a key that two hooks have in common that were called for the same event of the same session, whichever
    /// of an agent's configurations named them. `None` where the payload does not tell enough to say so.
    pub fn dedupe_key(&self) -> Option<Sha256Digest> {
        let session = self.session_id.as_deref()?;
        let last = self.last_message_digest().map(|digest| digest.to_string());
        let within = match self.kind {
            HookKind::ToolUse => self.tool.as_ref().and_then(ToolUse::distinction),
            HookKind::SubagentEnd => self.agent_id.clone().or(last),
            HookKind::SessionStart => self.source.clone().or_else(|| Some(String::new())),
            HookKind::SessionEnd => Some(String::new()),
            _ => self.turn_id.clone().or(last),
        }?;
        let turn = match self.kind {
            // The end of a session belongs to no turn, although one agent names the last.
            HookKind::SessionStart | HookKind::SessionEnd => "",
            _ => self.turn_id.as_deref().unwrap_or_default(),
        };
        let mut bytes = Vec::new();
        for part in ["touchmark/hook/v1", self.kind.name(), session, turn, &within] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Some(Sha256Digest::of(&bytes))
    }
}

impl ToolUse {
    /// What tells this call from the next one of the same turn.
    fn distinction(&self) -> Option<String> {
        let digest = || {
            let input = self.input.as_deref().or(self.command.as_deref())?;
            Some(Sha256Digest::of(input.as_bytes()).to_string())
        };
        let which = self.call_id.clone().or_else(digest)?;
        Some(format!("{}:{which}", if self.done { "done" } else { "due" }))
    }
}

impl fmt::Debug for HookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookEvent")
            .field("kind", &self.kind)
            .field("event_name", &self.event_name)
            .field("session_id", &self.session_id)
            .field("turn_id", &self.turn_id)
            .field("agent_id", &self.agent_id)
            .field("transcript_path", &self.transcript_path)
            .field("cwd", &self.cwd)
            .field("model", &self.model)
            .field("source", &self.source)
            .field("reason", &self.reason)
            .field("prompt", &self.prompt.as_ref().map(String::len))
            .field(
                "last_assistant_message",
                &self.last_assistant_message.as_ref().map(String::len),
            )
            .field("tool", &self.tool)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ToolUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolUse")
            .field("name", &self.name)
            .field("call_id", &self.call_id)
            .field("done", &self.done)
            .field("files", &self.files.len())
            .field("exit_code", &self.exit_code)
            .finish_non_exhaustive()
    }
}
