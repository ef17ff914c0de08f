//! From texts to commits: full ids, full ref names, `HEAD`, and short names that can mean one thing only.

use std::collections::HashSet;

use gix_hash::ObjectId;
use gix_object::Kind;
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::git_view::{GitObject, GitView as _, GitViewError};

use crate::error::GitError;
use crate::limits;
use crate::object::tag;
use crate::refs::{Value, is_ref_name};
use crate::repository::{Head, Repository};

impl Repository {
    /// Resolves a full commit id, a full ref name, `HEAD`, or a short branch, tag or remote branch name that nothing
    /// else could mean. Revision expressions such as `main~2` are not understood.
    pub fn resolve(&self, text: &str) -> Result<GitCommitId, GitError> {
        if let Some(id) = self.full_id(text)? {
            self.commit(&id)?;
            return Ok(id);
        }
        let name = self.full_name(text)?;
        let unknown = || GitError::RevisionUnknown {
            text: text.to_owned(),
        };
        let (name, id) = self.refs.resolve(&name, self.session()?)?.ok_or_else(unknown)?;
        self.peel(&name, id)
    }

    /// Resolves a text to the full name of an existing ref, by the rules of [`resolve`](Self::resolve); `HEAD` stays
    /// `HEAD`.
    pub fn full_name(&self, text: &str) -> Result<String, GitError> {
        if !is_ref_name(text) {
            return Err(GitError::RevisionSyntax {
                text: text.to_owned(),
            });
        }
        if text == "HEAD" {
            return Ok(text.to_owned());
        }
        let session = self.session()?;
        if text.starts_with("refs/") {
            self.refs.refuse_twins(text, session)?;
            return match self.refs.read(text, session)? {
                Some(_) => Ok(text.to_owned()),
                None => Err(GitError::RevisionUnknown {
                    text: text.to_owned(),
                }),
            };
        }
        let mut candidates = Vec::new();
        for space in ["refs/heads/", "refs/tags/", "refs/remotes/", "refs/"] {
            let name = format!("{space}{text}");
            if self.refs.read(&name, session)?.is_some() {
                candidates.push(name);
            }
        }
        // Git reads four or more hex digits as the beginning of an id, whichever object that will be tomorrow.
        let like_id = text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match (candidates.len(), like_id) {
            (0, true) => Err(GitError::RevisionAbbreviated {
                text: text.to_owned(),
            }),
            (0, false) => Err(GitError::RevisionUnknown {
                text: text.to_owned(),
            }),
            (1, false) => {
                let name = candidates.remove(0);
                self.refs.refuse_twins(&name, session)?;
                Ok(name)
            }
            _ => Err(GitError::RevisionAmbiguous {
                text: text.to_owned(),
                candidates,
            }),
        }
    }

    /// Returns the commit that a full ref name points to, or `None` when there is no such ref.
    pub fn ref_commit(&self, name: &str) -> Result<Option<GitCommitId>, GitError> {
        if !is_ref_name(name) {
            return Err(GitError::RevisionSyntax {
                text: name.to_owned(),
            });
        }
        match self.refs.resolve(name, self.session()?)? {
            None => Ok(None),
            Some((name, id)) => self.peel(&name, id).map(Some),
        }
    }

    /// Returns where HEAD is.
    pub fn head(&self) -> Result<Head, GitError> {
        if self.refs.reftable {
            return self.head_of_reftable();
        }
        let ref_name = match self.refs.read("HEAD", None)? {
            None => {
                return Err(GitError::RefUnreadable {
                    name: "HEAD".to_owned(),
                });
            }
            Some(Value::Object(id)) => {
                return Ok(Head {
                    ref_name: None,
                    commit: Some(self.peel("HEAD", id)?),
                });
            }
            Some(Value::Symbolic(name)) => name,
        };
        let commit = self.ref_commit(&ref_name)?;
        Ok(Head {
            ref_name: Some(ref_name),
            commit,
        })
    }

    fn head_of_reftable(&self) -> Result<Head, GitError> {
        // In this format the HEAD file is a stub; the program reads the real one, through the real work tree's folder.
        let session = self.session()?.ok_or(GitError::ProgramMissing)?;
        let output = session.run(&["symbolic-ref", "--quiet", "HEAD"], b"")?;
        let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        if output.status == Some(0) && is_ref_name(&text) {
            let commit = self.ref_commit(&text)?;
            return Ok(Head {
                ref_name: Some(text),
                commit,
            });
        }
        let id = session.lines(&["rev-parse", "--verify", "--quiet", "HEAD"])?;
        let id = String::from_utf8_lossy(&id).trim_end().parse();
        let id = id.map_err(|_| GitError::RefUnreadable {
            name: "HEAD".to_owned(),
        })?;
        Ok(Head {
            ref_name: None,
            commit: Some(id),
        })
    }

    /// Returns the commits from `base` (excluded) to `head` (included), oldest first, if they form a line.
    pub fn linear_range(
        &self,
        base: &GitCommitId,
        head: &GitCommitId,
        cap: usize,
    ) -> Result<Vec<GitCommitId>, GitError> {
        if base == head {
            return Err(GitError::EmptyRange { commit: head.clone() });
        }
        match self.commit(base) {
            // The walk below finds the boundary behind which it may be.
            Err(GitViewError::Missing { .. }) if self.is_shallow() => {}
            found => {
                found?;
            }
        }
        let mut line = Vec::new();
        let mut current = head.clone();
        while current != *base {
            if line.len() == cap {
                return Err(GitError::RangeCap { limit: cap });
            }
            let commit = self.commit(&current)?;
            // The boundary's parents are not there, whatever the object says.
            if self.shallow.contains(current.as_str()) {
                return Err(GitError::Shallow { commit: current });
            }
            let parent = match commit.parents.as_slice() {
                [] => {
                    return Err(GitError::BaseNotAncestor {
                        base: base.clone(),
                        head: head.clone(),
                    });
                }
                [parent] => parent.clone(),
                more => {
                    return Err(GitError::NotLinear {
                        commit: current,
                        parents: more.len(),
                    });
                }
            };
            line.push(std::mem::replace(&mut current, parent));
        }
        line.reverse();
        Ok(line)
    }

