//! What each record means.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::prompts;
use super::record::{Block, Content, Message, Record, TokenCounts, ToolUseResult};
use super::tools::{agent_type, input, name_of, short, told_exit_code};
use crate::error::ImportError;
use crate::json::lenient::{Object, Text, first_text};
use crate::limits::MAX_NAME_BYTES;
use crate::recorder::{LineFormat, NewAnswer, NewCall, NewResult, Place, Recorder, Spot, times};
use crate::run::{Relation, Role, StepKind, Usage};

/// The kinds of records that are known to exist, besides those that are read.
const OTHER_KINDS: [&str; 34] = [
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
    "rate_limit_event",
    "atis-latch",
    "api-request",
    "api-request-shape",
    "api-request-blob",
    "tools-used",
];

/// The model name of answers that the product made up itself.
const SYNTHETIC_MODEL: &str = "<synthetic>";

/// Reads the records of one session.
#[derive(Default)]
pub(super) struct Mapping {
    /// The session that the records before the last one belong to.
    earlier_session: Option<String>,
}

impl LineFormat for Mapping {
    type Record<'a> = Record<'a>;

    fn agent_of(&self, index: usize, name: &str) -> Option<String> {
        if index == 0 {
            return None;
        }
        name.strip_suffix(".jsonl")?
            .strip_prefix("agent-")
            .map(str::to_owned)
    }

    /// Reads the `.meta.json` beside a sub-agent's file.
    fn meta(&mut self, recorder: &mut Recorder, agent: &str, meta: &[u8]) {
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
        recorder.link_subagent(agent, meta.tool_use_id.as_deref());
        if let Some(agent_type) = short(&meta.agent_type)
            && let Some(known) = recorder.subagent(agent)
        {
            known.agent_type = Some(agent_type.to_owned());
        }
    }

    fn record(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        mut record: Record<'_>,
    ) -> Result<(), ImportError> {
        let kind = kind(&record);
        let mut place = recorder.add_step(kind, spot)?;
        self.common(recorder, &record);
        if record.is_sidechain.is_true() || record.headless_parent_tool_use_id.as_deref().is_some() {
            place.role = Role::Subagent;
        }
        // Headless output names no parents: there a record without one is no root.
        let is_headless = record.session_id.as_deref().is_none() && record.parent.as_deref().is_none();
        let is_new = record.uuid.as_deref().is_none_or(|id| {
            if is_headless {
                recorder.is_first(place.step, id)
            } else {
                recorder.node(place.step, id, record.parent.as_deref())
            }
        });
        if is_new && place.role == Role::Subagent {
            count_subagent_step(recorder, &record);
        }
        let message = record.message.0.take();
        let cwd = record.cwd.0.take();
        let place = Place {
            working_directory: cwd.as_deref().filter(|cwd| cwd.len() <= MAX_NAME_BYTES),
            ..place
        };
        match (kind, message) {
            (StepKind::Answer, Some(message)) => {
                recorder.speaker(record.agent_id.as_deref());
                answer(recorder, &message, record.request_id.as_deref(), place);
                for block in blocks(&message.content) {
                    if is_call(block) {
                        with_call(block, |call| recorder.call(call, place))?;
                    } else if recorder.keeps_words() && is_new {
                        words(recorder, block, place)?;
                    }
                }
                Ok(())
            }
            (StepKind::ToolResult, Some(message)) => {
                recorder.speaker(record.agent_id.as_deref());
                for block in blocks(&message.content) {
                    if block.kind.as_deref() == Some("tool_result") {
                        result(recorder, block, record.tool_use_result.0.as_ref(), place);
                    }
                }
                Ok(())
            }
            (StepKind::Prompt, Some(message)) if is_new => {
                recorder.speaker(record.agent_id.as_deref());
                let parts = prompts::parts(message.content, spot.json);
                let origin = prompts::origin(&record, &parts, place.role);
                recorder.prompt(parts, origin, place)
            }
            (StepKind::Other, _) if is_new => super::other::read(recorder, &record, place),
            _ => Ok(()),
        }
    }
}

impl Mapping {
    /// Notes what any record may carry.
    fn common(&mut self, recorder: &mut Recorder, record: &Record<'_>) {
        recorder.version(record.version.as_deref().or(record.headless_version.as_deref()));
        recorder.working_directory(record.cwd.as_deref());
        recorder.branch(record.branch.as_deref());
        recorder.entrypoint(record.entrypoint.as_deref());
        let id = record
            .session_id
            .as_deref()
            .or(record.headless_session_id.as_deref());
        recorder.session_id(id);
        self.lineage(recorder, record, id);
        recorder.time(record.timestamp.as_deref().and_then(times::text));
    }

    /// A fork names the session that its records were copied from. A resumed session of older versions holds the records
    /// of the one before as they were, under its identifier, before its own.
    fn lineage(&mut self, recorder: &mut Recorder, record: &Record<'_>, id: Option<&str>) {
        if let Some(fork) = &record.forked_from.0 {
            recorder.parent(fork.session_id.as_deref(), Relation::Fork);
        }
        let Some(id) = id.filter(|id| id.len() <= MAX_NAME_BYTES) else {
            return;
        };
        match &self.earlier_session {
            Some(earlier) if earlier == id => {}
            earlier => {
                if recorder.source_role() == Role::Primary {
                    recorder.parent(earlier.as_deref(), Relation::Resume);
                }
                self.earlier_session = Some(id.to_owned());
            }
        }
    }
}

