//! The lockfiles of one tree.

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::repo_path::RepoPath;

use crate::error::LockfileError;
use crate::limits::{MAX_LOCKFILE_BYTES, MAX_LOCKFILES, MAX_TREE_BYTES};
use crate::lockfile::Kind;
use crate::reading::Resolution;
use crate::tree::{Tree, TreeError};

/// One lockfile of a tree, read or unread.
#[derive(Debug, Clone)]
pub struct Lockfile {
    /// Where it is.
    pub path: RepoPath,
    /// Its kind.
    pub kind: Kind,
    /// The digest of its bytes; absent where they could not be had.
    pub sha256: Option<Sha256Digest>,
    /// Files beside it that were read too, with their digests.
    pub beside: Vec<(RepoPath, Option<Sha256Digest>)>,
    /// How many bytes were read for it.
    pub bytes: u64,
    /// What it says, or why it is unread.
    pub outcome: Result<std::sync::Arc<Resolution>, std::sync::Arc<LockfileError>>,
}

impl Lockfile {
    /// Returns why not everything that the lockfile says is known, if so.
    pub fn code(&self) -> Option<&'static str> {
        match &self.outcome {
            Err(error) => Some(error.code()),
            Ok(resolution) if resolution.skipped > 0 => Some("lockfile.skipped"),
            Ok(_) => None,
        }
    }

    /// Returns whether the outcome depends on the lockfile alone, and not on how many others the tree has.
    fn is_own_outcome(&self) -> bool {
        let error = self.outcome.as_ref().err().map(AsRef::as_ref);
        !matches!(error, Some(LockfileError::TooMany | LockfileError::TooMuch))
    }

    /// Returns whether the lockfile says all that its format can say, and all of it was understood.
    pub fn is_complete(&self) -> bool {
        self.outcome
            .as_ref()
            .is_ok_and(|resolution| resolution.complete && resolution.skipped == 0)
    }
}

/// The lockfiles of one tree, in the byte order of their paths.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    lockfiles: Vec<Lockfile>,
}

impl Inventory {
    /// Reads the lockfiles among `paths`. Each of `known`, which the caller says is the same in this tree, with all
    /// that was read beside it, is taken over instead of read again.
    pub fn of(tree: &dyn Tree, paths: &[RepoPath], known: &[&Lockfile]) -> Self {
        let mut paths: Vec<(&RepoPath, Kind)> = paths
            .iter()
            .filter_map(|path| Some((path, Kind::of(path.as_bytes())?)))
            .collect();
        paths.sort();
        paths.dedup();
        let mut bytes_left = MAX_TREE_BYTES;
        let mut lockfiles = Vec::with_capacity(paths.len());
        for (number, (path, kind)) in paths.into_iter().enumerate() {
            let reusable = known
                .iter()
                .find(|known| known.path == *path && known.is_own_outcome());
            if let Some(known) = reusable
                && let Some(left) = bytes_left.checked_sub(known.bytes)
                && number < MAX_LOCKFILES
            {
                bytes_left = left;
                lockfiles.push((*known).clone());
                continue;
            }
            let before = bytes_left;
            let mut neighbours = Neighbours {
                tree,
                bytes_left: &mut bytes_left,
                beside: Vec::new(),
            };
            let (sha256, outcome) = if number < MAX_LOCKFILES {
                read(path, kind, &mut neighbours)
            } else {
                (None, Err(LockfileError::TooMany))
            };
            lockfiles.push(Lockfile {
                path: path.clone(),
                kind,
                sha256,
                beside: neighbours.beside,
                bytes: before - bytes_left,
                outcome: match outcome {
                    Ok(resolution) => Ok(resolution.into()),
                    Err(error) => Err(error.into()),
                },
            });
        }
        Self { lockfiles }
    }

    /// Returns the lockfiles.
    pub fn lockfiles(&self) -> &[Lockfile] {
        &self.lockfiles
    }
}

fn read(
    path: &RepoPath,
    kind: Kind,
    neighbours: &mut Neighbours<'_>,
) -> (Option<Sha256Digest>, Result<Resolution, LockfileError>) {
    let bytes = match neighbours.read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return (None, Err(LockfileError::NotAFile)),
        Err(error) => return (None, Err(error)),
    };
    let sha256 = Some(Sha256Digest::of(&bytes));
    (sha256, kind.read(path, &bytes, neighbours))
}

/// The files around a lockfile, for the formats that consist of more than one.
pub(crate) struct Neighbours<'a> {
    tree: &'a dyn Tree,
    bytes_left: &'a mut u64,
    beside: Vec<(RepoPath, Option<Sha256Digest>)>,
}

