//! Reads evidence refs. No ref is no evidence; a ref that cannot be read is an error.

use gix_hash::ObjectId;
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::{GitBlobId, GitCommitId, GitTreeId};
use touchmark_verify::git_view::{GitObject, GitView as _, GitViewError};

use super::key::PREFIX;
use super::{EvidenceKey, EvidenceName};
use crate::error::GitError;
use crate::limits;
use crate::object::tree;
use crate::repository::Repository;

/// One piece of evidence, as it arrived: nothing about it has been checked but its place and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceFile {
    /// The file's name.
    pub name: EvidenceName,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The ref it was found under.
    pub ref_name: String,
}

/// Everything found under one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceSet {
    /// The evidence, in the order of the names.
    pub files: Vec<EvidenceFile>,
    /// Entries that are not evidence files, or larger than any evidence.
    pub ignored: Vec<IgnoredEntry>,
}

/// An entry of an evidence tree that is not an evidence file: a symlink, a submodule, a folder, another name, or a file
/// larger than any evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredEntry {
    /// The ref.
    pub ref_name: String,
    /// The entry's name, with unusual bytes escaped.
    pub name: String,
    /// What it is.
    pub mode: FileMode,
}

/// An evidence ref that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRef {
    /// What it is about.
    pub key: EvidenceKey,
    /// The evidence commit it points to, or `None` when the ref does not hold an object id.
    pub commit: Option<GitCommitId>,
}

/// An entry of an evidence tree that is an evidence file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: EvidenceName,
    pub(super) blob: GitBlobId,
}

impl Repository {
    /// Reads all evidence under one key.
    pub fn read_evidence(&self, key: &EvidenceKey) -> Result<EvidenceSet, GitError> {
        self.read_evidence_where(key, &|_| true)
    }

    /// Reads the evidence under one key whose name the caller wants, before any cap counts.
    pub fn read_evidence_where(
        &self,
        key: &EvidenceKey,
        wanted: &dyn Fn(&EvidenceName) -> bool,
    ) -> Result<EvidenceSet, GitError> {
        self.read_evidence_kept(key, wanted, &|_, _| true)
    }

    /// Reads the evidence under one key whose name and content the caller wants, before any cap counts.
    pub(crate) fn read_evidence_kept(
        &self,
        key: &EvidenceKey,
        wanted: &dyn Fn(&EvidenceName) -> bool,
        keep: &dyn Fn(&EvidenceName, &[u8]) -> bool,
    ) -> Result<EvidenceSet, GitError> {
        let ref_name = key.ref_name();
        self.require_format(key)?;
        let Some(tip) = self.evidence_tip(&ref_name)? else {
            return Ok(EvidenceSet::default());
        };
        let (entries, mut ignored) = self.evidence_entries(&tip, &ref_name)?;
        let entries: Vec<Entry> = entries.into_iter().filter(|entry| wanted(&entry.name)).collect();
        let cap = |limit: u64, unit| GitError::EvidenceCap {
            ref_name: ref_name.clone(),
            limit,
            unit,
        };
        let mut files = Vec::new();
        let mut total = 0;
        for Entry { name, blob } in entries {
            let object = GitObject::Blob(blob);
            // What is too large to be evidence stands in the way of none.
            if self.store.size(&object)? > limits::MAX_EVIDENCE_FILE_BYTES {
                ignored.push(IgnoredEntry {
                    ref_name: ref_name.clone(),
                    name: name.to_string(),
                    mode: FileMode::Regular,
                });
                continue;
            }
            let mut bytes = Vec::new();
            self.store.read(&object, &mut bytes)?;
            if !keep(&name, &bytes) {
                continue;
            }
            total += bytes.len() as u64;
            if total > limits::MAX_EVIDENCE_BYTES {
                return Err(cap(limits::MAX_EVIDENCE_BYTES, "bytes"));
            }
            if files.len() == limits::MAX_EVIDENCE_FILES {
                return Err(cap(limits::MAX_EVIDENCE_FILES as u64, "files"));
            }
            files.push(EvidenceFile {
                name,
                bytes,
                ref_name: ref_name.clone(),
            });
        }
        Ok(EvidenceSet { files, ignored })
    }

    /// Lists all evidence refs in the order of their names; other names below `refs/touchmark/` are left out.
    pub fn list_evidence(&self) -> Result<Vec<EvidenceRef>, GitError> {
        let refs = self.refs.list(PREFIX, self.session()?)?;
        let known = refs.into_iter().filter_map(|(name, id)| {
            let commit = id.map(|id| id.to_string().parse().expect("an object id is lowercase hex"));
            EvidenceKey::from_ref_name(&name).map(|key| EvidenceRef { key, commit })
        });
        Ok(known
            .filter(|found| found.key.object_format() == self.layout.object_format)
            .collect())
    }

    pub(super) fn require_format(&self, key: &EvidenceKey) -> Result<(), GitError> {
        if key.object_format() == self.layout.object_format {
            return Ok(());
        }
        let id = match key {
            EvidenceKey::Commit(id) => id.to_string(),
            EvidenceKey::Tree(id) => id.to_string(),
        };
        Err(GitError::ObjectFormat {
            id,
            format: self.layout.object_format,
        })
    }

    /// Returns the evidence commit a ref points to. Symbolic refs are not evidence refs.
    pub(super) fn evidence_tip(&self, ref_name: &str) -> Result<Option<GitCommitId>, GitError> {
        match self.refs.read(ref_name, self.session()?)? {
            None => Ok(None),
            Some(crate::refs::Value::Object(id)) => Ok(Some(commit_id(&id))),
            Some(crate::refs::Value::Symbolic(_)) => Err(GitError::RefUnreadable {
                name: ref_name.to_owned(),
            }),
        }
    }

    /// Reads the evidence tree of an evidence commit.
    pub(super) fn evidence_entries(
        &self,
        tip: &GitCommitId,
        ref_name: &str,
    ) -> Result<(Vec<Entry>, Vec<IgnoredEntry>), GitError> {
        let id: GitTreeId = self.commit(tip)?.tree;
        let content = self.store.remembered(&GitObject::Tree(id.clone()))?;
        let found = tree::parse(&content, self.store.format())
            .map_err(|(offset, defect)| GitViewError::Tree { id, offset, defect })?;
        let (mut entries, mut ignored) = (Vec::new(), Vec::new());
        for entry in found {
            let name = std::str::from_utf8(entry.name)
                .ok()
                .and_then(|name| name.parse().ok());
            match (name, entry.mode) {
                (Some(name), FileMode::Regular) => {
                    let blob = entry
                        .id
                        .to_string()
                        .parse()
                        .expect("an object id is lowercase hex");
                    entries.push(Entry { name, blob });
                }
                (_, mode) => ignored.push(IgnoredEntry {
                    ref_name: ref_name.to_owned(),
                    name: entry.name.escape_ascii().to_string(),
                    mode,
                }),
            }
        }
        Ok((entries, ignored))
    }
}

pub(super) fn commit_id(id: &ObjectId) -> GitCommitId {
    id.to_string().parse().expect("an object id is lowercase hex")
}
