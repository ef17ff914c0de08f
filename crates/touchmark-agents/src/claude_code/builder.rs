//! Reads records one by one into a [`Run`].

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Deserializer;

use super::answers::Answers;
use super::calls::{Calls, Place};
use super::prompts;
use super::record::{Content, Record};
use super::tree::Tree;
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::json::lines::{Line, Lines};
use crate::limits::{MAX_DISTINCT_NAMES, MAX_NAME_BYTES, MAX_PROMPT_BYTES, MAX_STEPS, MAX_VALUES_PER_LINE};
use crate::run::{
    Completeness, Prompt, PromptOrigin, PromptPart, Role, Run, SourceFile, Step, StepKind, StepState,
};

/// The kinds of records that are known to exist, besides those that are read.
const OTHER_KINDS: [&str; 28] = [
    "progress",
    "system",
    "summary",
    "custom-title",
    "ai-title",
    "agent-name",
    "agent-color",
    "agent-setting",
    "tag",
    "file-history-snapshot",
    "file-history-delta",
    "attachment",
    "queue-operation",
    "pr-link",
    "mode",
    "permission-mode",
    "last-prompt",
    "cost-state",
    "worktree-state",
    "content-replacement",
    "attribution-snapshot",
    "context-collapse-commit",
    "context-collapse-snapshot",
    "speculation-accept",
    "task-summary",
    "result",
    "stream_event",
    "saved_hook_context",
];

/// A file while it is read.
pub(super) struct OpenSource {
    index: u32,
    is_subagent: bool,
    /// The sub-agent's identifier, from the file's name.
    agent: Option<String>,
    tail: Tail,
}

/// How the bytes read so far end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    Clean,
    Unterminated,
    Cut,
}

/// Collects what records say.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) run: Run,
    tree: Tree,
    pub(super) answers: Answers,
    pub(super) calls: Calls,
    prompt_bytes: usize,
    session_ids: Vec<String>,
    last_time: Option<DateTime<Utc>>,
    bytes_read: u64,
    /// Set when a cap is reached inside a line.
    failed: Option<ImportError>,
}

impl Builder {
    /// Reads one file. `cut` says that the caller gives only the beginning of it.
    pub(super) fn read(
        &mut self,
        name: &str,
        agent: Option<String>,
        mut lines: impl Lines,
        max_line_bytes: usize,
        cut: bool,
    ) -> Result<(), ImportError> {
        let index = self.run.sources.len() as u32;
        let mut source = OpenSource {
            index,
            is_subagent: index > 0,
            agent,
            tail: Tail::Clean,
        };
        self.last_time = None;
        loop {
            let more = lines
                .next_line(max_line_bytes, |offset, line| {
                    self.line(&mut source, offset, line)
                })
                .map_err(|error| ImportError::Io {
                    path: name.into(),
                    source: error,
                })?;
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if more.is_none() {
                break;
            }
        }
        let completeness = match (source.tail, cut) {
            (Tail::Cut, _) => Completeness::TailMissing,
            (Tail::Unterminated, _) | (Tail::Clean, true) => Completeness::Prefix,
            (Tail::Clean, false) => Completeness::Whole,
        };
        let bytes_read = lines.bytes_read();
        self.bytes_read += bytes_read;
        self.run.sources.push(SourceFile {
            name: name.to_owned(),
            bytes_read,
            completeness,
        });
        Ok(())
    }

