//! The older form: one document with a list of messages, written anew each time.

use super::lines::note_header;
use super::messages::{self, Messages, Standing};
use super::record::{Header, Message};
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::recorder::document::{Piece, read_document};
use crate::recorder::{Place, Recorder};
use crate::run::Role;
use crate::session::SessionFile;

/// Reads a document. Its messages are the steps.
pub(super) fn read(recorder: &mut Recorder, file: &SessionFile) -> Result<(), ImportError> {
    let mut messages = Messages::default();
    read_document(
        recorder,
        &file.name,
        false,
        None,
        &file.bytes,
        &["messages"],
        &mut |recorder, piece| match piece {
            Piece::Field { path, spot } => {
                if let Some(header) = header(path, spot.json) {
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
    )
}

/// Reads one field of a document's own.
fn header<'a>(path: &str, json: &'a str) -> Option<Header<'a>> {
    let text = || serde_json::from_str::<Text<'a>>(json).unwrap_or_default();
    let mut header = Header::default();
    match path {
        "sessionId" => header.session_id = text(),
        "startTime" => header.start_time = text(),
        "lastUpdated" => header.last_updated = text(),
        "kind" => header.kind = text(),
        "directories" => header.directories = serde_json::from_str(json).ok(),
        _ => return None,
    }
    Some(header)
}
