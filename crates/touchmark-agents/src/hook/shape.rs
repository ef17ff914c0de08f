//! Which product a payload can come from, told by its shape.

use super::fields::{self, Field, Found};

/// The products whose payloads are told apart, by the names that `hook run` takes.
pub const PRODUCTS: &[&str] = &["claude-code", "codex", "gemini", "copilot", "cursor", "opencode"];

/// Returns the name under which a product is known, for any of the names that it is called by.
pub fn product_name(name: &str) -> &str {
    match name {
        "claude" => "claude-code",
        "codex-cli" | "codex-notify" => "codex",
        "gemini-cli" => "gemini",
        "copilot-cli" | "github-copilot" => "copilot",
        "cursor-agent" | "cursor-cli" => "cursor",
        "open-code" => "opencode",
        name => name,
    }
}

/// Events that only Gemini has a name like this for.
const GEMINI_EVENTS: &[&str] = &[
    "BeforeAgent",
    "AfterAgent",
    "BeforeModel",
    "AfterModel",
    "BeforeToolSelection",
    "BeforeTool",
    "AfterTool",
    "PreCompress",
];

/// Returns the products that a payload with these fields can come from, the likeliest first.
pub(super) fn products(found: &[Found<'_>], event_name: Option<&str>) -> &'static [&'static str] {
    let has = |field: Field| {
        found
            .iter()
            .any(|entry| entry.field == field && !fields::is_null(entry.value))
    };
    let camel = found
        .iter()
        .any(|entry| entry.camel && matches!(entry.field, Field::Session | Field::EventName));
    let timestamp = found.iter().find(|entry| entry.field == Field::Timestamp);
    let worded_time = timestamp.is_some_and(|entry| entry.value.get().starts_with('"'));

    if has(Field::CursorVersion) || (has(Field::Conversation) && has(Field::Generation)) {
        return &["cursor"];
    }
    if event_name == Some("agent-turn-complete") {
        return &["codex"];
    }
    // Only Copilot counts milliseconds, and only VS Code mixes both spellings.
    if camel && (timestamp.is_some() || event_name.is_some()) {
        return &["copilot"];
    }
    let Some(name) = event_name else {
        return &[];
    };
    if GEMINI_EVENTS.contains(&name) {
        return &["gemini"];
    }
    if worded_time {
        return match name {
            // Both call these by the same names.
            "SessionStart" | "SessionEnd" | "Notification" => &["gemini", "copilot"],
            _ => &["copilot"],
        };
    }
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return &[];
    }
    // Codex alone names turns; Claude Code names prompts.
    match name {
        _ if has(Field::Turn) => &["codex"],
        "SessionStart" | "SessionEnd" => &["claude-code", "codex"],
        _ => &["claude-code"],
    }
}
