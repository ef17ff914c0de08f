//! Codex CLI's sessions: made-up ones that each show a trait.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::path::{Path, PathBuf};

use touchmark_agents::codex::Codex;
use touchmark_agents::importer::{self, Importer as _, Places};
use touchmark_agents::run::{
    CommandKind, Completeness, PromptOrigin, PromptPart, Relation, Role, Run, StepState, ToolKind, Usage,
};
use touchmark_agents::session::{ImportOptions, SessionFile};

use support::{commands, import, lines, load, texts as prompts, tokens_without_writes as tokens, tools};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions/codex");
const PARENT: &str = "019b0000-1000-7000-8000-000000000001";
const FORK: &str = "019b0000-9000-7000-8000-000000000002";
const CHILD: &str = "019b0000-a000-7000-8000-000000000003";
const BASE: &str = "1f2e3d4c5b6a79880716253443526170f0e1d2c3";

fn fixture(name: &str) -> Run {
    let run = load(&Path::new(FIXTURES).join(name)).run;
    assert_eq!(run.completeness, Completeness::Whole, "{name}");
    assert_eq!(run.counters.unknown + run.counters.malformed, 0, "{name}");
    run
}

#[test]
fn exit_codes_in_four_spellings_the_strongest_wins() {
    let run = fixture("exit-codes.jsonl");
    assert_eq!(
        commands(&run),
        [
            ("cargo build", Some(0), Some(false)),
            ("cargo test", Some(101), Some(true)),
            ("cargo clippy", Some(3), Some(true)),
            ("cargo fmt --check", Some(4), Some(true)),
            ("cargo test --all", Some(0), Some(false)),
            ("cargo run", None, None),
            ("git commit -am 'greet by name'", Some(0), Some(false)),
            ("sleep 60", None, None),
        ]
    );
    assert_eq!(
        tools(&run),
        [
            ("apply_patch", [2, 1, 0]),
            ("exec_command", [7, 3, 1]),
            ("shell", [1, 0, 0]),
            ("write_stdin", [1, 0, 0]),
        ]
    );
    let written: Vec<&str> = run.written.keys().map(String::as_str).collect();
    assert_eq!(
        written,
        ["src/lib.rs", "src/new.rs", "src/old.rs", "tests/greeting.rs"],
        "what failed wrote nothing"
    );
    assert_eq!(
        run.written["src/lib.rs"].working_directory.as_deref(),
        Some("/home/ada/greeter")
    );
    assert_eq!(run.commits.len(), 1);
    assert_eq!(
        (run.commits[0].id_prefix.as_str(), run.commits[0].branch.as_str()),
        ("1a2b3c4", "agent/greeting")
    );
}

#[test]
fn counters_are_not_counted_twice_and_belong_to_their_models() {
    let run = fixture("exit-codes.jsonl");
    assert_eq!(
        tokens(&run.usage),
        [Some(2), Some(700), Some(75), Some(900)],
        "repeats, null and the second ledger add nothing"
    );
    let models: Vec<_> = run
        .models
        .iter()
        .map(|((model, _), known)| {
            (
                model.as_str(),
                known.provider.as_deref(),
                known.usage.output_tokens,
            )
        })
        .collect();
    assert_eq!(
        models,
        [
            ("gpt-5.4", Some("openai"), Some(60)),
            ("gpt-5.4-mini", Some("openai"), Some(15)),
        ]
    );
}

#[test]
fn headers_and_prompts_without_what_must_not_leave_the_file() {
    let run = fixture("exit-codes.jsonl");
    assert_eq!(run.session_id.as_deref(), Some(PARENT));
    assert_eq!(run.entrypoint.as_deref(), Some("cli"));
    assert_eq!(
        (&run.parent, run.branches.as_slice()),
        (&None, &["agent/greeting".to_owned()][..])
    );
    let [base] = run.base_commits.as_slice() else {
        panic!("{:?}", run.base_commits);
    };
    assert_eq!(base.id, BASE);
    assert_eq!(
        base.repository.as_deref(),
        Some("https://example.org/ada/greeter.git")
    );
    assert_eq!(
        prompts(&run, PromptOrigin::Human),
        ["Greet people by name, and test it."]
    );
    assert_eq!(prompts(&run, PromptOrigin::Injected).len(), 3);
    // Instructions of the product, plans, encrypted reasoning, passwords, names of untracked files.
    for name in ["exit-codes.jsonl", "bare-items.jsonl"] {
        let run = fixture(name);
        let texts: Vec<String> = run
            .prompts
            .iter()
            .flat_map(|prompt| prompt.parts.iter())
            .map(|part| match part {
                PromptPart::Text(text) => text.clone(),
                PromptPart::Other { kind, .. } => kind.clone(),
            })
            .chain(run.commands.iter().map(|command| command.text.clone()))
            .chain([format!("{run:?}")])
            .collect();
        for text in texts {
            assert!(
                !text.contains("TEST-ONLY") && !text.contains("VEVTVC1PTkxZ"),
                "{text}"
            );
        }
    }
}

