//! What `codex exec --json` prints: a stream of its own, with no times, no prompts, no model and no version.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::arguments;
use super::outputs;
use super::record::{TokenCounts, TokenInfo};
use super::tokens::Counter;
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::recorder::{LineFormat, NewAnswer, NewCall, NewResult, Place, Recorder, Spot};
use crate::run::StepKind;

/// One event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    thread_id: Text<'a>,
    #[serde(borrow)]
    item: Object<Item<'a>>,
    usage: Object<TokenCounts>,
}

/// Something that began, changed or is done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, rename = "type", alias = "item_type")]
    kind: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    command: Option<&'a RawValue>,
    #[serde(borrow)]
    aggregated_output: Text<'a>,
    #[serde(borrow)]
    exit_code: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    changes: Option<&'a RawValue>,
    #[serde(borrow)]
    server: Text<'a>,
    #[serde(borrow)]
    tool: Text<'a>,
    #[serde(borrow)]
    receiver_thread_ids: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Change<'a> {
    #[serde(borrow)]
    path: Text<'a>,
}

/// Reads the events of one stream.
#[derive(Default)]
pub(super) struct Stream {
    counter: Counter,
}

impl LineFormat for Stream {
    type Record<'a> = Event<'a>;

    fn record(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        event: Event<'_>,
    ) -> Result<(), ImportError> {
        let kind = event.kind.as_deref().unwrap_or_default();
        let item = event.item.0.as_ref();
        let place = recorder.add_step(step_kind(kind, item), spot)?;
        match (kind, item) {
            ("thread.started", _) => recorder.session_id(event.thread_id.as_deref()),
            ("item.started" | "item.updated", Some(item)) => call(recorder, item, place)?,
            ("item.completed", Some(item)) => {
                call(recorder, item, place)?;
                done(recorder, item, place)?;
            }
            // The counter is the thread's, so it grows from turn to turn.
            ("turn.completed", _) => {
                let info = TokenInfo {
                    total_token_usage: event.usage,
                    ..TokenInfo::default()
                };
                if let Some(usage) = self.counter.added(&info, false) {
                    let answer = NewAnswer {
                        usage,
                        ..NewAnswer::default()
                    };
                    recorder.answer(&answer, place);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn step_kind(event: &str, item: Option<&Item<'_>>) -> StepKind {
    match event {
        "thread.started" | "turn.started" | "turn.completed" | "turn.failed" | "error"
        | "item.plan.delta" | "request_user_input" => StepKind::Other,
        "item.started" | "item.updated" | "item.completed" => {
            match item.and_then(|item| item.kind.as_deref()).unwrap_or_default() {
                "agent_message" | "assistant_message" | "reasoning" | "plan" => StepKind::Answer,
                "command_execution" | "file_change" | "mcp_tool_call" | "collab_tool_call" | "web_search" => {
                    if event == "item.completed" {
                        StepKind::ToolResult
                    } else {
                        StepKind::Answer
                    }
                }
                "todo_list" | "error" => StepKind::Other,
                _ => StepKind::Unknown,
            }
        }
        _ => StepKind::Unknown,
    }
}

/// Notes the call that an item is; the recorder knows it again.
fn call(recorder: &mut Recorder, item: &Item<'_>, place: Place<'_>) -> Result<(), ImportError> {
    let id = item.id.as_deref();
    let command = item.command.and_then(command);
    let files: Vec<String> = item
        .changes
        .and_then(|raw| serde_json::from_str::<Vec<Object<Change<'_>>>>(raw.get()).ok())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|change| Some(change.0?.path.0?.into_owned()))
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let new = match item.kind.as_deref().unwrap_or_default() {
        "command_execution" => NewCall {
            name: "exec_command",
            command: command.as_deref(),
            ..NewCall::default()
        },
        "file_change" => NewCall {
            name: "apply_patch",
            writes: &files,
            ..NewCall::default()
        },
        "mcp_tool_call" => NewCall {
            name: item.tool.as_deref().unwrap_or_default(),
            server: item.server.as_deref(),
            ..NewCall::default()
        },
        "collab_tool_call" => NewCall {
            name: item.tool.as_deref().unwrap_or_default(),
            ..NewCall::default()
        },
        "web_search" => NewCall {
            name: "web_search",
            ..NewCall::default()
        },
        _ => return Ok(()),
    };
    recorder.call(&NewCall { id, ..new }, place)
}

fn done(recorder: &mut Recorder, item: &Item<'_>, place: Place<'_>) -> Result<(), ImportError> {
    let text = item.text.as_deref().unwrap_or_default();
    match item.kind.as_deref().unwrap_or_default() {
        "agent_message" | "assistant_message" => return recorder.says(text, place),
        "reasoning" => return recorder.reasons(text, place),
        "todo_list" | "error" | "plan" => return Ok(()),
        _ => {}
    }
    let Some(id) = item.id.as_deref() else {
        return Ok(());
    };
    for agent in item
        .receiver_thread_ids
        .map(super::calls::names)
        .unwrap_or_default()
    {
        recorder.link_subagent(&agent, Some(id));
    }
    let exit_code = outputs::code(item.exit_code);
    let failed = item.status.as_deref().and_then(super::calls::ended);
    let result = NewResult {
        id,
        failed: failed.filter(|_| exit_code.is_none()),
        exit_code,
        output: item.aggregated_output.as_deref(),
    };
    recorder.result(&result, place);
    Ok(())
}

/// Returns a command without the shell that it is given to: `bash -lc 'SCRIPT'`.
fn command(raw: &RawValue) -> Option<String> {
    let text = arguments::words(raw)?;
    let script = [
        "bash -lc ",
        "/bin/bash -lc ",
        "zsh -lc ",
        "/bin/zsh -lc ",
        "sh -c ",
    ]
    .iter()
    .find_map(|shell| text.strip_prefix(shell));
    let inner = script.and_then(|script| {
        let inner = script.strip_prefix('\'')?.strip_suffix('\'')?;
        (!inner.contains('\'')).then(|| inner.to_owned())
    });
    Some(inner.unwrap_or(text))
}
