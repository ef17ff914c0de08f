//! The log as its users see it.

use std::fs;
use std::io;
use std::path::Path;

use touchmark_tlog::checkpoint::VerifiedCheckpoint;
use touchmark_tlog::entry::{CreateEntryRequest, LogEntry};
use touchmark_tlog::merkle::{empty_root, leaf_hash};
use touchmark_tlog::note::VerifierKey;
use touchmark_tlog::prove::Prover;
use touchmark_tlog::tile::TileKind;
use touchmark_tlog::tile::{TILE_WIDTH, TilePath, entries_width, hashes_width};

use crate::accept::accept;
use crate::check::{self, Report};
use crate::durable::{self, Audience, Settled, Staging, WriteLock};
use crate::error::{AddError, LogError, storage};
use crate::key::LogKey;
use crate::layout::Layout;
use crate::queue::Queue;
use crate::tiles::FileTiles;
use crate::writer::{self, Outcome, log_entry, prove, read_checkpoint, sign_checkpoint};

const MAX_ORIGIN_BYTES: usize = 512;

/// A transparency log in a directory. Threads share one value; processes open the directory each for itself.
pub struct Log {
    layout: Layout,
    key: LogKey,
    queue: Queue,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("dir", &self.layout.root())
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

impl Log {
    /// Creates a log with a new key. The origin is the beginning of the key's digest, a dot and the name.
    pub fn create(dir: &Path, name: &str) -> Result<Self, LogError> {
        let layout = Layout::new(dir);
        let key = LogKey::generate(name)?;
        durable::make_private_dir(&layout.private())?;
        let lock = WriteLock::acquire(&layout)?;
        if layout.key().exists() || layout.checkpoint().exists() || layout.tiles().exists() {
            return Err(LogError::Exists { dir: dir.to_owned() });
        }
        durable::clear_temporary(&layout)?;
        let mut staging = Staging::new(&layout);
        staging.add(layout.origin(), Audience::Owner, key.origin().as_bytes())?;
        // The key comes last: with it the log exists.
        staging.then();
        staging.add(layout.key(), Audience::Owner, key.to_pem().as_bytes())?;
        staging.publish(&mut Settled::default())?;
        sign_checkpoint(&layout, &key, 0, empty_root())?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            durable::sync_dir(parent)?;
        }
        drop(lock);
        Ok(Self {
            layout,
            key,
            queue: Queue::default(),
        })
    }

    /// Opens the log of a directory. Nothing is written unless the log's creation was cut short.
    pub fn open(dir: &Path) -> Result<Self, LogError> {
        let layout = Layout::new(dir);
        let origin = durable::read_capped(&layout.origin(), MAX_ORIGIN_BYTES)?;
        if origin.is_none() || !layout.key().exists() {
            return Err(LogError::Missing { dir: dir.to_owned() });
        }
        let origin = origin.and_then(|bytes| String::from_utf8(bytes).ok());
        let wrong = || LogError::Key { path: layout.key() };
        let key = LogKey::load(&layout.key(), &origin.ok_or_else(wrong)?)?;
        match read_checkpoint(&layout, &key) {
            Err(LogError::CheckpointMissing { .. }) => finish_creation(&layout, &key)?,
            other => drop(other?),
        }
        Ok(Self {
            layout,
            key,
            queue: Queue::default(),
        })
    }

    /// Opens the log of a directory, or creates it with this name if there is none.
    pub fn open_or_create(dir: &Path, name: &str) -> Result<Self, LogError> {
        match Self::open(dir) {
            Err(LogError::Missing { .. }) => match Self::create(dir, name) {
                // Somebody else was faster.
                Err(LogError::Exists { .. }) => Self::open(dir),
                other => other,
            },
            other => other,
        }
    }

    /// Returns the first line of this log's checkpoints, which names its key.
    pub fn origin(&self) -> &str {
        self.key.origin()
    }

    /// Returns the directory of the log.
    pub fn dir(&self) -> &Path {
        self.layout.root()
    }

