//! What verification needs to know of a git repository, as a trait: every answer comes from objects that were
//! re-hashed and strictly parsed.
//!
//! Implemented by `touchmark-git` for real repositories and by tests for imagined ones. Nothing here reads a disk.

use std::fmt;

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::{GitBlobId, GitCommitId, GitTreeId, ObjectFormat};
use touchmark_statement::repo_path::RepoPath;

/// Answers questions about git objects by their exact ids.
pub trait GitView {
    /// Returns the hash function that names the objects of this repository.
    fn object_format(&self) -> ObjectFormat;

    /// Returns the parsed commit.
    fn commit(&self, id: &GitCommitId) -> Result<GitCommit, GitViewError>;

    /// Returns the SHA-256 of the raw content of a tree object.
    fn tree_digest(&self, id: &GitTreeId) -> Result<Sha256Digest, GitViewError>;

    /// Returns every path whose entry differs between two trees, in the byte order of the paths, one row a path.
    ///
    /// Renames are a removal and an addition; mode-only changes, symlinks and submodules are rows like any other.
    fn changed_paths(&self, base: &GitTreeId, result: &GitTreeId) -> Result<Vec<PathChange>, GitViewError>;

    /// Returns the SHA-256 and the size of a blob's content.
    fn blob_digest(&self, id: &GitBlobId) -> Result<(Sha256Digest, u64), GitViewError>;

    /// Returns the content of the regular file at `path`, or `None` when the tree has no entry there.
    ///
    /// A symlink, a submodule or a directory at the path is an error, as is content larger than `max` bytes.
    fn read_path(&self, tree: &GitTreeId, path: &RepoPath, max: u64)
    -> Result<Option<Vec<u8>>, GitViewError>;
}

/// A commit object, parsed from its exact bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitCommit {
    /// The tree that the commit records.
    pub tree: GitTreeId,
    /// The parents, in the order of the object.
    pub parents: Vec<GitCommitId>,
    /// SHA-256 of what `git cat-file commit` prints.
    pub content_sha256: Sha256Digest,
    /// Who is said to have written the change: a claim.
    pub author: GitIdentity,
    /// Who is said to have made the commit: a claim.
    pub committer: GitIdentity,
    /// The end of the message, where trailers stand: at most [`MAX_MESSAGE_END_BYTES`] of it, any byte.
    pub message_end: Vec<u8>,
}

/// The most bytes of a commit's message that are kept.
pub const MAX_MESSAGE_END_BYTES: usize = 64 * 1024;

/// A name, an e-mail address and a time as a commit states them: claims, never proof of anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitIdentity {
    /// The name's bytes, not necessarily UTF-8.
    pub name: Vec<u8>,
    /// The address's bytes, without the angle brackets.
    pub email: Vec<u8>,
    /// Claimed seconds since 1970-01-01 UTC.
    pub time: i64,
}

/// One path whose entry differs between two trees. At least one side is present and they differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathChange {
    /// The path from the root of the tree.
    pub path: RepoPath,
    /// The entry in the base tree; `None` for an added path.
    pub from: Option<TreeEntry>,
    /// The entry in the result tree; `None` for a removed path.
    pub to: Option<TreeEntry>,
}

/// What a tree holds at a path; never a directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TreeEntry {
    /// Regular file, executable, symlink or submodule.
    pub mode: FileMode,
    /// The blob's id; for a submodule the id of the commit that it pins.
    pub id: GitBlobId,
}

/// Names an object by kind and id, for errors and reports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GitObject {
    /// A commit.
    Commit(GitCommitId),
    /// A tree.
    Tree(GitTreeId),
    /// A blob.
    Blob(GitBlobId),
}

impl fmt::Display for GitObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(id) => write!(f, "commit {id}"),
            Self::Tree(id) => write!(f, "tree {id}"),
            Self::Blob(id) => write!(f, "blob {id}"),
        }
    }
}

/// The source of an [`GitViewError::Unreadable`].
pub type ReadFailure = Box<dyn std::error::Error + Send + Sync>;

/// Why a question about git objects has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitViewError {
    /// The repository does not hold the object.
    #[error("{object} is not in the repository")]
    Missing {
        /// What was asked for.
        object: GitObject,
    },
    /// The id names an object of another kind.
    #[error("{object} is a {found}")]
    WrongKind {
        /// What was asked for.
        object: GitObject,
        /// The kind that was found.
        found: &'static str,
    },
    /// The stored bytes hash to another id.
    #[error("the bytes stored for {object} belong to {computed}")]
    ObjectMismatch {
        /// What was asked for.
        object: GitObject,
        /// The id that the bytes really have, in hex.
        computed: String,
    },
    /// The bytes carry the pattern of a SHA-1 collision attack.
    #[error("{object} carries the pattern of a SHA-1 collision attack")]
    Collision {
        /// What was asked for.
        object: GitObject,
    },
    /// The object is larger than this verifier reads.
    #[error("{object} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// What was asked for.
        object: GitObject,
        /// The limit.
        limit: u64,
    },
    /// The commit object is not one that every reader understands alike.
    #[error("commit {id} is malformed at byte {offset}: {defect}")]
    Commit {
        /// The commit.
        id: GitCommitId,
        /// Where in its content.
        offset: usize,
        /// What is wrong.
        defect: CommitDefect,
    },
    /// The tree object is not one that every reader understands alike.
    #[error("tree {id} is malformed at byte {offset}: {defect}")]
    Tree {
        /// The tree.
        id: GitTreeId,
        /// Where in its content.
        offset: usize,
        /// What is wrong.
        defect: TreeDefect,
    },
    /// The id belongs to another hash function than the repository's.
    #[error("{object} does not have the length of this repository's object ids")]
    ObjectFormat {
        /// What was asked for.
        object: GitObject,
    },
    /// More paths differ than this verifier lists.
    #[error("more than {limit} paths differ")]
    TooManyPaths {
        /// The limit.
        limit: usize,
    },
    /// Directories nest deeper than this verifier descends.
    #[error("paths in tree {tree} nest deeper or are longer than the limit")]
    TooDeep {
        /// The tree at which the limit was reached.
        tree: GitTreeId,
    },
    /// Two names in one directory are the same on a file system that folds case or Unicode normal forms.
    #[error("{added} and {twin} are the same file where case or Unicode form does not count")]
    PathCollision {
        /// The entry that the change adds.
        added: String,
        /// The entry it collides with.
        twin: String,
    },
    /// There is something else than a regular file at the path.
    #[error("{path} is not a regular file but {mode}")]
    NotAFile {
        /// The path that was read.
        path: String,
        /// The mode found there.
        mode: FileMode,
    },
    /// The repository replaces the object by another one for every tool that honours replace refs.
    #[error("a replace ref shows readers something else than {object}")]
    Replaced {
        /// What was asked for.
        object: GitObject,
    },
    /// The repository's grafts give the commit other parents for every tool that honours them.
    #[error("a graft gives commit {id} other parents than its own")]
    Grafted {
        /// The commit.
        id: GitCommitId,
    },
    /// The object store could not be read.
    #[error("{object} could not be read")]
    Unreadable {
        /// What was asked for.
        object: GitObject,
        /// Why.
        #[source]
        source: ReadFailure,
    },
}

