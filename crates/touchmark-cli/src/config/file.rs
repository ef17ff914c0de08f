//! One configuration file: TOML, with the line of each setting. A setting of a table is called `table.setting`.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::Value;
use crate::error::CliError;
use crate::file_argument;

/// The largest configuration file that is read.
const MAX_CONFIG_BYTES: u64 = 64 * 1_024;

/// One line of a file; `value` is absent when it is of a kind that no setting takes.
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: Option<Value>,
    pub(super) line: usize,
}

/// Reads a file's settings; a file that does not exist has none.
pub(super) fn settings(path: &Path) -> Result<Vec<Setting>, CliError> {
    let Some(bytes) = file_argument::read_own(path, MAX_CONFIG_BYTES)? else {
        return Ok(Vec::new());
    };
    let unreadable = |line: usize| {
        CliError::usage(
            "config.unreadable",
            format!("{}:{line}: this is not a TOML configuration file", path.display()),
        )
    };
    let text = String::from_utf8(bytes).map_err(|_| unreadable(1))?;
    let line_of = |offset: usize| {
        text.as_bytes()[..offset.min(text.len())]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1
    };
    let table = DeTable::parse(&text).map_err(|error| {
        unreadable(error.span().map_or(1, |span| line_of(span.start))).because(error.message().to_owned())
    })?;
    let mut settings = Vec::new();
    for (name, value) in table.get_ref() {
        let line = line_of(name.span().start);
        let DeValue::Table(inner) = value.get_ref() else {
            settings.push(Setting {
                name: name.get_ref().to_string(),
                value: plain(value.get_ref()),
                line,
            });
            continue;
        };
        settings.extend(inner.iter().map(|(inner, value)| Setting {
            name: format!("{}.{}", name.get_ref(), inner.get_ref()),
            value: plain(value.get_ref()),
            line: line_of(inner.span().start),
        }));
    }
    Ok(settings)
}

fn plain(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Boolean(flag) => Some(Value::Flag(*flag)),
        DeValue::Array(items) => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
            .map(Value::List),
        _ => None,
    }
}
