//! The lockfiles of one tree.

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::repo_path::RepoPath;

use crate::error::LockfileError;
use crate::limits::{MAX_LOCKFILE_BYTES, MAX_LOCKFILES, MAX_TREE_BYTES, MAX_TREE_PACKAGES};
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

    /// Returns how many packages the lockfile lists.
    fn packages(&self) -> usize {
        self.outcome
            .as_ref()
            .map_or(0, |resolution| resolution.packages.len())
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
        let (mut bytes_left, mut packages_left) = (MAX_TREE_BYTES, MAX_TREE_PACKAGES);
        let mut lockfiles = Vec::with_capacity(paths.len());
        for (number, (path, kind)) in paths.into_iter().enumerate() {
            let reusable = known
                .iter()
                .filter(|_| number < MAX_LOCKFILES)
                .find(|known| known.path == *path && known.is_own_outcome());
            if let Some(known) = reusable
                && let Some(left) = bytes_left.checked_sub(known.bytes)
                && let Some(rest) = packages_left.checked_sub(known.packages())
            {
                (bytes_left, packages_left) = (left, rest);
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
            let outcome = outcome.and_then(|resolution| {
                let left = packages_left.checked_sub(resolution.packages.len());
                packages_left = left.ok_or(LockfileError::TooMuch)?;
                Ok(resolution)
            });
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
    fn all_packages_of_a_tree_have_one_limit() {
        let lines: String = (0..100_000).map(|number| format!("g:a{number}:1=x\n")).collect();
        let folders = ["a", "b", "c", "d", "e", "f"];
        let mut files = Files(
            folders
                .map(|folder| (format!("{folder}/gradle.lockfile"), lines.clone().into_bytes()))
                .to_vec()
                .into_iter()
                .collect(),
        );
        files
            .0
            .insert("f/gradle.lockfile".to_owned(), b"g:a:1=x\n".to_vec());
        let alone = files.inventory();
        let codes: Vec<Option<&str>> = alone.lockfiles().iter().map(Lockfile::code).collect();
        let too_much = Some("lockfile.too_much");
        assert_eq!(codes, [None, None, None, None, too_much, too_much]);
        let known: Vec<&Lockfile> = alone.lockfiles().iter().collect();
        let again = Inventory::of(&files, &files.paths(), &known);
        let codes_again: Vec<Option<&str>> = again.lockfiles().iter().map(Lockfile::code).collect();
        assert_eq!(codes_again, codes);
    }

    /// Each name is sought in every folder above, and each of these is a long name.
    #[test]
    fn folders_that_nest_without_end_are_given_up() {
        let mut place = String::from("node_modules/a");
        let mut packages = Vec::new();
        for _ in 0..400 {
            place.push_str("/node_modules/a");
            let edges: Vec<String> = (0..100).map(|edge| format!("\"b{edge}\":\"1\"")).collect();
            let entry = format!(
                "\"{place}\":{{\"version\":\"1\",\"name\":\"a\",\"dependencies\":{{{}}}}}",
                edges.join(",")
            );
            packages.push(entry);
        }
        let text = format!(
            "{{\"lockfileVersion\":3,\"packages\":{{{}}}}}",
            packages.join(",")
        );
        let files = Files::of([("package-lock.json", text.as_bytes())]);
        assert_eq!(
            files.inventory().lockfiles()[0].code(),
            Some("lockfile.too_many_entries")
        );
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
