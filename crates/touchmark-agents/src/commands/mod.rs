//! What a shell command is for, by a table of known programs.
//!
//! The command line is split into simple commands as a shell would (quotes, here-documents, `&&`, `||`, `;`, `|`),
//! wrappers such as `sudo`, `env` and `timeout` are taken off, and each rest is looked up. The strongest kind wins:
//! test, then build, then version control. Nothing is executed or expanded, so a command hidden in a script or a
//! variable is `other`: the answer is what the text shows, not what ran.

mod split;
mod table;

#[cfg(test)]
mod tests;

use self::split::simple_commands;
use self::table::{BUILD_PROGRAMS, RUNNERS, SUBCOMMANDS, TEST_PROGRAMS, VCS_PROGRAMS};
use crate::run::CommandKind;

/// The most bytes of a command that are looked at.
const MAX_CLASSIFIED_BYTES: usize = 64 * 1024;
/// How often `sh -c '…'` is opened.
const MAX_NESTING: u8 = 3;

/// Returns what `command` is for.
pub fn classify(command: &str) -> CommandKind {
    classify_at(command, 0)
}

fn classify_at(command: &str, depth: u8) -> CommandKind {
    let mut end = command.len().min(MAX_CLASSIFIED_BYTES);
    while !command.is_char_boundary(end) {
        end -= 1;
    }
    // The order of `CommandKind` is the order of strength.
    simple_commands(&command[..end])
        .iter()
        .map(|words| classify_words(words, depth))
        .min()
        .unwrap_or(CommandKind::Other)
}

fn classify_words(words: &[String], depth: u8) -> CommandKind {
    let words: Vec<&str> = unwrap(words);
    let Some((program, arguments)) = words.split_first() else {
        return CommandKind::Other;
    };
    let program = program.rsplit(['/', '\\']).next().unwrap_or(program);
    if matches!(program, "sh" | "bash" | "zsh" | "dash" | "ksh") && depth < MAX_NESTING {
        let script = arguments
            .iter()
            .position(|a| a.starts_with('-') && a.ends_with('c'))
            .and_then(|i| arguments.get(i + 1));
        if let Some(script) = script {
            return classify_at(script, depth + 1);
        }
    }
    lookup(program, arguments)
}

/// Takes assignments and wrappers off the front of a simple command.
fn unwrap(words: &[String]) -> Vec<&str> {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    loop {
        let Some(first) = words.first().copied() else {
            return words;
        };
        let taken = if is_assignment(first)
            || matches!(first, "!" | "(" | "{" | "do" | "then" | "else" | "if" | "while")
        {
            1
        } else {
            match first {
                "sudo" | "env" | "time" | "nice" | "nohup" | "command" | "exec" | "stdbuf" | "xvfb-run"
                | "doas" => {
                    1 + words[1..]
                        .iter()
                        .take_while(|word| word.starts_with('-') || is_assignment(word))
                        .count()
                }
                "timeout" | "gtimeout" => {
                    let flags = words[1..].iter().take_while(|word| word.starts_with('-')).count();
                    2 + flags
                }
                "npx" | "bunx" | "pnpx" | "uvx" => {
                    1 + words[1..].iter().take_while(|word| word.starts_with('-')).count()
                }
                "uv" | "poetry" | "pipenv" | "pdm" | "hatch" | "rye" | "bundle" | "dotenv" | "direnv"
                | "pnpm" | "yarn"
                    if matches!(words.get(1), Some(&("run" | "exec" | "dlx")))
                        && words.get(2).is_some_and(|word| !is_script_word(word)) =>
                {
                    2
                }
                _ => return words,
            }
        };
        words.drain(..taken.min(words.len()));
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.as_bytes()[0].is_ascii_digit()
    })
}

/// Returns true for a word that names a project's own script for testing or building.
fn is_script_word(word: &str) -> bool {
    script_kind(word) != CommandKind::Other
}

/// Classifies the name of a project's own script or target, such as `test:unit` or `build-docs`.
fn script_kind(name: &str) -> CommandKind {
    let parts: Vec<&str> = name.split([':', '-', '_', '.', '/']).collect();
    let any = |table: &[&str]| parts.iter().any(|part| table.contains(part));
    if any(&[
        "test",
        "tests",
        "check-tests",
        "unittest",
        "e2e",
        "spec",
        "coverage",
        "bench",
    ]) {
        CommandKind::Test
    } else if any(&[
        "build",
        "compile",
        "lint",
        "fmt",
        "format",
        "check",
        "typecheck",
        "tsc",
        "bundle",
        "dist",
        "install",
        "vet",
    ]) {
        CommandKind::Build
    } else {
        CommandKind::Other
    }
}

