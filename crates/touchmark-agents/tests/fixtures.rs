//! The importer over the generated sessions in `testdata/sessions`, whose every number is known, and over what is left
//! of them after cutting and mutation.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use touchmark_agents::claude_code;
use touchmark_agents::paths;
use touchmark_agents::run::{
    CommandKind, Completeness, Cost, PromptOrigin, PromptPart, Role, Run, Source, StepKind, StepState,
    ToolKind,
};
use touchmark_agents::secrets;
use touchmark_agents::session::{ImportOptions, Session, SessionFile};

use support::origins;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions/claude-code");

fn path(name: &str) -> PathBuf {
    Path::new(SESSIONS).join(name).with_extension("jsonl")
}

fn import(bytes: &[u8]) -> Result<Run, touchmark_agents::ImportError> {
    support::import(&claude_code::ClaudeCode, "session.jsonl", bytes)
}

fn load(name: &str) -> Session {
    claude_code::load(&path(name), &ImportOptions::default()).unwrap()
}

#[test]
fn plain_run() {
    let Session { files, run, .. } = load("plain");
    assert_eq!(run.completeness, Completeness::Whole);
    assert_eq!(
        run.session_id.as_deref(),
        Some("5e551000-0000-4000-8000-000000000001")
    );
    assert_eq!(run.product.name, "claude-code");
    assert_eq!(run.product.versions, ["2.1.278"]);
    assert_eq!(run.branches, ["agent/greeting"]);
    assert_eq!(run.working_directories, ["/home/ada/greeter"]);
    assert_eq!(
        origins(&run),
        [
            PromptOrigin::Injected,
            PromptOrigin::Human,
            PromptOrigin::Injected,
            PromptOrigin::Human
        ]
    );
    assert_eq!(
        run.prompts[1].parts,
        [PromptPart::Text("Greet people by name, and test it.".into())]
    );
    assert!(matches!(&run.prompts[3].parts[0], PromptPart::Other { kind, .. } if kind == "image"));

    let calls: Vec<(&str, u64, u64, u64)> = run
        .tools
        .iter()
        .map(|(name, tool)| (name.as_str(), tool.calls, tool.failures, tool.unanswered))
        .collect();
    assert_eq!(
        calls,
        [
            ("Bash", 4, 1, 0),
            ("Edit", 2, 0, 0),
            ("Grep", 1, 0, 1),
            ("Read", 1, 1, 0),
            ("Write", 1, 0, 0)
        ]
    );
    assert_eq!(run.tool_calls(), 9);
    let commands: Vec<(CommandKind, Option<i32>, Option<bool>)> = run
        .commands
        .iter()
        .map(|command| (command.kind, command.exit_code, command.failed))
        .collect();
    // A command that worked has no exit code in the transcript: zero is never invented.
    assert_eq!(
        commands,
        [
            (CommandKind::Test, Some(101), Some(true)),
            (CommandKind::Test, None, Some(false)),
            (CommandKind::Build, None, Some(false)),
            (CommandKind::Vcs, None, Some(false)),
        ]
    );
    assert_eq!(run.commits.len(), 1);
    assert_eq!(
        (run.commits[0].id_prefix.as_str(), run.commits[0].branch.as_str()),
        ("1f2e3d4", "agent/greeting")
    );
    let written: Vec<Option<String>> = run
        .written
        .iter()
        .map(|(path, write)| {
            paths::relative_to("/home/ada/greeter", write.working_directory.as_deref(), path)
        })
        .collect();
    assert_eq!(
        written,
        [Some("src/lib.rs".into()), Some("tests/greeting.rs".into())]
    );

    // Ten answers: nine with a call (4, 120, 2400, 150) and one without (3, 40, 1200, 300).
    assert_eq!(run.usage.requests, Some(10));
    assert_eq!(run.usage.input_tokens, Some(9 * 4 + 3));
    assert_eq!(run.usage.output_tokens, Some(9 * 120 + 40));
    assert_eq!(run.usage.cache_read_tokens, Some(9 * 2_400 + 1_200));
    assert_eq!(run.usage.cache_write_tokens, Some(9 * 150 + 300));
    let model = &run.models[&("claude-opus-4-5-20251101".to_owned(), Role::Primary)];
    assert_eq!(
        (model.steps, model.answers, model.provider.as_deref()),
        (19, 10, Some("anthropic"))
    );
    assert_eq!(run.cost, None);
    assert_eq!(run.field_sources["/agent/instance"], Source::Transcript);
    assert!(secrets::find(&files[0].bytes).is_empty());
}

