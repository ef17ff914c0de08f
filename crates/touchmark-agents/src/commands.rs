//! What a shell command is for, by a table of known programs.
//!
//! The command line is split into simple commands as a shell would (quotes, here-documents, `&&`, `||`, `;`, `|`),
//! wrappers such as `sudo`, `env` and `timeout` are taken off, and each rest is looked up. The strongest kind wins:
//! test, then build, then version control. Nothing is executed or expanded, so a command hidden in a script or a
//! variable is `other`: the answer is what the text shows, not what ran.

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

/// Programs that only ever run tests.
const TEST_PROGRAMS: &[&str] = &[
    "pytest",
    "py.test",
    "tox",
    "nox",
    "nose2",
    "nosetests",
    "jest",
    "vitest",
    "mocha",
    "ava",
    "karma",
    "cypress",
    "playwright",
    "rspec",
    "phpunit",
    "pest",
    "ctest",
    "gotestsum",
    "bats",
    "behave",
    "cucumber",
    "cargo-nextest",
    "tape",
    "c8",
    "nyc",
    "minitest",
    "busted",
    "prove",
    "ginkgo",
    "testem",
    "wdio",
    "pest.php",
    "shellspec",
    "tap",
];
/// Programs that only ever build, check or format.
const BUILD_PROGRAMS: &[&str] = &[
    "rustc",
    "gcc",
    "g++",
    "cc",
    "c++",
    "clang",
    "clang++",
    "javac",
    "kotlinc",
    "scalac",
    "tsc",
    "webpack",
    "rollup",
    "vite",
    "esbuild",
    "parcel",
    "swc",
    "babel",
    "cmake",
    "meson",
    "golangci-lint",
    "gofmt",
    "goimports",
    "rustfmt",
    "eslint",
    "prettier",
    "ruff",
    "black",
    "isort",
    "flake8",
    "pylint",
    "mypy",
    "pyright",
    "rubocop",
    "shellcheck",
    "clippy-driver",
    "docker-compose",
    "buildah",
    "biome",
    "stylelint",
    "staticcheck",
    "hadolint",
    "buf",
    "protoc",
    "msbuild",
    "xcodebuild",
    "ld",
    "turbo",
];
const VCS_PROGRAMS: &[&str] = &[
    "git", "gh", "glab", "hg", "svn", "jj", "fossil", "git-lfs", "git-town", "gt", "sl",
];