impl GitViewError {
    /// Returns the stable code of this failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "git.object_missing",
            Self::WrongKind { .. } => "git.wrong_kind",
            Self::ObjectMismatch { .. } => "git.object_mismatch",
            Self::Collision { .. } => "git.sha1_collision",
            Self::TooLarge { .. } => "git.object_too_large",
            Self::Commit { defect, .. } => defect.code(),
            Self::Tree { defect, .. } => defect.code(),
            Self::ObjectFormat { .. } => "git.object_format",
            Self::TooManyPaths { .. } => "git.too_many_paths",
            Self::TooDeep { .. } => "git.too_deep",
            Self::PathCollision { .. } => "git.path_collision",
            Self::NotAFile { .. } => "git.not_a_file",
            Self::Replaced { .. } => "git.replaced",
            Self::Grafted { .. } => "git.grafted",
            Self::Unreadable { .. } => "git.unreadable",
        }
    }
}

/// What is wrong with a commit object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommitDefect {
    /// A header that may stand once stands twice.
    DuplicateHeader,
    /// A required header is absent or not where it belongs.
    HeaderOrder,
    /// A header line holds a carriage return.
    CarriageReturn,
    /// A header line holds a NUL byte.
    NulInHeader,
    /// A header value does not have its form.
    HeaderValue,
    /// The author or committer line does not have its form.
    Identity,
    /// The headers do not end with an empty line.
    Unterminated,
    /// More parents or headers than this verifier reads.
    TooManyHeaders,
}

impl CommitDefect {
    /// Returns the stable code of this defect.
    pub fn code(self) -> &'static str {
        match self {
            Self::DuplicateHeader => "git.commit_duplicate_header",
            Self::HeaderOrder => "git.commit_header_order",
            Self::CarriageReturn => "git.commit_carriage_return",
            Self::NulInHeader => "git.commit_nul",
            Self::HeaderValue => "git.commit_header_value",
            Self::Identity => "git.commit_identity",
            Self::Unterminated => "git.commit_unterminated",
            Self::TooManyHeaders => "git.commit_too_many_headers",
        }
    }
}

impl fmt::Display for CommitDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DuplicateHeader => "a header that may stand once stands twice",
            Self::HeaderOrder => "a required header is absent or out of order",
            Self::CarriageReturn => "a header line holds a carriage return",
            Self::NulInHeader => "a header line holds a NUL byte",
            Self::HeaderValue => "a header value does not have its form",
            Self::Identity => "the author or committer line does not have its form",
            Self::Unterminated => "the headers do not end with an empty line",
            Self::TooManyHeaders => "there are more headers than allowed",
        })
    }
}

/// What is wrong with a tree object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TreeDefect {
    /// A mode that git does not write today.
    Mode,
    /// A name that git does not check out, such as one with a slash, `..`, or any spelling of `.git`.
    Name,
    /// Two entries with one name.
    DuplicateName,
    /// Entries out of order.
    Order,
    /// The content ends within an entry.
    Truncated,
    /// An entry with an id of zeros.
    NullId,
    /// A folder without entries, which git neither writes nor checks out.
    EmptyFolder,
}

impl TreeDefect {
    /// Returns the stable code of this defect.
    pub fn code(self) -> &'static str {
        match self {
            Self::Mode => "git.tree_mode",
            Self::Name => "git.tree_name",
            Self::DuplicateName => "git.tree_duplicate_name",
            Self::Order => "git.tree_order",
            Self::Truncated => "git.tree_truncated",
            Self::NullId => "git.tree_null_id",
            Self::EmptyFolder => "git.tree_empty_folder",
        }
    }
}

impl fmt::Display for TreeDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mode => "an entry has a mode that git does not write",
            Self::Name => "an entry has a name that git does not check out",
            Self::DuplicateName => "two entries have one name",
            Self::Order => "the entries are out of order",
            Self::Truncated => "the content ends within an entry",
            Self::NullId => "an entry's id is all zeros",
            Self::EmptyFolder => "the change adds a folder without entries",
        })
    }
}
