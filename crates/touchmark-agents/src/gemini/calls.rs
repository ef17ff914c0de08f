//! Calls and their results.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::record::{Call, FunctionCall, FunctionResponse, Part, list};
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::recorder::{NewCall, NewResult, Place, Recorder, times};

/// The arguments of a call, as far as we read them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments<'a> {
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow)]
    file_path: Text<'a>,
}

/// Reads a call with what came of it.
pub(super) fn call(recorder: &mut Recorder, call: &Call<'_>, place: Place<'_>) -> Result<(), ImportError> {
    let agent = call.agent_id.as_deref().filter(|agent| !agent.is_empty());
    add(
        recorder,
        call.id.as_deref(),
        call.name.as_deref().unwrap_or_default(),
        call.args,
        agent.is_some(),
        place,
    )?;
    recorder.time(call.timestamp.as_deref().and_then(times::text));
    let Some(id) = call.id.as_deref() else {
        return Ok(());
    };
    if let Some(agent) = agent {
        recorder.link_subagent(agent, Some(id));
    }
    let failed = match call.status.as_deref() {
        Some("success") => false,
        Some("error" | "cancelled") => true,
        // Waiting, or still running.
        _ => return Ok(()),
    };
    let output = printed(call.result);
    let exit_code = output
        .as_deref()
        .filter(|_| is_shell(call.name.as_deref()))
        .and_then(exit_code);
    let result = NewResult {
        id,
        // A command that ran is a success to the product, whatever its exit code.
        failed: Some(failed).filter(|failed| *failed || exit_code.is_none()),
        exit_code,
        output: output.as_deref().map(of_command),
    };
    recorder.result(&result, place);
    Ok(())
}

/// Reads a call that only the model's own words tell.
pub(super) fn written_call(
    recorder: &mut Recorder,
    call: &FunctionCall<'_>,
    place: Place<'_>,
) -> Result<(), ImportError> {
    let name = call.name.as_deref().unwrap_or_default();
    add(recorder, call.id.as_deref(), name, call.args, false, place)
}

/// Reads a result that only the model was given.
pub(super) fn response(recorder: &mut Recorder, response: &FunctionResponse<'_>, place: Place<'_>) {
    let (Some(id), Some(given)) = (response.id.as_deref(), &response.response.0) else {
        return;
    };
    let output = given.output.as_deref();
    let result = NewResult {
        id,
        failed: given.error.is_some().then_some(true),
        exit_code: output.and_then(exit_code),
        output: output.map(of_command),
    };
    recorder.result(&result, place);
}

/// What the product itself says of a command, without the marks that newer versions put around it.
fn unmarked(output: &str) -> &str {
    output
        .strip_prefix("<untrusted_context>\n")
        .and_then(|inner| inner.trim_end().strip_suffix("</untrusted_context>"))
        .unwrap_or(output)
}

/// What a command printed, without what the product puts before it.
fn of_command(output: &str) -> &str {
    let label = "Output: ";
    let output = unmarked(output);
    output
        .strip_prefix(label)
        .or_else(|| output.split_once("\nOutput: ").map(|(_, printed)| printed))
        .unwrap_or(output)
}

fn add(
    recorder: &mut Recorder,
    id: Option<&str>,
    name: &str,
    args: Option<&RawValue>,
    starts_agent: bool,
    place: Place<'_>,
) -> Result<(), ImportError> {
    let arguments = args
        .and_then(|raw| serde_json::from_str::<Object<Arguments<'_>>>(raw.get()).ok()?.0)
        .unwrap_or_default();
    let written = match name {
        "write_file" | "replace" | "edit" => arguments.file_path.as_deref(),
        _ => None,
    };
    let written: Vec<&str> = written.into_iter().collect();
    let (server, tool) = split_name(name);
    let call = NewCall {
        id,
        name: tool,
        server,
        command: arguments.command.as_deref().filter(|_| is_shell(Some(name))),
        writes: &written,
        agent_type: Some(name).filter(|_| starts_agent),
        arguments: args.map(RawValue::get),
    };
    recorder.call(&call, place)
}

fn is_shell(name: Option<&str>) -> bool {
    name == Some("run_shell_command")
}

/// Splits `mcp_<server>_<tool>` as the product does: the server ends at the first underscore, also where its name holds
/// one.
fn split_name(name: &str) -> (Option<&str>, &str) {
    name.strip_prefix("mcp_")
        .filter(|rest| !rest.starts_with('_'))
        .and_then(|rest| rest.split_once('_'))
        .filter(|(server, tool)| !server.is_empty() && !tool.is_empty())
        .map_or((None, name), |(server, tool)| (Some(server), tool))
}

/// What a tool gave back, as the product keeps it.
fn printed(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let is_list = raw.is_some_and(|raw| raw.get().starts_with('['));
    list::<Part<'_>>(raw.filter(|_| is_list))
        .into_iter()
        .find_map(|part| part.response.0?.response.0?.output.0)
}

/// What the product puts behind what a command printed, each on a line of its own.
const BEHIND: [&str; 4] = ["Error: ", "Signal: ", "Background PIDs: ", "Process Group PGID: "];

/// Reads `Exit Code: N` behind what the command printed; what the command itself printed is no word of the product.
/// `(none)` is none.
fn exit_code(output: &str) -> Option<i32> {
    for line in unmarked(output).trim_end().lines().rev() {
        if let Some(code) = line.strip_prefix("Exit Code: ") {
            return code.trim().parse().ok();
        }
        if !BEHIND.iter().any(|label| line.starts_with(label)) {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_stand_behind_the_output() {
        for (output, expected) in [
            (
                "Command: x\nDirectory: (root)\nOutput: Exit Code: 3\nError: (none)\nExit Code: 0\nSignal: 0",
                Some(0),
            ),
            (
                "Output: \nExit Code: 5\nExit Code: 101\nProcess Group PGID: 1",
                Some(101),
            ),
            (
                "<untrusted_context>\nOutput: hi\nExit Code: 5\nProcess Group PGID: 13430\n</untrusted_context>",
                Some(5),
            ),
            ("Output: x\nExit Code: (none)\nSignal: 9", None),
            ("Output: (empty)\nProcess Group PGID: 1", None),
            (
                "Output: Exit Code: 7\nExit Code: 8\nfine\nProcess Group PGID: 1",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(exit_code(output), expected, "{output}");
        }
    }

    #[test]
    fn servers_are_told_from_names() {
        assert_eq!(
            split_name("mcp_tracker_close_issue"),
            (Some("tracker"), "close_issue")
        );
        assert_eq!(split_name("mcp__tracker__close"), (None, "mcp__tracker__close"));
        assert_eq!(split_name("mcp_tracker"), (None, "mcp_tracker"));
        assert_eq!(split_name("read_file"), (None, "read_file"));
    }
}
