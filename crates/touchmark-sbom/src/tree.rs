//! Where the bytes come from.

use touchmark_statement::repo_path::RepoPath;

/// A source of files: one tree of a repository, or a folder of a test.
pub trait Tree {
    /// Returns the content of the regular file at `path`, or `None` when there is no such file.
    ///
    /// A symlink or a submodule is no regular file and is never followed. Content larger than `max` bytes is
    /// [`TreeError::TooLarge`].
    fn read(&self, path: &RepoPath, max: u64) -> Result<Option<Vec<u8>>, TreeError>;
}

/// Why a tree did not give a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The file has more bytes than were asked for.
    #[error("the file is larger than what is read")]
    TooLarge,
    /// The bytes are not there, or are not what they should be.
    #[error("the file cannot be read")]
    Unreadable {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
