//! Names of git objects: 40 (SHA-1) or 64 (SHA-256) lowercase hex digits, one type for each kind of object.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::strict_json;

/// A text that is not the name of a git object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a git object name is 40 or 64 lowercase hex digits, found {found} bytes of something else")]
pub struct GitIdError {
    /// How many bytes the text has.
    pub found: usize,
}

impl GitIdError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        "git_id.malformed"
    }
}

/// The hash function that a repository names its objects with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectFormat {
    /// SHA-1, 40 hex digits.
    Sha1,
    /// SHA-256, 64 hex digits.
    Sha256,
}

impl ObjectFormat {
    /// Returns the number of hex digits in a name.
    pub fn hex_len(self) -> usize {
        match self {
            Self::Sha1 => 40,
            Self::Sha256 => 64,
        }
    }
}

impl fmt::Display for ObjectFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        })
    }
}

fn is_name(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

macro_rules! git_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Returns the hex digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the hash function that this name was made with.
            pub fn object_format(&self) -> ObjectFormat {
                if self.0.len() == 40 { ObjectFormat::Sha1 } else { ObjectFormat::Sha256 }
            }
        }

        impl FromStr for $name {
            type Err = GitIdError;

            fn from_str(text: &str) -> Result<Self, GitIdError> {
                if is_name(text) { Ok(Self(text.into())) } else { Err(GitIdError { found: text.len() }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                strict_json::parse_str(deserializer, "a git object name", |text| {
                    text.parse::<Self>().map_err(|error| (error.code(), error))
                })
            }
        }
    };
}

git_id! {
    /// The name of a commit.
    GitCommitId
}
git_id! {
    /// The name of a tree.
    GitTreeId
}
git_id! {
    /// The name of a blob; for a gitlink, the name of the submodule's commit.
    GitBlobId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_139_a_name_has_the_length_of_its_hash() {
        for length in [39, 41, 63, 65, 0] {
            assert_eq!(
                "a".repeat(length).parse::<GitCommitId>().unwrap_err().code(),
                "git_id.malformed"
            );
        }
        assert_eq!(
            "a".repeat(40).parse::<GitCommitId>().unwrap().object_format(),
            ObjectFormat::Sha1
        );
        assert_eq!(
            "a".repeat(64).parse::<GitTreeId>().unwrap().object_format(),
            ObjectFormat::Sha256
        );
        assert_eq!(ObjectFormat::Sha256.hex_len(), 64);
    }

    #[test]
    fn case_15_a_name_is_lowercase_hex() {
        for text in ["A".repeat(40), "g".repeat(40), format!("{}é", "a".repeat(38))] {
            assert_eq!(text.parse::<GitBlobId>().unwrap_err().code(), "git_id.malformed");
        }
    }
}