#[test]
fn the_form_of_2025_has_no_envelope() {
    let run = fixture("bare-items.jsonl");
    assert_eq!(run.session_id.as_deref(), Some(PARENT));
    assert!(run.product.versions.is_empty() && run.models.is_empty());
    assert_eq!(run.usage, Usage::default());
    assert_eq!(run.working_directories, ["/home/ada/greeter"]);
    assert_eq!(
        run.base_commits[0].repository.as_deref(),
        Some("example.org:ada/greeter.git")
    );
    assert_eq!(commands(&run), [("cargo test", Some(101), Some(true))]);
    assert_eq!(prompts(&run, PromptOrigin::Human), ["Run the tests."]);
    assert_eq!(run.started_at.unwrap().to_rfc3339(), "2025-09-12T09:00:00+00:00");
    assert_eq!(run.ended_at, run.started_at);
}

#[test]
fn a_fork_counts_only_what_is_its_own() {
    let run = fixture("fork.jsonl");
    assert_eq!(run.session_id.as_deref(), Some(FORK), "the first header wins");
    assert_eq!(run.other_session_ids.iter().collect::<Vec<_>>(), [PARENT]);
    let parent = run.parent.clone().unwrap();
    assert_eq!(
        (parent.session_id.as_str(), parent.relation),
        (PARENT, Relation::Fork)
    );
    assert_eq!(run.product.versions, ["0.154.0"]);
    assert_eq!(run.commands.len(), 1);
    assert_eq!(
        run.prompts
            .iter()
            .filter(|prompt| prompt.origin == PromptOrigin::Human)
            .count(),
        1
    );
    // 600 - 300 + 500 in, 30 + 20 out: the copied 2,000 are where it begins, and the counter starts anew once.
    assert_eq!(tokens(&run.usage), [Some(2), Some(800), Some(50), Some(300)]);
    let copied = run
        .steps
        .iter()
        .filter(|step| step.state == StepState::Copied)
        .count();
    assert_eq!((copied, run.structure.copies), (10, 10));
}

#[test]
fn a_session_is_loaded_with_those_it_delegated_to() {
    let day = Path::new(FIXTURES).join("sessions/2026/03/01");
    let session = load(&day.join(format!("rollout-2026-03-01T10-00-00-{PARENT}.jsonl")));
    let run = &session.run;
    assert_eq!(session.files.len(), 2);
    assert_eq!(run.session_id.as_deref(), Some(PARENT));
    let child = &run.subagents[CHILD];
    assert_eq!(child.agent_type.as_deref(), Some("explorer"));
    assert_eq!(child.tool_use_id.as_deref(), Some("c-spawn"));
    assert_eq!(child.steps, 9, "its header and what is its own");
    // 2,000 + 500 of its own and 300 of the sub-agent; the copy in the sub-agent's file adds nothing.
    assert_eq!(tokens(&run.usage), [Some(3), Some(1_300), Some(130), Some(1_500)]);
    let mini = &run.models[&("gpt-5.4-mini".to_owned(), Role::Subagent)];
    assert_eq!(mini.usage.output_tokens, Some(10));
    assert_eq!(prompts(run, PromptOrigin::Human), ["Look around."]);
    assert_eq!(prompts(run, PromptOrigin::Agent), ["Count the tests."]);
    assert_eq!(
        commands(run).iter().map(|(text, ..)| *text).collect::<Vec<_>>(),
        ["ls", "grep -c test src/lib.rs"]
    );
    let alone = load(&day.join(format!("rollout-2026-03-01T10-05-00-{CHILD}.jsonl"))).run;
    let parent = alone.parent.clone().unwrap();
    assert_eq!(
        (parent.session_id.as_str(), parent.relation),
        (PARENT, Relation::Subagent)
    );
    assert_eq!(alone.entrypoint.as_deref(), Some("subagent"));
    assert_eq!(alone.human_prompts().count(), 0, "an agent asked");
}

