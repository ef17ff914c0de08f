//! What was given to the agent, and by whom.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use touchmark_statement::digest::Sha256Digest;

use super::record::{Block, Content, Record};
use crate::json::lenient::{Object, Text};
use crate::limits::MAX_NAME_BYTES;
use crate::run::{PromptOrigin, PromptPart, Role};

/// How texts begin that the product writes in a person's name.
const INJECTED_BEGINNINGS: [&str; 5] = [
    "<command-",
    "<local-command-",
    "<bash-",
    "<task-notification>",
    "[Request interrupted",
];

/// Returns true where a message carries results of tools: then nobody typed it.
pub(super) fn holds_tool_result(content: &Content<'_>) -> bool {
    match content {
        Content::Blocks(blocks) => blocks.iter().any(|block| {
            block
                .0
                .as_ref()
                .is_some_and(|block| block.kind.as_deref() == Some("tool_result"))
        }),
        Content::Absent | Content::Text(_) => false,
    }
}

/// Returns who gave a prompt.
pub(super) fn origin(record: &Record<'_>, parts: &[PromptPart], role: Role) -> PromptOrigin {
    let by_other = record
        .origin
        .0
        .as_ref()
        .and_then(|origin| origin.kind.as_deref())
        .is_some_and(|kind| kind != "human");
    if record.is_compact_summary.is_true() {
        PromptOrigin::Compaction
    } else if record.is_meta.is_true() || by_other || is_injected(parts) {
        PromptOrigin::Injected
    } else if role == Role::Subagent {
        PromptOrigin::Agent
    } else {
        PromptOrigin::Human
    }
}

/// Returns whether a prompt begins like one that the product writes.
pub(super) fn is_injected(parts: &[PromptPart]) -> bool {
    let first = parts.iter().find_map(|part| match part {
        PromptPart::Text(text) => Some(text.as_str()),
        PromptPart::Other { .. } => None,
    });
    first.is_some_and(|text| {
        INJECTED_BEGINNINGS
            .iter()
            .any(|beginning| text.starts_with(beginning))
    })
}

/// Returns the parts of a prompt. `record` is the whole record's JSON, for parts that are kept as a digest.
pub(super) fn parts(content: Content<'_>, record: &str) -> Vec<PromptPart> {
    match content {
        Content::Absent => Vec::new(),
        Content::Text(text) => vec![PromptPart::Text(text.into_owned())],
        Content::Blocks(blocks) => blocks
            .iter()
            .enumerate()
            .map(|(at, block)| part(block.0.as_ref(), at, record))
            .collect(),
    }
}

fn part(block: Option<&Block<'_>>, at: usize, record: &str) -> PromptPart {
    let kind = block
        .and_then(|block| block.kind.as_deref())
        .filter(|kind| kind.len() <= MAX_NAME_BYTES)
        .unwrap_or("unknown");
    if kind == "text"
        && let Some(text) = block.and_then(|block| block.text).and_then(text)
    {
        return PromptPart::Text(text.into_owned());
    }
    let decoded = block.and_then(|block| block.source).and_then(base64_source);
    let sha256 = match decoded {
        Some(bytes) => Sha256Digest::of(&bytes),
        None => Sha256Digest::of(raw_part(record, at).unwrap_or_default().as_bytes()),
    };
    PromptPart::Other {
        kind: kind.to_owned(),
        sha256,
    }
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok()?.0
}

fn base64_source(raw: &RawValue) -> Option<Vec<u8>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Source<'a> {
        #[serde(borrow, rename = "type")]
        kind: Text<'a>,
        #[serde(borrow)]
        data: Text<'a>,
    }
    let source = serde_json::from_str::<Object<Source<'_>>>(raw.get()).ok()?.0?;
    if source.kind.as_deref() != Some("base64") {
        return None;
    }
    STANDARD.decode(source.data.as_deref()?).ok()
}

