//! The payloads of hooks.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::shared::{Shared, What};
use super::{read, tools};
use crate::error::ImportError;
use crate::json::lenient::{Flag, Items, Text};
use crate::recorder::{NewAnswer, NewCall, NewResult, Place, Recorder, Spot};
use crate::run::{PromptOrigin, PromptPart, StepKind, Usage};

/// Events that tell nothing that is counted.
const ASIDE: [&str; 17] = [
    "afterTabFileEdit",
    "beforeMCPExecution",
    "beforeReadFile",
    "beforeShellExecution",
    "beforeTabFileRead",
    "postToolUse",
    "postToolUseFailure",
    "preCompact",
    "preToolUse",
    "sessionEnd",
    "sessionStart",
    "stop",
    "subagentStart",
    "subagentStop",
    "workspaceOpen",
    "workspaceClose",
    "error",
];

/// The fields of a payload that are read. Those of the person's account are not among them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    hook_event_name: Text<'a>,
    #[serde(borrow)]
    conversation_id: Text<'a>,
    #[serde(borrow)]
    session_id: Text<'a>,
    #[serde(borrow)]
    generation_id: Text<'a>,
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    cursor_version: Text<'a>,
    #[serde(borrow)]
    workspace_roots: Items<Text<'a>>,
    #[serde(borrow)]
    cwd: Text<'a>,
    #[serde(borrow)]
    prompt: Text<'a>,
    #[serde(borrow)]
    attachments: Items<&'a RawValue>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    file_path: Text<'a>,
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow)]
    output: Text<'a>,
    #[serde(borrow)]
    exit_code: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_name: Text<'a>,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use_id: Text<'a>,
    #[serde(borrow, alias = "server_name", alias = "mcp_server_name")]
    server: Text<'a>,
    #[serde(borrow)]
    result_json: Text<'a>,
    #[serde(borrow)]
    subagent_id: Text<'a>,
    #[serde(borrow)]
    subagent_type: Text<'a>,
}

/// Reads payloads in order.
#[derive(Default)]
pub(super) struct Hooks {
    calls: u64,
    /// The payload before this one: two installations of a hook give each twice.
    last: String,
}

