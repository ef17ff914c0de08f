//! Telling a session file of Claude Code from those of other products.

use memchr::memmem;

/// Returns whether the beginning of a file looks like records of Claude Code: JSON Lines whose first records carry its
/// own field names.
pub(super) fn recognises(name: &str, head: &[u8]) -> bool {
    let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    name.ends_with(".jsonl")
        && first == Some(&b'{')
        && has("\"type\":")
        && (has("\"parentUuid\":") || has("\"isSidechain\":") || has("\"file-history-snapshot\""))
}
