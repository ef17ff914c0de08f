//! The record of agents that keep none: the payloads of their hooks, one a line, in the order they came.
//!
//! It is as private as any agent's transcript and lies where only its owner reads (0700, 0600). A line that a killed
//! hook left half-written is closed by the next one and counts as unreadable; its hook told nobody that it was safe.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde_json::value::RawValue;
use touchmark_sign::folder::Folder;

use crate::error::CliError;

/// Products whose hooks are the record.
const STREAMED: &[&str] = &["cursor"];

/// The most that one stream holds.
const MAX_STREAM_BYTES: u64 = 256 * 1024 * 1024;

/// Returns whether a product's payloads are kept.
pub(crate) fn is_kept(product: &str) -> bool {
    STREAMED.contains(&product)
}

/// Adds a payload durably and returns the file; nothing where the payload is no JSON or the stream is full.
pub(crate) fn append(
    capture: &Path,
    product: &str,
    session: &str,
    payload: &[u8],
) -> Result<Option<PathBuf>, CliError> {
    let folder = Folder::open(&capture.join("streams"))?;
    let path = folder.path_of(&format!("{}.jsonl", super::name_of(&[product, session])));
    let Some(line) = one_line(payload) else {
        return Ok(None);
    };
    let failed = |error: std::io::Error| CliError::io("capture.stream", &path, &error);
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path)
        .map_err(failed)?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
    let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
    if length.saturating_add(line.len() as u64) > MAX_STREAM_BYTES {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(line.len() + 2);
    if length > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1)).map_err(failed)?;
        file.read_exact(&mut last).map_err(failed)?;
        if last != *b"\n" {
            bytes.push(b'\n');
        }
    }
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    file.write_all(&bytes).map_err(failed)?;
    file.sync_data().map_err(failed)?;
    Ok(Some(path))
}

/// A JSON value without line feeds between its parts; inside strings there are none.
fn one_line(payload: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(payload).ok()?;
    let value: &RawValue = serde_json::from_str(text).ok()?;
    Some(value.get().replace(['\n', '\r'], " "))
}
