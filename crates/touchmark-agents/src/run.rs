//! The neutral record of one agent session, as far as its sources tell it.
//!
//! A value that a source does not give is `None`, never zero and never false: what is absent is unknown. Nothing in a
//! [`Run`] is proven; it is what the agent's own files say, and [`Run::field_sources`] names the source of each value.
//! Texts that may hold secrets (prompts, commands) are kept out of `Debug`.

mod origin;
mod submitted;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use origin::{BaseCommit, ParentSession, Relation};
pub use submitted::Submitted;
pub use words::{Word, WordEntry, Words};

use chrono::{DateTime, Utc};
use touchmark_statement::digest::Sha256Digest;

/// One agent session, read from its files.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The product that wrote the session.
    pub product: Product,
    /// The session's identifier, as the product names it.
    pub session_id: Option<String>,
    /// Other session identifiers found inside the files: resumed and forked sessions copy records of their parents.
    pub other_session_ids: BTreeSet<String>,
    /// The session that this one goes back to.
    pub parent: Option<ParentSession>,
    /// How the agent was started, as the product names it (`cli`, `exec`, `vscode`).
    pub entrypoint: Option<String>,
    /// The commits that the session says it began at, in order of appearance.
    pub base_commits: Vec<BaseCommit>,
    /// The files the run was read from; index 0 is the session's own, the others belong to sub-agents.
    pub sources: Vec<SourceFile>,
    /// What was given to the agent, in the order of the files.
    pub prompts: Vec<Prompt>,
    /// One step for each record, in the order of the files.
    pub steps: Vec<Step>,
    /// The tools that were called, by name.
    pub tools: BTreeMap<String, Tool>,
    /// The shell commands that were run, in order.
    pub commands: Vec<Command>,
    /// The models that answered, by (identifier, role).
    pub models: BTreeMap<(String, Role), Model>,
    /// Tokens, added up over the answers that the files hold.
    pub usage: Usage,
    /// The cost that the product reported for the whole session, a figure of its own (see [`Cost`]).
    pub cost: Option<Cost>,
    /// The files that the agent said it wrote.
    pub written: BTreeMap<String, WrittenPath>,
    /// The patch that the run was submitted as, in products that end with one.
    pub submitted: Option<Submitted>,
    /// Commits that the output of commands speaks of: hints, to be looked up in the repository.
    pub commits: Vec<CommitHint>,
    /// The sub-agents that took part.
    pub subagents: BTreeMap<String, Subagent>,
    /// The working directories, each once, in order of appearance.
    pub working_directories: Vec<String>,
    /// The branch names, each once, in order of appearance.
    pub branches: Vec<String>,
    /// The earliest time that any record carries (records are not in order of time).
    pub started_at: Option<DateTime<Utc>>,
    /// The latest time that any record carries.
    pub ended_at: Option<DateTime<Utc>>,
    /// How much of the transcript was read.
    pub completeness: Completeness,
    /// What the reader could not use.
    pub counters: Counters,
    /// How the records hang together.
    pub structure: Structure,
    /// Contradictions between sources: both values are kept, neither wins silently.
    pub findings: Vec<Finding>,
    /// Where each value came from, by JSON pointer into the agent change's predicate.
    pub field_sources: BTreeMap<&'static str, Source>,
    /// The importer that read the files.
    pub importer: Importer,
    /// The words, where [`ImportOptions::words`](crate::session::ImportOptions::words) asks for them.
    pub words: Option<Words>,
}

/// The product that ran the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// The product's name, for example `claude-code`.
    pub name: String,
    /// The vendor's name, where it is known.
    pub vendor: Option<String>,
    /// Every version that wrote to the session, in order of appearance.
    pub versions: Vec<String>,
}

/// The importer that read a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Importer {
    /// The importer's name, for example `touchmark-agents/claude-code`.
    pub name: String,
    /// The importer's version.
    pub version: String,
}

/// One file that a run was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The file's name, without its folders.
    pub name: String,
    /// How many bytes of it were read.
    pub bytes_read: u64,
    /// How much of this file was read.
    pub completeness: Completeness,
}

/// Something that was given to the agent.
#[derive(Clone)]
pub struct Prompt {
    /// The parts in order. May be empty where the product kept no words.
    pub parts: Vec<PromptPart>,
    /// Who gave it.
    pub origin: PromptOrigin,
    /// The index of its step in [`Run::steps`].
    pub step: usize,
    /// True where a later prompt replaced it: the person went back and typed again.
    pub rewound: bool,
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt")
            .field("parts", &self.parts.len())
            .field("origin", &self.origin)
            .field("step", &self.step)
            .field("rewound", &self.rewound)
            .finish_non_exhaustive()
    }
}

