//! The events of the first generation.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Accumulated, Metadata, Totals, amount, exit_code};
use crate::error::ImportError;
use crate::json::lenient::{Object, Text, first_text};
use crate::limits::MAX_DISTINCT_NAMES;
use crate::mini_swe_agent::usage::Tokens;
use crate::recorder::names::split_provider;
use crate::recorder::{NewAnswer, NewCall, NewResult, Place, Recorder, Spot, parts, times};
use crate::run::{PromptOrigin, PromptPart, StepKind, Usage};

/// The actions of the agent that are calls of a tool, whether or not the event says which call of the model they are.
const ACTING: [&str; 10] = [
    "browse",
    "browse_interactive",
    "call_tool_mcp",
    "delegate",
    "edit",
    "read",
    "run",
    "run_ipython",
    "task_tracking",
    "write",
];
/// Observations that an action may cause but that are not what it gave back.
const ASIDE: [&str; 3] = ["agent_state_changed", "loop_recall", "recall"];
/// The kinds of actions and observations that are known.
const KNOWN: [&str; 34] = [
    "agent_delegate_observation",
    "agent_state_changed",
    "browse",
    "browse_interactive",
    "call_tool_mcp",
    "change_agent_state",
    "chat",
    "condensation",
    "condensation_request",
    "delegate",
    "download",
    "edit",
    "error",
    "finish",
    "initialize",
    "loop_recall",
    "mcp",
    "message",
    "null",
    "pause",
    "push",
    "read",
    "recall",
    "reject",
    "resume",
    "run",
    "run_ipython",
    "send_pr",
    "start",
    "success",
    "system",
    "task_tracking",
    "think",
    "write",
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow)]
    action: Text<'a>,
    #[serde(borrow)]
    observation: Text<'a>,
    #[serde(borrow)]
    cause: Option<&'a RawValue>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Text<'a>,
    #[serde(borrow)]
    extras: Object<Extras<'a>>,
    #[serde(borrow)]
    tool_call_metadata: Object<ToolCall<'a>>,
    #[serde(borrow)]
    llm_metrics: Object<Metrics<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Args<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    image_urls: Option<&'a RawValue>,
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow)]
    thought: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    agent: Text<'a>,
    #[serde(borrow)]
    summary: Text<'a>,
    #[serde(borrow)]
    openhands_version: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Extras<'a> {
    #[serde(borrow)]
    exit_code: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ToolCall<'a> {
    #[serde(borrow)]
    function_name: Text<'a>,
    #[serde(borrow)]
    tool_call_id: Text<'a>,
    #[serde(borrow)]
    model_response: Object<Response<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    model: Text<'a>,
    usage: Object<Tokens>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metrics<'a> {
    #[serde(borrow)]
    accumulated_cost: Option<&'a RawValue>,
    accumulated_token_usage: Object<Accumulated>,
}

/// Reads events in order.
#[derive(Default)]
pub(super) struct Events {
    /// The calls that events made, by the events' identifiers.
    calls: HashMap<String, String>,
}

