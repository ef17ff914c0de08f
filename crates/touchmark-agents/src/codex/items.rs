//! What is done, as newer versions tell it besides the items of the conversation. In code mode, what the model's code
//! calls is told only so.

use serde_json::value::RawValue;

use super::arguments;
use super::calls::{Calls, Told, ended, has_failed, names, plain, within};
use super::outputs;
use super::record::Item;
use crate::error::ImportError;
use crate::recorder::{NewCall, Place, Recorder};

impl Calls {
    /// Reads something that is done.
    pub(super) fn item(
        &mut self,
        recorder: &mut Recorder,
        item: &Item<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let Some(id) = item.id.as_deref().filter(|id| !id.is_empty()) else {
            return Ok(());
        };
        let is_nested = id.starts_with("exec-");
        match item.kind.as_deref().unwrap_or_default() {
            "CommandExecution" => return self.command(recorder, item, id, place),
            "FileChange" => changed_files(recorder, item, id, place)?,
            "McpToolCall" | "DynamicToolCall" => tool(recorder, item, id, place)?,
            "CollabAgentToolCall" => {
                plain(
                    recorder,
                    Some(id),
                    item.tool.as_deref().unwrap_or_default(),
                    place,
                )?;
                for agent in item.receiver_thread_ids.map(names).unwrap_or_default() {
                    recorder.link_subagent(&agent, Some(id));
                }
            }
            "SubAgentActivity" => {
                if let Some(agent) = item.agent_thread_id.as_deref() {
                    recorder.link_subagent(agent, None);
                }
                return Ok(());
            }
            "WebSearch" if is_nested => plain(recorder, Some(id), "web_search", place)?,
            "Extension" if is_nested && item.extension.as_deref().is_some() => {
                plain(
                    recorder,
                    Some(id),
                    item.extension.as_deref().unwrap_or_default(),
                    place,
                )?;
            }
            _ => return Ok(()),
        }
        self.end(recorder, id, Told::ByItem, item_failed(item), None, place);
        Ok(())
    }

    fn command(
        &mut self,
        recorder: &mut Recorder,
        item: &Item<'_>,
        id: &str,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let source = item.source.as_deref().unwrap_or_default();
        if matches!(source, "user_shell" | "userShell") {
            return Ok(());
        }
        let is_asking = matches!(source, "unified_exec_interaction" | "unifiedExecInteraction");
        if !recorder.knows_call(id) {
            let command = item.command.and_then(arguments::words).filter(|_| !is_asking);
            let files = command
                .as_deref()
                .map(arguments::patched_files)
                .unwrap_or_default();
            let call = NewCall {
                id: Some(id),
                name: if is_asking { "write_stdin" } else { "exec_command" },
                command: command.as_deref(),
                writes: &files,
                ..NewCall::default()
            };
            let directory = item.cwd.as_deref().map(arguments::directory);
            recorder.call(&call, within(place, directory))?;
        }
        let code = outputs::code(item.exit_code);
        let failed = item_failed(item).filter(|_| code.is_none());
        self.end(recorder, id, Told::ByItem, failed, code, place);
        if let Some(output) = item.aggregated_output.as_deref().filter(|_| code == Some(0)) {
            recorder.output(id, output, place);
        }
        Ok(())
    }
}

/// A change of files is a call of its own only where nothing else tells it.
fn changed_files(
    recorder: &mut Recorder,
    item: &Item<'_>,
    id: &str,
    place: Place<'_>,
) -> Result<(), ImportError> {
    if recorder.knows_call(id) {
        return Ok(());
    }
    let files = item.changes.map(arguments::changed_files).unwrap_or_default();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let call = NewCall {
        id: Some(id),
        name: "apply_patch",
        writes: &files,
        ..NewCall::default()
    };
    recorder.call(&call, place)
}

fn tool(recorder: &mut Recorder, item: &Item<'_>, id: &str, place: Place<'_>) -> Result<(), ImportError> {
    let call = NewCall {
        id: Some(id),
        name: item.tool.as_deref().unwrap_or_default(),
        server: item.server.as_deref().filter(|server| !server.is_empty()),
        ..NewCall::default()
    };
    match (call.server, recorder.knows_call(id)) {
        (Some(server), true) => recorder.call_server(id, server, call.name),
        (None, true) => Ok(()),
        (_, false) => recorder.call(&call, place),
    }
}

fn item_failed(item: &Item<'_>) -> Option<bool> {
    let is_there = |raw: Option<&RawValue>| raw.is_some_and(|raw| raw.get() != "null");
    if is_there(item.error) || item.result.and_then(has_failed) == Some(true) {
        return Some(true);
    }
    item.success
        .0
        .map(|success| !success)
        .or_else(|| ended(item.status.as_deref()?))
}
