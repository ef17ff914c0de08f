//! The two forms in which records reach us: lines written out from a database, and the exported document.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::records::Records;
use super::shapes::Session;
use crate::error::ImportError;
use crate::json::lenient::{Count, Flag, Object, Present, Text};
use crate::recorder::Recorder;
use crate::recorder::document::{Piece, read_document, walk};
use crate::recorder::lines::{LineFormat, Spot, read_one};
use crate::run::{Completeness, StepKind};
use crate::session::{ImportOptions, SessionFile};

/// How the lines of a database begin.
pub(super) const FIRST_LINE: &[u8] = b"{\"form\":\"opencode-rows/1\"";

/// Reads one session.
pub(super) fn read(
    recorder: &mut Recorder,
    records: &mut Records,
    file: &SessionFile,
    is_subagent: bool,
    options: &ImportOptions,
) -> Result<(), ImportError> {
    let agent = is_subagent
        .then(|| file.name.strip_suffix(".jsonl").map(str::to_owned))
        .flatten();
    if file.bytes.starts_with(FIRST_LINE) {
        let before = recorder.run.counters;
        let mut rows = Rows {
            records,
            last: None,
            messages: 0,
            parts: 0,
        };
        read_one(
            recorder,
            &mut rows,
            file,
            is_subagent,
            agent,
            None,
            options.max_line_bytes,
        )?;
        let is_whole = rows.last == Some((rows.messages, rows.parts, true));
        let now = recorder.run.counters;
        let is_clean = (now.malformed, now.skipped) == (before.malformed, before.skipped);
        if let Some(source) = recorder.run.sources.last_mut()
            && !(is_whole && is_clean)
        {
            source.completeness = Completeness::TailMissing;
        }
    } else {
        read_document(
            recorder,
            &file.name,
            is_subagent,
            agent,
            &file.bytes,
            &["messages"],
            &mut |recorder, piece| match piece {
                Piece::Field { path: "info", spot } => {
                    recorder.add_step(StepKind::Other, spot)?;
                    if let Ok(Object(Some(session))) = serde_json::from_str::<Object<Session<'_>>>(spot.json)
                    {
                        records.session(recorder, session);
                    }
                    Ok(())
                }
                Piece::Item {
                    list: "messages",
                    spot,
                } => message(recorder, records, spot),
                _ => Ok(()),
            },
        )?;
    }
    records.end(recorder)
}

/// Reads one message of an export: its `info` first, wherever it stands, then its parts.
fn message(recorder: &mut Recorder, records: &mut Records, item: Spot<'_>) -> Result<(), ImportError> {
    let mut found = false;
    walk(item, &["parts"], &mut |piece| match piece {
        Piece::Field { path: "info", spot } if !found => {
            found = true;
            records.message(recorder, spot, None, spot.json)
        }
        _ => Ok(()),
    })?;
    if !found {
        recorder.add_step(StepKind::Unknown, item)?;
        return Ok(());
    }
    walk(item, &["parts"], &mut |piece| match piece {
        Piece::Item { spot, .. } => records.part(recorder, spot, None, spot.json),
        Piece::Field { .. } => Ok(()),
    })?;
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    form: Text<'a>,
    #[serde(borrow)]
    table: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    unreadable: Text<'a>,
    too_long: Present,
    messages: Count,
    parts: Count,
    whole: Flag,
}

struct Rows<'r> {
    records: &'r mut Records,
    /// What the last line says: messages, parts, and whether everything could be read.
    last: Option<(u64, u64, bool)>,
    messages: u64,
    parts: u64,
}

impl LineFormat for Rows<'_> {
    type Record<'a> = Row<'a>;

    fn record(&mut self, recorder: &mut Recorder, spot: Spot<'_>, row: Row<'_>) -> Result<(), ImportError> {
        // Nothing follows the last line.
        self.last = None;
        let data = row.data.map(RawValue::get);
        let id = row.id.as_deref();
        match (row.table.as_deref(), data) {
            (Some("message"), Some(data)) => {
                self.messages += 1;
                self.records.message(recorder, spot, id, data)
            }
            (Some("part"), Some(data)) => {
                self.parts += 1;
                self.records.part(recorder, spot, id, data)
            }
            (Some("message" | "part"), None) => {
                let counters = &mut recorder.run.counters;
                counters.skipped += u64::from(row.too_long.0);
                counters.malformed += u64::from(!row.too_long.0 || row.unreadable.0.is_some());
                recorder.add_step(StepKind::Unreadable, spot).map(|_| ())
            }
            (Some("session"), _) => {
                recorder.add_step(StepKind::Other, spot)?;
                if let Ok(Object(Some(session))) = serde_json::from_str::<Object<Session<'_>>>(spot.json) {
                    self.records.session(recorder, session);
                }
                Ok(())
            }
            (None, _) if row.form.0.is_some() => {
                recorder.add_step(StepKind::Other, spot)?;
                let session = First::of(spot.json);
                if recorder.source_agent().is_none() {
                    recorder.session_id(session.as_deref());
                }
                Ok(())
            }
            (None, _) if row.whole.0.is_some() => {
                recorder.add_step(StepKind::Other, spot)?;
                self.last = Some((
                    row.messages.0.unwrap_or(u64::MAX),
                    row.parts.0.unwrap_or(u64::MAX),
                    row.whole.is_true(),
                ));
                Ok(())
            }
            _ => recorder.add_step(StepKind::Unknown, spot).map(|_| ()),
        }
    }
}

/// The first line, which names the session even where no row of it is left.
#[derive(Default, Deserialize)]
#[serde(default)]
struct First<'a> {
    #[serde(borrow)]
    session: Text<'a>,
}

impl First<'_> {
    fn of(json: &str) -> Option<String> {
        let first = serde_json::from_str::<Object<First<'_>>>(json).ok()?.0?;
        Some(first.session.0?.into_owned())
    }
}
