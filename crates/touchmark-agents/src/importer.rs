//! The contract between a product's session files and [`Run`]: one [`Importer`] for each format.
//!
//! To add an agent: a module with an importer, a line in [`IMPORTERS`], a generated fixture (CONTRIBUTING.md shows how).

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use crate::amp::Amp;
use crate::atif::Atif;
use crate::claude_code::ClaudeCode;
use crate::codex::{Codex, CodexExec};
use crate::copilot::Copilot;
use crate::cursor::Cursor;
use crate::droid::Droid;
use crate::error::ImportError;
use crate::files;
use crate::gemini::{Gemini, GeminiDocument};
use crate::json;
use crate::limits::DISCOVERY_WINDOW_BYTES;
use crate::mini_swe_agent::MiniSweAgent;
use crate::opencode::OpenCode;
use crate::openhands::OpenHands;
use crate::otlp::Otlp;
use crate::run::Run;
use crate::session::{Candidate, ImportOptions, Input, Layout, Session, SessionFile};
use crate::swe_agent::SweAgent;
use crate::windsurf::Windsurf;

/// Every importer, the most specific first: a file belongs to the first that recognises it.
pub static IMPORTERS: &[&dyn Importer] = &[
    &ClaudeCode,
    &Codex,
    &CodexExec,
    &Gemini,
    &GeminiDocument,
    &Copilot,
    &Cursor,
    &OpenCode,
    &SweAgent,
    &MiniSweAgent,
    &OpenHands,
    &Amp,
    &Droid,
    &Windsurf,
    &Atif,
    &Otlp,
];

/// Folders of the user, from which importers know where their product keeps sessions.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The home folder.
    pub home: Option<PathBuf>,
    /// The values of the variables that [`Importer::variables`] names, where they are set.
    pub variables: BTreeMap<&'static str, PathBuf>,
}

/// Reads the sessions of one product in one format.
///
/// An importer is tolerant in shape and strict in size: a field of an unexpected type is absent, an unknown record is
/// counted, what is absent stays `None`, and no input makes it panic, hang or hold more than its caps allow. What was
/// cut short is never [`Whole`](crate::run::Completeness::Whole).
pub trait Importer: Sync {
    /// The product's name as statements have it, for example `codex`.
    fn product(&self) -> &'static str;

    /// The name under which transcripts of this format are recorded, for example `codex-jsonl`.
    fn format(&self) -> &'static str;

    /// How records stand in a file of this format.
    fn layout(&self) -> Layout {
        Layout::Lines
    }

    /// Returns whether a file with this name that begins with these bytes is one of this format. The head may end
    /// anywhere.
    fn recognises(&self, name: &str, head: &[u8]) -> bool;

    /// Returns whether the file could be one of this format: a weaker sign, asked for where no importer recognises it.
    fn resembles(&self, _name: &str, _head: &[u8]) -> bool {
        false
    }

    /// Returns whether a folder is a session of this format, in products that keep one in many files.
    fn recognises_folder(&self, folder: &Path) -> bool {
        let _ = folder;
        false
    }

    /// Imports a session whose files are in memory: the session's own first, then those of its sub-agents.
    ///
    /// [`ImportOptions::up_to`] applies to the first file; a file shorter than that was rewritten and is refused.
    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError>;

    /// Imports a session from what is at hand of it. Formats of lines hold one line of a reader at a time; the default
    /// reads everything first.
    fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
        self.import(&input.into_files()?, options)
    }

    /// Imports the session's own file from a reader.
    fn import_reader(
        &self,
        name: &str,
        reader: &mut dyn BufRead,
        options: &ImportOptions,
    ) -> Result<Run, ImportError> {
        self.import_from(Input::Reader { name, reader }, options)
    }

    /// Reads a session's files from disk: its own, and what belongs to it. Symbolic links are not followed.
    fn gather(&self, path: &Path, options: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        let _ = options;
        Ok(vec![files::read(path, None)?])
    }

    /// Loads a session from disk. The bytes that are returned are the bytes that were imported.
    fn load(&self, path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
        let mut files = self.gather(path, options)?;
        let run = self.import(&files, options)?;
        if let (Layout::Lines, Some(up_to)) = (self.layout(), options.up_to) {
            files[0]
                .bytes
                .truncate(usize::try_from(up_to).unwrap_or(usize::MAX));
        }
        Ok(Session {
            format: self.format(),
            layout: self.layout(),
            files,
            run,
        })
    }

    /// The environment variables that move the product's folders.
    fn variables(&self) -> &'static [&'static str] {
        &[]
    }

    /// Finds the sessions that worked inside `repository_root`, newest first. What records say decides, never the
    /// names of folders. A folder that is not there holds none.
    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError>;
}

