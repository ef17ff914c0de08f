//! Files of rules in gitleaks' form (TOML): `[[rules]]` with `id`, `regex`, `secretGroup`, `entropy`, `keywords` and
//! allowlists, and allowlists for all rules of the file.
//!
//! Rules only add: what is built in always counts, so that nothing here can make a scan find less. A setting that is
//! not known is left out and named. An allowlist of paths or commits is never met, since a session has neither.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;
use thiserror::Error;
use toml::{Table, Value};

use super::allow::{Allowlist, Condition, Target};
use super::rule::{Rule, Shape, compile};

/// The most rules of one file.
const MAX_RULES: usize = 2_000;
/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 16 * 1024;
/// The most words or expressions of one list.
const MAX_LIST: usize = 10_000;
/// Settings that say nothing about what a secret is.
const SILENT: [&str; 5] = ["description", "tags", "title", "minVersion", "skipReport"];

/// A file of rules that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RuleFileError {
    /// The file is not TOML.
    #[error("line {line} is no TOML")]
    Toml {
        /// The line, from 1.
        line: usize,
    },
    /// A setting is of another type than it must be, or missing.
    #[error("{place} must be {expected}")]
    Setting {
        /// Where it stands.
        place: String,
        /// What it must be.
        expected: &'static str,
    },
    /// An expression does not compile, or becomes too large.
    #[error("the expression of {place} cannot be used")]
    Pattern {
        /// Where it stands.
        place: String,
        /// Why not.
        #[source]
        source: Box<regex::Error>,
    },
    /// Two rules have one name.
    #[error("there are two rules called {id}")]
    Twice {
        /// The name.
        id: String,
    },
    /// More rules, longer expressions or lists than are read.
    #[error("{place} is too large")]
    TooLarge {
        /// Where it stands.
        place: String,
    },
    /// The file builds upon another one.
    #[error("the file extends another one, which is not followed")]
    Extends,
}

impl RuleFileError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Toml { .. } => "redaction.toml",
            Self::Setting { .. } => "redaction.setting",
            Self::Pattern { .. } => "redaction.pattern",
            Self::Twice { .. } => "redaction.rule_twice",
            Self::TooLarge { .. } => "redaction.too_large",
            Self::Extends => "redaction.extends",
        }
    }
}

/// The rules of one file.
#[derive(Clone, Debug)]
pub struct RuleFile {
    pub(super) rules: Vec<Rule>,
    ignored: BTreeSet<String>,
}

impl RuleFile {
    /// Returns how many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Returns whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns the settings that were left out, by where they stand.
    pub fn ignored(&self) -> impl Iterator<Item = &str> {
        self.ignored.iter().map(String::as_str)
    }
}

/// Reads a file of rules.
pub fn parse(bytes: &[u8]) -> Result<RuleFile, RuleFileError> {
    let text = std::str::from_utf8(bytes).map_err(|_| RuleFileError::Toml { line: 1 })?;
    let table: Table = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        RuleFileError::Toml { line }
    })?;
    let mut reader = Reader::default();
    let mut rules = Vec::new();
    let mut everywhere = Vec::new();
    for (name, value) in &table {
        match name.as_str() {
            "rules" => rules = reader.rules(value)?,
            "allowlist" | "allowlists" => everywhere = reader.allowlists(value, name)?,
            "extend" => reader.extend(value)?,
            silent if SILENT.contains(&silent) => {}
            unknown => reader.ignore(unknown),
        }
    }
    for (allow, targets) in everywhere {
        for rule in &mut rules {
            if targets.is_empty() || targets.iter().any(|target| **target == *rule.id) {
                rule.allow.push(allow.clone());
            }
        }
    }
    Ok(RuleFile {
        rules,
        ignored: reader.ignored,
    })
}

#[derive(Default)]
struct Reader {
    ignored: BTreeSet<String>,
}

impl Reader {
    fn ignore(&mut self, place: &str) {
        // Bounded: a file with many unknown settings is named by the first of them.
        if self.ignored.len() < 100 {
            self.ignored.insert(place.chars().take(100).collect());
        }
    }

    fn extend(&mut self, value: &Value) -> Result<(), RuleFileError> {
        for (name, value) in as_table(value, "extend")? {
            match (name.as_str(), value) {
                // Our own rules count in any case.
                ("useDefault", Value::Boolean(_)) => {}
                ("path" | "url", _) => return Err(RuleFileError::Extends),
                _ => self.ignore(&format!("extend.{name}")),
            }
        }
        Ok(())
    }

