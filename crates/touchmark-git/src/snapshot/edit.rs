//! Applies changed paths to a tree and writes only the folders on the way to them.

use std::collections::BTreeMap;

use gix_hash::ObjectId;
use gix_object::Kind;
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::GitTreeId;
use touchmark_verify::git_view::{GitObject, GitViewError};

use crate::error::GitError;
use crate::object::store::Store;
use crate::object::tree;

/// What a path holds after the change; `None` when nothing.
pub(super) type Change = Option<(FileMode, ObjectId)>;

/// Writes the tree that `base` becomes.
pub(super) fn apply(
    store: &Store,
    base: &GitTreeId,
    changes: &[(Vec<u8>, Change)],
) -> Result<GitTreeId, GitError> {
    let changes: Vec<(&[u8], &Change)> = changes
        .iter()
        .map(|(path, change)| (path.as_slice(), change))
        .collect();
    let tree = match folder(store, Some(base), &changes)? {
        Some(tree) => tree,
        None => store.write(Kind::Tree, b"")?,
    };
    Ok(tree_id(&tree))
}

/// The changes of one name in a folder: at the name itself, and below it.
#[derive(Default)]
struct At<'a> {
    itself: Option<&'a Change>,
    below: Vec<(&'a [u8], &'a Change)>,
}

/// Writes one folder; `None` when nothing is left in it.
fn folder(
    store: &Store,
    base: Option<&GitTreeId>,
    changes: &[(&[u8], &Change)],
) -> Result<Option<ObjectId>, GitError> {
    let mut entries: BTreeMap<Vec<u8>, (FileMode, ObjectId)> = BTreeMap::new();
    if let Some(id) = base {
        let content = store.remembered(&GitObject::Tree(id.clone()))?;
        let found = tree::parse(&content, store.format()).map_err(|(offset, defect)| GitViewError::Tree {
            id: id.clone(),
            offset,
            defect,
        })?;
        entries.extend(
            found
                .iter()
                .map(|entry| (entry.name.to_vec(), (entry.mode, entry.id.to_owned()))),
        );
    }
    let mut by_name: BTreeMap<&[u8], At<'_>> = BTreeMap::new();
    for (path, change) in changes {
        match path.iter().position(|byte| *byte == b'/') {
            Some(slash) => by_name
                .entry(&path[..slash])
                .or_default()
                .below
                .push((&path[slash + 1..], change)),
            None => by_name.entry(path).or_default().itself = Some(change),
        }
    }
    for (name, at) in by_name {
        if !at.below.is_empty() {
            let inner = entries
                .get(name)
                .filter(|(mode, _)| *mode == FileMode::Tree)
                .map(|(_, id)| tree_id(id));
            match folder(store, inner.as_ref(), &at.below)? {
                Some(id) => {
                    entries.insert(name.to_vec(), (FileMode::Tree, id));
                }
                None if inner.is_some() => {
                    entries.remove(name);
                }
                None => {}
            }
        }
        match at.itself {
            Some(Some(new)) => {
                entries.insert(name.to_vec(), *new);
            }
            // A file that a folder has replaced is gone already.
            Some(None) if entries.get(name).is_some_and(|(mode, _)| *mode != FileMode::Tree) => {
                entries.remove(name);
            }
            _ => {}
        }
    }
    if entries.is_empty() {
        return Ok(None);
    }
    store.write(Kind::Tree, &encode(&entries)).map(Some)
}

fn encode(entries: &BTreeMap<Vec<u8>, (FileMode, ObjectId)>) -> Vec<u8> {
    // Git orders a folder as if its name ended with a slash.
    let key = |name: &[u8], mode: FileMode| {
        let mut key = name.to_vec();
        if mode == FileMode::Tree {
            key.push(b'/');
        }
        key
    };
    let mut sorted: Vec<_> = entries
        .iter()
        .map(|(name, (mode, id))| (key(name, *mode), name, mode, id))
        .collect();
    sorted.sort();
    let mut content = Vec::new();
    for (_, name, mode, id) in sorted {
        content.extend_from_slice(mode.as_str().trim_start_matches('0').as_bytes());
        content.push(b' ');
        content.extend_from_slice(name);
        content.push(0);
        content.extend_from_slice(id.as_slice());
    }
    content
}

fn tree_id(id: &ObjectId) -> GitTreeId {
    id.to_string().parse().expect("an object id is lowercase hex")
}
