//! What SWE-agent's own commands do.

/// The commands that are no programs of the shell.
const COMMANDS: [&str; 30] = [
    "append",
    "click_mouse",
    "close_site",
    "create",
    "double_click_mouse",
    "drag_mouse",
    "edit",
    "execute_script_on_page",
    "exit_forfeit",
    "filemap",
    "find_file",
    "get_console_output",
    "goto",
    "insert",
    "move_mouse",
    "navigate_back",
    "open",
    "open_site",
    "press_keys_on_page",
    "reload_page",
    "scroll_down",
    "scroll_on_page",
    "scroll_up",
    "search_dir",
    "search_file",
    "str_replace_editor",
    "submit",
    "take_screenshot",
    "type_text",
    "view_image",
];
/// How the editing commands begin to say that they did nothing.
const REFUSALS: [&str; 5] = [
    "Your proposed edit has introduced new syntax error",
    "Your edit was not applied",
    "No replacement was performed",
    "Text not found",
    "ERROR: ",
];

/// What an action is.
pub(super) struct Act {
    /// The tool's name.
    pub(super) tool: String,
    /// The command, where the tool is the shell.
    pub(super) command: Option<String>,
    /// The file that it writes.
    pub(super) path: Option<String>,
}

impl Act {
    /// Reads an action. `named` is the tool's name, where the conversation has it; `open_file` the file that the
    /// editing commands work on.
    pub(super) fn of(action: &str, named: Option<&str>, open_file: Option<&str>) -> Self {
        let words: Vec<&str> = action.split_whitespace().take(3).collect();
        let first = words.first().copied().unwrap_or_default();
        let tool = match named {
            Some(named) => named,
            None if COMMANDS.contains(&first) => first,
            None => "bash",
        };
        let word = |at: usize| {
            words
                .get(at)
                .map(|word| word.trim_matches(['"', '\'']).to_owned())
        };
        let path = match tool {
            "create" => word(1),
            "edit" | "insert" | "append" => open_file.filter(|file| *file != "n/a").map(str::to_owned),
            "str_replace_editor" if !matches!(words.get(1), Some(&"view") | None) => word(2),
            _ => None,
        };
        Self {
            tool: tool.to_owned(),
            command: (tool == "bash").then(|| action.trim_end().to_owned()),
            path,
        }
    }
}

/// Returns true where an editing command says that it did nothing; other observations do not tell.
pub(super) fn has_failed(observation: &str) -> Option<bool> {
    let said = observation.trim_start();
    REFUSALS
        .iter()
        .any(|refusal| said.starts_with(refusal))
        .then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_told_apart() {
        let act = |action, named| {
            let act = Act::of(action, named, Some("/src/lib.rs"));
            (act.tool, act.command, act.path)
        };
        let text = |text: &str| Some(text.to_owned());
        for (action, named, expected) in [
            ("ls -F", None, ("bash", text("ls -F"), None)),
            ("create 'a b.py'\n", None, ("create", None, text("a"))),
            (
                "create new.py\n",
                Some("create"),
                ("create", None, text("new.py")),
            ),
            (
                "edit 1:2\nx\nend_of_edit",
                None,
                ("edit", None, text("/src/lib.rs")),
            ),
            ("submit", None, ("submit", None, None)),
            ("open x", Some("bash"), ("bash", text("open x"), None)),
            (
                "str_replace_editor create /a.rs --file_text x",
                None,
                ("str_replace_editor", None, text("/a.rs")),
            ),
            (
                "str_replace_editor view /a.rs",
                None,
                ("str_replace_editor", None, None),
            ),
        ] {
            let (tool, command, path) = expected;
            assert_eq!(act(action, named), (tool.to_owned(), command, path), "{action}");
        }
    }

    #[test]
    fn only_what_is_said_to_have_failed_has() {
        assert_eq!(
            has_failed("\nYour proposed edit has introduced new syntax error(s)."),
            Some(true)
        );
        assert_eq!(has_failed("Traceback (most recent call last):"), None);
    }
}
