//! One rule: what it looks for, and what it takes for a secret.

use std::ops::Range;
use std::sync::Arc;

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::allow::Allowlist;
use super::built_in::BuiltIn;

/// The most bytes between the first and the last line of a private key.
const MAX_PRIVATE_KEY_BYTES: usize = 64 * 1024;
/// The largest compiled pattern, and the largest cache of one while it runs.
const MAX_PATTERN_BYTES: usize = 16 * 1024 * 1024;

/// What a pattern finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A token that is a secret by its shape.
    Token,
    /// A value that is a secret by its name, unless it looks like none.
    Named,
    /// The first line of a private key; the rest is found from there.
    PrivateKey,
    /// What a rule of the user's says.
    Own,
}

/// One rule, compiled.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) id: Arc<str>,
    pub(super) pattern: Regex,
    pub(super) keywords: Vec<String>,
    /// The group that is the secret; the first that took part where none is named, else the whole match.
    pub(super) group: Option<usize>,
    /// The least entropy of the secret in bits per byte, and whether that much is enough or more is needed.
    pub(super) entropy: f64,
    pub(super) shape: Shape,
    pub(super) allow: Vec<Allowlist>,
}

/// Compiles a pattern. What matches takes time in proportion to the text, whatever the pattern.
pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    let build = |pattern: &str, unicode| {
        RegexBuilder::new(pattern)
            .unicode(unicode)
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES)
            .build()
    };
    // Classes such as \pL need Unicode; without it \w is what it is to gitleaks.
    build(pattern, false).or_else(|error| {
        let plain = with_plain_braces(pattern);
        build(pattern, true)
            .or_else(|_| build(&plain, false))
            .or_else(|_| build(&plain, true))
            .map_err(|_| error)
    })
}

/// Escapes each brace that begins no repetition: to gitleaks it stands for itself.
fn with_plain_braces(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len() + 8);
    let (mut rest, mut in_class, mut repeats) = (pattern, false, false);
    while let Some(first) = rest.chars().next() {
        let mut len = first.len_utf8();
        match first {
            '\\' => {
                len += rest[1..].chars().next().map_or(0, char::len_utf8);
                // \x{41}, \p{Greek}
                if rest[len..].starts_with('{') && matches!(rest.as_bytes().get(1), Some(b'x' | b'p' | b'P'))
                {
                    len += rest[len..].find('}').map_or(0, |end| end + 1);
                }
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '{' if !(in_class || repeats && is_repetition(rest)) => plain.push('\\'),
            _ => {}
        }
        repeats = !matches!(first, '(' | '|');
        plain.push_str(&rest[..len]);
        rest = &rest[len..];
    }
    plain
}

/// Returns whether a text begins with `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(text: &str) -> bool {
    let inside = text
        .get(1..)
        .and_then(|text| text.split_once('}'))
        .map_or("", |(inside, _)| inside);
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

impl Rule {
    /// Makes a rule of the table.
    pub(super) fn built_in(rule: &BuiltIn) -> Self {
        Self {
            id: rule.id.into(),
            pattern: compile(rule.pattern).expect("each pattern is compiled by a test"),
            keywords: rule.keywords.iter().map(|&word| word.to_owned()).collect(),
            group: Some(1),
            entropy: f64::from(rule.centibits) / 100.0,
            shape: rule.shape,
            allow: Vec::new(),
        }
    }

    /// Returns where the rule finds secrets.
    pub(super) fn secrets(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let found = self.pattern.captures_iter(bytes).filter_map(|captures| {
            let range = self.range(&captures, bytes)?;
            let whole = captures.get(0)?.range();
            self.accepts(&range, &whole, bytes).then_some(range)
        });
        found.collect()
    }

    fn range(&self, captures: &Captures<'_>, bytes: &[u8]) -> Option<Range<usize>> {
        let secret = match self.group {
            Some(group) => captures.get(group)?,
            None => captures
                .iter()
                .skip(1)
                .flatten()
                .find(|group| !group.is_empty())
                .or(captures.get(0))?,
        };
        match self.shape {
            Shape::PrivateKey => private_key_end(bytes, secret.end()).map(|end| secret.start()..end),
            _ => Some(secret.range()).filter(|range| !range.is_empty()),
        }
    }

