//! Reads the few values of a repository's own `config` that cannot be done without, as data.
//!
//! Includes, conditional includes, environment and the user's other configuration are not followed, and no value that
//! names a program is ever looked at. A key that stands twice has its last value, as in git.

use std::path::Path;

use crate::error::GitError;

/// The entries of one configuration file, in order: lowercase `section`, exact `subsection`, lowercase `key`.
#[derive(Debug, Default)]
pub(crate) struct Config {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    section: String,
    subsection: String,
    key: String,
    value: String,
}

impl Config {
    /// Parses the bytes of the file at `path`, which is only used to name it in errors.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self, GitError> {
        let text = String::from_utf8_lossy(bytes);
        let mut parser = Parser {
            rest: text.trim_start_matches('\u{feff}'),
            line: 1,
        };
        let mut config = Self::default();
        let (mut section, mut subsection) = (String::new(), String::new());
        while let Some(item) = parser.next_item().map_err(|line| GitError::Malformed {
            path: path.to_owned(),
            line,
        })? {
            match item {
                Item::Section { name, sub } => (section, subsection) = (name, sub),
                Item::Value { key, value } => config.entries.push(Entry {
                    section: section.clone(),
                    subsection: subsection.clone(),
                    key,
                    value,
                }),
            }
        }
        Ok(config)
    }

    /// Returns the last value of `section.subsection.key`; an empty subsection means none.
    pub(crate) fn value(&self, section: &str, subsection: &str, key: &str) -> Option<&str> {
        let wanted =
            |entry: &&Entry| entry.section == section && entry.subsection == subsection && entry.key == key;
        self.entries
            .iter()
            .rev()
            .find(wanted)
            .map(|entry| entry.value.as_str())
    }

    /// Returns the subsections and values of a key in all subsections of a section.
    pub(crate) fn subsections<'a>(
        &'a self,
        section: &'a str,
        key: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let wanted = move |entry: &&Entry| entry.section == section && entry.key == key;
        self.entries
            .iter()
            .filter(wanted)
            .map(|entry| (entry.subsection.as_str(), entry.value.as_str()))
    }

    /// Returns the keys and values of a section without subsection.
    pub(crate) fn section<'a>(&'a self, section: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let here = move |entry: &&Entry| entry.section == section && entry.subsection.is_empty();
        self.entries
            .iter()
            .filter(here)
            .map(|entry| (entry.key.as_str(), entry.value.as_str()))
    }
}

enum Item {
    Section { name: String, sub: String },
    Value { key: String, value: String },
}

struct Parser<'a> {
    rest: &'a str,
    line: usize,
}

