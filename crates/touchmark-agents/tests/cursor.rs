//! Cursor: the stream of its hooks, its thin transcript, both together; made up, and a real recording.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::path::Path;

use touchmark_agents::cursor::Cursor;
use touchmark_agents::importer::{self, Importer, Places};
use touchmark_agents::run::{
    CommandKind, Completeness, PromptOrigin, PromptPart, Role, Run, StepState, ToolKind,
};
use touchmark_agents::secrets::Scanner;
use touchmark_agents::session::{ImportOptions, SessionFile};

use support::{load, recordings, tools};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions/cursor");
const CONVERSATION: &str = "5e551000-0000-4000-8000-000000000301";
const WITH_AGENT: &str = "5e551000-0000-4000-8000-000000000302";

fn file(name: &str) -> SessionFile {
    SessionFile {
        name: name.rsplit('/').next().unwrap().to_owned(),
        bytes: std::fs::read(Path::new(FIXTURES).join(name)).unwrap(),
        meta: None,
    }
}

fn import(files: &[SessionFile]) -> Run {
    Cursor.import(files, &ImportOptions::default()).unwrap()
}

fn prompts(run: &Run) -> Vec<(PromptOrigin, String)> {
    let text = |part: &PromptPart| match part {
        PromptPart::Text(text) => text.clone(),
        PromptPart::Other { kind, .. } => kind.clone(),
    };
    run.prompts
        .iter()
        .map(|prompt| (prompt.origin, prompt.parts.iter().map(text).collect()))
        .collect()
}

#[test]
fn the_stream_of_hooks() {
    let run = import(&[file("stream.jsonl")]);
    assert_eq!(run.session_id.as_deref(), Some(CONVERSATION));
    assert_eq!(run.product.versions, ["2.4.21"]);
    assert_eq!(run.working_directories, ["/home/ada/greeter", "/home/ada/words"]);
    assert_eq!(
        prompts(&run),
        [
            (
                PromptOrigin::Human,
                "Greet people by name, and test it.".to_owned()
            ),
            (PromptOrigin::Human, "Commit it.".to_owned())
        ]
    );
    assert_eq!(
        tools(&run),
        [
            ("Edit", [2, 0, 0]),
            ("Shell", [2, 0, 0]),
            ("mcp__unknown__create_issue", [1, 1, 0])
        ]
    );
    let commands: Vec<(CommandKind, Option<i32>, Option<bool>)> = run
        .commands
        .iter()
        .map(|command| (command.kind, command.exit_code, command.failed))
        .collect();
    // The payload has no exit code, so nobody knows.
    assert_eq!(
        commands,
        [(CommandKind::Test, None, None), (CommandKind::Vcs, None, None)]
    );
    assert_eq!(run.commits[0].id_prefix, "1f2e3d4");
    let models: Vec<(&str, u64, Option<&str>)> = run
        .models
        .iter()
        .map(|((name, _), model)| (name.as_str(), model.answers, model.provider.as_deref()))
        .collect();
    assert_eq!(
        models,
        [("claude-4.5-sonnet", 1, Some("anthropic")), ("gpt-5.2", 1, None)]
    );
    // Two generations; tokens are nowhere.
    assert_eq!(
        (
            run.usage.requests,
            run.usage.input_tokens,
            run.usage.output_tokens,
            run.cost
        ),
        (Some(2), None, None, None)
    );
    assert!(run.written.values().all(|path| path.confirmed));
    assert_eq!(run.written.len(), 2);
    // The event that another product's hook told again.
    let copied = run
        .steps
        .iter()
        .filter(|step| step.state == StepState::Copied)
        .count();
    assert_eq!(copied, 1);
    assert_eq!((run.completeness, run.counters.unknown), (Completeness::Whole, 0));
    assert_eq!((run.started_at, run.ended_at), (None, None));
}

#[test]
fn the_thin_transcript() {
    let run = import(&[file(&format!("{CONVERSATION}.jsonl"))]);
    assert_eq!(run.session_id.as_deref(), Some(CONVERSATION));
    assert_eq!(
        prompts(&run)[0],
        (
            PromptOrigin::Human,
            "Greet people by name, and test it.".to_owned()
        )
    );
    assert_eq!(prompts(&run)[1].0, PromptOrigin::Injected);
    assert_eq!(
        tools(&run),
        [
            ("Read", [1, 0, 1]),
            ("Shell", [2, 0, 2]),
            ("StrReplace", [1, 0, 1]),
            ("Write", [1, 0, 1]),
            ("mcp__tracker__create_issue", [1, 0, 1])
        ]
    );
    assert!(run.written.values().all(|path| !path.confirmed));
    assert!(run.models.is_empty() && run.product.versions.is_empty());
    assert_eq!(run.usage.requests, None);
    assert!(run.commands.iter().all(|command| command.failed.is_none()));
}