fn kind(record: &Record<'_>) -> StepKind {
    match record.kind.as_deref() {
        Some("user") => match &record.message.0 {
            Some(message) if prompts::holds_tool_result(&message.content) => StepKind::ToolResult,
            Some(_) => StepKind::Prompt,
            None => StepKind::Other,
        },
        Some("assistant") => StepKind::Answer,
        Some(kind) if OTHER_KINDS.contains(&kind) => StepKind::Other,
        _ => StepKind::Unknown,
    }
}

fn count_subagent_step(recorder: &mut Recorder, record: &Record<'_>) {
    let of_file = recorder.source_agent().map(str::to_owned);
    let agent = record.agent_id.as_deref().or(of_file.as_deref());
    if let Some(agent) = agent
        && let Some(known) = recorder.subagent(agent)
    {
        known.steps += 1;
    }
}

pub(super) fn blocks<'b, 'a>(content: &'b Content<'a>) -> impl Iterator<Item = &'b Block<'a>> {
    let blocks = match content {
        Content::Blocks(blocks) => blocks.as_slice(),
        Content::Absent | Content::Text(_) => &[],
    };
    blocks.iter().filter_map(|block| block.0.as_ref())
}

pub(super) fn is_call(block: &Block<'_>) -> bool {
    matches!(
        block.kind.as_deref(),
        Some("tool_use" | "server_tool_use" | "mcp_tool_use")
    )
}

/// Gives what a block of an answer says.
fn words(recorder: &mut Recorder, block: &Block<'_>, place: Place<'_>) -> Result<(), ImportError> {
    fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
        serde_json::from_str::<Text<'_>>(raw?.get()).ok()?.0
    }
    match block.kind.as_deref() {
        Some("text") => match text(block.text) {
            Some(text) => recorder.says(&text, place),
            None => Ok(()),
        },
        Some("thinking") => match text(block.thinking) {
            Some(text) if !text.is_empty() => recorder.reasons(&text, place),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Returns the name of the model that an answer is of; answers that the product made up have none.
pub(super) fn model_of<'m>(message: &'m Message<'_>) -> Option<&'m str> {
    message
        .model
        .as_deref()
        .filter(|name| !name.is_empty() && *name != SYNTHETIC_MODEL)
}

fn answer(recorder: &mut Recorder, message: &Message<'_>, request: Option<&str>, place: Place<'_>) {
    let Some(model) = model_of(message) else { return };
    recorder.answer(
        &NewAnswer {
            id: message.id.as_deref(),
            request,
            model: Some(model),
            provider: None,
            usage: message.usage.0.map(usage).unwrap_or_default(),
        },
        place,
    );
}

fn usage(counts: TokenCounts) -> Usage {
    Usage {
        input_tokens: counts.input_tokens.0,
        output_tokens: counts.output_tokens.0,
        cache_read_tokens: counts.cache_read_input_tokens.0,
        cache_write_tokens: counts.cache_creation_input_tokens.0,
        requests: None,
    }
}

/// Gives a block as the call that it is.
pub(super) fn with_call<T: Default>(
    block: &Block<'_>,
    give: impl FnOnce(&NewCall<'_>) -> Result<T, ImportError>,
) -> Result<T, ImportError> {
    let Some(name) = name_of(block) else {
        return Ok(T::default());
    };
    let input = input(name, block);
    let path = input.written_path(name);
    give(&NewCall {
        id: block.id.as_deref(),
        name,
        server: None,
        command: input.command(name),
        writes: path.as_slice(),
        agent_type: agent_type(name, &input),
        arguments: block.input.map(RawValue::get),
    })
}

/// Reads what a tool answered, and what the product keeps about it besides.
fn result(recorder: &mut Recorder, block: &Block<'_>, kept: Option<&ToolUseResult<'_>>, place: Place<'_>) {
    let Some(id) = block.tool_use_id.as_deref() else {
        return;
    };
    let failed = block.is_error.is_true();
    let exit_code = if failed {
        block
            .content
            .and_then(first_text)
            .and_then(|text| told_exit_code(&text))
    } else {
        None
    };
    let is_wanted = recorder.keeps_words() || (!failed && recorder.is_committing(id));
    let output = is_wanted
        .then(|| {
            kept.and_then(|kept| kept.stdout)
                .or(block.content)
                .and_then(first_text)
        })
        .flatten();
    recorder.result(
        &NewResult {
            id,
            failed: Some(failed),
            exit_code,
            output: output.as_deref(),
        },
        place,
    );
    let Some(kept) = kept else { return };
    if !failed
        && kept.structured_patch.0
        && let Some(path) = kept.file_path.as_deref()
    {
        recorder.wrote(path, place);
    }
    if let Some(agent) = short(&kept.agent_id) {
        let agent_type = short(&kept.agent_type)
            .map(str::to_owned)
            .or_else(|| recorder.agent_type_of(id));
        if let Some(known) = recorder.subagent(agent) {
            known.tool_use_id = Some(id.to_owned());
            known.agent_type = agent_type.or(known.agent_type.take());
            known.reported_tokens = kept.total_tokens.0.or(known.reported_tokens);
        }
    }
}
