//! Finding and redacting secrets in transcripts.
//!
//! The rules have the shape of gitleaks' (identifier, pattern, keywords, entropy): one pass over the bytes looks for all
//! keywords at once, and only the rules whose keyword was met are tried. The text may be plain or inside JSON strings,
//! so that an escape such as `\n` may stand directly before a secret.
//!
//! This finds secrets of known shapes. One that is encoded, split or of a shape of its own is not found: absence of
//! findings is no proof of absence of secrets.

mod rules;

use std::fmt;
use std::ops::Range;

use self::rules::{RULES, SCANNER};

/// A secret that was found. Its text is not part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it, for example `aws-access-token`.
    pub rule: &'static str,
    /// Where the secret stands in the bytes that were searched.
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
    pub rules: Vec<&'static str>,
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

/// Finds the secrets in `bytes`, in order of their place, without overlaps.
pub fn find(bytes: &[u8]) -> Vec<Finding> {
    let scanner = &*SCANNER;
    let mut met = vec![false; RULES.len()];
    let mut left = RULES.len();
    for keyword in scanner.keywords.find_overlapping_iter(bytes) {
        let rule = scanner.rule_of_keyword[keyword.pattern().as_usize()];
        if !met[rule] {
            met[rule] = true;
            left -= 1;
            if left == 0 {
                break;
            }
        }
    }
    let mut found: Vec<Finding> = Vec::new();
    for (rule, pattern) in RULES
        .iter()
        .zip(&scanner.patterns)
        .zip(&met)
        .filter_map(|(rule, met)| met.then_some(rule))
    {
        let accepted = rule
            .ranges(pattern, bytes)
            .filter(|range| rule.accepts(&bytes[range.clone()]));
        found.extend(accepted.map(|range| Finding { rule: rule.id, range }));
    }
    merge(found)
}

/// Replaces every secret in `bytes` by the name of the rule that found it.
pub fn redact(bytes: &[u8]) -> Redacted {
    let findings = find(bytes);
    let mut clean = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for finding in &findings {
        clean.extend_from_slice(&bytes[at..finding.range.start]);
        clean.extend_from_slice(b"[REDACTED:");
        clean.extend_from_slice(finding.rule.as_bytes());
        clean.push(b']');
        at = finding.range.end;
    }
    clean.extend_from_slice(&bytes[at..]);
    let mut rules: Vec<&'static str> = findings.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    Redacted {
        bytes: clean,
        rules,
        count: findings.len(),
    }
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