#[test]
fn both_together_count_nothing_twice() {
    let run = import(&[file("stream.jsonl"), file(&format!("{CONVERSATION}.jsonl"))]);
    let stream = import(&[file("stream.jsonl")]);
    let human: Vec<String> = prompts(&run)
        .into_iter()
        .filter(|(origin, _)| *origin == PromptOrigin::Human)
        .map(|(_, text)| text)
        .collect();
    assert_eq!(human, ["Greet people by name, and test it.", "Commit it."]);
    // The stream's calls, by the names that only the transcript has, and what only the transcript tells of.
    assert_eq!(
        tools(&run),
        [
            ("Read", [1, 0, 1]),
            ("Shell", [2, 0, 0]),
            ("StrReplace", [1, 0, 0]),
            ("Write", [1, 0, 0]),
            ("mcp__unknown__create_issue", [1, 1, 0])
        ]
    );
    assert_eq!(run.tools["mcp__unknown__create_issue"].kind, ToolKind::Mcp);
    assert_eq!(run.commands, stream.commands);
    assert_eq!(run.written, stream.written);
    assert_eq!((run.usage, run.models.len()), (stream.usage, 2));
    assert!(run.models.keys().all(|(_, role)| *role == Role::Primary));
    assert_eq!(run.sources.len(), 2);
    // A transcript that goes further than the stream adds what the stream lacks.
    let mut cut = file("stream.jsonl");
    let end = cut
        .bytes
        .windows(7)
        .position(|bytes| bytes == b"\"g-2\"," || bytes.starts_with(b"g-2"))
        .unwrap();
    let end = cut.bytes[..end].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    cut.bytes.truncate(end);
    let run = import(&[cut, file(&format!("{CONVERSATION}.jsonl"))]);
    assert_eq!(run.human_prompts().count(), 2);
    assert_eq!((run.commands.len(), run.tools["Shell"].unanswered), (2, 1));
}

#[test]
fn a_payload_that_comes_twice_in_a_row_counts_once() {
    let mut stream = file("stream.jsonl");
    let text = String::from_utf8(stream.bytes).unwrap();
    stream.bytes = text
        .lines()
        .flat_map(|line| [line, "\n", line, "\n"])
        .collect::<String>()
        .into_bytes();
    let run = import(&[stream]);
    assert_eq!(run.human_prompts().count(), 2);
    assert_eq!((run.tool_calls(), run.commands.len()), (5, 2));
}

#[test]
fn sub_agents_lie_beside_the_transcript() {
    let path = Path::new(FIXTURES).join(format!("{WITH_AGENT}/{WITH_AGENT}.jsonl"));
    let session = importer::load(&path, &ImportOptions::default()).unwrap();
    let run = &session.run;
    assert_eq!(session.files.len(), 2);
    let origins: Vec<PromptOrigin> = run.prompts.iter().map(|prompt| prompt.origin).collect();
    assert_eq!(origins, [PromptOrigin::Human, PromptOrigin::Agent]);
    assert_eq!(tools(run), [("Grep", [1, 0, 1]), ("Task", [1, 0, 1])]);
    assert_eq!(run.subagents["5e551000-0000-4000-8000-000000000303"].steps, 3);
}

#[test]
fn the_person_s_address_is_never_taken_over() {
    let options = ImportOptions {
        words: true,
        ..ImportOptions::default()
    };
    let run = Cursor.import(&[file("stream.jsonl")], &options).unwrap();
    let words = run.words.clone().unwrap();
    assert!(!words.entries.is_empty());
    assert!(!format!("{run:?}{:?}", words.times).contains("ada@example.com"));
    let redacted = Scanner::built_in()
        .redact_json(&file("stream.jsonl").bytes)
        .unwrap();
    assert!(!String::from_utf8_lossy(&redacted.bytes).contains("ada@example.com"));
}

#[test]
fn transcripts_are_found_by_the_paths_in_them() {
    let home = tempfile::tempdir().unwrap();
    let folder = home
        .path()
        .join(".cursor/projects/any-name/agent-transcripts")
        .join(CONVERSATION);
    std::fs::create_dir_all(&folder).unwrap();
    let name = format!("{CONVERSATION}.jsonl");
    std::fs::copy(Path::new(FIXTURES).join(&name), folder.join(&name)).unwrap();
    let places = Places {
        home: Some(home.path().to_owned()),
        ..Places::default()
    };
    let found = Cursor.discover(&places, Path::new("/home/ada/greeter")).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].session_id, CONVERSATION);
    assert!(
        Cursor
            .discover(&places, Path::new("/home/ada/greet"))
            .unwrap()
            .is_empty()
    );
}

/// What was counted without this importer: Python's `json` over the lines, `Counter` of `name` of the `tool_use` parts
/// (10 of them: 3 Read, 4 WebSearch, and one each of Grep, WebFetch, Write), 1 user record, 10 of the assistant.
#[test]
fn the_recording_holds_what_was_counted_in_python() {
    let Some(path) = recordings("cursor/cursor-session-simple.jsonl") else {
        return;
    };
    let run = load(&path).run;
    assert_eq!(run.steps.len(), 11);
    assert_eq!((run.human_prompts().count(), run.prompts.len()), (1, 1));
    assert_eq!(
        tools(&run),
        [
            ("Grep", [1, 0, 1]),
            ("Read", [3, 0, 3]),
            ("WebFetch", [1, 0, 1]),
            ("WebSearch", [4, 0, 4]),
            ("Write", [1, 0, 1])
        ]
    );
    assert_eq!(
        (run.commands.len(), run.written.len(), run.models.len()),
        (0, 1, 0)
    );
    assert_eq!((run.usage.requests, run.cost, run.started_at), (None, None, None));
    assert_eq!(run.completeness, Completeness::Whole);
}
