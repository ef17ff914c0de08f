//! JSON, TOML and YAML as one kind of value, within bounds.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};
use touchmark_statement::strict_json::{self, Numbers, Rules};

use crate::error::LockfileError;
use crate::limits::{MAX_DEPTH, MAX_LOCKFILE_BYTES, MAX_VALUES};

/// Reads bytes as text; a byte-order mark at the beginning is not part of it.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, LockfileError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| LockfileError::NotUtf8 {
        offset: error.valid_up_to(),
    })
}

/// Reads JSON in which no key stands twice.
pub(crate) fn json(bytes: &[u8]) -> Result<Value, LockfileError> {
    let text = text(bytes)?;
    let rules = Rules {
        max_bytes: MAX_LOCKFILE_BYTES as usize,
        max_depth: MAX_DEPTH,
        numbers: Numbers::Any,
    };
    Ok(strict_json::from_slice(text.as_bytes(), &rules)?)
}

/// Reads TOML, which allows no key twice and nests as deep as its parser allows.
pub(crate) fn toml(bytes: &[u8]) -> Result<Value, LockfileError> {
    toml::from_str(text(bytes)?).map_err(|source| LockfileError::Toml {
        source: Box::new(source),
    })
}

/// Reads one YAML document.
pub(crate) fn yaml(bytes: &[u8]) -> Result<Value, LockfileError> {
    let mut documents = yaml_documents(bytes)?;
    match documents.len() {
        1 => Ok(documents.remove(0)),
        _ => Err(LockfileError::Yaml { line: 1 }),
    }
}

/// Reads YAML documents in which every scalar is a text, no key stands twice and nothing refers to anything else.
pub(crate) fn yaml_documents(bytes: &[u8]) -> Result<Vec<Value>, LockfileError> {
    let mut open: Vec<Open> = Vec::new();
    let mut documents = Vec::new();
    let mut values = 0usize;
    for event in Parser::new_from_str(text(bytes)?) {
        let (event, span) = event.map_err(|error| LockfileError::Yaml {
            line: error.marker().line(),
        })?;
        let line = span.start.line();
        let closed = match event {
            Event::Alias(_) => return Err(LockfileError::Alias { line }),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                return Err(LockfileError::Alias { line });
            }
            Event::Scalar(text, ..) => Some(Value::String(text.into_owned())),
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Table(Map::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(Open::close),
            _ => None,
        };
        values += 1;
        if values > MAX_VALUES {
            return Err(LockfileError::TooManyEntries);
        }
        if open.len() > MAX_DEPTH {
            return Err(LockfileError::TooDeep);
        }
        if let Some(value) = closed {
            match open.last_mut() {
                Some(parent) => parent.take(value, line)?,
                None => documents.push(value),
            }
        }
    }
    Ok(documents)
}

/// A list or table that is not complete yet.
enum Open {
    List(Vec<Value>),
    Table(Map<String, Value>, Option<String>),
}

impl Open {
    fn take(&mut self, value: Value, line: usize) -> Result<(), LockfileError> {
        match self {
            Self::List(items) => items.push(value),
            Self::Table(table, key @ None) => match value {
                Value::String(text) if table.contains_key(&text) => {
                    return Err(LockfileError::DuplicateKey { key: text });
                }
                Value::String(text) if text == "<<" => return Err(LockfileError::Alias { line }),
                Value::String(text) => *key = Some(text),
                _ => return Err(LockfileError::Yaml { line }),
            },
            Self::Table(table, key) => {
                table.extend(key.take().map(|key| (key, value)));
            }
        }
        Ok(())
    }

    fn close(self) -> Value {
        match self {
            Self::List(items) => Value::Array(items),
            Self::Table(table, _) => Value::Object(table),
        }
    }
}

/// Returns the table at a key; an absent one is empty.
pub(crate) fn table<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// Returns the list at a key; an absent one is empty.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Returns the text at a key.
pub(crate) fn string<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// Returns whether a key says yes, as a boolean or as YAML's text.
pub(crate) fn flag(value: &Value, key: &str) -> bool {
    match value.get(key) {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_read_as_texts() {
        let value = yaml(b"a: 1.0\nb: {integrity: sha512-x, os: [a, 'b']}\nc:\n- x\nd:\ne: >-\n  f\n  g\n")
            .expect("YAML");
        assert_eq!(
            value.to_string(),
            r#"{"a":"1.0","b":{"integrity":"sha512-x","os":["a","b"]},"c":["x"],"d":"","e":"f g"}"#
        );
    }

    #[test]
    fn what_could_grow_or_mean_two_things_is_refused() {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\n";
        for (text, code) in [
            (bomb, "lockfile.yaml_alias"),
            ("a: *x\n", "lockfile.yaml"),
            ("a: 1\na: 2\n", "lockfile.duplicate_key"),
            ("a: 1\n<<: {b: 2}\n", "lockfile.yaml_alias"),
            ("a: 1\n---\nb: 2\n", "lockfile.yaml"),
            ("[a]: 1\n", "lockfile.yaml"),
            ("a: [1\n", "lockfile.yaml"),
            ("", "lockfile.yaml"),
            ("\t", "lockfile.yaml"),
        ] {
            assert_eq!(yaml(text.as_bytes()).expect_err(text).code(), code, "{text:?}");
        }
        let deep = "[".repeat(150);
        assert_eq!(
            yaml(deep.as_bytes()).expect_err("deep").code(),
            "lockfile.too_deep"
        );
        let deep: String = (0..150)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect();
        assert_eq!(
            yaml(deep.as_bytes()).expect_err("deep").code(),
            "lockfile.too_deep"
        );
    }

    #[test]
    fn json_and_toml_allow_no_key_twice_and_no_depth() {
        assert_eq!(
            json(br#"{"a":1,"\u0061":2}"#).expect_err("twice").code(),
            "lockfile.duplicate_key"
        );
        assert_eq!(
            toml(b"a = 1\na = 2\n").expect_err("twice").code(),
            "lockfile.toml"
        );
        assert_eq!(
            json("[".repeat(5000).as_bytes()).expect_err("deep").code(),
            "lockfile.too_deep"
        );
        let deep = format!("a = {}", "[".repeat(100_000));
        assert_eq!(toml(deep.as_bytes()).expect_err("deep").code(), "lockfile.toml");
        let deep = format!("{}a = 1", "a.".repeat(100_000));
        assert_eq!(toml(deep.as_bytes()).expect_err("deep").code(), "lockfile.toml");
        assert_eq!(text(b"a\xff").expect_err("no text").code(), "lockfile.not_utf8");
        assert_eq!(text(b"\xef\xbb\xbfa").expect("text"), "a");
    }
}
