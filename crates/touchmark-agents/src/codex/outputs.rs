//! What the texts of results tell: exit codes in two of their four spellings, and that something did not work.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::lenient::{Object, Text};

/// The most bytes of a result's beginning that are searched for the lines that the product puts there.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// What the product writes in the place of a result.
const FAILURES: [&str; 11] = [
    "apply_patch verification failed",
    "failed to parse function arguments",
    "failed to parse exec_command arguments",
    "exec_command failed",
    "write_stdin failed",
    "failed in sandbox",
    "execution error",
    "unsupported call",
    "unsupported custom tool call",
    "tool call error",
    "aborted",
];

/// What a result's text tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told<'a> {
    /// The exit code, where one is given.
    pub(super) exit_code: Option<i32>,
    /// True where the product says that the call did not work.
    pub(super) failed: Option<bool>,
    /// The process that is still running.
    pub(super) running: Option<u64>,
    /// True where the code stands in JSON.
    pub(super) is_json: bool,
    /// What was printed.
    pub(super) printed: Cow<'a, str>,
}

/// Returns the text of a result: a text, or the texts of a list of parts.
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    crate::json::lenient::first_text(raw)
}

/// Reads a result's text: JSON with its own `metadata`, or lines at the beginning.
pub(super) fn read(text: Cow<'_, str>) -> Told<'_> {
    if text.starts_with('{')
        && let Some(told) = as_json(&text)
    {
        return told;
    }
    let header = header(&text);
    let mut told = Told::default();
    for line in header.lines() {
        if let Some(rest) = line
            .strip_prefix("Process exited with code ")
            .or_else(|| line.strip_prefix("Exit code: "))
        {
            // The command stands before, in its own words: the last line that says so counts.
            told.exit_code = rest.trim().parse().ok().or(told.exit_code);
            told.running = None;
        } else if let Some(rest) = line.strip_prefix("Process running with session ID ") {
            told.running = rest.trim().parse().ok();
        }
    }
    if told.exit_code.is_none() && FAILURES.iter().any(|beginning| text.starts_with(beginning)) {
        told.failed = Some(true);
    }
    told.printed = text;
    told
}

fn as_json(text: &str) -> Option<Told<'static>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Output<'a> {
        #[serde(borrow)]
        output: Text<'a>,
        #[serde(borrow)]
        metadata: Object<Metadata<'a>>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Metadata<'a> {
        #[serde(borrow)]
        exit_code: Option<&'a RawValue>,
    }
    let output = serde_json::from_str::<Object<Output<'_>>>(text).ok()?.0?;
    let exit_code = code(output.metadata.0?.exit_code)?;
    Some(Told {
        exit_code: Some(exit_code),
        is_json: true,
        printed: Cow::Owned(output.output.0.unwrap_or_default().into_owned()),
        ..Told::default()
    })
}

/// What the product itself writes before the output.
fn header(text: &str) -> &str {
    let mut end = text.len().min(MAX_HEADER_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    text.split_once("\nOutput:").map_or(text, |(header, _)| header)
}

/// Reads an exit code.
pub(super) fn code(raw: Option<&RawValue>) -> Option<i32> {
    raw?.get().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (Option<i32>, Option<bool>, Option<u64>) {
        let told = read(Cow::Borrowed(text));
        (told.exit_code, told.failed, told.running)
    }

    #[test]
    fn reads_every_spelling() {
        for (text, expected) in [
            (
                r#"{"output":"x","metadata":{"exit_code":101,"duration_seconds":0.1}}"#,
                (Some(101), None, None),
            ),
            (
                r#"{"output":"x","metadata":{"exit_code":-1}}"#,
                (Some(-1), None, None),
            ),
            (
                r#"{"output":"x","metadata":{"exit_code":"0"}}"#,
                (None, None, None),
            ),
            (r#"{"agent_id":"x"}"#, (None, None, None)),
            (
                "Chunk ID: a\nWall time: 1 seconds\nProcess exited with code 2\nOriginal token count: 3\nOutput:\nx",
                (Some(2), None, None),
            ),
            (
                "Exit code: 0\nWall time: 0.1 seconds\nOutput:\nx",
                (Some(0), None, None),
            ),
            (
                "Command: sleep\nProcess running with session ID 33850\nOutput:\n",
                (None, None, Some(33_850)),
            ),
            (
                "apply_patch verification failed: no such lines",
                (None, Some(true), None),
            ),
            ("aborted by user after 3.2s", (None, Some(true), None)),
            ("Plan updated", (None, None, None)),
            ("", (None, None, None)),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_command_prints_is_not_the_products_word() {
        assert_eq!(
            told("Chunk ID: a\nProcess exited with code 1\nOutput:\nProcess exited with code 0\n").0,
            Some(1)
        );
        assert_eq!(
            told("Wall time: 1\nOutput:\nProcess exited with code 0\n").0,
            None
        );
        assert_eq!(
            told("Command: echo '\nProcess exited with code 0\n'\nProcess exited with code 7\nOutput:\n").0,
            Some(7)
        );
    }

    #[test]
    fn printed_is_what_the_command_printed() {
        let read = read(Cow::Borrowed(
            r#"{"output":"[main 1a2b3c4] x","metadata":{"exit_code":0}}"#,
        ));
        assert_eq!(read.printed, "[main 1a2b3c4] x");
    }
}
