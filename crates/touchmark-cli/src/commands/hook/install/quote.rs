//! Commands as one line of a shell.

use std::path::Path;

/// Words that stand as they are in every shell that is written for.
fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./+@%:=,".contains(&b))
        && !word.starts_with('-')
}

/// Quotes a word for `sh`.
pub(crate) fn sh(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Quotes a program for PowerShell, which runs a quoted one only when it is called.
fn power_shell(program: &str) -> String {
    if is_plain(program) {
        return program.to_owned();
    }
    // PowerShell takes typographic quotes for the plain one.
    let mut quoted = String::from("& '");
    for character in program.chars() {
        if matches!(character, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(character);
        }
        quoted.push(character);
    }
    quoted.push('\'');
    quoted
}

/// The command by which hooks of one agent call this program.
#[derive(Debug, Clone)]
pub(crate) struct HookCommand {
    program: String,
}

impl HookCommand {
    /// A command that calls `program`: a path, or a name that is looked up in `PATH`.
    pub(crate) fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
        }
    }

    /// The program, as it is called.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// For `sh`.
    pub(crate) fn sh(&self, hook: &str) -> String {
        format!("{} hook run {hook}", sh(&self.program))
    }

    /// For PowerShell.
    pub(crate) fn power_shell(&self, hook: &str) -> String {
        format!("{} hook run {hook}", power_shell(&self.program))
    }
}

/// Returns whether a command is one that install writes for this hook, whichever program of ours it calls.
pub(crate) fn is_ours(command: &str, hook: &str) -> bool {
    let Some(program) = command
        .strip_suffix(hook)
        .and_then(|rest| rest.strip_suffix(" hook run "))
    else {
        return false;
    };
    let program = program.trim_start_matches("& ").trim_matches('\'');
    let name = Path::new(program.rsplit('\\').next().unwrap_or(program))
        .file_name()
        .and_then(|name| name.to_str());
    matches!(name, Some("touchmark" | "touchmark.exe"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_quoted_so_that_a_shell_gives_it_back() {
        for program in [
            "touchmark",
            "/usr/local/bin/touchmark",
            "/home/a b/touchmark",
            "/home/o'neil/$(id)`x`;\"/touchmark",
            "/home/é\\n/touchmark",
            "-x/touchmark",
        ] {
            let command = HookCommand::new(program).sh("codex");
            assert!(is_ours(&command, "codex"), "{command}");
            assert!(!is_ours(&command, "gemini"), "{command}");
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &format!("set -- {command}; printf '%s|' \"$@\"")])
                .output()
                .unwrap();
            let words = String::from_utf8(output.stdout).unwrap();
            if program.starts_with('-') {
                assert!(command.starts_with('\''), "{command}");
            } else {
                assert_eq!(words, format!("{program}|hook|run|codex|"));
            }
        }
    }

    #[test]
    fn power_shell_gets_a_call_and_doubled_quotes() {
        let command = |program: &str| HookCommand::new(program).power_shell("copilot");
        assert_eq!(command("touchmark"), "touchmark hook run copilot");
        assert_eq!(
            command("/a b/o'n\u{2019}/touchmark"),
            "& '/a b/o''n\u{2019}\u{2019}/touchmark' hook run copilot"
        );
        assert!(is_ours(&command("/a b/touchmark"), "copilot"));
    }

    #[test]
    fn commands_of_others_are_not_ours() {
        for command in [
            "touchmark hook run codex && rm -rf /",
            "other hook run codex",
            "/usr/bin/not-touchmark hook run codex",
            "touchmark hook run codex2",
            "touchmark attest",
            "",
        ] {
            assert!(!is_ours(command, "codex"), "{command}");
        }
    }
}
