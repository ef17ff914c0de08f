//! A session of more files than the cap is refused: what belongs to a session is never left out in silence.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use touchmark_agents::ImportError;
use touchmark_agents::importer;
use touchmark_agents::limits::MAX_FILES;
use touchmark_agents::run::Run;
use touchmark_agents::session::ImportOptions;

const SESSION: &str = "5e551000-0000-4000-8000-000000000301";

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A session of Claude Code with so many sub-agents.
fn claude_code(folder: &Path, subagents: usize) -> PathBuf {
    let main = folder.join(format!("{SESSION}.jsonl"));
    let record = |text: &str| {
        format!(
            "{{\"type\":\"user\",\"sessionId\":\"{SESSION}\",\"message\":{{\"role\":\"user\",\"content\":\"{text}\"}}}}\n"
        )
    };
    write(&main, &record("hello"));
    for n in 0..subagents {
        let name = format!("{SESSION}/subagents/agent-{n}.jsonl");
        write(&folder.join(name), &record("go"));
    }
    main
}

/// The same of Gemini CLI.
fn gemini(folder: &Path, subagents: usize) -> PathBuf {
    let main = folder.join("chats/session-2026-03-01T10-00-5e551000.jsonl");
    let header = format!("{{\"sessionId\":\"{SESSION}\",\"projectHash\":\"x\"}}\n");
    let message = "{\"id\":\"1\",\"type\":\"user\",\"content\":\"hello\"}\n";
    write(&main, &format!("{header}{message}"));
    for n in 0..subagents {
        write(&folder.join(format!("chats/{SESSION}/{n}.jsonl")), message);
    }
    main
}

/// The same of Cursor.
fn cursor(folder: &Path, subagents: usize) -> PathBuf {
    let folder = folder.join(SESSION);
    let main = folder.join(format!("{SESSION}.jsonl"));
    let record = "{\"role\":\"user\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"hello\"}]}}\n";
    write(&main, record);
    for n in 0..subagents {
        write(&folder.join(format!("subagents/{n}.jsonl")), record);
    }
    main
}

/// The same of Codex CLI.
fn codex(folder: &Path, subagents: usize) -> PathBuf {
    let id = |n: usize| format!("019b0000-1000-7000-8000-{n:012x}");
    let path = |n: usize| folder.join(format!("rollout-2026-03-01T10-00-00-{}.jsonl", id(n)));
    let header = |n: usize, more: &str| {
        let id = id(n);
        format!("{{\"type\":\"session_meta\",\"payload\":{{\"id\":\"{id}\"{more}}}}}\n")
    };
    let call = "{\"type\":\"response_item\",\"payload\":{\"type\":\"function_call\",\"name\":\"spawn_agent\",\
                \"call_id\":\"c\",\"arguments\":\"{}\"}}\n";
    write(&path(0), &format!("{}{call}", header(0, "")));
    let child = format!(
        ",\"thread_source\":\"subagent\",\"parent_thread_id\":\"{}\"",
        id(0)
    );
    for n in 1..=subagents {
        write(&path(n), &header(n, &child));
    }
    path(0)
}

/// A trajectory in the interchange format that names so many others.
fn atif(folder: &Path, subagents: usize) -> PathBuf {
    let main = folder.join("main.json");
    let agent = "\"schema_version\":\"ATIF-v1.6\",\"agent\":{\"name\":\"x\",\"version\":\"1\"}";
    let mut links = String::new();
    for n in 0..subagents {
        let comma = if n == 0 { "" } else { "," };
        write!(links, "{comma}{{\"trajectory_path\":\"{n}.json\"}}").unwrap();
        let step = "{\"step_id\":1,\"source\":\"user\",\"message\":\"go\"}";
        write(
            &folder.join(format!("{n}.json")),
            &format!("{{{agent},\"steps\":[{step}]}}"),
        );
    }
    let observation = format!("{{\"results\":[{{\"subagent_trajectory_ref\":[{links}]}}]}}");
    let step =
        format!("{{\"step_id\":1,\"source\":\"agent\",\"message\":\"\",\"observation\":{observation}}}");
    write(&main, &format!("{{{agent},\"steps\":[{step}]}}"));
    main
}

fn load(main: &Path) -> Result<Run, ImportError> {
    importer::load(main, &ImportOptions::default()).map(|session| session.run)
}

#[test]
fn a_session_of_too_many_files_is_refused_and_not_cut() {
    type Writer = fn(&Path, usize) -> PathBuf;
    let products: [(&str, Writer); 5] = [
        ("claude-code", claude_code),
        ("gemini", gemini),
        ("cursor", cursor),
        ("codex", codex),
        ("atif", atif),
    ];
    for (product, write) in products {
        let few = tempfile::tempdir().unwrap();
        let run = load(&write(few.path(), 3)).unwrap();
        assert_eq!(run.sources.len(), 4, "{product}");
        let many = tempfile::tempdir().unwrap();
        let refused = load(&write(many.path(), MAX_FILES)).map(|run| run.sources.len());
        assert_eq!(
            refused.map_err(|error| error.code()),
            Err("session.too_large"),
            "{product}"
        );
    }
}
