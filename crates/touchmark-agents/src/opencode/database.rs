//! The one place that opens SQLite, for a file that somebody else wrote.
//!
//! The file is opened for reading only, a symbolic link is never followed, and nothing beside it is changed but the
//! shared memory that a log of changes (`-wal`) needs. SQLite itself is kept on a short lead: no trusted schema, no
//! extension, no attached file, no statement but reading; rows, values and statements are capped, and a count of
//! instructions ends whatever does not end by itself. A table that is anything but a plain table is not read.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::ImportError;
use crate::files;

/// How many instructions of SQLite's machine lie between two looks at the budget.
const STRIDE: u16 = 10_000;
/// How many times the budget may be looked at while one session is read: some 20 million rows.
const MAX_LOOKS: u64 = 60_000;
/// The longest wait for another process that holds the file.
const BUSY: Duration = Duration::from_secs(2);
/// The longest row; a query that meets a longer one ends there.
const MAX_ROW_BYTES: i32 = 128 * 1024 * 1024;
/// The longest statement, which bounds those of a hostile schema too.
const MAX_STATEMENT_BYTES: i32 = 256 * 1024;
/// The settings that are asked for, and no others.
const PRAGMAS: [&str; 4] = ["table_xinfo", "index_list", "index_xinfo", "integrity_check"];

/// The most indexes of a table that is read.
const MAX_INDEXES: usize = 64;

/// What stopped a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The file is damaged, or not what it says.
    Damaged,
    /// The budget is used up.
    TooMuch,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Nothing, or a value that is neither number nor text.
    Null,
    /// An integer.
    Integer(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes that are no UTF-8 text.
    Bytes(usize),
}

impl Cell {
    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes)
                .map_or(Self::Bytes(bytes.len()), |text| Self::Text(text.to_owned())),
            ValueRef::Blob(bytes) => Self::Bytes(bytes.len()),
        }
    }

    /// Returns the text, where it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the integer, where it is one.
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

/// A database that is open for reading, as of one moment.
pub(super) struct Database {
    connection: Connection,
    looks: Arc<AtomicU64>,
}

