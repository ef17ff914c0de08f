//! An object store that re-hashes everything it hands out.
//!
//! Built on the object database alone: no configuration, no replace refs, no grafts, no commit-graph, no
//! multi-pack-index, no bitmaps. Alternates are followed, which re-hashing makes harmless.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use gix_hash::{ObjectId, oid};
use gix_object::{Find as _, FindHeader as _, Kind, Write as _};
use touchmark_statement::git_id::ObjectFormat;
use touchmark_verify::git_view::{GitObject, GitViewError, ReadFailure};

use super::cache::Cache;
use super::hash::{kind_of, object_id};
use super::tree;
use crate::error::GitError;
use crate::limits;

/// Memory for delta bases while packs are read.
const PACK_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Reads and writes objects of one repository.
pub(crate) struct Store {
    format: gix_hash::Kind,
    database: Mutex<gix_odb::HandleArc>,
    cache: Mutex<Cache>,
    replaced: HashSet<ObjectId>,
}

impl Store {
    /// Opens the objects folder. Objects in `replaced` are refused.
    pub(crate) fn open(
        objects: &Path,
        format: ObjectFormat,
        replaced: HashSet<ObjectId>,
    ) -> Result<Self, GitError> {
        let options = gix_odb::store::init::Options {
            use_multi_pack_index: false,
            alloc_limit_bytes: Some(limits::MAX_OBJECT_BYTES),
            current_dir: Some(objects.to_owned()),
            ..Default::default()
        };
        let format = kind_of(format);
        let store = gix_odb::Store::at_opts(objects.to_owned(), format, &mut None.into_iter(), options)
            .map_err(GitError::io(objects))?;
        let database = Arc::new(store)
            .to_cache_arc()
            .with_pack_cache(|| Box::new(gix_pack::cache::lru::MemoryCappedHashmap::new(PACK_CACHE_BYTES)));
        let cache = Mutex::new(Cache::new(limits::OBJECT_CACHE_BYTES));
        Ok(Self {
            format,
            database: Mutex::new(database),
            cache,
            replaced,
        })
    }

    pub(crate) fn format(&self) -> gix_hash::Kind {
        self.format
    }

    /// Returns the folders of other repositories that this one borrows objects from.
    pub(crate) fn alternates(&self) -> Vec<PathBuf> {
        self.database()
            .store_ref()
            .alternate_db_paths()
            .unwrap_or_default()
    }

    /// Returns a re-hashed commit, or a re-hashed and parsed tree, from memory where it was read before.
    pub(crate) fn remembered(&self, wanted: &GitObject) -> Result<Arc<[u8]>, GitViewError> {
        let (id, kind) = self.name(wanted)?;
        self.refuse_replaced(&id, wanted)?;
        let found = self.cache().find(&id);
        if let Some((found, content)) = found {
            return of_kind(found, kind, wanted).map(|()| content);
        }
        let mut buffer = Vec::new();
        self.read_into(&id, kind, wanted, &mut buffer)?;
        let content: Arc<[u8]> = buffer.into();
        self.cache().insert(id, (kind, content.clone()));
        Ok(content)
    }

    /// Reads a re-hashed object into `buffer` without remembering it.
    pub(crate) fn read(&self, wanted: &GitObject, buffer: &mut Vec<u8>) -> Result<(), GitViewError> {
        let (id, kind) = self.name(wanted)?;
        self.refuse_replaced(&id, wanted)?;
        self.read_into(&id, kind, wanted, buffer)
    }

    /// Returns the size that the store says an object has: enough to leave it unread, and nothing else.
    pub(crate) fn size(&self, wanted: &GitObject) -> Result<u64, GitViewError> {
        let (id, _) = self.name(wanted)?;
        match self.database().try_header(&id) {
            Ok(Some(header)) => Ok(header.size),
            Ok(None) => Err(GitViewError::Missing {
                object: wanted.clone(),
            }),
            Err(source) => Err(GitViewError::Unreadable {
                object: wanted.clone(),
                source: boxed(source),
            }),
        }
    }

    /// Reads an object of any kind, re-hashed; `None` when there is none.
    pub(crate) fn read_any(&self, id: &oid) -> Result<Option<(Kind, Vec<u8>)>, GitViewError> {
        let wanted = name_of(id, Kind::Commit);
        let mut buffer = Vec::new();
        let found = self
            .database()
            .try_find(id, &mut buffer)
            .map(|data| data.map(|data| data.kind));
        match found {
            Ok(None) => Ok(None),
            Ok(Some(kind)) => {
                self.rehash(id, kind, &name_of(id, kind), &buffer)?;
                Ok(Some((kind, buffer)))
            }
            Err(source) => Err(GitViewError::Unreadable {
                object: wanted,
                source: boxed(source),
            }),
        }
    }

    /// Returns whether the object is there, without reading it.
    pub(crate) fn contains(&self, id: &oid) -> bool {
        gix_object::Exists::exists(&*self.database(), id)
    }

    /// Writes an object and returns its id.
    pub(crate) fn write(&self, kind: Kind, content: &[u8]) -> Result<ObjectId, GitError> {
        let id = object_id(self.format, kind, content).map_err(|_| GitViewError::Collision {
            object: name_of(&self.format.null(), kind),
        })?;
        if self.contains(&id) {
            return Ok(id);
        }
        self.database()
            .write_buf_with_known_id(kind, content, id)
            .map_err(|source| GitError::WriteObject {
                source: boxed(source),
            })
    }