impl Parser<'_> {
    fn bump(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip_line(&mut self) {
        while let Some(next) = self.bump() {
            if next == '\n' {
                break;
            }
        }
    }

    fn next_item(&mut self) -> Result<Option<Item>, usize> {
        loop {
            match self.peek() {
                None => return Ok(None),
                Some('#' | ';') => self.skip_line(),
                Some(next) if next.is_whitespace() => {
                    self.bump();
                }
                Some('[') => return self.section().map(Some),
                Some(next) if next.is_ascii_alphabetic() => return self.key_value().map(Some),
                Some(_) => return Err(self.line),
            }
        }
    }

    fn section(&mut self) -> Result<Item, usize> {
        self.bump();
        let mut name = String::new();
        let mut sub = String::new();
        loop {
            match self.bump() {
                Some(']') => break,
                Some(next) if next.is_ascii_alphanumeric() || matches!(next, '-' | '.') => {
                    name.push(next.to_ascii_lowercase());
                }
                Some(' ' | '\t') => {
                    sub = self.quoted_subsection()?;
                    break;
                }
                _ => return Err(self.line),
            }
        }
        // The old form `[section.subsection]` folds case.
        if sub.is_empty()
            && let Some((section, rest)) = name.clone().split_once('.')
        {
            (name, sub) = (section.to_owned(), rest.to_owned());
        }
        Ok(Item::Section { name, sub })
    }

    fn quoted_subsection(&mut self) -> Result<String, usize> {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.bump();
        }
        if self.bump() != Some('"') {
            return Err(self.line);
        }
        let mut sub = String::new();
        loop {
            match self.bump() {
                Some('"') => break,
                Some('\\') => sub.push(self.bump().ok_or(self.line)?),
                Some('\n') | None => return Err(self.line),
                Some(next) => sub.push(next),
            }
        }
        if self.bump() == Some(']') {
            Ok(sub)
        } else {
            Err(self.line)
        }
    }

    fn key_value(&mut self) -> Result<Item, usize> {
        let mut key = String::new();
        while let Some(next) = self
            .peek()
            .filter(|next| next.is_ascii_alphanumeric() || *next == '-')
        {
            key.push(next.to_ascii_lowercase());
            self.bump();
        }
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.bump();
        }
        match self.peek() {
            Some('=') => {
                self.bump();
                Ok(Item::Value {
                    key,
                    value: self.value()?,
                })
            }
            // A key alone means true.
            None | Some('\n' | '\r' | '#' | ';') => {
                self.skip_line();
                Ok(Item::Value {
                    key,
                    value: "true".to_owned(),
                })
            }
            Some(_) => Err(self.line),
        }
    }

    fn value(&mut self) -> Result<String, usize> {
        let mut value = String::new();
        let mut kept = 0;
        let mut quoted = false;
        loop {
            match self.bump() {
                None | Some('\n') => break,
                Some('\r') if self.peek() == Some('\n') => {}
                Some('"') => {
                    quoted = !quoted;
                    kept = value.len();
                }
                Some('#' | ';') if !quoted => {
                    self.skip_line();
                    break;
                }
                Some('\\') => match self.bump() {
                    Some('\n') => {}
                    Some('\r') if self.peek() == Some('\n') => {
                        self.bump();
                    }
                    Some('n') => value.push('\n'),
                    Some('t') => value.push('\t'),
                    Some('b') => value.push('\u{8}'),
                    Some(next @ ('"' | '\\')) => value.push(next),
                    _ => return Err(self.line),
                },
                Some(next) if next.is_whitespace() && !quoted => {
                    if !value.is_empty() {
                        value.push(next);
                    }
                    continue;
                }
                Some(next) => value.push(next),
            }
            kept = value.len().max(kept);
        }
        if quoted {
            return Err(self.line);
        }
        value.truncate(kept);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, GitError> {
        Config::parse(text.as_bytes(), Path::new("config"))
    }

    #[test]
    fn reads_what_git_writes() {
        let config = parse(
            "[core]\n\trepositoryformatversion = 1\n\tbare\n[extensions]\n\tobjectFormat = sha256 ; why\n\
             [remote \"or\\\"i\"]\n\turl = \"https://x/ y\" # z\n[branch.Main]\n\tmerge = a \\\n b\n",
        )
        .unwrap();
        assert_eq!(config.value("core", "", "repositoryformatversion"), Some("1"));
        assert_eq!(config.value("core", "", "bare"), Some("true"));
        assert_eq!(config.value("extensions", "", "objectformat"), Some("sha256"));
        assert_eq!(config.value("remote", "or\"i", "url"), Some("https://x/ y"));
        assert_eq!(config.value("branch", "main", "merge"), Some("a  b"));
    }

    #[test]
    fn the_last_value_counts_and_includes_are_not_followed() {
        let config =
            parse("[include]\npath = /etc/passwd\n[core]\nbare = true\n[core]\nbare = false\n").unwrap();
        assert_eq!(config.value("core", "", "bare"), Some("false"));
        assert_eq!(
            config.section("include").collect::<Vec<_>>(),
            [("path", "/etc/passwd")]
        );
    }

    #[test]
    fn refuses_what_git_refuses() {
        for bad in [
            "[core\n",
            "[core]\n=1\n",
            "[a \"b]\n",
            "[core]\nx = \"1\n",
            "[core]\nx = \\q\n",
            "[core]\nx y\n",
        ] {
            assert_eq!(parse(bad).unwrap_err().code(), "git.malformed_file", "{bad:?}");
        }
    }
}
