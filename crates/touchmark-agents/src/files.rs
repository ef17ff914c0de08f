//! Opening, reading and listing what lies on disk. Symbolic links are never followed, pipes never waited for.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::error::ImportError;
use crate::limits::{MAX_CANDIDATES, MAX_METADATA_BYTES, MAX_SESSION_BYTES};
use crate::packed;
use crate::recorder::input::{check_file_count, check_size};
use crate::session::SessionFile;

/// Reads one file and the small file beside it that describes it.
pub(crate) fn read(path: &Path, meta: Option<&Path>) -> Result<SessionFile, ImportError> {
    let bytes = match packed::is_packed(&name_of(path)) {
        true => read_packed(path, MAX_SESSION_BYTES)?,
        false => read_capped(path, MAX_SESSION_BYTES)?,
    };
    let meta = meta
        .map(|meta| read_capped(meta, MAX_METADATA_BYTES as u64))
        .transpose()?;
    Ok(SessionFile {
        name: name_inside(path),
        bytes,
        meta,
    })
}

/// The files of one session as they are read, under the caps of all of them together.
#[derive(Default)]
pub(crate) struct Gathered {
    /// The files, the session's own first.
    pub(crate) files: Vec<SessionFile>,
    bytes: u64,
}

impl Gathered {
    /// Begins with the session's own file.
    pub(crate) fn begin(path: &Path, meta: Option<&Path>) -> Result<Self, ImportError> {
        let mut gathered = Self::default();
        gathered.add(path, meta)?;
        Ok(gathered)
    }

    /// Reads one more file. One too many is refused, never left out.
    pub(crate) fn add(&mut self, path: &Path, meta: Option<&Path>) -> Result<(), ImportError> {
        check_file_count(self.files.len() + 1)?;
        let file = read(path, meta)?;
        self.bytes += file.bytes.len() as u64;
        check_size(self.bytes)?;
        self.files.push(file);
        Ok(())
    }
}

/// The file's name, without its folders.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The name of the session's file: of a packed one, the name of what it holds.
pub(crate) fn name_inside(path: &Path) -> String {
    packed::name_inside(&name_of(path)).to_owned()
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read_capped(path: &Path, limit: u64) -> Result<Vec<u8>, ImportError> {
    let (file, metadata) = open(path)?;
    let bytes = Vec::with_capacity(usize::try_from(metadata.len().min(limit)).unwrap_or(0));
    read_to_end(file, bytes, limit, |source| io(path, source))
}

/// Reads what a packed file holds, if that is at most `limit` bytes.
fn read_packed(path: &Path, limit: u64) -> Result<Vec<u8>, ImportError> {
    read_to_end(packed::open(path)?, Vec::new(), limit, |source| {
        packed::error(path, source)
    })
}

fn read_to_end(
    reader: impl Read,
    mut bytes: Vec<u8>,
    limit: u64,
    error: impl Fn(std::io::Error) -> ImportError,
) -> Result<Vec<u8>, ImportError> {
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > limit {
        return Err(ImportError::TooLarge { what: "bytes", limit });
    }
    Ok(bytes)
}

/// Reads the beginning of a file, or of what a packed one holds.
pub(crate) fn read_head(path: &Path, limit: usize) -> Result<Vec<u8>, ImportError> {
    let mut head = Vec::new();
    if packed::is_packed(&name_of(path)) {
        let unpacked = packed::open(path)?.take(limit as u64).read_to_end(&mut head);
        return match unpacked {
            Ok(_) => Ok(head),
            Err(source) => Err(packed::error(path, source)),
        };
    }
    let (file, _) = open(path)?;
    file.take(limit as u64)
        .read_to_end(&mut head)
        .map_err(|source| io(path, source))?;
    Ok(head)
}

/// Opens a regular file that is no symbolic link; never blocks on a pipe.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata), ImportError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path);
    let file = opened.map_err(|source| match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => ImportError::NotAFile {
            path: path.to_owned(),
        },
        _ => io(path, source),
    })?;
    let metadata = file.metadata().map_err(|source| io(path, source))?;
    if !metadata.is_file() {
        return Err(ImportError::NotAFile {
            path: path.to_owned(),
        });
    }
    Ok((file, metadata))
}

/// The error of a file that could not be read.
pub(crate) fn io(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Lists a folder in order of names; a folder that is not there is empty. One of too many entries is refused.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    entries_up_to(folder, MAX_CANDIDATES)
}

fn entries_up_to(folder: &Path, limit: usize) -> Result<Vec<PathBuf>, ImportError> {
    let listing = match std::fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(io(folder, error)),
    };
    let mut paths = Vec::new();
    for entry in listing {
        if paths.len() >= limit {
            return Err(ImportError::TooLarge {
                what: "files in one folder",
                limit: limit as u64,
            });
        }
        paths.push(entry.map_err(|source| io(folder, source))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Returns whether this is a folder and no symbolic link to one.
pub(crate) fn is_real_dir(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Returns whether this is a file and no symbolic link to one.
pub(crate) fn is_real_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_that_unpacks_to_endless_bytes_is_refused_at_the_cap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.jsonl.zst");
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        let bomb = ruzstd::encoding::compress_to_vec(&vec![b'\n'; 1 << 20][..], level);
        assert!(bomb.len() < 1_000, "{}", bomb.len());
        std::fs::write(&path, bomb.repeat(8)).unwrap();
        assert_eq!(read_packed(&path, 8 << 20).unwrap().len(), 8 << 20);
        let error = read_packed(&path, (8 << 20) - 1).unwrap_err();
        assert_eq!(error.code(), "session.too_large");
        assert_eq!(read_head(&path, 100).unwrap().len(), 100);
    }

    #[test]
    fn a_folder_of_too_many_entries_is_refused_and_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(entries_up_to(folder.path(), 3).unwrap().len(), 3);
        let error = entries_up_to(folder.path(), 2).unwrap_err();
        assert_eq!(error.code(), "session.too_large");
    }
}
