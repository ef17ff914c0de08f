//! What Cursor's tools do, by their names of several years.

use serde::Deserialize;

use super::shared::What;
use super::transcript::Use;
use crate::json::lenient::{Object, Text};

const SHELLS: [&str; 5] = [
    "Bash",
    "RunTerminalCmd",
    "Shell",
    "run_terminal_cmd",
    "run_terminal_command",
];
const WRITERS: [&str; 14] = [
    "Delete",
    "Edit",
    "EditNotebook",
    "MultiEdit",
    "StrReplace",
    "Write",
    "delete_file",
    "edit_file",
    "edit_notebook",
    "multi_edit",
    "reapply",
    "search_replace",
    "str_replace",
    "write",
];

/// What a tool was asked.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Input<'a> {
    #[serde(borrow)]
    pub(super) command: Text<'a>,
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow)]
    file_path: Text<'a>,
    #[serde(borrow)]
    target_file: Text<'a>,
    #[serde(borrow)]
    target_notebook: Text<'a>,
    #[serde(borrow)]
    pub(super) subagent_type: Text<'a>,
    #[serde(borrow)]
    server: Text<'a>,
    #[serde(borrow, rename = "toolName")]
    tool: Text<'a>,
}

impl Input<'_> {
    pub(super) fn path(&self) -> Option<&str> {
        [
            &self.path,
            &self.file_path,
            &self.target_file,
            &self.target_notebook,
        ]
        .into_iter()
        .find_map(Text::as_deref)
    }
}

/// Reads what a tool was asked.
pub(super) fn input<'a>(used: &Use<'a>) -> Input<'a> {
    used.input
        .and_then(|raw| serde_json::from_str::<Object<Input<'a>>>(raw.get()).ok()?.0)
        .unwrap_or_default()
}

pub(super) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

pub(super) fn is_writer(name: &str) -> bool {
    WRITERS.contains(&name)
}

/// The server and the tool, where a call is one of MCP.
pub(super) fn mcp<'n>(name: &'n str, input: &'n Input<'_>) -> Option<(&'n str, &'n str)> {
    if matches!(name, "CallMcpTool" | "call_mcp_tool") {
        return Some((input.server.as_deref()?, input.tool.as_deref()?));
    }
    let rest = name.strip_prefix("mcp_").filter(|rest| !rest.starts_with('_'))?;
    rest.split_once('_')
        .filter(|(server, tool)| !server.is_empty() && !tool.is_empty())
}

/// What hooks tell of a call too, and by what it is told apart.
pub(super) fn told_by_hooks(name: &str, used: &Use<'_>) -> Option<(What, String)> {
    let input = input(used);
    if is_shell(name) {
        return Some((What::Shell, input.command.as_deref()?.to_owned()));
    }
    if let Some((_, tool)) = mcp(name, &input) {
        return Some((What::Mcp, tool.to_owned()));
    }
    // A hook tells of edits, not of what was deleted.
    let edits = is_writer(name) && !matches!(name, "Delete" | "delete_file");
    edits.then(|| input.path().map(|path| (What::Edit, path.to_owned())))?
}
