//! The vault: run keys and the bytes they commit to, on this machine only.
//!
//! A record is written before anything that refers to it is signed, and named `<chain>-<payload digest>.vault`.
//! Folder 0700, files 0600. Format, all numbers big-endian:
//!
//! ```text
//! "touchmark-vault v2\n"   19 bytes
//! chain                    16 bytes
//! payload digest           32 bytes
//! run key                  32 bytes
//! count of pieces           4 bytes
//! for each piece           kind 1 byte, origin 1 byte (0: none), place 1 byte, index 4 bytes, offset 8 bytes,
//!                          length 8 bytes
//! the bytes of each piece whose place is 0, in the same order
//! SHA-256 of all before    32 bytes
//! ```
//!
//! Kinds and origins are numbered as in the leaves of commitments. Pieces ascend strictly by (kind, index). A piece whose
//! place is 1 is a slice of the raw transcript from its offset on, all of which cover it at most 16 times; with place 0 the
//! offset is 0. Version 1 had neither place nor offset, and every piece its own bytes; it is read as well.

mod draft;
mod error;
mod record;

#[cfg(test)]
mod tests;

use std::path::Path;

use touchmark_statement::agent_change::ChainId;
use touchmark_statement::digest::Sha256Digest;
use zeroize::Zeroizing;

pub use draft::{Content, Draft, DraftPiece, offsets};
pub use error::VaultError;
pub use record::{Piece, Record};

use crate::folder::Folder;

/// Largest record that is written or read.
pub const MAX_RECORD_BYTES: u64 = 1 << 30;
/// Most pieces of one record.
pub const MAX_PIECES: usize = 1_000_000;
/// How often the slices of a transcript may cover it, all together: a small record must not stand for endless bytes.
const MAX_COVERED: u64 = 16;

/// Returns whether slices of these lengths cover their transcript more often than they may.
fn covers_too_often(transcript: u64, slices: impl Iterator<Item = u64>) -> bool {
    let total = slices.fold(0, u64::saturating_add);
    total > transcript.saturating_mul(MAX_COVERED)
}
/// Most records of one vault.
pub const MAX_RECORDS: usize = 1_000_000;
const SUFFIX: &str = ".vault";

/// A folder of records.
#[derive(Debug)]
pub struct Vault {
    folder: Folder,
}

/// The name of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName {
    /// The chain of statements that the run belongs to.
    pub chain: ChainId,
    /// The digest of the payload that commits to the pieces.
    pub payload: Sha256Digest,
}

impl RecordName {
    /// Returns the name of the record's file.
    fn file_name(&self) -> String {
        format!("{}-{}{SUFFIX}", self.chain, self.payload)
    }

    fn from_file_name(name: &str) -> Option<Self> {
        let (chain, payload) = name.strip_suffix(SUFFIX)?.split_once('-')?;
        Some(RecordName {
            chain: chain.parse().ok()?,
            payload: payload.parse().ok()?,
        })
    }
}

impl Vault {
    /// Opens a vault, making its folder if there is none.
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        Ok(Vault {
            folder: Folder::open(folder)?,
        })
    }

    /// Keeps a record durably. The same record again is fine; another one under the same name is refused.
    pub fn put(&self, name: &RecordName, draft: &Draft<'_>) -> Result<(), VaultError> {
        let _lock = self.folder.lock()?;
        let file_name = name.file_name();
        if let Some(kept) = self.read(name)? {
            return if kept.is(draft) {
                Ok(())
            } else {
                Err(VaultError::Conflict { name: *name })
            };
        }
        self.folder
            .write(&file_name, |writer| draft.encode(name, writer))?;
        Ok(())
    }

    /// Returns a record, or nothing where there is none.
    pub fn get(&self, name: &RecordName) -> Result<Option<Record>, VaultError> {
        self.read(name)
    }

    /// Returns the record of a statement by its payload digest alone.
    pub fn find(&self, payload: &Sha256Digest) -> Result<Option<(RecordName, Record)>, VaultError> {
        let Some(name) = self.names()?.into_iter().find(|name| name.payload == *payload) else {
            return Ok(None);
        };
        Ok(self.read(&name)?.map(|record| (name, record)))
    }

    /// Returns the names of all records, sorted.
    pub fn names(&self) -> Result<Vec<RecordName>, VaultError> {
        let names = self.folder.names(MAX_RECORDS)?;
        Ok(names
            .iter()
            .filter_map(|name| RecordName::from_file_name(name))
            .collect())
    }

    /// Opens the file of a record as it is, or returns nothing where there is none.
    pub fn open_file(&self, name: &RecordName) -> Result<Option<std::fs::File>, VaultError> {
        Ok(self.folder.open_file(&name.file_name())?)
    }

    /// Removes a record; returns whether it was there. What only it could open is lost, unless it is in escrow.
    pub fn remove(&self, name: &RecordName) -> Result<bool, VaultError> {
        let _lock = self.folder.lock()?;
        Ok(self.folder.remove(&name.file_name())?)
    }

    /// Removes what a writer that died left half-written; returns how many files.
    pub fn clean(&self) -> Result<usize, VaultError> {
        Ok(self.folder.clean()?)
    }

    fn read(&self, name: &RecordName) -> Result<Option<Record>, VaultError> {
        let Some(bytes) = self.folder.read(&name.file_name(), MAX_RECORD_BYTES)? else {
            return Ok(None);
        };
        Record::parse(name, Zeroizing::new(bytes)).map(Some)
    }
}
