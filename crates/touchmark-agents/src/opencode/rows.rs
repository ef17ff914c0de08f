//! What a database holds of a session, written out: one record a line, always the same for the same rows.
//!
//! The first line names the form and the session. Then come the session's own row, and each message followed by its
//! parts, in the order in which the product shows them; the data of a row stand as the product wrote them. The last
//! line counts what was written and says whether everything could be read, so that lines that were cut are seen to be.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::database::{Cell, Database, Stop};
use crate::error::ImportError;
use crate::limits::{MAX_FILES, MAX_LINE_BYTES, MAX_NAME_BYTES, MAX_STEPS};

/// The form of the lines, as the first of them names it.
pub(super) const FORM: &str = "opencode-rows/1";
/// The most bytes of all rows of a session and its sub-agents.
const MAX_ROW_BYTES: u64 = 1024 * 1024 * 1024;
/// The columns of a session that are written out. Its title and its address for sharing are not.
const SESSION_COLUMNS: [&str; 21] = [
    "agent",
    "cost",
    "directory",
    "model",
    "parent_id",
    "path",
    "project_id",
    "revert",
    "summary_additions",
    "summary_deletions",
    "summary_files",
    "time_archived",
    "time_compacting",
    "time_created",
    "time_updated",
    "tokens_cache_read",
    "tokens_cache_write",
    "tokens_input",
    "tokens_output",
    "tokens_reasoning",
    "version",
];

/// A session as a database lists it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) directory: Option<String>,
    /// Milliseconds since 1970.
    pub(super) updated: i64,
}

/// The lines of one session.
pub(super) struct Written {
    pub(super) id: String,
    pub(super) bytes: Vec<u8>,
}

#[derive(Serialize)]
struct First<'a> {
    form: &'a str,
    session: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "table", rename_all = "lowercase")]
enum Row<'a> {
    Session {
        id: &'a str,
        #[serde(flatten)]
        columns: BTreeMap<&'a str, serde_json::Value>,
    },
    Message(Data<'a>),
    Part(Data<'a>),
}

#[derive(Serialize)]
struct Data<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    session_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_created: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_updated: Option<i64>,
    /// As the product wrote it, where it is JSON on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    /// The text of a row whose data are no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<&'a str>,
    /// The length of data that are too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    too_long: Option<i64>,
}

#[derive(Serialize)]
struct Last {
    messages: usize,
    parts: usize,
    /// False where the database could not be read to its end.
    whole: bool,
}

/// A row of `message` or `part`.
struct Stored {
    id: String,
    message: Option<String>,
    created: Option<i64>,
    updated: Option<i64>,
    len: Option<i64>,
    data: Cell,
}

/// Lists the sessions, the one that was written last first.
pub(super) fn list(database: &Database, whole: &mut bool) -> Result<Vec<Listed>, Stop> {
    let columns = database.columns("session")?;
    let has = |name: &str| columns.iter().any(|column| column == name);
    if !has("id") {
        return list_of_messages(database, whole);
    }
    let column = |name: &'static str| if has(name) { name } else { "NULL" };
    let query = format!(
        "SELECT id, {}, {}, {} FROM session",
        column("parent_id"),
        column("directory"),
        column("time_updated")
    );
    let mut sessions = Vec::new();
    let read = database.rows(&query, "", |row| {
        if let Some(id) = name(&row[0]) {
            sessions.push(Listed {
                id,
                parent: name(&row[1]),
                directory: name(&row[2]),
                updated: row[3].integer().unwrap_or(0),
            });
        }
        sessions.len() < MAX_STEPS
    });
    *whole &= read.is_ok();
    sessions.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| b.id.cmp(&a.id)));
    Ok(sessions)
}

/// Lists the sessions of a database that has messages but no table of sessions.
fn list_of_messages(database: &Database, whole: &mut bool) -> Result<Vec<Listed>, Stop> {
    let columns = database.columns("message")?;
    let mut sessions: BTreeMap<String, i64> = BTreeMap::new();
    if columns.iter().any(|column| column == "session_id") {
        let read = database.rows("SELECT session_id, time_updated FROM message", "", |row| {
            if let Some(id) = name(&row[0]) {
                let updated = sessions.entry(id).or_default();
                *updated = row[1].integer().unwrap_or(0).max(*updated);
            }
            sessions.len() < MAX_STEPS
        });
        *whole &= read.is_ok();
    }
    let mut sessions: Vec<Listed> = sessions
        .into_iter()
        .map(|(id, updated)| Listed {
            id,
            parent: None,
            directory: None,
            updated,
        })
        .collect();
    sessions.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| b.id.cmp(&a.id)));
    Ok(sessions)
}

