//! Codex CLI's session files (JSON Lines, versions of September 2025 to 0.169 seen) and the stream of `codex exec`.
//!
//! A session's file is `rollout-<time>-<uuid>.jsonl` below `sessions/<year>/<month>/<day>`. Older ones may be packed
//! (`.jsonl.zst`) and are read as what they hold; where the plain file lies beside one, that is the session.
//!
//! **Tokens** are a sum that the product counts up and repeats; what each reading adds is an answer. Input is given with
//! what came from the cache (and, where that is told, what went to it), which is taken out of it; output is given with
//! reasoning. The second ledger (`token_usage_record`) tells the same again and is not read.
//!
//! **Calls.** In code mode the model calls `exec` with code that calls tools: the call of `exec` and those of the tools
//! in it are calls, each under its own name; commands are those of the tools.
//!
//! **Copies.** A fork, and a sub-agent that was given its caller's history, repeat the records of the session that they
//! go back to. They are steps marked as copied and count nowhere.

mod arguments;
mod calls;
mod copied;
mod exec;
mod files;
mod header;
mod items;
mod kinds;
mod mapping;
mod outputs;
mod prompts;
mod record;
mod tokens;
mod words;

use std::path::Path;

use memchr::memmem;

pub(crate) use self::arguments::patched_files;
use self::exec::Stream;
use self::mapping::{Mapping, id_in_name};
use crate::error::ImportError;
use crate::files::Gathered;
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::recorder::{Naming, Own, Recorder, lines};
use crate::run::{Finding, Run};
use crate::session::{Candidate, ImportOptions, Input, SessionFile};

/// The importer of session files.
#[derive(Clone, Copy, Debug)]
pub struct Codex;

/// The importer of what `codex exec --json` prints.
#[derive(Clone, Copy, Debug)]
pub struct CodexExec;

impl Importer for Codex {
    fn product(&self) -> &'static str {
        "codex"
    }

    fn format(&self) -> &'static str {
        "codex-jsonl"
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
        let is_enveloped = has("\"payload\":") && (has("\"session_meta\"") || has("\"turn_context\""));
        let is_bare = has("\"record_type\":") || has("\"instructions\":") && has("\"function_call");
        is_lines(name, head) && (is_enveloped || is_bare || id_in_name(name).is_some() && has("\"id\":"))
    }

    fn resembles(&self, name: &str, head: &[u8]) -> bool {
        let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
        is_lines(name, head)
            && has("\"payload\":{")
            && (has("\"type\":\"response_item\"") || has("\"type\":\"event_msg\""))
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        self.import_from(Input::Files(files), options)
    }

    fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = recorder();
        let mut mapping = Mapping::default();
        let name = input.name();
        lines::read(&mut recorder, &mut mapping, input, options)?;
        mapping.finish(&mut recorder);
        finish(recorder, name, options)
    }

    fn gather(&self, path: &Path, _: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        let mut gathered = Gathered::begin(path, None)?;
        for subagent in files::subagents(path, &gathered.files[0].bytes)? {
            gathered.add(&subagent, None)?;
        }
        Ok(gathered.files)
    }

    fn variables(&self) -> &'static [&'static str] {
        &["CODEX_HOME"]
    }

    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        files::discover(places, repository_root)
    }
}

impl Importer for CodexExec {
    fn product(&self) -> &'static str {
        "codex"
    }

    fn format(&self) -> &'static str {
        "codex-exec-jsonl"
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
        is_lines(name, head) && has("\"thread.started\"") && has("\"thread_id\":")
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        self.import_from(Input::Files(files), options)
    }

    fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = recorder();
        lines::read(&mut recorder, &mut Stream::default(), input, options)?;
        recorder.finish(naming(None, options))
    }

    /// The stream is printed, not kept: the session's own file is found by the other importer.
    fn discover(&self, _: &Places, _: &Path) -> Result<Vec<Candidate>, ImportError> {
        Ok(Vec::new())
    }
}

fn recorder() -> Recorder {
    Recorder::new("codex", Some("openai"))
}

fn is_lines(name: &str, head: &[u8]) -> bool {
    name.ends_with(".jsonl") && first_byte(head) == Some(b'{')
}

/// The header's identifier is the session's, also where the file was given another name.
fn finish(mut recorder: Recorder, name: &str, options: &ImportOptions) -> Result<Run, ImportError> {
    let in_name = id_in_name(name);
    let own = recorder.first_session_id().map(str::to_owned);
    if let (Some(own), Some(other)) = (own.as_deref(), in_name)
        && own != other
    {
        recorder.finding(Finding::SessionIdDiffers {
            used: options.session_id.clone().unwrap_or_else(|| own.to_owned()),
            other: other.to_owned(),
        });
    }
    recorder.finish(naming(in_name.filter(|_| own.is_none()), options))
}

fn naming<'a>(file: Option<&'a str>, options: &'a ImportOptions) -> Naming<'a> {
    Naming {
        hook: options.session_id.as_deref(),
        file,
        own: Own::First,
    }
}