/// One part of a prompt.
#[derive(Clone, PartialEq, Eq)]
pub enum PromptPart {
    /// Text, decoded from its JSON escapes and otherwise untouched.
    Text(String),
    /// Anything else (images, documents): its digest, over the decoded bytes where the source carries them in
    /// base64, otherwise over the part's JSON exactly as it stands in the source.
    Other {
        /// The part's kind as the source calls it, for example `image`.
        kind: String,
        /// The digest of its bytes.
        sha256: Sha256Digest,
    },
}

impl fmt::Debug for PromptPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Other { kind, .. } => write!(f, "Other({kind})"),
        }
    }
}

/// Who gave a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PromptOrigin {
    /// A person typed it, as far as the transcript tells.
    Human,
    /// The product put it there: meta records, commands and their output, notifications, interruptions.
    Injected,
    /// A summary that replaced earlier turns.
    Compaction,
    /// An agent gave it to a sub-agent.
    Agent,
}

impl PromptOrigin {
    /// Returns the origin as the predicate spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Injected => "injected",
            Self::Compaction => "compaction",
            Self::Agent => "agent",
        }
    }
}

/// One record of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The index of the file in [`Run::sources`].
    pub source: u32,
    /// What the record is.
    pub kind: StepKind,
    /// Whether the record still counts.
    pub state: StepState,
    /// Where the record begins in its file.
    pub offset: u64,
    /// How many bytes it has, without the line feed.
    pub len: u64,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StepKind {
    /// Something given to the agent.
    Prompt,
    /// A part of a model's answer.
    Answer,
    /// What a tool returned.
    ToolResult,
    /// A known record of another kind.
    Other,
    /// A record of a kind that this importer does not know.
    Unknown,
    /// Bytes that are no record: malformed JSON, or a line that is too long.
    Unreadable,
}

/// Whether a record still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepState {
    /// It is part of the session.
    Active,
    /// It belongs to a turn that the person went back on.
    Rewound,
    /// It repeats a record that was read before, in this file or another.
    Copied,
}

/// How often a tool was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// What kind of tool it is.
    pub kind: ToolKind,
    /// The tool's own name, without the server's.
    pub short_name: String,
    /// The MCP server that offers it.
    pub server: Option<McpServer>,
    /// How many calls the files hold, each counted once.
    pub calls: u64,
    /// How many of them were answered with an error.
    pub failures: u64,
    /// How many of them the files hold no answer to.
    pub unanswered: u64,
    /// Calls known only from a progress record of a sub-agent whose own file is not at hand; not part of `calls`.
    pub echoed_calls: u64,
}

/// What kind of tool a tool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToolKind {
    /// Part of the product.
    Builtin,
    /// Offered by an MCP server.
    Mcp,
}

impl ToolKind {
    /// Returns the kind as the predicate spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Mcp => "mcp",
        }
    }
}

/// An MCP server, as a tool's name gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpServer {
    /// The server's whole name as it stands in the tool's name.
    pub name: String,
    /// The plugin that brought it, where the name has the form `plugin_<plugin>_<server>`.
    pub plugin: Option<String>,
}

/// A shell command that was run.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// The command's text.
    pub text: String,
    /// What it is for, by a table of known programs.
    pub kind: CommandKind,
    /// The exit code, only where the transcript gives one. A command that succeeded has none.
    pub exit_code: Option<i32>,
    /// Whether it was answered with an error; `None` where no answer is there.
    pub failed: Option<bool>,
    /// The index of the step that called it.
    pub step: usize,
    /// Who called it.
    pub role: Role,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("text", &format_args!("{} bytes", self.text.len()))
            .field("kind", &self.kind)
            .field("exit_code", &self.exit_code)
            .field("failed", &self.failed)
            .field("step", &self.step)
            .field("role", &self.role)
            .finish()
    }
}

/// What a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommandKind {
    /// Runs tests.
    Test,
    /// Builds, checks or formats.
    Build,
    /// Works with version control.
    Vcs,
    /// Anything else.
    Other,
}

impl CommandKind {
    /// Returns the kind as the predicate spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Build => "build",
            Self::Vcs => "vcs",
            Self::Other => "other",
        }
    }
}

/// The part that a model or a caller played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// In the session itself.
    Primary,
    /// In a sub-agent.
    Subagent,
}

impl Role {
    /// Returns the role as the predicate spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Subagent => "subagent",
        }
    }
}

/// A model that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Who offers it, where its identifier tells.
    pub provider: Option<String>,
    /// How many steps are its answers.
    pub steps: u64,
    /// How many answers it gave (an answer may span several steps).
    pub answers: u64,
    /// The index of its first step.
    pub first_step: usize,
    /// The index of its last step.
    pub last_step: usize,
    /// Its part of [`Run::usage`].
    pub usage: Usage,
}