#[test]
fn sub_agent_in_the_same_file() {
    let run = load("sidechain").run;
    assert_eq!(origins(&run), [PromptOrigin::Human, PromptOrigin::Agent]);
    let roles: BTreeSet<Role> = run.models.keys().map(|(_, role)| *role).collect();
    assert_eq!(roles, BTreeSet::from([Role::Primary, Role::Subagent]));
    let helper = &run.models[&("claude-haiku-4-5-20251001".to_owned(), Role::Subagent)];
    assert_eq!((helper.answers, helper.usage.output_tokens), (2, Some(160)));
    assert_eq!(run.subagents["a1b2c3d"].steps, 5);
    assert_eq!(run.commands[0].role, Role::Subagent);
    assert_eq!(run.usage.output_tokens, Some(160 + 160));
}

#[test]
fn sub_agent_in_a_file_of_its_own() {
    let Session { files, run, .. } = load("5e551000-0000-4000-8000-000000000003");
    assert_eq!(run.sources.len(), 2);
    assert_eq!(
        run.session_id.as_deref(),
        Some("5e551000-0000-4000-8000-000000000003")
    );
    assert_eq!(run.field_sources["/agent/instance"], Source::Environment);
    let agent = &run.subagents["b7"];
    assert_eq!(
        (agent.agent_type.as_deref(), agent.reported_tokens, agent.steps),
        (Some("writer"), Some(4_321), 8)
    );
    assert_eq!(run.written["/home/ada/greeter/NOTES.md"].role, Role::Subagent);
    // The caller's own figure for the sub-agent is not added to what its file says.
    assert_eq!(run.usage.output_tokens, Some((120 + 40) + (120 + 120 + 40)));
    for step in &run.steps {
        let bytes = step.bytes(&files[step.source as usize].bytes).unwrap();
        assert_eq!((bytes[0], bytes[bytes.len() - 1]), (b'{', b'}'));
    }
}

#[test]
fn copies_of_a_sub_agents_records_count_once() {
    let session = load("5e551000-0000-4000-8000-000000000003");
    let mut files = session.files.clone();
    files.push(SessionFile {
        name: "agent-b7-again.jsonl".into(),
        ..files[1].clone()
    });
    let run = claude_code::import(&files, &ImportOptions::default()).unwrap();
    assert_eq!(run.usage, session.run.usage);
    assert_eq!(run.tools, session.run.tools);
    assert_eq!(run.prompts.len(), session.run.prompts.len());
    assert_eq!(run.structure.copies, 8);
    assert_eq!(
        run.steps
            .iter()
            .filter(|step| step.state == StepState::Copied)
            .count(),
        8
    );
}

#[test]
fn several_values_on_one_line_are_several_steps() {
    let Session { files, run, .. } = load("two-values-on-one-line");
    assert_eq!(run.completeness, Completeness::Whole);
    assert_eq!(
        (run.counters.malformed, run.counters.unknown, run.counters.skipped),
        (1, 1, 0)
    );
    let kinds: Vec<StepKind> = run.steps.iter().map(|step| step.kind).collect();
    use StepKind::{Answer, Other, Prompt, Unknown, Unreadable};
    assert_eq!(kinds, [Prompt, Answer, Other, Unknown, Unreadable, Answer]);
    // The second and third step share a line.
    assert_eq!(run.steps[1].offset + run.steps[1].len, run.steps[2].offset);
    assert_eq!(
        run.steps[4].bytes(&files[0].bytes).unwrap(),
        br#"{"type":"user","#
    );
}

