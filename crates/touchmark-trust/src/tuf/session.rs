//! One session with a repository: refresh, then targets, all as of one moment.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use sigstore_tuf::{Role, Updater, UpdaterConfig};
use touchmark_statement::timestamp::Timestamp;

use super::cache::{Cache, Store, Writer};
use super::error::TufError;
use super::source::{Notes, Origin, Source};
use super::target::TargetPath;
use super::transport::Transport;
use super::{Staleness, TufRepository};
use crate::limits::{
    MAX_DELEGATIONS, MAX_ROOT_BYTES, MAX_ROOT_ROTATIONS, MAX_SNAPSHOT_BYTES, MAX_TARGET_BYTES,
    MAX_TARGETS_BYTES, MAX_TIMESTAMP_BYTES,
};

/// What the metadata of a repository says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The version of the root.
    pub root: u64,
    /// The version of the timestamp.
    pub timestamp: u64,
    /// The version of the snapshot.
    pub snapshot: u64,
    /// The version of the list of targets.
    pub targets: u64,
    /// When the first of them expires.
    pub expires: Timestamp,
}

/// A session. Ends with [`Session::finish`], which keeps what was learned, or [`Session::give_up`].
pub struct Session {
    updater: Updater,
    store: Store,
    writer: Option<Writer>,
    notes: Notes,
    at: jiff::Timestamp,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Begins a session over the network.
    pub fn online(
        repository: &TufRepository,
        transport: Arc<dyn Transport>,
        cache: &Cache,
        at: Timestamp,
    ) -> Result<Self, TufError> {
        let (store, writer) = cache.open(repository)?;
        let origin = Origin::Network {
            transport,
            base: repository.url().clone(),
        };
        Self::begin(repository, origin, store, Some(writer), at.unix())
    }

    /// Begins a session with the cache alone.
    pub fn offline(
        repository: &TufRepository,
        cache: &Cache,
        at: Timestamp,
        staleness: Staleness,
    ) -> Result<Self, TufError> {
        let store = cache.read(repository)?;
        // Metadata knows no beginning, so that accepting it for a while longer is judging it that much earlier.
        let at = match staleness {
            Staleness::Refused => at.unix(),
            Staleness::AcceptedFor { seconds } => at.unix().saturating_sub(i64::from(seconds)),
        };
        Self::begin(repository, Origin::Cache(store.clone()), store, None, at)
    }

    fn begin(
        repository: &TufRepository,
        origin: Origin,
        store: Store,
        writer: Option<Writer>,
        at: i64,
    ) -> Result<Self, TufError> {
        let notes = Notes::default();
        let source = Source {
            origin,
            notes: notes.clone(),
        };
        let updater = Updater::new(source, repository.root()).map_err(TufError::from_library)?;
        Ok(Self {
            updater: updater.with_config(config()).with_store(store.clone()),
            store,
            writer,
            notes,
            at: jiff::Timestamp::from_second(at).expect("every timestamp of ours is in its range"),
        })
    }

    /// Brings the metadata up to date: root by root, then timestamp, snapshot and targets.
    pub fn refresh(&mut self) -> Result<(), TufError> {
        let done = at_once(self.updater.refresh(self.at));
        self.judge(done)
    }

    /// Returns a target that the metadata vouches for.
    pub fn target(&mut self, path: &TargetPath) -> Result<Vec<u8>, TufError> {
        let found = at_once(self.updater.get_target_info(path.as_str(), self.at));
        let Some(info) = self.judge(found)? else {
            return Err(TufError::TargetMissing {
                path: path.to_string(),
            });
        };
        if info.length > MAX_TARGET_BYTES {
            return Err(TufError::TooLarge {
                name: path.to_string(),
                max: MAX_TARGET_BYTES,
            });
        }
        if let Some(cached) = self.updater.find_cached_target(&info, path.as_str()) {
            return Ok(cached);
        }
        let fetched = at_once(self.updater.download_target(&info, path.as_str()));
        self.judge(fetched)
    }

    /// Returns what the metadata says of itself; it must have been brought up to date.
    pub fn versions(&self) -> Result<Versions, TufError> {
        let trusted = self.updater.trusted();
        let (root, targets) = (trusted.root(), trusted.targets_role("targets"));
        let (Some(timestamp), Some(snapshot), Some(targets)) =
            (trusted.timestamp(), trusted.snapshot(), targets)
        else {
            return Err(TufError::from_library(sigstore_tuf::Error::NotRefreshed));
        };
        let expires = [
            root.expires(),
            timestamp.expires(),
            snapshot.expires(),
            targets.expires(),
        ];
        let first = expires
            .into_iter()
            .map(jiff::Timestamp::as_second)
            .min()
            .unwrap_or_default();
        Ok(Versions {
            root: root.version(),
            timestamp: timestamp.version(),
            snapshot: snapshot.version(),
            targets: targets.version(),
            // A year that we do not write is one that nobody waits for.
            expires: Timestamp::from_unix(first)
                .or_else(|_| Timestamp::from_unix(0))
                .expect("a time"),
        })
    }

    /// Returns a verified metadata file as it was received, such as `timestamp.json`.
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        self.store.file(name)
    }

    /// Ends the session and keeps what it fetched as the set that belongs together.
    pub fn finish(self) -> Result<(), TufError> {
        self.writer.map_or(Ok(()), |writer| writer.keep())
    }

    /// Ends a session that failed. What it verified is kept, so that the repository cannot go back behind it; a cache
    /// that cannot be written is no news then.
    pub fn give_up(self) {
        if let Some(writer) = self.writer {
            let _ = writer.keep_floor();
        }
    }

    /// Tells what went wrong: what we refused ourselves, a file that was not there, or what the library says.
    fn judge<T>(&self, result: sigstore_tuf::Result<T>) -> Result<T, TufError> {
        let failure = self.notes.take_failure();
        result.map_err(|error| match (failure, error) {
            (Some(failure), _) => failure,
            (None, sigstore_tuf::Error::Transport { .. }) if self.notes.roots() >= MAX_ROOT_ROTATIONS => {
                TufError::RootChain {
                    max: MAX_ROOT_ROTATIONS,
                }
            }
            (None, error @ sigstore_tuf::Error::Transport { .. }) => match self.notes.take_absent() {
                Some(name) => TufError::Missing { name },
                None => TufError::from_library(error),
            },
            (None, error) => TufError::from_library(error),
        })
    }
}

fn config() -> UpdaterConfig {
    let mut config = UpdaterConfig::default();
    config.root_max_length = MAX_ROOT_BYTES;
    config.timestamp_max_length = MAX_TIMESTAMP_BYTES;
    config.snapshot_max_length = MAX_SNAPSHOT_BYTES;
    config.targets_max_length = MAX_TARGETS_BYTES;
    config.target_max_length = MAX_TARGET_BYTES;
    config.max_root_rotations = MAX_ROOT_ROTATIONS;
    config.max_delegations = MAX_DELEGATIONS;
    config
}

/// Runs a future of the library, which waits for nothing but our [`Source`], which never makes it wait.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("every file is there when it is asked for"),
    }
}
