//! Every cap on what is read. Reaching one makes a lockfile unread, which the document says; it never shortens an answer
//! in silence.

/// The largest lockfile, in bytes.
pub const MAX_LOCKFILE_BYTES: u64 = 32 * 1024 * 1024;
/// The most bytes of lockfiles that are read of one tree.
pub const MAX_TREE_BYTES: u64 = 128 * 1024 * 1024;
/// The most lockfiles that are read of one tree.
pub const MAX_LOCKFILES: usize = 4_096;
/// The most packages in one lockfile.
pub const MAX_PACKAGES: usize = 100_000;
/// The most packages in all lockfiles of one tree.
pub const MAX_TREE_PACKAGES: usize = 400_000;
/// The most edges between packages in one lockfile.
pub const MAX_EDGES: usize = 1_000_000;
/// The deepest nesting of values in one lockfile.
pub const MAX_DEPTH: usize = 96;
/// The most values (texts, lists and tables) in one YAML lockfile.
pub const MAX_VALUES: usize = 4_000_000;
/// The longest name of a package, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// The longest version or requirement, in bytes.
pub const MAX_VERSION_BYTES: usize = 256;
/// The longest address, in bytes.
pub const MAX_ADDRESS_BYTES: usize = 768;
/// The most hashes and files of one package, each.
pub const MAX_HASHES: usize = 1_024;
/// The most files that one list of requirements includes.
pub const MAX_INCLUDES: usize = 64;
