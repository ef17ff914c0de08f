//! SWE-agent and mini-swe-agent: made-up trajectories that each show a trait, and real ones, which are read in place.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::path::Path;

use touchmark_agents::importer;
use touchmark_agents::run::{
    CommandKind, Completeness, Finding, PromptOrigin, Role, Run, StepKind, StepState, WrittenPath,
};
use touchmark_agents::secrets::Scanner;
use touchmark_agents::session::ImportOptions;
use touchmark_statement::digest::Sha256Digest;

use support::{origins, recordings, tokens, tools};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions");

fn fixture(name: &str) -> Run {
    let path = Path::new(FIXTURES).join(name);
    importer::load(&path, &ImportOptions::default()).unwrap().run
}

fn confirmed(run: &Run) -> Vec<&str> {
    let is_confirmed = |(_, path): &(&String, &WrittenPath)| path.confirmed;
    run.written
        .iter()
        .filter(is_confirmed)
        .map(|(path, _)| path.as_str())
        .collect()
}

#[test]
fn a_run_with_calls_of_functions() {
    let run = fixture("swe-agent/ada__greeter-1.traj");
    assert_eq!(run.session_id.as_deref(), Some("ada__greeter-1"));
    assert_eq!(run.product.versions, ["1.1.0"]);
    // The configuration is text that holds JSON.
    let base = &run.base_commits[0];
    assert_eq!(base.id, "a0a1a2a3a4a5a6a7a8a9b0b1b2b3b4b5b6b7b8b9");
    assert_eq!(base.repository.as_deref(), Some("https://github.com/ada/greeter"));
    assert_eq!(
        origins(&run),
        [
            PromptOrigin::Injected,
            PromptOrigin::Injected,
            PromptOrigin::Human
        ]
    );
    // Every call of the conversation has the same identifier, and each counts.
    assert_eq!(
        tools(&run),
        [
            ("bash", [1, 0, 0]),
            ("create", [1, 0, 0]),
            ("edit", [1, 1, 0]),
            ("submit", [1, 0, 0])
        ]
    );
    assert_eq!(tokens(&run.usage), [Some(9_000), Some(300), None, None, Some(5)]);
    let model = &run.models[&("claude-opus-4-5".to_owned(), Role::Primary)];
    assert_eq!((model.provider.as_deref(), model.steps), (Some("anthropic"), 4));
    assert_eq!(run.cost.as_ref().unwrap().amount, "0.25");
    // What the conversation repeats is marked, whichever list stands first.
    let copied = run
        .steps
        .iter()
        .filter(|step| step.state == StepState::Copied)
        .count();
    assert_eq!(copied, 8);
    // The edit that was refused wrote nothing; the patch says what the run came to.
    assert_eq!(confirmed(&run), ["greet.py", "new.py"]);
    let submitted = run.submitted.unwrap();
    let patch = "diff --git a/greet.py b/greet.py\nindex 1111111..2222222 100644\n--- a/greet.py\n+++ b/greet.py\n\
                 @@ -1 +1 @@\n-print('hello')\n+print('hi')\n";
    assert_eq!(
        (submitted.sha256, submitted.bytes),
        (Sha256Digest::of(patch.as_bytes()), patch.len() as u64)
    );
    assert_eq!((run.started_at, run.ended_at), (None, None));
    assert_eq!(run.completeness, Completeness::Whole);
}

#[test]
fn a_run_before_functions() {
    let run = fixture("swe-agent/ada__greeter-0.traj");
    assert_eq!(tools(&run), [("bash", [1, 0, 0]), ("edit", [1, 0, 0])]);
    assert_eq!(run.working_directories, ["/greeter"]);
    assert_eq!(confirmed(&run), ["/greeter/greet.py"]);
    assert_eq!(
        (run.models.len(), run.submitted, run.base_commits.len()),
        (0, None, 0)
    );
    assert_eq!(run.cost.unwrap().amount, "1.5");
    assert_eq!(run.commands[0].exit_code, None);
}

