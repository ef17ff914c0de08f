//! Every cap of this crate, in one place.

/// The most versions of a root that one refresh walks through.
pub const MAX_ROOT_ROTATIONS: u32 = 128;
/// The largest root, in bytes.
pub const MAX_ROOT_BYTES: u64 = 512 * 1024;
/// The largest timestamp, in bytes.
pub const MAX_TIMESTAMP_BYTES: u64 = 16 * 1024;
/// The largest snapshot, in bytes.
pub const MAX_SNAPSHOT_BYTES: u64 = 2 * 1024 * 1024;
/// The largest list of targets, in bytes.
pub const MAX_TARGETS_BYTES: u64 = 5 * 1024 * 1024;
/// The largest target, in bytes: that of the largest trusted root.
pub const MAX_TARGET_BYTES: u64 = touchmark_verify::limits::MAX_TRUSTED_ROOT_BYTES as u64;
/// The most roles that are asked about one target.
pub const MAX_DELEGATIONS: u32 = 32;
/// The deepest nesting of metadata.
pub const MAX_METADATA_DEPTH: usize = 32;
/// The largest cache file of one repository, in bytes.
pub const MAX_CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// The longest path of a target.
pub const MAX_TARGET_PATH_BYTES: usize = 1024;
