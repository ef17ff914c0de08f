//! Why trust material cannot be made of some parts.

use touchmark_tlog::note::NoteError;
use touchmark_verify::trust::{Part, TrustError};

/// Parts that do not make up trust material.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// There is no part at all.
    #[error("trust material consists of at least one part")]
    Nothing,
    /// A key is neither one PEM block of a public key, nor its DER, nor a note key.
    #[error("expected a public key: one PEM block, its DER, or the text of a note key")]
    Key,
    /// A key is that of another name than the log's.
    #[error("the key is that of {found}, but the log is called {expected}")]
    KeyName {
        /// The log's name.
        expected: String,
        /// The name in the key.
        found: String,
    },
    /// A private key stands where a public one belongs.
    #[error("expected a public key, found a private one")]
    PrivateKey,
    /// A log's key cannot be used.
    #[error("the key of the log {name} cannot be used")]
    LogKey {
        /// The log's name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: NoteError,
    },
    /// A file is not one or more PEM blocks of certificates.
    #[error("expected PEM blocks of certificates, issuer nearest first, and nothing else")]
    Certificates,
    /// An address is none.
    #[error("{found:?} is not the address of a service")]
    Url {
        /// The text found, shortened.
        found: String,
    },
    /// The origin of a log's checkpoints does not follow from its address.
    #[error(
        "the address {url} stands for the origin {derived}, but the log's checkpoints begin with {origin}"
    )]
    Origin {
        /// The address.
        url: String,
        /// The origin that readers derive from it.
        derived: String,
        /// The origin that was given.
        origin: String,
    },
    /// A selector asks for no service, or for more than there are.
    #[error("{count} services are asked for, but {operators} operators have one")]
    Count {
        /// How many are asked for.
        count: u32,
        /// How many operators there are.
        operators: usize,
    },
    /// What was made is refused by the reader.
    #[error("the trusted root is refused")]
    Refused(#[from] TrustError),
    /// What was made holds a part that this program could not use.
    #[error("{part} cannot be used: {reason}")]
    Unusable {
        /// Which part.
        part: Part,
        /// Why not.
        reason: String,
    },
}

impl CreateError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Nothing => "create.nothing",
            Self::Key => "create.key",
            Self::KeyName { .. } => "create.key_name",
            Self::PrivateKey => "create.private_key",
            Self::LogKey { source, .. } => source.code(),
            Self::Certificates => "create.certificates",
            Self::Url { .. } => "create.url",
            Self::Origin { .. } => "create.origin",
            Self::Count { .. } => "create.count",
            Self::Refused(error) => error.code(),
            Self::Unusable { .. } => "create.unusable",
        }
    }
}
