//! The repository as verification sees it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};

use gix_diff::tree::{Visit, visit};
use gix_hash::ObjectId;
use gix_object::TreeRefIter;
use gix_object::bstr::{BStr, BString, ByteSlice as _};
use gix_object::tree::{EntryKind, EntryMode};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::{GitBlobId, GitCommitId, GitTreeId, ObjectFormat};
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::{
    GitCommit, GitObject, GitView, GitViewError, PathChange, TreeDefect, TreeEntry,
};

use crate::limits;
use crate::object::store::TreeSource;
use crate::object::{commit, tree};
use crate::refs::fold;
use crate::repository::Repository;

impl GitView for Repository {
    fn object_format(&self) -> ObjectFormat {
        self.layout.object_format
    }

    fn commit(&self, id: &GitCommitId) -> Result<GitCommit, GitViewError> {
        if self.grafted.contains(id.as_str()) {
            return Err(GitViewError::Grafted { id: id.clone() });
        }
        let content = self.store.remembered(&GitObject::Commit(id.clone()))?;
        commit::parse(&content, self.layout.object_format).map_err(|(offset, defect)| GitViewError::Commit {
            id: id.clone(),
            offset,
            defect,
        })
    }

    fn tree_digest(&self, id: &GitTreeId) -> Result<Sha256Digest, GitViewError> {
        Ok(Sha256Digest::of(
            &self.store.remembered(&GitObject::Tree(id.clone()))?,
        ))
    }

    fn changed_paths(&self, base: &GitTreeId, result: &GitTreeId) -> Result<Vec<PathChange>, GitViewError> {
        let from = self.store.remembered(&GitObject::Tree(base.clone()))?;
        let to = self.store.remembered(&GitObject::Tree(result.clone()))?;
        if base == result {
            return Ok(Vec::new());
        }
        let source = TreeSource {
            store: &self.store,
            failure: RefCell::new(None),
            reads: Cell::new(0),
        };
        let format = self.store.format();
        let mut changes = Changes::default();
        let outcome = gix_diff::tree(
            TreeRefIter::from_bytes(&from, format),
            TreeRefIter::from_bytes(&to, format),
            gix_diff::tree::State::default(),
            &source,
            &mut changes,
        );
        if let Some(failure) = source.failure.into_inner() {
            return Err(failure);
        }
        match outcome {
            Ok(()) => {}
            Err(gix_diff::tree::Error::Cancelled) if changes.too_deep => {
                return Err(GitViewError::TooDeep { tree: result.clone() });
            }
            Err(gix_diff::tree::Error::Cancelled) if changes.empty_folder => {
                return Err(GitViewError::Tree {
                    id: result.clone(),
                    offset: 0,
                    defect: TreeDefect::EmptyFolder,
                });
            }
            Err(gix_diff::tree::Error::Cancelled) => {
                return Err(GitViewError::TooManyPaths {
                    limit: limits::MAX_CHANGED_PATHS,
                });
            }
            Err(source) => {
                let object = GitObject::Tree(result.clone());
                return Err(GitViewError::Unreadable {
                    object,
                    source: Box::new(source),
                });
            }
        }
        let rows = changes.into_rows(result)?;
        self.refuse_collisions(base, result, &rows)?;
        Ok(rows)
    }

