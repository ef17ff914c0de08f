//! The parts of a prompt, from the shapes in which products write them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use touchmark_statement::digest::Sha256Digest;

use crate::json::lenient::{Object, Text};
use crate::limits::MAX_IDENTIFIER_BYTES;
use crate::run::PromptPart;

/// The most parts of one prompt.
const MAX_PARTS: usize = 65_536;

/// Reads a prompt's content: a text, or a list of parts, each a text, an object with a `text`, or something else that
/// is kept as a digest (see [`PromptPart::Other`]). Another value has no parts.
pub(crate) fn from_json(json: &str) -> Vec<PromptPart> {
    match json.trim_start().as_bytes().first() {
        Some(b'"') => text_of(json).map(PromptPart::Text).into_iter().collect(),
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(json)
            .unwrap_or_default()
            .into_iter()
            .take(MAX_PARTS)
            .map(|raw| part(raw.get()))
            .collect(),
        Some(b'{') => vec![part(json)],
        _ => Vec::new(),
    }
}

/// Returns something that is no text as a part: its bytes where they are given in base64, otherwise its JSON.
pub(crate) fn other(kind: &str, base64: Option<&str>, json: &str) -> PromptPart {
    let sha256 = base64.and_then(|data| STANDARD.decode(data).ok()).map_or_else(
        || Sha256Digest::of(json.as_bytes()),
        |bytes| Sha256Digest::of(&bytes),
    );
    let kind = Some(kind).filter(|kind| kind.len() <= MAX_IDENTIFIER_BYTES && !kind.is_empty());
    PromptPart::Other {
        kind: kind.unwrap_or("unknown").to_owned(),
        sha256,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    source: Object<Data<'a>>,
    #[serde(borrow, rename = "inlineData", alias = "inline_data")]
    inline: Object<Data<'a>>,
    #[serde(borrow, rename = "image_url")]
    image_url: Option<&'a RawValue>,
    #[serde(borrow, alias = "url")]
    image: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data<'a> {
    #[serde(borrow)]
    data: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
}

fn part(json: &str) -> PromptPart {
    if json.starts_with('"')
        && let Some(text) = text_of(json)
    {
        return PromptPart::Text(text);
    }
    let read = serde_json::from_str::<Object<Part<'_>>>(json)
        .ok()
        .and_then(|part| part.0);
    let Some(read) = read else {
        return other("unknown", None, json);
    };
    let kind = read.kind.as_deref().unwrap_or_default();
    if matches!(kind, "" | "text" | "input_text" | "output_text")
        && let Some(text) = read.text.0
    {
        return PromptPart::Text(text.into_owned());
    }
    let data = [read.source.0, read.inline.0]
        .into_iter()
        .flatten()
        .find_map(|data| data.data.0);
    let linked = data.or_else(|| {
        let url = match read.image_url {
            Some(raw) if raw.get().starts_with('"') => serde_json::from_str::<Text<'_>>(raw.get()).ok()?.0,
            Some(raw) => serde_json::from_str::<Object<Data<'_>>>(raw.get()).ok()?.0?.url.0,
            None => read.image.0,
        }?;
        in_url(&url).map(|data| Cow::Owned(data.to_owned()))
    });
    let kind = match (kind, linked.is_some()) {
        ("", true) => "data",
        (kind, _) => kind,
    };
    other(kind, linked.as_deref(), json)
}

/// Returns what stands in a `data:` address.
fn in_url(url: &str) -> Option<&str> {
    url.strip_prefix("data:")?
        .split_once(";base64,")
        .map(|(_, data)| data)
}

fn text_of(json: &str) -> Option<String> {
    Some(serde_json::from_str::<Text<'_>>(json).ok()?.0?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_and_the_rest_is_digested() {
        let hi = |kind: &str| PromptPart::Other {
            kind: kind.into(),
            sha256: Sha256Digest::of(b"hi"),
        };
        let text = |text: &str| PromptPart::Text(text.into());
        for (json, expected) in [
            (r#""a\nb""#, vec![text("a\nb")]),
            (
                r#"["a",{"text":"b"},{"type":"input_text","text":"c"}]"#,
                vec![text("a"), text("b"), text("c")],
            ),
            (
                r#"[{"type":"image","source":{"type":"base64","data":"aGk="}}]"#,
                vec![hi("image")],
            ),
            (
                r#"[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]"#,
                vec![hi("data")],
            ),
            (
                r#"[{"type":"input_image","image_url":"data:image/png;base64,aGk="}]"#,
                vec![hi("input_image")],
            ),
            (
                r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]"#,
                vec![hi("image_url")],
            ),
            (
                "[7]",
                vec![PromptPart::Other {
                    kind: "unknown".into(),
                    sha256: Sha256Digest::of(b"7"),
                }],
            ),
            ("null", vec![]),
            ("7", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(from_json(json), expected, "{json}");
        }
    }
}
