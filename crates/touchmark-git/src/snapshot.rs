//! The tree of uncommitted work, without touching the user's index, refs or files and without running anything that
//! the repository configures.
//!
//! Changed and new files are found by git's own plumbing on a shadow folder; a small temporary index takes in just them,
//! and the tree of the real index is edited accordingly, so that the cost of large repositories is that of looking at
//! their files. Filters named by attributes are unknown to the shadow's configuration, so content is stored as it is,
//! apart from git's built-in line ending rules.

mod edit;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use gix_hash::ObjectId;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_verify::git_view::GitView as _;

use crate::error::GitError;
use crate::program::Session;
use crate::repository::Repository;

/// The state of the work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The tree of everything that is there: committed, staged, changed and new files that are not ignored.
    pub tree: GitTreeId,
    /// The commit that HEAD points to, if there is one.
    pub head: Option<GitCommitId>,
    /// The tree of that commit.
    pub head_tree: Option<GitTreeId>,
}

impl Snapshot {
    /// Returns whether the work tree differs from HEAD.
    pub fn is_dirty(&self) -> bool {
        self.head_tree.as_ref() != Some(&self.tree)
    }
}

/// Paths that differ from the index.
#[derive(Default)]
struct Changed {
    /// Every path, NUL-terminated.
    paths: Vec<u8>,
    /// What the index holds for those of them that it holds, as `update-index --index-info` reads it.
    indexed: Vec<u8>,
    /// Whether the index holds several versions of a path, in the middle of a merge.
    unmerged: bool,
    /// Whether there are files that the index does not hold.
    new: bool,
}

/// Lists what differs from an index. Submodules are compared by the commit they are on: looking for changes inside would
/// run git there.
const TRACKED: [&str; 6] = [
    "diff-files",
    "-z",
    "--raw",
    "--no-abbrev",
    "--no-renames",
    "--ignore-submodules=dirty",
];
/// Lists what an index does not hold.
const OTHERS: [&str; 4] = ["ls-files", "-z", "--others", "--exclude-standard"];

impl Changed {
    /// Adds files that the index does not hold.
    fn add_new(&mut self, others: &[u8]) {
        for path in others.split_inclusive(|byte| *byte == 0) {
            // A folder here is another repository inside this one; it belongs to itself.
            if !path.ends_with(b"/\0") {
                self.paths.extend_from_slice(path);
                self.new = true;
            }
        }
    }

    fn leave_out(&mut self, is_out: impl Fn(&[u8]) -> bool) {
        let paths = std::mem::take(&mut self.paths);
        for path in paths.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
            if !is_out(path) {
                self.paths.extend_from_slice(path);
                self.paths.push(0);
            }
        }
    }

    /// Refuses to take in more than there is time for.
    fn require_at_most(&self, max_bytes: u64, root: &Path) -> Result<(), GitError> {
        let mut left = max_bytes;
        for path in self
            .paths
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
        {
            let found = root.join(OsStr::from_bytes(path)).symlink_metadata();
            left = left
                .checked_sub(found.map_or(0, |found| found.len()))
                .ok_or_else(|| GitError::Timeout {
                    command: "update-index".to_owned(),
                    seconds: 0,
                })?;
        }
        Ok(())
    }
}

impl Repository {
    /// Writes the tree of the work tree as it is now and returns its id. Only objects are written.
    pub fn snapshot_work_tree(&self) -> Result<Snapshot, GitError> {
        let session = self.work_tree_session()?;
        let (changed, staged) = self.look(session)?;
        if let (Some(haste), Some(root)) = (session.haste(), &self.layout.work_tree) {
            changed.require_at_most(haste.max_bytes, root)?;
        }
        let tree = match staged {
            Ok(staged) if changed.paths.is_empty() => staged,
            Ok(staged) if !changed.unmerged => self.edited(session, &staged, &changed)?,
            // In the middle of a merge the index is no tree as it is.
            _ => self.tree_of_index(session, Some(&changed))?,
        };
        let head = self.head()?.commit;
        let head_tree = head
            .as_ref()
            .map(|head| self.commit(head))
            .transpose()?
            .map(|commit| commit.tree);
        Ok(Snapshot {
            tree,
            head,
            head_tree,
        })
    }