    fn read_into(
        &self,
        id: &oid,
        kind: Kind,
        wanted: &GitObject,
        buffer: &mut Vec<u8>,
    ) -> Result<(), GitViewError> {
        buffer.clear();
        let limit = match kind {
            Kind::Commit | Kind::Tag => limits::MAX_COMMIT_BYTES,
            Kind::Tree => limits::MAX_TREE_BYTES,
            Kind::Blob => limits::MAX_OBJECT_BYTES,
        };
        let too_large = || GitViewError::TooLarge {
            object: wanted.clone(),
            limit: limit as u64,
        };
        let database = self.database();
        let found = match database.try_find(id, buffer) {
            Ok(found) => found.map(|data| data.kind),
            Err(_)
                if database
                    .try_header(id)
                    .is_ok_and(|found| found.is_some_and(|h| h.size > limit as u64)) =>
            {
                return Err(too_large());
            }
            Err(source) => {
                return Err(GitViewError::Unreadable {
                    object: wanted.clone(),
                    source: boxed(source),
                });
            }
        };
        drop(database);
        match found {
            // Git knows the empty tree without storing it.
            None if *id == *ObjectId::empty_tree(self.format) && kind == Kind::Tree => return Ok(()),
            None => {
                return Err(GitViewError::Missing {
                    object: wanted.clone(),
                });
            }
            Some(_) if buffer.len() > limit => return Err(too_large()),
            Some(found) => {
                self.rehash(id, found, wanted, buffer)?;
                of_kind(found, kind, wanted)?;
            }
        }
        if let GitObject::Tree(tree_id) = wanted {
            tree::parse(buffer, self.format).map_err(|(offset, defect)| GitViewError::Tree {
                id: tree_id.clone(),
                offset,
                defect,
            })?;
        }
        Ok(())
    }

    fn rehash(&self, id: &oid, kind: Kind, wanted: &GitObject, content: &[u8]) -> Result<(), GitViewError> {
        let computed = object_id(self.format, kind, content).map_err(|_| GitViewError::Collision {
            object: wanted.clone(),
        })?;
        if *computed == *id {
            return Ok(());
        }
        Err(GitViewError::ObjectMismatch {
            object: wanted.clone(),
            computed: computed.to_string(),
        })
    }

    fn refuse_replaced(&self, id: &ObjectId, wanted: &GitObject) -> Result<(), GitViewError> {
        if self.replaced.contains(id) {
            return Err(GitViewError::Replaced {
                object: wanted.clone(),
            });
        }
        Ok(())
    }

    fn name(&self, wanted: &GitObject) -> Result<(ObjectId, Kind), GitViewError> {
        let (text, kind) = match wanted {
            GitObject::Commit(id) => (id.as_str(), Kind::Commit),
            GitObject::Tree(id) => (id.as_str(), Kind::Tree),
            GitObject::Blob(id) => (id.as_str(), Kind::Blob),
        };
        match ObjectId::from_hex(text.as_bytes()) {
            Ok(id) if id.kind() == self.format => Ok((id, kind)),
            _ => Err(GitViewError::ObjectFormat {
                object: wanted.clone(),
            }),
        }
    }

    fn database(&self) -> MutexGuard<'_, gix_odb::HandleArc> {
        self.database
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Names an object in the words of the view.
pub(crate) fn name_of(id: &oid, kind: Kind) -> GitObject {
    let text = id.to_string();
    match kind {
        Kind::Commit | Kind::Tag => GitObject::Commit(text.parse().expect("an object id is lowercase hex")),
        Kind::Tree => GitObject::Tree(text.parse().expect("an object id is lowercase hex")),
        Kind::Blob => GitObject::Blob(text.parse().expect("an object id is lowercase hex")),
    }
}

fn of_kind(found: Kind, wanted_kind: Kind, wanted: &GitObject) -> Result<(), GitViewError> {
    if found == wanted_kind {
        return Ok(());
    }
    let found = match found {
        Kind::Blob => "blob",
        Kind::Tree => "tree",
        Kind::Commit => "commit",
        Kind::Tag => "tag",
    };
    Err(GitViewError::WrongKind {
        object: wanted.clone(),
        found,
    })
}

fn boxed(error: impl std::error::Error + Send + Sync + 'static) -> ReadFailure {
    Box::new(error)
}

/// The store as a source of trees for a difference. The first failure is kept, since the difference only passes on
/// errors of its own kind.
pub(crate) struct TreeSource<'a> {
    pub(crate) store: &'a Store,
    pub(crate) failure: std::cell::RefCell<Option<GitViewError>>,
    pub(crate) reads: std::cell::Cell<usize>,
}

impl gix_object::Find for TreeSource<'_> {
    fn try_find<'a>(
        &self,
        id: &oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix_error::Result<Option<gix_object::Data<'a>>> {
        let wanted = name_of(id, Kind::Tree);
        self.reads.set(self.reads.get() + 1);
        let answer = if self.reads.get() > limits::MAX_DIFF_TREES {
            Err(GitViewError::TooManyPaths {
                limit: limits::MAX_DIFF_TREES,
            })
        } else {
            self.store.remembered(&wanted)
        };
        match answer {
            Ok(content) => {
                buffer.clear();
                buffer.extend_from_slice(&content);
                Ok(Some(gix_object::Data {
                    kind: Kind::Tree,
                    object_hash: self.store.format,
                    data: buffer,
                }))
            }
            Err(error) => {
                *self.failure.borrow_mut() = Some(error);
                Ok(None)
            }
        }
    }
}
