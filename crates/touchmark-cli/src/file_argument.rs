//! Files that the user names, or that a repository holds at a name we look at.
//!
//! Regular files only, read once and whole below a cap: the bytes that are hashed are the bytes that are judged. A FIFO
//! or a device is refused without being waited for.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat};

use crate::error::CliError;

/// Reads a regular file of at most `max_bytes`. Symbolic links are followed: the user named the file.
pub(crate) fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, CliError> {
    read_with(path, max_bytes, OFlags::empty())?.ok_or_else(|| missing(path))
}

/// Reads a regular file that need not exist and must not be reached through a symbolic link as its last component.
pub(crate) fn read_own(path: &Path, max_bytes: u64) -> Result<Option<Vec<u8>>, CliError> {
    read_with(path, max_bytes, OFlags::NOFOLLOW)
}

/// Opens a regular file that is too large to be read at once. Symbolic links are followed, as in [`read`].
pub(crate) fn open(path: &Path) -> Result<File, CliError> {
    match opened(path, OFlags::empty())? {
        Some((file, _)) => Ok(file),
        None => Err(missing(path)),
    }
}

fn opened(path: &Path, extra: OFlags) -> Result<Option<(File, Stat)>, CliError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | extra;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => return Err(not_regular(path, "a symbolic link")),
        Err(error) => return Err(CliError::io("file.unreadable", path, &error.into())),
    };
    let found = rustix::fs::fstat(&file).map_err(|e| CliError::io("file.unreadable", path, &e.into()))?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Ok(Some((file, found))),
        FileType::Directory => Err(not_regular(path, "a folder")),
        FileType::Fifo => Err(not_regular(path, "a named pipe")),
        _ => Err(not_regular(path, "a device or socket")),
    }
}

fn read_with(path: &Path, max_bytes: u64, extra: OFlags) -> Result<Option<Vec<u8>>, CliError> {
    let Some((file, before)) = opened(path, extra)? else {
        return Ok(None);
    };
    let unreadable = |error: &std::io::Error| CliError::io("file.unreadable", path, error);
    let mut bytes = Vec::new();
    (&file)
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(&e))?;
    if bytes.len() as u64 > max_bytes {
        return Err(CliError::failed(
            "file.too_large",
            format!("{} is larger than {max_bytes} bytes", path.display()),
        ));
    }
    let after = rustix::fs::fstat(&file).map_err(|e| unreadable(&e.into()))?;
    let stable = (before.st_size, before.st_mtime, before.st_mtime_nsec)
        == (after.st_size, after.st_mtime, after.st_mtime_nsec);
    if !stable || bytes.len() as u64 != after.st_size as u64 {
        return Err(CliError::failed(
            "file.changed",
            format!("{} changed while it was read", path.display()),
        )
        .hint("run the command again when nothing writes to it"));
    }
    Ok(Some(bytes))
}

fn missing(path: &Path) -> CliError {
    CliError::usage("file.missing", format!("{} does not exist", path.display()))
}

fn not_regular(path: &Path, what: &str) -> CliError {
    CliError::usage(
        "file.not_regular",
        format!("{} is {what}, not a regular file", path.display()),
    )
}
