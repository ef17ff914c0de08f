//! A folder of our own (0700) whose files (0600) appear whole or not at all and stay after a power cut.
//!
//! Every write goes to a temporary file, is flushed, renamed, and the folder is flushed too. Names are resolved below
//! the opened folder without following links, so nobody can redirect a write by swapping a path.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags};
use rustix::fs::{flock, fstat, fsync, open, openat, renameat, statat, unlinkat};
use rustix::io::Errno;
use thiserror::Error;

/// How names of half-written files begin.
const TEMPORARY: &str = ".tmp-";
/// The lock that guards the folder's own bookkeeping.
const FOLDER_LOCK: &str = ".lock";

/// A folder that cannot be used, or a file in it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The system refused.
    #[error("{} could not be used", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The path is a link or no folder.
    #[error("{} is not a folder", path.display())]
    NotFolder {
        /// The path.
        path: PathBuf,
    },
    /// Others than the owner can enter the folder.
    #[error("{} has mode {mode:04o}, expected 0700", path.display())]
    Permissions {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The folder belongs to another user.
    #[error("{} belongs to user {owner}, expected {expected}", path.display())]
    ForeignOwner {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user this process acts as.
        expected: u32,
    },
    /// The file is no regular file.
    #[error("{} is not a regular file", path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
    },
    /// The file is larger than it may be.
    #[error("{} has more than {max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The cap.
        max: u64,
    },
    /// The folder holds more files than it may.
    #[error("{} holds more than {max} files", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The cap.
        max: usize,
    },
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
}

impl FolderError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            FolderError::Io { .. } => "store.io",
            FolderError::NotFolder { .. } => "store.not_folder",
            FolderError::Permissions { .. } => "store.permissions",
            FolderError::ForeignOwner { .. } => "store.foreign_owner",
            FolderError::NotRegular { .. } => "store.not_regular",
            FolderError::TooLarge { .. } => "store.too_large",
            FolderError::TooMany { .. } => "store.too_many",
            FolderError::NoRandomness => "store.no_randomness",
        }
    }
}

/// An opened folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    fd: OwnedFd,
}

