//! The tree of uncommitted work, without touching the user's index, refs or files and without running anything that
//! the repository configures.
//!
//! Changed and new files are found by git's own plumbing on a shadow folder; a temporary copy of the index takes them
//! in. Filters named by attributes are unknown to the shadow's configuration, so content is stored as it is, apart from
//! git's built-in line ending rules.

use std::path::Path;

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

/// The name of the temporary index in the shadow folder.
const TEMPORARY_INDEX: &str = "index.snapshot";

impl Repository {
    /// Writes the tree of the work tree as it is now and returns its id. Only objects are written.
    pub fn snapshot_work_tree(&self) -> Result<Snapshot, GitError> {
        let session = self.work_tree_session()?;
        let changed = self.changed_files(session)?;
        let real = self.layout.git_dir.join("index");
        let temporary = session
            .folder()
            .join(format!("{TEMPORARY_INDEX}.{:?}", std::thread::current().id()));
        let tree = if changed.is_empty() && real.is_file() {
            write_tree(session, &real)?
        } else {
            if real.is_file() {
                std::fs::copy(&real, &temporary).map_err(GitError::io(&temporary))?;
            }
            let args = ["update-index", "-z", "--add", "--remove", "--replace", "--stdin"];
            with_index(session, &args, &changed, &temporary)?;
            let tree = write_tree(session, &temporary);
            let _ = std::fs::remove_file(&temporary);
            tree?
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

    /// Returns whether the work tree or the index differs from HEAD; new files that are not ignored count.
    pub fn is_dirty(&self) -> Result<bool, GitError> {
        let session = self.work_tree_session()?;
        if !self.changed_files(session)?.is_empty() {
            return Ok(true);
        }
        let index = self.layout.git_dir.join("index");
        let Some(head) = self.head()?.commit else {
            return Ok(index.is_file());
        };
        let staged = write_tree(session, &index)?;
        Ok(self.commit(&head)?.tree != staged)
    }

    fn work_tree_session(&self) -> Result<&Session, GitError> {
        if self.layout.work_tree.is_none() {
            return Err(GitError::NoWorkTree);
        }
        let session = self.writing_session()?;
        self.link_shared_indexes(session)?;
        Ok(session)
    }

    /// Lists, NUL-terminated, every path that differs from the index or is not in it.
    fn changed_files(&self, session: &Session) -> Result<Vec<u8>, GitError> {
        let index = self.layout.git_dir.join("index");
        let none = b"".as_slice();
        // Submodules are compared by the commit they are on: looking for changes inside would run git there.
        let tracked = [
            "diff-files",
            "-z",
            "--name-only",
            "--no-renames",
            "--ignore-submodules=dirty",
        ];
        let others = ["ls-files", "-z", "--others", "--exclude-standard"];
        // Both look at the whole work tree; together they take as long as the slower one.
        let (tracked, others) = std::thread::scope(|scope| {
            let others = scope.spawn(|| with_index(session, &others, none, &index));
            let tracked = with_index(session, &tracked, none, &index);
            (tracked, others.join().expect("a listing does not panic"))
        });
        let mut paths = tracked?;
        for path in others?.split_inclusive(|byte| *byte == 0) {
            // A folder here is another repository inside this one; it belongs to itself.
            if !path.ends_with(b"/\0") {
                paths.extend_from_slice(path);
            }
        }
        Ok(paths)
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

fn write_tree(session: &Session, index: &Path) -> Result<GitTreeId, GitError> {
    let output = with_index(session, &["write-tree"], b"", index)?;
    let text = String::from_utf8_lossy(&output);
    text.trim_end().parse().map_err(|_| GitError::UnexpectedOutput {
        command: "write-tree".to_owned(),
    })
}

fn with_index(session: &Session, args: &[&str], input: &[u8], index: &Path) -> Result<Vec<u8>, GitError> {
    session
        .run_with(args, input, &[("GIT_INDEX_FILE", index.as_os_str())])?
        .success(args)
}
