//! The older form: one document with a list of messages, written anew each time.

use super::lines::note_header;
use super::messages::{self, Messages, Standing};
use super::record::{Header, Message};
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::recorder::document::{Piece, read_document};
use crate::recorder::{Place, Recorder, times};
use crate::run::Role;
use crate::session::SessionFile;

/// Reads a document. Its messages are the steps.
pub(super) fn read(recorder: &mut Recorder, file: &SessionFile) -> Result<(), ImportError> {
    let mut messages = Messages::default();
    let (mut started, mut last_updated) = (None, None);
    let read = read_document(
        recorder,
        &file.name,
        false,
        None,
        &file.bytes,
        &["messages"],
        &mut |recorder, piece| match piece {
            Piece::Field { path, spot } => {
                if path == "lastUpdated" {
                    last_updated = text(spot.json).as_deref().and_then(times::text);
                } else if path == "startTime" {
                    started = text(spot.json).as_deref().and_then(times::text);
                } else if let Some(header) = header(path, spot.json) {
                    messages.is_delegated |= header.kind.as_deref() == Some("subagent");
                    let place = Place {
                        step: 0,
                        role: Role::Primary,
                        working_directory: None,
                    };
                    note_header(recorder, &header, place);
                }
                Ok(())
            }
            Piece::Item { spot, .. } => {
                let message = serde_json::from_str::<Object<Message<'_>>>(spot.json)
                    .ok()
                    .and_then(|message| message.0)
                    .unwrap_or_default();
                let place = recorder.add_step(messages::kind(&message), spot)?;
                let is_first = message
                    .id
                    .as_deref()
                    .is_none_or(|id| recorder.is_first(place.step, id));
                messages.read(recorder, &message, is_first, Standing::Written, place)
            }
        },
    );
    // They may stand anywhere; the one is earlier than every message, the other later.
    recorder.time(last_updated);
    if let Some(started) = started {
        let first = recorder.run.started_at.unwrap_or(started.time);
        recorder.run.started_at = Some(first.min(started.time));
    }
    read
}

fn text(json: &str) -> Text<'_> {
    serde_json::from_str::<Text<'_>>(json).unwrap_or_default()
}

/// Reads one field of a document's own.
fn header<'a>(path: &str, json: &'a str) -> Option<Header<'a>> {
    let mut header = Header::default();
    match path {
        "sessionId" => header.session_id = text(json),
        "kind" => header.kind = text(json),
        "directories" => header.directories = serde_json::from_str(json).ok(),
        _ => return None,
    }
    Some(header)
}
