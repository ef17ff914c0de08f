//! Where the product keeps its sessions, and which of them belong together.

use std::path::{Path, PathBuf};

use memchr::memmem;

use super::header;
use super::mapping::id_in_name;
use super::record::Line;
use crate::discovery::{Found, working_directory_inside};
use crate::error::ImportError;
use crate::files::{entries, is_real_dir, is_real_file, name_inside, name_of, read_head};
use crate::importer::Places;
use crate::json::lenient::Object;
use crate::limits::{DISCOVERY_WINDOW_BYTES, MAX_CANDIDATES};
use crate::packed::is_packed;
use crate::run::Relation;
use crate::session::Candidate;

/// The folder of the product.
fn home(places: &Places) -> Option<PathBuf> {
    let named = places.variables.get("CODEX_HOME").cloned();
    named.or_else(|| Some(places.home.as_ref()?.join(".codex")))
}

/// Finds the sessions that worked inside `root`: below `sessions`, by year, month and day, and those that were archived.
/// Sessions that an agent began are part of that agent's and not offered by themselves.
pub(super) fn discover(places: &Places, root: &Path) -> Result<Vec<Candidate>, ImportError> {
    let (Some(home), Some(root)) = (home(places), root.to_str()) else {
        return Ok(Vec::new());
    };
    let mut found = Found::default();
    let mut files = Vec::new();
    collect(&home.join("sessions"), 3, &mut files)?;
    collect(&home.join("archived_sessions"), 3, &mut files)?;
    for path in files {
        found.look()?;
        let name = name_inside(&path);
        let Some(id) = id_in_name(&name) else { continue };
        // A file that vanishes or cannot be read is no candidate.
        let Ok(Some(directory)) = working_directory_inside(&path, root) else {
            continue;
        };
        let is_delegated = matches!(
            read_header(&path),
            Ok(Some(Header {
                lineage: Some((_, Relation::Subagent)),
                ..
            }))
        );
        if !is_delegated {
            found.add(path, id.to_owned(), directory);
        }
    }
    Ok(found.sorted())
}

/// Collects session files down to this many levels of folders.
fn collect(folder: &Path, levels: u32, files: &mut Vec<PathBuf>) -> Result<(), ImportError> {
    if !is_real_dir(folder) {
        return Ok(());
    }
    for path in entries(folder)? {
        if path.extension().is_some_and(|extension| extension == "jsonl") && is_real_file(&path)
            || is_archive(&path)
        {
            files.push(path);
        } else if levels > 0 && is_real_dir(&path) {
            collect(&path, levels - 1, files)?;
        }
        if files.len() > MAX_CANDIDATES {
            return Err(ImportError::TooLarge {
                what: "session files",
                limit: MAX_CANDIDATES as u64,
            });
        }
    }
    Ok(())
}

/// Returns whether this is a packed file of which there is no plain one beside it.
fn is_archive(path: &Path) -> bool {
    let name = name_of(path);
    is_packed(&name) && is_real_file(path) && !is_real_file(&path.with_file_name(name_inside(path)))
}

/// Finds the files of the sub-agents of a session, and of theirs: files in the folder of its day and of later days whose
/// header names it. `bytes` are the session's own.
pub(super) fn subagents(main: &Path, bytes: &[u8]) -> Result<Vec<PathBuf>, ImportError> {
    let delegates = ["spawn", "agent_thread_id", "receiver_thread_ids"]
        .iter()
        .any(|word| memmem::find(bytes, word.as_bytes()).is_some());
    let own = first_line(bytes).and_then(header_of);
    let (Some(own), true) = (own, delegates) else {
        return Ok(Vec::new());
    };
    let mut delegated = Vec::new();
    for path in neighbours(main)? {
        if path != main
            && id_in_name(&name_inside(&path)).is_some()
            && let Ok(Some(header)) = read_header(&path)
            && let Some((parent, Relation::Subagent)) = header.lineage
        {
            delegated.push((path, parent, header.id));
        }
    }
    let mut family = vec![own.id];
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(parent) = family.get(at).cloned() {
        at += 1;
        delegated.retain(|(path, of, id)| {
            let is_child = *of == parent;
            if is_child {
                found.push(path.clone());
                family.push(id.clone());
            }
            !is_child
        });
    }
    Ok(found)
}

/// The most folders of days that are searched for sub-agents.
const MAX_DAYS: usize = 32;

/// Lists the files in a file's own folder and, where that is a day's, in those of the days after.
fn neighbours(main: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let own = main
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let is_dated = |folder: &Path| {
        let is_number = |part: Option<&Path>, digits: usize| {
            part.and_then(Path::file_name)
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.len() == digits && name.bytes().all(|b| b.is_ascii_digit()))
        };
        let (month, year) = (folder.parent(), folder.parent().and_then(Path::parent));
        is_number(Some(folder), 2) && is_number(month, 2) && is_number(year, 4)
    };
    let mut days = vec![own.to_owned()];
    if let Some(root) = own.ancestors().nth(3).filter(|_| is_dated(own)) {
        for year in entries(root)? {
            for month in folders(&year)? {
                days.extend(
                    folders(&month)?
                        .into_iter()
                        .filter(|day| is_dated(day) && day.as_path() > own),
                );
            }
        }
        days.truncate(MAX_DAYS);
    }
    let mut files = Vec::new();
    for day in days {
        let is_session = |path: &PathBuf| match is_packed(&name_of(path)) {
            true => is_archive(path),
            false => is_real_file(path),
        };
        files.extend(entries(&day)?.into_iter().filter(is_session));
    }
    Ok(files)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    if !is_real_dir(folder) {
        return Ok(Vec::new());
    }
    Ok(entries(folder)?
        .into_iter()
        .filter(|path| is_real_dir(path))
        .collect())
}

/// What the first line of a file tells.
struct Header {
    id: String,
    lineage: Option<(String, Relation)>,
}

fn read_header(path: &Path) -> Result<Option<Header>, ImportError> {
    let head = read_head(path, DISCOVERY_WINDOW_BYTES)?;
    Ok(first_line(&head).and_then(header_of))
}

fn first_line(bytes: &[u8]) -> Option<&str> {
    let end = memchr::memchr(b'\n', bytes)?;
    std::str::from_utf8(&bytes[..end]).ok()
}

fn header_of(line: &str) -> Option<Header> {
    let payload = serde_json::from_str::<Object<Line<'_>>>(line)
        .ok()?
        .0?
        .payload
        .0?;
    let id = payload.id.as_deref().or(payload.session_id.as_deref())?;
    Some(Header {
        id: id.to_owned(),
        lineage: header::lineage(&payload),
    })
}