    fn blob_digest(&self, id: &GitBlobId) -> Result<(Sha256Digest, u64), GitViewError> {
        let remembered = || {
            self.blobs
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        if let Some(known) = remembered().get(id) {
            return Ok(*known);
        }
        let mut content = Vec::new();
        self.store.read(&GitObject::Blob(id.clone()), &mut content)?;
        let answer = (Sha256Digest::of(&content), content.len() as u64);
        let mut known = remembered();
        if known.len() >= limits::MAX_REMEMBERED_BLOBS {
            known.clear();
        }
        known.insert(id.clone(), answer);
        Ok(answer)
    }

    fn read_path(
        &self,
        tree: &GitTreeId,
        path: &RepoPath,
        max: u64,
    ) -> Result<Option<Vec<u8>>, GitViewError> {
        let Some(entry) = self.entry(tree, path)? else {
            return Ok(None);
        };
        if !entry.mode.is_file() {
            return Err(GitViewError::NotAFile {
                path: path.to_string(),
                mode: entry.mode,
            });
        }
        let object = GitObject::Blob(entry.id);
        let mut content = Vec::new();
        self.store.read(&object, &mut content)?;
        if content.len() as u64 > max {
            return Err(GitViewError::TooLarge { object, limit: max });
        }
        Ok(Some(content))
    }
}

impl Repository {
    /// Returns what a tree holds at a path, directories included.
    pub fn entry(&self, root: &GitTreeId, path: &RepoPath) -> Result<Option<TreeEntry>, GitViewError> {
        let mut folder = root.clone();
        let mut components = path.as_bytes().split(|byte| *byte == b'/').peekable();
        while let Some(component) = components.next() {
            let content = self.store.remembered(&GitObject::Tree(folder.clone()))?;
            let entries = tree::parse(&content, self.store.format()).map_err(|(offset, defect)| {
                GitViewError::Tree {
                    id: folder.clone(),
                    offset,
                    defect,
                }
            })?;
            let Some(found) = entries.iter().find(|entry| entry.name == component) else {
                return Ok(None);
            };
            let id = found.id.to_string();
            if components.peek().is_none() {
                return Ok(Some(TreeEntry {
                    mode: found.mode,
                    id: blob_id(&id),
                }));
            }
            if found.mode != FileMode::Tree {
                return Ok(None);
            }
            folder = id.parse().expect("an object id is lowercase hex");
        }
        Ok(None)
    }

    /// Refuses added names that are the same file as another name where case or Unicode form does not count. Twins that
    /// were in the base already are left alone.
    fn refuse_collisions(
        &self,
        base: &GitTreeId,
        result: &GitTreeId,
        rows: &[PathChange],
    ) -> Result<(), GitViewError> {
        // Every folder in which a file, or a folder on the way to one, may be new.
        let mut folders: BTreeMap<&[u8], HashSet<&[u8]>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.from.is_none()) {
            let mut path = row.path.as_bytes();
            while !path.is_empty() {
                let (folder, name) = match path.rfind_byte(b'/') {
                    Some(slash) => (&path[..slash], &path[slash + 1..]),
                    None => (&path[..0], path),
                };
                if !folders.entry(folder).or_default().insert(name) {
                    break;
                }
                path = folder;
            }
        }
        for (folder, added) in folders {
            self.refuse_twins(base, result, folder, &added)?;
        }
        Ok(())
    }

    fn refuse_twins(
        &self,
        base: &GitTreeId,
        result: &GitTreeId,
        folder: &[u8],
        added: &HashSet<&[u8]>,
    ) -> Result<(), GitViewError> {
        let mut by_fold: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
        for name in self.names(result, folder)? {
            if let Ok(text) = std::str::from_utf8(&name) {
                by_fold.entry(fold(text)).or_default().push(name);
            }
        }
        let mut before: Option<HashSet<Vec<u8>>> = None;
        for twins in by_fold.into_values().filter(|twins| twins.len() > 1) {
            if !twins.iter().any(|name| added.contains(name.as_slice())) {
                continue;
            }
            let before = match &before {
                Some(before) => before,
                None => before.insert(self.names(base, folder)?.into_iter().collect()),
            };
            if let Some(new) = twins.iter().find(|name| !before.contains(*name)) {
                let twin = twins
                    .iter()
                    .find(|name| *name != new)
                    .expect("twins are two or more");
                let shown = |name: &[u8]| name.escape_ascii().to_string();
                return Err(GitViewError::PathCollision {
                    added: shown(new),
                    twin: shown(twin),
                });
            }
        }
        Ok(())
    }

