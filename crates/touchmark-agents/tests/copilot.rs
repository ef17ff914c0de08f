//! Copilot CLI's sessions: made-up ones that each show a trait, and a real recording, which is read in place.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::path::Path;

use touchmark_agents::copilot::Copilot;
use touchmark_agents::importer::{self, Importer as _, Places};
use touchmark_agents::run::{Completeness, PromptOrigin, Role, Run, ToolKind, Usage};
use touchmark_agents::session::{ImportOptions, SessionFile};

use support::{commands, lines, prompts, recordings, tools};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions/copilot");
const SESSION: &str = "5e551000-0000-4000-8000-000000000201";

fn load(path: &Path) -> Run {
    let session = importer::load(path, &ImportOptions::default()).unwrap();
    assert_eq!(session.format, "copilot-jsonl");
    session.run
}

fn fixture(name: &str) -> Run {
    let run = load(&Path::new(FIXTURES).join(name));
    assert_eq!(run.completeness, Completeness::Whole, "{name}");
    assert_eq!(run.counters.unknown + run.counters.malformed, 0, "{name}");
    assert_eq!(run.session_id.as_deref(), Some(SESSION), "{name}");
    run
}

fn plain() -> Run {
    fixture(&format!("session-state/{SESSION}/events.jsonl"))
}

fn models(run: &Run) -> Vec<(&str, Role)> {
    run.models
        .keys()
        .map(|(model, role)| (model.as_str(), *role))
        .collect()
}

#[test]
fn calls_count_where_they_are_executed() {
    let run = plain();
    assert_eq!(
        tools(&run),
        [
            ("bash", [2, 1, 0]),
            ("create", [1, 0, 0]),
            ("edit", [1, 0, 0]),
            ("mcp__tracker__close_issue", [1, 1, 0]),
        ]
    );
    let tool = &run.tools["mcp__tracker__close_issue"];
    assert_eq!(
        (
            tool.kind,
            tool.short_name.as_str(),
            tool.server.as_ref().unwrap().name.as_str()
        ),
        (ToolKind::Mcp, "close_issue", "tracker")
    );
    assert_eq!(
        commands(&run),
        [
            ("cargo test", Some(101), Some(true)),
            ("cargo test && git commit -am greet", Some(0), Some(false)),
        ]
    );
    assert_eq!(run.commits[0].id_prefix, "1a2b3c4");
    let written: Vec<(&str, bool)> = run
        .written
        .iter()
        .map(|(path, write)| (path.as_str(), write.confirmed))
        .collect();
    assert_eq!(
        written,
        [
            ("/home/ada/greeter/src/lib.rs", true),
            ("/home/ada/greeter/tests/greeting.rs", true)
        ]
    );
}

#[test]
fn a_model_that_the_product_chose_is_resolved_and_its_tokens_are_told_at_the_end() {
    let run = plain();
    assert_eq!(models(&run), [("claude-sonnet-4.5", Role::Primary)]);
    let expected = Usage {
        input_tokens: Some(9_000 - 6_000 - 500),
        output_tokens: Some(210),
        cache_read_tokens: Some(6_000),
        cache_write_tokens: Some(500),
        requests: Some(3),
    };
    assert_eq!(run.usage, expected);
    let model = &run.models[&("claude-sonnet-4.5".to_owned(), Role::Primary)];
    assert_eq!((model.usage, model.answers), (expected, 2));
    assert_eq!(run.structure.compactions, 1);
    assert_eq!(
        prompts(&run, PromptOrigin::Compaction),
        [("People are greeted by name.".to_owned(), false)]
    );
}

#[test]
fn where_a_session_began() {
    let run = plain();
    assert_eq!(run.product.versions, ["1.0.68"]);
    assert_eq!(run.entrypoint.as_deref(), Some("copilot-agent"));
    assert_eq!(run.working_directories, ["/home/ada/greeter"]);
    assert_eq!(run.branches, ["agent/greeting"]);
    let commits: Vec<(&str, Option<&str>)> = run
        .base_commits
        .iter()
        .map(|base| (base.id.as_str(), base.branch.as_deref()))
        .collect();
    assert_eq!(
        commits,
        [
            ("1f2e3d4c5b6a79880716253443526170f0e1d2c3", Some("agent/greeting")),
            ("a0a1a2a3a4a5a6a7a8a9b0b1b2b3b4b5b6b7b8b9", None),
        ]
    );
    assert_eq!(
        run.base_commits[0].repository.as_deref(),
        Some("https://github.com/ada/greeter")
    );
    // What the product tells the model about itself, and encrypted content, are not read.
    assert_eq!(run.prompts.len(), 2);
    let all: Vec<(String, bool)> = [PromptOrigin::Human, PromptOrigin::Compaction]
        .into_iter()
        .flat_map(|origin| prompts(&run, origin))
        .collect();
    assert!(
        all.iter()
            .all(|(text, _)| !text.contains("TEST-ONLY") && !text.contains("VEVTVC1PTkxZ"))
    );
}