#[test]
fn a_last_line_without_line_feed_is_never_whole() {
    let run = load("no-last-line-feed").run;
    assert_eq!(run.completeness, Completeness::Prefix);
    assert_eq!(run.steps.len(), 2);
}

#[test]
fn compaction_is_no_human_prompt() {
    let run = load("compaction").run;
    assert_eq!(origins(&run), [PromptOrigin::Human, PromptOrigin::Compaction]);
    assert_eq!(run.structure.compactions, 1);
    assert_eq!(run.structure.roots, 2);
    assert_eq!(run.written.len(), 2);
}

#[test]
fn mcp_tools_name_their_servers() {
    let run = load("mcp-tools").run;
    let issue = &run.tools["mcp__tracker__get_issue"];
    assert_eq!(
        (issue.kind, issue.short_name.as_str(), issue.calls, issue.failures),
        (ToolKind::Mcp, "get_issue", 2, 1)
    );
    assert_eq!(issue.server.as_ref().unwrap().name, "tracker");
    let chat = &run.tools["mcp__plugin_tools_chat__send_message"];
    assert_eq!(chat.server.as_ref().unwrap().plugin.as_deref(), Some("tools"));
}

#[test]
fn versions_models_branches_and_times_are_collected() {
    let run = load("two-versions").run;
    assert_eq!(run.product.versions, ["1.0.111", "2.1.286"]);
    assert_eq!(run.branches, ["agent/greeting", "agent/farewell"]);
    assert_eq!(run.models.len(), 2);
    // The second half was written earlier by the clock.
    assert_eq!(run.structure.backward_times, 1);
    assert_eq!(run.started_at.unwrap().timestamp(), 1_772_352_002);
    assert_eq!(run.ended_at.unwrap().timestamp(), 1_772_355_604);
}

#[test]
fn reported_cost_stays_a_figure_of_its_own() {
    let run = load("cost-state").run;
    assert_eq!(
        run.cost,
        Some(Cost {
            amount: "0.07125".into(),
            currency: "USD".into(),
            incomplete: Some(false)
        })
    );
    assert_eq!(run.usage.output_tokens, Some(40));
}

#[test]
fn a_turn_gone_back_on_is_rewound() {
    let run = load("rewound").run;
    let rewound: Vec<bool> = run.human_prompts().map(|prompt| prompt.rewound).collect();
    assert_eq!(rewound, [false, true, false]);
    assert_eq!(run.counters.rewound, 2);
    // What was done is still counted: the tokens were spent.
    assert_eq!(run.usage.requests, Some(3));
}

#[test]
fn the_hooks_identifier_wins_and_the_difference_is_a_finding() {
    let options = ImportOptions {
        session_id: Some("from-the-hook".into()),
        ..ImportOptions::default()
    };
    let run = claude_code::load(&path("plain"), &options).unwrap().run;
    assert_eq!(run.session_id.as_deref(), Some("from-the-hook"));
    assert_eq!(run.field_sources["/agent/instance"], Source::Hook);
    assert_eq!(run.findings.len(), 1);
    assert_eq!(
        run.other_session_ids.iter().collect::<Vec<_>>(),
        ["5e551000-0000-4000-8000-000000000001"]
    );
}

#[test]
fn a_watermark_stops_the_reader() {
    let whole = load("plain");
    let bytes = whole.files[0].bytes.len() as u64;
    for (up_to, completeness) in [
        (bytes, Completeness::Whole),
        (whole.run.steps[3].offset, Completeness::Prefix),
        (whole.run.steps[3].offset - 1, Completeness::Prefix),
        (whole.run.steps[3].offset - 2, Completeness::TailMissing),
    ] {
        let options = ImportOptions {
            up_to: Some(up_to),
            ..ImportOptions::default()
        };
        let session = claude_code::load(&path("plain"), &options).unwrap();
        assert_eq!(session.run.completeness, completeness, "{up_to}");
        assert_eq!(session.run.sources[0].bytes_read, up_to);
        assert_eq!(session.files[0].bytes.len() as u64, up_to);
        assert!(
            session
                .run
                .steps
                .iter()
                .all(|step| step.offset + step.len <= up_to)
        );
    }
    let options = ImportOptions {
        up_to: Some(bytes + 1),
        ..ImportOptions::default()
    };
    assert_eq!(
        claude_code::load(&path("plain"), &options).unwrap_err().code(),
        "session.shrunk"
    );
    let reader = whole.files[0].bytes.as_slice();
    assert_eq!(
        claude_code::import_reader("plain.jsonl", reader, &options)
            .unwrap_err()
            .code(),
        "session.shrunk"
    );
}

