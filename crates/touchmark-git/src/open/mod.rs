//! Finds a repository and decides whether it may be read at all.
//!
//! Refused: folders that somebody else owns, a bare repository inside another's work tree (a clone could have put it
//! there), and a `.git` file whose target does not point back. The environment (`GIT_DIR` and its like) has no say.

mod config;
mod owner;

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use touchmark_statement::git_id::ObjectFormat;

pub(crate) use self::config::Config;
use self::owner::require_own;
use crate::error::GitError;
use crate::limits;

/// Where the parts of a repository are.
#[derive(Debug)]
pub(crate) struct Layout {
    /// HEAD and the index are here.
    pub(crate) git_dir: PathBuf,
    /// Objects, refs and configuration are here; differs from `git_dir` in a linked work tree.
    pub(crate) common_dir: PathBuf,
    /// The checked-out files.
    pub(crate) work_tree: Option<PathBuf>,
    /// The repository's own configuration.
    pub(crate) config: Config,
    /// The hash function.
    pub(crate) object_format: ObjectFormat,
    /// Whether refs are in the reftable format, which only the git program reads.
    pub(crate) reftable: bool,
}

/// Finds the repository at `start` or at the nearest folder above it.
pub(crate) fn discover(start: &Path, trusted: &[u32]) -> Result<Layout, GitError> {
    let start = start.canonicalize().map_err(GitError::io(start))?;
    for folder in start.ancestors() {
        let dot_git = folder.join(".git");
        if dot_git.symlink_metadata().is_ok() {
            return at_dot_git(folder, &dot_git, trusted);
        }
        if folder.file_name().is_some_and(|name| name == ".git") && looks_like_git_dir(folder) {
            let outer = folder.parent().expect("a folder with a name has a parent");
            return at_dot_git(outer, folder, trusted);
        }
        if looks_like_git_dir(folder) {
            return bare(folder, trusted);
        }
    }
    Err(GitError::NotARepository { path: start })
}

/// Opens the repository whose work tree, `.git` folder or bare folder is exactly `path`.
pub(crate) fn exactly(path: &Path, trusted: &[u32]) -> Result<Layout, GitError> {
    let path = path.canonicalize().map_err(GitError::io(path))?;
    let is_one = path.join(".git").symlink_metadata().is_ok() || looks_like_git_dir(&path);
    if is_one {
        discover(&path, trusted)
    } else {
        Err(GitError::NotARepository { path })
    }
}

fn looks_like_git_dir(folder: &Path) -> bool {
    let linked = folder.join("commondir").is_file();
    folder.join("HEAD").symlink_metadata().is_ok()
        && (linked || (folder.join("objects").is_dir() && folder.join("refs").is_dir()))
}

fn bare(folder: &Path, trusted: &[u32]) -> Result<Layout, GitError> {
    for outer in folder.ancestors().skip(1) {
        if outer.join(".git").symlink_metadata().is_ok() {
            return Err(GitError::EmbeddedBare {
                path: folder.to_owned(),
                outer: outer.to_owned(),
            });
        }
    }
    finish(folder.to_owned(), None, trusted)
}

fn at_dot_git(work_tree: &Path, dot_git: &Path, trusted: &[u32]) -> Result<Layout, GitError> {
    require_own(work_tree, trusted)?;
    let metadata = dot_git.symlink_metadata().map_err(GitError::io(dot_git))?;
    let git_dir = if metadata.is_dir() {
        dot_git.to_owned()
    } else {
        // A symlink is the same claim as a `.git` file: it must be pointed back to, which a plain folder cannot.
        require_own(dot_git, trusted)?;
        linked(work_tree, dot_git)?
    };
    if !looks_like_git_dir(&git_dir) {
        return Err(GitError::NotARepository {
            path: work_tree.to_owned(),
        });
    }
    finish(git_dir, Some(work_tree.to_owned()), trusted)
}

