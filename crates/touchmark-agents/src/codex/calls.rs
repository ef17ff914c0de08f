//! Calls and their results. One result may be told in up to four ways that need not agree: by an item that is done, by
//! an event, as JSON, or in words; the first of these that is there counts, wherever it stands.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::arguments::{self, Arguments};
use super::outputs;
use super::record::Payload;
use crate::error::ImportError;
use crate::json::lenient::{Flag, Object, Text};
use crate::limits::MAX_NAME_BYTES;
use crate::recorder::{NewCall, NewResult, Place, Recorder};

/// How a result is told, the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Told {
    InWords,
    AsJson,
    ByEvent,
    ByItem,
}

/// What is known of calls besides what the recorder knows.
#[derive(Default)]
pub(super) struct Calls {
    /// How the exit code of a call was told.
    told: HashMap<String, Told>,
    /// The calls whose processes are still running, by the number of the process.
    running: HashMap<u64, String>,
    /// The calls that ask for a process, with the call that started it.
    asking: HashMap<String, u64>,
    /// The calls that start sub-agents.
    spawning: HashSet<String>,
}

impl Calls {
    /// Reads a call.
    pub(super) fn call(
        &mut self,
        recorder: &mut Recorder,
        payload: &Payload<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let id = payload.call_id.as_deref().or(payload.id.as_deref());
        match payload.kind.as_deref().unwrap_or_default() {
            "function_call" => self.function(recorder, payload, id, place),
            "custom_tool_call" => {
                let input = payload.input.as_deref().unwrap_or_default();
                let name = payload.name.as_deref().unwrap_or_default();
                let files = if name == "apply_patch" {
                    arguments::patched_files(input)
                } else {
                    Vec::new()
                };
                let call = NewCall {
                    id,
                    name,
                    writes: &files,
                    arguments: payload.input.as_deref(),
                    ..NewCall::default()
                };
                recorder.call(&call, place)
            }
            "local_shell_call" => {
                let action = payload.action.0.as_ref();
                let command = action
                    .and_then(|action| action.command)
                    .and_then(arguments::words);
                let call = NewCall {
                    id,
                    name: "local_shell",
                    command: command.as_deref(),
                    ..NewCall::default()
                };
                let directory = action.and_then(|action| action.working_directory.as_deref());
                recorder.call(&call, within(place, directory))
            }
            "tool_search_call" => plain(recorder, id, "tool_search", place),
            kind @ ("web_search_call" | "image_generation_call") => {
                // It has no result of its own: its status is all there is.
                let made_up = format!("{kind}@{}", place.step);
                let id = id.unwrap_or(&made_up);
                plain(recorder, Some(id), kind.trim_end_matches("_call"), place)?;
                if let Some(status) = payload.status.as_deref() {
                    let result = NewResult {
                        id,
                        failed: ended(status),
                        ..NewResult::default()
                    };
                    recorder.result(&result, place);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn function(
        &mut self,
        recorder: &mut Recorder,
        payload: &Payload<'_>,
        id: Option<&str>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let name = payload.name.as_deref().unwrap_or_default();
        let json = payload.arguments.as_deref().unwrap_or_default();
        let arguments = Arguments::read(json);
        let command = arguments::command(name, &arguments);
        let patch = match (name, arguments.input) {
            ("apply_patch", Some(input)) => arguments::text(input),
            _ => None,
        };
        let patch = patch.or_else(|| command.clone());
        let files = patch.as_deref().map(arguments::patched_files).unwrap_or_default();
        if let Some(id) = id.filter(|id| id.len() <= MAX_NAME_BYTES) {
            match name {
                "write_stdin" => {
                    if let Some(process) = arguments.session_id.and_then(|raw| raw.get().parse().ok()) {
                        self.asking.insert(id.to_owned(), process);
                    }
                }
                "spawn_agent" => {
                    self.spawning.insert(id.to_owned());
                }
                _ => {}
            }
        }
        let call = NewCall {
            id,
            name,
            server: payload
                .namespace
                .as_deref()
                .and_then(|space| space.strip_prefix("mcp__"))
                .map(|server| server.trim_end_matches("__"))
                .filter(|_| !name.starts_with("mcp__")),
            command: command.as_deref(),
            writes: &files,
            agent_type: arguments.agent_type.as_deref().filter(|_| name == "spawn_agent"),
            arguments: payload.arguments.as_deref(),
        };
        recorder.call(&call, within(place, arguments.workdir.as_deref()))
    }

    /// Reads a result among the items.
    pub(super) fn result(&mut self, recorder: &mut Recorder, payload: &Payload<'_>, place: Place<'_>) {
        let Some(id) = payload.call_id.as_deref().or(payload.id.as_deref()) else {
            return;
        };
        let told = payload
            .output
            .and_then(outputs::text)
            .map(outputs::read)
            .unwrap_or_default();
        if let Some(process) = told.running
            && !self.asking.contains_key(id)
            && id.len() <= MAX_NAME_BYTES
        {
            self.running.insert(process, id.to_owned());
        }
        if self.spawning.contains(id)
            && let Some(agent) = spawned(&told.printed)
        {
            recorder.link_subagent(&agent, Some(id));
        }
        let how = if told.is_json { Told::AsJson } else { Told::InWords };
        // What asks for a process has no exit code of its own: the process has.
        let started = self
            .asking
            .get(id)
            .and_then(|process| self.running.get(process))
            .cloned();
        let own_code = told.exit_code.filter(|_| !self.asking.contains_key(id));
        if let (Some(started), Some(code)) = (&started, told.exit_code) {
            self.end(recorder, started, how, None, Some(code), place);
            recorder.output(started, &told.printed, place);
        }
        let is_stronger = self.is_strongest(id, how, own_code.is_some() || told.failed.is_some());
        let result = NewResult {
            id,
            failed: told.failed.filter(|_| is_stronger),
            exit_code: own_code.filter(|_| is_stronger),
            output: Some(&told.printed),
        };
        recorder.result(&result, place);
    }

    /// Reads an event about a call.
    pub(super) fn event(
        &mut self,
        recorder: &mut Recorder,
        payload: &Payload<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let kind = payload.kind.as_deref().unwrap_or_default();
        if let (Some(item), "item_completed") = (&payload.item.0, kind) {
            return self.item(recorder, item, place);
        }
        let Some(id) = payload.call_id.as_deref() else {
            if let (Some(agent), "sub_agent_activity") = (payload.agent_thread_id.as_deref(), kind) {
                recorder.link_subagent(agent, None);
            }
            return Ok(());
        };
        match kind {
            // A command that the person ran has no call.
            "exec_command_end" if recorder.knows_call(id) => {
                let failed = payload.status.as_deref().and_then(ended).filter(|failed| *failed);
                let code = outputs::code(payload.exit_code);
                self.end(
                    recorder,
                    id,
                    Told::ByEvent,
                    failed.filter(|_| code.is_none()),
                    code,
                    place,
                );
                if let Some(output) = payload.aggregated_output.as_deref() {
                    recorder.output(id, output, place);
                }
            }
            "patch_apply_end" if recorder.knows_call(id) => {
                let failed = payload.success.0.map(|success| !success);
                self.end(recorder, id, Told::ByEvent, failed, None, place);
            }
            "mcp_tool_call_end" => return self.mcp(recorder, payload, id, place),
            "collab_agent_spawn_end" => {
                if let Some(agent) = payload.new_thread_id.as_deref() {
                    recorder.link_subagent(agent, Some(id));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Only this event names the server of a tool that has a plain name.
    fn mcp(
        &mut self,
        recorder: &mut Recorder,
        payload: &Payload<'_>,
        id: &str,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let invocation = payload.invocation.0.as_ref();
        let part = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let server = invocation.and_then(|invocation| part(invocation.server.as_deref()));
        let tool = invocation.and_then(|invocation| part(invocation.tool.as_deref()));
        if let (Some(server), Some(tool)) = (server, tool) {
            if recorder.knows_call(id) {
                recorder.call_server(id, &server, &tool)?;
            } else {
                let call = NewCall {
                    id: Some(id),
                    name: &tool,
                    server: Some(&server),
                    ..NewCall::default()
                };
                recorder.call(&call, place)?;
            }
        }
        let failed = payload.result.and_then(has_failed);
        self.end(recorder, id, Told::ByEvent, failed, None, place);
        Ok(())
    }

    /// Gives a result, unless a stronger one is there.
    pub(super) fn end(
        &mut self,
        recorder: &mut Recorder,
        id: &str,
        how: Told,
        failed: Option<bool>,
        exit_code: Option<i32>,
        place: Place<'_>,
    ) {
        if self.is_strongest(id, how, failed.is_some() || exit_code.is_some()) {
            let result = NewResult {
                id,
                failed,
                exit_code,
                output: None,
            };
            recorder.result(&result, place);
        }
    }

    fn is_strongest(&mut self, id: &str, how: Told, tells: bool) -> bool {
        if !tells || id.len() > MAX_NAME_BYTES {
            return true;
        }
        match self.told.get_mut(id) {
            Some(before) if *before > how => false,
            Some(before) => {
                *before = how;
                true
            }
            None => {
                self.told.insert(id.to_owned(), how);
                true
            }
        }
    }
}

pub(super) fn plain(
    recorder: &mut Recorder,
    id: Option<&str>,
    name: &str,
    place: Place<'_>,
) -> Result<(), ImportError> {
    let call = NewCall {
        id,
        name,
        ..NewCall::default()
    };
    recorder.call(&call, place)
}

pub(super) fn within<'a>(place: Place<'a>, directory: Option<&'a str>) -> Place<'a> {
    Place {
        working_directory: directory.filter(|directory| directory.len() <= MAX_NAME_BYTES),
        ..place
    }
}

/// Returns whether what ended so has failed; `None` where the word does not tell.
pub(super) fn ended(status: &str) -> Option<bool> {
    match status {
        "completed" => Some(false),
        "failed" | "declined" | "interrupted" | "incomplete" => Some(true),
        _ => None,
    }
}

/// What an MCP server's call came to.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outcome<'a> {
    #[serde(borrow, rename = "Ok")]
    ok: Option<&'a RawValue>,
    #[serde(borrow, rename = "Err")]
    err: Option<&'a RawValue>,
    #[serde(alias = "is_error", rename = "isError")]
    is_error: Flag,
}

/// Returns whether an MCP server's result is an error: `{"Err": …}`, or a result that says so itself.
pub(super) fn has_failed(raw: &RawValue) -> Option<bool> {
    let read = |raw: &RawValue| -> Option<Option<bool>> {
        Some(
            serde_json::from_str::<Object<Outcome<'_>>>(raw.get())
                .ok()?
                .0?
                .is_error
                .0,
        )
    };
    let outcome = serde_json::from_str::<Object<Outcome<'_>>>(raw.get()).ok()?.0?;
    match (outcome.ok, outcome.err) {
        (_, Some(_)) => Some(true),
        (Some(ok), None) => Some(read(ok).flatten() == Some(true)),
        (None, None) => outcome.is_error.0,
    }
}

/// Returns the session that a call started, as its result names it.
fn spawned(printed: &str) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Spawned<'a> {
        #[serde(borrow)]
        agent_id: Text<'a>,
        #[serde(borrow)]
        thread_id: Text<'a>,
    }
    let spawned = serde_json::from_str::<Object<Spawned<'_>>>(printed).ok()?.0?;
    Some(spawned.agent_id.0.or(spawned.thread_id.0)?.into_owned())
}

pub(super) fn names(raw: &RawValue) -> Vec<String> {
    let names = serde_json::from_str::<Vec<Text<'_>>>(raw.get()).unwrap_or_default();
    names
        .into_iter()
        .take(1_024)
        .filter_map(|name| Some(name.0?.into_owned()))
        .collect()
}