#[test]
fn lines_beyond_the_cap_are_skipped_and_counted() {
    let bytes = std::fs::read(path("plain")).unwrap();
    let options = ImportOptions {
        max_line_bytes: 700,
        ..ImportOptions::default()
    };
    let long = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| line.len() > 700)
        .count();
    let run = claude_code::import_reader("plain.jsonl", bytes.as_slice(), &options).unwrap();
    assert!(long > 0);
    assert_eq!(run.counters.skipped, long as u64);
    assert_eq!(run.completeness, Completeness::Whole);
    assert_eq!(
        run.steps
            .iter()
            .filter(|step| step.kind == StepKind::Unreadable)
            .count(),
        long
    );
    let cut = &bytes[..bytes.len() - 1];
    let options = ImportOptions {
        max_line_bytes: 100,
        ..ImportOptions::default()
    };
    assert_eq!(
        claude_code::import_reader("plain.jsonl", cut, &options)
            .unwrap_err()
            .code(),
        "session.empty"
    );
}

#[test]
fn what_holds_no_record_is_refused() {
    for bytes in [
        &b""[..],
        b"\n\n",
        b"hello\n",
        b"[1,2]\n\"x\"\n7\n",
        b"{\"type\":\"user\"",
        b"\xff\xfe\n",
        b"\xef\xbb\xbf",
    ] {
        assert_eq!(
            import(bytes).unwrap_err().code(),
            "session.empty",
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn values_that_are_no_objects_are_malformed() {
    let run = import(b"{\"type\":\"user\"}\n[{\"type\":\"user\"}]\n7\nnull {\"type\":\"mode\"}\n{\"a\":1,\"a\":2}\n\xff{}\n").unwrap();
    assert_eq!(run.counters.malformed, 4);
    assert_eq!(run.counters.unknown, 1);
    assert_eq!(run.completeness, Completeness::Whole);
}

#[test]
fn odd_field_types_count_as_absent() {
    let run = import(
        br#"{"type":"user","uuid":7,"parentUuid":{},"message":["user","x"],"timestamp":"yesterday","version":[],"cwd":null}
{"type":"assistant","message":{"id":[],"model":"m","content":{"type":"tool_use"},"usage":"none"},"requestId":false}
{"type":"assistant","message":{"model":"m","content":[7,null,[],{"type":"tool_use","name":{},"id":"t"},{"type":"tool_use","name":"Bash","input":"ls"}]}}
{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"nobody","is_error":true,"content":{}}]},"toolUseResult":[1]}
{"type":["user"]}
"#,
    )
    .unwrap();
    assert_eq!(run.counters.malformed, 0);
    assert_eq!(run.counters.unknown, 1);
    assert_eq!(run.usage.requests, Some(2));
    assert_eq!(run.usage.input_tokens, None);
    assert_eq!(run.tools["Bash"].calls, 1);
    assert_eq!(run.commands.len(), 0);
    assert_eq!(run.started_at, None);
}

