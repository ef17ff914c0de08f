//! Writes evidence: the union of what is there and what is new, swapped in only if nobody was faster.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use gix_hash::ObjectId;
use gix_object::Kind;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::{GitBlobId, GitCommitId};

use super::read::{Entry, commit_id};
use super::{EvidenceKey, EvidenceName};
use crate::error::GitError;
use crate::limits;
use crate::program::first_lines;
use crate::repository::Repository;

/// A piece of evidence to be filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceItem {
    /// What it is filed under.
    pub key: EvidenceKey,
    /// The file's name.
    pub name: EvidenceName,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// A commit to be kept readable together with the evidence, for evidence filed under a tree; evidence under a commit
    /// keeps that commit.
    pub attests: Option<GitCommitId>,
}

/// What became of the items of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The key.
    pub key: EvidenceKey,
    /// The evidence commit the ref points to now.
    pub commit: GitCommitId,
    /// How many files are new; 0 when everything was there already.
    pub added: usize,
}

/// The files of one evidence tree by name.
pub(super) type Files = BTreeMap<EvidenceName, GitBlobId>;

/// Who made every evidence commit.
pub(super) const COMMITTER_EMAIL: &str = "touchmark@localhost";

/// Everything that changes what an evidence commit holds.
pub(super) struct Union<'a> {
    pub(super) files: &'a Files,
    /// Evidence commits that this one replaces.
    pub(super) previous: Vec<GitCommitId>,
    /// Attested commits.
    pub(super) attests: Vec<GitCommitId>,
}

impl Repository {
    /// Files evidence under its keys. Nothing that is there is lost, whoever else writes at the same time.
    ///
    /// With `keep_objects` the evidence commit has the attested commit as a parent, so that squashed work stays
    /// readable.
    pub fn write_evidence(
        &self,
        items: &[EvidenceItem],
        keep_objects: bool,
    ) -> Result<Vec<Written>, GitError> {
        let mut by_key: BTreeMap<&EvidenceKey, Vec<&EvidenceItem>> = BTreeMap::new();
        for item in items {
            self.require_format(&item.key)?;
            by_key.entry(&item.key).or_default().push(item);
        }
        by_key
            .into_iter()
            .map(|(key, items)| self.write_key(key, &items, keep_objects))
            .collect()
    }

    fn write_key(
        &self,
        key: &EvidenceKey,
        items: &[&EvidenceItem],
        keep_objects: bool,
    ) -> Result<Written, GitError> {
        let mut new = Vec::new();
        for item in items {
            let id = self.store.write(Kind::Blob, &item.bytes)?;
            let blob: GitBlobId = id.to_string().parse().expect("an object id is lowercase hex");
            new.push((item.name.clone(), blob));
        }
        let mut attests = Vec::new();
        if keep_objects {
            let named = match key {
                EvidenceKey::Commit(id) => Some(id.clone()),
                EvidenceKey::Tree(_) => None,
            };
            let all = named
                .into_iter()
                .chain(items.iter().filter_map(|item| item.attests.clone()));
            attests = all.filter(|id| self.has_commit(id)).collect();
        }
        self.swap_in(key, |files| self.unite(files, &new), &attests)
    }

    /// Repeats reading, changing and swapping until nobody was faster. `change` returns how many files it added.
    pub(super) fn swap_in(
        &self,
        key: &EvidenceKey,
        change: impl Fn(&mut Files) -> Result<usize, GitError>,
        attests: &[GitCommitId],
    ) -> Result<Written, GitError> {
        let ref_name = key.ref_name();
        for attempt in 0..limits::MAX_ATTEMPTS {
            let tip = self.evidence_tip(&ref_name)?;
            let mut files = Files::new();
            if let Some(tip) = &tip {
                files = as_files(self.evidence_entries(tip, &ref_name)?.0);
            }
            let added = change(&mut files)?;
            if let (Some(commit), 0) = (&tip, added) {
                return Ok(Written {
                    key: key.clone(),
                    commit: commit.clone(),
                    added,
                });
            }
            let previous = tip.iter().cloned().collect();
            let union = Union {
                files: &files,
                previous,
                attests: attests.to_vec(),
            };
            let commit = self.write_evidence_commit(&union)?;
            if self.compare_and_swap(&ref_name, &commit, tip.as_ref())? {
                return Ok(Written {
                    key: key.clone(),
                    commit,
                    added,
                });
            }
            pause(attempt);
        }
        Err(GitError::Contended {
            ref_name,
            attempts: limits::MAX_ATTEMPTS,
        })
    }