impl Events {
    pub(super) fn event(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        totals: &mut Totals,
    ) -> Result<(), ImportError> {
        let event = serde_json::from_str::<Object<Event<'_>>>(spot.json)
            .ok()
            .and_then(|event| event.0)
            .unwrap_or_default();
        let args = event
            .args
            .and_then(|raw| serde_json::from_str::<Object<Args<'_>>>(raw.get()).ok()?.0)
            .unwrap_or_default();
        let is_agent = event.source.as_deref() == Some("agent");
        let is_user = event.source.as_deref() == Some("user");
        let kind = match (event.action.as_deref(), event.observation.as_deref()) {
            (Some("message"), _) if is_user => StepKind::Prompt,
            (Some("system" | "condensation"), _) => StepKind::Prompt,
            (Some("message"), _) if is_agent => StepKind::Answer,
            (Some(action), _) if is_agent && is_call(&event, action) => StepKind::Answer,
            (_, Some(kind)) if !ASIDE.contains(&kind) && self.call_of(&event).is_some() => {
                StepKind::ToolResult
            }
            (Some(known), _) | (None, Some(known)) if KNOWN.contains(&known) => StepKind::Other,
            (None, Some("user_rejected" | "agent_thought")) => StepKind::Other,
            _ => StepKind::Unknown,
        };
        let place = recorder.add_step(kind, spot)?;
        recorder.time(event.timestamp.as_deref().and_then(times::text));
        recorder.version(args.openhands_version.as_deref());
        if let Some(metrics) = event.llm_metrics.0.as_ref() {
            totals.cost = metrics.accumulated_cost.and_then(amount).or(totals.cost);
            let usage = metrics.accumulated_token_usage.0.as_ref().map(Accumulated::usage);
            totals.usage = usage.or(totals.usage);
        }
        match kind {
            StepKind::Prompt => prompt(recorder, place, &event, &args),
            StepKind::Answer => {
                if event.llm_metrics.0.is_none() && has_usage(&event) {
                    // The sum that was reported before this answer is none of it.
                    totals.usage = None;
                }
                self.act(recorder, place, &event, &args)
            }
            StepKind::ToolResult => {
                self.observe(recorder, place, &event);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn act(
        &mut self,
        recorder: &mut Recorder,
        place: Place<'_>,
        event: &Event<'_>,
        args: &Args<'_>,
    ) -> Result<(), ImportError> {
        let call = event.tool_call_metadata.0.as_ref();
        let response = call.and_then(|call| call.model_response.0.as_ref());
        let model = response
            .and_then(|response| response.model.as_deref())
            .map(split_provider);
        recorder.answer(
            &NewAnswer {
                id: response.and_then(|response| response.id.as_deref()),
                request: None,
                model: model.map(|(_, model)| model),
                provider: model.and_then(|(provider, _)| provider),
                usage: response
                    .and_then(|response| response.usage.0.as_ref())
                    .map_or_else(Usage::default, Tokens::usage),
            },
            place,
        );
        let action = event.action.as_deref().unwrap_or_default();
        let said = args.thought.0.as_deref().map(str::to_owned);
        let said = said.or_else(|| {
            args.content
                .and_then(first_text)
                .map(std::borrow::Cow::into_owned)
        });
        if let Some(text) = said.filter(|text| !text.is_empty()) {
            recorder.says(&text, place)?;
        }
        if action == "message" {
            return Ok(());
        }
        self.call(recorder, place, event, args)
    }

    fn call(
        &mut self,
        recorder: &mut Recorder,
        place: Place<'_>,
        event: &Event<'_>,
        args: &Args<'_>,
    ) -> Result<(), ImportError> {
        let call = event.tool_call_metadata.0.as_ref();
        let action = event.action.as_deref().unwrap_or_default();
        let own = event.id.map(|raw| format!("event {}", raw.get()));
        let named = call.and_then(|call| call.tool_call_id.as_deref());
        let Some(id) = named.filter(|id| !id.is_empty()).map(str::to_owned).or(own) else {
            return Ok(());
        };
        if let Some(event) = event.id
            && self.calls.len() < MAX_DISTINCT_NAMES
        {
            self.calls.insert(event.get().to_owned(), id.clone());
        }
        let is_mcp = action == "call_tool_mcp";
        let name = call.and_then(|call| call.function_name.as_deref());
        let name = name.or(args.name.as_deref().filter(|_| is_mcp)).unwrap_or(action);
        let writes: Vec<&str> = args
            .path
            .as_deref()
            .filter(|_| matches!(action, "write" | "edit"))
            .into_iter()
            .collect();
        recorder.call(
            &NewCall {
                id: Some(&id),
                name,
                // The record does not say which server it was.
                server: is_mcp.then_some("unknown"),
                command: args.command.as_deref().filter(|_| action == "run"),
                writes: &writes,
                agent_type: args.agent.as_deref().filter(|_| action == "delegate"),
                arguments: event.args.map(RawValue::get),
            },
            place,
        )
    }

    /// The call that an event answers.
    fn call_of(&self, event: &Event<'_>) -> Option<String> {
        let cause = event.cause.and_then(|raw| self.calls.get(raw.get()));
        let named = event.tool_call_metadata.0.as_ref();
        let named = named
            .and_then(|call| call.tool_call_id.as_deref())
            .filter(|id| !id.is_empty());
        cause.cloned().or_else(|| named.map(str::to_owned))
    }

    fn observe(&self, recorder: &mut Recorder, place: Place<'_>, event: &Event<'_>) {
        let Some(id) = self.call_of(event) else { return };
        let nothing = Extras::default();
        let extras = event.extras.0.as_ref().unwrap_or(&nothing);
        let metadata = extras.metadata.0.as_ref();
        recorder.working_directory(metadata.and_then(|metadata| metadata.working_dir.as_deref()));
        let code = exit_code(
            metadata
                .and_then(|metadata| metadata.exit_code)
                .or(extras.exit_code),
        );
        let failed = match event.observation.as_deref() {
            Some("error" | "user_rejected") => Some(true),
            Some("run") => None,
            _ => code.is_none().then_some(false),
        };
        recorder.result(
            &NewResult {
                id: &id,
                failed,
                exit_code: code,
                output: event.content.as_deref(),
            },
            place,
        );
    }
}

/// Whether an event carries the tokens of an answer.
fn has_usage(event: &Event<'_>) -> bool {
    let call = event.tool_call_metadata.0.as_ref();
    call.and_then(|call| call.model_response.0.as_ref())
        .is_some_and(|response| response.usage.0.is_some())
}

/// Whether an action of the agent is the call of a tool.
fn is_call(event: &Event<'_>, action: &str) -> bool {
    let named = event.tool_call_metadata.0.as_ref();
    ACTING.contains(&action) || named.is_some_and(|call| call.function_name.0.is_some())
}

fn prompt(
    recorder: &mut Recorder,
    place: Place<'_>,
    event: &Event<'_>,
    args: &Args<'_>,
) -> Result<(), ImportError> {
    if event.action.as_deref() == Some("condensation") {
        recorder.compaction();
        let Some(summary) = args.summary.as_deref() else {
            return Ok(());
        };
        let parts = vec![PromptPart::Text(summary.to_owned())];
        return recorder.prompt(parts, PromptOrigin::Compaction, place);
    }
    let mut parts = args
        .content
        .map(|raw| parts::from_json(raw.get()))
        .unwrap_or_default();
    let images: Vec<Text<'_>> = args
        .image_urls
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    for url in images.iter().filter_map(Text::as_deref) {
        let base64 = url
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(";base64,"));
        parts.push(parts::other("image", base64.map(|(_, data)| data), url));
    }
    let origin = if event.action.as_deref() == Some("message") {
        PromptOrigin::Human
    } else {
        PromptOrigin::Injected
    };
    recorder.prompt(parts, origin, place)
}