    /// Writes the tree of the work tree as it is now, where it was `tree`, and believes nothing that the index says: whoever
    /// can write the index can say of any file that it is as it was. Every file is read.
    ///
    /// Only of files with a filter, such as those that lie elsewhere and have a pointer in their place, the index is asked
    /// whether they have changed: what the filter would make of them is not known. Which these are says `tree`.
    pub fn snapshot_afresh(&self, tree: &GitTreeId) -> Result<GitTreeId, GitError> {
        let session = self.work_tree_session()?;
        let index = Temporary::new(session);
        with_index(session, &["read-tree", &tree.to_string()], b"", &index.0)?;
        let (tracked, others) = std::thread::scope(|scope| {
            let others = scope.spawn(|| with_index(session, &OTHERS, b"", &index.0));
            let tracked = with_index(session, &TRACKED, b"", &index.0);
            (tracked, others.join().expect("a run of git does not panic"))
        });
        let mut changed = parse_raw(&tracked?)?;
        changed.add_new(&others?);
        let filtered = filtered(session, &changed, &index.0)?;
        if !filtered.is_empty() {
            let known = self.look(session)?.0;
            let known: HashSet<&[u8]> = known.paths.split(|byte| *byte == 0).collect();
            changed.leave_out(|path| filtered.contains(path) && !known.contains(path));
        }
        self.edited(session, tree, &changed)
    }

    /// Returns whether the work tree or the index differs from HEAD; new files that are not ignored count. No file's
    /// content is written anywhere: what was never staged may be private.
    pub fn is_dirty(&self) -> Result<bool, GitError> {
        let session = self.work_tree_session()?;
        let (changed, staged) = self.look(session)?;
        let Ok(staged) = staged else { return Ok(true) };
        if changed.new || changed.unmerged {
            return Ok(true);
        }
        let Some(head) = self.head()?.commit else {
            return Ok(!changed.paths.is_empty() || self.index().is_file());
        };
        if self.commit(&head)?.tree != staged {
            return Ok(true);
        }
        // A copied or restored file has other times and the same content: only the content counts.
        Ok(!changed.paths.is_empty() && self.content_differs(session, &changed)?)
    }

    /// Returns whether files that look changed have another content than in the index.
    fn content_differs(&self, session: &Session, changed: &Changed) -> Result<bool, GitError> {
        let (index, listing) = (Temporary::new(session), ["ls-files", "-z", "--stage"]);
        let (info, lists) = (["update-index", "-z", "--index-info"], &changed.indexed);
        with_index(session, &info, lists, &index.0)?;
        let before = with_index(session, &listing, b"", &index.0)?;
        take_in(session, changed, &index.0, Content::Hashed)?;
        Ok(before != with_index(session, &listing, b"", &index.0)?)
    }

    fn index(&self) -> PathBuf {
        self.layout.git_dir.join("index")
    }

    fn work_tree_session(&self) -> Result<&Session, GitError> {
        if self.layout.work_tree.is_none() {
            return Err(GitError::NoWorkTree);
        }
        let session = self.writing_session()?;
        self.link_shared_indexes(session)?;
        Ok(session)
    }

    /// Lists every path that differs from the index or is not in it, and writes the tree of the index, all at the same
    /// time, since each looks at all files.
    fn look(&self, session: &Session) -> Result<(Changed, Result<GitTreeId, GitError>), GitError> {
        let index = self.index();
        let (tracked, others, staged) = std::thread::scope(|scope| {
            let others = scope.spawn(|| with_index(session, &OTHERS, b"", &index));
            let staged = scope.spawn(|| self.tree_of_index(session, None));
            let tracked = with_index(session, &TRACKED, b"", &index);
            let joined = "a run of git does not panic";
            (
                tracked,
                others.join().expect(joined),
                staged.join().expect(joined),
            )
        });
        let mut changed = parse_raw(&tracked?)?;
        changed.add_new(&others?);
        Ok((changed, staged))
    }

