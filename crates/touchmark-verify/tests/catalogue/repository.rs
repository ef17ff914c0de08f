//! A repository in memory: trees as lists of paths, with ids that are digests of their content.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::{GitBlobId, GitCommitId, GitTreeId, ObjectFormat};
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::{
    GitCommit, GitIdentity, GitObject, GitView, GitViewError, PathChange, TreeEntry,
};
use touchmark_verify::lineage::{ChangeUnderJudgement, RepositoryIdentity};

use crate::support::agent_change_about;

pub(crate) const URI: &str = "https://github.com/acme/app";

/// The files of a tree: path and content.
pub(crate) type Files = BTreeMap<String, String>;

#[derive(Default)]
pub(crate) struct MemoryGit {
    trees: HashMap<GitTreeId, BTreeMap<RepoPath, TreeEntry>>,
    commits: HashMap<GitCommitId, GitCommit>,
    blobs: HashMap<GitBlobId, Vec<u8>>,
}

fn id_of(content: &[u8]) -> String {
    Sha256Digest::of(content).to_string()[..40].to_owned()
}

pub(crate) fn files(list: &[(&str, &str)]) -> Files {
    list.iter()
        .map(|(path, content)| ((*path).to_owned(), (*content).to_owned()))
        .collect()
}

impl MemoryGit {
    fn tree_content(entries: &BTreeMap<RepoPath, TreeEntry>) -> Vec<u8> {
        let line = |(path, entry): (&RepoPath, &TreeEntry)| {
            format!(
                "{} {} {}\n",
                entry.mode.as_str(),
                entry.id,
                path.to_string_lossy()
            )
        };
        entries.iter().map(line).collect::<String>().into_bytes()
    }

    pub(crate) fn tree(&mut self, files: &Files) -> GitTreeId {
        let mut entries = BTreeMap::new();
        for (path, content) in files {
            // `+x` before the content makes a file executable, `->` makes it a link.
            let (mode, content) = match (content.strip_prefix("+x"), content.strip_prefix("->")) {
                (Some(rest), _) => (FileMode::Executable, rest),
                (_, Some(rest)) => (FileMode::Symlink, rest),
                _ => (FileMode::Regular, content.as_str()),
            };
            let id: GitBlobId = id_of(format!("blob {content}").as_bytes()).parse().unwrap();
            self.blobs.insert(id.clone(), content.as_bytes().to_vec());
            entries.insert(
                RepoPath::from_bytes(path.as_bytes()).unwrap(),
                TreeEntry { mode, id },
            );
        }
        let id: GitTreeId = id_of(&Self::tree_content(&entries)).parse().unwrap();
        self.trees.insert(id.clone(), entries);
        id
    }

    pub(crate) fn commit_files(&mut self, parents: &[&GitCommitId], files: &Files) -> GitCommitId {
        let tree = self.tree(files);
        self.commit_tree(parents, &tree)
    }

    pub(crate) fn commit_tree(&mut self, parents: &[&GitCommitId], tree: &GitTreeId) -> GitCommitId {
        let parents: Vec<GitCommitId> = parents.iter().map(|parent| (*parent).clone()).collect();
        // Commits differ by their number, as real ones differ by their time.
        let content = format!("commit {} {tree} {parents:?}", self.commits.len());
        let id: GitCommitId = id_of(content.as_bytes()).parse().unwrap();
        let nobody = GitIdentity {
            name: Vec::new(),
            email: Vec::new(),
            time: 0,
        };
        let commit = GitCommit {
            tree: tree.clone(),
            parents,
            content_sha256: Sha256Digest::of(content.as_bytes()),
            author: nobody.clone(),
            committer: nobody,
            message_end: Vec::new(),
        };
        self.commits.insert(id.clone(), commit);
        id
    }

    pub(crate) fn forget_commit(&mut self, id: &GitCommitId) {
        self.commits.remove(id);
    }

    pub(crate) fn tree_of(&self, commit: &GitCommitId) -> GitTreeId {
        self.commits[commit].tree.clone()
    }

    /// Returns the path rows of a change as an agent would state them.
    fn rows(&self, base: &GitTreeId, proposed: &GitTreeId) -> Vec<Value> {
        let row = |change: PathChange| {
            let status = match (&change.from, &change.to) {
                (None, _) => "added",
                (_, None) => "deleted",
                (Some(from), Some(to)) if from.mode == to.mode => "modified",
                (Some(from), Some(to)) if !(from.mode.is_file() && to.mode.is_file()) => "typeChanged",
                (Some(from), Some(to)) if from.id == to.id => "modeChanged",
                _ => "modified",
            };
            let path = change.path.to_string_lossy().into_owned();
            let mut row = json!({"path": path, "status": status, "attribution": "agent"});
            if let Some(from) = &change.from {
                row["from"] = json!({"mode": from.mode.as_str(), "gitBlob": from.id.to_string()});
            }
            if let Some(to) = &change.to {
                let (sha256, size) = self.blob_digest(&to.id).unwrap();
                row["to"] = json!({
                    "mode": to.mode.as_str(), "gitBlob": to.id.to_string(), "sha256": sha256.to_string(), "size": size,
                });
            }
            row
        };
        self.changed_paths(base, proposed)
            .unwrap()
            .into_iter()
            .map(row)
            .collect()
    }

