//! A session as its files hold it: the bytes, what they say, and how to read them.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde_json::Value;
use touchmark_statement::strict_json;

use crate::error::ImportError;
use crate::files;
use crate::limits::{MAX_LINE_BYTES, MAX_SESSION_BYTES};
use crate::recorder::input::check_size;
use crate::run::{Run, Step};

/// How a session is to be read.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The session's identifier as a hook gave it: it wins over the file's name and over the records. In a file that
    /// holds many sessions (a database) it chooses one.
    pub session_id: Option<String>,
    /// How many bytes of the session's own file to read. `None` reads to the end. A format whose file is rewritten as
    /// a whole (documents, databases) has no watermark and ignores it.
    pub up_to: Option<u64>,
    /// The longest line that is read; a longer one is skipped and counted.
    pub max_line_bytes: usize,
    /// Whether the words of answers, calls and results are kept ([`Run::words`]), for an export.
    pub words: bool,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            session_id: None,
            up_to: None,
            max_line_bytes: MAX_LINE_BYTES,
            words: false,
        }
    }
}

/// The bytes of one file of a session.
#[derive(Clone)]
pub struct SessionFile {
    /// The file's name, without its folders.
    pub name: String,
    /// Its bytes. For a database: one record a line, as the importer wrote them out (see the importer's own words).
    pub bytes: Vec<u8>,
    /// The bytes of a small file beside it that describes it, where the product writes one.
    pub meta: Option<Vec<u8>>,
}

impl fmt::Debug for SessionFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFile")
            .field("name", &self.name)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What is at hand of a session.
pub enum Input<'a> {
    /// Its files, the session's own first.
    Files(&'a [SessionFile]),
    /// Its own file, as a reader gives it.
    Reader {
        /// The file's name, without its folders.
        name: &'a str,
        /// Its bytes.
        reader: &'a mut dyn BufRead,
    },
}

impl<'a> Input<'a> {
    /// The name of the session's own file.
    pub(crate) fn name(&self) -> &'a str {
        match self {
            Self::Files(files) => files.first().map_or("", |file| &file.name),
            Self::Reader { name, .. } => name,
        }
    }

    /// The small file beside the session's own.
    pub(crate) fn meta(&self) -> Option<&'a [u8]> {
        match self {
            Self::Files(files) => files.first()?.meta.as_deref(),
            Self::Reader { .. } => None,
        }
    }

    /// The files, read to their end.
    pub(crate) fn into_files(self) -> Result<Cow<'a, [SessionFile]>, ImportError> {
        let (name, reader) = match self {
            Self::Files(files) => return Ok(Cow::Borrowed(files)),
            Self::Reader { name, reader } => (name, reader),
        };
        let mut bytes = Vec::new();
        reader
            .take(MAX_SESSION_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| files::io(Path::new(name), source))?;
        check_size(bytes.len() as u64)?;
        Ok(Cow::Owned(vec![SessionFile {
            name: name.to_owned(),
            bytes,
            meta: None,
        }]))
    }
}

/// How the records of a session stand in its files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One record after the other, appended: a record's bytes do not change.
    #[default]
    Lines,
    /// Records inside one document that is written anew each time: only what they say is stable, not their bytes.
    Document,
}

/// A session with the bytes that its steps point into: `files[step.source]`.
#[derive(Clone, Debug)]
pub struct Session {
    /// The name under which transcripts of this format are recorded, for example `claude-code-jsonl`.
    pub format: &'static str,
    /// How its records stand in the files.
    pub layout: Layout,
    /// The files in the order of [`Run::sources`], each cut at the bytes that were read.
    pub files: Vec<SessionFile>,
    /// What they say.
    pub run: Run,
}

impl Session {
    /// Returns the bytes of a step that are committed to: the record's exact bytes, or, in a document, the record in
    /// canonical form (RFC 8785) where it has one. `None` where the step lies outside of its file.
    pub fn step_bytes(&self, step: &Step) -> Option<Cow<'_, [u8]>> {
        let file = self.files.get(usize::try_from(step.source).ok()?)?;
        let record = step.bytes(&file.bytes)?;
        if self.layout == Layout::Lines {
            return Some(Cow::Borrowed(record));
        }
        let canonical = serde_json::from_slice::<Value>(record)
            .ok()
            .and_then(|value| strict_json::canonical(&value).ok());
        Some(canonical.map_or(Cow::Borrowed(record), Cow::Owned))
    }
}

/// A session that speaks of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The file.
    pub path: PathBuf,
    /// The session's identifier: from the file's name, or from the record of it in a database.
    pub session_id: String,
    /// When it was last written.
    pub modified: DateTime<Utc>,
    /// The file's length.
    pub bytes: u64,
    /// The working directory inside the repository that its records name.
    pub working_directory: String,
}
