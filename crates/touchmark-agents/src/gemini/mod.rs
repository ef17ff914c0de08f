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

use std::io::BufRead;
use std::path::Path;

use memchr::memmem;

use self::lines::Mapping;
use crate::error::ImportError;
use crate::files::read;
use crate::importer::{Importer, Places};
use crate::recorder::input::{check_file_count, check_size};
use crate::recorder::{Naming, Recorder};
use crate::run::Run;
use crate::session::{Candidate, ImportOptions, Layout, Session, SessionFile};

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
        let mut recorder = recorder(files);
        crate::recorder::lines::read_files(&mut recorder, &mut Mapping::default(), files, options)?;
        recorder.finish(naming(options))
    }

    fn import_reader(
        &self,
        name: &str,
        reader: &mut dyn BufRead,
        options: &ImportOptions,
    ) -> Result<Run, ImportError> {
        let mut recorder = recorder(&[]);
        crate::recorder::lines::read_reader(&mut recorder, &mut Mapping::default(), name, reader, options)?;
        recorder.finish(naming(options))
    }

    fn load(&self, path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
        let mut session_files = vec![read(path, files::root_marker(path).as_deref())?];
        let subagents = files::subagents(path, &session_files[0].bytes)?;
        check_file_count(subagents.len() + 1)?;
        let mut total = session_files[0].bytes.len() as u64;
        for subagent in &subagents {
            let file = read(subagent, None)?;
            total += file.bytes.len() as u64;
            check_size(total)?;
            session_files.push(file);
        }
        let run = self.import(&session_files, options)?;
        if let Some(up_to) = options.up_to {
            session_files[0]
                .bytes
                .truncate(usize::try_from(up_to).unwrap_or(usize::MAX));
        }
        Ok(Session {
            format: self.format(),
            layout: Layout::Lines,
            files: session_files,
            run,
        })
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
        let mut recorder = recorder(files);
        recorder.keep_words(options.words);
        for file in files.iter().take(1) {
            document::read(&mut recorder, file)?;
        }
        recorder.finish(naming(options))
    }

    fn load(&self, path: &Path, options: &ImportOptions) -> Result<Session, ImportError> {
        let files = vec![read(path, files::root_marker(path).as_deref())?];
        let run = self.import(&files, options)?;
        Ok(Session {
            format: self.format(),
            layout: self.layout(),
            files,
            run,
        })
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
    head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
        && has("\"sessionId\":")
        && has("\"projectHash\":")
}

fn recorder(files: &[SessionFile]) -> Recorder {
    let mut recorder = Recorder::new("gemini", Some("google"));
    let root = files.first().and_then(|file| file.meta.as_deref());
    recorder.working_directory(root.and_then(files::directory));
    recorder
}

fn naming(options: &ImportOptions) -> Naming<'_> {
    Naming {
        hook: options.session_id.as_deref(),
        ..Naming::default()
    }
}