impl Hooks {
    pub(super) fn event(
        &mut self,
        recorder: &mut Recorder,
        shared: &mut Shared,
        spot: Spot<'_>,
        payload: &Payload<'_>,
    ) -> Result<(), ImportError> {
        let name = payload.hook_event_name.as_deref().unwrap_or_default();
        // Cursor runs the hooks of other products besides its own, by those products' names of the same events.
        let is_foreign = name.starts_with(|first: char| first.is_ascii_uppercase());
        let kind = match name {
            "beforeSubmitPrompt" => StepKind::Prompt,
            "afterAgentResponse" | "afterAgentThought" => StepKind::Answer,
            "afterFileEdit" | "afterShellExecution" | "afterMCPExecution" => StepKind::ToolResult,
            _ if is_foreign || ASIDE.contains(&name) => StepKind::Other,
            _ => StepKind::Unknown,
        };
        let place = recorder.add_step(kind, spot)?;
        common(recorder, payload);
        let is_repeated = self.last == spot.json;
        spot.json.clone_into(&mut self.last);
        if is_foreign || is_repeated {
            recorder.copied(place.step);
            return Ok(());
        }
        match name {
            "beforeSubmitPrompt" => prompt(recorder, shared, place, payload),
            "afterAgentResponse" => {
                answer(recorder, place, payload);
                recorder.says(payload.text.as_deref().unwrap_or_default(), place)
            }
            "afterAgentThought" => {
                answer(recorder, place, payload);
                recorder.reasons(payload.text.as_deref().unwrap_or_default(), place)
            }
            "afterFileEdit" | "afterShellExecution" | "afterMCPExecution" => {
                answer(recorder, place, payload);
                self.act(recorder, shared, place, name, payload)
            }
            "stop" => {
                answer(recorder, place, payload);
                Ok(())
            }
            "postToolUse" | "postToolUseFailure" => self.other_tool(recorder, shared, place, name, payload),
            "preCompact" => {
                recorder.compaction();
                Ok(())
            }
            "subagentStart" | "subagentStop" => {
                subagent(recorder, payload);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn act(
        &mut self,
        recorder: &mut Recorder,
        shared: &mut Shared,
        place: Place<'_>,
        event: &str,
        payload: &Payload<'_>,
    ) -> Result<(), ImportError> {
        let (what, key, usual) = match event {
            "afterShellExecution" => (What::Shell, payload.command.as_deref(), "Shell"),
            "afterFileEdit" => (What::Edit, payload.file_path.as_deref(), "Edit"),
            _ => (What::Mcp, payload.tool_name.as_deref().map(mcp_tool), "mcp"),
        };
        let Some(key) = key else { return Ok(()) };
        let told = shared.tell(what, key);
        let is_mcp = what == What::Mcp;
        let name = if is_mcp {
            key
        } else {
            told.as_deref().unwrap_or(usual)
        };
        let writes: Vec<&str> = (what == What::Edit).then_some(key).into_iter().collect();
        let id = self.next_id(payload);
        recorder.call(
            &NewCall {
                id: Some(&id),
                name,
                // The payload names no server unless a newer version adds it.
                server: is_mcp.then(|| payload.server.as_deref().unwrap_or("unknown")),
                command: (what == What::Shell).then_some(key),
                writes: &writes,
                arguments: payload.tool_input.map(RawValue::get),
                ..NewCall::default()
            },
            place,
        )?;
        let failed = match what {
            What::Edit => Some(false),
            What::Mcp => payload.result_json.as_deref().and_then(mcp_failed),
            _ => None,
        };
        let result = NewResult {
            id: &id,
            failed,
            exit_code: payload.exit_code.and_then(|raw| raw.get().parse().ok()),
            output: payload.output.as_deref().or(payload.result_json.as_deref()),
        };
        recorder.result(&result, place);
        Ok(())
    }

    /// A tool that no event of its own tells of.
    fn other_tool(
        &mut self,
        recorder: &mut Recorder,
        shared: &mut Shared,
        place: Place<'_>,
        event: &str,
        payload: &Payload<'_>,
    ) -> Result<(), ImportError> {
        let Some(name) = payload.tool_name.as_deref().filter(|name| !name.is_empty()) else {
            return Ok(());
        };
        let has_own = tools::is_shell(name) || tools::is_writer(name) || name.starts_with("MCP:");
        if has_own && event == "postToolUse" {
            return Ok(());
        }
        let input = payload
            .tool_input
            .and_then(|raw| read::<tools::Input<'_>>(raw.get()))
            .unwrap_or_default();
        let command = input.command.as_deref().filter(|_| tools::is_shell(name));
        if let Some(command) = command {
            shared.tell(What::Shell, command);
        }
        let id = self.next_id(payload);
        let call = NewCall {
            id: Some(&id),
            name: mcp_tool(name),
            server: name.starts_with("MCP:").then_some("unknown"),
            command,
            agent_type: input.subagent_type.as_deref(),
            arguments: payload.tool_input.map(RawValue::get),
            ..NewCall::default()
        };
        recorder.call(&call, place)?;
        let result = NewResult {
            id: &id,
            failed: Some(event == "postToolUseFailure"),
            ..NewResult::default()
        };
        recorder.result(&result, place);
        Ok(())
    }

    fn next_id(&mut self, payload: &Payload<'_>) -> String {
        self.calls += 1;
        let named = payload.tool_use_id.as_deref().filter(|id| !id.is_empty());
        named.map_or_else(|| format!("hook-{}", self.calls), str::to_owned)
    }
}

fn subagent(recorder: &mut Recorder, payload: &Payload<'_>) {
    let agent_type = payload.subagent_type.as_deref().filter(|name| !name.is_empty());
    let id = payload.subagent_id.as_deref();
    if let Some(known) = id.and_then(|id| recorder.subagent(id)) {
        known.agent_type = agent_type.map(str::to_owned).or(known.agent_type.take());
    }
}

fn common(recorder: &mut Recorder, payload: &Payload<'_>) {
    recorder.session_id(
        payload
            .conversation_id
            .as_deref()
            .or(payload.session_id.as_deref()),
    );
    recorder.version(payload.cursor_version.as_deref());
    // The first root is where the agent works, unless the payload says where.
    let roots = &payload.workspace_roots.0;
    for root in roots.iter().chain(roots.first()).chain([&payload.cwd]) {
        recorder.working_directory(root.as_deref());
    }
}

fn prompt(
    recorder: &mut Recorder,
    shared: &mut Shared,
    place: Place<'_>,
    payload: &Payload<'_>,
) -> Result<(), ImportError> {
    let text = payload.prompt.as_deref().unwrap_or_default();
    let mut parts = vec![PromptPart::Text(text.to_owned())];
    for raw in &payload.attachments.0 {
        parts.push(crate::recorder::parts::other("attachment", None, raw.get()));
    }
    shared.tell(What::Prompt, text.trim());
    recorder.prompt(parts, PromptOrigin::Human, place)
}

fn answer(recorder: &mut Recorder, place: Place<'_>, payload: &Payload<'_>) {
    recorder.answer(
        &NewAnswer {
            id: payload.generation_id.as_deref().filter(|id| !id.is_empty()),
            request: None,
            model: payload.model.as_deref(),
            provider: None,
            usage: Usage::default(),
        },
        place,
    );
}

fn mcp_tool(name: &str) -> &str {
    name.strip_prefix("MCP:").unwrap_or(name)
}

fn mcp_failed(result: &str) -> Option<bool> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Outcome {
        #[serde(alias = "is_error", rename = "isError")]
        is_error: Flag,
    }
    read::<Outcome>(result)?.is_error.0
}
