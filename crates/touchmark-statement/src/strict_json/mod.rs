//! JSON that means one thing only.
//!
//! One tokenizer (serde_json's) goes over the bytes twice: [`check`] refuses what readers disagree about (duplicate
//! keys at any depth, a byte-order mark, trailing data, too deep or too long a document, numbers that are not exact
//! where exactness is asked for), and [`from_slice`] then reads a type, refusing arrays where an object belongs and
//! keys that look like a known key. [`canonical`] writes RFC 8785.

mod check;
mod keys;
mod strict;
mod typed;

use std::fmt;

use serde::Serialize;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};

pub use self::check::check;
pub(crate) use self::check::scan;
pub use self::keys::{look_alike, refuse_look_alikes};
pub(crate) use self::typed::{Author, Typed, from_str_typed, null_as_default, nullable};
use crate::limits::{MAX_EXACT_INTEGER, MAX_JSON_DEPTH, MAX_STATEMENT_BYTES};

/// Which numbers a document may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Integers between -(2^53 - 1) and 2^53 - 1, without fraction, exponent or minus zero.
    ExactIntegers,
    /// Any JSON number that a double can hold.
    Any,
}

/// What a document may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The longest document, in bytes.
    pub max_bytes: usize,
    /// The deepest nesting of arrays and objects.
    pub max_depth: usize,
    /// Which numbers it may hold.
    pub numbers: Numbers,
}

impl Rules {
    /// The rules for a statement with a predicate of ours.
    pub const STATEMENT: Self = Self {
        max_bytes: MAX_STATEMENT_BYTES,
        max_depth: MAX_JSON_DEPTH,
        numbers: Numbers::ExactIntegers,
    };

    /// The rules for a statement with somebody else's predicate.
    pub const FOREIGN_STATEMENT: Self = Self {
        numbers: Numbers::Any,
        ..Self::STATEMENT
    };
}

/// Why JSON was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The document is longer than the cap.
    #[error("the document has {found} bytes, at most {max} are read")]
    TooLarge {
        /// The cap.
        max: usize,
        /// The length found.
        found: usize,
    },
    /// The document begins with a byte-order mark.
    #[error("the document begins with a byte-order mark")]
    ByteOrderMark,
    /// The document is not UTF-8.
    #[error("the document is not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// The first byte that is not part of UTF-8 text.
        offset: usize,
    },
    /// Arrays and objects nest deeper than the cap.
    #[error("arrays and objects nest deeper than {max}")]
    TooDeep {
        /// The cap.
        max: usize,
    },
    /// An object has one key twice.
    #[error("key {key:?} stands twice in one object")]
    DuplicateKey {
        /// The key, after resolving escapes.
        key: String,
    },
    /// A key that the JSON library gives a meaning of its own.
    #[error("key {key:?} is reserved")]
    ReservedKey {
        /// The key.
        key: String,
    },
    /// A number that is not an exact integer, where only those are allowed.
    #[error("a number is not an integer between -(2^53 - 1) and 2^53 - 1")]
    InexactNumber,
    /// A text is empty, where one that says nothing is left out.
    #[error("the text at {pointer:?} is empty")]
    EmptyText {
        /// JSON pointer to the text.
        pointer: String,
    },
    /// A text that is longer than the cap.
    #[error("the text at {pointer:?} has {found} bytes, at most {max} are allowed")]
    TextTooLong {
        /// JSON pointer to the text.
        pointer: String,
        /// The cap.
        max: usize,
        /// The length found.
        found: usize,
    },
    /// A NUL character inside a text.
    #[error("the text at {pointer:?} holds a NUL character")]
    Nul {
        /// JSON pointer to the text.
        pointer: String,
    },
    /// Something follows the document.
    #[error("something follows the document at line {line}, column {column}")]
    TrailingData {
        /// Where, counted from 1.
        line: usize,
        /// Where, counted from 1.
        column: usize,
    },
    /// The bytes are not JSON.
    #[error("the bytes are not JSON")]
    Malformed {
        /// What the tokenizer said.
        #[source]
        source: serde_json::Error,
    },
    /// An array stands where an object is expected.
    #[error("an array stands at {pointer:?}, where an object is expected")]
    ArrayForObject {
        /// JSON pointer to the array.
        pointer: String,
    },
    /// A key that differs from a known one only in case or punctuation.
    #[error("key {found:?} looks like {known:?} but is not spelled so")]
    LookAlikeKey {
        /// The key found, or a pointer to it.
        found: String,
        /// The key it looks like.
        known: &'static str,
    },
    /// A field is missing, or has the wrong type, or an unknown name where a fixed set is allowed.
    #[error("the value at {pointer:?} has the wrong shape")]
    Shape {
        /// JSON pointer to the value.
        pointer: String,
        /// What was expected.
        #[source]
        source: serde_json::Error,
    },
    /// A value has the right JSON type, but its own format refuses it.
    #[error("the value at {pointer:?} is refused ({code})")]
    Invalid {
        /// The stable code of the refusal.
        code: &'static str,
        /// JSON pointer to the value.
        pointer: String,
        /// The refusal.
        #[source]
        source: serde_json::Error,
    },
    /// A value cannot be written as canonical JSON.
    #[error("the value cannot be written as canonical JSON")]
    Unrepresentable {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl JsonError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "json.too_large",
            Self::ByteOrderMark => "json.byte_order_mark",
            Self::NotUtf8 { .. } => "json.not_utf8",
            Self::TooDeep { .. } => "json.too_deep",
            Self::DuplicateKey { .. } => "json.duplicate_key",
            Self::ReservedKey { .. } => "json.reserved_key",
            Self::InexactNumber => "json.inexact_number",
            Self::TextTooLong { .. } => "json.text_too_long",
            Self::EmptyText { .. } => "json.empty_text",
            Self::Nul { .. } => "json.nul",
            Self::TrailingData { .. } => "json.trailing_data",
            Self::Malformed { .. } => "json.malformed",
            Self::ArrayForObject { .. } => "json.array_for_object",
            Self::LookAlikeKey { .. } => "json.look_alike_key",
            Self::Shape { .. } => "json.shape",
            Self::Invalid { code, .. } => code,
            Self::Unrepresentable { .. } => "json.unrepresentable",
        }
    }
}