/// Programs whose first argument that is no flag tells what they do: (program, tests, builds).
const SUBCOMMANDS: &[(&str, &[&str], &[&str])] = &[
    (
        "cargo",
        &[
            "test",
            "t",
            "nextest",
            "bench",
            "llvm-cov",
            "tarpaulin",
            "mutants",
            "miri",
            "insta",
        ],
        &[
            "build", "b", "check", "c", "clippy", "fmt", "doc", "rustc", "package",
        ],
    ),
    (
        "go",
        &["test"],
        &["build", "vet", "install", "generate", "fmt", "mod"],
    ),
    (
        "dotnet",
        &["test", "vstest"],
        &["build", "publish", "restore", "pack", "format"],
    ),
    ("swift", &["test"], &["build", "package"]),
    ("zig", &["test"], &["build", "fmt", "build-exe", "build-lib"]),
    (
        "deno",
        &["test", "bench"],
        &["check", "lint", "fmt", "compile", "bundle"],
    ),
    ("bun", &["test"], &["build", "install"]),
    (
        "mix",
        &["test"],
        &["compile", "format", "credo", "dialyzer", "deps.get"],
    ),
    (
        "sbt",
        &["test", "testOnly", "testQuick"],
        &["compile", "package", "assembly"],
    ),
    ("lein", &["test"], &["compile", "uberjar", "jar"]),
    ("bazel", &["test", "coverage"], &["build"]),
    ("bazelisk", &["test", "coverage"], &["build"]),
    ("buck2", &["test"], &["build"]),
    ("flutter", &["test"], &["build", "analyze"]),
    ("dart", &["test"], &["compile", "analyze", "format"]),
    ("forge", &["test", "coverage"], &["build", "fmt"]),
    ("stack", &["test"], &["build"]),
    ("cabal", &["test"], &["build"]),
    ("dune", &["test", "runtest"], &["build"]),
    ("php", &[], &[]),
    ("composer", &["test"], &["install", "update"]),
    ("artisan", &["test"], &[]),
    ("rails", &["test"], &[]),
    ("docker", &[], &["build", "buildx"]),
    ("podman", &[], &["build"]),
    ("coverage", &["run"], &[]),
    ("pip", &[], &["install"]),
    ("pip3", &[], &["install"]),
    ("uv", &[], &["sync", "build", "pip", "lock"]),
    ("poetry", &[], &["install", "build", "lock"]),
    ("trunk", &[], &["build", "check", "fmt"]),
    ("wasm-pack", &["test"], &["build"]),
    ("ember", &["test"], &["build"]),
    ("ng", &["test", "e2e"], &["build", "lint"]),
    ("nx", &["test", "e2e"], &["build", "lint"]),
    ("next", &[], &["build", "lint"]),
];
/// Programs that run a target of the project: any of their arguments may name it.
const RUNNERS: &[&str] = &[
    "make", "gmake", "just", "task", "mise", "rake", "gradle", "gradlew", "mvn", "mvnw", "npm", "yarn",
    "pnpm", "bun", "ninja", "invoke", "inv", "gulp", "grunt", "mage", "earthly", "nox", "hatch", "pdm",
    "composer", "deno", "moon", "lerna", "xtask", "tools", "dagger",
];

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
    if is_python(program) || matches!(program, "node" | "ruby" | "php" | "perl" | "deno") {
        if let Some(kind) = interpreter(program, arguments) {
            return kind;
        }
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

/// Splits a command line into simple commands and those into words, without expanding anything.
fn simple_commands(text: &str) -> Vec<Vec<String>> {
    let mut splitter = Splitter::default();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (splitter.quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => splitter.quote = None,
            (Some('"') | None, '\\') => {
                if let Some((_, next)) = chars.next() {
                    if next != '\n' {
                        splitter.push(next);
                    }
                }
            }
            (Some(_), c) => splitter.push(c),
            (None, '\'' | '"') => {
                splitter.quote = Some(c);
                splitter.started = true;
            }
            (None, '#') if !splitter.started => while chars.next_if(|(_, c)| *c != '\n').is_some() {},
            (None, '<') if text[at..].starts_with("<<<") => {
                chars.next();
                chars.next();
            }
            (None, '<') if text[at..].starts_with("<<") => {
                chars.next();
                splitter.end_word();
                splitter.expect_delimiter = true;
            }
            (None, '\n') => {
                splitter.end_command();
                for delimiter in std::mem::take(&mut splitter.delimiters) {
                    skip_here_document(text, &delimiter, &mut chars);
                }
            }
            (None, ';' | '|' | '(' | ')' | '`') => splitter.end_command(),
            // `2>&1` and `&>` redirect; a lone `&` ends a command.
            (None, '&') if splitter.word.ends_with('>') || matches!(chars.peek(), Some((_, '>'))) => {
                splitter.push(c)
            }
            (None, '&') => splitter.end_command(),
            (None, c) if c.is_whitespace() => splitter.end_word(),
            (None, c) => splitter.push(c),
        }
    }
    splitter.end_command();
    splitter.commands
}

/// Moves past the body of a here-document, which ends with a line that is the delimiter.
fn skip_here_document(
    text: &str,
    delimiter: &str,
    chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
) {
    let Some(&(start, _)) = chars.peek() else { return };
    let mut end = start;
    for line in text[start..].split_inclusive('\n') {
        end += line.len();
        if line.trim_start_matches('\t').trim_end_matches(['\n', '\r']) == delimiter {
            break;
        }
    }
    while chars.next_if(|(at, _)| *at < end).is_some() {}
}

#[derive(Default)]
struct Splitter {
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: String,
    started: bool,
    quote: Option<char>,
    expect_delimiter: bool,
    delimiters: Vec<String>,
}

