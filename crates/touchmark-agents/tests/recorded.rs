//! The importer over real recordings, which are read in place and never copied. Where they are absent the tests say so.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};

use touchmark_agents::claude_code;
use touchmark_agents::run::{Completeness, PromptOrigin, Role, Run, StepKind};
use touchmark_agents::secrets;
use touchmark_agents::session::ImportOptions;

const RECORDINGS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/sessions/claude-code"
);

fn recordings() -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(RECORDINGS) else {
        println!("skipped: no recordings at ../shared/data/sessions/claude-code");
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn load(path: &Path) -> (Vec<u8>, Run) {
    let session = claude_code::load(path, &ImportOptions::default()).unwrap();
    (session.files.into_iter().next().unwrap().bytes, session.run)
}

/// What was counted without this importer.
///
/// How: a Python script of 45 lines (`json.JSONDecoder().raw_decode` over each line until it is used up) that keeps the
/// tokens of the last record for each (`message.id`, `requestId`), the distinct identifiers of `tool_use` parts of
/// `assistant` records, the `is_error` of `tool_result` parts, and the `user` records without `tool_result` split by
/// `isCompactSummary`, `isMeta` and the beginning of their text. For the first two files the tokens and the number of
/// requests are also those that the recording tool itself wrote into the `.metadata.json` beside them.
struct Counted {
    file: &'static str,
    records: usize,
    /// Human, injected, compaction.
    prompts: [usize; 3],
    /// Calls, failures, unanswered.
    calls: [u64; 3],
    commands: usize,
    /// Requests, input, output, cache read, cache write.
    tokens: [u64; 5],
    model: &'static str,
    versions: &'static [&'static str],
    written: usize,
    whole: bool,
}

const COUNTED: [Counted; 8] = [
    Counted {
        file: "entire-37-995ebed6e4-2.jsonl",
        records: 171,
        prompts: [5, 1, 0],
        calls: [41, 2, 0],
        commands: 7,
        tokens: [42, 346, 7_047, 2_618_979, 168_250],
        model: "claude-opus-4-5-20251101",
        versions: &["2.1.7", "2.1.12"],
        written: 4,
        whole: false,
    },
    Counted {
        file: "entire-60-fd31fcf44f-0.jsonl",
        records: 117,
        prompts: [2, 3, 0],
        calls: [16, 1, 1],
        commands: 6,
        tokens: [14, 17, 2_075, 441_175, 19_056],
        model: "claude-opus-4-6",
        versions: &["2.1.34"],
        written: 1,
        whole: false,
    },
    Counted {
        file: "entire-72-95d22ef3a1-0.jsonl",
        records: 100,
        prompts: [1, 0, 0],
        calls: [15, 0, 0],
        commands: 10,
        tokens: [16, 130, 36, 2_019_961, 6_394],
        model: "claude-opus-4-5-20251101",
        versions: &["2.1.15"],
        written: 1,
        whole: false,
    },
    Counted {
        file: "entire-8e-0a64736bc7-0.jsonl",
        records: 154,
        prompts: [4, 6, 0],
        calls: [31, 2, 0],
        commands: 8,
        tokens: [22, 620, 89, 909_116, 103_404],
        model: "claude-opus-4-5-20251101",
        versions: &["2.1.12"],
        written: 2,
        whole: false,
    },
    Counted {
        file: "entire-ba-5e23ccb05b-0.jsonl",
        records: 27,
        prompts: [2, 0, 0],
        calls: [4, 0, 0],
        commands: 2,
        tokens: [6, 52, 20, 677_938, 2_909],
        model: "claude-opus-4-5-20251101",
        versions: &["2.1.14"],
        written: 1,
        whole: false,
    },
    Counted {
        file: "entire-e1-2c3e2b3f2a-0.jsonl",
        records: 160,
        prompts: [0, 0, 1],
        calls: [46, 2, 0],
        commands: 24,
        tokens: [47, 50, 265, 3_466_970, 60_597],
        model: "claude-opus-4-5-20251101",
        versions: &["2.1.14"],
        written: 3,
        whole: false,
    },
    Counted {
        file: "example-claude-code.jsonl",
        records: 38,
        prompts: [1, 1, 0],
        calls: [13, 0, 0],
        commands: 0,
        tokens: [13, 57, 3_306, 293_447, 28_933],
        model: "claude-sonnet-4-20250514",
        versions: &["1.0.111"],
        written: 2,
        whole: true,
    },
    Counted {
        // Reduced to its structural fields by whoever published it: commands, paths and words are gone.
        file: "fields-only-2.1.278.jsonl",
        records: 88,
        prompts: [3, 1, 0],
        calls: [17, 0, 0],
        commands: 0,
        tokens: [14, 28, 5_037, 643_134, 31_725],
        model: "claude-opus-5",
        versions: &["2.1.278", "2.1.280"],
        written: 0,
        whole: true,
    },
];