/// Tokens, each kind `None` where no answer gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, without those from or for a cache.
    pub input_tokens: Option<u64>,
    /// Tokens written.
    pub output_tokens: Option<u64>,
    /// Tokens read from a cache.
    pub cache_read_tokens: Option<u64>,
    /// Tokens written to a cache.
    pub cache_write_tokens: Option<u64>,
    /// The number of answers.
    pub requests: Option<u64>,
}

/// A cost that the product reported. It may include requests that no transcript shows and earlier runs of a resumed
/// session, so it is never mixed with [`Usage`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The amount as a decimal number.
    pub amount: String,
    /// The currency, ISO 4217.
    pub currency: String,
    /// True where the product says that it does not know the price of a model that took part.
    pub incomplete: Option<bool>,
}

/// A file that the agent said it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenPath {
    /// The working directory of the first record that wrote it, against which a relative path is to be read.
    pub working_directory: Option<String>,
    /// True where a tool's answer confirms a write; false where no answer is there.
    pub confirmed: bool,
    /// Who wrote it first.
    pub role: Role,
}

/// A commit that the output of a command speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitHint {
    /// The commit's id or the beginning of it, lowercase hex, 7 to 64 digits.
    pub id_prefix: String,
    /// The branch that it was made on, as printed.
    pub branch: String,
    /// The index of the step that printed it.
    pub step: usize,
}

/// A sub-agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subagent {
    /// Its type, as the product names it.
    pub agent_type: Option<String>,
    /// The tool call that started it.
    pub tool_use_id: Option<String>,
    /// How many steps are its own.
    pub steps: u64,
    /// The total of tokens that the calling tool's answer reports, a figure of its own.
    pub reported_tokens: Option<u64>,
}

/// How much of a transcript was read.
///
/// `Whole` needs a last line that ends with a line feed and a reader that saw the end of the file. A last line without
/// line feed is never whole, even where its JSON is complete: its writer was not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Completeness {
    /// Everything to the end, ending with a line feed.
    Whole,
    /// Only whole records, but more may follow: the reader stopped at a watermark, or the last line has no line feed.
    Prefix,
    /// The bytes end inside a record.
    #[default]
    TailMissing,
}

impl Completeness {
    /// Returns the value as the predicate spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Prefix => "prefix",
            Self::TailMissing => "tailMissing",
        }
    }
}

/// What the reader could not use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records of a kind that the importer does not know.
    pub unknown: u64,
    /// Pieces that are not a JSON object.
    pub malformed: u64,
    /// Lines that were too long to be read.
    pub skipped: u64,
    /// Records of turns that the person went back on.
    pub rewound: u64,
}

/// How the records of a session hang together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Records that replaced earlier turns by a summary.
    pub compactions: u64,
    /// Records with more than one child.
    pub forks: u64,
    /// Records that name no parent.
    pub roots: u64,
    /// Records whose parent is not in the files.
    pub orphans: u64,
    /// Records that repeat an earlier one.
    pub copies: u64,
    /// Records that carry an earlier time than the one before.
    pub backward_times: u64,
    /// Times that name no zone; they are read as UTC.
    pub zoneless_times: u64,
}

/// A contradiction between sources.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The caller, the file's name and the records do not agree on the session's identifier.
    SessionIdDiffers {
        /// The identifier that was used.
        used: String,
        /// The one that was not.
        other: String,
    },
    /// Two answers share an identifier but not their model.
    ModelDiffers {
        /// The model of the first answer.
        first: String,
        /// The model of the later one.
        later: String,
    },
    /// An answer's tokens and the product's own total for the session do not agree.
    UsageDiffers {
        /// The tokens of all answers together.
        counted: u64,
        /// What the product reports.
        reported: u64,
    },
}

/// Where a value came from, strongest first. The verifier computes what it believes; this is what the importer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Reported by the product to a hook.
    Hook,
    /// Read from the product's session file.
    Transcript,
    /// Read from the environment or a file's name.
    Environment,
    /// Read from a commit's message.
    Trailer,
    /// Said by the caller.
    SelfReported,
}

impl Source {
    /// Returns the source as the predicate spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Transcript => "transcript",
            Self::Environment => "environment",
            Self::Trailer => "trailer",
            Self::SelfReported => "selfReported",
        }
    }
}

impl Step {
    /// Returns the record's exact bytes in the bytes of its file, or `None` where they do not reach that far.
    pub fn bytes<'a>(&self, file: &'a [u8]) -> Option<&'a [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        let len = usize::try_from(self.len).ok()?;
        file.get(start..start.checked_add(len)?)
    }
}

impl Run {
    /// Returns the prompts that a person typed.
    pub fn human_prompts(&self) -> impl Iterator<Item = &Prompt> {
        self.prompts
            .iter()
            .filter(|prompt| prompt.origin == PromptOrigin::Human)
    }

    /// Returns the number of tool calls that the files hold.
    pub fn tool_calls(&self) -> u64 {
        self.tools.values().map(|tool| tool.calls).sum()
    }
}