/// Returns the JSON of one part exactly as it stands in the record.
fn raw_part(record: &str, at: usize) -> Option<&str> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct RawRecord<'a> {
        #[serde(borrow)]
        message: Object<RawMessage<'a>>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct RawMessage<'a> {
        #[serde(borrow)]
        content: Vec<&'a RawValue>,
    }
    let message = serde_json::from_str::<RawRecord<'_>>(record).ok()?.message.0?;
    message.content.get(at).map(|raw| raw.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, role: Role) -> (Vec<PromptPart>, PromptOrigin) {
        let mut record: Record<'_> = serde_json::from_str(json).unwrap();
        let content = record.message.0.take().unwrap().content;
        let parts = parts(content, json);
        let origin = origin(&record, &parts, role);
        (parts, origin)
    }

    #[test]
    fn tells_who_gave_a_prompt() {
        use PromptOrigin::{Agent, Compaction, Human, Injected};
        for (json, role, expected) in [
            (r#"{"message":{"content":"fix it"}}"#, Role::Primary, Human),
            (r#"{"message":{"content":"fix it"}}"#, Role::Subagent, Agent),
            (r#"{"message":{"content":[]}}"#, Role::Primary, Human),
            (
                r#"{"isMeta":true,"message":{"content":"fix it"}}"#,
                Role::Primary,
                Injected,
            ),
            (
                r#"{"isMeta":false,"message":{"content":"fix it"}}"#,
                Role::Primary,
                Human,
            ),
            (
                r#"{"isCompactSummary":true,"message":{"content":"This session"}}"#,
                Role::Primary,
                Compaction,
            ),
            (
                r#"{"origin":{"kind":"task-notification"},"message":{"content":"done"}}"#,
                Role::Primary,
                Injected,
            ),
            (
                r#"{"origin":{"kind":"human"},"message":{"content":"fix it"}}"#,
                Role::Primary,
                Human,
            ),
            (
                r#"{"message":{"content":"<command-name>/clear</command-name>"}}"#,
                Role::Primary,
                Injected,
            ),
            (
                r#"{"message":{"content":"<command-message>pr</command-message>"}}"#,
                Role::Primary,
                Injected,
            ),
            (
                r#"{"message":{"content":"<local-command-stdout>x"}}"#,
                Role::Primary,
                Injected,
            ),
            (
                r#"{"message":{"content":"<bash-input>ls"}}"#,
                Role::Primary,
                Injected,
            ),
            (
                r#"{"message":{"content":"<task-notification>done"}}"#,
                Role::Primary,
                Injected,
            ),
            (
                r#"{"message":{"content":[{"type":"text","text":"[Request interrupted by user]"}]}}"#,
                Role::Primary,
                Injected,
            ),
            (
                r#"{"message":{"content":[{"type":"image","source":{}},{"type":"text","text":"<bash-stdout>"}]}}"#,
                Role::Primary,
                Injected,
            ),
            (
                r#"{"message":{"content":"see <command-name>"}}"#,
                Role::Primary,
                Human,
            ),
        ] {
            assert_eq!(read(json, role).1, expected, "{json}");
        }
    }

    #[test]
    fn parts_keep_text_and_digest_the_rest() {
        let json = r#"{"message":{"content":[{"type":"text","text":"a\nb"},{"type":"image","source":{"type":"base64","data":"aGk="}},{"type":"image","source":{"type":"url","url":"u"}}, 7]}}"#;
        let (parts, _) = read(json, Role::Primary);
        assert_eq!(
            parts,
            [
                PromptPart::Text("a\nb".into()),
                PromptPart::Other {
                    kind: "image".into(),
                    sha256: Sha256Digest::of(b"hi")
                },
                PromptPart::Other {
                    kind: "image".into(),
                    sha256: Sha256Digest::of(br#"{"type":"image","source":{"type":"url","url":"u"}}"#)
                },
                PromptPart::Other {
                    kind: "unknown".into(),
                    sha256: Sha256Digest::of(b"7")
                },
            ]
        );
    }

    #[test]
    fn debug_shows_no_words() {
        let (parts, _) = read(r#"{"message":{"content":"the secret plan"}}"#, Role::Primary);
        assert_eq!(format!("{parts:?}"), "[Text(15 bytes)]");
    }
}
