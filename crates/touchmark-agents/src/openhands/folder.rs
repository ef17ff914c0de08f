//! A folder of events, written out as lines.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::value::RawValue;

use super::state::State;
use crate::error::ImportError;
use crate::files;
use crate::limits::MAX_LINE_BYTES;
use crate::recorder::input::check_size;
use crate::session::SessionFile;

/// The folder of one session.
pub(super) struct Folder {
    /// The session's identifier: the folder's name.
    id: String,
    events: PathBuf,
    state: Option<PathBuf>,
}

/// Finds the session that a path belongs to: the session's folder, its folder of events, its state or one event.
pub(super) fn of(path: &Path) -> Option<Folder> {
    let folder = if files::is_real_dir(path) {
        let is_events = path.file_name().is_some_and(|name| name == "events");
        if is_events { path.parent()? } else { path }
    } else {
        let name = files::name_of(path);
        let parent = path.parent()?;
        let is_in_events = parent.file_name().is_some_and(|name| name == "events");
        if name == "base_state.json" {
            parent
        } else if is_in_events && number(&name).is_some() {
            parent.parent()?
        } else {
            return None;
        }
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let events = folder.join("events");
    let state = folder.join("base_state.json");
    let has_state = files::is_real_file(&state);
    (files::is_real_dir(&events) || has_state).then(|| Folder {
        id: files::name_of(folder),
        events,
        state: has_state.then_some(state),
    })
}

/// Reads a state; `None` where it cannot be read.
pub(super) fn state(path: &Path) -> Option<State> {
    let bytes = files::read_capped(path, MAX_LINE_BYTES as u64).ok()?;
    State::read(&bytes)
}

#[derive(Serialize)]
struct First<'a> {
    form: &'a str,
    session: &'a str,
}

#[derive(Serialize)]
struct Base {
    base_state: State,
}

#[derive(Serialize)]
struct Unreadable<'a> {
    unreadable: &'a str,
}

#[derive(Serialize)]
struct Last {
    events: u64,
    whole: bool,
}

/// Writes the folder out.
pub(super) fn write_out(folder: &Folder) -> Result<SessionFile, ImportError> {
    let (events, marker) = listed(&folder.events)?;
    let is_v1 = folder.state.is_some()
        || events
            .first()
            .is_some_and(|(_, path)| is_v1_name(&files::name_of(path)));
    let mut bytes = Vec::new();
    let form = if is_v1 {
        "openhands-events/1"
    } else {
        "openhands-events/0"
    };
    let base_state = folder.state.as_deref().and_then(state);
    // The folder's name is the identifier without its dashes.
    let id = base_state
        .as_ref()
        .and_then(State::id)
        .unwrap_or_else(|| folder.id.clone());
    line(&mut bytes, &First { form, session: &id });
    let mut whole = !is_v1 || base_state.is_some();
    if let Some(base_state) = base_state {
        line(&mut bytes, &Base { base_state });
    }
    let mut written = 0;
    for (at, (number, path)) in events.iter().enumerate() {
        // V0 leaves numbers out for events that it keeps nowhere.
        whole &= !is_v1 || *number == at as u64;
        if write_event(&mut bytes, path)? {
            written += 1;
        } else {
            whole = false;
        }
        check_size(bytes.len() as u64)?;
    }
    // The product says itself how many events there are.
    whole &= marker.is_none_or(|count| count == events.len() as u64);
    line(
        &mut bytes,
        &Last {
            events: written,
            whole,
        },
    );
    Ok(SessionFile {
        name: format!("{id}.jsonl"),
        bytes,
        meta: None,
    })
}

/// Writes out one event; false where it cannot be read as one.
fn write_event(bytes: &mut Vec<u8>, path: &Path) -> Result<bool, ImportError> {
    let event = match files::read_capped(path, MAX_LINE_BYTES as u64) {
        Ok(event) => event,
        Err(ImportError::TooLarge { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&event);
    let Some(json) = one_line(&text) else {
        line(bytes, &Unreadable { unreadable: &text });
        return Ok(false);
    };
    bytes.extend_from_slice(json.as_bytes());
    bytes.push(b'\n');
    Ok(true)
}

/// A file of an event, and the number in its name.
type Numbered = (u64, PathBuf);

/// The events of a folder with their numbers, in order, and how many there are by the product's own word.
fn listed(folder: &Path) -> Result<(Vec<Numbered>, Option<u64>), ImportError> {
    let mut marker = None;
    let mut events = Vec::new();
    for path in files::entries(folder)? {
        let name = files::name_of(&path);
        if let Some(count) = name
            .strip_prefix(".eventlog-len-")
            .and_then(|rest| rest.strip_suffix(".marker")?.parse::<u64>().ok())
        {
            marker = marker.max(Some(count));
        }
        if let Some(number) = number(&name).filter(|_| files::is_real_file(&path)) {
            events.push((number, path));
        }
    }
    events.sort();
    Ok((events, marker))
}

/// The number in the name of an event's file, in either generation.
fn number(name: &str) -> Option<u64> {
    let stem = name.strip_suffix(".json")?;
    let digits = match stem.strip_prefix("event-") {
        Some(rest) => rest.split('-').next()?,
        None => stem,
    };
    digits.parse().ok()
}

fn is_v1_name(name: &str) -> bool {
    name.starts_with("event-")
}

/// Returns an object as JSON on one line, as it stands where it does so already.
fn one_line(text: &str) -> Option<String> {
    let json = text.trim();
    let raw = serde_json::from_str::<&RawValue>(json)
        .ok()
        .filter(|raw| raw.get().starts_with('{'))?;
    if !raw.get().contains(['\n', '\r']) {
        return Some(raw.get().to_owned());
    }
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    serde_json::to_string(&value).ok()
}

fn line(bytes: &mut Vec<u8>, record: &impl Serialize) {
    serde_json::to_writer(&mut *bytes, record).expect("records are plain values");
    bytes.push(b'\n');
}