/// Writes out a session and, after it, those of its sub-agents.
pub(super) fn write_out(database: &Database, wanted: Option<&str>) -> Result<Vec<Written>, ImportError> {
    let mut whole = true;
    let sessions = list(database, &mut whole).map_err(|_| empty())?;
    let main = match wanted {
        Some(wanted) => sessions.iter().find(|session| session.id == wanted),
        // The newest that is no other's sub-agent.
        None => sessions
            .iter()
            .find(|session| session.parent.is_none())
            .or_else(|| sessions.first()),
    };
    let main = match (main, wanted) {
        (Some(main), _) => main,
        (None, Some(wanted)) => {
            return Err(ImportError::NoSuchSession {
                session_id: wanted.chars().take(256).collect(),
            });
        }
        (None, None) => return Err(empty()),
    };
    // The oldest databases had no table of sessions.
    let tables = ["session", "message", "part"];
    let has_sessions = database
        .columns("session")
        .is_ok_and(|columns| !columns.is_empty());
    whole &= tables[usize::from(!has_sessions)..]
        .iter()
        .all(|table| database.is_sound(table));
    let mut order = vec![main];
    let mut at = 0;
    while at < order.len() {
        let parent = order[at].id.as_str();
        let mut children: Vec<&Listed> = sessions
            .iter()
            .filter(|session| session.parent.as_deref() == Some(parent))
            .filter(|child| !order.iter().any(|known| known.id == child.id))
            .collect();
        children.sort_by(|a, b| a.id.cmp(&b.id));
        order.extend(children);
        if order.len() > MAX_FILES {
            return Err(ImportError::TooLarge {
                what: "files",
                limit: MAX_FILES as u64,
            });
        }
        at += 1;
    }
    let mut left = MAX_ROW_BYTES;
    order
        .into_iter()
        .map(|session| write_session(database, &session.id, whole, &mut left))
        .collect()
}

fn write_session(
    database: &Database,
    id: &str,
    mut whole: bool,
    left: &mut u64,
) -> Result<Written, ImportError> {
    let mut out = Out {
        bytes: Vec::new(),
        left,
    };
    out.line(&First {
        form: FORM,
        session: id,
    })?;
    own_row(database, id, &mut whole, &mut out)?;
    let messages = stored(database, "message", id, &mut whole, out.left)?;
    let mut parts: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
    let mut part_count = 0;
    for part in stored(database, "part", id, &mut whole, out.left)? {
        part_count += 1;
        parts
            .entry(part.message.clone().unwrap_or_default())
            .or_default()
            .push(part);
    }
    for message in &messages {
        out.line(&Row::Message(data(message, id)))?;
        for part in parts.remove(&message.id).unwrap_or_default() {
            out.line(&Row::Part(data(&part, id)))?;
        }
    }
    // Parts of messages that are gone.
    for part in parts.into_values().flatten() {
        whole = false;
        out.line(&Row::Part(data(&part, id)))?;
    }
    out.line(&Last {
        messages: messages.len(),
        parts: part_count,
        whole,
    })?;
    Ok(Written {
        id: id.to_owned(),
        bytes: out.bytes,
    })
}

/// Writes out the session's own row, where there is one.
fn own_row(database: &Database, id: &str, whole: &mut bool, out: &mut Out<'_>) -> Result<(), ImportError> {
    let columns = database.columns("session").unwrap_or_default();
    let wanted: Vec<&str> = SESSION_COLUMNS
        .into_iter()
        .filter(|name| columns.iter().any(|column| column == name))
        .collect();
    if !wanted.is_empty() {
        let query = format!("SELECT {} FROM session WHERE id = ?1", wanted.join(", "));
        let mut row = None;
        *whole &= database
            .rows(&query, id, |cells| {
                row = Some(cells);
                false
            })
            .is_ok();
        if let Some(cells) = row {
            let columns = wanted.iter().copied().zip(cells.into_iter().map(value)).collect();
            out.line(&Row::Session { id, columns })?;
        }
    }
    Ok(())
}

