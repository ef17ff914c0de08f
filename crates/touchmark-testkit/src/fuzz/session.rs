//! Sessions of every format.

use std::io::Read as _;

use touchmark_agents::atif;
use touchmark_agents::importer::{IMPORTERS, Importer};
use touchmark_agents::packed;
use touchmark_agents::run::{Completeness, Run, StepKind};
use touchmark_agents::session::{ImportOptions, Session, SessionFile};

use super::Seed;
use crate::fixtures;

/// The fixtures that fuzzing begins with: one a format.
const SEEDS: [&str; 17] = [
    "amp/T-019b0000-b000-7000-8000-000000000001.json",
    "atif/plain.json",
    "atif/subagents.json",
    "claude-code/queued-prompts.jsonl",
    "claude-code/sidechain.jsonl",
    "codex/fork.jsonl",
    "codex/archived_sessions/rollout-2026-03-01T11-00-00-019b0000-9000-7000-8000-000000000002.jsonl.zst",
    "codex/exec-stream.jsonl",
    "copilot/subagent.jsonl",
    "cursor/stream.jsonl",
    "droid/5e551000-0000-4000-8000-000000000060.jsonl",
    "gemini/checkpoint.jsonl",
    "gemini/session-2026-03-01T09-00-5e551000.json",
    "openhands/v0.json",
    "otlp/older-names.jsonl",
    "swe-agent/ada__greeter-0.traj",
    "windsurf/trajectory-1.jsonl",
];

/// The most bytes of a packed session that are looked at.
const MAX_UNPACKED: u64 = 1024 * 1024;

/// Reads an input as a session: its first line names the file, the rest is what the file holds. Every importer that
/// recognises it reads it, and the first of all reads it in any case.
///
/// One whose name says that it is packed is unpacked first.
///
/// What is asserted: nothing panics; one input gives one answer, with its words and without; steps and what points to
/// them lie inside; counts agree with one another; nothing that ends early is whole; and what is exported is read again
/// with the same session, calls and prompts of persons.
///
/// # Panics
///
/// Where one of these does not hold.
pub fn session(input: &[u8]) {
    let (name, bytes) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (&b"session.jsonl"[..], input),
    };
    let Ok(name) = std::str::from_utf8(name) else {
        return;
    };
    if packed::is_packed(name) {
        let mut inside = Vec::new();
        let mut unpacked = packed::Unpacked::new(bytes).take(MAX_UNPACKED + 1);
        let is_whole = unpacked.read_to_end(&mut inside).is_ok();
        if is_whole && inside.len() as u64 <= MAX_UNPACKED {
            recognised(packed::name_inside(name), &inside);
        }
    } else {
        recognised(name, bytes);
    }
}

fn recognised(name: &str, bytes: &[u8]) {
    let recognising = IMPORTERS
        .iter()
        .filter(|importer| importer.recognises(name, bytes));
    for importer in IMPORTERS.iter().take(1).chain(recognising) {
        read(*importer, name, bytes);
    }
}

fn read(importer: &dyn Importer, name: &str, bytes: &[u8]) {
    let files = [SessionFile {
        name: name.to_owned(),
        bytes: bytes.to_vec(),
        meta: None,
    }];
    let options = ImportOptions::default();
    let Ok(run) = importer.import(&files, &options) else {
        return;
    };
    sound(&run, bytes);
    let again = importer.import(&files, &options).expect("it was read before");
    assert_eq!(format!("{run:?}"), format!("{again:?}"), "one input, two answers");
    let worded = ImportOptions {
        words: true,
        ..options
    };
    let mut worded = importer.import(&files, &worded).expect("it was read before");
    assert!(worded.words.take().is_some());
    assert_eq!(
        format!("{run:?}"),
        format!("{worded:?}"),
        "words change what is read"
    );
    let session = Session {
        format: importer.format(),
        layout: importer.layout(),
        files: files.to_vec(),
        run,
    };
    if let Ok(trajectory) = atif::export(&session) {
        let exported = [SessionFile {
            name: "trajectory.json".to_owned(),
            bytes: trajectory.to_string().into_bytes(),
            meta: None,
        }];
        let read = touchmark_agents::importer::by_format(atif::FORMAT)
            .expect("an importer of our own export")
            .import(&exported, &ImportOptions::default())
            .expect("our own export is read");
        assert_eq!(read.completeness, Completeness::Whole);
        assert_eq!((read.counters.malformed, read.counters.unknown), (0, 0));
    }
}

fn sound(run: &Run, bytes: &[u8]) {
    for step in &run.steps {
        let end = step.offset.checked_add(step.len).expect("a step ends somewhere");
        assert!(end <= bytes.len() as u64, "a step lies outside");
    }
    let unknown = run
        .steps
        .iter()
        .filter(|step| step.kind == StepKind::Unknown)
        .count();
    assert!(run.counters.unknown <= unknown as u64);
    let steps = run
        .prompts
        .iter()
        .map(|prompt| prompt.step)
        .chain(run.commands.iter().map(|command| command.step))
        .chain(run.commits.iter().map(|commit| commit.step));
    for step in steps {
        assert!(step < run.steps.len(), "it points to a step that is not there");
    }
    for tool in run.tools.values() {
        assert!(tool.failures + tool.unanswered <= tool.calls);
    }
    assert!(run.started_at <= run.ended_at);
    let is_open = !matches!(bytes.last(), Some(b'\n' | b'}' | b']' | b' ' | b'\t' | b'\r'));
    assert!(
        !is_open || run.completeness != Completeness::Whole,
        "whole without an end"
    );
}

/// One fixture of each format.
pub(super) fn seeds() -> Vec<Seed> {
    let all = fixtures::sessions();
    SEEDS
        .iter()
        .map(|path| {
            let fixture = all
                .iter()
                .find(|fixture| fixture.path == *path)
                .expect("a fixture of this name");
            let (product, name) = path.split_once('/').expect("a folder a product");
            let name = name.rsplit('/').next().expect("a name");
            let mut bytes = format!("{name}\n").into_bytes();
            bytes.extend_from_slice(&fixture.bytes);
            Seed::new(&format!("{product}-{name}"), bytes)
        })
        .collect()
}
