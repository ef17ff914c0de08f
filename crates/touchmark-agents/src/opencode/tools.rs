//! What calls of OpenCode's tools ask for.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::shapes::State;
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::recorder::{NewCall, Place, Recorder};

/// The tools that are part of the product. A name outside of this list with a `_` in it is a server's name and a
/// tool's: the record tells them apart by nothing else.
const BUILT_IN: [&str; 30] = [
    "apply_patch",
    "bash",
    "batch",
    "codesearch",
    "edit",
    "external_directory",
    "glob",
    "grep",
    "invalid",
    "list",
    "lsp",
    "lsp_diagnostics",
    "lsp_hover",
    "multiedit",
    "patch",
    "plan_enter",
    "plan_exit",
    "question",
    "read",
    "shell",
    "skill",
    "skill_list",
    "structured_output",
    "task",
    "task_status",
    "todoread",
    "todowrite",
    "webfetch",
    "websearch",
    "write",
];
/// The most files that one call is believed to write.
const MAX_FILES_OF_CALL: usize = 4_096;

/// What a tool was asked.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Input<'a> {
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow, rename = "filePath")]
    file_path: Text<'a>,
    #[serde(borrow, rename = "patchText")]
    patch: Text<'a>,
    #[serde(borrow)]
    subagent_type: Text<'a>,
}

/// What a tool's result carries besides its text.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) exit: Option<&'a RawValue>,
    #[serde(borrow, rename = "sessionId")]
    pub(super) session_id: Text<'a>,
}

/// Adds a call.
pub(super) fn call(
    recorder: &mut Recorder,
    place: Place<'_>,
    id: Option<&str>,
    name: &str,
    state: &State<'_>,
) -> Result<(), ImportError> {
    let input = state
        .input
        .and_then(|raw| serde_json::from_str::<Object<Input<'_>>>(raw.get()).ok()?.0)
        .unwrap_or_default();
    let is_built_in = BUILT_IN.contains(&name);
    let split = name.split_once('_').filter(|(server, tool)| {
        !is_built_in && !name.starts_with("mcp__") && !server.is_empty() && !tool.is_empty()
    });
    let patched = match name {
        "apply_patch" | "patch" => input.patch.as_deref().map(patched).unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut writes: Vec<&str> = patched;
    if matches!(name, "write" | "edit" | "multiedit") {
        writes.extend(input.file_path.as_deref());
    }
    let call = NewCall {
        id,
        name: split.map_or(name, |(_, tool)| tool),
        server: split.map(|(server, _)| server),
        command: input
            .command
            .as_deref()
            .filter(|_| matches!(name, "bash" | "shell")),
        writes: &writes,
        agent_type: input.subagent_type.as_deref().filter(|_| name == "task"),
        arguments: state.input.map(RawValue::get),
    };
    recorder.call(&call, place)
}

/// The files that a patch in the product's own form adds, changes or moves.
fn patched(patch: &str) -> Vec<&str> {
    const HEADS: [&str; 3] = ["*** Add File: ", "*** Update File: ", "*** Move to: "];
    patch
        .lines()
        .filter_map(|line| HEADS.iter().find_map(|head| line.strip_prefix(head)))
        .map(str::trim_end)
        .take(MAX_FILES_OF_CALL)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_name_their_files() {
        let patch = "*** Begin Patch\n*** Add File: a.rs\n+x\n*** Update File: b.rs\n*** Move to: c.rs\n@@\n\
                     *** Delete File: d.rs\n*** End Patch";
        assert_eq!(patched(patch), ["a.rs", "b.rs", "c.rs"]);
    }
}
