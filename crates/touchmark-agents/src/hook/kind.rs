//! What a hook was called for, whatever the agent calls it.

/// What a hook was called for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HookKind {
    /// A session begins or is taken up again.
    SessionStart,
    /// Somebody gave the agent something to do.
    Prompt,
    /// A tool is about to run or has run.
    ToolUse,
    /// The agent has finished answering: the one event that reliably comes.
    TurnEnd,
    /// A sub-agent has finished.
    SubagentEnd,
    /// A session ends. Many do without saying so.
    SessionEnd,
    /// Anything else, or nothing that could be understood.
    #[default]
    Other,
}

impl HookKind {
    /// Returns the name under which the kind is recorded.
    pub fn name(self) -> &'static str {
        match self {
            Self::SessionStart => "session-start",
            Self::Prompt => "prompt",
            Self::ToolUse => "tool-use",
            Self::TurnEnd => "turn-end",
            Self::SubagentEnd => "subagent-end",
            Self::SessionEnd => "session-end",
            Self::Other => "other",
        }
    }

    /// Returns the kind that an agent's own name for an event means: `Stop`, `agentStop`, `session.idle`, ….
    pub fn of_event(name: &str) -> Self {
        // Spelt in four ways by as many agents: only letters count, and not their case.
        let plain: String = name
            .chars()
            .take(64)
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        match plain.as_str() {
            "sessionstart" | "sessioncreated" => Self::SessionStart,
            "userpromptsubmit" | "userpromptsubmitted" | "beforesubmitprompt" | "beforeagent" => Self::Prompt,
            "pretooluse"
            | "posttooluse"
            | "posttoolusefailure"
            | "beforetool"
            | "aftertool"
            | "beforeshellexecution"
            | "aftershellexecution"
            | "beforemcpexecution"
            | "aftermcpexecution"
            | "beforereadfile"
            | "beforetabfileread"
            | "afterfileedit"
            | "aftertabfileedit" => Self::ToolUse,
            "stop" | "stopfailure" | "afteragent" | "agentstop" | "agentturncomplete" | "sessionidle" => {
                Self::TurnEnd
            }
            "subagentstop" => Self::SubagentEnd,
            "sessionend" | "sessiondeleted" => Self::SessionEnd,
            _ => Self::Other,
        }
    }
}
