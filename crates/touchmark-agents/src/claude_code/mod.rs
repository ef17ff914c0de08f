//! Claude Code's session files (JSON Lines, versions 1.0.111 to 2.1.286 seen).
//!
//! The format is the vendor's own and changes without notice, so the reader is tolerant in shape and strict in size:
//! fields of an unexpected type are absent, unknown records are counted, a line may hold several values, and no line,
//! however long, is held twice.
//!
//! **Steps.** Each JSON value is one step; a step's bytes run from the value's first to its last byte, so that a line
//! with one value is the line without its line feed, and a line with several values gives several steps. A malformed
//! rest of a line, and a line that is too long, is one step of kind [`StepKind::Unreadable`](crate::run::StepKind).
//! Blank lines are no steps. What stands after the last whole record of an unterminated last line is no step: it makes
//! the transcript [`Completeness::TailMissing`](crate::run::Completeness).

mod files;
mod mapping;
mod other;
mod prompts;
mod recognise;
mod record;
mod tools;

use std::io::BufRead;
use std::path::{Path, PathBuf};

use mapping::Mapping;

pub use files::{SessionFiles, discover, session_files};

use crate::error::ImportError;
use crate::files::Gathered;
use crate::importer::{Importer, Places};
use crate::recorder::names::is_uuid;
use crate::recorder::{Naming, Recorder, lines};
use crate::run::Run;
use crate::session::{Candidate, ImportOptions, Input, Session, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "claude-code-jsonl";

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct ClaudeCode;

impl Importer for ClaudeCode {
    fn product(&self) -> &'static str {
        "claude-code"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        recognise::recognises(name, head)
    }

    fn resembles(&self, name: &str, head: &[u8]) -> bool {
        recognise::resembles(name, head)
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        self.import_from(Input::Files(files), options)
    }

    fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = Recorder::new("claude-code", Some("anthropic"));
        let name = input.name();
        lines::read(&mut recorder, &mut Mapping::default(), input, options)?;
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            file: name.strip_suffix(".jsonl").filter(|stem| is_uuid(stem)),
            ..Naming::default()
        })
    }

    fn gather(&self, path: &Path, _: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        let found = session_files(path)?;
        let mut gathered = Gathered::begin(&found.main, None)?;
        for (subagent, meta) in &found.subagents {
            gathered.add(subagent, meta.as_deref())?;
        }
        Ok(gathered.files)
    }

    fn variables(&self) -> &'static [&'static str] {
        &["CLAUDE_CONFIG_DIR"]
    }

    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        let named = places.variables.get("CLAUDE_CONFIG_DIR").cloned();
        let usual = places
            .home
            .iter()
            .flat_map(|home| [home.join(".claude"), home.join(".config/claude")]);
        let folders: Vec<PathBuf> = named.into_iter().chain(usual).collect();
        discover(&folders, repository_root)
    }
}

/// Imports a session whose files are in memory: the session's own first, then those of its sub-agents.
///
/// [`ImportOptions::up_to`] applies to the first file; a file shorter than that was rewritten and is refused.
pub fn import(files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
    ClaudeCode.import(files, options)
}

/// Imports the session's own file from a reader, holding one line at a time.
///
/// The steps point into the bytes that the reader gave; keeping them is the caller's choice.
pub fn import_reader(
    name: &str,
    mut reader: impl BufRead,
    options: &ImportOptions,
) -> Result<Run, ImportError> {
    ClaudeCode.import_reader(name, &mut reader, options)
}

/// Loads a session file and the files of its sub-agents from disk and imports them.
///
/// Symbolic links are not followed. The bytes that are returned are the bytes that were imported.
pub fn load(path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
    ClaudeCode.load(path, options)
}