/// What was counted without this importer: Python's `json` over the file (`len(d['trajectory'])`, roles of `history`,
/// `Counter` of `tool_calls[].function.name`, `info.model_stats`, `replay_config.env.repo.base_commit`); 13 and 12 calls
/// also by Harbor 0.25.0 (`convert_swe_agent_to_atif`), the patch by `hashlib.sha256(d['info']['submission'])`.
#[test]
fn the_recordings_hold_what_was_counted_in_python_and_by_harbor() {
    if let Some(path) = recordings("swe-agent/marshmallow-1867-function-calling.traj") {
        let run = importer::load(&path, &ImportOptions::default()).unwrap().run;
        assert_eq!(
            run.session_id.as_deref(),
            Some("marshmallow-1867-function-calling")
        );
        assert_eq!(
            run.findings,
            [Finding::SessionIdDiffers {
                used: "marshmallow-1867-function-calling".into(),
                other: "marshmallow-code__marshmallow-1867".into()
            }]
        );
        assert_eq!(run.steps.len(), 13 + 28);
        assert_eq!(origins(&run), [PromptOrigin::Injected, PromptOrigin::Human]);
        assert_eq!(
            tools(&run),
            [
                ("bash", [6, 0, 0]),
                ("create", [1, 0, 0]),
                ("edit", [1, 0, 0]),
                ("find_file", [1, 0, 0]),
                ("insert", [1, 0, 0]),
                ("open", [2, 0, 0]),
                ("submit", [1, 0, 0])
            ]
        );
        assert_eq!(run.base_commits[0].id, "bfd2593d4b416122e30cdefe0c72d322ef471611");
        // The run replays another's actions: its model is called so, and it spent nothing.
        assert_eq!(tokens(&run.usage), [Some(0), Some(0), None, None, Some(13)]);
        assert!(run.models.contains_key(&("replay".to_owned(), Role::Primary)));
        assert_eq!(run.working_directories, ["/testbed"]);
        let kinds: Vec<CommandKind> = run.commands.iter().map(|command| command.kind).collect();
        assert_eq!(
            kinds.iter().filter(|kind| **kind == CommandKind::Build).count(),
            1
        );
        assert!(run.commands.iter().all(|command| command.exit_code.is_none()));
        assert_eq!(
            run.submitted.unwrap().sha256.to_string(),
            "190ce80aac89573563300d36c857d6637333e625f1a291782c5e17e07ea7897c"
        );
        assert!(confirmed(&run).contains(&"src/marshmallow/fields.py"));
        assert_eq!(run.completeness, Completeness::Whole);
    }
    if let Some(path) = recordings("swe-agent/pydicom__pydicom-1458.traj") {
        let run = importer::load(&path, &ImportOptions::default()).unwrap().run;
        assert_eq!(run.session_id.as_deref(), Some("pydicom__pydicom-1458"));
        assert_eq!(
            origins(&run),
            [
                PromptOrigin::Injected,
                PromptOrigin::Injected,
                PromptOrigin::Human
            ]
        );
        // Three of five edits: `grep -o 'Your proposed edit has introduced'` over the observations gives 3.
        assert_eq!(
            tools(&run),
            [
                ("bash", [3, 0, 0]),
                ("create", [1, 0, 0]),
                ("edit", [5, 3, 0]),
                ("find_file", [1, 0, 0]),
                ("open", [1, 0, 0]),
                ("submit", [1, 0, 0])
            ]
        );
        assert_eq!(
            tokens(&run.usage),
            [Some(122_612), Some(1_369), None, None, Some(12)]
        );
        assert_eq!(run.cost.as_ref().unwrap().amount, "1.26719");
        assert!(run.models.is_empty() && run.base_commits.is_empty() && run.product.versions.is_empty());
        assert_eq!(
            run.submitted.unwrap().sha256.to_string(),
            "482f91caab128468f5a6cbd3fe2e10f0e164eac3912f6fdd9eb09e5489c22c30"
        );
    }
}

