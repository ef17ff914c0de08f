//! Gemini CLI's sessions: JSON Lines since 2026, one document before.
//!
//! A session names no version, no branch, no commit and no directory; the directory is read from `.project_root` beside
//! the chats, where it is there.
//!
//! **The newer form** appends. A message that is written again counts once, with what its last writing says; `$set`
//! changes what is said of the session, or replaces the list of messages (a summary in the place of earlier ones, which
//! happened all the same and stay counted); `$rewindTo` takes a message and all after it back, which marks their steps
//! as rewound. `$patch` is written by no version that is known, and counted as unknown.
//!
//! **Tokens.** The product gives input with what came from the cache and output without thoughts. Here input is without
//! what came from the cache, with the input of the product's own tools; output is with thoughts.

mod calls;
mod document;
mod files;
mod lines;
mod messages;
mod record;

use std::path::Path;

use memchr::memmem;

use self::lines::Mapping;
use crate::error::ImportError;
use crate::files::{Gathered, read};
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::recorder::input::check_file_count;
use crate::recorder::{Naming, Recorder};
use crate::run::Run;
use crate::session::{Candidate, ImportOptions, Input, Layout, SessionFile};

/// The importer of the newer form.
#[derive(Clone, Copy, Debug)]
pub struct Gemini;

/// The importer of the older form.
#[derive(Clone, Copy, Debug)]
pub struct GeminiDocument;

impl Importer for Gemini {
    fn product(&self) -> &'static str {
        "gemini"
    }

    fn format(&self) -> &'static str {
        "gemini-jsonl"
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        name.ends_with(".jsonl") && has_header(head)
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        self.import_from(Input::Files(files), options)
    }

    fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = recorder(input.meta());
        crate::recorder::lines::read(&mut recorder, &mut Mapping::default(), input, options)?;
        recorder.finish(naming(options))
    }

    fn gather(&self, path: &Path, _: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        let mut gathered = Gathered::begin(path, files::root_marker(path).as_deref())?;
        for subagent in files::subagents(path, &gathered.files[0].bytes)? {
            gathered.add(&subagent, None)?;
        }
        Ok(gathered.files)
    }

    fn variables(&self) -> &'static [&'static str] {
        &["GEMINI_CLI_HOME"]
    }

    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        files::discover(places, repository_root, "jsonl")
    }
}

impl Importer for GeminiDocument {
    fn product(&self) -> &'static str {
        "gemini"
    }

    fn format(&self) -> &'static str {
        "gemini-json"
    }

    fn layout(&self) -> Layout {
        Layout::Document
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        name.ends_with(".json") && has_header(head)
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        check_file_count(files.len())?;
        let mut recorder = recorder(Input::Files(files).meta());
        recorder.keep_words(options.words);
        for file in files.iter().take(1) {
            document::read(&mut recorder, file)?;
        }
        recorder.finish(naming(options))
    }

    fn gather(&self, path: &Path, _: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        Ok(vec![read(path, files::root_marker(path).as_deref())?])
    }

    fn variables(&self) -> &'static [&'static str] {
        &["GEMINI_CLI_HOME"]
    }

    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        files::discover(places, repository_root, "json")
    }
}

fn has_header(head: &[u8]) -> bool {
    let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
    first_byte(head) == Some(b'{') && has("\"sessionId\":") && has("\"projectHash\":")
}

/// The file beside the chats names the folder.
fn recorder(root: Option<&[u8]>) -> Recorder {
    let mut recorder = Recorder::new("gemini", Some("google"));
    recorder.working_directory(root.and_then(files::directory));
    recorder
}

fn naming(options: &ImportOptions) -> Naming<'_> {
    Naming {
        hook: options.session_id.as_deref(),
        ..Naming::default()
    }
}