    fn accepts(&self, range: &Range<usize>, whole: &Range<usize>, bytes: &[u8]) -> bool {
        let secret = &bytes[range.clone()];
        match self.shape {
            Shape::PrivateKey => true,
            // The documentation of a well-known cloud uses keys that end so.
            Shape::Token => {
                self.is_random(secret) && !secret.ends_with(b"EXAMPLE") && !secret.ends_with(b"EXAMPLEKEY")
            }
            Shape::Named => {
                !bytes[..range.start].ends_with(b"[REDACTED:")
                    && self.is_random(secret)
                    && (&*self.id == "url-password" && !is_placeholder(secret) || is_random_value(secret))
            }
            Shape::Own => {
                (self.entropy == 0.0 || entropy(secret) > self.entropy)
                    && !self.allow.iter().any(|allow| allow.takes(range, whole, bytes))
            }
        }
    }

    fn is_random(&self, secret: &[u8]) -> bool {
        self.entropy == 0.0 || entropy(secret) >= self.entropy
    }
}

/// What a named value looks like when it is no secret.
const NO_SECRETS: [&str; 14] = [
    "redacted",
    "example",
    "changeme",
    "placeholder",
    "your",
    "xxxx",
    "****",
    "process.env",
    "os.environ",
    "getenv",
    "secrets.",
    "dummy",
    "undefined",
    "foobar",
];

fn is_placeholder(secret: &[u8]) -> bool {
    let text = secret.to_ascii_lowercase();
    let holds = |word: &&str| text.windows(word.len()).any(|window| window == word.as_bytes());
    secret.starts_with(b"$")
        || secret.starts_with(b"{")
        || secret.starts_with(b"%")
        || NO_SECRETS.iter().any(holds)
}

/// A value that was typed by hand as a name, a path or a call is no secret.
fn is_random_value(secret: &[u8]) -> bool {
    let digits = secret.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = secret.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let is_path = secret.iter().filter(|byte| **byte == b'/').count() >= 2
        || secret.starts_with(b"/")
        || secret.starts_with(b"./");
    digits >= 2 && letters >= 2 && !is_path && !is_placeholder(secret)
}

/// Returns the entropy of the bytes, in bits per byte.
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// Returns where a private key ends that begins before `start`: after its last line, or, where that is cut off, after
/// what still looks like its body. A first line with no body below it is no key.
fn private_key_end(bytes: &[u8], start: usize) -> Option<usize> {
    let window = &bytes[start..bytes.len().min(start + MAX_PRIVATE_KEY_BYTES)];
    // A key holds no beginning of another one.
    let next = memchr::memmem::find(window, b"-----BEGIN").unwrap_or(window.len());
    let window = &window[..next];
    let last = memchr::memmem::find(window, b"-----END");
    let body = &window[..last.unwrap_or(window.len())];
    if longest_base64_run(body) < 32 {
        return None;
    }
    let Some(last) = last else {
        return Some(start + body_len(body));
    };
    let tail = &window[last + 8..];
    let dashes = memchr::memmem::find(&tail[..tail.len().min(100)], b"-----");
    Some(start + last + 8 + dashes.map_or(0, |at| at + 5))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn longest_base64_run(bytes: &[u8]) -> usize {
    bytes
        .split(|byte| !is_base64(*byte))
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0)
}

/// Returns the length of the base64 lines at the beginning, where a line break may be the escape of one.
fn body_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if matches!(bytes.get(at + 1), Some(b'n' | b'r')) => at += 2,
            byte if is_base64(byte) || byte.is_ascii_whitespace() || matches!(byte, b'-' | b':' | b',') => {
                at += 1
            }
            _ => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::built_in::RULES;
    use super::*;

    #[test]
    fn every_pattern_compiles_and_has_one_group_and_keywords() {
        for rule in RULES {
            let compiled = Rule::built_in(rule);
            assert_eq!(compiled.pattern.captures_len(), 2, "{}", rule.id);
            assert!(!rule.keywords.is_empty(), "{}", rule.id);
            let lower = |word: &&str| *word == word.to_ascii_lowercase();
            assert!(rule.keywords.iter().all(lower), "{}", rule.id);
        }
    }

    #[test]
    fn braces_that_repeat_nothing_stand_for_themselves() {
        for (pattern, text) in [
            (r"^\$(?:\d+|{\d+})$", "${12}"),
            (r"{{x}}", "{{x}}"),
            (r"a{2}{b}", "aa{b}"),
            (r"[{]{2}\x{41}{", "{{A{"),
        ] {
            assert!(compile(pattern).unwrap().is_match(text.as_bytes()), "{pattern}");
        }
    }

    #[test]
    fn entropy_is_in_bits_per_byte() {
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abab"), 1.0);
        assert_eq!(entropy(b"abcdefgh"), 3.0);
    }
}