impl Splitter {
    fn push(&mut self, c: char) {
        self.word.push(c);
        self.started = true;
    }

    fn end_word(&mut self) {
        if !self.started {
            return;
        }
        self.started = false;
        let word = std::mem::take(&mut self.word);
        if std::mem::take(&mut self.expect_delimiter) {
            self.delimiters.push(word.trim_start_matches('-').to_owned());
        } else if !is_redirection(&word) {
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }
}

fn is_redirection(word: &str) -> bool {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
    rest.starts_with('>') || rest.starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_by_the_table() {
        use CommandKind::{Build, Other, Test, Vcs};
        for (command, kind) in [
            ("cargo test", Test),
            ("cargo +nightly test -p a", Test),
            ("cargo build", Build),
            ("cargo run", Other),
            ("go test ./...", Test),
            ("go build ./cmd && go test ./...", Test),
            ("go vet ./...", Build),
            ("cd /x && CI=1 RUST_LOG=debug cargo nextest run", Test),
            ("sudo -E make install", Build),
            ("make", Build),
            ("make test", Test),
            ("mise run fmt && mise run lint", Build),
            ("mise run test:integration 2>&1 | tail -10", Test),
            ("npm test", Test),
            ("npm run build", Build),
            ("npm run test:unit -- --watch=false", Test),
            ("npm install", Build),
            ("npx vitest run", Test),
            ("npx -y tsc --noEmit", Build),
            ("yarn test", Test),
            ("pnpm run test", Test),
            ("pnpm exec jest", Test),
            ("uv run pytest -q", Test),
            ("poetry run pytest", Test),
            ("python -m pytest tests", Test),
            ("python3.12 -m unittest", Test),
            ("python3 -m pip install x", Build),
            ("python script.py", Other),
            ("node --test", Test),
            ("php artisan test", Test),
            ("./gradlew testDebugUnitTest", Test),
            ("mvn -q verify", Test),
            ("./gradlew assemble", Build),
            ("bazel test //...", Test),
            ("git status", Vcs),
            ("git add -A && git commit -m 'run cargo test'", Vcs),
            ("gh pr view 85", Vcs),
            ("echo cargo test", Other),
            ("echo 'a; cargo test'", Other),
            ("ls -la | head", Other),
            ("", Other),
            ("bash -c 'cargo test'", Test),
            ("bash -lc \"cd x; pytest\"", Test),
            ("./run-tests.sh", Test),
            ("bash scripts/x.sh", Other),
            ("timeout 60 cargo test", Test),
            ("time -p cargo build", Build),
            ("(cd web; npm test)", Test),
            ("# cargo test\nls", Other),
            ("cat <<'EOF' > notes.md\ncargo test\nEOF", Other),
            ("cat <<EOF\nx\nEOF\ncargo test", Test),
            ("cargo test 2>&1 | tail -5", Test),
            ("for i in 1 2; do cargo test; done", Test),
            ("if ! cargo test; then echo no; fi", Test),
            ("/usr/bin/git log", Vcs),
            ("git commit -m \"$(cat <<'EOF'\nFix: cargo test\nEOF\n)\"", Vcs),
            ("docker build .", Build),
            ("grep -rn 'pytest' .", Other),
            ("just test", Test),
            ("cargo \\\n  test", Test),
            ("cat a & cargo test", Test),
            ("cargo clippy &> log", Build),
        ] {
            assert_eq!(classify(command), kind, "{command}");
        }
    }

    #[test]
    fn ends_on_any_input() {
        for text in [
            "'",
            "\"",
            "\\",
            "<<",
            "<<-",
            "<<<",
            "((((",
            "a<<'",
            "\u{1F600}&",
            "bash -c",
            "bash -c 'bash -c \"bash -c x\"'",
            "&>",
            "#",
        ] {
            classify(text);
        }
        classify(&"é".repeat(MAX_CLASSIFIED_BYTES));
        classify(&"bash -c '".repeat(1000));
    }
}