impl Database {
    /// Opens the database at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let (mut file, _) = files::open(path)?;
        let mut head = [0_u8; 20];
        std::io::Read::read_exact(&mut file, &mut head).map_err(|_| unreadable(path))?;
        drop(file);
        let has_log = has_log(path)?;
        // A database with a log of changes that nobody holds open needs no shared memory: it is read as it lies there.
        let immutable = head[18] == 2 && !has_log;
        let name = address(path, immutable)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection =
            Connection::open_with_flags(PathBuf::from(name), flags).map_err(|_| unreadable(path))?;
        let database = Self {
            connection,
            looks: Arc::new(AtomicU64::new(0)),
        };
        database.harden().map_err(|_| unreadable(path))
    }

    fn harden(mut self) -> rusqlite::Result<Self> {
        let connection = &mut self.connection;
        connection.busy_timeout(BUSY)?;
        for (setting, value) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
            (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
        ] {
            connection.set_db_config(setting, value)?;
        }
        for (limit, value) in [
            (Limit::SQLITE_LIMIT_LENGTH, MAX_ROW_BYTES),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_STATEMENT_BYTES),
            (Limit::SQLITE_LIMIT_COLUMN, 256),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 64),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 4),
            (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
            (Limit::SQLITE_LIMIT_FUNCTION_ARG, 16),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
            (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 16),
            (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
            (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        ] {
            connection.set_limit(limit, value)?;
        }
        let looks = Arc::clone(&self.looks);
        connection.progress_handler(
            i32::from(STRIDE),
            Some(move || looks.fetch_add(1, Ordering::Relaxed) >= MAX_LOOKS),
        )?;
        connection.execute_batch(
            "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; \
             PRAGMA cache_size=-16384; PRAGMA ignore_check_constraints=ON; BEGIN",
        )?;
        connection.authorizer(Some(|context: AuthContext<'_>| allowed(&context)))?;
        Ok(self)
    }

    /// Returns the names of the columns of a plain table; none where it is not there or no plain table. Nothing is
    /// computed in a plain table: it is no view and no module's, none of its columns is generated, and none of its
    /// indexes is over an expression.
    pub(super) fn columns(&self, table: &'static str) -> Result<Vec<String>, Stop> {
        let mut plain = false;
        self.rows(
            "SELECT type, rootpage FROM sqlite_schema WHERE name = ?1",
            table,
            |row| {
                plain = row[0].text() == Some("table") && row[1].integer().is_some_and(|page| page > 0);
                true
            },
        )?;
        let mut names = Vec::new();
        if !plain {
            return Ok(names);
        }
        // cid, name, type, notnull, dflt_value, pk, hidden
        self.rows(&format!("PRAGMA table_xinfo({table})"), "", |row| {
            names.extend(row.get(1).and_then(Cell::text).map(str::to_owned));
            plain &= row.get(6).and_then(Cell::integer) == Some(0);
            true
        })?;
        let mut indexes = Vec::new();
        // seq, name, unique, origin, partial
        self.rows(&format!("PRAGMA index_list({table})"), "", |row| {
            indexes.extend(row.get(1).and_then(Cell::text).map(str::to_owned));
            plain &= row.get(4).and_then(Cell::integer) == Some(0);
            plain && indexes.len() <= MAX_INDEXES
        })?;
        plain &= indexes.len() <= MAX_INDEXES;
        for index in indexes.iter().take(MAX_INDEXES) {
            let quoted = index.replace('"', "\"\"");
            // seqno, cid, …: -2 is an expression.
            self.rows(&format!("PRAGMA index_xinfo(\"{quoted}\")"), "", |row| {
                plain &= row
                    .get(1)
                    .and_then(Cell::integer)
                    .is_some_and(|column| column >= -1);
                true
            })?;
        }
        if !plain {
            names.clear();
        }
        Ok(names)
    }

    /// Returns whether a table and its indexes are sound. What cannot be decided within the budget is not.
    pub(super) fn is_sound(&self, table: &'static str) -> bool {
        let mut sound = false;
        if !self.columns(table).is_ok_and(|columns| !columns.is_empty()) {
            return false;
        }
        let asked = self.rows(&format!("PRAGMA integrity_check({table})"), "", |row| {
            sound = row.first().and_then(Cell::text) == Some("ok");
            false
        });
        asked.is_ok() && sound
    }

    /// Passes the rows of a query with one parameter to `visit`, until it returns false.
    pub(super) fn rows(
        &self,
        query: &str,
        parameter: &str,
        mut visit: impl FnMut(Vec<Cell>) -> bool,
    ) -> Result<(), Stop> {
        let mut statement = self.connection.prepare(query).map_err(|error| stop(&error))?;
        let columns = statement.column_count();
        let takes = statement.parameter_count();
        let mut rows = if takes == 0 {
            statement.query([])
        } else {
            statement.query([parameter])
        }
        .map_err(|error| stop(&error))?;
        while let Some(row) = rows.next().map_err(|error| stop(&error))? {
            let mut cells = Vec::with_capacity(columns);
            for column in 0..columns {
                cells.push(row.get_ref(column).map_or(Cell::Null, Cell::of));
            }
            if !visit(cells) {
                break;
            }
        }
        Ok(())
    }
}

/// What a statement may do: read, and look at the settings above.
fn allowed(context: &AuthContext<'_>) -> Authorization {
    let fine = match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Transaction { .. } => true,
        AuthAction::Function { function_name } => matches!(function_name, "octet_length" | "max" | "min"),
        AuthAction::Pragma { pragma_name, .. } => PRAGMAS.contains(&pragma_name),
        _ => false,
    };
    if fine {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

fn stop(error: &rusqlite::Error) -> Stop {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Stop::TooMuch,
        _ => Stop::Damaged,
    }
}

fn unreadable(path: &Path) -> ImportError {
    ImportError::Database {
        path: path.to_owned(),
    }
}

/// Returns whether changes lie beside the database, and refuses what is no file of its own there.
fn has_log(path: &Path) -> Result<bool, ImportError> {
    let mut has_log = false;
    for ending in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let beside = PathBuf::from(name);
        match fs::symlink_metadata(&beside) {
            Ok(metadata) if metadata.is_file() => has_log |= ending == "-wal" && metadata.len() > 0,
            Ok(_) => return Err(ImportError::NotAFile { path: beside }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(files::io(&beside, source)),
        }
    }
    Ok(has_log)
}

/// Writes a path as an address that SQLite reads, its folders resolved so that no part of it is a link.
fn address(path: &Path, immutable: bool) -> Result<OsString, ImportError> {
    let name = path.file_name().ok_or_else(|| unreadable(path))?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let whole = fs::canonicalize(folder)
        .map_err(|source| files::io(path, source))?
        .join(name);
    let mut address = b"file:".to_vec();
    for byte in whole.as_os_str().as_bytes() {
        match byte {
            b'%' | b'?' | b'#' => address.extend(format!("%{byte:02x}").bytes()),
            _ => address.push(*byte),
        }
    }
    address.extend_from_slice(if immutable {
        b"?mode=ro&immutable=1"
    } else {
        b"?mode=ro"
    });
    Ok(OsString::from_vec(address))
}
