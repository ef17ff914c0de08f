//! Hooks in Codex's `config.toml`, and what Codex calls a hook whose trust it asks for.

use touchmark_statement::digest::Sha256Digest;

use super::draft::Draft;
use super::merge::Refusal;
use super::quote::is_ours;

/// The events, each with its time limit in seconds. Codex allows a session's end no more than three.
pub(crate) const EVENTS: &[(&str, u32)] = &[("SessionStart", 10), ("Stop", 30), ("SessionEnd", 3)];

const HOOK: &str = "codex";

/// Returns whether `config.toml` has hooks of its own: Codex wants them in one place.
pub(crate) fn has_hooks(text: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok_and(|table| {
        let events = table.get("hooks").and_then(toml::Value::as_table);
        events.is_some_and(|events| events.values().any(toml::Value::is_array))
    })
}

/// Returns whether the user has turned hooks off.
pub(crate) fn are_off(text: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok_and(|table| {
        let features = table.get("features").and_then(toml::Value::as_table);
        let off = |name: &str| {
            let value = features.and_then(|features| features.get(name));
            value.and_then(toml::Value::as_bool) == Some(false)
        };
        off("hooks") || off("codex_hooks")
    })
}

/// Puts in what is missing, at the end of the file.
pub(crate) fn add(text: &str, command: &str) -> Result<Draft, Refusal> {
    let table = read(text)?;
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut piece = String::new();
    for (event, timeout) in EVENTS {
        if commands(&table, event).any(|found| found == command) {
            continue;
        }
        // Without control characters, a string of JSON is one of TOML.
        let command = serde_json::Value::from(command);
        for line in [
            String::new(),
            format!("[[hooks.{event}]]"),
            format!("[[hooks.{event}.hooks]]"),
            "type = \"command\"".to_owned(),
            format!("command = {command}"),
            format!("timeout = {timeout}"),
        ] {
            piece.push_str(&line);
            piece.push_str(line_end);
        }
    }
    let mut draft = Draft::of(text);
    if piece.is_empty() {
        return Ok(draft);
    }
    if text.is_empty() {
        piece.drain(..line_end.len());
    } else if !text.ends_with('\n') {
        piece.insert_str(0, line_end);
    }
    draft.insert(vec![(text.len(), piece)]);
    // Hooks that are written as inline tables cannot be added to.
    if toml::from_str::<toml::Table>(&draft.text).is_err() {
        return Err(Refusal::Shape("the hooks"));
    }
    Ok(draft)
}

/// Takes out every hook of ours. Only whole tables as `add` writes them go; anything else is refused.
pub(crate) fn remove(text: &str) -> Result<String, Refusal> {
    let before = read(text)?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < lines.len() {
        if let Some(len) = ours_at(&lines[at..]) {
            at += len;
            // The empty line that came before goes too.
            if let Some(rest) = out.strip_suffix("\r\n\r\n") {
                out.truncate(rest.len() + 2);
            } else if let Some(rest) = out.strip_suffix("\n\n") {
                out.truncate(rest.len() + 1);
            }
        } else {
            out.push_str(lines[at]);
            at += 1;
        }
    }
    if out.len() < text.len() && out.trim().is_empty() {
        out.clear();
    }
    let after = read(&out)?;
    // What looks like a table may stand in a text of several lines: nothing but hooks may be gone.
    if without_ours(before) != without_ours(after.clone()) || is_in_table(&after) {
        return Err(Refusal::Shape("a hook of ours"));
    }
    Ok(out)
}

/// Whether a text calls us anywhere.
pub(crate) fn is_in(text: &str) -> bool {
    read(text).is_ok_and(|table| is_in_table(&table))
}

fn is_in_table(table: &toml::Table) -> bool {
    let events = table.get("hooks").and_then(toml::Value::as_table);
    events.is_some_and(|events| {
        events
            .keys()
            .any(|event| commands(table, event).any(|command| is_ours(command, HOOK)))
    })
}

