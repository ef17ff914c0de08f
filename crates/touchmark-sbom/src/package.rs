//! One package as a lockfile tells of it.

use crate::purl::Purl;

/// A package that a lockfile lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The name, as the lockfile spells it.
    pub name: String,
    /// The version; absent where none is pinned.
    pub version: Option<String>,
    /// What is asked for where no version is pinned.
    pub requirement: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// Its package URL; absent for what is part of the tree itself.
    pub purl: Option<Purl>,
    /// Hashes of the package's one file, or of any of its files where the lockfile does not tell them apart.
    pub hashes: Vec<Hash>,
    /// Its files, where the lockfile tells several apart.
    pub files: Vec<Artifact>,
    /// What it is needed for.
    pub scope: Scope,
    /// The packages that it depends on, by position; absent where the lockfile does not say.
    pub dependencies: Option<Vec<usize>>,
    /// What the lockfile says beside, by name.
    pub notes: Vec<(&'static str, String)>,
}

/// Where a package comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The registry that the package manager uses when nobody says otherwise, or one that the lockfile does not name.
    #[default]
    Registry,
    /// Another registry.
    OtherRegistry {
        /// Its address.
        url: String,
    },
    /// A commit of a git repository.
    Git {
        /// The repository's address.
        url: String,
        /// The commit, or what is asked for.
        revision: Option<String>,
    },
    /// One file at an address.
    Archive {
        /// The address.
        url: String,
    },
    /// A folder or file of the tree itself, or beside it.
    Local {
        /// The folder, as the lockfile spells it.
        path: String,
    },
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Artifact {
    /// Its address or its name.
    pub location: String,
    /// Its hashes.
    pub hashes: Vec<Hash>,
}

/// A hash of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash {
    /// The hash function.
    pub algorithm: Algorithm,
    /// Lowercase hex.
    pub hex: String,
}

/// A hash function that both lockfiles and CycloneDX know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Returns the name as CycloneDX spells it.
    pub fn cyclonedx(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Returns the length of a digest in bytes.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What a package is needed for. The order is from weak to strong: what is needed twice is needed for the stronger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Development or tests only.
    Development,
    /// Left out where it cannot be had.
    Optional,
    /// Needed, or not told.
    #[default]
    Required,
}
