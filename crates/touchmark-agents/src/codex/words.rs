//! What the model says and what it shows of its reasoning, for those who ask for the words.

use super::mapping::content;
use super::record::{Payload, Summary};
use crate::error::ImportError;
use crate::json::lenient::Object;
use crate::recorder::{Place, Recorder};
use crate::run::PromptPart;

/// Gives the texts of an answer.
pub(super) fn said(
    recorder: &mut Recorder,
    payload: &Payload<'_>,
    place: Place<'_>,
) -> Result<(), ImportError> {
    let words = payload.content.filter(|_| recorder.keeps_words());
    for part in words.map(content).unwrap_or_default() {
        if let PromptPart::Text(text) = part {
            recorder.says(&text, place)?;
        }
    }
    Ok(())
}

/// Gives what the model shows of its reasoning.
pub(super) fn reasoned(
    recorder: &mut Recorder,
    payload: &Payload<'_>,
    place: Place<'_>,
) -> Result<(), ImportError> {
    let words = payload.summary.filter(|_| recorder.keeps_words());
    let parts = words.and_then(|raw| serde_json::from_str::<Vec<Object<Summary<'_>>>>(raw.get()).ok());
    for part in parts.unwrap_or_default() {
        if let Some(text) = part.0.and_then(|part| part.text.0) {
            recorder.reasons(&text, place)?;
        }
    }
    Ok(())
}