    /// Adds files. A different file of a taken name is kept beside the first, so that nobody can displace evidence by
    /// taking its name.
    pub(super) fn unite(
        &self,
        files: &mut Files,
        new: &[(EvidenceName, GitBlobId)],
    ) -> Result<usize, GitError> {
        let mut added = 0;
        for (name, blob) in new {
            let name = match files.get(name) {
                None => name.clone(),
                Some(there) if there == blob => continue,
                Some(_) => {
                    let mut bytes = Vec::new();
                    let object = touchmark_verify::git_view::GitObject::Blob(blob.clone());
                    self.store.read(&object, &mut bytes)?;
                    name.beside(&Sha256Digest::of(&bytes).to_string())
                }
            };
            if files.insert(name, blob.clone()).as_ref() != Some(blob) {
                added += 1;
            }
        }
        Ok(added)
    }

    /// Writes the tree and the commit. The commit says nothing that differs between two writers of the same union.
    pub(super) fn write_evidence_commit(&self, union: &Union<'_>) -> Result<GitCommitId, GitError> {
        let mut content = Vec::new();
        for (name, blob) in union.files {
            content.extend_from_slice(b"100644 ");
            content.extend_from_slice(name.as_str().as_bytes());
            content.push(0);
            let id = ObjectId::from_hex(blob.as_str().as_bytes()).expect("a blob id is hex");
            content.extend_from_slice(id.as_slice());
        }
        let tree = self.store.write(Kind::Tree, &content)?;
        let mut text = format!("tree {tree}\n");
        let mut parents: Vec<&GitCommitId> = Vec::new();
        for parent in union.previous.iter().chain(&union.attests) {
            if !parents.contains(&parent) {
                parents.push(parent);
                let _ = writeln!(text, "parent {parent}");
            }
        }
        let who = format!("touchmark <{COMMITTER_EMAIL}> 0 +0000");
        let _ = write!(text, "author {who}\ncommitter {who}\n\nEvidence\n");
        Ok(commit_id(&self.store.write(Kind::Commit, text.as_bytes())?))
    }

    /// Points a ref to a commit if it still holds what was read. `false` when somebody else was faster.
    pub(super) fn compare_and_swap(
        &self,
        ref_name: &str,
        new: &GitCommitId,
        old: Option<&GitCommitId>,
    ) -> Result<bool, GitError> {
        let zeros = "0".repeat(self.layout.object_format.hex_len());
        let old = old.map_or(zeros.as_str(), |old| old.as_str());
        let input = format!("update {ref_name}\0{new}\0{old}\0");
        let output = self
            .writing_session()?
            .run(&["update-ref", "-z", "--stdin"], input.as_bytes())?;
        if output.status == Some(0) {
            return Ok(true);
        }
        // What another writer's lock or swap looks like; everything else stays an error.
        let lost = [
            "cannot lock ref",
            "reference already exists",
            "Unable to create",
            "but expected",
        ];
        if lost.iter().any(|words| output.stderr.contains(words)) {
            return Ok(false);
        }
        let (command, stderr) = ("update-ref".to_owned(), first_lines(&output.stderr));
        Err(GitError::Program {
            command,
            status: output.status,
            stderr,
        })
    }

    /// Returns whether a commit is in the repository, without reading it.
    pub(super) fn has_commit(&self, id: &GitCommitId) -> bool {
        ObjectId::from_hex(id.as_str().as_bytes()).is_ok_and(|id| self.store.contains(&id))
    }
}

pub(super) fn as_files(entries: Vec<Entry>) -> Files {
    entries
        .into_iter()
        .map(|entry| (entry.name, entry.blob))
        .collect()
}

/// Waits a random time that grows with each attempt, so that writers who met do not meet again.
pub(super) fn pause(attempt: u32) {
    let random = std::hash::RandomState::new().build_hasher().finish();
    let longest = (4_u64 << attempt.min(6)).min(200);
    std::thread::sleep(Duration::from_millis(random % longest + 1));
}