/// How many lines a hook of ours takes that begins here.
fn ours_at(lines: &[&str]) -> Option<usize> {
    let line = |at: usize| lines.get(at).map(|line| line.trim());
    let event = line(0)?.strip_prefix("[[hooks.")?.strip_suffix("]]")?;
    let inner = line(1)? == format!("[[hooks.{event}.hooks]]");
    let kind = line(2)? == "type = \"command\"";
    let command = toml::from_str::<toml::Table>(line(3)?).ok()?;
    let ours = command
        .get("command")
        .and_then(toml::Value::as_str)
        .is_some_and(|command| is_ours(command, HOOK));
    let timeout = line(4)?.starts_with("timeout = ");
    // A key that somebody has added below belongs to the same table.
    let ends = line(5).is_none_or(|next| next.is_empty() || next.starts_with('[') || next.starts_with('#'));
    (inner && kind && ours && timeout && ends).then_some(5)
}

fn read(text: &str) -> Result<toml::Table, Refusal> {
    toml::from_str::<toml::Table>(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Refusal::Unreadable(super::json::Unreadable::Syntax(at))
    })
}

fn commands<'t>(table: &'t toml::Table, event: &str) -> impl Iterator<Item = &'t str> {
    let groups = table
        .get("hooks")
        .and_then(|hooks| hooks.get(event))
        .and_then(toml::Value::as_array);
    groups.into_iter().flatten().flat_map(|group| {
        let entries = group.get("hooks").and_then(toml::Value::as_array);
        let command = |entry: &'t toml::Value| entry.get("command").and_then(toml::Value::as_str);
        entries.into_iter().flatten().filter_map(command)
    })
}

fn without_ours(mut table: toml::Table) -> toml::Table {
    let Some(events) = table.get_mut("hooks").and_then(toml::Value::as_table_mut) else {
        return table;
    };
    for groups in events.iter_mut().filter_map(|(_, event)| event.as_array_mut()) {
        groups.retain(|group| {
            let entries = group.get("hooks").and_then(toml::Value::as_array);
            !entries.is_some_and(|entries| {
                entries.iter().all(|entry| {
                    let command = entry.get("command").and_then(toml::Value::as_str);
                    command.is_some_and(|command| is_ours(command, HOOK))
                }) && !entries.is_empty()
            })
        });
    }
    events.retain(|_, event| event.as_array().is_none_or(|groups| !groups.is_empty()));
    if events.is_empty() {
        table.remove("hooks");
    }
    table
}

/// Returns what Codex shows as the current hash of a hook when it asks whether to trust it: the digest of the hook's
/// canonical JSON.
pub(crate) fn trust_hash(event: &str, command: &str, timeout: u32) -> String {
    let value = serde_json::json!({
        "event_name": snake_case(event),
        "hooks": [{ "async": false, "command": command, "timeout": timeout, "type": "command" }],
    });
    format!("sha256:{}", Sha256Digest::of(value.to_string().as_bytes()))
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for (at, character) in name.char_indices() {
        if at > 0 && character.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_codex_shows() {
        // What `hooks/list` of Codex 0.169.0 answers for these hooks.
        for (event, timeout, hash) in [
            (
                "SessionStart",
                10,
                "9189c2a45e1281a21b448a5eb88ad38e229d7aa13ada12a64e8c6844c72e56f6",
            ),
            (
                "Stop",
                30,
                "5acd5be63dfa2fe16f8386a36176d2eef3ac26874b2379edf2925838baed4afc",
            ),
            (
                "SessionEnd",
                3,
                "0328255f5c0a330d80986ff39d3e30ec50767ef8de36688e1950e16b5390bcb4",
            ),
        ] {
            let shown = trust_hash(event, "/bin/x hook run codex", timeout);
            assert_eq!(shown, format!("sha256:{hash}"));
        }
    }
}
