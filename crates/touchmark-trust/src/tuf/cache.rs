//! The cache: one file for each repository, replaced as a whole.
//!
//! What is in it is verified anew whenever it is read; it is there so that an instance can be used without a network,
//! and so that a repository cannot go back to what it said before. A file is written in one step, so that a killed
//! program leaves the last set of metadata that belongs together, and never half of one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sigstore_tuf::MetadataStore;
use touchmark_statement::digest::Sha256Digest;

use super::TufRepository;
use super::error::TufError;
use crate::limits::MAX_CACHE_BYTES;

const FORMAT: &str = "touchmark-tuf-cache-v1";

/// A folder that holds the caches of repositories.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Returns the cache in this folder, which is made when something is kept in it.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Returns the file that holds what is known of a repository.
    pub fn file(&self, repository: &TufRepository) -> PathBuf {
        self.folder.join(format!("{}.json", repository.identity()))
    }

    /// Opens the cache of a repository for reading alone.
    pub(super) fn read(&self, repository: &TufRepository) -> Result<Store, TufError> {
        let content = read(&self.file(repository), repository)?.ok_or(TufError::CacheMissing)?;
        Ok(Store::new(content, View::Whole))
    }

    /// Opens the cache of a repository for one session, and keeps other sessions out until it is over.
    pub(super) fn open(&self, repository: &TufRepository) -> Result<(Store, Writer), TufError> {
        let failed = |source| TufError::Cache {
            action: "written",
            source,
        };
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        let path = self.file(repository);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.with_extension("lock"))
            .map_err(failed)?;
        lock.lock().map_err(failed)?;
        let content = read(&path, repository)?.unwrap_or_else(|| Content::of(repository));
        let store = Store::new(content, View::Newest);
        let writer = Writer {
            store: store.clone(),
            path,
            _lock: lock,
        };
        Ok((store, writer))
    }
}

/// Which of the cached files are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// Those of the last session that succeeded.
    Whole,
    /// The newest of each, be they of a session that failed later.
    Newest,
}

/// What the library reads and writes during one session; nothing of it reaches the disk by itself.
#[derive(Debug, Clone)]
pub(super) struct Store {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    content: Content,
    written: BTreeMap<String, Vec<u8>>,
    view: View,
}

impl Store {
    fn new(content: Content, view: View) -> Self {
        let state = State {
            content,
            written: BTreeMap::new(),
            view,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a file.
    pub(super) fn file(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let pending = || {
            state
                .content
                .pending
                .get(name)
                .filter(|_| state.view == View::Newest)
        };
        state
            .written
            .get(name)
            .or_else(pending)
            .or_else(|| state.content.files.get(name))
            .cloned()
    }
}

impl MetadataStore for Store {
    fn load(&self, name: &str) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        Ok(self.file(name))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> sigstore_tuf::Result<()> {
        // `7.snapshot.json` is also stored as `snapshot.json`; keeping every version would only grow.
        let versioned = name.split_once('.').is_some_and(|(version, rest)| {
            !name.contains('/') && rest.contains('.') && version.bytes().all(|byte| byte.is_ascii_digit())
        });
        if !versioned {
            self.state().written.insert(name.to_owned(), bytes.to_vec());
        }
        Ok(())
    }
}

/// Writes what a session learned, while nobody else does.
#[derive(Debug)]
pub(super) struct Writer {
    store: Store,
    path: PathBuf,
    _lock: File,
}

impl Writer {
    /// Keeps what a session wrote as the set that belongs together.
    pub(super) fn keep(&self) -> Result<(), TufError> {
        let mut state = self.store.state();
        let State { content, written, .. } = &mut *state;
        content.pending.clear();
        content.files.append(written);
        write(&self.path, content)
    }

    /// Keeps what a session verified before it failed: new roots at once, the rest as what later sessions may not go
    /// below. Offline reading still sees the last whole set.
    pub(super) fn keep_floor(&self) -> Result<(), TufError> {
        let mut state = self.store.state();
        let State { content, written, .. } = &mut *state;
        for (name, bytes) in std::mem::take(written) {
            let is_root = name == "root.json" || name.starts_with("root_history/");
            let kept = if is_root {
                &mut content.files
            } else {
                &mut content.pending
            };
            kept.insert(name, bytes);
        }
        write(&self.path, content)
    }
}

#[derive(Debug)]
struct Content {
    url: String,
    root: Sha256Digest,
    files: BTreeMap<String, Vec<u8>>,
    pending: BTreeMap<String, Vec<u8>>,
}

impl Content {
    fn of(repository: &TufRepository) -> Self {
        Self {
            url: address(repository),
            root: Sha256Digest::of(repository.root()),
            files: BTreeMap::new(),
            pending: BTreeMap::new(),
        }
    }
}

fn address(repository: &TufRepository) -> String {
    repository.url().as_str().trim_end_matches('/').to_owned()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    format: String,
    url: String,
    root: String,
    files: BTreeMap<String, String>,
    pending: BTreeMap<String, String>,
}

fn read(path: &Path, repository: &TufRepository) -> Result<Option<Content>, TufError> {
    let failed = |source| TufError::Cache {
        action: "read",
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_CACHE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_CACHE_BYTES {
        return Err(TufError::CacheDamaged);
    }
    let wire: Wire = serde_json::from_slice(&bytes).map_err(|_| TufError::CacheDamaged)?;
    let decode = |files: BTreeMap<String, String>| {
        let pairs = files
            .into_iter()
            .map(|(name, text)| Some((name, STANDARD.decode(text).ok()?)));
        pairs
            .collect::<Option<BTreeMap<_, _>>>()
            .ok_or(TufError::CacheDamaged)
    };
    let expected = Content::of(repository);
    // The name of the file says so too, but a file can be moved.
    if wire.format != FORMAT || wire.url != expected.url || wire.root != expected.root.to_string() {
        return Err(TufError::CacheDamaged);
    }
    Ok(Some(Content {
        files: decode(wire.files)?,
        pending: decode(wire.pending)?,
        ..expected
    }))
}

fn write(path: &Path, content: &Content) -> Result<(), TufError> {
    let encode = |files: &BTreeMap<String, Vec<u8>>| {
        let pairs = files
            .iter()
            .map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes)));
        pairs.collect::<BTreeMap<_, _>>()
    };
    let wire = Wire {
        format: FORMAT.to_owned(),
        url: content.url.clone(),
        root: content.root.to_string(),
        files: encode(&content.files),
        pending: encode(&content.pending),
    };
    let json = serde_json::to_vec(&wire).expect("texts and maps of them");
    let folder = path.parent().expect("a file in the cache's folder");
    let replace = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&json)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    replace().map_err(|source: std::io::Error| TufError::Cache {
        action: "written",
        source,
    })
}
