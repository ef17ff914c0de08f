//! Finding and redacting secrets in transcripts and statements.
//!
//! The rules have the shape of gitleaks' (identifier, pattern, keywords, entropy, allowlists): one pass over the bytes
//! looks for all keywords at once, and only the rules whose keyword was met are tried. Rules of the user's may be added
//! ([`rule_file`]); those built in always count.
//!
//! [`find`] takes bytes as they are. [`Scanner::find_in_json`] and [`Scanner::redact_json`] read them as JSON, one value or many:
//! each string is searched as it reads once its escapes are undone, also where it holds JSON itself, and again where
//! base64, hex or percent encoding or a line break hides a secret. Redaction replaces values and parts of strings and
//! never breaks the JSON around them; it also drops values that name a machine, an account or a key ([`DROPPED`]).
//!
//! This finds secrets of known shapes. One that is encrypted, split over values or of a shape of its own is not found:
//! absence of findings is no proof of absence of secrets.

mod allow;
mod built_in;
mod drop_list;
mod encoded;
mod json;
mod rule;
pub mod rule_file;
mod tokens;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use aho_corasick::AhoCorasick;

pub use self::drop_list::DROPPED;
use self::rule::{Rule, Shape};
use self::rule_file::{RuleFile, RuleFileError};

/// The most passes over a copy until it is clean.
const MAX_PASSES: usize = 4;
/// The rule for passwords in addresses.
const URL_PASSWORD: &str = "url-password";

/// A secret that was found. Its text is not part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it, for example `aws-access-token`.
    pub rule: Arc<str>,
    /// Where the secret stands in the bytes that were searched; for a secret inside a JSON string, the whole string.
    pub range: Range<usize>,
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding")
            .field("rule", &self.rule)
            .field("offset", &self.range.start)
            .finish_non_exhaustive()
    }
}

/// Bytes with every secret replaced.
#[derive(Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The bytes, with `[REDACTED:<rule>]` for each secret.
    pub bytes: Vec<u8>,
    /// The rules that found something, each once, in order of their names.
    pub rules: Vec<Arc<str>>,
    /// How many secrets were replaced.
    pub count: usize,
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redacted")
            .field("rules", &self.rules)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// Secrets that are left after redaction: a rule finds its own replacement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} secrets are left after redaction", found.len())]
pub struct Unclean {
    /// What is left.
    pub found: Vec<Finding>,
}

/// The rules, and the tables that are built from them once.
#[derive(Clone, Debug)]
pub struct Scanner {
    rules: Vec<Rule>,
    keywords: AhoCorasick,
    rule_of_keyword: Vec<usize>,
    without_keyword: Vec<usize>,
}

static BUILT_IN: LazyLock<Scanner> = LazyLock::new(|| {
    Scanner::of(built_in::RULES.iter().map(Rule::built_in).collect()).expect("the keywords are few and short")
});

/// Finds the secrets in `bytes` by the rules built in, in order of their place, without overlaps.
pub fn find(bytes: &[u8]) -> Vec<Finding> {
    BUILT_IN.find(bytes)
}

/// Replaces every secret in `bytes` by the name of the rule that found it, whatever the bytes are.
pub fn redact(bytes: &[u8]) -> Redacted {
    let found = BUILT_IN.find(bytes);
    Redacted {
        bytes: cut(bytes, &found),
        rules: names(found.iter().map(|finding| &finding.rule)),
        count: found.len(),
    }
}

impl Scanner {
    /// Returns the rules that always count.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Adds the rules of a file. One that is called like a rule built in counts beside it.
    pub fn with(mut self, file: RuleFile) -> Result<Self, RuleFileError> {
        self.rules.extend(file.rules);
        Self::of(self.rules).ok_or_else(|| RuleFileError::TooLarge {
            place: "keywords".to_owned(),
        })
    }

    /// Finds the secrets in bytes as they are, in order of their place, without overlaps.
    pub fn find(&self, bytes: &[u8]) -> Vec<Finding> {
        self.find_where(bytes, |_| true)
    }

    /// Finds the secrets in bytes that are read as JSON, one value or many, in order of their place.
    pub fn find_in_json(&self, bytes: &[u8]) -> Vec<Finding> {
        json::find(self, bytes)
    }