fn lookup(program: &str, arguments: &[&str]) -> CommandKind {
    let program = program
        .strip_suffix(".exe")
        .or_else(|| program.strip_suffix(".cmd"))
        .unwrap_or(program);
    if TEST_PROGRAMS.contains(&program) {
        return CommandKind::Test;
    }
    if VCS_PROGRAMS.contains(&program) {
        return CommandKind::Vcs;
    }
    if BUILD_PROGRAMS.contains(&program) {
        return CommandKind::Build;
    }
    if (is_python(program) || matches!(program, "node" | "ruby" | "php" | "perl" | "deno"))
        && let Some(kind) = interpreter(program, arguments)
    {
        return kind;
    }
    let operands: Vec<&str> = arguments
        .iter()
        .copied()
        .filter(|a| !a.starts_with(['-', '+']))
        .collect();
    if let Some((_, tests, builds)) = SUBCOMMANDS.iter().find(|(name, _, _)| *name == program) {
        match operands.first() {
            Some(word) if tests.contains(word) => return CommandKind::Test,
            Some(word) if builds.contains(word) => return CommandKind::Build,
            _ => {}
        }
    }
    if RUNNERS.contains(&program) {
        return runner(program, &operands);
    }
    // A project's own script: `./run-tests.sh`, `scripts/build.sh`.
    if program.ends_with(".sh") || program.ends_with(".bash") || program.ends_with(".py") {
        return script_kind(program);
    }
    CommandKind::Other
}

fn is_python(program: &str) -> bool {
    program == "py"
        || program
            .strip_prefix("python")
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Classifies `python -m pytest`, `node --test`, `ruby -Itest …`, `php artisan test`.
fn interpreter(program: &str, arguments: &[&str]) -> Option<CommandKind> {
    if is_python(program) {
        let module = arguments
            .iter()
            .position(|a| *a == "-m")
            .and_then(|i| arguments.get(i + 1))?;
        let rest: Vec<&str> = arguments
            .iter()
            .skip_while(|a| *a != module)
            .skip(1)
            .copied()
            .collect();
        return match *module {
            "unittest" | "doctest" => Some(CommandKind::Test),
            "build" | "compileall" => Some(CommandKind::Build),
            module => Some(lookup(module, &rest)),
        };
    }
    if program == "node" && arguments.contains(&"--test") {
        return Some(CommandKind::Test);
    }
    let mut operands = arguments.iter().copied().filter(|a| !a.starts_with('-'));
    let script = operands.next()?;
    let name = script.rsplit('/').next().unwrap_or(script);
    match (program, name) {
        ("php", "artisan") if operands.next() == Some("test") => Some(CommandKind::Test),
        ("php" | "ruby" | "node", name) if TEST_PROGRAMS.contains(&name) => Some(CommandKind::Test),
        ("node", name) if BUILD_PROGRAMS.contains(&name) => Some(CommandKind::Build),
        ("ruby", name) if name.starts_with("test_") || name.ends_with("_test.rb") => Some(CommandKind::Test),
        _ => None,
    }
}

fn runner(program: &str, operands: &[&str]) -> CommandKind {
    let by_target = operands
        .iter()
        .flat_map(|word| word.rsplit([':', '/']).next().map(|last| (*word, last)))
        .map(|(word, last)| {
            let camel = last
                .strip_prefix("test")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
            match (script_kind(word), last) {
                (CommandKind::Other, _) if camel => CommandKind::Test,
                (CommandKind::Other, "verify" | "t")
                    if matches!(program, "mvn" | "mvnw" | "npm" | "gradle" | "gradlew") =>
                {
                    CommandKind::Test
                }
                (CommandKind::Other, "all" | "ci" | "assemble" | "i" | "vet") => CommandKind::Build,
                (kind, _) => kind,
            }
        })
        .min()
        .unwrap_or(CommandKind::Other);
    match (by_target, program) {
        (CommandKind::Other, "make" | "gmake" | "ninja") => CommandKind::Build,
        (kind, _) => kind,
    }
}
