//! The first pass: builds nothing, refuses everything that two readers could take differently.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{JsonError, Numbers, Rules};
use crate::limits::MAX_EXACT_INTEGER;

/// Objects with more keys than this are checked through a hash set.
const LINEAR_KEYS: usize = 16;

/// serde_json gives keys with this beginning a meaning of its own.
const RESERVED_PREFIX: &str = "$serde_json::private::";

/// What one pass over a document found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Findings {
    /// Whether every number is an exact integer.
    pub(crate) inexact_number: bool,
}

/// Refuses bytes that are not one well-formed, unambiguous JSON document within the rules.
pub fn check(bytes: &[u8], rules: &Rules) -> Result<(), JsonError> {
    scan(bytes, rules).map(|_| ())
}

/// As [`check`], and returns the text and what was found in it.
pub(crate) fn scan<'a>(bytes: &'a [u8], rules: &Rules) -> Result<(&'a str, Findings), JsonError> {
    if bytes.len() > rules.max_bytes {
        return Err(JsonError::TooLarge {
            max: rules.max_bytes,
            found: bytes.len(),
        });
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(JsonError::ByteOrderMark);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError::NotUtf8 {
        offset: error.valid_up_to(),
    })?;
    let mut state = State {
        rules,
        depth: 0,
        findings: Findings::default(),
        refusal: None,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Our own depth counter stops first; rules that allow more than serde_json's 128 stop at 128.
    if let Err(source) = (Node { state: &mut state }).deserialize(&mut deserializer) {
        return Err(state.refusal.unwrap_or(JsonError::Malformed { source }));
    }
    deserializer.end().map_err(|error| JsonError::TrailingData {
        line: error.line(),
        column: error.column(),
    })?;
    Ok((text, state.findings))
}

struct State<'a> {
    rules: &'a Rules,
    depth: usize,
    findings: Findings,
    refusal: Option<JsonError>,
}

impl State<'_> {
    fn refuse<E: de::Error>(&mut self, refusal: JsonError) -> E {
        self.refusal.get_or_insert(refusal);
        E::custom("refused")
    }

    fn enter<E: de::Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        let max = self.rules.max_depth;
        if self.depth > max {
            Err(self.refuse(JsonError::TooDeep { max }))
        } else {
            Ok(())
        }
    }

    fn inexact<E: de::Error>(&mut self) -> Result<(), E> {
        self.findings.inexact_number = true;
        match self.rules.numbers {
            Numbers::ExactIntegers => Err(self.refuse(JsonError::InexactNumber)),
            Numbers::Any => Ok(()),
        }
    }
}

/// One value of the document.
struct Node<'s, 'a> {
    state: &'s mut State<'a>,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        if number > MAX_EXACT_INTEGER {
            self.state.inexact()
        } else {
            Ok(())
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        if number.unsigned_abs() > MAX_EXACT_INTEGER {
            self.state.inexact()
        } else {
            Ok(())
        }
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.state.inexact()
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.state.enter()?;
        while items.next_element_seed(Node { state: self.state })?.is_some() {}
        self.state.depth -= 1;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        self.state.enter()?;
        let mut seen = Keys::default();
        while let Some(Key(key)) = fields.next_key::<Key<'de>>()? {
            if key.starts_with(RESERVED_PREFIX) {
                return Err(self.state.refuse(JsonError::ReservedKey {
                    key: key.into_owned(),
                }));
            }
            if let Err(key) = seen.insert(key) {
                return Err(self.state.refuse(JsonError::DuplicateKey {
                    key: key.into_owned(),
                }));
            }
            fields.next_value_seed(Node { state: self.state })?;
        }
        self.state.depth -= 1;
        Ok(())
    }
}

/// The keys of one object so far.
#[derive(Default)]
struct Keys<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    /// Adds a key, or gives it back if it is there already.
    fn insert(&mut self, key: Cow<'de, str>) -> Result<(), Cow<'de, str>> {
        if self.few.contains(&key) || self.many.contains(&key) {
            return Err(key);
        }
        if self.few.len() < LINEAR_KEYS {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
        Ok(())
    }
}

/// A key, borrowed from the document where it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}