    /// Takes the changed paths into a small index of their own, and from there into the tree of the real one.
    fn edited(
        &self,
        session: &Session,
        staged: &GitTreeId,
        changed: &Changed,
    ) -> Result<GitTreeId, GitError> {
        let index = Temporary::new(session);
        with_index(
            session,
            &["update-index", "-z", "--index-info"],
            &changed.indexed,
            &index.0,
        )?;
        take_in(session, changed, &index.0, Content::Stored)?;
        let listed = with_index(session, &["ls-files", "-z", "--stage"], b"", &index.0)?;
        let mut changes: Vec<(Vec<u8>, edit::Change)> = Vec::new();
        for path in changed
            .paths
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
        {
            changes.push((path.to_vec(), None));
        }
        for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            changes.push(parse_staged(line).ok_or_else(|| unexpected("ls-files"))?);
        }
        edit::apply(&self.store, staged, &changes)
    }

    /// Writes the tree of a copy of the index, since git would remember the tree in the index that it is given.
    fn tree_of_index(&self, session: &Session, changed: Option<&Changed>) -> Result<GitTreeId, GitError> {
        let (real, index) = (self.index(), Temporary::new(session));
        if real.is_file() {
            std::fs::copy(&real, &index.0).map_err(GitError::io(&index.0))?;
        }
        if let Some(changed) = changed {
            take_in(session, changed, &index.0, Content::Stored)?;
        }
        let output = with_index(session, &["write-tree"], b"", &index.0)?;
        let text = String::from_utf8_lossy(&output);
        text.trim_end().parse().map_err(|_| unexpected("write-tree"))
    }

    /// A split index names its larger half by a file beside it.
    fn link_shared_indexes(&self, session: &Session) -> Result<(), GitError> {
        let folder = &self.layout.git_dir;
        for entry in std::fs::read_dir(folder).map_err(GitError::io(folder))? {
            let entry = entry.map_err(GitError::io(folder))?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.starts_with("sharedindex.")) else {
                continue;
            };
            if session.folder().join(name).symlink_metadata().is_err() {
                session.link(&entry.path(), name)?;
            }
        }
        Ok(())
    }
}

/// A file name in the shadow folder that nobody else uses, removed in the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new(session: &Session) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(session.folder().join(format!("index.snapshot.{number}")))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Parses `diff-files -z --raw`: `:<mode> <mode> <id> <id> <status>`, NUL, path, NUL.
fn parse_raw(output: &[u8]) -> Result<Changed, GitError> {
    let mut changed = Changed::default();
    let mut fields = output.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    while let Some(meta) = fields.next() {
        let path = fields.next().ok_or_else(|| unexpected("diff-files"))?;
        let meta = std::str::from_utf8(meta).map_err(|_| unexpected("diff-files"))?;
        let mut words = meta
            .strip_prefix(':')
            .ok_or_else(|| unexpected("diff-files"))?
            .split(' ');
        let (mode, id, status) = (words.next(), words.nth(1), words.nth(1));
        let (Some(mode), Some(id), Some(status)) = (mode, id, status) else {
            return Err(unexpected("diff-files"));
        };
        changed.unmerged |= status == "U";
        changed.paths.extend_from_slice(path);
        changed.paths.push(0);
        if id.bytes().any(|byte| byte != b'0') {
            changed
                .indexed
                .extend_from_slice(format!("{mode} {id}\t").as_bytes());
            changed.indexed.extend_from_slice(path);
            changed.indexed.push(0);
        }
    }
    Ok(changed)
}

/// Parses a line of `ls-files -z --stage`: `<mode> <id> <stage>`, tab, path.
fn parse_staged(line: &[u8]) -> Option<(Vec<u8>, edit::Change)> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = std::str::from_utf8(&line[..tab]).ok()?.split(' ');
    let mode = words.next()?.parse().ok()?;
    let id = ObjectId::from_hex(words.next()?.as_bytes()).ok()?;
    Some((line[tab + 1..].to_vec(), Some((mode, id))))
}

/// What becomes of the content that is taken in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// It is written as objects.
    Stored,
    /// Only its id is computed.
    Hashed,
}

fn take_in(session: &Session, changed: &Changed, index: &Path, content: Content) -> Result<(), GitError> {
    let mut args = vec!["update-index", "-z", "--add", "--remove", "--replace"];
    if content == Content::Hashed {
        args.push("--info-only");
    }
    args.push("--stdin");
    with_index(session, &args, &changed.paths, index).map(drop)
}

/// Returns which of the paths have a filter by the attributes of the index, and by nothing else.
fn filtered(session: &Session, changed: &Changed, index: &Path) -> Result<HashSet<Vec<u8>>, GitError> {
    let args = [
        "-c",
        "core.attributesFile=/dev/null",
        "check-attr",
        "-z",
        "--cached",
        "--stdin",
        "filter",
    ];
    let listed = with_index(session, &args, &changed.paths, index)?;
    let mut fields = listed.split(|byte| *byte == 0);
    let mut found = HashSet::new();
    // Path, attribute, value.
    while let (Some(path), Some(_), Some(value)) = (fields.next(), fields.next(), fields.next()) {
        if !matches!(value, b"unspecified" | b"unset" | b"set") {
            found.insert(path.to_vec());
        }
    }
    Ok(found)
}

fn with_index(session: &Session, args: &[&str], input: &[u8], index: &Path) -> Result<Vec<u8>, GitError> {
    session
        .run_with(args, input, &[("GIT_INDEX_FILE", index.as_os_str())])?
        .success(args)
}

fn unexpected(command: &str) -> GitError {
    GitError::UnexpectedOutput {
        command: command.to_owned(),
    }
}
