//! Reads refs by their full names, from the files that git keeps them in; for the reftable format through the hardened
//! git program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gix_hash::ObjectId;
use unicode_normalization::UnicodeNormalization as _;

use crate::error::GitError;
use crate::limits;
use crate::open::read_control;
use crate::packed_refs::PackedRefs;
use crate::program::Session;

/// What a ref holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Object(ObjectId),
    Symbolic(String),
}

/// Refs by name, each with its id where it holds one.
pub(crate) type Listed = BTreeMap<String, Option<ObjectId>>;

/// The refs of one repository.
#[derive(Debug)]
pub(crate) struct Refs {
    pub(crate) git_dir: PathBuf,
    pub(crate) common_dir: PathBuf,
    pub(crate) format: gix_hash::Kind,
    pub(crate) reftable: bool,
    packed: PackedRefs,
}

/// Whether a full name obeys git's rules for refs (`git check-ref-format`), and also has no control or
/// direction-changing characters and no component that begins with `-`.
pub(crate) fn is_ref_name(name: &str) -> bool {
    let misleading = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let forbidden = |c: char| matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\') || misleading(c);
    let bad_part = |part: &str| {
        part.is_empty() || part.starts_with(['.', '-']) || part.ends_with(".lock") || part.ends_with('.')
    };
    name.len() <= limits::MAX_REF_NAME_BYTES
        && !name.contains(forbidden)
        && !name.contains("..")
        && !name.contains("@{")
        && name != "@"
        && !name.split('/').any(bad_part)
}

impl Refs {
    /// Prepares reading the refs of a git folder; `common_dir` differs from it in a linked work tree.
    pub(crate) fn at(git_dir: &Path, common_dir: &Path, format: gix_hash::Kind, reftable: bool) -> Self {
        let packed = PackedRefs::at(common_dir.join("packed-refs"));
        Self {
            git_dir: git_dir.to_owned(),
            common_dir: common_dir.to_owned(),
            format,
            reftable,
            packed,
        }
    }

    /// Reads one ref. `None` when there is none.
    pub(crate) fn read(&self, name: &str, session: Option<&Session>) -> Result<Option<Value>, GitError> {
        if self.reftable {
            return self.read_reftable(name, session);
        }
        let folder = if name.starts_with("refs/") {
            &self.common_dir
        } else {
            &self.git_dir
        };
        let path = folder.join(name);
        match read_loose(&path) {
            Ok(Some(bytes)) => return self.parse_loose(name, &bytes).map(Some),
            Ok(None) => {}
            Err(_) => {
                return Err(GitError::RefUnreadable {
                    name: name.to_owned(),
                });
            }
        }
        if !name.starts_with("refs/") {
            return Ok(None);
        }
        self.read_packed(name)
    }

    /// Follows symbolic refs to an object.
    pub(crate) fn resolve(
        &self,
        name: &str,
        session: Option<&Session>,
    ) -> Result<Option<(String, ObjectId)>, GitError> {
        let mut name = name.to_owned();
        for _ in 0..limits::MAX_SYMBOLIC_REFS {
            match self.read(&name, session)? {
                None => return Ok(None),
                Some(Value::Object(id)) => return Ok(Some((name, id))),
                Some(Value::Symbolic(next)) => name = next,
            }
        }
        Err(GitError::RefUnreadable { name })
    }

