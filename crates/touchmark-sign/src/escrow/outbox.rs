//! What is encrypted and waits for its store: a folder of our own, from which each file is removed once it is kept there.

use std::fs::File;
use std::io;
use std::path::Path;
use touchmark_http::Deadline;

use super::{EscrowError, EscrowPublicKey, SUFFIX, Store, seal};
use crate::folder::Folder;
use crate::vault::RecordName;

/// The most records that wait.
const MAX_WAITING: usize = 1_000_000;

/// The queue of encrypted records.
#[derive(Debug)]
pub struct Outbox {
    folder: Folder,
}

/// What became of the records that waited.
#[derive(Debug, Default)]
pub struct Shipment {
    /// How many are in the store now.
    pub shipped: usize,
    /// How many wait still.
    pub waiting: usize,
    /// Why the first of them does; absent where only the time was up.
    pub failure: Option<EscrowError>,
}

impl Outbox {
    /// Opens the queue, making its folder if there is none.
    pub fn open(folder: &Path) -> Result<Self, EscrowError> {
        Ok(Self {
            folder: Folder::open(folder)?,
        })
    }

    /// Encrypts a record into the queue, durably. What `content` writes never reaches a disk as it is.
    pub fn put(
        &self,
        name: &RecordName,
        recipients: &[EscrowPublicKey],
        content: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<(), EscrowError> {
        let mut refused = None;
        let written = self.folder.write(&file_name(name), |writer| {
            let mut writer = io::BufWriter::new(writer);
            match seal(name, recipients, &mut writer, content) {
                Ok(()) => io::Write::flush(&mut writer),
                Err(EscrowError::Io(error)) => Err(error),
                Err(error) => {
                    refused = Some(error);
                    Err(io::Error::other("nothing was encrypted"))
                }
            }
        });
        match refused {
            Some(error) => Err(error),
            None => Ok(written?),
        }
    }

    /// Returns the file names of the records that wait, sorted.
    pub fn waiting(&self) -> Result<Vec<String>, EscrowError> {
        let mut names = self.folder.names(MAX_WAITING)?;
        names.retain(|name| name.ends_with(SUFFIX));
        Ok(names)
    }

    /// Opens the file of a record that waits.
    pub fn open_file(&self, name: &str) -> Result<Option<File>, EscrowError> {
        Ok(self.folder.open_file(name)?)
    }

    /// Removes what a writer that died left half-written; returns how many files.
    pub fn clean(&self) -> Result<usize, EscrowError> {
        Ok(self.folder.clean()?)
    }

    /// Sends what waits to the store, one after the other, until the deadline. A store that fails once is not asked
    /// again.
    pub fn ship(&self, store: &dyn Store, deadline: Deadline) -> Result<Shipment, EscrowError> {
        let mut shipment = Shipment::default();
        for name in self.waiting()? {
            if shipment.failure.is_some() || deadline.is_over() {
                shipment.waiting += 1;
                continue;
            }
            match self.ship_one(&name, store, deadline) {
                Ok(true) => shipment.shipped += 1,
                // Another process is at it, or was.
                Ok(false) => {}
                Err(error) => {
                    shipment.waiting += 1;
                    shipment.failure = Some(error);
                }
            }
        }
        Ok(shipment)
    }

    fn ship_one(&self, name: &str, store: &dyn Store, deadline: Deadline) -> Result<bool, EscrowError> {
        let Some(_lock) = self.folder.try_lock(name)? else {
            return Ok(false);
        };
        let Some(mut file) = self.folder.open_file(name)? else {
            self.folder.remove_lock(name)?;
            return Ok(false);
        };
        let kept = store.keep(name, &mut file, deadline);
        if kept.is_ok() {
            self.folder.remove(name)?;
        }
        self.folder.remove_lock(name)?;
        kept.map(|()| true)
    }
}

/// Returns the name under which a record lies in the queue and in stores.
fn file_name(name: &RecordName) -> String {
    format!("{}-{}{SUFFIX}", name.chain, name.payload)
}