#[test]
fn deep_and_long_values_are_read_without_recursion() {
    let deep = format!(
        "{{\"type\":\"progress\",\"x\":{}{}}}\n",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    assert_eq!(import(deep.as_bytes()).unwrap().steps.len(), 1);
    let nested = format!(
        "{{\"type\":\"user\",\"message\":{}1{}}}\n{{\"type\":\"mode\"}}\n",
        "{\"message\":".repeat(10_000),
        "}".repeat(10_000)
    );
    assert_eq!(import(nested.as_bytes()).unwrap().steps.len(), 2);
    let many = "{\"type\":\"mode\"}".repeat(2_000) + "\n";
    let run = import(many.as_bytes()).unwrap();
    assert_eq!((run.steps.len(), run.counters.malformed), (1_025, 1));
}

/// Returns whether a cut at `at` leaves only whole records: the bytes before it end a record or follow a line feed.
fn is_between_records(run: &Run, bytes: &[u8], at: usize) -> bool {
    at == 0
        || bytes[at - 1] == b'\n'
        || run
            .steps
            .iter()
            .any(|step| step.kind != StepKind::Unreadable && (step.offset + step.len) as usize == at)
}

#[test]
fn cut_at_every_byte_never_panics_and_is_never_whole_inside_a_record() {
    for name in [
        "no-last-line-feed",
        "cost-state",
        "two-values-on-one-line",
        "rewound",
        "two-versions",
    ] {
        let bytes = std::fs::read(path(name)).unwrap();
        let whole = import(&bytes).unwrap();
        for at in 0..bytes.len() {
            let Ok(run) = import(&bytes[..at]) else { continue };
            if at > 0 && bytes[at - 1] == b'\n' {
                assert_eq!(run.completeness, Completeness::Whole, "{name} {at}");
            } else {
                assert_ne!(run.completeness, Completeness::Whole, "{name} {at}");
            }
            if !is_between_records(&whole, &bytes, at) {
                assert_eq!(run.completeness, Completeness::TailMissing, "{name} {at}");
            }
        }
    }
}

/// A small generator with a fixed seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Changes a few bytes: flips, deletes, repeats, inserts what JSON is sensitive to.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const PIECES: [&[u8]; 14] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b"\\",
        b"\n",
        b"\0",
        b"null",
        b"\\ud800",
        b"1e999",
        b"\xff",
        b"{\"type\":\"user\"}",
        b",,",
    ];
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(40)).min(bytes.len());
        match random.below(5) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => {
                bytes.drain(at..end);
            }
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => {
                bytes.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied());
            }
            _ => bytes.truncate(at.max(1)),
        }
        if bytes.is_empty() {
            bytes.push(b'{');
        }
    }
}

#[test]
fn twenty_four_thousand_mutations_never_panic_and_keep_the_invariants() {
    let mut random = Random(0x0074_6f75_6368_6d61);
    let sources: Vec<Vec<u8>> = [
        "no-last-line-feed",
        "rewound",
        "two-values-on-one-line",
        "sidechain",
        "mcp-tools",
        "cost-state",
    ]
    .iter()
    .map(|name| std::fs::read(path(name)).unwrap())
    .collect();
    for round in 0..24_000 {
        let mut bytes = sources[round % sources.len()].clone();
        mutate(&mut bytes, &mut random);
        let options = ImportOptions {
            max_line_bytes: 4_000,
            ..ImportOptions::default()
        };
        let file = SessionFile {
            name: "session.jsonl".into(),
            bytes: bytes.clone(),
            meta: Some(bytes.clone()),
        };
        let Ok(run) = claude_code::import(&[file], &options) else {
            continue;
        };
        if bytes.last() != Some(&b'\n') {
            assert_ne!(run.completeness, Completeness::Whole, "round {round}");
        }
        let mut at = 0;
        for step in &run.steps {
            assert!(step.offset >= at && step.bytes(&bytes).is_some(), "round {round}");
            at = step.offset + step.len;
        }
        if round % 16 == 0 {
            let streamed = claude_code::import_reader("session.jsonl", bytes.as_slice(), &options).unwrap();
            assert_eq!(format!("{streamed:?}"), format!("{run:?}"), "round {round}");
        }
    }
}

#[test]
fn debug_output_holds_no_prompt_and_no_command() {
    let run = load("plain").run;
    let shown = format!("{run:?}");
    assert!(!shown.contains("Greet people") && !shown.contains("cargo test"));
}