    /// Returns the first commit of HEAD's first-parent line, by which a repository without a remote is known. The list
    /// is empty when there is no commit yet; a shallow clone cannot tell.
    pub fn root_commits(&self, cap: usize) -> Result<Vec<GitCommitId>, GitError> {
        match self.head()?.commit {
            Some(commit) => self.root_commits_of(&commit, cap),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the first commit of a commit's first-parent line, as [`root_commits`](Self::root_commits) does of HEAD.
    pub fn root_commits_of(&self, commit: &GitCommitId, cap: usize) -> Result<Vec<GitCommitId>, GitError> {
        let mut current = commit.clone();
        for _ in 0..=cap {
            if self.shallow.contains(current.as_str()) {
                return Err(GitError::Shallow { commit: current });
            }
            match self.commit(&current)?.parents.into_iter().next() {
                None => return Ok(vec![current]),
                Some(parent) => current = parent,
            }
        }
        Err(GitError::RangeCap { limit: cap })
    }

    /// Returns the commit at which HEAD's first-parent line leaves the branch it is meant for: the configured upstream,
    /// else the remote's default branch, else a local `main` or `master`. `None` when none of them is known.
    pub fn upstream_base(&self, cap: usize) -> Result<Option<GitCommitId>, GitError> {
        let head = self.head()?;
        let Some(commit) = head.commit else {
            return Ok(None);
        };
        let Some(upstream) = self.upstream(head.ref_name.as_deref())? else {
            return Ok(None);
        };
        let line: HashSet<GitCommitId> = self.first_parents(&upstream, cap)?.into_iter().collect();
        Ok(self
            .first_parents(&commit, cap)?
            .into_iter()
            .find(|id| line.contains(id)))
    }

    fn upstream(&self, branch: Option<&str>) -> Result<Option<GitCommitId>, GitError> {
        let short = branch.and_then(|name| name.strip_prefix("refs/heads/"));
        let configured = short.and_then(|short| {
            let remote = self.layout.config.value("branch", short, "remote")?;
            let merge = self.layout.config.value("branch", short, "merge")?;
            if remote == "." {
                return Some(merge.to_owned());
            }
            Some(format!(
                "refs/remotes/{remote}/{}",
                merge.strip_prefix("refs/heads/")?
            ))
        });
        let usual = [
            "refs/remotes/origin/HEAD",
            "refs/remotes/origin/main",
            "refs/remotes/origin/master",
        ];
        let local = ["refs/heads/main", "refs/heads/master"]
            .into_iter()
            .filter(|name| Some(*name) != branch);
        let names = configured
            .into_iter()
            .chain(usual.into_iter().chain(local).map(str::to_owned));
        for name in names.filter(|name| is_ref_name(name)) {
            if let Some(commit) = self.ref_commit(&name)? {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }

    fn first_parents(&self, start: &GitCommitId, cap: usize) -> Result<Vec<GitCommitId>, GitError> {
        let mut line = vec![start.clone()];
        while line.len() <= cap {
            let last = line.last().expect("the line begins with one commit");
            if self.shallow.contains(last.as_str()) {
                break;
            }
            match self.commit(last)?.parents.into_iter().next() {
                None => break,
                Some(parent) => line.push(parent),
            }
        }
        Ok(line)
    }

    fn full_id(&self, text: &str) -> Result<Option<GitCommitId>, GitError> {
        let Ok(id) = text.parse::<GitCommitId>() else {
            return Ok(None);
        };
        if id.object_format() == self.layout.object_format {
            return Ok(Some(id));
        }
        Err(GitError::ObjectFormat {
            id: text.to_owned(),
            format: self.layout.object_format,
        })
    }

    /// Follows annotated tags, re-hashed, to a commit.
    fn peel(&self, name: &str, id: ObjectId) -> Result<GitCommitId, GitError> {
        let mut id = id;
        for _ in 0..limits::MAX_SYMBOLIC_REFS {
            let as_commit = || id.to_string().parse().expect("an object id is lowercase hex");
            let found = self.store.read_any(&id)?;
            let unreadable = || GitError::RefUnreadable {
                name: name.to_owned(),
            };
            match found {
                None => {
                    let object = GitObject::Commit(as_commit());
                    return Err(GitViewError::Missing { object }.into());
                }
                Some((Kind::Commit, _)) => return Ok(as_commit()),
                Some((Kind::Tag, content)) => {
                    let target = tag::parse(&content).ok_or_else(unreadable)?;
                    id = ObjectId::from_hex(target.id.as_bytes()).map_err(|_| unreadable())?;
                }
                Some((Kind::Tree, _)) => {
                    return Err(GitError::NotACommit {
                        name: name.to_owned(),
                        kind: "tree",
                    });
                }
                Some((Kind::Blob, _)) => {
                    return Err(GitError::NotACommit {
                        name: name.to_owned(),
                        kind: "blob",
                    });
                }
            }
        }
        Err(GitError::RefUnreadable {
            name: name.to_owned(),
        })
    }
}