    /// Returns the public key that verifies this log's checkpoints.
    pub fn verifier_key(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// Verifies a request, appends its entry and returns it with its proof, once it is durable.
    pub fn add(&self, request: &CreateEntryRequest) -> Result<LogEntry, AddError> {
        let entry = accept(request)?;
        let commit = |writer: &mut writer::Writer, batch: &[_]| writer.append(&self.layout, &self.key, batch);
        match self.queue.add(entry, commit)? {
            Outcome::Added(entry) => Ok(*entry),
            Outcome::Duplicate(index) => Err(AddError::Duplicate { index }),
        }
    }

    /// Returns the entry at this index with a proof against the current checkpoint.
    pub fn get(&self, index: u64) -> Result<LogEntry, LogError> {
        let checkpoint = self.checkpoint()?;
        let (size, tiles) = (checkpoint.size(), FileTiles::new(&self.layout));
        let bundle = index / u64::from(TILE_WIDTH);
        let none = || LogError::NoEntry { index, size };
        let path = entries_width(bundle, size)
            .and_then(|width| TilePath::entries(bundle, width))
            .ok_or_else(none)?;
        let within = (index % u64::from(TILE_WIDTH)) as usize;
        let body = tiles.entries(&path)?.into_iter().nth(within).ok_or_else(none)?;
        let note = checkpoint.note().encode();
        let proof = prove(
            &mut Prover::new(&tiles, size),
            leaf_hash(&body),
            index,
            &checkpoint,
            &note,
        )?;
        Ok(log_entry(&self.key, index, proof, body))
    }

    /// Returns the current checkpoint.
    pub fn checkpoint(&self) -> Result<VerifiedCheckpoint, LogError> {
        read_checkpoint(&self.layout, &self.key)
    }

    /// Returns the proof that the current checkpoint's tree extends the one of an earlier size, and that checkpoint.
    pub fn consistency(
        &self,
        old_size: u64,
    ) -> Result<(Vec<touchmark_tlog::merkle::Hash>, VerifiedCheckpoint), LogError> {
        let checkpoint = self.checkpoint()?;
        let (size, tiles) = (checkpoint.size(), FileTiles::new(&self.layout));
        let proof = Prover::new(&tiles, size)
            .consistency(old_size)
            .map_err(|error| match error {
                touchmark_tlog::prove::ProveError::Source(error) => error,
                _ => LogError::NoEntry {
                    index: old_size,
                    size,
                },
            })?;
        Ok((proof, checkpoint))
    }

    /// Reads a tile or entry bundle that the current checkpoint covers; `None` if it does not.
    pub fn tile(&self, path: &TilePath) -> Result<Option<Vec<u8>>, LogError> {
        let size = self.checkpoint()?.size();
        let width = match path.kind() {
            TileKind::Hashes { level } => hashes_width(level, path.index(), size),
            TileKind::Entries => entries_width(path.index(), size),
        };
        match width {
            Some(width) if path.width() <= width => FileTiles::new(&self.layout).read(path).map(Some),
            _ => Ok(None),
        }
    }

    /// Derives the whole tree again from the entries and reports everything that disagrees with it.
    pub fn check(&self) -> Result<Report, LogError> {
        check::check(&self.layout, &self.checkpoint()?)
    }
}

#[cfg(test)]
impl Log {
    /// Signs a checkpoint over tiles that a test has written itself.
    pub(crate) fn sign_for_test(&self, size: u64, root: touchmark_tlog::merkle::Hash) {
        sign_checkpoint(&self.layout, &self.key, size, root).expect("a directory to write to");
    }
}

/// A process died between writing the key and the first checkpoint. A log that has tiles is not in that state.
fn finish_creation(layout: &Layout, key: &LogKey) -> Result<(), LogError> {
    let _lock = WriteLock::acquire(layout)?;
    if layout.checkpoint().exists() {
        return Ok(());
    }
    match fs::metadata(layout.tiles()) {
        Ok(_) => Err(LogError::CheckpointMissing {
            path: layout.checkpoint(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            durable::clear_temporary(layout)?;
            sign_checkpoint(layout, key, 0, empty_root()).map(drop)
        }
        Err(error) => Err(storage("read", &layout.tiles())(error)),
    }
}
