//! The rules, and the tables that are built from them once.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

/// The most bytes between the first and the last line of a private key.
const MAX_PRIVATE_KEY_BYTES: usize = 64 * 1024;

/// One rule.
pub(super) struct Rule {
    /// Its name, as gitleaks spells it where gitleaks has it.
    pub(super) id: &'static str,
    /// The pattern; its first group is the secret.
    pattern: &'static str,
    /// Words of which one must be there, in any case.
    keywords: &'static [&'static str],
    /// The least entropy of the secret, in hundredths of a bit per byte.
    centibits: u16,
    /// What the pattern finds.
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A token that is a secret by its shape.
    Token,
    /// A value that is a secret by its name, unless it looks like none.
    Named,
    /// The first line of a private key; the rest is found from there.
    PrivateKey,
}

const fn token(
    id: &'static str,
    pattern: &'static str,
    keywords: &'static [&'static str],
    centibits: u16,
) -> Rule {
    Rule {
        id,
        pattern,
        keywords,
        centibits,
        shape: Shape::Token,
    }
}

/// What may stand before a token: no letter or digit, unless it is the letter of a JSON escape.
macro_rules! at_start {
    ($pattern:literal) => {
        concat!(r"(?:^|[^A-Za-z0-9_]|\\[bfnrt])(", $pattern, ")")
    };
}

/// Every rule; of two that match at one place the first one names the finding.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "private-key",
        pattern: r"(-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----)",
        keywords: &["private key"],
        centibits: 0,
        shape: Shape::PrivateKey,
    },
    token(
        "aws-access-token",
        at_start!(r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
        &["a3t", "akia", "asia", "abia", "acca"],
        300,
    ),
    token(
        "aws-secret-key",
        r#"(?i:aws_?-?secret_?-?(?:access_?-?)?key)[\\"']{0,4}\s{0,3}(?:=|:|=>)\s{0,3}[\\"']{0,4}([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#,
        &["secret"],
        350,
    ),
    token(
        "github-pat",
        at_start!(r"ghp_[0-9A-Za-z]{36,255}\b"),
        &["ghp_"],
        300,
    ),
    token(
        "github-oauth",
        at_start!(r"gho_[0-9A-Za-z]{36,255}\b"),
        &["gho_"],
        300,
    ),
    token(
        "github-app-token",
        at_start!(r"gh[us]_[0-9A-Za-z]{36,255}\b"),
        &["ghu_", "ghs_"],
        300,
    ),
    token(
        "github-refresh-token",
        at_start!(r"ghr_[0-9A-Za-z]{36,255}\b"),
        &["ghr_"],
        300,
    ),
    token(
        "github-fine-grained-pat",
        at_start!(r"github_pat_[0-9A-Za-z_]{60,255}"),
        &["github_pat_"],
        300,
    ),
    token(
        "gitlab-pat",
        at_start!(r"glpat-[0-9A-Za-z_-]{20,64}"),
        &["glpat-"],
        300,
    ),
    token(
        "gitlab-token",
        at_start!(r"gl(?:dt|rt|ptt|cbt|ft|imt|oas|soat|agent)-[0-9A-Za-z_-]{20,64}"),
        &[
            "gldt-", "glrt-", "glptt-", "glcbt-", "glft-", "glimt-", "gloas-", "glsoat-", "glagent-",
        ],
        300,
    ),
    token(
        "gitlab-runner-registration-token",
        at_start!(r"GR1348941[0-9A-Za-z_-]{20}"),
        &["gr1348941"],
        300,
    ),
    token(
        "slack-token",
        at_start!(r"xox[abeoprs]-[0-9A-Za-z-]{10,250}"),
        &["xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-"],
        250,
    ),
    token(
        "slack-app-token",
        at_start!(r"xapp-[0-9]-[A-Z0-9]{5,20}-[0-9]{5,20}-[0-9a-z]{10,100}"),
        &["xapp-"],
        200,
    ),
    token(
        "slack-webhook-url",
        r"(hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{30,80})",
        &["hooks.slack.com"],
        300,
    ),
    token("gcp-api-key", at_start!(r"AIza[0-9A-Za-z_-]{35}"), &["aiza"], 300),
    token(
        "google-oauth-client-secret",
        at_start!(r"GOCSPX-[0-9A-Za-z_-]{20,40}"),
        &["gocspx-"],
        300,
    ),
    token(
        "google-oauth-access-token",
        at_start!(r"ya29\.[0-9A-Za-z_-]{20,500}"),
        &["ya29."],
        300,
    ),
    token(
        "stripe-access-token",
        at_start!(r"(?:sk|rk)_(?:test|live|prod)_[0-9A-Za-z]{10,200}\b"),
        &["sk_test", "sk_live", "sk_prod", "rk_test", "rk_live", "rk_prod"],
        250,
    ),
    token(
        "stripe-webhook-secret",
        at_start!(r"whsec_[0-9A-Za-z]{24,64}\b"),
        &["whsec_"],
        300,
    ),
    token(
        "npm-access-token",
        at_start!(r"npm_[0-9A-Za-z]{36}\b"),
        &["npm_"],
        300,
    ),
    token(
        "pypi-upload-token",
        at_start!(r"pypi-AgEIcHlwaS5vcmc[0-9A-Za-z_-]{50,1000}"),
        &["pypi-ageichlwas5vcmc"],
        300,
    ),
    token(
        "rubygems-api-token",
        at_start!(r"rubygems_[0-9a-f]{48}\b"),
        &["rubygems_"],
        200,
    ),
    token(
        "crates-io-token",
        at_start!(r"cio[0-9A-Za-z]{32}\b"),
        &["cio"],
        400,
    ),
    token(
        "anthropic-api-key",
        at_start!(r"sk-ant-[a-z]{2,12}[0-9]{0,4}-[0-9A-Za-z_-]{30,255}"),
        &["sk-ant-"],
        300,
    ),
    token(
        "openai-api-key",
        at_start!(
            r"sk-(?:(?:proj|svcacct|admin|None)-[0-9A-Za-z_-]{40,255}|[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20})"
        ),
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-none-", "t3blbkfj"],
        300,
    ),
    token(
        "huggingface-access-token",
        at_start!(r"hf_[A-Za-z]{34}\b"),
        &["hf_"],
        300,
    ),
    token(
        "sendgrid-api-token",
        at_start!(r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"),
        &["sg."],
        300,
    ),
    token(
        "digitalocean-token",
        at_start!(r"do[oprt]_v1_[0-9a-f]{64}\b"),
        &["doo_v1_", "dop_v1_", "dor_v1_", "dot_v1_"],
        250,
    ),
    token(
        "age-secret-key",
        at_start!(r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
        &["age-secret-key-1"],
        250,
    ),
    token(
        "jwt",
        at_start!(r"eyJ[0-9A-Za-z_-]{14,4000}\.eyJ[0-9A-Za-z_-]{14,4000}\.[0-9A-Za-z_-]{10,2000}={0,2}"),
        &["eyj"],
        300,
    ),
    Rule {
        id: "url-password",
        pattern: r#"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/@:"'\\<>]{0,64}:([^\s/@"'\\<>]{6,128})@[A-Za-z0-9\[]"#,
        keywords: &["://"],
        centibits: 270,
        shape: Shape::Named,
    },
    Rule {
        id: "generic-credential",
        pattern: r#"(?i:passw(?:or)?d|passphrase|secret|api[_.-]?key|access[_.-]?key|auth[_.-]?token|access[_.-]?token|refresh[_.-]?token|client[_.-]?secret|private[_.-]?key|encryption[_.-]?key|bearer)[A-Za-z0-9_.-]{0,20}[\\"'` ]{0,4}(?:=>|:=|=|:| )[\\"'` ]{0,4}([A-Za-z0-9_./+~!@#%^&*-]{10,150}={0,2})(?:[\\"'`\s;,)&]|$)"#,
        keywords: &["passw", "passphrase", "secret", "key", "token", "bearer"],
        centibits: 360,
        shape: Shape::Named,
    },
];

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

/// The tables that are built from [`RULES`].
pub(super) struct Scanner {
    pub(super) keywords: AhoCorasick,
    pub(super) rule_of_keyword: Vec<usize>,
    pub(super) patterns: Vec<Regex>,
}

pub(super) static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    let keywords: Vec<(usize, &str)> = RULES
        .iter()
        .enumerate()
        .flat_map(|(at, rule)| rule.keywords.iter().map(move |word| (at, *word)))
        .collect();
    Scanner {
        keywords: AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(keywords.iter().map(|(_, word)| word))
            .expect("the keywords are few and short"),
        rule_of_keyword: keywords.iter().map(|(at, _)| *at).collect(),
        patterns: RULES
            .iter()
            .map(|rule| {
                RegexBuilder::new(rule.pattern)
                    .unicode(false)
                    .build()
                    .expect("each pattern is compiled by a test")
            })
            .collect(),
    }
});

