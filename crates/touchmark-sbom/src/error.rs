//! Why a lockfile is not read.

use touchmark_statement::strict_json::JsonError;

use crate::limits::{MAX_DEPTH, MAX_EDGES, MAX_LOCKFILE_BYTES, MAX_LOCKFILES, MAX_PACKAGES, MAX_VALUES};
use crate::tree::TreeError;

/// Why a lockfile is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockfileError {
    /// The file has more bytes than are read.
    #[error("the lockfile has more than {MAX_LOCKFILE_BYTES} bytes")]
    TooLarge,
    /// The lockfiles of the tree have more bytes or packages together than are read.
    #[error("the lockfiles of this tree have too many bytes or packages together")]
    TooMuch,
    /// The tree has more lockfiles than are read.
    #[error("the tree has more than {MAX_LOCKFILES} lockfiles")]
    TooMany,
    /// Values nest deeper than is read.
    #[error("values nest deeper than {MAX_DEPTH}")]
    TooDeep,
    /// There are more packages, edges or values than are read.
    #[error(
        "there are more entries than are read: {MAX_PACKAGES} packages, {MAX_EDGES} edges, {MAX_VALUES} values"
    )]
    TooManyEntries,
    /// The bytes are not UTF-8.
    #[error("the lockfile is not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// The first byte that is not part of UTF-8 text.
        offset: usize,
    },
    /// The bytes are not the JSON that means one thing only.
    #[error("the lockfile's JSON is refused")]
    Json(#[from] JsonError),
    /// The bytes are not TOML.
    #[error("the lockfile is not TOML")]
    Toml {
        /// What the parser said.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The bytes are not YAML.
    #[error("the lockfile is not YAML at line {line}")]
    Yaml {
        /// Where, counted from 1.
        line: usize,
    },
    /// A YAML alias or merge, which could make a small file large; no package manager writes one.
    #[error("the lockfile has a YAML alias at line {line}")]
    Alias {
        /// Where, counted from 1.
        line: usize,
    },
    /// A key stands twice in one table.
    #[error("key {key:?} stands twice in one table")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A line that the format does not know.
    #[error("line {line} is not understood")]
    Line {
        /// Where, counted from 1.
        line: usize,
    },
    /// A value that the format requires is missing or of another type.
    #[error("{what} is missing or of another type")]
    Shape {
        /// Which value.
        what: &'static str,
    },
    /// The lockfile is of a version that is not read.
    #[error("version {found:?} of this format is not read")]
    Version {
        /// The version found.
        found: String,
    },
    /// The lockfile is of a kind that is known by name only.
    #[error("lockfiles of this kind are not read")]
    Unsupported,
    /// There is no regular file at the path: a symlink, a submodule, or nothing.
    #[error("there is no regular file at this path")]
    NotAFile,
    /// The tree could not give the bytes.
    #[error("the bytes could not be read")]
    Tree(#[from] TreeError),
}

impl LockfileError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "lockfile.too_large",
            Self::TooMuch => "lockfile.too_much",
            Self::TooMany => "lockfile.too_many",
            Self::TooDeep => "lockfile.too_deep",
            Self::TooManyEntries => "lockfile.too_many_entries",
            Self::NotUtf8 { .. } => "lockfile.not_utf8",
            Self::Json(JsonError::TooDeep { .. }) => "lockfile.too_deep",
            Self::Json(JsonError::DuplicateKey { .. }) => "lockfile.duplicate_key",
            Self::Json(_) => "lockfile.json",
            Self::Toml { .. } => "lockfile.toml",
            Self::Yaml { .. } => "lockfile.yaml",
            Self::Alias { .. } => "lockfile.yaml_alias",
            Self::DuplicateKey { .. } => "lockfile.duplicate_key",
            Self::Line { .. } => "lockfile.line",
            Self::Shape { .. } => "lockfile.shape",
            Self::Version { .. } => "lockfile.version",
            Self::Unsupported => "lockfile.unsupported",
            Self::NotAFile => "lockfile.not_a_file",
            Self::Tree(_) => "lockfile.unreadable",
        }
    }
}
