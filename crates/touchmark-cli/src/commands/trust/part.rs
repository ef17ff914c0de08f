//! A part of trust material as it is typed: `KEY=VALUE,KEY=VALUE`, in the manner of cosign.

use std::collections::BTreeMap;
use std::path::Path;

use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::window::Window;

use crate::context::Context;
use crate::error::CliError;
use crate::file_argument;

/// The largest file of a key or of certificates.
const MAX_PART_BYTES: u64 = 256 * 1024;

/// The pairs of one flag, each key once.
#[derive(Debug)]
pub(super) struct Part {
    flag: &'static str,
    pairs: BTreeMap<String, String>,
}

impl Part {
    /// Reads the pairs; `known` are the keys that this flag takes.
    pub(super) fn parse(flag: &'static str, text: &str, known: &[&str]) -> Result<Self, CliError> {
        let mut pairs = BTreeMap::new();
        for pair in text.split(',') {
            let (key, value) = pair
                .split_once('=')
                .filter(|(_, value)| !value.is_empty())
                .ok_or_else(|| {
                    CliError::usage(
                        "trust.part",
                        format!("--{flag}: expected KEY=VALUE,…, found {pair:?}"),
                    )
                })?;
            if !known.contains(&key) {
                return Err(
                    CliError::usage("trust.part_key", format!("--{flag} takes no {key:?}"))
                        .hint(format!("it takes {}", known.join(", "))),
                );
            }
            if pairs.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(CliError::usage(
                    "trust.part_key",
                    format!("--{flag}: {key:?} stands there twice"),
                ));
            }
        }
        Ok(Self { flag, pairs })
    }

    /// A value that must be there.
    pub(super) fn text(&self, key: &str) -> Result<&str, CliError> {
        self.optional(key)
            .ok_or_else(|| CliError::usage("trust.part_missing", format!("--{} needs {key}=…", self.flag)))
    }

    /// A value that may be there.
    pub(super) fn optional(&self, key: &str) -> Option<&str> {
        self.pairs.get(key).map(String::as_str)
    }

    /// The bytes of a file.
    pub(super) fn file(&self, key: &str, context: &Context<'_>) -> Result<Vec<u8>, CliError> {
        file_argument::read(&context.path(Path::new(self.text(key)?)), MAX_PART_BYTES)
    }

    /// A time.
    pub(super) fn time(&self, key: &str) -> Result<Option<Timestamp>, CliError> {
        let parse = |text: &str| {
            text.parse::<Timestamp>().map_err(|error| {
                CliError::usage("trust.part_time", format!("--{}: {key} is no time", self.flag))
                    .because(error)
                    .hint("write it as 2026-01-01T00:00:00Z")
            })
        };
        self.optional(key).map(parse).transpose()
    }

    /// The window of `start-time` and `end-time`.
    pub(super) fn window(&self) -> Result<Window, CliError> {
        let start = self.time("start-time")?.ok_or_else(|| {
            CliError::usage(
                "trust.part_missing",
                format!(
                    "--{} needs start-time=…: a missing start does not mean \"since ever\"",
                    self.flag
                ),
            )
        })?;
        let end = self.time("end-time")?;
        if end.is_some_and(|end| end < start) {
            return Err(CliError::usage(
                "trust.part_time",
                format!("--{} ends before it starts", self.flag),
            ));
        }
        Ok(Window { start, end })
    }

    /// A small number.
    pub(super) fn number(&self, key: &str) -> Result<u32, CliError> {
        let text = self.text(key)?;
        text.parse().map_err(|_| {
            CliError::usage(
                "trust.part",
                format!("--{}: {key} is no number: {text:?}", self.flag),
            )
        })
    }
}