impl Rule {
    /// Returns where the pattern finds a secret.
    pub(super) fn ranges<'a>(
        &'a self,
        pattern: &'a Regex,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        pattern.captures_iter(bytes).filter_map(move |captures| {
            let secret = captures.get(1)?;
            match self.shape {
                Shape::PrivateKey => private_key_end(bytes, secret.end()).map(|end| secret.start()..end),
                Shape::Token | Shape::Named => Some(secret.range()),
            }
        })
    }

    /// Returns whether what the pattern found may be a secret.
    pub(super) fn accepts(&self, secret: &[u8]) -> bool {
        let random = self.centibits == 0 || entropy(secret) * 100.0 >= f64::from(self.centibits);
        random
            && match self.shape {
                Shape::PrivateKey => true,
                // The documentation of a well-known cloud uses keys that end so.
                Shape::Token => !secret.ends_with(b"EXAMPLE") && !secret.ends_with(b"EXAMPLEKEY"),
                Shape::Named => {
                    self.id == "url-password" && !is_placeholder(secret) || is_random_value(secret)
                }
            }
    }
}

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
fn entropy(bytes: &[u8]) -> f64 {
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
    use super::*;

    #[test]
    fn every_pattern_compiles_and_has_one_group_and_keywords() {
        assert_eq!(SCANNER.patterns.len(), RULES.len());
        for (rule, pattern) in RULES.iter().zip(&SCANNER.patterns) {
            assert_eq!(pattern.captures_len(), 2, "{}", rule.id);
            assert!(!rule.keywords.is_empty(), "{}", rule.id);
            assert!(
                rule.keywords
                    .iter()
                    .all(|word| *word == word.to_ascii_lowercase()),
                "{}",
                rule.id
            );
        }
    }

    #[test]
    fn entropy_is_in_bits_per_byte() {
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abab"), 1.0);
        assert_eq!(entropy(b"abcdefgh"), 3.0);
    }
}
