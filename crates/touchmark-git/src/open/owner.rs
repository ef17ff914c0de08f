//! Who owns the parts of a repository: nothing of a repository that another user could have prepared is read.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::error::GitError;

/// Refuses a file or folder that is owned neither by this process's user nor by one of `trusted`.
pub(crate) fn require_own(path: &Path, trusted: &[u32]) -> Result<(), GitError> {
    let owner = std::fs::metadata(path).map_err(GitError::io(path))?.uid();
    let expected = rustix::process::geteuid().as_raw();
    if owner == expected || trusted.contains(&owner) {
        return Ok(());
    }
    Err(GitError::ForeignOwner {
        path: path.to_owned(),
        owner,
        expected,
    })
}
