//! Commands and written files in the calls of tools whose product is not known: by the names that products give to their
//! shells and editors, and the names that those give to their arguments. A tool that is not in the tables is a tool all
//! the same; only what it did is not known.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::recorder::{NewCall, Place, Recorder};

/// Names of shells, in lower case.
const SHELLS: [&str; 20] = [
    "bash",
    "bash_command",
    "exec",
    "exec_command",
    "execute_bash",
    "execute_command",
    "local_shell",
    "local_shell_call",
    "powershell",
    "run_command",
    "run_in_terminal",
    "run_shell_command",
    "run_terminal_cmd",
    "run_terminal_command",
    "sh",
    "shell",
    "shell_command",
    "terminal",
    "terminal_execute",
    "zsh",
];
/// Names of tools that write a file which an argument names, in lower case.
const WRITERS: [&str; 21] = [
    "create",
    "create_file",
    "edit",
    "edit_file",
    "editor",
    "file_editor",
    "insert_edit_into_file",
    "multi_edit",
    "multiedit",
    "notebookedit",
    "patch_file",
    "replace",
    "replace_file_content",
    "replace_in_file",
    "replace_string_in_file",
    "search_replace",
    "str_replace",
    "str_replace_based_edit_tool",
    "str_replace_editor",
    "write",
    "write_file",
];
/// Further ones.
const MORE_WRITERS: [&str; 2] = ["write_to_file", "create_new_file"];
/// What an editor's `command` says where nothing is written.
const READING: [&str; 2] = ["view", "undo_edit"];
/// How lines begin that name a file in a patch.
const PATCH_LINES: [&str; 4] = [
    "*** Add File: ",
    "*** Update File: ",
    "*** Delete File: ",
    "*** Move to: ",
];
/// The most files of one patch.
const MAX_PATCH_FILES: usize = 4_096;

/// What a call does, as far as its name and arguments tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Deed {
    /// The command that it runs.
    pub(crate) command: Option<String>,
    /// The files that it writes.
    pub(crate) writes: Vec<String>,
    /// The type of sub-agent that it starts.
    pub(crate) agent_type: Option<String>,
}

impl Deed {
    /// Tells the recorder of the call that does this.
    pub(crate) fn call(
        &self,
        recorder: &mut Recorder,
        call: NewCall<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let writes: Vec<&str> = self.writes.iter().map(String::as_str).collect();
        recorder.call(
            &NewCall {
                command: self.command.as_deref(),
                writes: &writes,
                agent_type: self.agent_type.as_deref(),
                ..call
            },
            place,
        )
    }
}

/// The arguments of interest, under every name that they have.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Arguments<'a> {
    #[serde(borrow)]
    command: Option<&'a RawValue>,
    #[serde(borrow)]
    cmd: Option<&'a RawValue>,
    #[serde(borrow, rename = "CommandLine")]
    command_line: Option<&'a RawValue>,
    #[serde(borrow)]
    script: Option<&'a RawValue>,
    #[serde(borrow)]
    file_path: Text<'a>,
    #[serde(borrow, rename = "filePath")]
    camel_file_path: Text<'a>,
    #[serde(borrow)]
    absolute_path: Text<'a>,
    #[serde(borrow)]
    notebook_path: Text<'a>,
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow)]
    target_file: Text<'a>,
    #[serde(borrow, rename = "TargetFile")]
    camel_target_file: Text<'a>,
    #[serde(borrow)]
    filename: Text<'a>,
    #[serde(borrow)]
    input: Text<'a>,
    #[serde(borrow)]
    patch: Text<'a>,
    #[serde(borrow, rename = "patchText")]
    camel_patch: Text<'a>,
    #[serde(borrow)]
    subagent_type: Text<'a>,
    #[serde(borrow)]
    agent_name: Text<'a>,
}

impl<'a> Arguments<'a> {
    fn command(&self) -> Option<String> {
        [self.command, self.cmd, self.command_line, self.script]
            .into_iter()
            .flatten()
            .find_map(|raw| command_of(raw.get()))
    }

    fn path(self) -> Option<Cow<'a, str>> {
        [
            self.file_path,
            self.camel_file_path,
            self.absolute_path,
            self.notebook_path,
            self.path,
            self.target_file,
            self.camel_target_file,
            self.filename,
        ]
        .into_iter()
        .find_map(|text| text.0)
    }

    fn patch(&self) -> Option<&str> {
        [&self.input, &self.patch, &self.camel_patch]
            .into_iter()
            .find_map(|text| text.as_deref())
    }
}

