//! Why the spool refused.

use thiserror::Error;
use touchmark_sign::attestation::AttestationError;
use touchmark_sign::folder::FolderError;
use touchmark_statement::strict_json::JsonError;
use touchmark_verify::bundle::BundleError;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::key::KeyError;

/// An entry that was not put in, taken or finished.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The folder or a file of it cannot be used.
    #[error("spool cannot be used")]
    Folder(#[from] FolderError),
    /// The spool holds as much as it may.
    #[error("spool is full: {entries} entries, {bytes} bytes")]
    Full {
        /// Entries that wait.
        entries: usize,
        /// Bytes that wait, the new entry included.
        bytes: u64,
    },
    /// The file is not JSON of an entry.
    #[error("spool entry {id} is not readable")]
    Json {
        /// The entry.
        id: EvidenceId,
        /// What is wrong.
        #[source]
        source: Box<JsonError>,
    },
    /// A field of the entry does not hold what it should.
    #[error("spool entry {id} has a bad `{field}`")]
    Field {
        /// The entry.
        id: EvidenceId,
        /// The field.
        field: &'static str,
    },
    /// The key in the entry is refused.
    #[error("spool entry {id} has a key that is refused")]
    Key {
        /// The entry.
        id: EvidenceId,
        /// What is wrong.
        #[source]
        source: KeyError,
    },
    /// The envelope in the entry does not verify.
    #[error("spool entry {id} has an envelope that does not verify")]
    Envelope {
        /// The entry.
        id: EvidenceId,
        /// What is wrong.
        #[source]
        source: Box<AttestationError>,
    },
    /// The bundle in the entry cannot be read.
    #[error("spool entry {id} has a bundle that is not readable")]
    Bundle {
        /// The entry.
        id: EvidenceId,
        /// What is wrong.
        #[source]
        source: Box<BundleError>,
    },
    /// The bundle is not about the entry's envelope.
    #[error("bundle is not about spool entry {id}")]
    OtherBundle {
        /// The entry.
        id: EvidenceId,
    },
    /// The entry is about something else than its name says.
    #[error("spool entry {id} holds other evidence than its name says")]
    OtherName {
        /// The entry.
        id: EvidenceId,
    },
}

impl SpoolError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SpoolError::Folder(error) => error.code(),
            SpoolError::Full { .. } => "spool.full",
            SpoolError::Json { .. } | SpoolError::Field { .. } => "spool.damaged",
            SpoolError::Key { .. } | SpoolError::Envelope { .. } | SpoolError::Bundle { .. } => {
                "spool.damaged"
            }
            SpoolError::OtherBundle { .. } => "spool.other_bundle",
            SpoolError::OtherName { .. } => "spool.other_name",
        }
    }
}
