//! Trajectories, telemetry and the products with one fixture each: every number is that of the generator
//! (`crates/touchmark-testkit/src/fixtures/`), counted by hand.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::path::Path;

use touchmark_agents::importer;
use touchmark_agents::run::{
    CommandKind, Completeness, Finding, PromptOrigin, PromptPart, Relation, Role, Run, StepKind, StepState,
    ToolKind, Usage,
};
use touchmark_agents::session::{ImportOptions, SessionFile};

use support::origins;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions");

fn load(path: &str) -> Run {
    let path = Path::new(SESSIONS).join(path);
    importer::load(&path, &ImportOptions::default()).unwrap().run
}

fn usage(input: u64, output: u64, read: Option<u64>, written: Option<u64>, requests: u64) -> Usage {
    Usage {
        input_tokens: Some(input),
        output_tokens: Some(output),
        cache_read_tokens: read,
        cache_write_tokens: written,
        requests: Some(requests),
    }
}

fn commands(run: &Run) -> Vec<(&str, CommandKind, Option<i32>, Option<bool>)> {
    run.commands
        .iter()
        .map(|command| {
            (
                command.text.as_str(),
                command.kind,
                command.exit_code,
                command.failed,
            )
        })
        .collect()
}

#[test]
fn a_trajectory_tells_what_was_asked_done_and_spent() {
    let run = load("atif/plain.json");
    assert_eq!(run.product.name, "example-agent");
    assert_eq!(run.product.versions, ["3.1.0"]);
    assert_eq!(
        run.session_id.as_deref(),
        Some("5e551000-0000-4000-8000-000000000040")
    );
    assert_eq!(origins(&run), [PromptOrigin::Injected, PromptOrigin::Human]);
    assert_eq!(
        commands(&run),
        [
            ("cargo test", CommandKind::Test, Some(101), Some(true)),
            ("git commit -am 'Greet by name'", CommandKind::Vcs, None, None),
        ]
    );
    assert_eq!(run.written.keys().collect::<Vec<_>>(), ["src/lib.rs"]);
    assert_eq!(run.commits[0].id_prefix, "9a8b7c6");
    // Three steps of (1000 with 900 cached, 50), none for the step without a model, two calls in (2000, 1500, 80).
    assert_eq!(
        run.usage,
        usage(3 * 100 + 500, 3 * 50 + 80, Some(3 * 900 + 1_500), None, 5)
    );
    assert_eq!(run.cost.as_ref().unwrap().amount, "0.875");
    assert_eq!(run.base_commits[0].id, "1f2e3d4c5b6a79880716253443526170f0e1d2c3");
    assert_eq!(run.working_directories, ["/home/ada/greeter"]);
    assert_eq!(run.completeness, Completeness::Whole);
    assert!(run.findings.is_empty());
}

#[test]
fn trajectories_of_sub_agents_are_told_apart() {
    let run = load("atif/subagents.json");
    assert_eq!(origins(&run), [PromptOrigin::Human, PromptOrigin::Agent]);
    assert!(matches!(&run.prompts[0].parts[1], PromptPart::Other { kind, .. } if kind == "image"));
    let helper = &run.subagents["looker-1"];
    assert_eq!((helper.steps, helper.tool_use_id.as_deref()), (2, Some("c1")));
    assert_eq!(
        run.models[&("gpt-5.4-mini".to_owned(), Role::Subagent)].usage,
        usage(300, 5, None, None, 1)
    );
    assert_eq!(run.usage, usage(100 + 300, 50 + 5, Some(900), None, 3));
}

#[test]
fn a_continued_trajectory_is_counted_once_and_alone_is_a_prefix() {
    let run = load("atif/first-part.json");
    assert_eq!(run.sources.len(), 2);
    assert_eq!(run.completeness, Completeness::Whole);
    assert_eq!(run.usage, usage(100 + 120, 10 + 11, None, None, 2));
    assert_eq!(run.human_prompts().count(), 1);
    assert_eq!(run.structure.copies, 2);
    let bytes = std::fs::read(Path::new(SESSIONS).join("atif/first-part.json")).unwrap();
    let alone = SessionFile {
        name: "first-part.json".into(),
        bytes,
        meta: None,
    };
    let importer = importer::by_format("atif-json").unwrap();
    let run = importer.import(&[alone], &ImportOptions::default()).unwrap();
    assert_eq!(run.completeness, Completeness::Prefix);
}

