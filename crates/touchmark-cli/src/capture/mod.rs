//! Between an agent's hook and an attestation: what hooks leave behind, and what is known of each session.
//!
//! Everything lies in `capture/` below the user's data folder (0700), one JSON file (0600) each, written whole and
//! flushed before its writer goes on:
//!
//! | place | holds | written by |
//! |---|---|---|
//! | `turns/<time>-<random>.json` | one event that a hook was called for ([`spool::Turn`]) | the hook, before it returns |
//! | `streams/<digest>.jsonl` | the payloads of an agent that keeps no record of its own ([`stream`]) | the hook |
//! | `sessions/<digest>.json` | where a session began in each repository ([`session::Known`]) | the worker |
//! | `accounts/<digest>.json` | how much of a session statements account for ([`account::Account`]) | the worker, `attest` |
//! | `trouble/<turn>.json` | why a turn could not be attested yet ([`trouble::Trouble`]) | the worker |
//! | `hook.log` | one line a hook, without a word of any payload ([`hook_log`]) | the hook |
//! | `worker` | locked while a worker is at it ([`worker`]) | the worker |
//!
//! A turn is removed when its statement is in the spool of statements, or when it changed nothing. A worker that dies
//! anywhere leaves the turn, and the next one comes to the same statement or finds it made. No event holds a prompt or
//! an answer: only the payloads in `streams/` do, as the transcripts of other agents do.

pub(crate) mod account;
pub(crate) mod detached;
pub(crate) mod guard;
pub(crate) mod hook_log;
pub(crate) mod marks;
pub(crate) mod owner;
pub(crate) mod session;
pub(crate) mod snapshot;
pub(crate) mod spool;
pub(crate) mod stream;
pub(crate) mod trouble;
pub(crate) mod worker;

use serde::Serialize;
use serde::de::DeserializeOwned;
use touchmark_sign::folder::Folder;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::strict_json::{self, Numbers, Rules};

use crate::error::CliError;

/// The largest of our own files that is read.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Reads one of our own files.
fn read<T: DeserializeOwned>(folder: &Folder, name: &str) -> Result<Option<T>, CliError> {
    let Some(bytes) = folder.read(name, MAX_FILE_BYTES)? else {
        return Ok(None);
    };
    let rules = Rules {
        max_bytes: MAX_FILE_BYTES as usize,
        max_depth: 16,
        numbers: Numbers::ExactIntegers,
    };
    Ok(Some(strict_json::from_slice(&bytes, &rules)?))
}

/// Writes one of our own files whole and durably.
fn write<T: Serialize>(folder: &Folder, name: &str, value: &T) -> Result<(), CliError> {
    let bytes = strict_json::canonical(value)?;
    Ok(folder.write(name, |file| file.write_all(&bytes))?)
}

/// Names a file after texts that may hold anything.
fn name_of(parts: &[&str]) -> Sha256Digest {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    Sha256Digest::of(&bytes)
}
