//! A repository in memory: trees are maps from paths to entries, ids are digests of what they hold.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::{GitBlobId, GitCommitId, GitTreeId, ObjectFormat};
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::{
    GitCommit, GitIdentity, GitObject, GitView, GitViewError, PathChange, TreeEntry,
};

pub(crate) type Tree = BTreeMap<RepoPath, TreeEntry>;

#[derive(Default)]
pub(crate) struct Git {
    blobs: BTreeMap<String, Vec<u8>>,
    trees: BTreeMap<GitTreeId, Tree>,
    commits: BTreeMap<GitCommitId, GitCommit>,
}

pub(crate) fn path(text: &str) -> RepoPath {
    text.parse().unwrap()
}

fn id(bytes: &[u8]) -> String {
    Sha256Digest::of(bytes).to_string()[..40].to_owned()
}

fn tree_content(tree: &Tree) -> Vec<u8> {
    let mut content = Vec::new();
    for (path, entry) in tree {
        content.extend_from_slice(path.as_bytes());
        content.extend_from_slice(format!("\0{} {}\n", entry.mode.as_str(), entry.id).as_bytes());
    }
    content
}

impl Git {
    pub(crate) fn blob(&mut self, content: &[u8]) -> TreeEntry {
        let id = id(content);
        self.blobs.insert(id.clone(), content.to_vec());
        TreeEntry {
            mode: FileMode::Regular,
            id: id.parse().unwrap(),
        }
    }

    pub(crate) fn tree(&mut self, tree: Tree) -> GitTreeId {
        let id: GitTreeId = match tree.is_empty() {
            true => "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().unwrap(),
            false => id(&tree_content(&tree)).parse().unwrap(),
        };
        self.trees.insert(id.clone(), tree);
        id
    }

    /// Returns a tree that is another one with some files written; `None` removes one.
    pub(crate) fn edit(&mut self, tree: &GitTreeId, edits: &[(&str, Option<&str>)]) -> GitTreeId {
        let mut tree = self.trees[tree].clone();
        for (name, content) in edits {
            match content {
                Some(content) => tree.insert(path(name), self.blob(content.as_bytes())),
                None => tree.remove(&path(name)),
            };
        }
        self.tree(tree)
    }

    /// Returns a tree that is another one with an entry of any mode.
    pub(crate) fn put(&mut self, tree: &GitTreeId, name: &str, mode: FileMode, content: &str) -> GitTreeId {
        let mut tree = self.trees[tree].clone();
        let entry = TreeEntry {
            mode,
            ..self.blob(content.as_bytes())
        };
        tree.insert(path(name), entry);
        self.tree(tree)
    }

    pub(crate) fn commit_tree(
        &mut self,
        tree: &GitTreeId,
        parents: &[GitCommitId],
        author: &str,
    ) -> GitCommitId {
        self.commit_saying(tree, parents, author, "")
    }

    /// Returns a commit with a message.
    pub(crate) fn commit_saying(
        &mut self,
        tree: &GitTreeId,
        parents: &[GitCommitId],
        author: &str,
        message: &str,
    ) -> GitCommitId {
        let (name, email) = author.trim_end_matches('>').split_once(" <").unwrap();
        let mut content = format!("tree {tree}\nparents {parents:?}\nauthor {author}\n");
        content.push_str(message);
        let identity = GitIdentity {
            name: name.as_bytes().to_vec(),
            email: email.as_bytes().to_vec(),
            time: 1_700_000_000,
        };
        let commit = GitCommit {
            tree: tree.clone(),
            parents: parents.to_vec(),
            content_sha256: Sha256Digest::of(content.as_bytes()),
            author: identity.clone(),
            committer: identity,
            message_end: message.as_bytes().to_vec(),
        };
        let id: GitCommitId = id(content.as_bytes()).parse().unwrap();
        self.commits.insert(id.clone(), commit);
        id
    }
}

impl GitView for Git {
    fn object_format(&self) -> ObjectFormat {
        ObjectFormat::Sha1
    }

    fn commit(&self, id: &GitCommitId) -> Result<GitCommit, GitViewError> {
        let missing = || GitViewError::Missing {
            object: GitObject::Commit(id.clone()),
        };
        self.commits.get(id).cloned().ok_or_else(missing)
    }

    fn tree_digest(&self, id: &GitTreeId) -> Result<Sha256Digest, GitViewError> {
        let missing = || GitViewError::Missing {
            object: GitObject::Tree(id.clone()),
        };
        self.trees
            .get(id)
            .map(|tree| Sha256Digest::of(&tree_content(tree)))
            .ok_or_else(missing)
    }

    fn changed_paths(&self, base: &GitTreeId, result: &GitTreeId) -> Result<Vec<PathChange>, GitViewError> {
        let empty = Tree::new();
        let tree = |id: &GitTreeId| match self.trees.get(id) {
            None if id.as_str().starts_with("4b825dc") => Ok(&empty),
            None => Err(GitViewError::Missing {
                object: GitObject::Tree(id.clone()),
            }),
            Some(tree) => Ok(tree),
        };
        let (base, result) = (tree(base)?, tree(result)?);
        let paths: BTreeSet<&RepoPath> = base.keys().chain(result.keys()).collect();
        let rows = paths.into_iter().map(|path| PathChange {
            path: path.clone(),
            from: base.get(path).cloned(),
            to: result.get(path).cloned(),
        });
        Ok(rows.filter(|row| row.from != row.to).collect())
    }

    fn blob_digest(&self, id: &GitBlobId) -> Result<(Sha256Digest, u64), GitViewError> {
        let missing = || GitViewError::Missing {
            object: GitObject::Blob(id.clone()),
        };
        let content = self.blobs.get(id.as_str()).ok_or_else(missing)?;
        Ok((Sha256Digest::of(content), content.len() as u64))
    }

    fn read_path(
        &self,
        tree: &GitTreeId,
        path: &RepoPath,
        max: u64,
    ) -> Result<Option<Vec<u8>>, GitViewError> {
        let missing = || GitViewError::Missing {
            object: GitObject::Tree(tree.clone()),
        };
        let files = self.trees.get(tree).ok_or_else(missing)?;
        let not_a_file = |mode| GitViewError::NotAFile {
            path: path.to_string(),
            mode,
        };
        let Some(entry) = files.get(path) else {
            let folder = [path.as_bytes(), b"/"].concat();
            return match files.keys().any(|name| name.as_bytes().starts_with(&folder)) {
                true => Err(not_a_file(FileMode::Tree)),
                false => Ok(None),
            };
        };
        if !entry.mode.is_file() {
            return Err(not_a_file(entry.mode));
        }
        let content = &self.blobs[entry.id.as_str()];
        if content.len() as u64 > max {
            return Err(GitViewError::TooLarge {
                object: GitObject::Blob(entry.id.clone()),
                limit: max,
            });
        }
        Ok(Some(content.clone()))
    }
}
