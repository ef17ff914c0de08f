//! The spool: attestations that are signed but not yet logged and stored where they belong.
//!
//! An entry is one file, `<payload digest>-<signer id>.spool.json`, that appears whole or not at all. Whoever finishes
//! an entry holds its lock, which ends with the process; a second process is told "busy". Once a log has answered,
//! the bundle is kept in the entry, so that a crash between logging and storing does not log twice.

mod entry;
mod error;

#[cfg(test)]
mod tests;

use std::path::Path;

use touchmark_verify::bundle::Bundle;
use touchmark_verify::evidence::EvidenceId;

pub use entry::{Destination, Entry, EvidencePlace};
pub use error::SpoolError;

use crate::folder::{Folder, FolderError, Lock};

/// Largest entry that is written or read.
pub const MAX_ENTRY_BYTES: u64 = 48 * 1024 * 1024;
/// Most entries that wait at once.
pub const MAX_ENTRIES: usize = 10_000;
/// Most bytes that wait at once.
pub const MAX_SPOOL_BYTES: u64 = 4 * 1024 * 1024 * 1024;
const SUFFIX: &str = ".spool.json";

/// A folder of entries.
#[derive(Debug)]
pub struct Spool {
    folder: Folder,
}

/// What waits in a spool.
#[derive(Debug, Default)]
pub struct Listing {
    /// Entries by name, sorted; not read yet.
    pub waiting: Vec<EvidenceId>,
    /// Names of files that are no entries; they are left alone.
    pub foreign: Vec<String>,
}

/// The outcome of [`Spool::take`].
#[derive(Debug)]
pub enum Take<'a> {
    /// The entry is ours to finish.
    Taken(Box<Taken<'a>>),
    /// Another process is at it.
    Busy,
    /// There is no such entry; another process has finished it.
    Gone,
}

/// An entry that this process finishes. Dropping it leaves the entry for later.
#[derive(Debug)]
pub struct Taken<'a> {
    spool: &'a Spool,
    id: EvidenceId,
    entry: Entry,
    _lock: Lock,
}

impl Spool {
    /// Opens a spool, making its folder if there is none.
    pub fn open(folder: &Path) -> Result<Self, SpoolError> {
        Ok(Spool {
            folder: Folder::open(folder)?,
        })
    }

    /// Puts an entry in durably. If the same evidence waits already, the destinations are united.
    pub fn put(&self, entry: &Entry) -> Result<EvidenceId, SpoolError> {
        let id = entry.signed.evidence_id();
        let _lock = self.folder.lock()?;
        match self.read(&id)? {
            Some(mut waiting) => {
                waiting.unite(entry);
                self.write(&id, &waiting)?;
            }
            None => {
                let bytes = entry.encode();
                self.refuse_overflow(bytes.len())?;
                self.write(&id, entry)?;
            }
        }
        Ok(id)
    }

    /// Returns what waits, without reading it.
    pub fn list(&self) -> Result<Listing, SpoolError> {
        let mut listing = Listing::default();
        // Twice the cap, so that a spool that is full can still be drained.
        for name in self.folder.names(2 * MAX_ENTRIES)? {
            match name.strip_suffix(SUFFIX).and_then(|id| id.parse().ok()) {
                Some(id) => listing.waiting.push(id),
                None => listing.foreign.push(name),
            }
        }
        Ok(listing)
    }

    /// Reads an entry without taking it.
    pub fn peek(&self, id: &EvidenceId) -> Result<Option<Entry>, SpoolError> {
        self.read(id)
    }

    /// Takes an entry to finish it; no other process gets it until the result is dropped.
    pub fn take(&self, id: &EvidenceId) -> Result<Take<'_>, SpoolError> {
        let name = file_name(id);
        if !self.folder.contains(&name)? {
            return Ok(Take::Gone);
        }
        let Some(lock) = self.folder.try_lock(&name)? else {
            return Ok(Take::Busy);
        };
        match self.read(id)? {
            Some(entry) => Ok(Take::Taken(Box::new(Taken {
                spool: self,
                id: *id,
                entry,
                _lock: lock,
            }))),
            None => {
                // Finished by its last holder between our two looks; the lock file that we made goes too.
                self.folder.remove_lock(&name)?;
                Ok(Take::Gone)
            }
        }
    }

    /// Removes what a writer that died left half-written; returns how many files.
    pub fn clean(&self) -> Result<usize, SpoolError> {
        Ok(self.folder.clean()?)
    }

    fn read(&self, id: &EvidenceId) -> Result<Option<Entry>, SpoolError> {
        let Some(bytes) = self.folder.read(&file_name(id), MAX_ENTRY_BYTES)? else {
            return Ok(None);
        };
        let entry = Entry::parse(id, &bytes)?;
        if entry.signed.evidence_id() == *id {
            Ok(Some(entry))
        } else {
            Err(SpoolError::OtherName { id: *id })
        }
    }

    fn write(&self, id: &EvidenceId, entry: &Entry) -> Result<(), SpoolError> {
        let bytes = entry.encode();
        if u64::try_from(bytes.len()).is_ok_and(|len| len > MAX_ENTRY_BYTES) {
            let path = self.folder.path_of(&file_name(id));
            return Err(FolderError::TooLarge {
                path,
                max: MAX_ENTRY_BYTES,
            }
            .into());
        }
        Ok(self
            .folder
            .write(&file_name(id), |writer| writer.write_all(&bytes))?)
    }

    fn refuse_overflow(&self, len: usize) -> Result<(), SpoolError> {
        let names = self.folder.names(2 * MAX_ENTRIES)?;
        let mut total = u64::try_from(len).unwrap_or(u64::MAX);
        for name in &names {
            total = total.saturating_add(self.folder.size(name).unwrap_or(0));
        }
        if names.len() >= MAX_ENTRIES || total > MAX_SPOOL_BYTES {
            return Err(SpoolError::Full {
                entries: names.len(),
                bytes: total,
            });
        }
        Ok(())
    }
}

impl Taken<'_> {
    /// Returns the name of the entry.
    pub fn id(&self) -> EvidenceId {
        self.id
    }

    /// Returns the entry.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Keeps the bundle with the log's answer, durably, before it is stored anywhere else.
    pub fn keep_bundle(&mut self, bundle: &Bundle) -> Result<(), SpoolError> {
        if !self.entry.signed.is_in(bundle) {
            return Err(SpoolError::OtherBundle { id: self.id });
        }
        let _lock = self.spool.folder.lock()?;
        // Destinations may have been added since the entry was taken.
        if let Some(mut waiting) = self.spool.read(&self.id)? {
            waiting.bundle = Some(bundle.clone());
            self.spool.write(&self.id, &waiting)?;
        }
        self.entry.bundle = Some(bundle.clone());
        Ok(())
    }

    /// Removes the entry: everything it asked for is done. Destinations added meanwhile keep it waiting.
    pub fn complete(self) -> Result<(), SpoolError> {
        let folder = &self.spool.folder;
        let _lock = folder.lock()?;
        let Some(mut waiting) = self.spool.read(&self.id)? else {
            return Ok(());
        };
        waiting
            .destinations
            .retain(|destination| !self.entry.destinations.contains(destination));
        if waiting.destinations.is_empty() {
            folder.remove(&file_name(&self.id))?;
            folder.remove_lock(&file_name(&self.id))?;
            Ok(())
        } else {
            self.spool.write(&self.id, &waiting)
        }
    }
}

fn file_name(id: &EvidenceId) -> String {
    format!("{id}{SUFFIX}")
}
