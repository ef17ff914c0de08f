//! Where a private key file may lie and who may read it, for reading and for writing.
//!
//! The rules are applied to the opened descriptor, not to the name, so that what was checked is what is read.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, fstat, fsync, open};
use rustix::io::Errno;
use touchmark_verify::key::PublicKey;
use touchmark_verify::key::pem::MAX_PEM_BYTES;
use zeroize::Zeroizing;

use super::KeyFileError;

/// Directories a private key must stay outside of: work trees and git directories that the caller knows.
///
/// A key inside a repository could be committed, or chosen by whoever wrote the commit that was checked out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Placement<'a> {
    /// The directories; one that does not exist forbids nothing.
    pub outside: &'a [&'a Path],
}

/// Reads a private key file: a regular file, not a link, owned by us, closed to others, outside every work tree.
pub fn read_private(path: &Path, placement: &Placement<'_>) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(open(path, flags, Mode::empty()).map_err(|errno| opening(path, errno))?);
    let stat = fstat(&file).map_err(|errno| io_error(path, errno.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(KeyFileError::NotRegular {
            path: path.to_owned(),
        });
    }
    refuse_work_tree(path, placement)?;
    // Raw mode bits have different widths on different systems; the permission part fits everywhere.
    let mode = Mode::from_raw_mode(stat.st_mode).bits();
    if mode & 0o177 != 0 || mode & 0o7000 != 0 {
        return Err(KeyFileError::Permissions {
            path: path.to_owned(),
            mode,
        });
    }
    let expected = rustix::process::geteuid().as_raw();
    if stat.st_uid != expected && stat.st_uid != 0 {
        return Err(KeyFileError::ForeignOwner {
            path: path.to_owned(),
            owner: stat.st_uid,
            expected,
        });
    }
    read_capped(path, file)
}

/// Reads a public key file: any regular file up to the size of a key.
pub fn read_public(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(open(path, flags, Mode::empty()).map_err(|errno| opening(path, errno))?);
    let stat = fstat(&file).map_err(|errno| io_error(path, errno.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(KeyFileError::NotRegular {
            path: path.to_owned(),
        });
    }
    read_capped(path, file)
}

/// Writes a new private key file with mode 0600, durably; refuses to overwrite and to write into a work tree.
pub fn write_new(path: &Path, text: &[u8], placement: &Placement<'_>) -> Result<(), KeyFileError> {
    refuse_work_tree(path, placement)?;
    create(path, text, Mode::RUSR | Mode::WUSR)
}

/// Writes a new public key file, readable by everyone; refuses to overwrite.
pub fn write_public_new(path: &Path, key: &PublicKey) -> Result<(), KeyFileError> {
    create(
        path,
        key.to_pem().as_bytes(),
        Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH,
    )
}

fn create(path: &Path, text: &[u8], mode: Mode) -> Result<(), KeyFileError> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(open(path, flags, mode).map_err(|errno| opening(path, errno))?);
    let written = file
        .write_all(text)
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_parent(path));
    written.map_err(|source| {
        // Half a key must not stay behind under the name of a whole one. If this fails too, the first error counts.
        let _ = std::fs::remove_file(path);
        io_error(path, source)
    })
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(fsync(open(parent(path), flags, Mode::empty())?)?)
}

fn read_capped(path: &Path, file: File) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    // Room for the largest file at once: growing would leave copies of the key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_PEM_BYTES + 1));
    let limit = u64::try_from(MAX_PEM_BYTES + 1).expect("a small constant fits");
    file.take(limit)
        .read_to_end(&mut text)
        .map_err(|source| io_error(path, source))?;
    if text.len() > MAX_PEM_BYTES {
        return Err(KeyFileError::TooLarge {
            path: path.to_owned(),
            max: MAX_PEM_BYTES,
        });
    }
    Ok(text)
}

fn refuse_work_tree(path: &Path, placement: &Placement<'_>) -> Result<(), KeyFileError> {
    if placement.outside.is_empty() {
        return Ok(());
    }
    // Links and `..` in the directory part are resolved; the name itself is known not to be a link.
    let directory = parent(path)
        .canonicalize()
        .map_err(|source| io_error(path, source))?;
    for work_tree in placement.outside {
        let real = match work_tree.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(io_error(work_tree, source)),
        };
        if directory.starts_with(&real) {
            return Err(KeyFileError::InWorkTree {
                path: path.to_owned(),
                work_tree: PathBuf::from(work_tree),
            });
        }
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn opening(path: &Path, errno: Errno) -> KeyFileError {
    let path = path.to_owned();
    match errno {
        Errno::LOOP => KeyFileError::Symlink { path },
        Errno::NOENT => KeyFileError::NotFound { path },
        Errno::EXIST => KeyFileError::Exists { path },
        // A socket cannot be opened, a directory cannot be opened for writing.
        Errno::NXIO | Errno::ISDIR => KeyFileError::NotRegular { path },
        errno => KeyFileError::Io {
            path,
            source: errno.into(),
        },
    }
}

fn io_error(path: &Path, source: io::Error) -> KeyFileError {
    KeyFileError::Io {
        path: path.to_owned(),
        source,
    }
}
