//! Secrets in JSON: found in what strings say, replaced without breaking what stands around them.
//!
//! The bytes are taken apart into string literals, other scalars and punctuation without asking whether they are one
//! valid text: a transcript is many values, and may end in the middle of one.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::drop_list::Named;
use super::tokens::{Token, Tokens};
use super::{Finding, Scanner, cut, drop_list, encoded, marker, merge};

/// How deep JSON may stand in strings of JSON.
const MAX_DEPTH: usize = 4;

/// Whether values of the drop list are taken out as well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Find,
    Redact,
}

/// Finds secrets; each is reported with the whole literal that it stands in.
pub(super) fn find(scanner: &Scanner, bytes: &[u8]) -> Vec<Finding> {
    let walk = Walk {
        scanner,
        mode: Mode::Find,
    };
    walk.find(bytes, 0)
}

/// Replaces secrets and dropped values; returns the copy and the rule of each replacement.
pub(super) fn redact(scanner: &Scanner, bytes: &[u8]) -> (Vec<u8>, Vec<Arc<str>>) {
    let walk = Walk {
        scanner,
        mode: Mode::Redact,
    };
    let (clean, rules) = walk.clean(bytes, 0);
    (clean.unwrap_or_else(|| bytes.to_vec()), rules)
}

struct Walk<'s> {
    scanner: &'s Scanner,
    mode: Mode,
}

/// What was found in the literals of a text, and the text without it.
#[derive(Default)]
struct Walked {
    found: Vec<Finding>,
    clean: Option<Vec<u8>>,
}

impl Walk<'_> {
    /// Finds what literals say, and what stands in the bytes as they are.
    fn find(&self, bytes: &[u8], depth: usize) -> Vec<Finding> {
        let mut found = self.literals(bytes, depth).found;
        // Both are in order, so that one walk over them tells which stand outside of every literal found.
        let mut next = 0;
        let mut outside = Vec::new();
        for finding in self.scanner.find(bytes) {
            while found
                .get(next)
                .is_some_and(|known| known.range.end <= finding.range.start)
            {
                next += 1;
            }
            if found
                .get(next)
                .is_none_or(|known| known.range.start >= finding.range.end)
            {
                outside.push(finding);
            }
        }
        found.extend(outside);
        found.sort_by_key(|finding| finding.range.start);
        found
    }

    /// Cleans JSON: first what each literal says, then what stands in the bytes as they are.
    fn clean(&self, bytes: &[u8], depth: usize) -> (Option<Vec<u8>>, Vec<Arc<str>>) {
        let walked = self.literals(bytes, depth);
        let mut rules: Vec<Arc<str>> = walked.found.into_iter().map(|finding| finding.rule).collect();
        let raw = walked.clean.as_deref().unwrap_or(bytes);
        let found = self.scanner.find(raw);
        if found.is_empty() {
            return (walked.clean, rules);
        }
        rules.extend(found.iter().map(|finding| Arc::clone(&finding.rule)));
        (Some(replace_tokens(raw, &found)), rules)
    }

    /// Looks into each literal.
    fn literals(&self, bytes: &[u8], depth: usize) -> Walked {
        let mut walked = Walked::default();
        let mut copied = 0;
        // No environment begins before this place: what was looked through holds none.
        let mut none_before = 0;
        let mut tokens = Tokens::new(bytes);
        while let Some(token) = tokens.next_token() {
            let range = match token {
                Token::Text(range) => range,
                Token::Scalar(range) => {
                    self.scalar(bytes, &range, &mut walked, &mut copied);
                    continue;
                }
            };
            let literal = &bytes[range.clone()];
            let text = unescape(&literal[1..literal.len() - 1]);
            let named = drop_list::named(&text).filter(|named| {
                self.mode == Mode::Redact && (*named == Named::Dropped || none_before <= range.end)
            });
            let value = named.and_then(|named| tokens.value_after(range.end, named));
            let rule = value
                .as_ref()
                .map(|value| drop_list::rule_of(&text, &bytes[value.clone()]));
            if let (Some(value), Some(None), Some(Named::Environment)) = (&value, rule, named) {
                none_before = value.end;
            }
            if let (Some(value), Some(Some(rule))) = (value, rule) {
                walked.found.push(Finding {
                    rule: Arc::from(rule),
                    range: value.clone(),
                });
                let clean = walked.clean.get_or_insert_default();
                clean.extend_from_slice(&bytes[copied..value.start]);
                clean.extend_from_slice(format!("\"{}\"", marker(rule)).as_bytes());
                copied = value.end;
                tokens.at = value.end;
                continue;
            }
            let (replacement, rules) = self.text(&text, depth);
            walked.found.extend(rules.into_iter().map(|rule| Finding {
                rule,
                range: range.clone(),
            }));
            if let (Some(replacement), Mode::Redact) = (replacement, self.mode) {
                let clean = walked.clean.get_or_insert_default();
                clean.extend_from_slice(&bytes[copied..range.start]);
                clean.extend_from_slice(&escape(&replacement));
                copied = range.end;
            }
        }
        if let Some(clean) = &mut walked.clean {
            clean.extend_from_slice(&bytes[copied..]);
        }
        walked
    }

    /// Looks into what stands outside of every literal, for what is encoded there: no value of JSON, so that what it is
    /// replaced with need be none.
    fn scalar(&self, bytes: &[u8], range: &Range<usize>, walked: &mut Walked, copied: &mut usize) {
        let text = &bytes[range.clone()];
        if text.len() < encoded::MIN_BASE64 {
            return;
        }
        let found = merge(encoded::find(self.scanner, text));
        if found.is_empty() {
            return;
        }
        if self.mode == Mode::Redact {
            let clean = walked.clean.get_or_insert_default();
            clean.extend_from_slice(&bytes[*copied..range.start]);
            clean.extend(cut(text, &found));
            *copied = range.end;
        }
        walked.found.extend(found.into_iter().map(|finding| Finding {
            rule: finding.rule,
            range: range.clone(),
        }));
    }

    /// Looks into what a literal says.
    fn text(&self, text: &[u8], depth: usize) -> (Option<Vec<u8>>, Vec<Arc<str>>) {
        let mut rules = Vec::new();
        let mut inner = None;
        let is_json = matches!(text.trim_ascii_start().first(), Some(b'{' | b'['));
        if is_json && depth < MAX_DEPTH {
            if self.mode == Mode::Find {
                let found = self.find(text, depth + 1);
                if !found.is_empty() {
                    return (None, found.into_iter().map(|finding| finding.rule).collect());
                }
            } else {
                (inner, rules) = self.clean(text, depth + 1);
            }
        }
        let plain = inner.as_deref().unwrap_or(text);
        let mut found = self.scanner.find(plain);
        found.extend(encoded::find(self.scanner, plain));
        if self.mode == Mode::Redact {
            found.extend(drop_list::find(plain));
        }
        if found.is_empty() {
            return (inner, rules);
        }
        let found = merge(found);
        rules.extend(found.iter().map(|finding| Arc::clone(&finding.rule)));
        if self.mode == Mode::Find {
            return (None, rules);
        }
        let clean = if is_json {
            replace_tokens(plain, &found)
        } else {
            cut(plain, &found)
        };
        (Some(clean), rules)
    }
}