/// A lock that ends with this value or with the process, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Folder {
    /// Opens a folder, making it (and those above it) if there is none; it must be ours and closed to others.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let failed = |source| FolderError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)
                .map_err(failed)?;
        }
        match std::fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = open(path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::LOOP | Errno::NOTDIR => FolderError::NotFolder {
                path: path.to_owned(),
            },
            errno => failed(errno.into()),
        })?;
        let stat = fstat(&fd).map_err(|errno| failed(errno.into()))?;
        let mode = Mode::from_raw_mode(stat.st_mode).bits();
        if mode & 0o077 != 0 {
            return Err(FolderError::Permissions {
                path: path.to_owned(),
                mode,
            });
        }
        let expected = rustix::process::geteuid().as_raw();
        if stat.st_uid != expected {
            return Err(FolderError::ForeignOwner {
                path: path.to_owned(),
                owner: stat.st_uid,
                expected,
            });
        }
        Ok(Folder {
            path: path.to_owned(),
            fd,
        })
    }

    /// Returns the path of a file, for messages.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns the names of whole files, sorted; lock files and half-written files are left out.
    pub fn names(&self, max: usize) -> Result<Vec<String>, FolderError> {
        let mut names = self.all_names(max.saturating_mul(2).saturating_add(1024))?;
        names.retain(|name| !name.starts_with('.'));
        if names.len() > max {
            return Err(FolderError::TooMany {
                path: self.path.clone(),
                max,
            });
        }
        names.sort();
        Ok(names)
    }

    /// Returns the first whole files in the order of their names, and leaves out what is beyond `max`.
    pub fn first_names(&self, max: usize) -> Result<Vec<String>, FolderError> {
        let mut first = std::collections::BinaryHeap::new();
        self.each_name(|name| {
            first.push(name);
            if first.len() > max {
                first.pop();
            }
        })?;
        Ok(first.into_sorted_vec())
    }

    /// Returns the whole files that were written last, in the order of their names, and leaves out what is beyond `max`.
    pub fn latest_names(&self, max: usize) -> Result<Vec<String>, FolderError> {
        let mut latest = std::collections::BinaryHeap::new();
        self.each_name(|name| {
            let Ok(found) = statat(&self.fd, &name, AtFlags::SYMLINK_NOFOLLOW) else {
                return;
            };
            latest.push(std::cmp::Reverse((found.st_mtime, found.st_mtime_nsec, name)));
            if latest.len() > max {
                latest.pop();
            }
        })?;
        let mut names: Vec<String> = latest
            .into_iter()
            .map(|std::cmp::Reverse((_, _, name))| name)
            .collect();
        names.sort();
        Ok(names)
    }

    /// Returns whether there is a file of this name.
    pub fn contains(&self, name: &str) -> Result<bool, FolderError> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(self.failed(name, errno)),
        }
    }

    /// Returns the size of a file.
    pub fn size(&self, name: &str) -> Result<u64, FolderError> {
        let stat =
            statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| self.failed(name, errno))?;
        Ok(u64::try_from(stat.st_size).unwrap_or(0))
    }

    /// Opens a regular file for reading, or returns nothing where there is none.
    pub(crate) fn open_file(&self, name: &str) -> Result<Option<File>, FolderError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NXIO) => {
                return Err(FolderError::NotRegular {
                    path: self.path_of(name),
                });
            }
            Err(errno) => return Err(self.failed(name, errno)),
        };
        let stat = fstat(&file).map_err(|errno| self.failed(name, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(FolderError::NotRegular {
                path: self.path_of(name),
            });
        }
        Ok(Some(file))
    }

    /// Returns when a file was last written; nothing where there is none or the file system does not say.
    pub fn modified(&self, name: &str) -> Result<Option<std::time::SystemTime>, FolderError> {
        let file = self.open_file(name)?;
        Ok(file.and_then(|file| file.metadata().ok()?.modified().ok()))
    }

    /// Reads a whole file, or returns nothing where there is none.
    pub fn read(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>, FolderError> {
        let Some(file) = self.open_file(name)? else {
            return Ok(None);
        };
        // Room for the whole file at once: growing would leave copies of a run key behind.
        let expected = file
            .metadata()
            .map_err(|error| self.io(name, error))?
            .len()
            .min(max);
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0).saturating_add(1));
        let limit = max.saturating_add(1);
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(|error| self.io(name, error))?;
        if u64::try_from(bytes.len()).is_ok_and(|len| len > max) {
            return Err(FolderError::TooLarge {
                path: self.path_of(name),
                max,
            });
        }
        Ok(Some(bytes))
    }

    /// Writes a file whole and durably, in place of one of the same name.
    pub fn write(
        &self,
        name: &str,
        contents: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), FolderError> {
        let (temporary, mut file) = self.temporary()?;
        let written = (|| {
            contents(&mut file)?;
            file.sync_all()?;
            renameat(&self.fd, &temporary, &self.fd, name)?;
            fsync(&self.fd)?;
            Ok(())
        })();
        written.map_err(|source: io::Error| {
            // Gone already if the rename succeeded; if it cannot be removed, the next `clean` tries again.
            let _ = unlinkat(&self.fd, &temporary, AtFlags::empty());
            self.io(name, source)
        })
    }

    /// Removes a file durably; returns whether it was there.
    pub fn remove(&self, name: &str) -> Result<bool, FolderError> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => {
                fsync(&self.fd).map_err(|errno| self.failed(name, errno))?;
                Ok(true)
            }
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(self.failed(name, errno)),
        }
    }

    /// Removes what writers that died left half-written; returns how many files.
    pub fn clean(&self) -> Result<usize, FolderError> {
        let mut removed = 0;
        for name in self
            .all_names(usize::MAX)?
            .iter()
            .filter(|name| name.starts_with(TEMPORARY))
        {
            let Some(file) = self.open_file(name)? else {
                continue;
            };
            // A writer that lives holds the lock of its file.
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() && self.remove(name)? {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Waits for the folder's own lock, which is held for moments only.
    pub fn lock(&self) -> Result<Lock, FolderError> {
        let file = self.lock_file(FOLDER_LOCK)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|errno| self.failed(FOLDER_LOCK, errno))?;
        Ok(Lock { _file: file })
    }

    /// Takes the lock of one entry, or returns nothing where another process has it.
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>, FolderError> {
        let lock_name = lock_name(name);
        let file = self.lock_file(&lock_name)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(errno) => return Err(self.failed(&lock_name, errno)),
        }
        // The file may have been removed by its last holder in between: then it locks nothing.
        let held = fstat(&file).map_err(|errno| self.failed(&lock_name, errno))?;
        match statat(&self.fd, &lock_name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) if named.st_ino == held.st_ino => Ok(Some(Lock { _file: file })),
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.failed(&lock_name, errno)),
        }
    }

    /// Removes the lock file of an entry that is gone; only its holder may.
    pub fn remove_lock(&self, name: &str) -> Result<(), FolderError> {
        self.remove(&lock_name(name)).map(|_| ())
    }

    fn all_names(&self, max: usize) -> Result<Vec<String>, FolderError> {
        let mut names = Vec::new();
        self.entries(|name| {
            if names.len() >= max {
                return Err(FolderError::TooMany {
                    path: self.path.clone(),
                    max,
                });
            }
            names.push(name);
            Ok(())
        })?;
        Ok(names)
    }

    /// Calls `each` with the name of every whole file.
    fn each_name(&self, mut each: impl FnMut(String)) -> Result<(), FolderError> {
        self.entries(|name| {
            if !name.starts_with('.') {
                each(name);
            }
            Ok(())
        })
    }

    fn entries(&self, mut each: impl FnMut(String) -> Result<(), FolderError>) -> Result<(), FolderError> {
        let listing = Dir::read_from(self.fd.as_fd()).map_err(|errno| self.failed("", errno))?;
        for entry in listing {
            let entry = entry.map_err(|errno| self.failed("", errno))?;
            // Our own names are ASCII; anything else was not written by us.
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if name != "." && name != ".." {
                each(name.to_owned())?;
            }
        }
        Ok(())
    }

    fn temporary(&self) -> Result<(String, File), FolderError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| FolderError::NoRandomness)?;
        let name = format!("{TEMPORARY}{:032x}", u128::from_be_bytes(random));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(
            openat(&self.fd, &name, flags, Mode::RUSR | Mode::WUSR)
                .map_err(|errno| self.failed(&name, errno))?,
        );
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|errno| self.failed(&name, errno))?;
        Ok((name, file))
    }

    fn lock_file(&self, name: &str) -> Result<File, FolderError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(File::from(
            openat(&self.fd, name, flags, mode).map_err(|errno| self.failed(name, errno))?,
        ))
    }

    fn failed(&self, name: &str, errno: Errno) -> FolderError {
        self.io(name, errno.into())
    }

    fn io(&self, name: &str, source: io::Error) -> FolderError {
        FolderError::Io {
            path: self.path_of(name),
            source,
        }
    }
}

fn lock_name(name: &str) -> String {
    format!(".lock-{name}")
}

#[cfg(test)]
mod tests;
