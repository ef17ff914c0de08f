//! The second pass: a forwarding deserializer around serde_json's.
//!
//! It refuses arrays where a struct is expected (derived visitors would take them), refuses look-alike keys of the
//! struct's fields, lists the fields that nobody read, and knows the JSON pointer of a value that was refused.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::strict::{Path, State, Strict};
use super::{JsonError, VALUE_CODES};

/// Whose format a document is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// Somebody else's: `null` for an `Option` means absent, texts may be empty and long.
    Others,
    /// Ours: a field has a value or is not there, and a text is 1 to 4,096 bytes without NUL.
    Us,
}

/// A value, and the fields that were there but not read.
#[derive(Debug)]
pub(crate) struct Typed<T> {
    pub(crate) value: T,
    /// JSON pointers, at most [`MAX_UNKNOWN_FIELDS`].
    pub(crate) unknown: Vec<String>,
    /// How many there were in all.
    pub(crate) unknown_count: usize,
}

impl<T> Typed<T> {
    /// Returns a value of a document whose fields are not listed.
    pub(crate) fn of(value: T) -> Self {
        Self {
            value,
            unknown: Vec::new(),
            unknown_count: 0,
        }
    }

    /// Changes the value.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Typed<U> {
        Typed {
            value: change(self.value),
            unknown: self.unknown,
            unknown_count: self.unknown_count,
        }
    }
}

/// Reads a type from text that has passed `scan`; `prefix` is the pointer of the text in its document.
pub(crate) fn from_str_typed<'de, T: Deserialize<'de>>(
    text: &'de str,
    author: Author,
    prefix: &str,
) -> Result<Typed<T>, JsonError> {
    let state = RefCell::new(State {
        author,
        unknown: Vec::new(),
        unknown_count: 0,
        failed_at: None,
        refusal: None,
    });
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let outcome = T::deserialize(Strict {
        inner: &mut deserializer,
        state: &state,
        path: Path::Root(prefix),
    });
    let state = state.into_inner();
    match outcome {
        Ok(value) => Ok(Typed {
            value,
            unknown: state.unknown,
            unknown_count: state.unknown_count,
        }),
        Err(source) => Err(state.refusal.unwrap_or_else(|| {
            let pointer = state.failed_at.unwrap_or_else(|| prefix.to_owned());
            let text = source.to_string();
            let coded = text
                .split_once(": ")
                .and_then(|(code, _)| VALUE_CODES.iter().find(|known| **known == code));
            match coded {
                Some(code) => JsonError::Invalid {
                    code,
                    pointer,
                    source,
                },
                None => JsonError::Shape { pointer, source },
            }
        })),
    }
}

/// Reads a field where `null` means the same as nothing, as other tools write empty lists.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a field that must be there, and may be `null`.
pub(crate) fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct Nullable;

    impl Visitor<'_> for Nullable {
        type Value = Option<i64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer or null")
        }

        fn visit_unit<E>(self) -> Result<Option<i64>, E> {
            Ok(None)
        }

        fn visit_i64<E>(self, number: i64) -> Result<Option<i64>, E> {
            Ok(Some(number))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<i64>, E> {
            i64::try_from(number).map(Some).map_err(E::custom)
        }
    }

    deserializer.deserialize_any(Nullable)
}