    /// Lists all refs below `prefix` (which ends with a slash) in the order of their names.
    pub(crate) fn list(&self, prefix: &str, session: Option<&Session>) -> Result<Listed, GitError> {
        let mut found = BTreeMap::new();
        if self.reftable {
            let session = session.ok_or(GitError::ProgramMissing)?;
            let lines = session.lines(&["for-each-ref", "--format=%(objectname) %(refname)", prefix])?;
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let text = String::from_utf8_lossy(line);
                let (id, name) = text.split_once(' ').unwrap_or((&text, ""));
                found.insert(name.to_owned(), ObjectId::from_hex(id.as_bytes()).ok());
            }
            return Ok(found);
        }
        self.list_packed(prefix, &mut found)?;
        let folder = self.common_dir.join(prefix.trim_end_matches('/'));
        self.list_loose(&folder, prefix, 0, &mut found)?;
        Ok(found)
    }

    /// Refuses a name that has a twin where case or Unicode form does not count.
    pub(crate) fn refuse_twins(&self, name: &str, session: Option<&Session>) -> Result<(), GitError> {
        let prefix = match name.match_indices('/').nth(1) {
            Some((end, _)) => &name[..=end],
            None => return Ok(()),
        };
        let folded = fold(name);
        let all = self.list(prefix, session)?;
        match all
            .keys()
            .find(|other| other.as_str() != name && fold(other) == folded)
        {
            None => Ok(()),
            Some(twin) => Err(GitError::RefCollision {
                name: name.to_owned(),
                twin: twin.clone(),
            }),
        }
    }

    fn parse_loose(&self, name: &str, bytes: &[u8]) -> Result<Value, GitError> {
        let unreadable = || GitError::RefUnreadable {
            name: name.to_owned(),
        };
        let text = std::str::from_utf8(bytes.trim_ascii_end()).map_err(|_| unreadable())?;
        if let Some(target) = text.strip_prefix("ref:") {
            let target = target.trim_start_matches([' ', '\t']);
            if target.starts_with("refs/") && is_ref_name(target) {
                return Ok(Value::Symbolic(target.to_owned()));
            }
            return Err(unreadable());
        }
        self.parse_id(text).map(Value::Object).ok_or_else(unreadable)
    }

    fn parse_id(&self, text: &str) -> Option<ObjectId> {
        ObjectId::from_hex(text.as_bytes())
            .ok()
            .filter(|id| id.kind() == self.format && !id.is_null())
    }

    fn read_packed(&self, name: &str) -> Result<Option<Value>, GitError> {
        let mut value = None;
        self.packed.each_below(name, |id, found| {
            if found == name {
                let unreadable = || GitError::RefUnreadable {
                    name: name.to_owned(),
                };
                value = Some(Value::Object(self.parse_id(id).ok_or_else(unreadable)?));
            }
            Ok(())
        })?;
        Ok(value)
    }

    fn list_packed(&self, prefix: &str, found: &mut Listed) -> Result<(), GitError> {
        self.packed.each_below(prefix, |id, name| {
            found.insert(name.to_owned(), self.parse_id(id));
            refuse_too_many(found, prefix)
        })
    }

    fn list_loose(
        &self,
        folder: &Path,
        prefix: &str,
        depth: usize,
        found: &mut Listed,
    ) -> Result<(), GitError> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(());
            }
            Err(source) => {
                return Err(GitError::Io {
                    path: folder.to_owned(),
                    source,
                });
            }
        };
        for entry in entries {
            let entry = entry.map_err(GitError::io(folder))?;
            let kind = entry.file_type().map_err(GitError::io(entry.path()))?;
            let Some(part) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            let name = format!("{prefix}{part}");
            if kind.is_dir() && depth < 32 {
                self.list_loose(&entry.path(), &format!("{name}/"), depth + 1, found)?;
            } else if !kind.is_dir() && is_ref_name(&name) {
                let value = read_loose(&entry.path()).ok().flatten();
                let id = match value.map(|bytes| self.parse_loose(&name, &bytes)) {
                    Some(Ok(Value::Object(id))) => Some(id),
                    _ => None,
                };
                found.insert(name, id);
                refuse_too_many(found, prefix)?;
            }
        }
        Ok(())
    }

    fn read_reftable(&self, name: &str, session: Option<&Session>) -> Result<Option<Value>, GitError> {
        let session = session.ok_or(GitError::ProgramMissing)?;
        let output = session.run(&["show-ref", "--verify", "--hash", "--", name], &[])?;
        match output.status {
            Some(0) => {
                let text = String::from_utf8_lossy(&output.stdout);
                let id = self.parse_id(text.trim_end());
                id.map(|id| Some(Value::Object(id)))
                    .ok_or_else(|| GitError::RefUnreadable {
                        name: name.to_owned(),
                    })
            }
            Some(_) => Ok(None),
            None => Err(GitError::UnexpectedOutput {
                command: "show-ref".to_owned(),
            }),
        }
    }
}

fn refuse_too_many(found: &Listed, prefix: &str) -> Result<(), GitError> {
    if found.len() <= limits::MAX_REFS {
        return Ok(());
    }
    Err(GitError::EvidenceCap {
        ref_name: prefix.to_owned(),
        limit: limits::MAX_REFS as u64,
        unit: "refs",
    })
}

/// Reads a loose ref. A symlink is not followed: its target could be any file.
fn read_loose(path: &Path) -> Result<Option<Vec<u8>>, GitError> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => match read_control(path, limits::MAX_REF_BYTES) {
            Err(GitError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        },
        // A folder of that name holds other refs; an empty one is left behind by git.
        Ok(metadata) if metadata.is_dir() => Ok(None),
        Ok(_) => Err(GitError::RefUnreadable {
            name: path.display().to_string(),
        }),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(source) => Err(GitError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Maps names that some file systems take for one to one text.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_171_ref_names_that_are_options_or_mislead() {
        for bad in [
            "-x",
            "refs/heads/-x",
            "refs/heads/a\u{7}b",
            "refs/heads/a\u{202e}b",
            "refs/heads/a b",
            "refs/heads/..",
            "refs/heads/a..b",
            "refs/heads/.a",
            "refs/heads/a.lock",
            "refs//a",
            "/refs/a",
            "refs/a/",
            "refs/a@{1}",
            "refs/a\\b",
            "refs/a\nb",
            "refs/a:b",
            "refs/a^",
            "refs/a~1",
            "refs/a*",
            "@",
            "",
            "refs/\u{feff}a",
        ] {
            assert!(!is_ref_name(bad), "{bad:?}");
        }
        for good in [
            "refs/heads/main",
            "refs/heads/ä",
            "refs/heads/a-b",
            "HEAD",
            "refs/tags/v1.0",
        ] {
            assert!(is_ref_name(good), "{good:?}");
        }
        assert_eq!(fold("refs/heads/\u{e9}"), fold("refs/heads/E\u{301}"));
        assert_eq!(fold("refs/heads/Main"), fold("refs/heads/main"));
    }
}
