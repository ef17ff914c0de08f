//! Tools: which of their arguments are commands and written files, and how they end.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::record::{Data, Exit, FileEdit, list};
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::recorder::{NewCall, NewResult, Place, Recorder};

/// The arguments of a call, as far as we read them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments<'a> {
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow)]
    input: Text<'a>,
    #[serde(borrow)]
    patch: Text<'a>,
    #[serde(borrow)]
    agent_type: Text<'a>,
}

/// Reads the beginning of a call.
pub(super) fn started(recorder: &mut Recorder, data: &Data<'_>, place: Place<'_>) -> Result<(), ImportError> {
    let name = data.tool_name.as_deref().unwrap_or_default();
    let json = data.arguments.map(unquoted);
    let arguments = json
        .as_deref()
        .and_then(|json| serde_json::from_str::<Object<Arguments<'_>>>(json).ok()?.0)
        .unwrap_or_default();
    let patch = arguments.input.as_deref().or(arguments.patch.as_deref());
    let patch = match (name, patch, json.as_deref()) {
        ("apply_patch", Some(patch), _) => Some(patch),
        ("apply_patch", None, Some(json)) => Some(json),
        _ => None,
    };
    let written = match name {
        "create" | "edit" => arguments.path.as_deref(),
        "str_replace_editor" => arguments.path.as_deref().filter(|_| {
            matches!(
                arguments.command.as_deref(),
                Some("create" | "str_replace" | "insert")
            )
        }),
        _ => None,
    };
    let files: Vec<&str> = match patch {
        Some(patch) => crate::codex::patched_files(patch),
        None => written.into_iter().collect(),
    };
    let server = data
        .mcp_server_name
        .as_deref()
        .filter(|server| !server.is_empty());
    let call = NewCall {
        id: data.tool_call_id.as_deref(),
        name: match (server, data.mcp_tool_name.as_deref()) {
            (Some(_), Some(tool)) if !tool.is_empty() => tool,
            _ => name,
        },
        server,
        command: arguments
            .command
            .as_deref()
            .filter(|_| matches!(name, "bash" | "powershell" | "shell")),
        writes: &files,
        agent_type: arguments.agent_type.as_deref().filter(|_| name == "task"),
        arguments: data.arguments.map(RawValue::get),
    };
    recorder.call(&call, place)
}

/// Arguments are an object, or a string that holds one.
fn unquoted(raw: &RawValue) -> Cow<'_, str> {
    match serde_json::from_str::<Text<'_>>(raw.get()) {
        Ok(Text(Some(text))) => text,
        _ => Cow::Borrowed(raw.get()),
    }
}

/// Reads the end of a call.
pub(super) fn completed(recorder: &mut Recorder, data: &Data<'_>, place: Place<'_>) {
    let Some(id) = data.tool_call_id.as_deref() else {
        return;
    };
    let result = data.result.0.as_ref();
    let text = result.and_then(|result| {
        [
            &result.content,
            &result.text_result_for_llm,
            &result.detailed_content,
        ]
        .into_iter()
        .find_map(|text| text.as_deref())
    });
    let failed = data
        .success
        .0
        .map(|success| !success)
        .or_else(|| match result?.result_type.as_deref()? {
            "success" => Some(false),
            "failure" | "rejected" | "denied" | "error" => Some(true),
            _ => None,
        })
        .or_else(|| data.error.0.is_some().then_some(true));
    let exit_code = data
        .shell_execution
        .0
        .as_ref()
        .and_then(|exit| code(exit.exit_code))
        .or_else(|| {
            let contents = list::<Object<Exit<'_>>>(result.and_then(|result| result.contents));
            contents.into_iter().find_map(|part| code(part.0?.exit_code))
        })
        .or_else(|| text.and_then(told_exit_code));
    let error = data.error.0.as_ref().and_then(|error| error.message.as_deref());
    let answer = NewResult {
        id,
        // A command that ran is a success to the product, whatever its exit code.
        failed: failed.filter(|failed| *failed || exit_code.is_none()),
        exit_code,
        output: text.or(error),
    };
    recorder.result(&answer, place);
    if failed != Some(true) {
        for edit in list::<Object<FileEdit<'_>>>(data.file_edits) {
            if let Some(path) = edit.0.and_then(|edit| edit.path.0) {
                recorder.wrote(&path, place);
            }
        }
    }
}

fn code(raw: Option<&RawValue>) -> Option<i32> {
    raw?.get().parse().ok()
}

/// Reads `<exited with exit code N>` on the last line: what the product puts behind the output of a command.
fn told_exit_code(text: &str) -> Option<i32> {
    let line = text.trim_end().rsplit('\n').next()?;
    let told = line.strip_prefix('<')?.strip_suffix('>')?;
    let (before, code) = told.rsplit_once("exit code ")?;
    let is_told = before == "exited with " || before.ends_with(" completed with ");
    if is_told { code.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_stand_on_the_last_line() {
        for (text, expected) in [
            ("ok\n<exited with exit code 0>", Some(0)),
            ("x\n<shellId: 3 completed with exit code 101>\n", Some(101)),
            ("<exited with exit code 0>\nmore", None),
            ("the tool exited with exit code 3", None),
            ("<exited with exit code nine>", None),
            ("", None),
        ] {
            assert_eq!(told_exit_code(text), expected, "{text}");
        }
    }
}
