//! The newer form: JSON Lines, each a message or an order to change what was written.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::messages::{self, Messages, Standing};
use super::record::{Header, Line, Message, list};
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::limits::MAX_NAME_BYTES;
use crate::recorder::{LineFormat, Place, Recorder, Spot, times};
use crate::run::{Role, StepKind};

/// Reads the lines of one session.
#[derive(Default)]
pub(super) struct Mapping {
    file: File,
    files_read: usize,
}

/// What is known of the file that is being read.
#[derive(Default)]
struct File {
    messages: Messages,
    /// The messages that the conversation is made of now.
    current: Vec<String>,
    /// Where each of them stands.
    positions: HashMap<String, usize>,
    /// Every message that was ever written, with those of its steps that were not taken back.
    written: HashMap<String, Vec<usize>>,
}

impl LineFormat for Mapping {
    type Record<'a> = Line<'a>;

    fn agent_of(&self, index: usize, name: &str) -> Option<String> {
        (index > 0)
            .then(|| name.strip_suffix(".jsonl").map(str::to_owned))
            .flatten()
    }

    fn record(&mut self, recorder: &mut Recorder, spot: Spot<'_>, line: Line<'_>) -> Result<(), ImportError> {
        if self.files_read != recorder.run.sources.len() {
            self.files_read = recorder.run.sources.len();
            self.file = File::default();
        }
        let place = if let Some(set) = &line.set.0 {
            let place = recorder.add_step(StepKind::Other, spot)?;
            self.file.set(recorder, set, place)?;
            place
        } else if let Some(target) = line.rewind_to {
            let place = recorder.add_step(StepKind::Other, spot)?;
            self.file.rewind(recorder, target);
            place
        } else if line.patch.0 {
            // No version that is known writes it, so what it changes is not known.
            recorder.add_step(StepKind::Unknown, spot)?
        } else if line.kind.as_deref().is_none() && line.session_id.as_deref().is_some() {
            let place = recorder.add_step(StepKind::Other, spot)?;
            if let Some(header) = read::<Header<'_>>(spot.json) {
                self.file.set(recorder, &header, place)?;
            }
            place
        } else {
            let message = read::<Message<'_>>(spot.json).unwrap_or_default();
            let place = recorder.add_step(messages::kind(&message), spot)?;
            self.file.message(recorder, &message, place)?;
            place
        };
        if place.role == Role::Subagent
            && let Some(agent) = recorder.source_agent().map(str::to_owned)
            && let Some(known) = recorder.subagent(&agent)
        {
            known.steps += 1;
        }
        Ok(())
    }
}

fn read<'a, T: serde::Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str::<Object<T>>(json).ok()?.0
}

impl File {
    fn message(
        &mut self,
        recorder: &mut Recorder,
        message: &Message<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let is_first = self.note(recorder, message, place);
        self.messages
            .read(recorder, message, is_first, Standing::Written, place)
    }

    /// Notes that a message was written; returns whether for the first time. The last writing of a message counts, but
    /// stands where the first stood.
    fn note(&mut self, recorder: &mut Recorder, message: &Message<'_>, place: Place<'_>) -> bool {
        let Some(id) = message.id.as_deref().filter(|id| id.len() <= MAX_NAME_BYTES) else {
            return true;
        };
        let is_first = !self.written.contains_key(id);
        self.written.entry(id.to_owned()).or_default().push(place.step);
        self.append(id);
        if !is_first {
            recorder.copied(place.step);
        }
        is_first
    }

    /// Puts a message to the end of the conversation, unless it is part of it.
    fn append(&mut self, id: &str) {
        if !self.positions.contains_key(id) {
            self.positions.insert(id.to_owned(), self.current.len());
            self.current.push(id.to_owned());
        }
    }

    /// Takes over what is said of the whole session, and a list of messages in the place of all that were there.
    fn set(
        &mut self,
        recorder: &mut Recorder,
        set: &Header<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        note_header(recorder, set, place);
        self.messages.is_delegated |= set.kind.as_deref() == Some("subagent");
        let Some(raw) = set.messages.filter(|raw| raw.get().starts_with('[')) else {
            return Ok(());
        };
        let before = std::mem::take(&mut self.current);
        self.positions.clear();
        for message in list::<Message<'_>>(Some(raw)) {
            let id = message.id.as_deref().filter(|id| id.len() <= MAX_NAME_BYTES);
            let is_known = id.is_some_and(|id| self.written.contains_key(id));
            if let Some(id) = id {
                self.append(id);
                self.written
                    .entry(id.to_owned())
                    .or_insert_with(|| vec![place.step]);
            }
            let standing = if before.is_empty() {
                Standing::Written
            } else {
                Standing::Replacing
            };
            self.messages
                .read(recorder, &message, !is_known, standing, place)?;
        }
        if before.iter().any(|id| !self.positions.contains_key(id)) {
            recorder.compaction();
        }
        Ok(())
    }

    /// Takes back a message and all after it; a message that is not there takes back everything.
    fn rewind(&mut self, recorder: &mut Recorder, target: &RawValue) {
        let target = serde_json::from_str::<Text<'_>>(target.get()).unwrap_or_default();
        let start = target
            .as_deref()
            .and_then(|id| self.positions.get(id).copied())
            .unwrap_or(0);
        for id in self.current.drain(start..) {
            self.positions.remove(&id);
            for step in self.written.get_mut(&id).map(std::mem::take).unwrap_or_default() {
                recorder.rewound(step);
            }
        }
    }
}

/// Notes what a header tells.
pub(super) fn note_header(recorder: &mut Recorder, header: &Header<'_>, place: Place<'_>) {
    if place.role == Role::Primary {
        recorder.session_id(header.session_id.as_deref());
    }
    for time in [&header.start_time, &header.last_updated] {
        recorder.time(time.as_deref().and_then(times::text));
    }
    let directories = header
        .directories
        .and_then(|raw| serde_json::from_str::<Vec<Text<'_>>>(raw.get()).ok());
    for directory in directories.unwrap_or_default().iter().take(1_024) {
        recorder.working_directory(directory.as_deref());
    }
}
