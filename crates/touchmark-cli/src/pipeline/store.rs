//! A folder of small files, each written whole or not at all: temporary name, fsync, rename, fsync of the folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use crate::error::CliError;
use crate::file_argument;
use crate::signing_key::make_folder;

const TEMPORARY: &str = ".new";

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
    max_bytes: u64,
}

impl Store {
    /// A store in this folder, which is made on the first write.
    pub(crate) fn new(folder: PathBuf, max_bytes: u64) -> Self {
        Self { folder, max_bytes }
    }

    /// Writes a file durably, in place of one of the same name.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), CliError> {
        make_folder(&self.folder)?;
        let (path, fresh) = (
            self.folder.join(name),
            self.folder.join(format!("{name}{TEMPORARY}")),
        );
        let written = write_new(&fresh, bytes)
            .and_then(|()| fs::rename(&fresh, &path))
            .and_then(|()| File::open(&self.folder)?.sync_all());
        written.map_err(|error| {
            // What is half written is never looked at, but need not stay.
            let _ = fs::remove_file(&fresh);
            CliError::io("store.unwritable", &path, &error)
                .hint("free some space or choose another folder, and run it again")
        })
    }

    /// The names in the store, in order; none when there is no folder yet.
    pub(crate) fn names(&self) -> Result<Vec<String>, CliError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(CliError::io("store.unreadable", &self.folder, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| CliError::io("store.unreadable", &self.folder, &error))?;
            names.extend(
                entry
                    .file_name()
                    .into_string()
                    .ok()
                    .filter(|name| !name.ends_with(TEMPORARY)),
            );
        }
        names.sort();
        Ok(names)
    }

    /// Reads a file; `None` when there is none.
    pub(crate) fn read_if_any(&self, name: &str) -> Result<Option<Vec<u8>>, CliError> {
        file_argument::read_own(&self.folder.join(name), self.max_bytes)
    }

    /// When a file was written last.
    pub(crate) fn modified(&self, name: &str) -> Option<std::time::SystemTime> {
        fs::metadata(self.folder.join(name))
            .and_then(|found| found.modified())
            .ok()
    }
}

fn write_new(path: &std::path::Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
