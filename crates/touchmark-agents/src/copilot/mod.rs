//! Copilot CLI's sessions (`events.jsonl`, versions 1.0 seen and described by the vendor's own library).
//!
//! A call counts where it is executed; that a message asks for it does not count again. The model `auto` stands for one
//! that the product chooses: it is resolved by what later events name. What the product tells the model about itself
//! (`system.message`) is not read.
//!
//! **Tokens** are told at the end of a session, for each model: input with what came from and went to the cache, which is
//! taken out of it, and output with reasoning. Newer versions (1.0.102) tell them of each answer as well, and their ends
//! speak of the whole session. In older ones messages tell their output only; a session whose process died has no more.

mod kinds;
mod mapping;
mod record;
mod tools;
mod usage;

use std::path::{Path, PathBuf};

use memchr::memmem;

use self::mapping::Mapping;
use crate::discovery::{Found, working_directory_inside};
use crate::error::ImportError;
use crate::files::{entries, is_real_dir, is_real_file};
use crate::importer::{Importer, Places};
use crate::recorder::{Naming, Recorder, lines};
use crate::run::Run;
use crate::session::{Candidate, ImportOptions, Input, SessionFile};

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct Copilot;

impl Importer for Copilot {
    fn product(&self) -> &'static str {
        "copilot"
    }

    fn format(&self) -> &'static str {
        "copilot-jsonl"
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
        name.ends_with(".jsonl")
            && head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
            && has("\"data\":")
            && has("\"session.start\"")
            && (has("\"copilotVersion\":") || has("\"producer\":"))
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        self.import_from(Input::Files(files), options)
    }

    fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = recorder();
        let mut mapping = Mapping::default();
        lines::read(&mut recorder, &mut mapping, input, options)?;
        mapping.finish(&mut recorder);
        recorder.finish(naming(options))
    }

    fn variables(&self) -> &'static [&'static str] {
        &["COPILOT_HOME"]
    }

    /// Finds sessions in `session-state/<uuid>/events.jsonl`.
    fn discover(&self, places: &Places, repository_root: &Path) -> Result<Vec<Candidate>, ImportError> {
        let named = places.variables.get("COPILOT_HOME").cloned();
        let home = named.or_else(|| Some(places.home.as_ref()?.join(".copilot")));
        let (Some(home), Some(root)) = (home, repository_root.to_str()) else {
            return Ok(Vec::new());
        };
        let mut found = Found::default();
        let state: PathBuf = home.join("session-state");
        for folder in entries(&state)? {
            found.look()?;
            let path = folder.join("events.jsonl");
            let id = folder.file_name().and_then(|name| name.to_str());
            let (Some(id), true) = (id, is_real_dir(&folder) && is_real_file(&path)) else {
                continue;
            };
            // A file that vanishes or cannot be read is no candidate.
            if let Ok(Some(directory)) = working_directory_inside(&path, root) {
                found.add(path, id.to_owned(), directory);
            }
        }
        Ok(found.sorted())
    }
}

fn recorder() -> Recorder {
    Recorder::new("copilot", Some("github"))
}

fn naming(options: &ImportOptions) -> Naming<'_> {
    Naming {
        hook: options.session_id.as_deref(),
        ..Naming::default()
    }
}
