//! The spool: attestations that are signed but not yet logged and stored where they belong.
//!
//! An entry is one file, `<payload digest>-<signer id>.spool.json`, that appears whole or not at all. Whoever finishes
//! an entry holds its lock, which ends with the process; a second process is told "busy". Each log's answer is kept in
//! the entry as soon as it is there, so that a crash between logging and storing does not log twice.
//!
//! A certificate that lapses while its entry waits does not spoil it where a trusted timestamp lies inside its window
//! and the log gives no time of its own (Rekor v2). Where that is not so the statement has to be signed again: putting
//! it in under a newer certificate replaces the old signature. No time is ever set back.

mod entry;
mod error;
mod file;
mod lapse;
mod target;

#[cfg(test)]
mod tests;

use std::path::Path;

use touchmark_sign::folder::{Folder, FolderError, Lock};
use touchmark_tlog::entry::LogEntry;
use touchmark_verify::evidence::EvidenceId;

pub use entry::{Destination, Entry, EvidencePlace, Keyless, MAX_TARGETS};
pub use error::SpoolError;
pub use target::{LogAddress, Target};

use crate::error::PublishError;

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
        let id = entry.evidence_id();
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

    /// Replaces the logs that have not answered for an entry; those that have stay.
    pub fn redirect(
        &self,
        id: &EvidenceId,
        targets: impl FnOnce(&Entry) -> Vec<Target>,
    ) -> Result<(), SpoolError> {
        let _lock = self.folder.lock()?;
        if let Some(mut waiting) = self.read(id)? {
            let replaced = targets(&waiting);
            waiting.redirect(replaced);
            self.write(id, &waiting)?;
        }
        Ok(())
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
        if entry.evidence_id() == *id {
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

    /// Keeps the answer of a target, durably, before the bundle is stored anywhere.
    pub fn keep_answer(&mut self, target: usize, answer: LogEntry) -> Result<(), KeepError> {
        let asked = self.entry.targets.get(target).map(|target| target.log.clone());
        let _lock = self.spool.folder.lock().map_err(SpoolError::from)?;
        // Destinations and targets may have been added since the entry was taken; its signature cannot have changed
        // without this lock, but for a newer certificate's, whose answer this is not.
        if let Some(mut waiting) = self.spool.read(&self.id)? {
            if waiting.signed != self.entry.signed {
                return Err(SpoolError::OtherBundle { id: self.id }.into());
            }
            let place = waiting
                .targets
                .iter()
                .position(|target| Some(&target.log) == asked.as_ref());
            if let Some(place) = place {
                waiting.answer(place, answer.clone())?;
                self.spool.write(&self.id, &waiting)?;
            }
        }
        Ok(self.entry.answer(target, answer)?)
    }

    /// Forgets the answer of a target that is not believed any more, such as that of a log that is gone.
    pub fn forget_answer(&mut self, target: usize) {
        // On disk it stays until the next answer replaces it.
        self.entry.forget(target);
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

/// An answer that was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The spool could not be written.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The answer does not go with the others.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

fn file_name(id: &EvidenceId) -> String {
    format!("{id}{SUFFIX}")
}
