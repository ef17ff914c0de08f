//! What was said, called and answered, in words: kept only where the caller asks for it, and never in `Debug`.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{Role, Usage};

/// The words of a session, in the order of its records.
#[derive(Clone, Default)]
pub struct Words {
    /// What happened, in order.
    pub entries: Vec<WordEntry>,
    /// The time of each step that has one, in order of steps.
    pub times: Vec<(usize, DateTime<Utc>)>,
}

/// One thing that happened.
#[derive(Clone)]
pub struct WordEntry {
    /// The index of its step.
    pub step: usize,
    /// Who did it.
    pub role: Role,
    /// The sub-agent, where it is named.
    pub subagent: Option<String>,
    /// What it is.
    pub word: Word,
}

/// What happened.
#[derive(Clone)]
#[non_exhaustive]
pub enum Word {
    /// A prompt, by its index in [`Run::prompts`](super::Run::prompts).
    Prompt(usize),
    /// A record of an answer: which answer it belongs to, by whom, and its tokens so far.
    Answer {
        /// The answer's identifier; records without one are answers of their own.
        id: Option<String>,
        /// The model, where the record names it.
        model: Option<String>,
        /// The tokens.
        usage: Usage,
    },
    /// Text of an answer.
    Text(String),
    /// Reasoning, where the record shows it.
    Reasoning(String),
    /// A tool call.
    Call {
        /// Its identifier.
        id: Option<String>,
        /// The tool's name.
        name: String,
        /// The arguments as JSON, where the importer gives them.
        arguments: Option<String>,
        /// The command that it runs, where it is a shell's.
        command: Option<String>,
        /// The files that it writes.
        writes: Vec<String>,
    },
    /// The answer to a tool call.
    Result {
        /// The call's identifier.
        id: String,
        /// What the tool gave back, where the importer gives it.
        output: Option<String>,
        /// Whether it failed, where the record says so.
        failed: Option<bool>,
        /// The exit code, only where the record gives one.
        exit_code: Option<i32>,
    },
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} entries)", self.entries.len())
    }
}

impl fmt::Debug for WordEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordEntry")
            .field("step", &self.step)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prompt(_) => "Prompt",
            Self::Answer { .. } => "Answer",
            Self::Text(_) => "Text",
            Self::Reasoning(_) => "Reasoning",
            Self::Call { .. } => "Call",
            Self::Result { .. } => "Result",
        })
    }
}