/// Reads what a call does. `arguments` is JSON: an object, or a string that holds one.
pub(crate) fn deed(name: &str, arguments: Option<&str>) -> Deed {
    let Some(json) = arguments else {
        return Deed::default();
    };
    let plain = name.to_ascii_lowercase();
    let is_shell = SHELLS.contains(&plain.as_str());
    let is_patch = plain == "apply_patch";
    let is_writer = WRITERS.contains(&plain.as_str()) || MORE_WRITERS.contains(&plain.as_str());
    let is_starter = matches!(
        plain.as_str(),
        "task" | "agent" | "subagent" | "delegate_to_agent"
    );
    if !(is_shell || is_patch || is_writer || is_starter) {
        return Deed::default();
    }
    let inner = unquoted(json);
    if is_patch && !inner.trim_start().starts_with('{') {
        return Deed {
            writes: patched(&inner),
            ..Deed::default()
        };
    }
    let Some(read) = serde_json::from_str::<Object<Arguments<'_>>>(&inner)
        .ok()
        .and_then(|read| read.0)
    else {
        return Deed::default();
    };
    let command = read.command();
    let mut deed = Deed::default();
    if is_shell {
        deed.command = command;
    } else if is_patch {
        deed.writes = patched(read.patch().or(command.as_deref()).unwrap_or_default());
    } else if is_starter {
        let name = read.subagent_type.0.or(read.agent_name.0);
        deed.agent_type = name.map(Cow::into_owned);
    } else if !command.is_some_and(|command| READING.contains(&command.as_str())) {
        deed.writes = read.path().map(Cow::into_owned).into_iter().collect();
    }
    deed
}

/// Returns the text of a JSON string, or the JSON of another value.
pub(crate) fn unquoted(json: &str) -> Cow<'_, str> {
    if json.trim_start().starts_with('"')
        && let Ok(Text(Some(text))) = serde_json::from_str::<Text<'_>>(json)
    {
        return text;
    }
    Cow::Borrowed(json)
}

/// A command is a text, or a list of words, of which `sh -c TEXT` is the text.
fn command_of(json: &str) -> Option<String> {
    if !json.starts_with('[') {
        return serde_json::from_str::<Text<'_>>(json)
            .ok()?
            .0
            .map(Cow::into_owned);
    }
    let words: Vec<Text<'_>> = serde_json::from_str(json).ok()?;
    let words: Vec<&str> = words.iter().filter_map(Text::as_deref).collect();
    match words.as_slice() {
        [_, "-c" | "-lc" | "-lic" | "-Command", text] => Some((*text).to_owned()),
        [] => None,
        words => Some(words.join(" ")),
    }
}

/// Returns the files that a patch in the `*** Begin Patch` form names.
pub(crate) fn patched(patch: &str) -> Vec<String> {
    patch
        .lines()
        .filter_map(|line| PATCH_LINES.iter().find_map(|start| line.strip_prefix(start)))
        .map(|path| path.trim().to_owned())
        .filter(|path| !path.is_empty())
        .take(MAX_PATCH_FILES)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_and_editors_are_told_by_their_names() {
        let command = |command: &str| Deed {
            command: Some(command.into()),
            ..Deed::default()
        };
        let writes = |paths: &[&str]| Deed {
            writes: paths.iter().map(|path| (*path).to_owned()).collect(),
            ..Deed::default()
        };
        for (name, arguments, expected) in [
            ("Bash", r#"{"command":"ls"}"#, command("ls")),
            ("exec_command", r#""{\"cmd\":\"pwd\"}""#, command("pwd")),
            (
                "shell",
                r#"{"command":["bash","-lc","cargo test"]}"#,
                command("cargo test"),
            ),
            ("shell", r#"{"command":["git","status"]}"#, command("git status")),
            ("Write", r#"{"file_path":"/a"}"#, writes(&["/a"])),
            (
                "str_replace_editor",
                r#"{"command":"create","path":"b"}"#,
                writes(&["b"]),
            ),
            (
                "str_replace_editor",
                r#"{"command":"view","path":"b"}"#,
                Deed::default(),
            ),
            (
                "apply_patch",
                r#""*** Begin Patch\n*** Add File: x\n+1\n*** Update File: y\n*** Move to: z\n""#,
                writes(&["x", "y", "z"]),
            ),
            (
                "apply_patch",
                r#"{"input":"*** Delete File: x\n"}"#,
                writes(&["x"]),
            ),
            (
                "Task",
                r#"{"subagent_type":"helper"}"#,
                Deed {
                    agent_type: Some("helper".into()),
                    ..Deed::default()
                },
            ),
            ("lookup", r#"{"command":"ls"}"#, Deed::default()),
            ("Bash", "[1", Deed::default()),
            ("Bash", r#"{"command":7}"#, Deed::default()),
        ] {
            assert_eq!(deed(name, Some(arguments)), expected, "{name} {arguments}");
        }
    }
}
