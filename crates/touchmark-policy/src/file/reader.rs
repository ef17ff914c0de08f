//! Reads TOML tables key by key, and knows the line of everything.

use std::ops::Range;

use chrono::{Days, NaiveDate};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::identity::PatternError;

use super::error::PolicyError;
use crate::globs::Glob;

/// The text of the file, to turn offsets into lines.
#[derive(Clone, Copy)]
pub(super) struct Source<'s>(pub(super) &'s str);

impl Source<'_> {
    pub(super) fn line(self, span: &Range<usize>) -> usize {
        let before = self.0.as_bytes().iter().take(span.start);
        1 + before.filter(|byte| **byte == b'\n').count()
    }
}

/// A table whose keys were all checked.
#[derive(Clone)]
pub(super) struct Table<'t> {
    source: Source<'t>,
    path: String,
    line: usize,
    entries: &'t DeTable<'t>,
}

/// A value with its key and line.
#[derive(Clone)]
pub(super) struct Value<'t> {
    source: Source<'t>,
    pub(super) key: String,
    pub(super) line: usize,
    value: &'t DeValue<'t>,
}

/// The keys of a table: those that are read, and those that exist in the design and are refused by name.
pub(super) struct Keys {
    pub(super) known: &'static [&'static str],
    pub(super) unsupported: &'static [&'static str],
}

impl<'t> Table<'t> {
    pub(super) fn root(source: Source<'t>, root: &'t DeTable<'t>, keys: &Keys) -> Result<Self, PolicyError> {
        let table = Table {
            source,
            path: String::new(),
            line: 1,
            entries: root,
        };
        table.refuse_other_keys(keys)?;
        Ok(table)
    }

    fn refuse_other_keys(&self, keys: &Keys) -> Result<(), PolicyError> {
        let mut problems: Vec<(usize, PolicyError)> = Vec::new();
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if keys.known.contains(&name) {
                continue;
            }
            let (line, full) = (self.source.line(&key.span()), self.name(name));
            let problem = if keys.unsupported.contains(&name) {
                PolicyError::Unsupported { line, key: full }
            } else {
                let suggestion = nearest(name, keys.known.iter().copied());
                PolicyError::UnknownKey {
                    line,
                    key: full,
                    suggestion,
                }
            };
            problems.push((key.span().start, problem));
        }
        problems
            .into_iter()
            .min_by_key(|(start, _)| *start)
            .map_or(Ok(()), |(_, problem)| Err(problem))
    }

    /// Returns the full name of a key of this table.
    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn optional(&self, key: &str) -> Option<Value<'t>> {
        let value = self.entries.get(key)?;
        let line = self.source.line(&value.span());
        Some(Value {
            source: self.source,
            key: self.name(key),
            line,
            value: value.get_ref(),
        })
    }

    pub(super) fn required(&self, key: &str) -> Result<Value<'t>, PolicyError> {
        self.optional(key).ok_or_else(|| PolicyError::MissingKey {
            line: self.line,
            key: self.name(key),
        })
    }

    /// Returns a text that must be there.
    pub(super) fn text(&self, key: &str) -> Result<String, PolicyError> {
        self.required(key)?.text()
    }

    /// Returns a list of texts; absent means empty.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, PolicyError> {
        let values = self
            .optional(key)
            .map(|value| value.list())
            .transpose()?
            .unwrap_or_default();
        values.iter().map(Value::text).collect()
    }

    pub(super) fn boolean(&self, key: &str) -> Result<bool, PolicyError> {
        self.optional(key).map_or(Ok(false), |value| value.boolean())
    }

    /// Returns a flag of a table that may not have it.
    pub(super) fn boolean_if_known(&self, key: &str, keys: &Keys) -> Result<bool, PolicyError> {
        match keys.known.contains(&key) {
            true => self.boolean(key),
            false => Ok(false),
        }
    }

    /// Returns the tables of a list of tables; absent means none.
    pub(super) fn tables(&self, key: &str, keys: &Keys) -> Result<Vec<Table<'t>>, PolicyError> {
        let values = self
            .optional(key)
            .map(|value| value.list())
            .transpose()?
            .unwrap_or_default();
        values.into_iter().map(|value| value.table(keys)).collect()
    }

    pub(super) fn table(&self, key: &str, keys: &Keys) -> Result<Option<Table<'t>>, PolicyError> {
        self.optional(key).map(|value| value.table(keys)).transpose()
    }

    /// Returns patterns; absent means `None`, an empty list is refused.
    pub(super) fn globs(&self, key: &str) -> Result<Option<Vec<Glob>>, PolicyError> {
        let Some(value) = self.optional(key) else {
            return Ok(None);
        };
        let globs: Vec<Glob> = value.list()?.iter().map(Value::glob).collect::<Result<_, _>>()?;
        if globs.is_empty() {
            return Err(value.wrong("at least one pattern", "[]", &[]));
        }
        Ok(Some(globs))
    }
}

impl<'t> Value<'t> {
    fn wrong_type(&self, expected: &'static str) -> PolicyError {
        let found = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        PolicyError::WrongType {
            line: self.line,
            key: self.key.clone(),
            expected,
            found,
        }
    }

    /// Returns the error for a value that is not allowed.
    pub(super) fn wrong(&self, expected: &'static str, found: &str, words: &[&str]) -> PolicyError {
        PolicyError::Value {
            line: self.line,
            key: self.key.clone(),
            expected,
            found: found.to_owned(),
            suggestion: nearest(found, words.iter().copied()),
        }
    }

    /// Returns the error for a pattern that could match more than it shows.
    pub(super) fn pattern(&self, source: PatternError) -> PolicyError {
        PolicyError::Pattern {
            line: self.line,
            key: self.key.clone(),
            source,
        }
    }