    /// Reads the `.meta.json` beside a sub-agent's file.
    pub(super) fn read_meta(&mut self, agent: &str, meta: &[u8]) {
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct Meta<'a> {
            #[serde(borrow, rename = "agentType")]
            agent_type: Text<'a>,
            #[serde(borrow, rename = "toolUseId")]
            tool_use_id: Text<'a>,
        }
        let Ok(Object(Some(meta))) = serde_json::from_slice::<Object<Meta<'_>>>(meta) else {
            return;
        };
        self.calls.link_agent(agent, meta.tool_use_id.as_deref());
        if let Some(agent_type) = meta
            .agent_type
            .as_deref()
            .filter(|text| text.len() <= MAX_NAME_BYTES)
            && let Some(known) = self.calls.agent(agent)
        {
            known.agent_type = Some(agent_type.to_owned());
        }
    }

    fn line(&mut self, source: &mut OpenSource, offset: u64, line: Line<'_>) {
        source.tail = Tail::Clean;
        let (bytes, terminated) = match line {
            Line::TooLong { len, terminated } => {
                self.run.counters.skipped += 1;
                self.step(source, StepKind::Unreadable, offset, len);
                source.tail = if terminated { Tail::Clean } else { Tail::Cut };
                return;
            }
            Line::Read { bytes, terminated } => (bytes, terminated),
        };
        if !terminated {
            source.tail = Tail::Unterminated;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.values(source, offset, text, terminated),
            Err(_) => self.unreadable(source, offset, bytes.len() as u64, terminated),
        }
    }

    /// Reads the values of one line: mostly one, but a writer that finds no line feed appends to the line.
    fn values(&mut self, source: &mut OpenSource, offset: u64, text: &str, terminated: bool) {
        let mut stream = Deserializer::from_str(text).into_iter::<Object<Record<'_>>>();
        for count in 0.. {
            let start = skip_blank(text, stream.byte_offset());
            if start == text.len() || self.failed.is_some() {
                return;
            }
            let value = if count < MAX_VALUES_PER_LINE {
                stream.next()
            } else {
                None
            };
            match value {
                Some(Ok(Object(Some(record)))) => {
                    let value = &text[start..stream.byte_offset()];
                    if let Err(error) = self.record(source, offset + start as u64, value, record) {
                        self.failed = Some(error);
                    }
                }
                Some(Ok(Object(None))) if stream.byte_offset() < text.len() || terminated => {
                    self.unreadable(
                        source,
                        offset + start as u64,
                        (stream.byte_offset() - start) as u64,
                        true,
                    );
                }
                _ => {
                    let rest = text[start..].trim_end_matches(is_blank);
                    return self.unreadable(source, offset + start as u64, rest.len() as u64, terminated);
                }
            }
        }
    }

    fn unreadable(&mut self, source: &mut OpenSource, offset: u64, len: u64, terminated: bool) {
        if terminated {
            self.run.counters.malformed += 1;
            self.step(source, StepKind::Unreadable, offset, len);
        } else {
            source.tail = Tail::Cut;
        }
    }

    /// Adds a step; returns its index.
    fn step(&mut self, source: &OpenSource, kind: StepKind, offset: u64, len: u64) -> usize {
        if self.run.steps.len() >= MAX_STEPS {
            self.failed = Some(ImportError::TooLarge {
                what: "records",
                limit: MAX_STEPS as u64,
            });
        }
        self.run.steps.push(Step {
            source: source.index,
            kind,
            state: StepState::Active,
            offset,
            len,
        });
        self.run.steps.len() - 1
    }

    fn record(
        &mut self,
        source: &OpenSource,
        offset: u64,
        json: &str,
        mut record: Record<'_>,
    ) -> Result<(), ImportError> {
        let kind = match record.kind.as_deref() {
            Some("user") => match &record.message.0 {
                Some(message) if prompts::holds_tool_result(&message.content) => StepKind::ToolResult,
                Some(_) => StepKind::Prompt,
                None => StepKind::Other,
            },
            Some("assistant") => StepKind::Answer,
            Some(kind) if OTHER_KINDS.contains(&kind) => StepKind::Other,
            _ => {
                self.run.counters.unknown += 1;
                StepKind::Unknown
            }
        };
        let step = self.step(source, kind, offset, json.len() as u64);
        self.common(&record);
        let role = if source.is_subagent || record.is_sidechain.is_true() {
            Role::Subagent
        } else {
            Role::Primary
        };
        let is_new = record
            .uuid
            .as_deref()
            .is_none_or(|id| self.tree.add(step, id, record.parent.as_deref()));
        if is_new
            && role == Role::Subagent
            && let Some(agent) = record.agent_id.as_deref().or(source.agent.as_deref())
            && let Some(known) = self.calls.agent(agent)
        {
            known.steps += 1;
        }
        if !is_new {
            self.run.steps[step].state = StepState::Copied;
            self.run.structure.copies += 1;
        }
        let message = record.message.0.take();
        let cwd = record.cwd.0.take();
        let place = Place {
            step,
            role,
            working_directory: cwd.as_deref().filter(|cwd| cwd.len() <= MAX_NAME_BYTES),
        };
        match (kind, message) {
            (StepKind::Answer, Some(message)) => {
                self.answers
                    .add(&message, record.request_id.as_deref(), role, step, is_new);
                self.tool_calls(&message.content, place)
            }
            (StepKind::ToolResult, Some(message)) => {
                let Content::Blocks(blocks) = &message.content else {
                    return Ok(());
                };
                for block in blocks.iter().filter_map(|block| block.0.as_ref()) {
                    if block.kind.as_deref() == Some("tool_result") {
                        self.calls
                            .add_answer(block, record.tool_use_result.0.as_ref(), place);
                    }
                }
                Ok(())
            }
            (StepKind::Prompt, Some(message)) if is_new => {
                let parts = prompts::parts(message.content, json);
                let origin = prompts::origin(&record, &parts, role);
                self.prompt(parts, origin, step)
            }
            (StepKind::Other, _) if is_new => self.other(&record, place),
            _ => Ok(()),
        }
    }

    /// Notes what any record may carry.
    fn common(&mut self, record: &Record<'_>) {
        let run = &mut self.run;
        note(&mut run.product.versions, record.version.as_deref());
        note(&mut run.working_directories, record.cwd.as_deref());
        note(&mut run.branches, record.branch.as_deref());
        if let Some(id) = record
            .session_id
            .as_deref()
            .or(record.headless_session_id.as_deref())
        {
            note(&mut self.session_ids, Some(id));
            // The last identifier is the current one: move it to the end.
            if self.session_ids.last().is_some_and(|last| last != id)
                && let Some(at) = self.session_ids.iter().position(|known| known == id)
            {
                let id = self.session_ids.remove(at);
                self.session_ids.push(id);
            }
        }
        let time = record
            .timestamp
            .as_deref()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        if let Some(time) = time.map(|time| time.with_timezone(&Utc)) {
            run.started_at = Some(run.started_at.map_or(time, |earliest| earliest.min(time)));
            run.ended_at = Some(run.ended_at.map_or(time, |latest| latest.max(time)));
            if self.last_time.is_some_and(|last| time < last) {
                run.structure.backward_times += 1;
            }
            self.last_time = Some(time);
        }
    }

    fn tool_calls(&mut self, content: &Content<'_>, place: Place<'_>) -> Result<(), ImportError> {
        let Content::Blocks(blocks) = content else {
            return Ok(());
        };
        for block in blocks.iter().filter_map(|block| block.0.as_ref()) {
            if matches!(
                block.kind.as_deref(),
                Some("tool_use" | "server_tool_use" | "mcp_tool_use")
            ) {
                self.calls.add_call(block, place)?;
            }
        }
        Ok(())
    }

    pub(super) fn prompt(
        &mut self,
        parts: Vec<PromptPart>,
        origin: PromptOrigin,
        step: usize,
    ) -> Result<(), ImportError> {
        let bytes: usize = parts
            .iter()
            .map(|part| match part {
                PromptPart::Text(text) => text.len(),
                PromptPart::Other { kind, .. } => kind.len() + 32,
            })
            .sum();
        self.prompt_bytes = self.prompt_bytes.saturating_add(bytes);
        if self.prompt_bytes > MAX_PROMPT_BYTES {
            return Err(ImportError::TooLarge {
                what: "bytes of prompts",
                limit: MAX_PROMPT_BYTES as u64,
            });
        }
        self.run.prompts.push(Prompt {
            parts,
            origin,
            step,
            rewound: false,
        });
        Ok(())
    }

    /// Joins everything. `session_id` is the hook's, `stem` the file name's.
    pub(super) fn finish(self, session_id: Option<&str>, stem: Option<&str>) -> Result<Run, ImportError> {
        if self
            .run
            .steps
            .iter()
            .all(|step| step.kind == StepKind::Unreadable)
        {
            return Err(ImportError::Empty {
                bytes: self.bytes_read,
                unreadable: self.run.steps.len() as u64,
            });
        }
        let mut run = self.run;
        let answers = self.answers.finish();
        run.models = answers.0;
        run.usage = answers.1;
        run.findings = answers.2;
        self.tree
            .finish(&mut run.steps, &mut run.prompts, &mut run.structure);
        run.counters.rewound = run
            .steps
            .iter()
            .filter(|step| step.state == StepState::Rewound)
            .count() as u64;
        let calls = self.calls.finish();
        run.tools = calls.tools;
        run.commands = calls.commands;
        run.written = calls.written;
        run.commits = calls.commits;
        run.subagents = calls.agents.into_iter().collect();
        run.completeness = run
            .sources
            .iter()
            .map(|source| source.completeness)
            .max()
            .unwrap_or_default();
        super::identity::settle(&mut run, session_id, stem, self.session_ids);
        super::identity::name_sources(&mut run, session_id.is_some(), stem);
        Ok(run)
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn skip_blank(text: &str, from: usize) -> usize {
    from + text[from..].len() - text[from..].trim_start_matches(is_blank).len()
}

/// Adds a name to a list of distinct ones.
fn note(names: &mut Vec<String>, name: Option<&str>) {
    let Some(name) = name.filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES) else {
        return;
    };
    if names.last().is_some_and(|last| last == name) || names.len() >= 1_024.min(MAX_DISTINCT_NAMES) {
        return;
    }
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// The distinct identifiers other than `used`.
pub(super) fn others(ids: Vec<String>, used: Option<&str>) -> BTreeSet<String> {
    ids.into_iter().filter(|id| Some(id.as_str()) != used).collect()
}
