//! Real sessions of Codex CLI, which are read in place, held against what was counted in them without this importer.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use touchmark_agents::run::{CommandKind, Completeness, PromptOrigin, StepKind};

use support::{ended, load, models, recordings, texts as prompts, tokens_without_writes as tokens, tools};

/// What was counted without this importer.
///
/// How: a Python script of 55 lines (`json.loads` for each line) that counts distinct `call_id`s of `function_call` and
/// `custom_tool_call`, reads exit codes from `metadata.exit_code` or `^Process exited with code` in outputs and compares
/// them with every `exec_command_end` (no difference), takes the last `total_token_usage` and the number of distinct
/// ones, and `user_message` events.
///
/// The number of calls, of counter readings and the tokens are also what the crate `agent-sessions` 0.3.0 gives for the
/// first two files (it gives input with the cached part). Of the third, tool calls, tokens and models are what the golden
/// file of `agent-top-core` 0.27.2 holds for the same bytes (64 calls, 180,859 in, 17,900 out, 2,083,200 cached);
/// `agent-sessions` refuses that file, since its texts were taken out.
struct Counted {
    file: &'static str,
    session: &'static str,
    version: &'static str,
    records: usize,
    /// Human, injected.
    prompts: [usize; 2],
    tools: &'static [(&'static str, [u64; 3])],
    /// Commands, those with exit code 0, with another, without.
    commands: [usize; 4],
    tests: usize,
    /// Requests, input, output, cache read.
    tokens: [u64; 4],
    models: &'static [&'static str],
    base: Option<&'static str>,
    written: usize,
}

const COUNTED: [Counted; 3] = [
    Counted {
        file: "rollout-0.58.0.jsonl",
        session: "019a93b9-f380-7600-98ff-940e6b99603c",
        version: "0.58.0",
        records: 279,
        prompts: [1, 1],
        tools: &[("shell", [37, 3, 0]), ("update_plan", [2, 0, 0])],
        commands: [37, 34, 3, 0],
        tests: 0,
        tokens: [39, 1_099_261 - 1_027_328, 22_305, 1_027_328],
        models: &["gpt-5.1-codex"],
        base: Some("0f022a043b3f8ca67224e1c56d5b85e28a81b910"),
        written: 1,
    },
    Counted {
        file: "rollout-0.118.0.jsonl",
        session: "019dabc6-8fef-7681-a054-b5bb75fcb97d",
        version: "0.118.0",
        records: 138,
        prompts: [1, 2],
        tools: &[
            ("apply_patch", [4, 1, 0]),
            ("exec_command", [22, 2, 0]),
            ("write_stdin", [1, 0, 0]),
        ],
        commands: [22, 19, 2, 1],
        tests: 3,
        tokens: [16, 345_662 - 329_856, 11_929, 329_856],
        models: &["gpt-5.4"],
        base: Some("298fa07b0a13ed7f515a6fbc9c2fe7bc5af436a1"),
        written: 4,
    },
    Counted {
        file: "fields-only-0.154.jsonl",
        session: "01000000-0000-7000-0000-000000000154",
        version: "0.154.0",
        records: 236,
        prompts: [4, 16],
        tools: &[
            ("apply_patch", [8, 0, 0]),
            ("exec", [28, 0, 0]),
            ("exec_command", [28, 0, 0]),
        ],
        commands: [0, 0, 0, 0],
        tests: 0,
        tokens: [31, 180_859, 17_900, 2_083_200],
        models: &["gpt-5.6-luna", "gpt-6-astra"],
        base: None,
        written: 0,
    },
];

#[test]
fn recordings_say_what_was_counted_without_this_importer() {
    let Some(folder) = recordings("codex") else {
        return;
    };
    for counted in &COUNTED {
        let name = counted.file;
        let run = load(&folder.join(name)).run;
        assert_eq!(run.session_id.as_deref(), Some(counted.session), "{name}");
        assert_eq!(run.product.versions, [counted.version], "{name}");
        assert_eq!(
            (run.steps.len(), run.counters.unknown),
            (counted.records, 0),
            "{name}"
        );
        assert_eq!(
            [PromptOrigin::Human, PromptOrigin::Injected].map(|origin| prompts(&run, origin).len()),
            counted.prompts,
            "{name}"
        );
        assert_eq!(tools(&run), counted.tools, "{name}");
        assert_eq!(
            [
                run.commands.len(),
                ended(&run, |code| code == Some(0)),
                ended(&run, |code| code.is_some_and(|code| code != 0)),
                ended(&run, |code| code.is_none()),
            ],
            counted.commands,
            "{name}"
        );
        let tests = run
            .commands
            .iter()
            .filter(|command| command.kind == CommandKind::Test);
        assert_eq!(tests.count(), counted.tests, "{name}");
        assert_eq!(tokens(&run.usage), counted.tokens.map(Some), "{name}");
        assert_eq!(models(&run), counted.models, "{name}");
        assert_eq!(
            run.base_commits
                .iter()
                .map(|base| base.id.as_str())
                .collect::<Vec<_>>(),
            counted.base.into_iter().collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(run.written.len(), counted.written, "{name}");
        assert_eq!(run.working_directories.len(), 1, "{name}");
        assert_eq!(run.completeness, Completeness::Whole, "{name}");
        assert!(run.parent.is_none() && run.findings.is_empty(), "{name}");
        assert!(run.steps.iter().all(|step| step.kind != StepKind::Unreadable));
    }
}
