//! Every cap on what is read and written, in one place.
//!
//! A cap is enforced when a statement is encoded and again when one is parsed, so that nothing is written that a
//! reader would refuse.

/// The longest statement, in bytes.
pub const MAX_STATEMENT_BYTES: usize = 4 * 1024 * 1024;

/// The deepest nesting of JSON arrays and objects.
pub const MAX_JSON_DEPTH: usize = 64;

/// The longest name, identifier, URI or other text in a predicate of ours, in bytes.
pub const MAX_TEXT_BYTES: usize = 4 * 1024;

/// The longest path inside a repository, in bytes.
pub const MAX_PATH_BYTES: usize = 4 * 1024;

/// The most subjects in one statement.
pub const MAX_SUBJECTS: usize = 1_024;

/// The most digests in one digest set.
pub const MAX_DIGESTS: usize = 32;

/// The most path rows in one `agent-change`; beyond it `change.pathsTree` stands in.
pub const MAX_PATHS: usize = 20_000;

/// The most commits in one `agent-change`.
pub const MAX_COMMITS: usize = 10_000;

/// The most parents of one commit.
pub const MAX_PARENTS: usize = 64;

/// The most models in one `agent-change`.
pub const MAX_MODELS: usize = 256;

/// The most prompt commitments in one `agent-change`; beyond it only their root and count are written.
pub const MAX_PROMPTS: usize = 4_096;

/// The most instructions, tools or commands in one `agent-change`, each.
pub const MAX_RUN_ITEMS: usize = 10_000;

/// The most changed dependencies in one `agent-change`.
pub const MAX_DEPENDENCIES: usize = 10_000;

/// The most lockfiles of an `agent-change` of which not everything is known.
pub const MAX_UNREAD: usize = 1_024;

/// The most entries in `capture.sources`.
pub const MAX_SOURCES: usize = 4_096;

/// The most identities, and the most findings, in one `agent-change`, each.
pub const MAX_IDENTITIES: usize = 1_024;

/// The most values of one finding.
pub const MAX_FOUND_VALUES: usize = 16;

/// The most globs in the scope of a review, and the most pieces of evidence it names, each.
pub const MAX_REVIEW_ITEMS: usize = 1_024;

/// The most unknown fields that are listed by pointer; further ones are counted only.
pub const MAX_UNKNOWN_FIELDS: usize = 1_024;

/// The largest integer that every JSON reader keeps exactly: 2^53 - 1 (RFC 7493 §2.2).
pub const MAX_EXACT_INTEGER: u64 = (1 << 53) - 1;