    /// Returns a good agent change from one commit to a later one, with the commits between them.
    pub(crate) fn attest(&self, base: &GitCommitId, commits: &[&GitCommitId]) -> Value {
        let proposed = *commits.last().unwrap();
        let rows = commits.iter().map(|id| {
            let commit = &self.commits[*id];
            let parents: Vec<String> = commit.parents.iter().map(ToString::to_string).collect();
            json!({"gitCommit": id.to_string(), "gitTree": commit.tree.to_string(), "parents": parents})
        });
        let (base_tree, proposed_tree) = (self.tree_of(base), self.tree_of(proposed));
        let change = json!({
            "repository": {"uri": URI},
            "ref": "refs/heads/agent/fix",
            "base": {"gitCommit": base.to_string(), "gitTree": base_tree.to_string()},
            "proposed": {"gitCommit": proposed.to_string(), "gitTree": proposed_tree.to_string()},
            "commits": rows.collect::<Vec<_>>(),
            "paths": self.rows(&base_tree, &proposed_tree),
            "dirty": false,
        });
        let (commit_id, tree_id) = (proposed.to_string(), proposed_tree.to_string());
        let digests = BTreeMap::from([
            (
                commit_id.as_str(),
                self.commits[proposed].content_sha256.to_string(),
            ),
            (
                tree_id.as_str(),
                self.tree_digest(&proposed_tree).unwrap().to_string(),
            ),
        ]);
        agent_change_about(&change, &digests)
    }

    /// Returns a good agent change between two trees that no commit records yet.
    pub(crate) fn attest_trees(&self, base: &GitTreeId, proposed: &GitTreeId) -> Value {
        let change = json!({
            "repository": {"uri": URI},
            "base": {"gitTree": base.to_string()},
            "proposed": {"gitTree": proposed.to_string()},
            "commits": [],
            "paths": self.rows(base, proposed),
            "dirty": false,
        });
        let tree_id = proposed.to_string();
        let digest = self.tree_digest(proposed).unwrap().to_string();
        agent_change_about(&change, &BTreeMap::from([(tree_id.as_str(), digest)]))
    }

    /// Returns the question about a change from one commit to another.
    pub(crate) fn change(&self, base: &GitCommitId, commits: &[&GitCommitId]) -> ChangeUnderJudgement {
        let head = *commits.last().unwrap();
        ChangeUnderJudgement {
            repository: RepositoryIdentity {
                uris: vec![URI.to_owned()],
                root_commits: vec![base.clone()],
            },
            target_ref: "refs/heads/main".to_owned(),
            base_commit: base.clone(),
            base_tree: self.tree_of(base),
            head_commit: head.clone(),
            result_tree: self.tree_of(head),
            commits: commits.iter().map(|commit| (*commit).clone()).collect(),
            pull_request_commits: Vec::new(),
            landed: false,
        }
    }
}

impl GitView for MemoryGit {
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
            .map(|entries| Sha256Digest::of(&Self::tree_content(entries)))
            .ok_or_else(missing)
    }

    fn changed_paths(&self, base: &GitTreeId, result: &GitTreeId) -> Result<Vec<PathChange>, GitViewError> {
        let find = |id: &GitTreeId| {
            self.trees.get(id).ok_or_else(|| GitViewError::Missing {
                object: GitObject::Tree(id.clone()),
            })
        };
        let (base, result) = (find(base)?, find(result)?);
        let mut paths: Vec<&RepoPath> = base.keys().chain(result.keys()).collect();
        paths.sort();
        paths.dedup();
        let change = |path: &RepoPath| {
            let (from, to) = (base.get(path).cloned(), result.get(path).cloned());
            (from != to).then(|| PathChange {
                path: path.clone(),
                from,
                to,
            })
        };
        Ok(paths.into_iter().filter_map(change).collect())
    }

    fn blob_digest(&self, id: &GitBlobId) -> Result<(Sha256Digest, u64), GitViewError> {
        let missing = || GitViewError::Missing {
            object: GitObject::Blob(id.clone()),
        };
        self.blobs
            .get(id)
            .map(|content| (Sha256Digest::of(content), content.len() as u64))
            .ok_or_else(missing)
    }

    fn read_path(&self, tree: &GitTreeId, path: &RepoPath, _: u64) -> Result<Option<Vec<u8>>, GitViewError> {
        Ok(self
            .trees
            .get(tree)
            .and_then(|entries| entries.get(path))
            .map(|entry| self.blobs[&entry.id].clone()))
    }
}
