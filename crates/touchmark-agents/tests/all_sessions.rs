//! Every importer over every fixture and every recording: each file imports, and what was counted is printed as a table
//! (`cargo test -p touchmark-agents --test all_sessions -- --nocapture`).

#![allow(
    clippy::print_stdout,
    reason = "the table is what one asks for; a skipped test says so"
)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::path::{Path, PathBuf};

use touchmark_agents::importer;
use touchmark_agents::run::{CommandKind, Completeness, Run};
use touchmark_agents::session::{ImportOptions, Session};

use support::files_below;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// What lies beside sessions and is none.
const NO_SESSIONS: [&str; 6] = [
    ".metadata.json",
    ".meta.json",
    ".settings.json",
    ".sql",
    "projects.json",
    ".project_root",
];

fn sessions_below(folder: &Path) -> Vec<PathBuf> {
    let mut paths = files_below(folder);
    paths.retain(|path| {
        let name = path.to_string_lossy().into_owned();
        !NO_SESSIONS.iter().any(|end| name.ends_with(end))
    });
    paths
}

fn row(name: &str, session: &Session) -> String {
    let run = &session.run;
    let models: Vec<&str> = run.models.keys().map(|(model, _)| model.as_str()).collect();
    let tests = run
        .commands
        .iter()
        .filter(|command| command.kind == CommandKind::Test)
        .count();
    let tokens = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
    let short = |text: &str, len: usize| text.chars().take(len).collect::<String>();
    format!(
        "{:<34} {:<16} {:<13} {:<26} {:<10} {:>3} {:>5} {:>8} {:>8} {:>8} {:>4} {:>5} {:<11} {}/{}/{}",
        short(name, 34),
        short(session.format, 16),
        short(run.session_id.as_deref().unwrap_or("-"), 13),
        short(&models.join("+"), 26),
        short(&run.product.versions.join("+"), 10),
        run.human_prompts().count(),
        run.tool_calls(),
        tokens(run.usage.input_tokens),
        tokens(run.usage.output_tokens),
        tokens(run.usage.cache_read_tokens),
        run.commands.len(),
        tests,
        run.completeness.as_str(),
        run.counters.unknown,
        run.counters.malformed,
        run.counters.skipped,
    )
}

/// What holds for every run, whatever wrote it.
fn assert_sound(session: &Session, name: &str) {
    let run: &Run = &session.run;
    assert!(!run.product.name.is_empty(), "{name}");
    assert!(run.started_at <= run.ended_at, "{name}");
    assert_eq!(run.sources.len(), session.files.len(), "{name}");
    assert!(run.words.is_none(), "{name}");
    for step in &run.steps {
        let file = &session.files[step.source as usize];
        assert!(
            step.bytes(&file.bytes).is_some(),
            "{name}: a step lies outside of its file"
        );
    }
    for at in run
        .prompts
        .iter()
        .map(|prompt| prompt.step)
        .chain(run.commands.iter().map(|command| command.step))
    {
        assert!(at < run.steps.len(), "{name}");
    }
    for tool in run.tools.values() {
        assert!(tool.failures + tool.unanswered <= tool.calls, "{name}: {tool:?}");
    }
    let answers: u64 = run.models.values().map(|model| model.answers).sum();
    assert!(
        run.usage.requests.is_none_or(|requests| answers <= requests),
        "{name}"
    );
}

fn check(folder: &str) -> usize {
    let folder = Path::new(REPOSITORY).join(folder);
    let mut failed = Vec::new();
    let paths = sessions_below(&folder);
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy();
        match importer::load(path, &ImportOptions::default()) {
            Ok(session) => {
                println!("{}", row(&name, &session));
                assert_sound(&session, &name);
            }
            Err(error) => {
                println!("{name:<34} {error}");
                failed.push(name.into_owned());
            }
        }
    }
    assert!(failed.is_empty(), "not imported: {failed:?}");
    paths.len()
}

fn head() {
    println!(
        "{:<34} {:<16} {:<13} {:<26} {:<10} {:>3} {:>5} {:>8} {:>8} {:>8} {:>4} {:>5} {:<11} unk/mal/skip",
        "file",
        "format",
        "session",
        "models",
        "versions",
        "hum",
        "calls",
        "input",
        "output",
        "cached",
        "cmds",
        "tests",
        "complete"
    );
}

#[test]
fn every_fixture_imports() {
    head();
    assert!(check("testdata/sessions") >= 20);
}

#[test]
fn every_recording_imports() {
    head();
    if check("../shared/data/sessions") == 0 {
        println!("skipped: no recordings at ../shared/data/sessions");
    }
}

#[test]
fn every_format_has_a_fixture_that_is_whole() {
    let whole: Vec<&str> = sessions_below(&Path::new(REPOSITORY).join("testdata/sessions"))
        .iter()
        .filter_map(|path| importer::load(path, &ImportOptions::default()).ok())
        .filter(|session| session.run.completeness == Completeness::Whole)
        .map(|session| session.format)
        .collect();
    for importer in importer::IMPORTERS {
        assert!(
            whole.contains(&importer.format()),
            "no whole fixture of {} in testdata/sessions",
            importer.format()
        );
    }
}

/// What CONTRIBUTING.md tells to run is there under that name: packages, tests, examples, scripts.
#[test]
fn the_commands_for_a_new_agent_name_what_is_there() {
    let root = Path::new(REPOSITORY);
    let text = std::fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
    let (_, section) = text.split_once("## Adding an agent").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut commands = 0;
    for code in section
        .split('`')
        .filter(|code| code.contains("cargo ") || code.starts_with("tests/"))
    {
        let words: Vec<&str> = code.split_whitespace().collect();
        let after = |flag: &str| {
            words
                .iter()
                .position(|word| *word == flag)
                .map(|at| words[at + 1])
        };
        let package = after("-p").map(|package| root.join("crates").join(package));
        if let Some(package) = &package {
            assert!(package.join("Cargo.toml").is_file(), "{code}");
        }
        for (flag, folder) in [("--test", "tests"), ("--example", "examples")] {
            if let Some(name) = after(flag) {
                let file = package.as_ref().unwrap().join(folder).join(format!("{name}.rs"));
                assert!(file.is_file(), "{code}");
            }
        }
        if words[0].starts_with("tests/") {
            assert!(root.join(words[0]).is_file(), "{code}");
        }
        commands += 1;
    }
    assert!(commands >= 5, "{commands}");
    for path in section
        .split('`')
        .filter(|code| code.starts_with("crates/") && !code.contains('<'))
    {
        assert!(root.join(path).exists(), "{path}");
    }
}
