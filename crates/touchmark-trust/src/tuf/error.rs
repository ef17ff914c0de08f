//! Why trust material could not be had.

use touchmark_http::HttpError;
use touchmark_statement::strict_json::JsonError;
use touchmark_verify::trust::TrustError;

/// Trust material that was refused, or that could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TufError {
    /// The exchange with the repository failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The repository does not have a file that it must have.
    #[error("the repository has no {name}")]
    Missing {
        /// The file.
        name: String,
    },
    /// A file is larger than it may be.
    #[error("{name} has at most {max} bytes")]
    TooLarge {
        /// The file.
        name: String,
        /// The cap.
        max: u64,
    },
    /// A file is not strict JSON.
    #[error("{name} is not strict JSON")]
    Json {
        /// The file.
        name: String,
        /// What is wrong with it.
        #[source]
        source: JsonError,
    },
    /// Metadata is not what the specification asks for.
    #[error("the metadata is malformed")]
    Malformed {
        /// What the library says.
        #[source]
        source: sigstore_tuf::Error,
    },
    /// A role's metadata is not signed by enough of its keys.
    #[error("the metadata is not signed as its role demands")]
    Signatures {
        /// What the library says.
        #[source]
        source: sigstore_tuf::Error,
    },
    /// A role has one key under two names, so that its threshold would count it twice.
    #[error("{role} in {name} has one key under two names")]
    KeyTwice {
        /// The file.
        name: String,
        /// The role.
        role: String,
    },
    /// A root is not the next version after the one that is trusted.
    #[error("version {expected} of the root must follow, found version {found}")]
    RootVersion {
        /// The version that must follow.
        expected: u64,
        /// The version found.
        found: u64,
    },
    /// There are more versions of the root than one refresh walks through.
    #[error("more than {max} versions of the root follow one another")]
    RootChain {
        /// The cap.
        max: u32,
    },
    /// Metadata is older than what was seen before.
    #[error("{role} is of version {found}, but version {seen} was seen before")]
    Rollback {
        /// The role.
        role: String,
        /// The version seen before.
        seen: u64,
        /// The version found.
        found: u64,
    },
    /// Metadata has expired.
    #[error("{role} expired at {expires}")]
    Expired {
        /// The role.
        role: String,
        /// When.
        expires: String,
    },
    /// A file does not have the length, digest or version that was signed for it.
    #[error("a file is not the one that was signed for")]
    Integrity {
        /// What the library says.
        #[source]
        source: sigstore_tuf::Error,
    },
    /// A target, or a role, is named like a way out of a folder.
    #[error("{found:?} is not the path of a target")]
    TargetPath {
        /// The path found, shortened.
        found: String,
    },
    /// No role lists the target.
    #[error("no role lists the target {path}")]
    TargetMissing {
        /// The target.
        path: String,
    },
    /// The target is no trusted root.
    #[error("the repository's trusted root is refused")]
    TrustedRoot(#[from] TrustError),
    /// The trusted root names neither a log nor a certificate authority, so that nothing could ever be proven by it.
    #[error("the repository's trusted root names neither a log nor a certificate authority")]
    Empty,
    /// Nothing of this repository is in the cache.
    #[error("nothing of this repository is in the cache")]
    CacheMissing,
    /// The cache file is damaged or belongs to another repository.
    #[error("the cache file of this repository is damaged")]
    CacheDamaged,
    /// The cache could not be read or written.
    #[error("the cache could not be {action}")]
    Cache {
        /// `read` or `written`.
        action: &'static str,
        /// What is wrong.
        #[source]
        source: std::io::Error,
    },
    /// The library refuses for a reason of its own.
    #[error("the repository is refused")]
    Refused {
        /// What the library says.
        #[source]
        source: sigstore_tuf::Error,
    },
}

impl TufError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Http(error) => error.code(),
            Self::Missing { .. } => "tuf.missing",
            Self::TooLarge { .. } => "tuf.too_large",
            Self::Json { .. } => "tuf.json",
            Self::Malformed { .. } => "tuf.malformed",
            Self::Signatures { .. } => "tuf.signatures",
            Self::KeyTwice { .. } => "tuf.key_twice",
            Self::RootVersion { .. } => "tuf.root_version",
            Self::RootChain { .. } => "tuf.root_chain",
            Self::Rollback { .. } => "tuf.rollback",
            Self::Expired { .. } => "tuf.expired",
            Self::Integrity { .. } => "tuf.integrity",
            Self::TargetPath { .. } => "tuf.target_path",
            Self::TargetMissing { .. } => "tuf.target_missing",
            Self::TrustedRoot(error) => error.code(),
            Self::Empty => "tuf.empty",
            Self::CacheMissing => "tuf.cache_missing",
            Self::CacheDamaged => "tuf.cache_damaged",
            Self::Cache { .. } => "tuf.cache",
            Self::Refused { .. } => "tuf.refused",
        }
    }

    /// Sorts what the library says by its meaning.
    pub(super) fn from_library(error: sigstore_tuf::Error) -> Self {
        use sigstore_tuf::Error;
        match error {
            Error::Rollback { role, trusted, new } => Self::Rollback {
                role,
                seen: trusted,
                found: new,
            },
            Error::BadRootVersion { trusted, new } => Self::RootVersion {
                expected: trusted.saturating_add(1),
                found: new,
            },
            Error::Expired { role, expires } => Self::Expired {
                role,
                expires: expires.to_string(),
            },
            Error::TargetNotFound(path) => Self::TargetMissing { path },
            Error::Json(_) | Error::Malformed(_) | Error::NonIntegerNumber => {
                Self::Malformed { source: error }
            }
            Error::ThresholdNotMet { .. }
            | Error::DuplicateSignature { .. }
            | Error::UnknownRole(_)
            | Error::UnusableKey { .. }
            | Error::UnsupportedScheme { .. }
            | Error::Crypto(_) => Self::Signatures { source: error },
            Error::IntegrityMismatch(_) => Self::Integrity { source: error },
            _ => Self::Refused { source: error },
        }
    }
}