/// Replaces every literal and scalar that a finding touches. Where it touches none, the bytes are no JSON there.
fn replace_tokens(bytes: &[u8], found: &[Finding]) -> Vec<u8> {
    let mut edits: Vec<Finding> = Vec::new();
    let mut tokens = Tokens::new(bytes);
    let mut next = 0;
    let mut touched = vec![false; found.len()];
    while let Some(token) = tokens.next_token() {
        let (Token::Text(range) | Token::Scalar(range)) = token;
        while found
            .get(next)
            .is_some_and(|finding| finding.range.end <= range.start)
        {
            next += 1;
        }
        if let Some(finding) = found.get(next).filter(|finding| finding.range.start < range.end) {
            touched[next] = true;
            edits.push(Finding {
                rule: Arc::clone(&finding.rule),
                range,
            });
        }
    }
    let mut clean = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let outside = found.iter().zip(&touched).filter(|(_, touched)| !**touched);
    let mut all: Vec<(Finding, bool)> = outside.map(|(finding, _)| (finding.clone(), false)).collect();
    all.extend(edits.into_iter().map(|edit| (edit, true)));
    all.sort_by_key(|(edit, _)| edit.range.start);
    for (edit, is_token) in all {
        if edit.range.start < at {
            continue;
        }
        clean.extend_from_slice(&bytes[at..edit.range.start]);
        let marker = marker(&edit.rule);
        clean.extend_from_slice(
            if is_token {
                escape(marker.as_bytes())
            } else {
                marker.into_bytes()
            }
            .as_slice(),
        );
        at = edit.range.end;
    }
    clean.extend_from_slice(&bytes[at..]);
    clean
}

/// Undoes the escapes of a literal. What is no escape, and half of a pair of surrogates, stands for itself.
fn unescape(inside: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut text = Vec::with_capacity(inside.len());
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &inside[at..]) {
        text.extend_from_slice(&inside[at..at + found]);
        at += found + 2;
        match inside.get(at - 1) {
            Some(b'n') => text.push(b'\n'),
            Some(b't') => text.push(b'\t'),
            Some(b'r') => text.push(b'\r'),
            Some(b'b') => text.push(8),
            Some(b'f') => text.push(12),
            Some(b'u') => match unicode(inside, at) {
                Some((character, len)) => {
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    at += len;
                }
                None => text.extend_from_slice(b"\\u"),
            },
            Some(byte) => text.push(*byte),
            None => text.push(b'\\'),
        }
        at = at.min(inside.len());
    }
    text.extend_from_slice(&inside[at..]);
    Cow::Owned(text)
}

/// Reads the digits of `\uXXXX`, or of two of them that are a pair.
fn unicode(inside: &[u8], at: usize) -> Option<(char, usize)> {
    let digits = |at: usize| {
        let digits = inside
            .get(at..at + 4)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = digits(at)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, 4));
    }
    let second = digits(at + 6).filter(|second| (0xdc00..0xe000).contains(second))?;
    let is_pair = inside.get(at + 4..at + 6) == Some(b"\\u");
    let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    is_pair.then_some((char::from_u32(code)?, 10))
}

/// Writes text as a literal; what is no UTF-8 becomes U+FFFD.
fn escape(text: &[u8]) -> Vec<u8> {
    serde_json::to_vec(&String::from_utf8_lossy(text)).unwrap_or_else(|_| b"\"\"".to_vec())
}