#[test]
fn a_session_whose_process_died_tells_no_tokens() {
    let run = fixture("crashed.jsonl");
    assert_eq!(models(&run), [("gpt-4.1", Role::Primary)]);
    assert_eq!(
        run.usage,
        Usage {
            requests: Some(1),
            ..Usage::default()
        }
    );
    assert_eq!(tools(&run), [("bash", [1, 0, 1])]);
    assert_eq!(commands(&run), [("cargo test", None, None)]);
}

#[test]
fn answers_that_are_told_of_one_by_one_are_counted_once() {
    let run = fixture("answers.jsonl");
    // Three answers of 11, 20 and 40 tokens with 3 from the cache each; both ends tell of all before them. Copilot CLI
    // 1.0.102 wrote such ends in a session that was resumed twice: 22, 33 and 44 tokens after 2, 3 and 4 answers of 11.
    let expected = Usage {
        input_tokens: Some(8 + 17 + 37),
        output_tokens: Some(21),
        cache_read_tokens: Some(9),
        cache_write_tokens: Some(0),
        requests: Some(3),
    };
    assert_eq!(run.usage, expected);
    let models: Vec<_> = run.models.values().map(|model| model.usage).collect();
    assert_eq!(models, [expected]);
}

#[test]
fn what_was_taken_back_is_marked_and_stays_counted() {
    let run = fixture("rewound.jsonl");
    let expected: Vec<(String, bool)> = [
        ("Greet people by name.", false),
        ("Delete the tests.", true),
        ("Keep the tests.", false),
    ]
    .map(|(text, rewound)| (text.to_owned(), rewound))
    .to_vec();
    assert_eq!(prompts(&run, PromptOrigin::Human), expected);
    assert_eq!(run.counters.rewound, 3);
    assert_eq!(commands(&run), [("rm -r tests", Some(0), Some(false))]);
}

#[test]
fn sub_agents_are_in_the_same_file() {
    let run = fixture("subagent.jsonl");
    let agent = &run.subagents["agent-7"];
    assert_eq!(agent.agent_type.as_deref(), Some("explore"));
    assert_eq!(agent.tool_use_id.as_deref(), Some("t-1"));
    assert_eq!((agent.steps, agent.reported_tokens), (4, Some(900)));
    assert_eq!(run.subagents.len(), 1);
    assert_eq!(
        models(&run),
        [("gpt-5", Role::Primary), ("gpt-5-mini", Role::Subagent)]
    );
    assert_eq!(
        prompts(&run, PromptOrigin::Agent),
        [("Count the tests.".to_owned(), false)]
    );
    assert_eq!(run.human_prompts().count(), 1);
    assert_eq!(run.commands[0].role, Role::Subagent);
}

#[test]
fn a_resumed_session_ends_twice_and_each_end_tells_its_own_part() {
    let start = r#"{"type":"session.start","id":"1","data":{"sessionId":"s","selectedModel":"m"}}"#;
    let end = |id: u32, input: u64| {
        format!(
            r#"{{"type":"session.shutdown","id":"{id}","data":{{"modelMetrics":{{"m":{{"requests":{{"count":2}},"usage":{{"inputTokens":{input},"outputTokens":10,"cacheReadTokens":0,"cacheWriteTokens":0}}}}}}}}}}"#
        )
    };
    let run = lines(
        &Copilot,
        "events.jsonl",
        &[start, &end(2, 100), &end(3, 100), &end(4, 40)],
    );
    assert_eq!(
        (
            run.usage.input_tokens,
            run.usage.output_tokens,
            run.usage.requests
        ),
        (Some(140), Some(20), Some(4)),
        "the same report again adds nothing"
    );
}

