//! The tools of the product: which of their inputs are commands, written files and sub-agents.

use serde::Deserialize;

use super::record::Block;
use crate::json::lenient::{Object, Text};
use crate::limits::MAX_NAME_BYTES;

/// The input of a tool, as far as we read it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Input<'a> {
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow)]
    file_path: Text<'a>,
    #[serde(borrow)]
    notebook_path: Text<'a>,
    #[serde(borrow)]
    subagent_type: Text<'a>,
}

impl Input<'_> {
    /// The command, where the tool is a shell.
    pub(super) fn command(&self, name: &str) -> Option<&str> {
        self.command
            .as_deref()
            .filter(|_| matches!(name, "Bash" | "PowerShell"))
    }

    /// The file that the call asks to be written.
    pub(super) fn written_path(&self, name: &str) -> Option<&str> {
        match name {
            "Edit" | "MultiEdit" | "Write" => self.file_path.as_deref(),
            "NotebookEdit" => self.notebook_path.as_deref(),
            _ => None,
        }
    }
}

/// Reads the input of a tool that is of interest.
pub(super) fn input<'a>(name: &str, block: &Block<'a>) -> Input<'a> {
    if !matches!(
        name,
        "Bash" | "PowerShell" | "Edit" | "MultiEdit" | "Write" | "NotebookEdit" | "Task" | "Agent"
    ) {
        return Input::default();
    }
    block
        .input
        .and_then(|raw| serde_json::from_str::<Object<Input<'a>>>(raw.get()).ok()?.0)
        .unwrap_or_default()
}

/// The type of sub-agent that a call starts.
pub(super) fn agent_type<'i>(name: &str, input: &'i Input<'_>) -> Option<&'i str> {
    matches!(name, "Task" | "Agent")
        .then(|| short(&input.subagent_type))
        .flatten()
}

/// The tool's name.
pub(super) fn name_of<'b>(block: &'b Block<'_>) -> Option<&'b str> {
    block.name.as_deref().filter(|name| !name.is_empty())
}

/// A text that is a name: there, and not too long.
pub(super) fn short<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    text.as_deref()
        .filter(|text| !text.is_empty() && text.len() <= MAX_NAME_BYTES)
}

/// Reads `Exit code N` at the beginning of a failed command's answer.
pub(super) fn told_exit_code(text: &str) -> Option<i32> {
    let text = text.strip_prefix("Error: ").unwrap_or(text);
    let rest = text.strip_prefix("Exit code ")?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '-')
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_exit_codes_only_where_they_are_said() {
        for (text, code) in [
            ("Exit code 1\nFAILED", Some(1)),
            ("Exit code 127", Some(127)),
            ("Error: Exit code 2", Some(2)),
            ("Exit code -1", Some(-1)),
            ("Exit code 99999999999", None),
            ("Exit code", None),
            ("tests failed: Exit code 1", None),
            ("", None),
        ] {
            assert_eq!(told_exit_code(text), code, "{text}");
        }
    }
}