    /// Returns the names in a folder of a tree; none when there is no such folder.
    fn names(&self, root: &GitTreeId, path: &[u8]) -> Result<Vec<Vec<u8>>, GitViewError> {
        let id = match RepoPath::from_bytes(path) {
            Err(_) => root.clone(),
            Ok(path) => match self.entry(root, &path)? {
                Some(TreeEntry {
                    mode: FileMode::Tree,
                    id,
                }) => id.as_str().parse().expect("an object id is lowercase hex"),
                _ => return Ok(Vec::new()),
            },
        };
        let content = self.store.remembered(&GitObject::Tree(id.clone()))?;
        let entries = tree::parse(&content, self.store.format())
            .map_err(|(offset, defect)| GitViewError::Tree { id, offset, defect })?;
        Ok(entries.iter().map(|entry| entry.name.to_vec()).collect())
    }
}

fn blob_id(hex: &str) -> GitBlobId {
    hex.parse().expect("an object id is lowercase hex")
}

type Sides = (Option<TreeEntry>, Option<TreeEntry>);

/// Collects the rows of a difference; directories are not rows.
#[derive(Default)]
struct Changes {
    current: BString,
    queue: std::collections::VecDeque<BString>,
    rows: BTreeMap<BString, Sides>,
    visits: usize,
    too_deep: bool,
    /// Whether the result has a new folder without entries: no row would show it.
    empty_folder: bool,
}

impl Changes {
    fn push(&mut self, component: &BStr) {
        if !self.current.is_empty() {
            self.current.push(b'/');
        }
        self.current.extend_from_slice(component);
    }

    fn set(
        &mut self,
        mode: EntryMode,
        id: &gix_hash::oid,
        side: impl FnOnce(&mut Sides) -> &mut Option<TreeEntry>,
    ) {
        let mode = match mode.kind() {
            EntryKind::Tree => return,
            EntryKind::Blob => FileMode::Regular,
            EntryKind::BlobExecutable => FileMode::Executable,
            EntryKind::Link => FileMode::Symlink,
            EntryKind::Commit => FileMode::Gitlink,
        };
        let row = self.rows.entry(self.current.clone()).or_default();
        *side(row) = Some(TreeEntry {
            mode,
            id: blob_id(&id.to_string()),
        });
    }

    fn into_rows(self, result: &GitTreeId) -> Result<Vec<PathChange>, GitViewError> {
        let row = |(path, (from, to)): (BString, Sides)| {
            let path =
                RepoPath::from_bytes(&path).map_err(|_| GitViewError::TooDeep { tree: result.clone() })?;
            Ok(PathChange { path, from, to })
        };
        self.rows.into_iter().map(row).collect()
    }
}

impl Visit for Changes {
    fn pop_front_tracked_path_and_set_current(&mut self) {
        self.current = self
            .queue
            .pop_front()
            .expect("one path is queued for each queued tree");
    }

    fn push_back_tracked_path_component(&mut self, component: &BStr) {
        self.push(component);
        self.queue.push_back(self.current.clone());
    }

    fn push_path_component(&mut self, component: &BStr) {
        self.push(component);
    }

    fn pop_path_component(&mut self) {
        let end = self.current.rfind_byte(b'/').unwrap_or(0);
        self.current.truncate(end);
    }

    fn visit(&mut self, change: visit::Change) -> visit::Action {
        self.visits += 1;
        self.too_deep = self.current.len() > touchmark_statement::limits::MAX_PATH_BYTES;
        if let visit::Change::Addition { entry_mode, oid, .. }
        | visit::Change::Modification { entry_mode, oid, .. } = &change
        {
            self.empty_folder = entry_mode.is_tree() && *oid == ObjectId::empty_tree(oid.kind());
        }
        if self.too_deep || self.empty_folder || self.visits > limits::MAX_CHANGED_PATHS {
            return visit::Action::Break(());
        }
        match change {
            visit::Change::Addition { entry_mode, oid, .. } => {
                self.set(entry_mode, &oid, |sides| &mut sides.1)
            }
            visit::Change::Deletion { entry_mode, oid, .. } => {
                self.set(entry_mode, &oid, |sides| &mut sides.0)
            }
            visit::Change::Modification {
                previous_entry_mode,
                previous_oid,
                entry_mode,
                oid,
            } => {
                self.set(previous_entry_mode, &previous_oid, |sides| &mut sides.0);
                self.set(entry_mode, &oid, |sides| &mut sides.1);
            }
        }
        visit::Action::Continue(())
    }
}
