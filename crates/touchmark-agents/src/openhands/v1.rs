//! The events of the second generation.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::state::State;
use super::{Accumulated, Metadata, Totals, exit_code};
use crate::error::ImportError;
use crate::json::lenient::{Flag, Object, Text};
use crate::limits::{MAX_DISTINCT_NAMES, MAX_NAME_BYTES};
use crate::recorder::names::split_provider;
use crate::recorder::{NewAnswer, NewCall, NewResult, Place, Recorder, Spot, parts, times};
use crate::run::{PromptOrigin, PromptPart, StepKind, Usage};

/// Events that neither the person, nor the model, nor a tool made.
const ASIDE: [&str; 14] = [
    "CondensationRequest",
    "CondensationSummaryEvent",
    "ConversationErrorEvent",
    "ConversationStateUpdateEvent",
    "HookExecutionEvent",
    "InterruptEvent",
    "LLMCompletionLogEvent",
    "PauseEvent",
    "ResumeEvent",
    "SecurityAnalysisEvent",
    "StreamingDeltaEvent",
    "ServerErrorEvent",
    "TokenEvent",
    "UserActionEvent",
];
/// The tools that write the file that they are given.
const WRITERS: [&str; 7] = [
    "apply_patch",
    "edit",
    "file_editor",
    "planning_file_editor",
    "replace",
    "str_replace_editor",
    "write_file",
];
#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    llm_message: Object<Message<'a>>,
    #[serde(borrow)]
    sender: Text<'a>,
    #[serde(borrow)]
    system_prompt: Option<&'a RawValue>,
    #[serde(borrow)]
    thought: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Object<Action<'a>>,
    #[serde(borrow)]
    tool_name: Text<'a>,
    #[serde(borrow)]
    tool_call_id: Text<'a>,
    #[serde(borrow)]
    tool_call: Object<Call<'a>>,
    #[serde(borrow)]
    llm_response_id: Text<'a>,
    #[serde(borrow)]
    action_id: Text<'a>,
    #[serde(borrow)]
    observation: Object<Observation<'a>>,
    #[serde(borrow)]
    summary: Text<'a>,
    #[serde(borrow)]
    tool_kind: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    raw_input: Object<Action<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Action<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow, alias = "file_path")]
    path: Text<'a>,
    is_input: Flag,
    #[serde(borrow)]
    subagent_type: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Call<'a> {
    #[serde(borrow)]
    arguments: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Observation<'a> {
    #[serde(alias = "error")]
    is_error: Flag,
    #[serde(borrow)]
    exit_code: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
}

/// Reads events in order.
#[derive(Default)]
pub(super) struct Events {
    model: Option<String>,
    servers: Vec<String>,
    /// The calls by the events that made them.
    calls: HashMap<String, String>,
}

impl Events {
    /// Reads the state, which stands before the events.
    pub(super) fn state(&mut self, recorder: &mut Recorder, state: &State, totals: &mut Totals) {
        recorder.session_id(state.text("/id"));
        recorder.working_directory(state.text("/workspace/working_dir"));
        self.model = state.text("/agent/llm/model").map(str::to_owned);
        if let Some(Value::Object(servers)) = state.at("/agent/mcp_config/mcpServers") {
            self.servers = servers.keys().cloned().collect();
        }
        let Some(Value::Object(metrics)) = state.at("/stats/usage_to_metrics") else {
            return;
        };
        for (name, metrics) in metrics {
            let cost = metrics.get("accumulated_cost").and_then(Value::as_f64);
            if let Some(cost) = cost.filter(|cost| (0.0..1e12).contains(cost)) {
                totals.cost = Some(totals.cost.unwrap_or(0.0) + cost);
            }
            let usage = metrics
                .get("accumulated_token_usage")
                .and_then(|usage| Accumulated::deserialize(usage).ok())
                .map(|usage| usage.usage())
                .unwrap_or_default();
            let usage = Usage {
                requests: metrics.get("token_usages").and_then(Value::as_u64),
                ..usage
            };
            let model = metrics
                .get("model_name")
                .and_then(Value::as_str)
                .map(str::to_owned);
            if usage != Usage::default() {
                totals.by_name.push((name.clone(), model, usage));
            }
        }
    }