#[test]
fn totals_count_where_steps_have_none_and_contradict_where_they_differ() {
    let run = load("atif/totals-only.json");
    assert_eq!(run.usage, usage(70, 9, None, None, 1));
    assert_eq!(run.cost.as_ref().unwrap().amount, "0.00001");
    assert_eq!(run.structure.zoneless_times, 1);
    assert!(run.product.versions.is_empty());
    let text = std::fs::read_to_string(Path::new(SESSIONS).join("atif/plain.json")).unwrap();
    let text = text.replace(
        "\"total_completion_tokens\": 230",
        "\"total_completion_tokens\": 9",
    );
    let file = SessionFile {
        name: "x.json".into(),
        bytes: text.into_bytes(),
        meta: None,
    };
    let importer = importer::by_format("atif-json").unwrap();
    let run = importer.import(&[file], &ImportOptions::default()).unwrap();
    assert_eq!(
        run.findings,
        [Finding::UsageDiffers {
            counted: 230,
            reported: 9
        }]
    );
    assert_eq!(run.usage.output_tokens, Some(230));
}

#[test]
fn spans_inside_one_another_are_counted_once() {
    let run = load("otlp/agent.jsonl");
    assert_eq!(run.product.name, "example-agent");
    assert_eq!(
        run.session_id.as_deref(),
        Some("5e551000-0000-4000-8000-000000000050")
    );
    assert_eq!(run.branches, ["agent/greeting"]);
    assert_eq!(run.base_commits[0].branch.as_deref(), Some("agent/greeting"));
    // The first call is told of by two libraries, the sums by every agent above; each counts once.
    let main = &run.models[&("gpt-5.4".to_owned(), Role::Primary)];
    assert_eq!(main.usage, usage(100 + 1_200, 50 + 60, Some(900), None, 2));
    let helper = &run.models[&("gpt-5.4-mini".to_owned(), Role::Subagent)];
    assert_eq!(helper.usage, usage(200, 20, None, None, 1));
    assert_eq!(run.usage, usage(1_500, 130, Some(900), None, 3));
    assert_eq!(run.subagents.keys().collect::<Vec<_>>(), ["helper"]);
    // The same words are in three spans.
    assert_eq!(origins(&run), [PromptOrigin::Human, PromptOrigin::Agent]);
    // The call is in two messages and in a span of its own.
    assert_eq!(run.tool_calls(), 1);
    assert_eq!(
        commands(&run),
        [("cargo test", CommandKind::Test, Some(101), Some(true))]
    );
    assert_eq!(run.structure.copies, 1);
    assert_eq!(run.completeness, Completeness::Whole);
    assert_eq!(run.counters.unknown, 0);
}

#[test]
fn one_conversation_of_many_is_chosen() {
    let path = Path::new(SESSIONS).join("otlp/agent.jsonl");
    let options = ImportOptions {
        session_id: Some("another".into()),
        ..ImportOptions::default()
    };
    let run = importer::load(&path, &options).unwrap().run;
    assert_eq!((run.tool_calls(), run.prompts.len()), (0, 0));
    assert_eq!(run.usage, Usage::default());
    assert_eq!(run.other_session_ids.len(), 1);
    assert_eq!(run.findings.len(), 1);
}

#[test]
fn older_names_and_numbered_messages_are_read() {
    let run = load("otlp/older-names.jsonl");
    let model = &run.models[&("claude-sonnet-4-20250514".to_owned(), Role::Primary)];
    assert_eq!(model.provider.as_deref(), Some("anthropic"));
    // Ten tokens with ninety from the cache: this library counts the cache apart.
    assert_eq!(run.usage, usage(10 + 30, 4 + 6, Some(90), None, 2));
    assert_eq!(run.human_prompts().count(), 1);
    let tool = &run.tools["bash"];
    assert_eq!((tool.calls, tool.unanswered), (1, 0));
    assert_eq!(commands(&run), [("ls", CommandKind::Other, None, None)]);
}

#[test]
fn log_events_of_a_product_and_of_the_conventions_are_read() {
    let run = load("otlp/log-events.jsonl");
    assert_eq!(run.product.name, "claude-code");
    // The second prompt was withheld: it is there, without words.
    assert_eq!(run.prompts.len(), 2);
    assert!(run.prompts[1].parts.is_empty());
    assert_eq!(run.usage, usage(3 + 3 + 23, 40 + 41 + 7, Some(300), Some(40), 3));
    assert_eq!(run.cost.as_ref().unwrap().amount, "0.5");
    assert_eq!(
        commands(&run),
        [("cargo test", CommandKind::Test, None, Some(true))]
    );
}

#[test]
fn messages_tell_of_tools_where_no_span_does() {
    let run = load("otlp/messages-only.jsonl");
    assert_eq!(run.human_prompts().count(), 2);
    assert_eq!(run.tool_calls(), 1);
    assert_eq!(run.written.keys().collect::<Vec<_>>(), ["NOTES.md"]);
    assert!(run.written["NOTES.md"].confirmed);
}

