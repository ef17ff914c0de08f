//! What the tests of importers ask of a run, in the shape in which tests compare it.

#![allow(dead_code, reason = "no test file asks for all of it")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};

use touchmark_agents::importer::{self, Importer};
use touchmark_agents::run::{PromptOrigin, PromptPart, Run, Usage};
use touchmark_agents::session::{ImportOptions, Session, SessionFile};

/// Loads a session, whosever it is.
pub(crate) fn load(path: &Path) -> Session {
    importer::load(path, &ImportOptions::default()).unwrap()
}

/// Imports a file of these bytes.
pub(crate) fn import(
    importer: &dyn Importer,
    name: &str,
    bytes: &[u8],
) -> Result<Run, touchmark_agents::ImportError> {
    let file = SessionFile {
        name: name.to_owned(),
        bytes: bytes.to_vec(),
        meta: None,
    };
    importer.import(&[file], &ImportOptions::default())
}

/// Imports a session of these lines, which may say whatever a test needs.
pub(crate) fn lines(importer: &dyn Importer, name: &str, records: &[&str]) -> Run {
    import(importer, name, (records.join("\n") + "\n").as_bytes()).unwrap()
}

/// Where recordings of real sessions are. Without them there is nothing to compare, which is said.
pub(crate) fn recordings(name: &str) -> Option<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/sessions");
    let path = Path::new(folder).join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no recordings at ../shared/data/sessions/{name}");
    None
}

/// The files below a folder, in order; those of a folder that is not there are none.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = |path: PathBuf| {
        if path.is_dir() {
            files_below(&path)
        } else {
            vec![path]
        }
    };
    paths.into_iter().flat_map(below).collect()
}

/// Calls, failures and calls without an answer, by tool.
pub(crate) fn tools(run: &Run) -> Vec<(&str, [u64; 3])> {
    run.tools
        .iter()
        .map(|(name, tool)| (name.as_str(), [tool.calls, tool.failures, tool.unanswered]))
        .collect()
}

/// Commands with their exit codes, and whether they failed.
pub(crate) fn commands(run: &Run) -> Vec<(&str, Option<i32>, Option<bool>)> {
    run.commands
        .iter()
        .map(|command| (command.text.as_str(), command.exit_code, command.failed))
        .collect()
}

/// How many commands ended with such an exit code.
pub(crate) fn ended(run: &Run, with: impl Fn(Option<i32>) -> bool) -> usize {
    run.commands
        .iter()
        .filter(|command| with(command.exit_code))
        .count()
}

/// Where the prompts come from, in their order.
pub(crate) fn origins(run: &Run) -> Vec<PromptOrigin> {
    run.prompts.iter().map(|prompt| prompt.origin).collect()
}

/// The prompts of one origin, and whether the person went back on them.
pub(crate) fn prompts(run: &Run, origin: PromptOrigin) -> Vec<(String, bool)> {
    run.prompts
        .iter()
        .filter(|prompt| prompt.origin == origin)
        .map(|prompt| match prompt.parts.as_slice() {
            [PromptPart::Text(text)] => (text.clone(), prompt.rewound),
            parts => (format!("{parts:?}"), prompt.rewound),
        })
        .collect()
}

/// Prompts as [`prompts`] gives them.
pub(crate) fn given(texts: &[(&str, bool)]) -> Vec<(String, bool)> {
    texts
        .iter()
        .map(|(text, rewound)| ((*text).to_owned(), *rewound))
        .collect()
}

/// The models, in their order.
pub(crate) fn models(run: &Run) -> Vec<&str> {
    run.models.keys().map(|(model, _)| model.as_str()).collect()
}

/// Input, output, cache read, cache write, requests.
pub(crate) fn tokens(usage: &Usage) -> [Option<u64>; 5] {
    [
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.requests,
    ]
}

/// Requests, input, output, cache read, for products that do not tell what went to a cache.
pub(crate) fn tokens_without_writes(usage: &Usage) -> [Option<u64>; 4] {
    let [input, output, read, written, requests] = tokens(usage);
    assert_eq!(written, None, "the product tells none");
    [requests, input, output, read]
}

/// The texts of the prompts of one origin.
pub(crate) fn texts(run: &Run, origin: PromptOrigin) -> Vec<String> {
    prompts(run, origin).into_iter().map(|(text, _)| text).collect()
}