/// Returns the importer of a product, by the name that statements and hooks have for it.
pub fn by_product(product: &str) -> Option<&'static dyn Importer> {
    IMPORTERS
        .iter()
        .copied()
        .find(|importer| importer.product() == product)
}

/// Returns the importer of a transcript's format.
pub fn by_format(format: &str) -> Option<&'static dyn Importer> {
    IMPORTERS
        .iter()
        .copied()
        .find(|importer| importer.format() == format)
}

/// Returns the importer that recognises a file by its name and beginning, or a folder by what it holds.
pub fn recognise(path: &Path) -> Result<Option<&'static dyn Importer>, ImportError> {
    if files::is_real_dir(path) {
        return Ok(IMPORTERS
            .iter()
            .copied()
            .find(|importer| importer.recognises_folder(path)));
    }
    let head = files::read_head(path, DISCOVERY_WINDOW_BYTES)?;
    Ok(recognise_head(&files::name_inside(path), &head))
}

/// Returns the importer of a file with this name that begins with these bytes.
fn recognise_head(name: &str, head: &[u8]) -> Option<&'static dyn Importer> {
    let first = |of: &dyn Fn(&dyn Importer) -> bool| IMPORTERS.iter().copied().find(|importer| of(*importer));
    first(&|importer| importer.recognises(name, head)).or_else(|| {
        // Whoever wrote it out again may have put blanks between the tokens.
        let compact = json::compact(head);
        first(&|importer| importer.recognises(name, &compact))
            .or_else(|| first(&|importer| importer.resembles(name, &compact)))
    })
}

/// Loads a session of whatever format it is.
pub fn load(path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
    match recognise(path)? {
        Some(importer) => importer.load(path, options),
        None => Err(unknown(path)),
    }
}

/// Why nobody knows what lies there.
fn unknown(path: &Path) -> ImportError {
    let path = path.to_owned();
    if files::is_real_dir(&path) {
        return ImportError::NotAFile { path };
    }
    match std::fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.len() == 0 => ImportError::Empty {
            bytes: 0,
            unreadable: 0,
        },
        _ => ImportError::UnknownFormat { path },
    }
}

#[cfg(test)]
mod tests {
    use super::recognise_head;

    #[test]
    fn blanks_between_tokens_and_few_fields_hide_no_session() {
        for (format, name, head) in [
            (
                "claude-code-jsonl",
                "s.jsonl",
                "{\"type\": \"user\", \"isSidechain\" : false, \"message\": {}}\n",
            ),
            (
                "claude-code-jsonl",
                "s.jsonl",
                "{\"type\":\"user\",\"message\":{\"content\":\"x\"},\"sessionId\":\"s\"}\n",
            ),
            (
                "codex-jsonl",
                "s.jsonl",
                "{\"timestamp\": \"t\", \"type\": \"session_meta\", \"payload\": {}}\n",
            ),
            (
                "codex-jsonl",
                "s.jsonl",
                "{\"type\":\"response_item\",\"payload\":{\"type\":\"function_call\"}}\n",
            ),
        ] {
            let found = recognise_head(name, head.as_bytes()).map(|importer| importer.format());
            assert_eq!(found, Some(format), "{head}");
        }
        for head in ["", "{}", "[]", "{\"type\":\"user\"}\n", "{\"payload\":1}\n"] {
            assert!(recognise_head("s.jsonl", head.as_bytes()).is_none(), "{head}");
        }
    }
}