    pub(super) fn event(&mut self, recorder: &mut Recorder, spot: Spot<'_>) -> Result<(), ImportError> {
        let event = serde_json::from_str::<Object<Event<'_>>>(spot.json)
            .ok()
            .and_then(|event| event.0)
            .unwrap_or_default();
        let source = event.source.as_deref();
        let kind = match event.kind.as_deref() {
            Some("MessageEvent") if source == Some("agent") => StepKind::Answer,
            Some("MessageEvent" | "SystemPromptEvent") => StepKind::Prompt,
            Some("Condensation") => StepKind::Prompt,
            Some("ActionEvent" | "ACPToolCallEvent") => StepKind::Answer,
            Some("ObservationEvent" | "AgentErrorEvent" | "UserRejectObservation") => StepKind::ToolResult,
            Some(kind) if ASIDE.contains(&kind) => StepKind::Other,
            _ => StepKind::Unknown,
        };
        let place = recorder.add_step(kind, spot)?;
        if let Some(id) = event.id.as_deref().filter(|id| !id.is_empty())
            && !recorder.is_first(place.step, id)
        {
            return Ok(());
        }
        recorder.time(event.timestamp.as_deref().and_then(times::text));
        match event.kind.as_deref() {
            Some("SystemPromptEvent") => {
                let parts = event
                    .system_prompt
                    .map(|raw| parts::from_json(raw.get()))
                    .unwrap_or_default();
                recorder.prompt(parts, PromptOrigin::Injected, place)
            }
            Some("Condensation") => {
                recorder.compaction();
                let parts = event.summary.0.map(|text| PromptPart::Text(text.into_owned()));
                recorder.prompt(parts.into_iter().collect(), PromptOrigin::Compaction, place)
            }
            Some("MessageEvent") => self.message(recorder, place, &event),
            Some("ActionEvent") => self.act(recorder, place, &event),
            Some("ACPToolCallEvent") => external(recorder, place, &event),
            Some("ObservationEvent" | "AgentErrorEvent" | "UserRejectObservation") => {
                self.observe(recorder, place, &event);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn message(
        &self,
        recorder: &mut Recorder,
        place: Place<'_>,
        event: &Event<'_>,
    ) -> Result<(), ImportError> {
        let content = event.llm_message.0.as_ref().and_then(|message| message.content);
        let parts = content.map(|raw| parts::from_json(raw.get())).unwrap_or_default();
        let origin = match (event.source.as_deref(), event.sender.as_deref()) {
            (Some("agent"), _) => {
                self.answer(recorder, place, event);
                return parts.iter().try_for_each(|part| match part {
                    PromptPart::Text(text) => recorder.says(text, place),
                    PromptPart::Other { .. } => Ok(()),
                });
            }
            (Some("user"), Some(sender)) if !sender.is_empty() && sender != "user" => PromptOrigin::Agent,
            (Some("user"), _) => PromptOrigin::Human,
            _ => PromptOrigin::Injected,
        };
        recorder.prompt(parts, origin, place)
    }

    fn answer(&self, recorder: &mut Recorder, place: Place<'_>, event: &Event<'_>) {
        let model = self.model.as_deref().map(split_provider);
        recorder.answer(
            &NewAnswer {
                id: event.llm_response_id.as_deref().filter(|id| !id.is_empty()),
                request: None,
                model: model.map(|(_, model)| model),
                provider: model.and_then(|(provider, _)| provider),
                usage: Usage::default(),
            },
            place,
        );
    }

    fn act(
        &mut self,
        recorder: &mut Recorder,
        place: Place<'_>,
        event: &Event<'_>,
    ) -> Result<(), ImportError> {
        self.answer(recorder, place, event);
        for part in event
            .thought
            .map(|raw| parts::from_json(raw.get()))
            .unwrap_or_default()
        {
            if let PromptPart::Text(text) = part {
                recorder.says(&text, place)?;
            }
        }
        let Some(name) = event.tool_name.as_deref().filter(|name| !name.is_empty()) else {
            return Ok(());
        };
        let id = event.tool_call_id.as_deref().or(event.id.as_deref());
        if let (Some(id), Some(event)) = (id, event.id.as_deref())
            && event.len() <= MAX_NAME_BYTES
            && self.calls.len() < MAX_DISTINCT_NAMES
        {
            self.calls.insert(event.to_owned(), id.to_owned());
        }
        let nothing = Action::default();
        let action = event.action.0.as_ref().unwrap_or(&nothing);
        let kind = action.kind.as_deref().unwrap_or_default();
        let is_shell = matches!(kind, "TerminalAction" | "ExecuteBashAction") && !action.is_input.is_true();
        let is_write = WRITERS.contains(&name) && action.command.as_deref() != Some("view");
        let writes: Vec<&str> = action.path.as_deref().filter(|_| is_write).into_iter().collect();
        let call = event.tool_call.0.as_ref();
        recorder.call(
            &NewCall {
                id,
                name,
                server: (kind == "MCPToolAction").then(|| self.server_of(name)),
                command: action.command.as_deref().filter(|_| is_shell),
                writes: &writes,
                agent_type: action.subagent_type.as_deref(),
                arguments: call.and_then(|call| call.arguments.as_deref()),
            },
            place,
        )
    }

    /// The server of an MCP tool: the only one there is, or the one whose name the tool's begins with.
    fn server_of(&self, tool: &str) -> &str {
        let prefix = |server: &&String| {
            tool.strip_prefix(server.as_str())
                .is_some_and(|rest| rest.starts_with('_'))
        };
        match self.servers.as_slice() {
            [only] => only,
            servers => servers.iter().find(prefix).map_or("unknown", String::as_str),
        }
    }

    fn observe(&self, recorder: &mut Recorder, place: Place<'_>, event: &Event<'_>) {
        let by_action = event
            .action_id
            .as_deref()
            .and_then(|id| self.calls.get(id).map(String::as_str));
        let Some(id) = event
            .tool_call_id
            .as_deref()
            .filter(|id| !id.is_empty())
            .or(by_action)
        else {
            return;
        };
        let nothing = Observation::default();
        let observation = event.observation.0.as_ref().unwrap_or(&nothing);
        let metadata = observation.metadata.0.as_ref();
        recorder.working_directory(metadata.and_then(|metadata| metadata.working_dir.as_deref()));
        let code = exit_code(
            observation
                .exit_code
                .or(metadata.and_then(|metadata| metadata.exit_code)),
        );
        let failed = match (event.kind.as_deref(), observation.is_error.0) {
            (Some("AgentErrorEvent" | "UserRejectObservation"), _) | (_, Some(true)) => Some(true),
            // The flag of a shell says that it could not run the command, not how that ended.
            _ if code.is_some() => None,
            (_, failed) => failed,
        };
        let output = observation.content.and_then(crate::json::lenient::first_text);
        recorder.result(
            &NewResult {
                id,
                failed,
                exit_code: code,
                output: output.as_deref(),
            },
            place,
        );
    }
}

/// A call of another agent's tool, which is told again each time its state changes.
fn external(recorder: &mut Recorder, place: Place<'_>, event: &Event<'_>) -> Result<(), ImportError> {
    let Some(id) = event.tool_call_id.as_deref().filter(|id| !id.is_empty()) else {
        return Ok(());
    };
    let name = event
        .tool_kind
        .as_deref()
        .filter(|name| !name.is_empty())
        .unwrap_or("other");
    let input = event.raw_input.0.as_ref();
    let call = NewCall {
        id: Some(id),
        name,
        command: input
            .and_then(|input| input.command.as_deref())
            .filter(|_| name == "execute"),
        ..NewCall::default()
    };
    recorder.call(&call, place)?;
    let failed = match event.status.as_deref() {
        Some("completed") => Some(false),
        Some("failed") => Some(true),
        _ => return Ok(()),
    };
    let result = NewResult {
        id,
        failed,
        ..NewResult::default()
    };
    recorder.result(&result, place);
    Ok(())
}