impl Neighbours<'_> {
    fn read(&mut self, path: &RepoPath) -> Result<Option<Vec<u8>>, LockfileError> {
        let bytes = match self.tree.read(path, MAX_LOCKFILE_BYTES) {
            Err(TreeError::TooLarge) => return Err(LockfileError::TooLarge),
            outcome => outcome?,
        };
        let length = bytes.as_ref().map_or(0, Vec::len) as u64;
        if length > MAX_LOCKFILE_BYTES {
            return Err(LockfileError::TooLarge);
        }
        *self.bytes_left = self
            .bytes_left
            .checked_sub(length)
            .ok_or(LockfileError::TooMuch)?;
        Ok(bytes)
    }

    /// Reads a file beside the lockfile and notes that it was read, or that it is not there.
    pub(crate) fn beside(&mut self, path: &RepoPath) -> Result<Option<Vec<u8>>, LockfileError> {
        let outcome = self.read(path);
        let digest = outcome
            .as_ref()
            .ok()
            .and_then(|bytes| bytes.as_deref().map(Sha256Digest::of));
        self.beside.push((path.clone(), digest));
        outcome
    }
}

/// Returns the path of a file named in another file's folder; none where it leads out of the tree.
pub(crate) fn join(file: &RepoPath, relative: &str) -> Option<RepoPath> {
    let mut components: Vec<&[u8]> = file.as_bytes().split(|byte| *byte == b'/').collect();
    components.pop();
    for component in relative.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                components.pop()?;
            }
            other => components.push(other.as_bytes()),
        }
    }
    if relative.starts_with('/') {
        return None;
    }
    RepoPath::from_bytes(&components.join(&b'/')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tool;
    use crate::format::tests::Files;

    fn tool() -> Tool {
        Tool {
            name: "t".to_owned(),
            version: "1".to_owned(),
        }
    }

    /// What is taken over from another tree is what would be read.
    #[test]
    fn a_document_is_of_the_tree_alone() {
        let files = Files::of([
            (
                "a/go.mod",
                b"module m\ngo 1.21\nrequire example.com/a v1.0.0\n".as_slice(),
            ),
            ("a/go.sum", b"example.com/a v1.0.0 h1:x\n"),
            ("b/requirements.txt", b"-r more.in\nleft==1.0.0\n"),
            ("b/more.in", b"right==2.0.0\n"),
            ("c/bun.lock", b"{}"),
        ]);
        let alone = files.inventory();
        let known: Vec<&Lockfile> = alone.lockfiles().iter().collect();
        let again = Inventory::of(&files, &files.paths(), &known);
        assert_eq!(alone.cyclonedx(&tool()), again.cyclonedx(&tool()));
        assert_eq!(alone.lockfiles().len(), 3);
        let beside = alone.lockfiles().iter().map(|lockfile| lockfile.beside.len());
        assert_eq!(beside.collect::<Vec<_>>(), [1, 1, 0]);
    }

    #[test]
    fn all_lockfiles_of_a_tree_have_one_limit() {
        let large = vec![b' '; MAX_LOCKFILE_BYTES as usize - 1];
        let names = ["a", "b", "c", "d", "e"].map(|folder| format!("{folder}/yarn.lock"));
        let files = Files(names.iter().map(|name| (name.clone(), large.clone())).collect());
        let alone = files.inventory();
        let codes: Vec<Option<&str>> = alone.lockfiles().iter().map(Lockfile::code).collect();
        assert_eq!(codes, [None, None, None, None, Some("lockfile.too_much")]);
        let known: Vec<&Lockfile> = alone.lockfiles().iter().collect();
        let again = Inventory::of(&files, &files.paths(), &known);
        let codes: Vec<Option<&str>> = again.lockfiles().iter().map(Lockfile::code).collect();
        assert_eq!(codes, [None, None, None, None, Some("lockfile.too_much")]);
        let one = Inventory::of(&files, &files.paths()[4..], &known);
        assert_eq!(one.lockfiles()[0].code(), None);
    }

    #[test]
    fn a_path_leads_nowhere_but_into_the_tree() {
        let file: RepoPath = "a/b/requirements.txt".parse().expect("a path");
        for (relative, expected) in [
            ("c.in", Some("a/b/c.in")),
            ("./../c.in", Some("a/c.in")),
            ("../../c.in", Some("c.in")),
            ("../../../c.in", None),
            ("/etc/passwd", None),
            ("", Some("a/b")),
            ("../../.git/config", None),
        ] {
            assert_eq!(
                join(&file, relative),
                expected.and_then(|path| path.parse().ok()),
                "{relative}"
            );
        }
    }
}
