//! Every cap on what an importer reads, in one place.

/// The most bytes read from one session file.
pub const MAX_SESSION_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The most bytes of one line; a longer line is skipped and counted.
pub const MAX_LINE_BYTES: usize = 32 * 1024 * 1024;
/// The most records of one session.
pub const MAX_STEPS: usize = 2_000_000;
/// The most JSON values read from one line; what follows is malformed.
pub const MAX_VALUES_PER_LINE: usize = 1_024;
/// The most bytes of all prompts of one session together.
pub const MAX_PROMPT_BYTES: usize = 256 * 1024 * 1024;
/// The most bytes of all commands of one session together.
pub const MAX_COMMAND_BYTES: usize = 64 * 1024 * 1024;
/// The most bytes of the words that are kept for an export.
pub const MAX_WORD_BYTES: usize = 1024 * 1024 * 1024;
/// The most distinct names of one kind (tools, models, paths, branches, versions, sub-agents) in one session.
pub const MAX_DISTINCT_NAMES: usize = 100_000;
/// The most bytes of a name or an identifier; a longer one is treated as absent.
pub const MAX_NAME_BYTES: usize = 4_096;
/// The longest name of a tool or model that is taken over.
pub const MAX_IDENTIFIER_BYTES: usize = 256;
/// The most files of one session: its own and those of its sub-agents.
pub const MAX_FILES: usize = 4_096;
/// The most session files looked at when searching for the newest one.
pub const MAX_CANDIDATES: usize = 100_000;
/// How many bytes at each end of a file are searched for working directories.
pub const DISCOVERY_WINDOW_BYTES: usize = 1024 * 1024;
/// The most bytes of an article-style metadata record.
pub const MAX_METADATA_BYTES: usize = 64 * 1024;
/// The largest token count that is believed: beyond it a JSON number is not exact.
pub const MAX_TOKENS: u64 = (1 << 53) - 1;