/// Follows a `.git` file, if what it names says the same: a linked work tree by `gitdir`, a submodule by
/// `core.worktree`.
fn linked(work_tree: &Path, file: &Path) -> Result<PathBuf, GitError> {
    let elsewhere = |target: PathBuf| GitError::GitFileElsewhere {
        file: file.to_owned(),
        target,
    };
    if file.symlink_metadata().map_err(GitError::io(file))?.is_symlink() {
        return Err(elsewhere(std::fs::read_link(file).map_err(GitError::io(file))?));
    }
    let bytes = read_control(file, limits::MAX_REF_BYTES)?;
    let target = bytes
        .strip_prefix(b"gitdir: ")
        .and_then(|rest| std::str::from_utf8(rest.trim_ascii_end()).ok())
        .ok_or_else(|| GitError::Malformed {
            path: file.to_owned(),
            line: 1,
        })?;
    let git_dir = work_tree.join(target);
    let git_dir = git_dir.canonicalize().map_err(|_| elsewhere(git_dir))?;
    let names_back = |named: PathBuf, wanted: &Path| {
        named
            .canonicalize()
            .ok()
            .zip(wanted.canonicalize().ok())
            .is_some_and(|(a, b)| a == b)
    };
    let by_gitdir = read_control(&git_dir.join("gitdir"), limits::MAX_REF_BYTES)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes.trim_ascii_end().to_vec()).ok())
        .is_some_and(|back| names_back(git_dir.join(back), file));
    if by_gitdir {
        return Ok(git_dir);
    }
    let config = git_dir.join("config");
    let by_worktree = read_control(&config, limits::MAX_CONTROL_FILE_BYTES)
        .and_then(|bytes| Config::parse(&bytes, &config))
        .is_ok_and(|config| {
            config
                .value("core", "", "worktree")
                .is_some_and(|back| names_back(git_dir.join(back), work_tree))
        });
    if by_worktree {
        Ok(git_dir)
    } else {
        Err(elsewhere(git_dir))
    }
}

fn finish(git_dir: PathBuf, work_tree: Option<PathBuf>, trusted: &[u32]) -> Result<Layout, GitError> {
    let common_file = git_dir.join("commondir");
    let common_dir = if common_file.is_file() {
        let bytes = read_control(&common_file, limits::MAX_REF_BYTES)?;
        let named = std::str::from_utf8(bytes.trim_ascii_end()).map_err(|_| GitError::Malformed {
            path: common_file.clone(),
            line: 1,
        })?;
        let joined = git_dir.join(named);
        joined.canonicalize().map_err(GitError::io(joined))?
    } else {
        git_dir.clone()
    };
    for part in [&git_dir, &common_dir, &common_dir.join("objects")] {
        require_own(part, trusted)?;
    }
    let config_file = common_dir.join("config");
    let config = match read_control(&config_file, limits::MAX_CONTROL_FILE_BYTES) {
        Ok(bytes) => {
            require_own(&config_file, trusted)?;
            Config::parse(&bytes, &config_file)?
        }
        Err(GitError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Config::default()
        }
        Err(error) => return Err(error),
    };
    let (object_format, reftable) = formats(&config)?;
    Ok(Layout {
        git_dir,
        common_dir,
        work_tree,
        config,
        object_format,
        reftable,
    })
}

/// Reads the repository format the way git does: extensions count from version 1 on.
fn formats(config: &Config) -> Result<(ObjectFormat, bool), GitError> {
    let unsupported = |key: &str, value: &str| GitError::UnsupportedFormat {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let version = config.value("core", "", "repositoryformatversion").unwrap_or("0");
    if !matches!(version, "0" | "1") {
        return Err(unsupported("core.repositoryformatversion", version));
    }
    let (mut format, mut reftable) = (ObjectFormat::Sha1, false);
    for (key, value) in config.section("extensions") {
        match (key, value.to_ascii_lowercase().as_str()) {
            ("objectformat", "sha1") => format = ObjectFormat::Sha1,
            ("objectformat", "sha256") if version == "1" => format = ObjectFormat::Sha256,
            ("refstorage", "files") => reftable = false,
            ("refstorage", "reftable") if version == "1" => reftable = true,
            ("noop" | "preciousobjects" | "partialclone" | "worktreeconfig" | "relativeworktrees", _) => {}
            _ if version == "0" && !matches!(key, "objectformat" | "refstorage") => {}
            _ => return Err(unsupported(&format!("extensions.{key}"), value)),
        }
    }
    Ok((format, reftable))
}

/// Opens a regular file and returns it with its size.
pub(crate) fn open_regular(path: &Path) -> Result<(File, u64), GitError> {
    // Non-blocking, so that a named pipe in the place of the file cannot hold us up.
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(GitError::io(path))?;
    let metadata = file.metadata().map_err(GitError::io(path))?;
    if !metadata.is_file() {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file");
        return Err(GitError::Io {
            path: path.to_owned(),
            source,
        });
    }
    Ok((file, metadata.len()))
}

/// Reads a whole control file up to `limit` bytes.
pub(crate) fn read_control(path: &Path, limit: u64) -> Result<Vec<u8>, GitError> {
    let (file, length) = open_regular(path)?;
    let mut bytes = Vec::with_capacity(length.min(limit) as usize);
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(GitError::io(path))?;
    if bytes.len() as u64 > limit {
        return Err(GitError::ControlFileTooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

/// Reads a control file that may be absent.
pub(crate) fn read_control_if_any(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, GitError> {
    match read_control(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(GitError::Io { source, .. })
            if matches!(
                source.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
