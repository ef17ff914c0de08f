//! The path of a target: relative, and never a way out of the folder that it is below.

use std::fmt;
use std::str::FromStr;

use super::error::TufError;
use crate::limits::MAX_TARGET_PATH_BYTES;

/// A path below the repository's targets: names between slashes, printable ASCII, nothing that a file system or an
/// address would read as anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPath(String);

impl TargetPath {
    /// Returns one of our own targets.
    pub(super) fn known(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// Returns the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TargetPath {
    type Err = TufError;

    fn from_str(text: &str) -> Result<Self, TufError> {
        let fits = text.len() <= MAX_TARGET_PATH_BYTES && text.split('/').all(is_name);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(TufError::TargetPath {
                found: text.chars().take(100).collect(),
            })
        }
    }
}

impl fmt::Display for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Tells whether a name is one name on every system and in every address.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !br#"\:*?"<>|%#"#.contains(&byte);
    !name.is_empty()
        && name.bytes().all(plain)
        && !name.ends_with('.')
        && !name.starts_with("..")
        && !is_device(name)
}

/// Names that Windows gives to devices, whatever follows the first dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_127_paths_that_lead_elsewhere_are_refused() {
        for path in [
            "../evil",
            "a/../../evil",
            "/etc/passwd",
            "a//b",
            "",
            ".",
            "..",
            "a/",
            "C:\\evil",
            "C:evil",
            "a\\b",
            "CON",
            "nul.json",
            "com1",
            "dir/LPT9.txt",
            "%2e%2e/evil",
            "a?b",
            "a#b",
            "a b",
            "a\u{0}b",
            "a\nb",
            "b\u{e9}",
            "x.",
        ] {
            assert_eq!(
                path.parse::<TargetPath>().unwrap_err().code(),
                "tuf.target_path",
                "{path:?}"
            );
        }
        let long = "a".repeat(MAX_TARGET_PATH_BYTES + 1);
        assert_eq!(long.parse::<TargetPath>().unwrap_err().code(), "tuf.target_path");
        for path in [
            "trusted_root.json",
            "registry.example/keys.json",
            ".hidden",
            "console.json",
            "a+b~c=d@1",
        ] {
            assert!(path.parse::<TargetPath>().is_ok(), "{path}");
        }
    }
}