/// The codes that a value inside a document can be refused with; [`JsonError::code`] returns them unchanged.
pub(crate) const VALUE_CODES: &[&str] = &[
    "decimal.malformed",
    "digest.length",
    "digest.look_alike",
    "digest.malformed",
    "digest.not_lower_hex",
    "digest.too_many",
    "git_id.malformed",
    "mode.unknown",
    "path.dot_component",
    "path.empty",
    "path.empty_component",
    "path.git_folder",
    "path.not_canonical",
    "path.nul",
    "path.too_long",
    "run.chain",
    "timestamp.malformed",
    "timestamp.out_of_range",
];

/// Reads a value strictly: [`check`] first, then the type, without arrays in place of objects.
///
/// Unknown fields are ignored unless the type itself refuses them; a key that looks like a known field but is spelled
/// otherwise is refused. `null` for an `Option` means absent.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8], rules: &Rules) -> Result<T, JsonError> {
    let (text, _) = scan(bytes, rules)?;
    from_str_typed(text, Author::Others, "").map(|typed: Typed<T>| typed.value)
}

/// Writes a value as RFC 8785 canonical JSON.
///
/// Integers beyond ±(2^53 - 1) are refused, because canonical JSON would round them.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, JsonError> {
    let unrepresentable = |source| JsonError::Unrepresentable { source };
    let value = serde_json::to_value(value).map_err(unrepresentable)?;
    if !integers_are_exact(&value) {
        return Err(JsonError::InexactNumber);
    }
    serde_json_canonicalizer::to_vec(&value).map_err(unrepresentable)
}

fn integers_are_exact(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(positive), _) => positive <= MAX_EXACT_INTEGER,
            (None, Some(negative)) => negative.unsigned_abs() <= MAX_EXACT_INTEGER,
            (None, None) => true,
        },
        serde_json::Value::Array(items) => items.iter().all(integers_are_exact),
        serde_json::Value::Object(fields) => fields.values().all(integers_are_exact),
        _ => true,
    }
}

/// Makes the error of a value type, such that [`JsonError::code`] finds its code again.
pub(crate) fn invalid<E: de::Error>(code: &'static str, detail: impl fmt::Display) -> E {
    E::custom(format_args!("{code}: {detail}"))
}

/// Reads a JSON string through `parse`, which returns the code and the refusal.
pub(crate) fn parse_str<'de, D, T, F, E>(
    deserializer: D,
    expecting: &'static str,
    parse: F,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    F: FnOnce(&str) -> Result<T, (&'static str, E)>,
    E: fmt::Display,
{
    struct Text<F>(&'static str, F);

    impl<T, F, E> Visitor<'_> for Text<F>
    where
        F: FnOnce(&str) -> Result<T, (&'static str, E)>,
        E: fmt::Display,
    {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<X: de::Error>(self, text: &str) -> Result<T, X> {
            (self.1)(text).map_err(|(code, error)| invalid(code, error))
        }
    }

    deserializer.deserialize_str(Text(expecting, parse))
}

#[cfg(test)]
mod tests;