#[test]
fn a_summary_repeats_and_does_not_count_again() {
    let run = fixture("compaction.jsonl");
    assert_eq!(run.structure.compactions, 1, "told by a record and by an event");
    assert_eq!(
        prompts(&run, PromptOrigin::Human),
        ["Greet people by name.", "Commit it."]
    );
    assert_eq!(
        prompts(&run, PromptOrigin::Compaction),
        ["The greeting takes a name now; tests pass."]
    );
    assert_eq!(run.tool_calls(), 2);
    assert_eq!(tokens(&run.usage), [Some(2), Some(1_100), Some(70), Some(200)]);
    assert!(run.commits.is_empty(), "what failed committed nothing");
}

#[test]
fn code_that_calls_tools_is_a_call_and_so_are_they() {
    let run = fixture("code-mode.jsonl");
    assert_eq!(
        tools(&run),
        [
            ("apply_patch", [1, 0, 0]),
            ("exec", [1, 0, 0]),
            ("exec_command", [1, 1, 0]),
            ("mcp__tracker__close_issue", [1, 0, 0]),
            ("web_search", [1, 0, 0]),
        ]
    );
    assert_eq!(commands(&run), [("cargo test", Some(101), Some(true))]);
    assert_eq!(run.commands[0].kind, CommandKind::Test);
    assert!(run.written["/home/ada/greeter/src/lib.rs"].confirmed);
    assert_eq!(prompts(&run, PromptOrigin::Human), ["Greet people by name."]);
}

#[test]
fn servers_are_known_by_name_or_by_the_event_that_follows() {
    let run = fixture("mcp-tools.jsonl");
    assert_eq!(
        tools(&run),
        [
            ("mcp__node_repl__js", [1, 0, 0]),
            ("mcp__tracker__close_issue", [1, 1, 0]),
            ("mcp__tracker__read_issue", [1, 0, 0]),
        ]
    );
    assert!(run.tools.values().all(|tool| tool.kind == ToolKind::Mcp));
    let repl = &run.tools["mcp__node_repl__js"];
    assert_eq!(
        (
            repl.server.as_ref().unwrap().name.as_str(),
            repl.short_name.as_str()
        ),
        ("node_repl", "js")
    );
}