#[test]
fn events_of_another_type_do_no_harm() {
    let run = lines(
        &Copilot,
        "events.jsonl",
        &[
            r#"{"type":"session.start","id":1,"data":{"sessionId":7,"context":[],"copilotVersion":{}}}"#,
            r#"{"type":"session.dream","id":"b","data":{}}"#,
            r#"{"type":"user.message","id":"c","data":[]}"#,
            r#"{"type":"tool.execution_start","id":"d","data":{"toolCallId":"t","toolName":"bash","arguments":"not json"}}"#,
            r#"{"type":"tool.execution_complete","id":"e","data":{"toolCallId":"t","success":"yes","result":"x","shellExecution":{"exitCode":"0"}}}"#,
            r#"{"type":"session.shutdown","id":"f","data":{"modelMetrics":{"m":7,"n":{"usage":{"inputTokens":-1}}}}}"#,
            r#"{"type":"session.snapshot_rewind","id":"g","data":{"upToEventId":"unknown","eventIds":7}}"#,
            r#"{"type":"user.message","id":"c","data":{"content":"again"}}"#,
        ],
    );
    assert_eq!((run.counters.unknown, run.counters.malformed), (1, 0));
    assert_eq!(run.session_id, None);
    assert_eq!(tools(&run), [("bash", [1, 0, 0])]);
    assert!(run.commands.is_empty());
    assert_eq!(run.usage, Usage::default());
    assert_eq!((run.prompts.len(), run.structure.copies), (1, 1));
}

#[test]
fn sessions_are_found_by_the_directory_that_they_name() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join(".copilot");
    let path = home.join(format!("session-state/{SESSION}/events.jsonl"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::copy(
        Path::new(FIXTURES).join(format!("session-state/{SESSION}/events.jsonl")),
        &path,
    )
    .unwrap();
    std::fs::create_dir_all(home.join("session-state/empty")).unwrap();
    std::os::unix::fs::symlink(path.parent().unwrap(), home.join("session-state/linked")).unwrap();
    let mut places = Places {
        home: Some(dir.path().to_owned()),
        ..Places::default()
    };
    let found = Copilot.discover(&places, Path::new("/home/ada/greeter")).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].session_id.as_str(), &found[0].path), (SESSION, &path));
    assert!(
        Copilot
            .discover(&places, Path::new("/home/ada/other"))
            .unwrap()
            .is_empty()
    );
    places.home = None;
    places.variables.insert("COPILOT_HOME", home);
    assert_eq!(
        Copilot.discover(&places, Path::new("/home/ada")).unwrap().len(),
        1
    );
}

/// Counted by hand: six events, one message of a person, one call (asked for, begun and done), one answer, no shutdown.
/// `agent-sessions` 0.3.0 refuses the last event, which says `result_type` where newer versions say `success`.
#[test]
fn the_recording_says_what_was_counted_by_hand() {
    let Some(path) = recordings("copilot/copilot_cli_session_events.jsonl") else {
        return;
    };
    let run = load(&path);
    assert_eq!(
        run.session_id.as_deref(),
        Some("301561f1-558a-43e9-a144-82d3ca12ab62")
    );
    assert_eq!(run.product.versions, ["1.0.45"]);
    assert_eq!(models(&run), [("gpt-4.1", Role::Primary)]);
    assert_eq!((run.steps.len(), run.human_prompts().count()), (6, 1));
    assert_eq!(tools(&run), [("create", [1, 0, 0])]);
    assert!(run.commands.is_empty() && run.commits.is_empty());
    assert_eq!(
        run.usage,
        Usage {
            requests: Some(1),
            ..Usage::default()
        }
    );
    assert!(run.written["/Users/test/project/hello.py"].confirmed);
    assert_eq!(run.branches, ["master"]);
    assert_eq!(
        run.base_commits
            .iter()
            .map(|base| base.id.as_str())
            .collect::<Vec<_>>(),
        [
            "3a97d3e01e093f632865982193c9506debda3a87",
            "80d44104ad73e8919240f0036bdd41c2c97e2d45"
        ]
    );
    assert_eq!(run.structure.backward_times, 0);
    assert_eq!(run.completeness, Completeness::Whole);
}

#[test]
fn no_prefix_is_whole_and_no_cut_counts_more() {
    let bytes =
        std::fs::read(Path::new(FIXTURES).join(format!("session-state/{SESSION}/events.jsonl"))).unwrap();
    for end in 0..bytes.len() {
        let file = SessionFile {
            name: "events.jsonl".to_owned(),
            bytes: bytes[..end].to_vec(),
            meta: None,
        };
        if let Ok(run) = Copilot.import(&[file], &ImportOptions::default()) {
            let at_line = bytes[end - 1] == b'\n';
            assert_eq!(run.completeness == Completeness::Whole, at_line, "{end}");
            assert!(run.tool_calls() <= 5, "{end}");
        }
    }
}
