//! Keys that look like a known key: `Payload`, `payload_type`, `PAYLOADTYPE` beside `payloadType`.
//!
//! Readers in other languages fold case or accept both spellings of protobuf names, so such a key would mean something
//! there and nothing here.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

use super::JsonError;

/// Returns the known key that `key` looks like, if it looks like one without being one.
///
/// Keys look alike when they are equal after dropping `_`, `-`, spaces and case.
pub fn look_alike(key: &str, known: &[&'static str]) -> Option<&'static str> {
    if known.contains(&key) {
        return None;
    }
    known.iter().copied().find(|known| folded(known).eq(folded(key)))
}

/// Yields the characters of a key that tell it from others.
fn folded(key: &str) -> impl Iterator<Item = char> + '_ {
    key.chars()
        .filter(|character| !matches!(character, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
}

/// Refuses a document whose top-level keys include one that looks like a `known` key.
///
/// The document should have passed [`check`](super::check); a document that is not an object has no keys.
pub fn refuse_look_alikes(bytes: &[u8], known: &[&'static str]) -> Result<(), JsonError> {
    let mut found = None;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let outcome = deserializer.deserialize_any(TopLevel {
        known,
        found: &mut found,
    });
    match found {
        Some((found, known)) => Err(JsonError::LookAlikeKey { found, known }),
        None => outcome.map_err(|source| JsonError::Malformed { source }),
    }
}

struct TopLevel<'a> {
    known: &'a [&'static str],
    found: &'a mut Option<(String, &'static str)>,
}

impl<'de> Visitor<'de> for TopLevel<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if let Some(known) = look_alike(&key, self.known) {
                self.found.get_or_insert((key, known));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
