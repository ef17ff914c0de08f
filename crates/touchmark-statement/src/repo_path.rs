//! Paths inside a repository.
//!
//! Git paths are bytes. In JSON a path is a string where the bytes are UTF-8, else `{"bytes": <base64>}`; each path
//! has exactly one of the two forms. A path is relative, has no empty, `.` or `..` component, no NUL, and no component
//! that a checkout could take for `.git` on a case-folding or Windows file system. Everything else that git can store
//! (control bytes, backslashes, invalid UTF-8) is kept, because a hostile tree must be describable.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::MAX_PATH_BYTES;
use crate::strict_json;

/// Why bytes are not a path inside a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepoPathError {
    /// There are no bytes.
    #[error("a path is not empty")]
    Empty,
    /// There are too many bytes.
    #[error("a path has at most {MAX_PATH_BYTES} bytes, this one has {found}")]
    TooLong {
        /// The number of bytes.
        found: usize,
    },
    /// A NUL byte.
    #[error("a path has no NUL byte")]
    Nul,
    /// A leading, trailing or doubled `/`.
    #[error("a path has no leading, trailing or doubled slash")]
    EmptyComponent,
    /// A `.` or `..` component.
    #[error("a path has no `.` or `..` component")]
    DotComponent,
    /// A component that is, or can be taken for, `.git`.
    #[error("a path has no component that can be taken for `.git`")]
    GitFolder,
    /// The `{"bytes": ...}` form with bytes that are UTF-8, or with base64 that is not canonical.
    #[error("only a path that is not UTF-8 is written as canonical base64 in `bytes`")]
    NotCanonical,
}

impl RepoPathError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "path.empty",
            Self::TooLong { .. } => "path.too_long",
            Self::Nul => "path.nul",
            Self::EmptyComponent => "path.empty_component",
            Self::DotComponent => "path.dot_component",
            Self::GitFolder => "path.git_folder",
            Self::NotCanonical => "path.not_canonical",
        }
    }
}

/// A path inside a repository, as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Box<[u8]>);

impl RepoPath {
    /// Checks and wraps the bytes of a path.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RepoPathError> {
        if bytes.is_empty() {
            return Err(RepoPathError::Empty);
        }
        if bytes.len() > MAX_PATH_BYTES {
            return Err(RepoPathError::TooLong { found: bytes.len() });
        }
        if bytes.contains(&0) {
            return Err(RepoPathError::Nul);
        }
        for component in bytes.split(|byte| *byte == b'/') {
            match component {
                b"" => return Err(RepoPathError::EmptyComponent),
                b"." | b".." => return Err(RepoPathError::DotComponent),
                other if names_git_folder(other) => return Err(RepoPathError::GitFolder),
                _ => {}
            }
        }
        Ok(Self(bytes.into()))
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path as text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Returns the path as text with U+FFFD in place of what is not UTF-8; for display only.
    pub fn to_string_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

/// Whether a component is `.git` after what NTFS and HFS+ do to names.
fn names_git_folder(component: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(component) else {
        return false;
    };
    // NTFS: a stream suffix names the same folder; trailing dots and spaces are dropped.
    let text = text.split(':').next().unwrap_or(text);
    // HFS+: these code points are ignored in comparisons (git's `is_hfs_dotgit`).
    let ignorable = |character: char| matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let folded: String = text.chars().filter(|character| !ignorable(*character)).collect();
    let folded = folded.trim_end_matches([' ', '.']).to_ascii_lowercase();
    folded == ".git" || folded == "git~1"
}

impl fmt::Display for RepoPath {
    /// Writes the path with control characters escaped and what is not UTF-8 as `\xNN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() || character == '\\' {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    write!(f, "{character}")?;
                }
            }
            chunk
                .invalid()
                .iter()
                .try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepoPath({self})")
    }
}

impl FromStr for RepoPath {
    type Err = RepoPathError;

    fn from_str(text: &str) -> Result<Self, RepoPathError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_str() {
            Some(text) => serializer.serialize_str(text),
            None => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("bytes", &STANDARD.encode(&self.0))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathVisitor)
    }
}

struct PathVisitor;

impl<'de> Visitor<'de> for PathVisitor {
    type Value = RepoPath;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path, or an object with its `bytes` in base64")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RepoPath, E> {
        text.parse::<RepoPath>()
            .map_err(|error| strict_json::invalid(error.code(), error))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RepoPath, A::Error> {
        let refused = |error: RepoPathError| strict_json::invalid(error.code(), error);
        let Some("bytes") = map.next_key::<String>()?.as_deref() else {
            return Err(refused(RepoPathError::NotCanonical));
        };
        let encoded: String = map.next_value()?;
        if map.next_key::<String>()?.is_some() {
            return Err(refused(RepoPathError::NotCanonical));
        }
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| refused(RepoPathError::NotCanonical))?;
        if std::str::from_utf8(&bytes).is_ok() {
            return Err(refused(RepoPathError::NotCanonical));
        }
        RepoPath::from_bytes(&bytes).map_err(refused)
    }
}

#[cfg(test)]
mod tests;
