//! OpenCode's sessions: its SQLite database, and what `opencode export` prints.
//!
//! **Database.** A session is chosen by its identifier, otherwise the newest one that is no other's sub-agent. Its rows
//! and those of its sub-agents' sessions are written out as lines (`rows.rs` says how), and those lines are
//! the session's bytes: a step is one of them, whatever the pages of the file look like. The database may be in use.
//!
//! **Export.** One document of the form `{info, messages: [{info, parts}]}`; each `info` of a message and each part is a
//! step. It holds one session, so that sub-agents are known by the calls that started them.
//!
//! Rows change while the agent works and sessions can be taken back, so a session has no watermark in either form.
//! Input tokens are those without the cache, output tokens those with reasoning, as the provider bills them. Tools of
//! MCP servers have no mark but the `_` in their names; a name outside of the product's own with one is taken for such.

#[cfg(feature = "sqlite")]
mod database;
mod records;
#[cfg(feature = "sqlite")]
mod rows;
mod shapes;
mod sources;
mod tools;

use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::error::ImportError;
use crate::files;
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::recorder::input::{check_file_count, check_size};
use crate::recorder::{Naming, Recorder};
use crate::run::Run;
use crate::session::{Candidate, ImportOptions, Layout, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "opencode";
/// How a database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The importer of these sessions.
#[derive(Clone, Copy, Debug)]
pub struct OpenCode;

impl Importer for OpenCode {
    fn product(&self) -> &'static str {
        "opencode"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn layout(&self) -> Layout {
        Layout::Document
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let has = |needle: &[u8]| memmem::find(head, needle).is_some();
        if head.starts_with(MAGIC) {
            // The tables of a database whose log was not merged are not in its first page.
            let is_named = name.starts_with("opencode") && name.ends_with(".db");
            return is_named || (has(b"message_id") && has(b"session_id") && has(b"part"));
        }
        if head.starts_with(sources::FIRST_LINE) {
            return true;
        }
        first_byte(head) == Some(b'{') && has(b"\"info\"") && (has(b"\"ses_") || has(b"\"projectID\""))
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        check_file_count(files.len())?;
        let mut recorder = Recorder::new("opencode", Some("anomalyco"));
        recorder.keep_words(options.words);
        let mut records = records::Records::default();
        for (at, file) in files.iter().enumerate() {
            check_size(file.bytes.len() as u64)?;
            sources::read(&mut recorder, &mut records, file, at > 0, options)?;
        }
        records.finish(&mut recorder);
        let mut run = recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            ..Naming::default()
        })?;
        records.compare(&mut run);
        Ok(run)
    }

    fn gather(&self, path: &Path, options: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        if files::read_head(path, MAGIC.len())? == MAGIC {
            written_out(path, options)
        } else {
            Ok(vec![files::read(path, None)?])
        }
    }

    fn variables(&self) -> &'static [&'static str] {
        &["OPENCODE_DB", "XDG_DATA_HOME"]
    }

    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        let mut databases: Vec<PathBuf> = places.variables.get("OPENCODE_DB").cloned().into_iter().collect();
        let data = places.variables.get("XDG_DATA_HOME").cloned();
        let usual = places.home.as_ref().map(|home| home.join(".local/share"));
        if let Some(folder) = data.or(usual) {
            let folder = folder.join("opencode");
            databases.extend(
                files::entries(&folder)?
                    .into_iter()
                    .filter(|path| is_database(path)),
            );
        }
        databases.dedup();
        let mut found = Vec::new();
        for database in databases.iter().filter(|path| files::is_real_file(path)) {
            found.extend(candidates(database, repository_root));
        }
        found.sort_by(|a, b| {
            b.modified
                .cmp(&a.modified)
                .then_with(|| a.session_id.cmp(&b.session_id))
        });
        Ok(found)
    }
}

fn is_database(path: &Path) -> bool {
    let name = files::name_of(path);
    name.starts_with("opencode") && name.ends_with(".db")
}

#[cfg(feature = "sqlite")]
fn written_out(path: &Path, options: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
    let database = database::Database::open(path)?;
    let sessions = rows::write_out(&database, options.session_id.as_deref())?;
    Ok(sessions
        .into_iter()
        .map(|session| SessionFile {
            name: format!("{}.jsonl", session.id),
            bytes: session.bytes,
            meta: None,
        })
        .collect())
}

#[cfg(not(feature = "sqlite"))]
fn written_out(path: &Path, _: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
    Err(ImportError::Database {
        path: path.to_owned(),
    })
}

/// The sessions of a database whose directory lies inside the repository. A database that cannot be read has none.
#[cfg(feature = "sqlite")]
fn candidates(path: &Path, root: &Path) -> Vec<Candidate> {
    use crate::discovery::is_inside;
    let (Some(root), Ok(metadata)) = (root.to_str(), std::fs::symlink_metadata(path)) else {
        return Vec::new();
    };
    let Ok(database) = database::Database::open(path) else {
        return Vec::new();
    };
    let listed = rows::list(&database, &mut true).unwrap_or_default();
    listed
        .into_iter()
        .filter(|session| session.parent.is_none())
        .filter_map(|session| {
            let directory = session.directory.filter(|directory| is_inside(root, directory))?;
            Some(Candidate {
                path: path.to_owned(),
                session_id: session.id,
                modified: chrono::DateTime::from_timestamp_millis(session.updated)?,
                bytes: metadata.len(),
                working_directory: directory,
            })
        })
        .collect()
}

#[cfg(not(feature = "sqlite"))]
fn candidates(_: &Path, _: &Path) -> Vec<Candidate> {
    Vec::new()
}