    /// Finds the secrets in a statement, where an address with any password in it is one.
    pub fn find_in_statement(&self, bytes: &[u8]) -> Vec<Finding> {
        let mut found = self.find_in_json(bytes);
        if found.iter().all(|finding| &*finding.rule != URL_PASSWORD) && drop_list::has_url_password(bytes) {
            found.push(Finding {
                rule: Arc::from(URL_PASSWORD),
                range: 0..bytes.len(),
            });
        }
        found
    }

    /// Replaces secrets, and values of the drop list, in bytes that are read as JSON. What comes out is searched again
    /// until nothing is found.
    pub fn redact_json(&self, bytes: &[u8]) -> Result<Redacted, Unclean> {
        let (mut clean, mut hits) = json::redact(self, bytes);
        for _ in 1..MAX_PASSES {
            let found = self.find_in_json(&clean);
            if found.is_empty() {
                return Ok(Redacted {
                    rules: names(&hits),
                    count: hits.len(),
                    bytes: clean,
                });
            }
            let (again, more) = json::redact(self, &clean);
            hits.extend(more);
            clean = again;
        }
        let found = self.find_in_json(&clean);
        if found.is_empty() {
            let (rules, count) = (names(&hits), hits.len());
            return Ok(Redacted {
                bytes: clean,
                rules,
                count,
            });
        }
        Err(Unclean { found })
    }

    fn of(rules: Vec<Rule>) -> Option<Self> {
        let words: Vec<(usize, &str)> = rules
            .iter()
            .enumerate()
            .flat_map(|(at, rule)| rule.keywords.iter().map(move |word| (at, word.as_str())))
            .collect();
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(words.iter().map(|(_, word)| word))
            .ok()?;
        let rule_of_keyword = words.iter().map(|(at, _)| *at).collect();
        let without = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.keywords.is_empty());
        Some(Self {
            without_keyword: without.map(|(at, _)| at).collect(),
            keywords,
            rule_of_keyword,
            rules,
        })
    }

    /// Finds by the tokens that are secrets by their shape alone.
    fn find_tokens(&self, bytes: &[u8]) -> Vec<Finding> {
        self.find_where(bytes, |rule| matches!(rule.shape, Shape::Token | Shape::Own))
    }

    fn find_where(&self, bytes: &[u8], counts: impl Fn(&Rule) -> bool) -> Vec<Finding> {
        let mut found: Vec<Finding> = Vec::new();
        for rule in self
            .met(bytes)
            .into_iter()
            .map(|at| &self.rules[at])
            .filter(|rule| counts(rule))
        {
            let secrets = rule.secrets(bytes).into_iter();
            found.extend(secrets.map(|range| Finding {
                rule: Arc::clone(&rule.id),
                range,
            }));
        }
        merge(found)
    }

    /// Returns the rules of which a keyword is there, and those that ask for none, in order.
    fn met(&self, bytes: &[u8]) -> Vec<usize> {
        let mut met = self.without_keyword.clone();
        let mut seen: Vec<bool> = Vec::new();
        let mut left = self.rules.len() - met.len();
        for keyword in self.keywords.find_overlapping_iter(bytes) {
            if seen.is_empty() {
                seen = vec![false; self.rules.len()];
            }
            let rule = self.rule_of_keyword[keyword.pattern().as_usize()];
            if !std::mem::replace(&mut seen[rule], true) {
                met.push(rule);
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        met.sort_unstable();
        met
    }
}

/// Returns the replacement of a secret.
fn marker(rule: &str) -> String {
    format!("[REDACTED:{rule}]")
}

/// Replaces findings, which are in order and do not overlap.
fn cut(bytes: &[u8], found: &[Finding]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for finding in found {
        clean.extend_from_slice(&bytes[at..finding.range.start]);
        clean.extend_from_slice(marker(&finding.rule).as_bytes());
        at = finding.range.end;
    }
    clean.extend_from_slice(&bytes[at..]);
    clean
}

fn names<'r>(rules: impl IntoIterator<Item = &'r Arc<str>>) -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = rules.into_iter().cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Joins findings that overlap, so that redaction leaves no rest of any of them. The one that begins first names it;
/// of two that begin together, the rule that stands first in the table.
fn merge(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|finding| finding.range.start);
    let mut merged: Vec<Finding> = Vec::with_capacity(found.len());
    for finding in found {
        match merged.last_mut() {
            Some(last) if finding.range.start < last.range.end => {
                last.range.end = last.range.end.max(finding.range.end);
            }
            _ => merged.push(finding),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
