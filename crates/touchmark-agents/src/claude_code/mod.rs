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

mod answers;
mod builder;
mod calls;
mod files;
mod identity;
mod other;
mod prompts;
mod recognise;
mod record;
mod texts;
mod tree;

use std::io::BufRead;
use std::path::{Path, PathBuf};

use builder::Builder;

pub use files::{SessionFiles, discover, session_files};

use crate::error::ImportError;
use crate::files::read;
use crate::importer::{Importer, Places};
use crate::json::lines::{ReaderLines, SliceLines};
use crate::limits::{MAX_FILES, MAX_SESSION_BYTES};
use crate::run::Run;
use crate::session::{Candidate, ImportOptions, Layout, Session, SessionFile};

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

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        import(files, options)
    }

    fn import_reader(
        &self,
        name: &str,
        reader: &mut dyn BufRead,
        options: &ImportOptions,
    ) -> Result<Run, ImportError> {
        import_reader(name, reader, options)
    }

    fn load(&self, path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
        load(path, options)
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
    check_file_count(files.len())?;
    let mut builder = Builder::default();
    for (at, file) in files.iter().enumerate() {
        let bytes = if at == 0 {
            up_to(&file.name, &file.bytes, options.up_to)?
        } else {
            &file.bytes
        };
        check_size(bytes.len() as u64)?;
        let agent = agent_of(at, &file.name);
        if let (Some(agent), Some(meta)) = (&agent, &file.meta) {
            builder.read_meta(agent, meta);
        }
        let cut = bytes.len() < file.bytes.len();
        builder.read(
            &file.name,
            agent,
            SliceLines::new(bytes),
            options.max_line_bytes,
            cut,
        )?;
    }
    builder.finish(
        options.session_id.as_deref(),
        files.first().and_then(|file| stem(&file.name)),
    )
}

/// Imports the session's own file from a reader, holding one line at a time.
///
/// The steps point into the bytes that the reader gave; keeping them is the caller's choice.
pub fn import_reader(name: &str, reader: impl BufRead, options: &ImportOptions) -> Result<Run, ImportError> {
    let mut builder = Builder::default();
    let limit = options.up_to.unwrap_or(MAX_SESSION_BYTES).min(MAX_SESSION_BYTES);
    let mut limited = reader.take(limit);
    builder.read(
        name,
        None,
        ReaderLines::new(&mut limited),
        options.max_line_bytes,
        options.up_to.is_some(),
    )?;
    let unread = limited.limit();
    match options.up_to {
        Some(up_to) if unread > 0 => {
            return Err(ImportError::Shrunk {
                name: name.to_owned(),
                len: up_to - unread,
                up_to,
            });
        }
        None if unread == 0 => return Err(too_large()),
        _ => {}
    }
    builder.finish(options.session_id.as_deref(), stem(name))
}

/// Loads a session file and the files of its sub-agents from disk and imports them.
///
/// Symbolic links are not followed. The bytes that are returned are the bytes that were imported.
pub fn load(path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
    let found = session_files(path)?;
    check_file_count(found.subagents.len() + 1)?;
    let mut files = vec![read(&found.main, None)?];
    let mut total = files[0].bytes.len() as u64;
    for (file, meta) in &found.subagents {
        let file = read(file, meta.as_deref())?;
        total += file.bytes.len() as u64;
        check_size(total)?;
        files.push(file);
    }
    let run = import(&files, options)?;
    if let Some(up_to) = options.up_to {
        files[0]
            .bytes
            .truncate(usize::try_from(up_to).unwrap_or(usize::MAX));
    }
    Ok(Session {
        format: FORMAT,
        layout: Layout::Lines,
        files,
        run,
    })
}

fn up_to<'a>(name: &str, bytes: &'a [u8], up_to: Option<u64>) -> Result<&'a [u8], ImportError> {
    let Some(up_to) = up_to else { return Ok(bytes) };
    let shrunk = || ImportError::Shrunk {
        name: name.to_owned(),
        len: bytes.len() as u64,
        up_to,
    };
    usize::try_from(up_to)
        .ok()
        .and_then(|end| bytes.get(..end))
        .ok_or_else(shrunk)
}

fn too_large() -> ImportError {
    ImportError::TooLarge {
        what: "bytes",
        limit: MAX_SESSION_BYTES,
    }
}

fn check_size(bytes: u64) -> Result<(), ImportError> {
    if bytes > MAX_SESSION_BYTES {
        Err(too_large())
    } else {
        Ok(())
    }
}

fn check_file_count(count: usize) -> Result<(), ImportError> {
    if count > MAX_FILES {
        Err(ImportError::TooLarge {
            what: "files",
            limit: MAX_FILES as u64,
        })
    } else {
        Ok(())
    }
}

fn stem(name: &str) -> Option<&str> {
    name.strip_suffix(".jsonl")
}

/// Returns the identifier of the sub-agent that a file belongs to.
fn agent_of(at: usize, name: &str) -> Option<String> {
    if at == 0 {
        None
    } else {
        stem(name)?.strip_prefix("agent-").map(str::to_owned)
    }
}
