//! Why nothing was put into escrow, or nothing came out. No variant holds bytes of a key or a record.

use std::path::PathBuf;

use thiserror::Error;

use super::Fingerprint;
use crate::folder::FolderError;
use crate::key_file::KeyFileError;
use crate::vault::VaultError;

/// A record that was not encrypted, not opened or not sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EscrowError {
    /// The folder of what waits, or a file of it.
    #[error("the escrow queue cannot be used")]
    Folder(#[from] FolderError),
    /// The key's file.
    #[error("the escrow key cannot be used")]
    KeyFile(#[from] KeyFileError),
    /// The text is no escrow key.
    #[error("this is no escrow key")]
    NotEscrowKey,
    /// A public key that makes encryption worthless.
    #[error("the escrow key is a weak point")]
    WeakKey,
    /// No recipient, too many, or one twice.
    #[error("a record is encrypted to 1 to {max} different keys, not {found}")]
    Recipients {
        /// How many were given.
        found: usize,
        /// The most.
        max: usize,
    },
    /// The file is no escrowed record.
    #[error("this is no escrowed record")]
    Malformed,
    /// The record is not for this key.
    #[error("the record is for other keys than {key}")]
    NotForKey {
        /// The key at hand.
        key: Fingerprint,
    },
    /// A part of the file is not what its writer wrote.
    #[error("the escrowed record is damaged in {part}")]
    Damaged {
        /// Which part.
        part: &'static str,
    },
    /// The record is larger than it may be.
    #[error("the escrowed record is too large")]
    TooLarge,
    /// What was encrypted is no record.
    #[error("what the escrowed record holds is no vault record")]
    Record(#[source] VaultError),
    /// The file cannot be read or written.
    #[error("the escrowed record cannot be read or written")]
    Io(#[source] std::io::Error),
    /// The store's folder is not there.
    #[error("the store {} is not there", path.display())]
    StoreMissing {
        /// The folder.
        path: PathBuf,
    },
    /// The store could not be written to.
    #[error("the store {} could not be written to", path.display())]
    StoreIo {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The store's address could not be reached.
    #[error("the store could not be reached")]
    Http(#[source] touchmark_http::HttpError),
    /// The store answered that it did not take the record.
    #[error("the store answered {status}")]
    Refused {
        /// The status.
        status: u16,
    },
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
}

impl EscrowError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder(error) => error.code(),
            Self::KeyFile(error) => error.code(),
            Self::NotEscrowKey => "escrow.not_escrow_key",
            Self::WeakKey => "escrow.weak_key",
            Self::Recipients { .. } => "escrow.recipients",
            Self::Malformed => "escrow.malformed",
            Self::NotForKey { .. } => "escrow.not_for_key",
            Self::Damaged { .. } => "escrow.damaged",
            Self::TooLarge => "escrow.too_large",
            Self::Record(_) => "escrow.not_a_record",
            Self::Io(_) => "escrow.io",
            Self::StoreMissing { .. } => "escrow.store_missing",
            Self::StoreIo { .. } => "escrow.store_io",
            Self::Http(error) => error.code(),
            Self::Refused { .. } => "escrow.store_refused",
            Self::NoRandomness => "escrow.no_randomness",
        }
    }
}
