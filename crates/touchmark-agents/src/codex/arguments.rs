//! What the arguments of calls tell: commands, directories, the files of patches.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::lenient::{Object, Text};
use crate::limits::MAX_DISTINCT_NAMES;

/// The arguments of a call, as far as we read them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Arguments<'a> {
    #[serde(borrow)]
    pub(super) cmd: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) command: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) workdir: Text<'a>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) session_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) agent_type: Text<'a>,
}

impl<'a> Arguments<'a> {
    /// Reads arguments; what is no object has none.
    pub(super) fn read(json: &'a str) -> Self {
        serde_json::from_str::<Object<Self>>(json)
            .ok()
            .and_then(|arguments| arguments.0)
            .unwrap_or_default()
    }
}

/// Returns what a call of this tool runs in a shell.
pub(super) fn command(tool: &str, arguments: &Arguments<'_>) -> Option<String> {
    match tool {
        "shell" | "container.exec" | "shell_command" | "local_shell" | "exec_command" => {
            words(arguments.command.or(arguments.cmd)?)
        }
        "unified_exec" => words(arguments.input?),
        _ => None,
    }
}

/// Returns a command from its words: the script of `bash -lc SCRIPT`, otherwise the words as a shell would read them.
/// A command that is one text is taken as it stands.
pub(super) fn words(raw: &RawValue) -> Option<String> {
    if raw.get().starts_with('"') {
        return text(raw);
    }
    let words: Vec<String> = serde_json::from_str::<Vec<Text<'_>>>(raw.get())
        .ok()?
        .into_iter()
        .map(|word| word.0.map(String::from))
        .collect::<Option<_>>()?;
    if let [shell, flags, script] = words.as_slice() {
        let shell = shell.rsplit(['/', '\\']).next().unwrap_or(shell);
        let is_shell = matches!(shell, "bash" | "sh" | "zsh" | "dash" | "ksh");
        if is_shell && flags.starts_with('-') && flags.ends_with('c') {
            return Some(script.clone());
        }
    }
    (!words.is_empty()).then(|| {
        words
            .iter()
            .map(|word| quoted(word))
            .collect::<Vec<_>>()
            .join(" ")
    })
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Returns a text that is a JSON string.
pub(super) fn text(raw: &RawValue) -> Option<String> {
    Some(serde_json::from_str::<Text<'_>>(raw.get()).ok()?.0?.into_owned())
}

/// Returns the files that a patch names, as it spells them: those it adds, changes or takes away, and those it moves to.
/// A command that holds a patch names the same.
pub(crate) fn patched_files(text: &str) -> Vec<&str> {
    let Some(start) = text.find("*** Begin Patch") else {
        return Vec::new();
    };
    let mut files: Vec<&str> = Vec::new();
    for line in text[start..].lines().take_while(|line| *line != "*** End Patch") {
        let path = [
            "*** Add File: ",
            "*** Update File: ",
            "*** Delete File: ",
            "*** Move to: ",
        ]
        .iter()
        .find_map(|marker| line.strip_prefix(marker));
        if let Some(path) = path.map(str::trim).filter(|path| !path.is_empty())
            && files.len() < MAX_DISTINCT_NAMES
        {
            files.push(path);
        }
    }
    files
}

/// Returns the files of a list of changes, by their names.
pub(super) fn changed_files(raw: &RawValue) -> Vec<String> {
    let keys = serde_json::from_str::<std::collections::BTreeMap<String, serde::de::IgnoredAny>>(raw.get());
    keys.map(|changes| changes.into_keys().take(MAX_DISTINCT_NAMES).collect())
        .unwrap_or_default()
}

/// Returns a directory that may be given as an address.
pub(super) fn directory(text: &str) -> &str {
    text.strip_prefix("file://").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tool: &str, json: &str) -> Option<String> {
        command(tool, &Arguments::read(json))
    }

    #[test]
    fn commands_are_what_a_shell_reads() {
        for (tool, json, expected) in [
            (
                "shell",
                r#"{"command":["bash","-lc","cargo test"]}"#,
                Some("cargo test"),
            ),
            (
                "shell",
                r#"{"command":["/opt/homebrew/bin/zsh","-c","ls | wc"]}"#,
                Some("ls | wc"),
            ),
            (
                "shell",
                r#"{"command":["git","commit","-m","it's done"]}"#,
                Some(r"git commit -m 'it'\''s done'"),
            ),
            ("shell", r#"{"command":"ls"}"#, Some("ls")),
            ("shell_command", r#"{"command":"ls -l"}"#, Some("ls -l")),
            (
                "exec_command",
                r#"{"cmd":"ls","workdir":"/x","yield_time_ms":1000}"#,
                Some("ls"),
            ),
            ("exec_command", r#"{"cmd":7}"#, None),
            ("shell", r#"{"command":["ls",7]}"#, None),
            ("shell", r#"{"command":[]}"#, None),
            ("shell", "[", None),
            ("update_plan", r#"{"command":"ls"}"#, None),
        ] {
            assert_eq!(run(tool, json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn patches_name_their_files() {
        let patch = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: a.rs\n+*** Update File: no.rs\n*** Update File: b.rs\n*** Move to: c d.rs\n@@\n*** Delete File: e.rs\n*** End Patch\n*** Add File: after.rs\nEOF";
        assert_eq!(patched_files(patch), ["a.rs", "b.rs", "c d.rs", "e.rs"]);
        assert!(patched_files("*** Add File: a.rs").is_empty());
    }
}