/// Reads the rows of a session, sorted as the product sorts them. What cannot be read clears `whole`.
fn stored(
    database: &Database,
    table: &'static str,
    session: &str,
    whole: &mut bool,
    left: &mut u64,
) -> Result<Vec<Stored>, ImportError> {
    let is_part = table == "part";
    let Some(query) = query_of(database, table, is_part) else {
        *whole = false;
        return Ok(Vec::new());
    };
    let mut rows = Vec::new();
    let mut held: u64 = 0;
    let mut unnamed = false;
    let read = database.rows(&query, session, |mut cells| {
        let data = cells.pop().unwrap_or(Cell::Null);
        held += data.text().map_or(64, |text| text.len() as u64 + 64);
        match name(&cells[0]) {
            Some(id) => rows.push(Stored {
                id,
                message: name(&cells[1]),
                created: cells[2].integer(),
                updated: cells[3].integer(),
                len: cells[4].integer(),
                data,
            }),
            None => unnamed = true,
        }
        held <= *left && rows.len() <= MAX_STEPS
    });
    *whole &= read.is_ok() && !unnamed;
    if held > *left {
        return Err(ImportError::TooLarge {
            what: "bytes of rows",
            limit: MAX_ROW_BYTES,
        });
    }
    if rows.len() > MAX_STEPS {
        return Err(ImportError::TooLarge {
            what: "records",
            limit: MAX_STEPS as u64,
        });
    }
    if is_part {
        rows.sort_by(|a, b| a.id.cmp(&b.id));
    } else {
        rows.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    }
    Ok(rows)
}

/// The query for the rows of a session; `None` where the table is not what it should be.
fn query_of(database: &Database, table: &'static str, is_part: bool) -> Option<String> {
    let columns = database.columns(table).ok()?;
    let has = |name: &str| columns.iter().any(|column| column == name);
    if !(has("id") && has("session_id") && has("data")) || (is_part && !has("message_id")) {
        return None;
    }
    Some(format!(
        "SELECT id, {}, {}, {}, octet_length(data), CASE WHEN octet_length(data) <= {MAX_LINE_BYTES} THEN data END \
         FROM {table} WHERE session_id = ?1",
        if is_part { "message_id" } else { "NULL" },
        if has("time_created") {
            "time_created"
        } else {
            "NULL"
        },
        if has("time_updated") {
            "time_updated"
        } else {
            "NULL"
        },
    ))
}

fn data<'a>(row: &'a Stored, session: &'a str) -> Data<'a> {
    let text = row.data.text();
    // Line feeds between the tokens of JSON would break the line; inside of strings JSON has none.
    let json = text
        .filter(|text| !text.contains(['\n', '\r']))
        .and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    Data {
        id: &row.id,
        message_id: row.message.as_deref(),
        session_id: session,
        time_created: row.created,
        time_updated: row.updated,
        data: json,
        unreadable: if json.is_none() { text } else { None },
        too_long: if text.is_none() {
            row.len.or(Some(-1))
        } else {
            None
        },
    }
}

fn value(cell: Cell) -> serde_json::Value {
    match cell {
        Cell::Null | Cell::Bytes(_) => serde_json::Value::Null,
        Cell::Integer(number) => number.into(),
        Cell::Real(number) => number.into(),
        Cell::Text(text) => text.into(),
    }
}

fn name(cell: &Cell) -> Option<String> {
    cell.text()
        .filter(|text| !text.is_empty() && text.len() <= MAX_NAME_BYTES)
        .map(str::to_owned)
}

fn empty() -> ImportError {
    ImportError::Empty {
        bytes: 0,
        unreadable: 0,
    }
}

/// The lines, and how many bytes may still be written.
struct Out<'a> {
    bytes: Vec<u8>,
    left: &'a mut u64,
}

impl Out<'_> {
    fn line(&mut self, record: &impl Serialize) -> Result<(), ImportError> {
        let start = self.bytes.len();
        serde_json::to_writer(&mut self.bytes, record).expect("rows are plain values");
        self.bytes.push(b'\n');
        let written = (self.bytes.len() - start) as u64;
        match self.left.checked_sub(written) {
            Some(left) => *self.left = left,
            None => {
                return Err(ImportError::TooLarge {
                    what: "bytes of rows",
                    limit: MAX_ROW_BYTES,
                });
            }
        }
        Ok(())
    }
}