#[test]
fn a_turn_that_was_taken_back_is_marked_and_stays_counted() {
    let run = fixture("rolled-back.jsonl");
    let fates: Vec<(bool, String)> = run
        .human_prompts()
        .map(|prompt| (prompt.rewound, format!("{:?}", prompt.parts)))
        .collect();
    assert_eq!(
        fates.iter().map(|(rewound, _)| *rewound).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert_eq!(run.counters.rewound, 5);
    assert_eq!(commands(&run), [("rm -r tests", Some(0), Some(false))]);
}

#[test]
fn the_stream_of_exec_is_a_format_of_its_own() {
    let session = load(&Path::new(FIXTURES).join("exec-stream.jsonl"));
    assert_eq!(session.format, "codex-exec-jsonl");
    let run = &session.run;
    assert_eq!(run.product.name, "codex");
    assert_eq!(run.session_id.as_deref(), Some(PARENT));
    assert_eq!(
        commands(run),
        [("cargo test", Some(101), Some(true)), ("cargo run", None, None)]
    );
    assert_eq!(
        tools(run),
        [
            ("apply_patch", [1, 0, 0]),
            ("exec_command", [2, 1, 1]),
            ("mcp__tracker__read_issue", [1, 0, 0]),
        ]
    );
    assert_eq!(tokens(&run.usage), [Some(1), Some(400), Some(90), Some(800)]);
    assert!(run.models.is_empty() && run.prompts.is_empty() && run.started_at.is_none());
}

#[test]
fn the_hook_names_the_session_and_a_contradicting_name_is_a_finding() {
    let path = Path::new(FIXTURES).join("exit-codes.jsonl");
    let bytes = std::fs::read(&path).unwrap();
    let named = |name: &str, hook: Option<&str>| {
        let file = SessionFile {
            name: name.to_owned(),
            bytes: bytes.clone(),
            meta: None,
        };
        let options = ImportOptions {
            session_id: hook.map(str::to_owned),
            ..ImportOptions::default()
        };
        touchmark_agents::codex::Codex.import(&[file], &options).unwrap()
    };
    let agreeing = named(&format!("rollout-2026-03-01T10-00-00-{PARENT}.jsonl"), None);
    assert_eq!(
        (agreeing.session_id.as_deref(), agreeing.findings.len()),
        (Some(PARENT), 0)
    );
    let renamed = named(&format!("rollout-2026-03-01T10-00-00-{FORK}.jsonl"), None);
    assert_eq!(
        (renamed.session_id.as_deref(), renamed.findings.len()),
        (Some(PARENT), 1)
    );
    let hooked = named("x.jsonl", Some(FORK));
    assert_eq!(
        (hooked.session_id.as_deref(), hooked.findings.len()),
        (Some(FORK), 1)
    );
}

#[test]
fn what_is_not_known_is_counted_and_what_has_another_type_is_absent() {
    let run = lines(
        &Codex,
        "x.jsonl",
        &[
            r#"{"type":"session_meta","payload":{"id":"s","cwd":7,"cli_version":["x"],"git":"main","source":9}}"#,
            r#"{"type":"dream","payload":{"type":"x"}}"#,
            r#"{"type":"event_msg","payload":{"type":"telepathy"}}"#,
            r#"{"type":"response_item","payload":{"type":"function_call","name":"exec_command","arguments":{"cmd":"ls"},"call_id":"a"}}"#,
            r#"{"type":"response_item","payload":{"type":"function_call_output","call_id":"a","output":{"content":"x"}}}"#,
            r#"{"type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":"7","output_tokens":-1}}}}"#,
            r#"{"type":"event_msg","payload":{"type":"thread_rolled_back","num_turns":18446744073709551615}}"#,
            r#"{"type":"event_msg","payload":{"type":"mcp_tool_call_end","call_id":"m","invocation":[],"result":7}}"#,
        ],
    );
    assert_eq!((run.counters.unknown, run.counters.malformed), (2, 0));
    assert_eq!(run.session_id.as_deref(), Some("s"));
    assert!(run.working_directories.is_empty() && run.product.versions.is_empty());
    assert_eq!(tools(&run), [("exec_command", [1, 0, 0])]);
    assert_eq!(run.usage, Usage::default());
    assert_eq!(run.steps.len(), 8);
}

#[test]
fn sessions_are_found_by_the_directory_that_they_name() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join(".codex");
    let put = |from: &str, to: PathBuf| {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(Path::new(FIXTURES).join(from), &to).unwrap();
        to
    };
    let day = "sessions/2026/03/01";
    let parent = format!("rollout-2026-03-01T10-00-00-{PARENT}.jsonl");
    let child = format!("rollout-2026-03-01T10-05-00-{CHILD}.jsonl");
    let plain = put(&format!("{day}/{parent}"), home.join(day).join(&parent));
    put(&format!("{day}/{child}"), home.join(day).join(&child));
    let archived = put(
        "fork.jsonl",
        home.join(format!(
            "archived_sessions/rollout-2026-03-01T11-00-00-{FORK}.jsonl"
        )),
    );
    std::fs::write(plain.with_extension("jsonl.zst"), b"packed").unwrap();
    std::os::unix::fs::symlink(&plain, home.join(day).join("linked.jsonl")).unwrap();
    let found = |places: &Places, root: &str| -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = touchmark_agents::codex::Codex
            .discover(places, Path::new(root))
            .unwrap()
            .into_iter()
            .map(|candidate| candidate.path)
            .collect();
        paths.sort();
        paths
    };
    let mut places = Places {
        home: Some(dir.path().to_owned()),
        ..Places::default()
    };
    let expected = [archived, plain];
    assert_eq!(
        found(&places, "/home/ada/greeter"),
        expected,
        "not what an agent began"
    );
    assert!(found(&places, "/home/ada/other").is_empty());
    places.variables.insert("CODEX_HOME", home);
    places.home = None;
    assert_eq!(found(&places, "/home/ada/greeter"), expected);
    assert!(found(&Places::default(), "/home/ada/greeter").is_empty());
}

#[test]
fn no_prefix_is_whole_and_no_cut_counts_more() {
    for name in [
        "exit-codes.jsonl",
        "fork.jsonl",
        "code-mode.jsonl",
        "exec-stream.jsonl",
    ] {
        let bytes = std::fs::read(Path::new(FIXTURES).join(name)).unwrap();
        let importer = importer::recognise(&Path::new(FIXTURES).join(name))
            .unwrap()
            .unwrap();
        let read = |end: usize| import(importer, name, &bytes[..end]);
        let whole = read(bytes.len()).unwrap();
        for end in (0..bytes.len()).step_by(7) {
            let Ok(run) = read(end) else { continue };
            let at_line = end > 0 && bytes[end - 1] == b'\n';
            assert_eq!(run.completeness == Completeness::Whole, at_line, "{name} {end}");
            assert!(run.tool_calls() <= whole.tool_calls(), "{name} {end}");
        }
    }
}