    /// Returns a text that is not empty and has no control characters or white space at the ends.
    pub(super) fn text(&self) -> Result<String, PolicyError> {
        let DeValue::String(text) = self.value else {
            return Err(self.wrong_type("a text"));
        };
        if text.is_empty() || text.trim() != text.as_ref() || text.chars().any(char::is_control) {
            let expected = "a text without control characters or white space at the ends, and not empty";
            return Err(self.wrong(expected, text, &[]));
        }
        Ok(text.to_string())
    }

    /// Returns an id: letters, digits, `-`, `_`, `.`.
    pub(super) fn id(&self) -> Result<String, PolicyError> {
        let text = self.text()?;
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !text.chars().all(good) || text.len() > 128 {
            return Err(self.wrong(
                "an id of at most 128 letters, digits, `-`, `_` and `.`",
                &text,
                &[],
            ));
        }
        Ok(text)
    }

    pub(super) fn boolean(&self) -> Result<bool, PolicyError> {
        match self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    pub(super) fn integer(&self) -> Result<i64, PolicyError> {
        let DeValue::Integer(number) = self.value else {
            return Err(self.wrong_type("an integer"));
        };
        i64::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| self.wrong("an integer of 64 bits", number.as_str(), &[]))
    }

    /// Returns an integer that is at least 1.
    pub(super) fn threshold(&self, most: i64, expected: &'static str) -> Result<i64, PolicyError> {
        let found = self.integer()?;
        if found < 1 || found > most {
            return Err(PolicyError::Threshold {
                line: self.line,
                key: self.key.clone(),
                found,
                expected,
            });
        }
        Ok(found)
    }

    pub(super) fn list(&self) -> Result<Vec<Value<'t>>, PolicyError> {
        let DeValue::Array(items) = self.value else {
            return Err(self.wrong_type("a list"));
        };
        let item = |(i, item): (usize, &'t Spanned<DeValue<'t>>)| Value {
            source: self.source,
            key: format!("{}[{i}]", self.key),
            line: self.source.line(&item.span()),
            value: item.get_ref(),
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub(super) fn table(&self, keys: &Keys) -> Result<Table<'t>, PolicyError> {
        let table = self.any_table()?;
        table.refuse_other_keys(keys)?;
        Ok(table)
    }

    /// Returns a table whose keys are names chosen by the author of the policy, with its entries.
    pub(super) fn named_values(&self) -> Result<Vec<(String, Value<'t>)>, PolicyError> {
        let table = self.any_table()?;
        let names = table.entries.keys().map(|key| key.get_ref().to_string());
        Ok(names
            .filter_map(|name| table.optional(&name).map(|value| (name, value)))
            .collect())
    }

    fn any_table(&self) -> Result<Table<'t>, PolicyError> {
        let DeValue::Table(entries) = self.value else {
            return Err(self.wrong_type("a table"));
        };
        Ok(Table {
            source: self.source,
            path: self.key.clone(),
            line: self.line,
            entries,
        })
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    /// Returns one of some words.
    pub(super) fn word<T: Copy>(
        &self,
        expected: &'static str,
        words: &[(&str, T)],
    ) -> Result<T, PolicyError> {
        let text = self.text()?;
        words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.wrong(expected, &text, &words)
            })
    }

    /// Returns what a flag stands for, the first for `false`, or what one of these words does.
    pub(super) fn boolean_or_word<T: Copy>(
        &self,
        expected: &'static str,
        [no, yes]: [T; 2],
        words: &[(&str, T)],
    ) -> Result<T, PolicyError> {
        match self.value {
            DeValue::Boolean(value) => Ok(if *value { yes } else { no }),
            DeValue::String(_) => self.word(expected, words),
            _ => Err(self.wrong_type(expected)),
        }
    }

    pub(super) fn glob(&self) -> Result<Glob, PolicyError> {
        let DeValue::String(pattern) = self.value else {
            return Err(self.wrong_type("a pattern"));
        };
        Glob::parse(pattern).map_err(|source| PolicyError::Glob {
            line: self.line,
            key: self.key.clone(),
            pattern: pattern.to_string(),
            source,
        })
    }

    /// Returns the first moment that is no longer inside: the end of a day (UTC), or the moment itself.
    pub(super) fn end(&self) -> Result<Timestamp, PolicyError> {
        self.moment(1)
    }

    /// Returns the first moment that is inside: the start of a day (UTC), or the moment itself.
    pub(super) fn start(&self) -> Result<Timestamp, PolicyError> {
        self.moment(0)
    }

    fn moment(&self, days: u64) -> Result<Timestamp, PolicyError> {
        let DeValue::Datetime(date) = self.value else {
            return Err(self.wrong_type("a date such as 2027-06-30"));
        };
        let text = date.to_string();
        let expected = "a date such as 2027-06-30, or a UTC time such as 2027-06-30T12:00:00Z";
        let wrong = || self.wrong(expected, &text, &[]);
        if date.offset.is_some() {
            return text.parse().map_err(|_| wrong());
        }
        let day: NaiveDate = text.parse().map_err(|_| wrong())?;
        let day = day.checked_add_days(Days::new(days)).ok_or_else(wrong)?;
        let midnight = day.and_hms_opt(0, 0, 0).ok_or_else(wrong)?;
        Timestamp::from_unix(midnight.and_utc().timestamp()).map_err(|_| wrong())
    }
}

/// Returns the word most like the one found, if any is like it at all.
pub(super) fn nearest<'w>(found: &str, words: impl Iterator<Item = &'w str>) -> Option<String> {
    if found.len() > 128 {
        return None;
    }
    words
        .map(|word| (strsim::jaro_winkler(found, word), word))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word.to_owned())
}
