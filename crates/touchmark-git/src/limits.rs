//! Every limit of this crate. Reaching one is an error with a code, never a shorter answer.

use std::time::Duration;

/// The largest object that is read, in bytes.
pub const MAX_OBJECT_BYTES: usize = 256 * 1024 * 1024;
/// The largest commit object.
pub const MAX_COMMIT_BYTES: usize = 4 * 1024 * 1024;
/// The largest tree object.
pub const MAX_TREE_BYTES: usize = 64 * 1024 * 1024;
/// The most header lines of a commit, continuation lines not counted.
pub const MAX_COMMIT_HEADERS: usize = 1024;
/// The most paths in which two trees may differ.
pub const MAX_CHANGED_PATHS: usize = 1_000_000;
/// The most trees read for one difference, so that trees that hold each other many times over end.
pub const MAX_DIFF_TREES: usize = 2_000_000;
/// The deepest nesting of folders that is walked: a path has at most 4,096 bytes.
pub const MAX_WALK_DEPTH: usize = 1024;
/// The memory kept for commits and trees that were read before.
pub const OBJECT_CACHE_BYTES: usize = 64 * 1024 * 1024;
/// The most blobs whose digests are remembered.
pub const MAX_REMEMBERED_BLOBS: usize = 200_000;
/// The largest configuration, HEAD, shallow or grafts file.
pub const MAX_CONTROL_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// The largest loose ref file.
pub const MAX_REF_BYTES: u64 = 4096;
/// The largest `packed-refs` file.
pub const MAX_PACKED_REFS_BYTES: u64 = 512 * 1024 * 1024;
/// The longest ref name.
pub const MAX_REF_NAME_BYTES: usize = 1024;
/// The most refs that are listed.
pub const MAX_REFS: usize = 4_000_000;
/// The longest chain of symbolic refs.
pub const MAX_SYMBOLIC_REFS: usize = 5;
/// The most evidence files that are read for one key.
pub const MAX_EVIDENCE_FILES: usize = 4096;
/// The most bytes of evidence that are read for one key.
pub const MAX_EVIDENCE_BYTES: u64 = 256 * 1024 * 1024;
/// The most bytes of evidence that are read for one change.
pub const MAX_EVIDENCE_BYTES_OF_CHANGE: u64 = 1024 * 1024 * 1024;
/// The largest single evidence file.
pub const MAX_EVIDENCE_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// How often a write or push that lost a race is tried again.
pub const MAX_ATTEMPTS: u32 = 64;
/// How long the `git` program may take for local work.
pub const LOCAL_TIMEOUT: Duration = Duration::from_secs(120);
/// How long the `git` program may take when it talks to a remote.
pub const REMOTE_TIMEOUT: Duration = Duration::from_secs(300);
/// The most bytes read from the `git` program.
pub const MAX_OUTPUT_BYTES: usize = 512 * 1024 * 1024;
/// The most commits of one change.
pub const MAX_RANGE_COMMITS: usize = 100_000;
/// The most uncommitted trees that are followed back from statements while evidence is gathered.
pub const MAX_STEPS_BACK: usize = 4096;