#[test]
fn counts_what_was_counted_without_it() {
    for path in recordings() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(expected) = COUNTED.iter().find(|counted| counted.file == name) else {
            continue;
        };
        let (bytes, run) = load(&path);
        assert_eq!(run.steps.len(), expected.records, "{name}");
        let prompts = [
            PromptOrigin::Human,
            PromptOrigin::Injected,
            PromptOrigin::Compaction,
        ]
        .map(|origin| {
            run.prompts
                .iter()
                .filter(|prompt| prompt.origin == origin)
                .count()
        });
        assert_eq!(prompts, expected.prompts, "{name}");
        let sum = |value: fn(&touchmark_agents::run::Tool) -> u64| run.tools.values().map(value).sum::<u64>();
        assert_eq!(
            [
                sum(|tool| tool.calls),
                sum(|tool| tool.failures),
                sum(|tool| tool.unanswered)
            ],
            expected.calls,
            "{name}"
        );
        assert_eq!(run.commands.len(), expected.commands, "{name}");
        let tokens = [
            run.usage.requests,
            run.usage.input_tokens,
            run.usage.output_tokens,
            run.usage.cache_read_tokens,
            run.usage.cache_write_tokens,
        ];
        assert_eq!(tokens, expected.tokens.map(Some), "{name}");
        let primary: Vec<&str> = run
            .models
            .keys()
            .filter(|(_, role)| *role == Role::Primary)
            .map(|(model, _)| model.as_str())
            .collect();
        assert_eq!(primary, [expected.model], "{name}");
        assert_eq!(run.product.versions, expected.versions, "{name}");
        assert_eq!(
            run.written.values().filter(|path| path.confirmed).count(),
            expected.written,
            "{name}"
        );
        assert_eq!(
            run.completeness,
            if expected.whole {
                Completeness::Whole
            } else {
                Completeness::Prefix
            },
            "{name}"
        );
        assert_eq!(
            (run.counters.malformed, run.counters.skipped, run.counters.unknown),
            (0, 0, 0),
            "{name}"
        );
        assert_steps_tile_the_file(&bytes, &run, name);
    }
}

/// Steps and white space are all there is in a file without unreadable pieces.
fn assert_steps_tile_the_file(bytes: &[u8], run: &Run, name: &str) {
    let mut at = 0;
    for step in &run.steps {
        let between = &bytes[at..step.offset as usize];
        assert!(between.iter().all(u8::is_ascii_whitespace), "{name}");
        let record = step.bytes(bytes).unwrap();
        assert_eq!(
            (record.first(), record.last()),
            (Some(&b'{'), Some(&b'}')),
            "{name}"
        );
        at = (step.offset + step.len) as usize;
    }
    assert!(bytes[at..].iter().all(u8::is_ascii_whitespace), "{name}");
}

#[test]
fn every_recording_imports_the_same_from_memory_and_from_a_reader() {
    for path in recordings() {
        let (bytes, run) = load(&path);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(run.session_id.is_some(), "{name}");
        assert!(run.started_at.unwrap() <= run.ended_at.unwrap(), "{name}");
        assert!(
            run.commands.iter().all(|command| command.exit_code != Some(0)),
            "{name}"
        );
        let streamed = claude_code::import_reader(name, bytes.as_slice(), &ImportOptions::default()).unwrap();
        assert_eq!(format!("{streamed:?}"), format!("{run:?}"), "{name}");
    }
}

#[test]
fn finds_what_the_recordings_are_known_to_hold() {
    let by_name = |wanted: &str| {
        recordings()
            .into_iter()
            .find(|path| path.ends_with(wanted))
            .map(|path| load(&path).1)
    };
    if let Some(run) = by_name("entire-37-995ebed6e4-2.jsonl") {
        // Two values on one line, and one record written again after a resume.
        assert_eq!(run.structure.copies, 1);
        assert!(run.commands.iter().any(|command| command.exit_code == Some(1)));
    }
    if let Some(run) = by_name("entire-e1-2c3e2b3f2a-0.jsonl") {
        assert_eq!(run.structure.compactions, 1);
        // `grep -cE '^\[[^ ]+ [0-9a-f]{7}\]'` over the decoded output gives 6.
        assert_eq!(run.commits.len(), 6);
    }
    if let Some(run) = by_name("entire-60-fd31fcf44f-0.jsonl") {
        // A sub-agent whose own file is not at hand: its model took part, its tokens are unknown.
        let model = &run.models[&("claude-haiku-4-5-20251001".to_owned(), Role::Subagent)];
        assert_eq!((model.answers, model.usage.output_tokens), (0, None));
        assert_eq!(run.subagents.len(), 1);
        assert!(run.tools.values().any(|tool| tool.echoed_calls > 0));
    }
    if let Some(run) = by_name("entire-8e-0a64736bc7-0.jsonl") {
        let mcp: Vec<&str> = run
            .tools
            .values()
            .filter_map(|tool| Some(tool.server.as_ref()?.name.as_str()))
            .collect();
        assert_eq!(mcp, ["linear-server"; 7]);
    }
    if let Some(run) = by_name("fields-only-2.1.278.jsonl") {
        assert_eq!(run.cost.unwrap().amount, "0.76586");
    }
}

#[test]
fn redaction_keeps_every_record_readable() {
    for path in recordings() {
        let (bytes, run) = load(&path);
        let redacted = secrets::redact(&bytes);
        let again = claude_code::import_reader(
            "redacted.jsonl",
            redacted.bytes.as_slice(),
            &ImportOptions::default(),
        )
        .unwrap();
        assert_eq!(again.steps.len(), run.steps.len());
        assert_eq!(again.counters.malformed, 0);
        assert!(secrets::find(&redacted.bytes).is_empty());
    }
}

#[test]
fn no_recording_cut_inside_a_record_is_whole() {
    for path in recordings() {
        let (bytes, run) = load(&path);
        for step in run.steps.iter().filter(|step| step.kind != StepKind::Unreadable) {
            for cut in [
                step.offset + 1,
                step.offset + step.len / 2,
                step.offset + step.len - 1,
                step.offset + step.len,
            ] {
                let Ok(run) =
                    claude_code::import_reader("x", &bytes[..cut as usize], &ImportOptions::default())
                else {
                    continue;
                };
                let expected = if cut == step.offset + step.len {
                    Completeness::Prefix
                } else {
                    Completeness::TailMissing
                };
                assert_eq!(run.completeness, expected);
            }
        }
    }
}
