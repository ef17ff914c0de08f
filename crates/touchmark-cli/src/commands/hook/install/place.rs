//! Files of others: read without being led elsewhere, replaced whole with their mode, or not at all.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::CliError;

/// The largest configuration file that is changed.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A file to be changed, as it was found.
#[derive(Debug)]
pub(crate) struct Place {
    /// The file as it is called.
    pub(crate) path: PathBuf,
    /// Where it really is.
    real: PathBuf,
    /// Its text, if it is there.
    pub(crate) text: Option<String>,
    mode: Option<u32>,
}

impl Place {
    /// Finds a file that has to lie inside `base`, through whatever links lead to it.
    pub(crate) fn find(base: &Path, path: &Path) -> Result<Self, CliError> {
        let failed = |error: std::io::Error| CliError::io("hook.file_unusable", path, &error);
        let real_base = real(base).map_err(failed)?;
        let real_path = real(path).map_err(failed)?;
        if !real_path.starts_with(&real_base) {
            let text = format!(
                "{} leads out of {}, to {}",
                path.display(),
                base.display(),
                real_path.display()
            );
            return Err(CliError::usage("hook.file_elsewhere", text)
                .hint("change that file yourself with what `--print` shows, or replace the link"));
        }
        let mut place = Self {
            path: path.to_owned(),
            real: real_path,
            text: None,
            mode: None,
        };
        let found = match std::fs::symlink_metadata(&place.real) {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(place),
            Err(error) => return Err(failed(error)),
        };
        if !found.is_file() || found.len() > MAX_FILE_BYTES {
            let text = format!("{} is no file that could be a configuration", path.display());
            return Err(CliError::usage("hook.file_unreadable", text));
        }
        place.mode = Some(found.permissions().mode() & 0o7777);
        place.text = Some(read(&place.real).map_err(|error| {
            let text = format!("{} cannot be read as text", path.display());
            CliError::usage("hook.file_unreadable", text)
                .because(error)
                .hint("nothing was changed; `--print` shows what to put in yourself")
        })?);
        Ok(place)
    }

    /// Whether the file is there and can be run.
    pub(crate) fn is_executable(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o100 != 0)
    }

    /// Replaces the file, or makes it. Returns the folders that were made for it, outermost first.
    pub(crate) fn write(&self, text: &str, new_mode: u32) -> Result<Vec<PathBuf>, CliError> {
        let failed = |error: std::io::Error| CliError::io("hook.file_unusable", &self.path, &error);
        let folder = self.real.parent().unwrap_or(Path::new("/"));
        let made: Vec<PathBuf> = {
            let missing = folder.ancestors().take_while(|folder| !folder.exists());
            let mut missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
            missing.reverse();
            missing
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        let mode = self.mode.unwrap_or(new_mode);
        let permissions = std::fs::Permissions::from_mode(mode);
        file.as_file().set_permissions(permissions).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        self.require_unchanged()?;
        file.persist(&self.real).map_err(|error| failed(error.error))?;
        sync(folder);
        Ok(made)
    }

    /// Removes the file.
    pub(crate) fn remove(&self) -> Result<(), CliError> {
        self.require_unchanged()?;
        std::fs::remove_file(&self.real)
            .map_err(|error| CliError::io("hook.file_unusable", &self.path, &error))?;
        sync(self.real.parent().unwrap_or(Path::new("/")));
        Ok(())
    }

    /// Agents write their settings too: what was read must still be there.
    fn require_unchanged(&self) -> Result<(), CliError> {
        let now = match read(&self.real) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(CliError::io("hook.file_unusable", &self.path, &error)),
        };
        if now == self.text {
            return Ok(());
        }
        let text = format!("{} was changed by another program just now", self.path.display());
        Err(CliError::failed("hook.file_changed", text).hint("run it again"))
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(MAX_FILE_BYTES)
        .read_to_string(&mut text)?;
    Ok(text)
}

fn sync(folder: &Path) {
    // Without it the change may be lost with the power, but it is not half-made.
    let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
}

/// Where a path leads, though its end may not be there yet. A link to nowhere leads nowhere.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    let mut missing = Vec::new();
    let mut at = path;
    loop {
        match std::fs::canonicalize(at) {
            Ok(mut found) => {
                found.extend(missing.iter().rev());
                return Ok(found);
            }
            Err(error) => {
                let dangling = std::fs::symlink_metadata(at).is_ok();
                let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else {
                    return Err(error);
                };
                if dangling || error.kind() != std::io::ErrorKind::NotFound {
                    return Err(error);
                }
                missing.push(name.to_owned());
                at = parent;
            }
        }
    }
}
