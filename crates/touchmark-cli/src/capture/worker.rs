//! At most one worker a user: whoever holds the lock. The kernel drops it when its holder dies.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::FlockOperation;

/// Held while turns are dealt with.
#[derive(Debug)]
pub(crate) struct Busy {
    _file: File,
}

impl Busy {
    /// Takes the lock; nothing where somebody else has it or it cannot be had.
    pub(crate) fn try_new(capture: &Path) -> Option<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(capture.join("worker"))
            .ok()?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        Some(Self { _file: file })
    }
}

/// Returns whether a worker has to be started. A worker that ends looks once more after it has let go, so that a turn
/// that is durable before this question is asked is either seen by that look or by the worker that is started now.
pub(crate) fn is_needed(capture: &Path) -> bool {
    Busy::try_new(capture).is_some()
}