    fn rules(&mut self, value: &Value) -> Result<Vec<Rule>, RuleFileError> {
        let list = as_list(value, "rules")?;
        if list.len() > MAX_RULES {
            return Err(too_large("rules"));
        }
        let mut rules: Vec<Rule> = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            if let Some(rule) = self.rule(as_table(value, &format!("rules[{at}]"))?, at)? {
                if rules.iter().any(|known| known.id == rule.id) {
                    return Err(RuleFileError::Twice {
                        id: rule.id.to_string(),
                    });
                }
                rules.push(rule);
            }
        }
        Ok(rules)
    }

    /// Reads one rule; one that only looks at paths finds nothing in a session.
    fn rule(&mut self, table: &Table, at: usize) -> Result<Option<Rule>, RuleFileError> {
        let id = as_text(table.get("id"), &format!("rules[{at}].id"))?;
        let is_name = !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_name {
            return Err(setting(&format!("rules[{at}].id"), "a name without spaces"));
        }
        let place = |name: &str| format!("{id}.{name}");
        let (mut group, mut entropy, mut keywords, mut allow) = (None, 0.0, Vec::new(), Vec::new());
        for (name, value) in table {
            match name.as_str() {
                "id" | "regex" => {}
                "secretGroup" => group = group_of(value, &place("secretGroup"))?,
                "entropy" => entropy = number(value, &place("entropy"))?,
                "keywords" => keywords = texts(value, &place("keywords"))?,
                "allowlist" | "allowlists" => {
                    allow = self
                        .allowlists(value, &place(name))?
                        .into_iter()
                        .map(|(allow, _)| allow)
                        .collect();
                }
                silent if SILENT.contains(&silent) => {}
                unknown => self.ignore(&place(unknown)),
            }
        }
        let Some(pattern) = table.get("regex") else {
            self.ignore(&place("(a rule without regex)"));
            return Ok(None);
        };
        let pattern = regex(as_text(Some(pattern), &place("regex"))?, &place("regex"))?;
        if group.is_some_and(|group| group >= pattern.captures_len()) {
            return Err(setting(&place("secretGroup"), "a group of the expression"));
        }
        keywords.retain(|word| !word.is_empty());
        Ok(Some(Rule {
            id: id.into(),
            pattern,
            keywords: keywords.iter().map(|word| word.to_lowercase()).collect(),
            group,
            entropy,
            shape: Shape::Own,
            allow,
        }))
    }

    fn allowlists(
        &mut self,
        value: &Value,
        place: &str,
    ) -> Result<Vec<(Allowlist, Vec<String>)>, RuleFileError> {
        // The older form is one table, the newer one a list of them.
        let tables = match value {
            Value::Table(table) => vec![table],
            list => as_list(list, place)?
                .iter()
                .map(|value| as_table(value, place))
                .collect::<Result<_, _>>()?,
        };
        if tables.len() > MAX_LIST {
            return Err(too_large(place));
        }
        tables
            .into_iter()
            .map(|table| self.allowlist(table, place))
            .collect()
    }

    fn allowlist(&mut self, table: &Table, place: &str) -> Result<(Allowlist, Vec<String>), RuleFileError> {
        let mut allow = Allowlist::default();
        let mut targets = Vec::new();
        for (name, value) in table {
            let at = format!("{place}.{name}");
            match name.as_str() {
                "condition" => {
                    allow.condition = match as_text(Some(value), &at)?.to_ascii_uppercase().as_str() {
                        "OR" | "||" | "" => Condition::Any,
                        "AND" | "&&" => Condition::All,
                        _ => return Err(setting(&at, "AND or OR")),
                    };
                }
                "regexTarget" => {
                    allow.target = match as_text(Some(value), &at)? {
                        "" | "secret" => Target::Secret,
                        "match" => Target::Match,
                        "line" => Target::Line,
                        _ => return Err(setting(&at, "match, line or secret")),
                    };
                }
                "regexes" => {
                    let list = texts(value, &at)?;
                    allow.regexes = list
                        .iter()
                        .map(|text| regex(text, &at))
                        .collect::<Result<_, _>>()?;
                }
                "stopwords" => allow.stopwords = stopwords(&texts(value, &at)?, &at)?,
                "paths" | "commits" => allow.needs_path = true,
                "targetRules" => targets = texts(value, &at)?,
                silent if SILENT.contains(&silent) => {}
                _ => self.ignore(&at),
            }
        }
        Ok((allow, targets))
    }
}

fn stopwords(words: &[String], place: &str) -> Result<Option<AhoCorasick>, RuleFileError> {
    let words: Vec<&String> = words.iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Ok(None);
    }
    let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
    automaton.map(Some).map_err(|_| too_large(place))
}

fn regex(text: &str, place: &str) -> Result<Regex, RuleFileError> {
    if text.len() > MAX_PATTERN {
        return Err(too_large(place));
    }
    compile(text).map_err(|source| RuleFileError::Pattern {
        place: place.to_owned(),
        source: Box::new(source),
    })
}

fn group_of(value: &Value, place: &str) -> Result<Option<usize>, RuleFileError> {
    let group = value.as_integer().and_then(|group| usize::try_from(group).ok());
    let group = group.ok_or_else(|| setting(place, "a number from 0"))?;
    Ok((group > 0).then_some(group))
}

fn number(value: &Value, place: &str) -> Result<f64, RuleFileError> {
    let number = match value {
        Value::Float(number) => *number,
        Value::Integer(number) => f64::from(u8::try_from(*number).unwrap_or(u8::MAX)),
        _ => f64::NAN,
    };
    if (0.0..=8.0).contains(&number) {
        Ok(number)
    } else {
        Err(setting(place, "a number from 0 to 8"))
    }
}

fn texts(value: &Value, place: &str) -> Result<Vec<String>, RuleFileError> {
    let list = as_list(value, place)?;
    if list.len() > MAX_LIST {
        return Err(too_large(place));
    }
    list.iter()
        .map(|value| as_text(Some(value), place).map(str::to_owned))
        .collect()
}

fn as_table<'t>(value: &'t Value, place: &str) -> Result<&'t Table, RuleFileError> {
    value.as_table().ok_or_else(|| setting(place, "a table"))
}

fn as_list<'t>(value: &'t Value, place: &str) -> Result<&'t Vec<Value>, RuleFileError> {
    value.as_array().ok_or_else(|| setting(place, "a list"))
}

fn as_text<'t>(value: Option<&'t Value>, place: &str) -> Result<&'t str, RuleFileError> {
    value
        .and_then(Value::as_str)
        .ok_or_else(|| setting(place, "text"))
}

fn setting(place: &str, expected: &'static str) -> RuleFileError {
    RuleFileError::Setting {
        place: place.chars().take(200).collect(),
        expected,
    }
}

fn too_large(place: &str) -> RuleFileError {
    RuleFileError::TooLarge {
        place: place.to_owned(),
    }
}
