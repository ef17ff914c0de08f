//! Every cap of this crate, in one place.

/// The largest bundle that is parsed, in bytes.
pub const MAX_BUNDLE_BYTES: usize = 16 * 1024 * 1024;
/// The deepest nesting of a bundle.
pub const MAX_BUNDLE_DEPTH: usize = 16;
/// The most log entries in one bundle.
pub const MAX_TLOG_ENTRIES: usize = 16;
/// The most signed timestamps in one bundle.
pub const MAX_TIMESTAMPS: usize = 16;
/// The most certificates in one bundle's chain.
pub const MAX_CERTIFICATES: usize = 16;
/// The longest key hint or `keyid`, in bytes.
pub const MAX_HINT_BYTES: usize = 1024;

/// The largest trusted root that is parsed, in bytes.
pub const MAX_TRUSTED_ROOT_BYTES: usize = 4 * 1024 * 1024;
/// The most logs, certificate authorities or timestamp authorities in a trusted root.
pub const MAX_TRUSTED_PARTS: usize = 256;

/// The most verified checkpoints that a `Verifier` remembers.
pub const MAX_REMEMBERED_CHECKPOINTS: usize = 1024;
/// The most certificates, with their chains, that a `Verifier` remembers.
pub const MAX_REMEMBERED_CERTIFICATES: usize = 4096;
/// The most issuers of certificates that a `Verifier` remembers.
pub const MAX_REMEMBERED_ISSUERS: usize = 64;
/// The most parsed keys that a `Verifier` remembers.
pub const MAX_REMEMBERED_KEYS: usize = 1024;

/// The most rows of differences between trees that are remembered while one lineage is built.
pub const MAX_REMEMBERED_ROWS: usize = 2_000_000;
/// The most commits in a change under judgement.
pub const MAX_CHANGE_COMMITS: usize = 100_000;
/// The most statements that one lineage is built from.
pub const MAX_LINEAGE_STATEMENTS: usize = 200_000;
/// How many of the target's earlier trees are looked at for uncommitted work that has landed before.
pub const MAX_LANDED_TREES: usize = 2_000;
