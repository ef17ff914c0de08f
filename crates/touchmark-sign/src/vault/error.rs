//! Why the vault refused. No variant holds bytes of a key or a piece.

use thiserror::Error;

use super::RecordName;
use crate::folder::FolderError;

/// A record that was not kept or not given out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The folder or a file of it cannot be used.
    #[error("vault cannot be used")]
    Folder(#[from] FolderError),
    /// The file is not a record, or not the one its name says.
    #[error("vault record {}-{} is damaged", name.chain, name.payload)]
    Damaged {
        /// The record.
        name: RecordName,
    },
    /// There is another record under this name.
    #[error("vault holds another record for {}-{}", name.chain, name.payload)]
    Conflict {
        /// The record.
        name: RecordName,
    },
    /// The pieces are not strictly ascending by kind and index.
    #[error("pieces of a vault record must ascend by kind and index without repetition")]
    Order,
    /// A piece is a slice of a transcript that does not reach that far, or is not there.
    #[error("a piece of a vault record lies outside of its transcript")]
    Slice,
    /// More pieces or bytes than a record may hold.
    #[error("vault record is too large")]
    TooLarge,
}

impl VaultError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            VaultError::Folder(error) => error.code(),
            VaultError::Damaged { .. } => "vault.damaged",
            VaultError::Conflict { .. } => "vault.conflict",
            VaultError::Order => "vault.order",
            VaultError::Slice => "vault.slice",
            VaultError::TooLarge => "vault.too_large",
        }
    }
}
