//! Files of a tree by their names, without a difference to compare with.

use std::collections::HashSet;

use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::GitTreeId;
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::{GitObject, GitViewError, TreeEntry};

use crate::limits;
use crate::object::tree;
use crate::repository::Repository;

/// Which files are sought.
pub struct Sought<'a> {
    /// Whether to look into a folder of this name.
    pub enter: &'a dyn Fn(&[u8]) -> bool,
    /// Whether an entry, which is no folder, is sought: by the name of its folder, empty for the root, and its own.
    pub wanted: &'a dyn Fn(&[u8], &[u8]) -> bool,
    /// The most entries that are returned.
    pub limit: usize,
}

impl std::fmt::Debug for Sought<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sought")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// Returns the entries of a tree, symlinks and submodules included, that are sought, in the order of the trees.
    ///
    /// # Errors
    /// [`GitViewError::TooManyPaths`] where there are more than the limit, [`GitViewError::TooDeep`] where folders nest
    /// deeper than paths may be long, and what reading trees refuses.
    pub fn find_entries(
        &self,
        root: &GitTreeId,
        sought: &Sought<'_>,
    ) -> Result<Vec<(RepoPath, TreeEntry)>, GitViewError> {
        let mut walk = Walk {
            repository: self,
            sought,
            found: Vec::new(),
            barren: HashSet::new(),
            reads: 0,
            root,
        };
        walk.folder(root, b"", &mut Vec::new(), 0)?;
        Ok(walk.found)
    }
}

struct Walk<'a> {
    repository: &'a Repository,
    sought: &'a Sought<'a>,
    found: Vec<(RepoPath, TreeEntry)>,
    /// Folders without anything sought, by name: trees that hold each other many times over are looked into once.
    barren: HashSet<(GitTreeId, Vec<u8>)>,
    reads: usize,
    root: &'a GitTreeId,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        id: &GitTreeId,
        own_name: &[u8],
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), GitViewError> {
        self.reads += 1;
        if self.reads > limits::MAX_DIFF_TREES {
            return Err(GitViewError::TooManyPaths {
                limit: limits::MAX_DIFF_TREES,
            });
        }
        if depth > limits::MAX_WALK_DEPTH {
            return Err(self.too_deep());
        }
        let before = self.found.len();
        let content = self.repository.store.remembered(&GitObject::Tree(id.clone()))?;
        let entries = tree::parse(&content, self.repository.store.format()).map_err(|(offset, defect)| {
            GitViewError::Tree {
                id: id.clone(),
                offset,
                defect,
            }
        })?;
        let length = path.len();
        for entry in entries {
            let is_folder = entry.mode == FileMode::Tree;
            let is_asked = if is_folder {
                (self.sought.enter)(entry.name)
            } else {
                (self.sought.wanted)(own_name, entry.name)
            };
            if !is_asked {
                continue;
            }
            if length > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(entry.name);
            let name = entry.id.to_string();
            if is_folder {
                let inner: GitTreeId = name.parse().expect("an object id is lowercase hex");
                let key = (inner, entry.name.to_vec());
                if !self.barren.contains(&key) {
                    self.folder(&key.0, entry.name, path, depth + 1)?;
                }
            } else {
                self.take(path, entry.mode, &name)?;
            }
            path.truncate(length);
        }
        if self.found.len() == before {
            self.barren.insert((id.clone(), own_name.to_vec()));
        }
        Ok(())
    }

    fn take(&mut self, path: &[u8], mode: FileMode, id: &str) -> Result<(), GitViewError> {
        if self.found.len() >= self.sought.limit {
            return Err(GitViewError::TooManyPaths {
                limit: self.sought.limit,
            });
        }
        let path = RepoPath::from_bytes(path).map_err(|_| self.too_deep())?;
        let id = id.parse().expect("an object id is lowercase hex");
        self.found.push((path, TreeEntry { mode, id }));
        Ok(())
    }

    fn too_deep(&self) -> GitViewError {
        GitViewError::TooDeep {
            tree: self.root.clone(),
        }
    }
}