#[test]
fn an_amp_thread_is_read_without_what_names_a_machine() {
    let run = load("amp/T-019b0000-b000-7000-8000-000000000001.json");
    assert_eq!(run.usage, usage(6, 81, Some(200), Some(40), 2));
    assert_eq!(run.entrypoint.as_deref(), Some("cli"));
    assert_eq!(
        commands(&run),
        [("cargo test", CommandKind::Test, Some(101), Some(true))]
    );
    assert!(run.written["/home/ada/greeter/src/lib.rs"].confirmed);
    let base = &run.base_commits[0];
    assert_eq!(
        base.repository.as_deref(),
        Some("https://example.test/greeter.git")
    );
    assert!(!format!("{run:?}").contains("never-read"));
}

#[test]
fn droid_takes_model_and_tokens_from_the_settings_beside() {
    let run = load("droid/5e551000-0000-4000-8000-000000000060.jsonl");
    assert_eq!(origins(&run), [PromptOrigin::Human, PromptOrigin::Injected]);
    assert_eq!(
        run.usage,
        Usage {
            requests: None,
            ..usage(70, 9, Some(400), Some(0), 0)
        }
    );
    let model = &run.models[&("gpt-5-mini".to_owned(), Role::Primary)];
    assert_eq!(model.provider.as_deref(), Some("openai"));
    assert_eq!(
        commands(&run),
        [("npm test", CommandKind::Test, None, Some(true))]
    );
    assert_eq!(run.written.keys().collect::<Vec<_>>(), ["a.txt"]);
}

#[test]
fn windsurf_steps_are_their_own_answers() {
    let run = load("windsurf/trajectory-1.jsonl");
    assert_eq!(
        commands(&run),
        [
            ("cargo test", CommandKind::Test, Some(101), Some(true)),
            ("git push", CommandKind::Vcs, None, Some(true))
        ]
    );
    let unanswered: u64 = run.tools.values().map(|tool| tool.unanswered).sum();
    assert_eq!((run.tool_calls(), unanswered), (5, 1));
    assert!(run.tools.values().all(|tool| tool.kind == ToolKind::Builtin));
    assert_eq!(run.usage, Usage::default());
}

#[test]
fn a_fork_and_a_resume_name_the_session_before() {
    let run = load("claude-code/forked.jsonl");
    let parent = run.parent.as_ref().unwrap();
    assert_eq!(
        (parent.session_id.as_str(), parent.relation),
        ("5e551000-0000-4000-8000-000000000020", Relation::Fork)
    );
    assert_eq!(
        run.session_id.as_deref(),
        Some("5e551000-0000-4000-8000-000000000021")
    );
    let run = load("claude-code/resumed.jsonl");
    let parent = run.parent.as_ref().unwrap();
    assert_eq!(
        (parent.session_id.as_str(), parent.relation),
        ("5e551000-0000-4000-8000-000000000022", Relation::Resume)
    );
    assert_eq!(
        run.session_id.as_deref(),
        Some("5e551000-0000-4000-8000-000000000023")
    );
    assert_eq!(run.other_session_ids.len(), 1);
    assert_eq!(run.entrypoint.as_deref(), Some("cli"));
}

#[test]
fn what_a_person_typed_into_the_queue_is_a_persons() {
    let run = load("claude-code/queued-prompts.jsonl");
    use PromptOrigin::{Human, Injected};
    assert_eq!(origins(&run), [Human, Human, Injected, Injected, Injected]);
    assert_eq!(run.prompts[1].parts, [PromptPart::Text("And test it.".into())]);
}

#[test]
fn headless_output_is_a_session_too() {
    let run = load("claude-code/headless.jsonl");
    assert_eq!(
        run.session_id.as_deref(),
        Some("5e551000-0000-4000-8000-000000000025")
    );
    assert_eq!(run.product.versions, ["2.1.286"]);
    assert_eq!(run.cost.as_ref().unwrap().amount, "0.0421");
    assert_eq!(
        commands(&run),
        [
            ("cargo test", CommandKind::Test, Some(101), Some(true)),
            ("ls", CommandKind::Other, None, Some(false))
        ]
    );
    assert_eq!(run.commands[1].role, Role::Subagent);
    assert_eq!(run.usage, usage(15, 21, None, None, 3));
    assert_eq!((run.counters.unknown, run.structure.roots), (0, 0));
    assert!(run.prompts.is_empty());
    assert_eq!(run.steps.last().unwrap().kind, StepKind::Other);
}

#[test]
fn a_record_that_is_written_again_is_a_copy_and_counts_once() {
    let run = load("claude-code/cut-by-a-resume.jsonl");
    let copied = run
        .steps
        .iter()
        .filter(|step| step.state == StepState::Copied)
        .count();
    assert_eq!((copied, run.human_prompts().count()), (2, 2));
    assert_eq!(run.usage.output_tokens, Some(40 + 41));
}
