//! JSON documents: a schema id with its version in each, and strings escaped so that a terminal is safe to show them.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use super::escape;
use crate::error::CliError;

/// The schema of one kind of document. Its id ends with the version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    /// The file's name below `https://touchmark.dev/schemas/`.
    name: &'static str,
    /// The version.
    version: u32,
}

impl Schema {
    /// A failure.
    pub(crate) const ERROR: Self = Self::new("error", 1);

    /// A schema by name and version.
    pub(crate) const fn new(name: &'static str, version: u32) -> Self {
        Self { name, version }
    }

    fn id(self) -> String {
        format!(
            "https://touchmark.dev/schemas/{}-v{}.json",
            self.name, self.version
        )
    }
}

#[derive(Serialize)]
struct Document<'a, T> {
    schema: String,
    version: u32,
    #[serde(flatten)]
    value: &'a T,
}

/// What a failure looks like under `--format json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorDocument<'a> {
    exit_code: u8,
    code: &'a str,
    message: &'a str,
    causes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl<'a> ErrorDocument<'a> {
    pub(super) fn of(error: &'a CliError) -> Self {
        Self {
            exit_code: error.exit().number(),
            code: error.code(),
            message: error.message(),
            causes: error.causes(),
            hint: error.help(),
        }
    }
}

/// Returns the document's bytes, ending with a line feed.
pub(super) fn encode<T: Serialize>(schema: Schema, value: &T) -> Result<Vec<u8>, CliError> {
    encode_value(&Document {
        schema: schema.id(),
        version: schema.version,
        value,
    })
}

/// Returns the bytes of a value that is a whole document already, ending with a line feed.
pub(super) fn encode_value<T: Serialize>(value: &T) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let formatter = Careful(PrettyFormatter::new());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer).map_err(|e| {
        CliError::failed("output.unencodable", "the result cannot be written as JSON").because(e)
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Pretty JSON in which every character that [`escape`] would show is a `\uXXXX` escape. The value is the same.
struct Careful<'a>(PrettyFormatter<'a>);

impl Formatter for Careful<'_> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain_from = 0;
        for (at, character) in fragment.char_indices().filter(|(_, c)| escape::is_unsafe(*c)) {
            writer.write_all(&fragment.as_bytes()[plain_from..at])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain_from = at + character.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain_from..])
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_217_json_escapes_what_a_terminal_would_obey() {
        let value = serde_json::json!({ "name": "a\u{202e}b\u{9b}c\u{e0041}\u{7f}\n" });
        let bytes = encode(Schema::new("test", 1), &value).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(
            text.contains(r#""name": "a\u202eb\u009bc\udb40\udc41\u007f\n""#),
            "{text}"
        );
        let back: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(back["name"], value["name"]);
        assert_eq!(back["schema"], "https://touchmark.dev/schemas/test-v1.json");
        assert_eq!(back["version"], 1);
    }
}