#[test]
fn a_mini_run() {
    let run = fixture("mini-swe-agent/ada__greeter-1.traj.json");
    assert_eq!(run.session_id.as_deref(), Some("ada__greeter-1"));
    assert_eq!(run.product.versions, ["2.4.6"]);
    assert_eq!(run.working_directories, ["/home/ada/greeter"]);
    assert_eq!(
        origins(&run),
        [
            PromptOrigin::Injected,
            PromptOrigin::Human,
            PromptOrigin::Injected,
            // The person interrupted and said something.
            PromptOrigin::Human
        ]
    );
    // Four answers: the one that could not be used stands in the complaint about it. Each is read as 1,000 + n with 400
    // of them from a cache.
    assert_eq!(
        tokens(&run.usage),
        [
            Some(4 * 600 + 1 + 2 + 3 + 4),
            Some(80),
            Some(1_600),
            None,
            Some(4)
        ]
    );
    let results: Vec<(CommandKind, Option<i32>, Option<bool>)> = run
        .commands
        .iter()
        .map(|command| (command.kind, command.exit_code, command.failed))
        .collect();
    assert_eq!(
        results,
        [
            (CommandKind::Test, Some(1), Some(true)),
            // -1: it did not end by itself.
            (CommandKind::Other, None, Some(true)),
            (CommandKind::Vcs, Some(0), Some(false))
        ]
    );
    assert_eq!(run.cost.as_ref().unwrap().amount, "0.04");
    assert_eq!(confirmed(&run), ["greet.py"]);
    assert_eq!(run.started_at.unwrap().timestamp_millis(), 1_772_359_201_500);
}

#[test]
fn the_key_in_a_configuration_reaches_neither_the_run_nor_a_redacted_copy() {
    let path = Path::new(FIXTURES).join("mini-swe-agent/ada__greeter-1.traj.json");
    let options = ImportOptions {
        words: true,
        ..ImportOptions::default()
    };
    let session = importer::load(&path, &options).unwrap();
    const KEY: &str = "sk-TEST-ONLY-0123456789abcdef0123456789";
    let bytes = String::from_utf8(session.files[0].bytes.clone()).unwrap();
    assert!(bytes.contains(KEY));
    assert!(!format!("{:?}", session.run).contains(KEY));
    for step in &session.run.steps {
        let record = session.step_bytes(step).unwrap();
        assert!(!String::from_utf8_lossy(&record).contains(KEY));
    }
    let redacted = Scanner::built_in().redact_json(&session.files[0].bytes).unwrap();
    assert!(!String::from_utf8_lossy(&redacted.bytes).contains(KEY));
}

#[test]
fn the_bare_list_of_the_first_versions() {
    let run = fixture("mini-swe-agent/list.traj.json");
    let results: Vec<(CommandKind, Option<i32>)> = run
        .commands
        .iter()
        .map(|command| (command.kind, command.exit_code))
        .collect();
    // An answer with two blocks ran nothing.
    assert_eq!(
        results,
        [
            (CommandKind::Other, Some(0)),
            (CommandKind::Test, Some(5)),
            (CommandKind::Vcs, None)
        ]
    );
    assert_eq!(tools(&run), [("bash", [3, 1, 1])]);
    assert_eq!(tokens(&run.usage), [None, None, None, None, Some(4)]);
    assert_eq!((run.session_id, run.cost, run.models.len()), (None, None, 0));
    assert!(run.submitted.is_some());
}

/// What was counted without this importer: Python's `json` over the list and a regular expression for `<returncode>`
/// (`Counter({'0': 7, '1': 2})`), roles 1 system, 11 user, 10 assistant; the last user message is the patch.
#[test]
fn the_recorded_list_holds_what_was_counted_in_python() {
    let Some(path) = recordings("mini-swe-agent/github_issue.traj.json") else {
        return;
    };
    let run = importer::load(&path, &ImportOptions::default()).unwrap().run;
    assert_eq!(run.steps.len(), 22);
    assert_eq!(origins(&run), [PromptOrigin::Injected, PromptOrigin::Human]);
    assert_eq!(tools(&run), [("bash", [10, 2, 1])]);
    let of = |code: Option<i32>| {
        run.commands
            .iter()
            .filter(|command| command.exit_code == code)
            .count()
    };
    assert_eq!((of(Some(0)), of(Some(1)), of(None)), (7, 2, 1));
    assert_eq!(confirmed(&run), ["tests/missing_colon.py"]);
    let kind = |kind: StepKind| run.steps.iter().filter(|step| step.kind == kind).count();
    assert_eq!((kind(StepKind::Answer), kind(StepKind::ToolResult)), (10, 9));
    assert_eq!((run.session_id, run.cost, run.started_at), (None, None, None));
}
