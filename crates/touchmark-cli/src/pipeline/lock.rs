//! One process at a time works on a user's spool and chains. The kernel drops the lock when its holder dies.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::FlockOperation;

use crate::context::Context;
use crate::error::CliError;
use crate::signing_key::make_folder;

/// Held while spool and chains are changed.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held open, never read")] File);

impl Lock {
    /// Waits for the lock.
    pub(crate) fn acquire(context: &Context<'_>) -> Result<Self, CliError> {
        let path = context.home.data().join("lock");
        make_folder(context.home.data())?;
        let unusable = |error: &std::io::Error| CliError::io("home.unusable", &path, error);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| unusable(&error))?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(|error| unusable(&error.into()))?;
        Ok(Self(file))
    }
}
