//! Telling a session file of Claude Code from those of other products.

use memchr::memmem;

use crate::json::first_byte;

/// Returns whether the beginning of a file looks like records of Claude Code: JSON Lines whose first records carry its
/// own field names. Headless output, which may have any name, begins with the record that names its session.
pub(super) fn recognises(name: &str, head: &[u8]) -> bool {
    let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
    if first_byte(head) != Some(b'{') || !has("\"type\":") {
        return false;
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let in_line = |needle: &str| memmem::find(line, needle.as_bytes()).is_some();
    let is_headless = in_line("\"subtype\":\"init\"") && in_line("\"session_id\":") && in_line("\"tools\":");
    let is_recorded = name.ends_with(".jsonl")
        && (has("\"parentUuid\":") || has("\"isSidechain\":") || has("\"file-history-snapshot\""));
    is_headless || is_recorded
}

/// Returns whether records could be Claude Code's although they lack what tells it from others: messages by their type.
pub(super) fn resembles(name: &str, head: &[u8]) -> bool {
    let has = |needle: &str| memmem::find(head, needle.as_bytes()).is_some();
    name.ends_with(".jsonl")
        && has("\"message\":{")
        && (has("\"type\":\"user\"") || has("\"type\":\"assistant\""))
}
