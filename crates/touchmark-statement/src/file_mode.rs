//! The five file modes that git writes in trees.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::strict_json;

/// A text or number that is none of git's five modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a git file mode is 100644, 100755, 120000, 160000 or 040000")]
pub struct FileModeError;

impl FileModeError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        "mode.unknown"
    }
}

/// What a tree entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileMode {
    /// `100644`, a file.
    Regular,
    /// `100755`, a file that may be run.
    Executable,
    /// `120000`, a symbolic link.
    Symlink,
    /// `160000`, a submodule's commit.
    Gitlink,
    /// `040000`, a directory.
    Tree,
}

impl FileMode {
    /// Returns the six octal digits.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Gitlink => "160000",
            Self::Tree => "040000",
        }
    }

    /// Returns the mode for the number that a tree object holds.
    pub fn from_bits(bits: u32) -> Result<Self, FileModeError> {
        match bits {
            0o100_644 => Ok(Self::Regular),
            0o100_755 => Ok(Self::Executable),
            0o120_000 => Ok(Self::Symlink),
            0o160_000 => Ok(Self::Gitlink),
            0o040_000 => Ok(Self::Tree),
            _ => Err(FileModeError),
        }
    }

    /// Returns whether the entry is a file, runnable or not.
    pub fn is_file(self) -> bool {
        matches!(self, Self::Regular | Self::Executable)
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FileMode {
    type Err = FileModeError;

    fn from_str(text: &str) -> Result<Self, FileModeError> {
        let modes = [
            Self::Regular,
            Self::Executable,
            Self::Symlink,
            Self::Gitlink,
            Self::Tree,
        ];
        modes
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or(FileModeError)
    }
}

impl Serialize for FileMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FileMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict_json::parse_str(deserializer, "a git file mode", |text| {
            text.parse::<Self>().map_err(|error| (error.code(), error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_five_modes_and_no_other() {
        for text in ["100644", "100755", "120000", "160000", "040000"] {
            let mode: FileMode = text.parse().unwrap();
            assert_eq!(mode.to_string(), text);
            assert_eq!(
                FileMode::from_bits(u32::from_str_radix(text, 8).unwrap()),
                Ok(mode)
            );
        }
        for text in ["100664", "40000", "0100644", "100644 ", ""] {
            assert_eq!(text.parse::<FileMode>(), Err(FileModeError), "{text}");
        }
        assert_eq!(FileMode::from_bits(0o100_664), Err(FileModeError));
    }
}
