//! The Agent Trajectory Interchange Format, versions 1.0 to 1.8: one JSON document a trajectory, written by many agents
//! and by converters for many more.
//!
//! The run's product is the agent that the trajectory names. A trajectory may hold those of its sub-agents, or name them
//! as files of their own; it may go on in another file. [`Importer::gather`] follows such names to files in the same
//! folder, never anywhere else. Steps that were copied from an earlier trajectory as context are kept, marked, and not
//! counted. A trajectory that names a continuation which is not at hand is a prefix.
//!
//! [`export`] writes any session in this format.

mod export;
mod mapping;
mod outline;
mod record;

use std::path::Path;

use memchr::memmem;

pub use export::{ExportError, export};

use self::mapping::{Head, LISTS, Mapping};
use crate::error::ImportError;
use crate::files::{Gathered, is_real_file};
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::recorder::document::{Piece, read_document, survey, whole};
use crate::recorder::input::check_file_count;
use crate::recorder::{Naming, Recorder};
use crate::run::{Completeness, Run};
use crate::session::{Candidate, ImportOptions, Layout, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "atif-json";

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct Atif;

impl Importer for Atif {
    fn product(&self) -> &'static str {
        "atif"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn layout(&self) -> Layout {
        Layout::Document
    }

    fn recognises(&self, _name: &str, head: &[u8]) -> bool {
        let first = first_byte(head);
        first == Some(b'{')
            && memmem::find(head, b"\"schema_version\"").is_some()
            && memmem::find(head, b"\"ATIF-v").is_some()
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        check_file_count(files.len())?;
        let mut recorder = Recorder::new("atif", None);
        recorder.keep_words(options.words);
        let mut mapping = Mapping::default();
        let mut session_id = None;
        let mut open_end = None;
        for (at, file) in files.iter().enumerate() {
            let head = import_file(&mut recorder, &mut mapping, at, file)?;
            if at == 0 {
                session_id = head.session_id.clone();
            }
            if at == 0 || mapping.continued.contains(&file.name) {
                open_end.clone_from(&head.continued);
            }
            mapping.continued.extend(head.continued);
        }
        if open_end.is_some()
            && let Some(first) = recorder.run.sources.first_mut()
        {
            first.completeness = first.completeness.max(Completeness::Prefix);
        }
        recorder.session_id(session_id.as_deref());
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            ..Naming::default()
        })
    }

    fn gather(&self, path: &Path, _: &ImportOptions) -> Result<Vec<SessionFile>, ImportError> {
        let mut gathered = Gathered::begin(path, None)?;
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut at = 0;
        while at < gathered.files.len() {
            for name in named_files(&gathered.files[at].bytes) {
                let path = folder.join(&name);
                if gathered.files.iter().all(|file| file.name != name) && is_real_file(&path) {
                    gathered.add(&path, None)?;
                }
            }
            at += 1;
        }
        Ok(gathered.files)
    }

    fn discover(&self, _places: &Places, _root: &Path) -> Result<Vec<Candidate>, ImportError> {
        Ok(Vec::new())
    }
}

fn import_file(
    recorder: &mut Recorder,
    mapping: &mut Mapping,
    at: usize,
    file: &SessionFile,
) -> Result<Head, ImportError> {
    let is_subagent = at > 0 && !mapping.continued.contains(&file.name);
    let (whole, _) = whole(&file.bytes);
    let head = mapping.head(recorder, whole, at == 0);
    let agent = is_subagent.then(|| {
        let named = head.trajectory_id.as_deref().or(head.session_id.as_deref());
        named.or(stem_of(&file.name)).unwrap_or("subagent").to_owned()
    });
    read_document(
        recorder,
        &file.name,
        is_subagent,
        agent.clone(),
        &file.bytes,
        &LISTS,
        &mut |recorder, piece| mapping.piece(recorder, &head, piece, agent.as_deref(), 0),
    )?;
    mapping.end_of_file(recorder);
    Ok(head)
}

/// The files in the same folder that a trajectory names: its continuation, and those of its sub-agents.
fn named_files(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let _ = survey(bytes, &["steps"], &mut |piece| {
        match piece {
            Piece::Field {
                path: "continued_trajectory_ref",
                spot,
            } => names.extend(serde_json::from_str::<String>(spot.json).ok()),
            Piece::Item { spot, .. }
                if memmem::find(spot.json.as_bytes(), b"\"trajectory_path\"").is_some() =>
            {
                names.extend(mapping::paths_of(spot.json));
            }
            _ => {}
        }
        Ok(())
    });
    names.retain(|name| is_plain_name(name));
    names
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

/// The name of a file without folders and extension.
fn stem_of(path: &str) -> Option<&str> {
    let name = path.rsplit(['/', '\\']).next()?;
    let stem = name.strip_suffix(".json").unwrap_or(name);
    (!stem.is_empty()).then_some(stem)
}
