//! Where the product keeps its sessions: `tmp/<project>/chats`, with the project's root named beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde::Deserialize;
use touchmark_statement::digest::Sha256Digest;

use crate::discovery::{Found, is_inside};
use crate::error::ImportError;
use crate::files::{entries, is_real_dir, is_real_file, read_capped, read_head};
use crate::importer::Places;
use crate::json::lenient::{Object, Text};
use crate::limits::{MAX_METADATA_BYTES, MAX_NAME_BYTES};
use crate::session::Candidate;

/// How many bytes of a file's beginning are searched for its session's identifier.
const HEAD_BYTES: usize = 64 * 1024;

/// The folder of the product.
fn home(places: &Places) -> Option<PathBuf> {
    let named = places.variables.get("GEMINI_CLI_HOME");
    Some(named.or(places.home.as_ref())?.join(".gemini"))
}

/// Finds the sessions of one form (`jsonl` or `json`) that worked inside `root`.
///
/// A session names no directory. The project's folder does, in `.project_root`; where that is missing, the list of
/// projects may; older folders are named by the digest of the project's root.
pub(super) fn discover(places: &Places, root: &Path, form: &str) -> Result<Vec<Candidate>, ImportError> {
    let (Some(home), Some(root)) = (home(places), root.to_str()) else {
        return Ok(Vec::new());
    };
    let projects = projects(&home);
    let digest = Sha256Digest::of(root.as_bytes()).to_string();
    let mut found = Found::default();
    for project in entries(&home.join("tmp"))? {
        let chats = project.join("chats");
        if !is_real_dir(&project) || !is_real_dir(&chats) {
            continue;
        }
        let name = project
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let directory = project_root(&project)
            .or_else(|| projects.get(name).cloned())
            .or_else(|| (name == digest).then(|| root.to_owned()));
        let Some(directory) = directory.filter(|directory| is_inside(root, directory)) else {
            continue;
        };
        for path in entries(&chats)? {
            found.look()?;
            let is_form = path.extension().is_some_and(|extension| extension == form);
            // A document that was taken over into the newer form is kept beside it.
            let is_taken_over = form == "json" && is_real_file(&path.with_extension("jsonl"));
            if is_form
                && is_real_file(&path)
                && !is_taken_over
                && let Ok(Some(id)) = session_id(&path)
            {
                found.add(path, id, directory.clone());
            }
        }
    }
    Ok(found.sorted())
}

/// The file beside the chats that names the project's root.
pub(super) fn root_marker(path: &Path) -> Option<PathBuf> {
    let marker = path.parent()?.parent()?.join(".project_root");
    is_real_file(&marker).then_some(marker)
}

fn project_root(project: &Path) -> Option<String> {
    let bytes = read_capped(&project.join(".project_root"), MAX_METADATA_BYTES as u64).ok()?;
    directory(&bytes).map(str::to_owned)
}

/// Reads the text of a marker.
pub(super) fn directory(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    (!text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.contains('\n')).then_some(text)
}

/// Reads the list of projects: folders' names to roots.
fn projects(home: &Path) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Projects {
        #[serde(default)]
        projects: BTreeMap<String, String>,
    }
    let bytes = read_capped(&home.join("projects.json"), 16 * 1024 * 1024).unwrap_or_default();
    let Ok(Object(Some(list))) = serde_json::from_slice::<Object<Projects>>(&bytes) else {
        return BTreeMap::new();
    };
    list.projects
        .into_iter()
        .map(|(root, name)| (name, root))
        .collect()
}

/// Returns the first identifier of a session that a file names.
fn session_id(path: &Path) -> Result<Option<String>, ImportError> {
    Ok(session_id_in(&read_head(path, HEAD_BYTES)?))
}

/// Returns the first identifier of a session in the beginning of a file.
pub(super) fn session_id_in(head: &[u8]) -> Option<String> {
    let key = b"\"sessionId\":";
    let rest = &head[memmem::find(head, key)? + key.len()..];
    let start = rest.iter().position(|byte| *byte == b'"')?;
    let value = &rest[start..rest.len().min(start + MAX_NAME_BYTES)];
    let end = value.iter().skip(1).position(|byte| *byte == b'"')?;
    let id = serde_json::from_slice::<Text<'_>>(&value[..end + 2])
        .ok()?
        .0?
        .into_owned();
    (!id.is_empty()).then_some(id)
}

/// Finds the files of a session's sub-agents: `<session>/<sub-agent>.jsonl` beside it.
pub(super) fn subagents(main: &Path, bytes: &[u8]) -> Result<Vec<PathBuf>, ImportError> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let is_name = |id: &String| !id.contains(['/', '\\']) && id != "." && id != "..";
    let (Some(id), Some(parent)) = (session_id_in(head).filter(is_name), main.parent()) else {
        return Ok(Vec::new());
    };
    let folder = parent.join(id);
    if !is_real_dir(&folder) {
        return Ok(Vec::new());
    }
    let mut files = entries(&folder)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl") && is_real_file(path));
    Ok(files)
}
