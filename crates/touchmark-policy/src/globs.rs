//! The one glob dialect of policies and reviews.
//!
//! A pattern is matched against a whole path (or ref, or `provider/model`), segment by segment:
//!
//! - `*` stands for any characters within one segment, also none; `?` for exactly one character;
//! - `**` is a whole segment and stands for any number of segments, also none, so that `infra/**` matches
//!   `infra/a`, `infra/a/b`, and `infra` itself when that is a file, a symlink or a submodule;
//! - everything else stands for itself, and case counts.
//!
//! What other dialects read differently is refused rather than guessed: `!`, `^`, brackets, braces, backslashes, `.` and
//! `..` segments, empty patterns and segments, a leading or trailing slash, white space at either end, control
//! characters, `**` beside other characters, `**/**`.
//!
//! Where a pattern *protects* paths, [`Glob::protects`] also takes every path that some file system would treat as a
//! protected one: another case, another Unicode form, ignorable characters, dots and spaces at the end of a name.

use std::fmt;

use touchmark_verify::identity::{PatternError, TextPattern};
use unicode_normalization::UnicodeNormalization;

/// The longest pattern, in bytes.
pub const MAX_GLOB_BYTES: usize = 1_024;

/// Why a pattern is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlobError {
    /// The pattern or one of its segments is empty, or it starts or ends with a slash.
    #[error("a pattern has no empty segment, no slash at either end")]
    Empty,
    /// A `.` or `..` segment.
    #[error("a pattern has no `.` or `..` segment")]
    Dots,
    /// A character that other dialects give a meaning.
    #[error("`{found}` means different things in different dialects")]
    Ambiguous {
        /// The character.
        found: char,
    },
    /// `**` together with other characters in a segment, or next to another `**`.
    #[error("`**` is a segment of its own and does not repeat")]
    DoubleStar,
    /// White space at either end of a segment, or a control character.
    #[error("a pattern has no control characters and no white space at the end of a segment")]
    Space,
    /// Longer than [`MAX_GLOB_BYTES`].
    #[error("a pattern has at most {MAX_GLOB_BYTES} bytes")]
    TooLong,
}

/// A pattern of the dialect described above.
#[derive(Clone)]
pub struct Glob {
    text: String,
    exact: Vec<Segment>,
    folded: Vec<Segment>,
}

#[derive(Clone, PartialEq, Eq)]
enum Segment {
    AnySegments,
    Name(Vec<Token>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Literal(u32),
}

impl Glob {
    /// Parses a pattern.
    pub fn parse(text: &str) -> Result<Glob, GlobError> {
        if text.len() > MAX_GLOB_BYTES {
            return Err(GlobError::TooLong);
        }
        let mut exact = Vec::new();
        for segment in text.split('/') {
            refuse(segment)?;
            if segment == "**" {
                if exact.last() == Some(&Segment::AnySegments) {
                    return Err(GlobError::DoubleStar);
                }
                exact.push(Segment::AnySegments);
            } else {
                exact.push(Segment::Name(tokens(segment)));
            }
        }
        let folded = text
            .split('/')
            .map(|segment| match segment {
                "**" => Segment::AnySegments,
                name => Segment::Name(tokens(&fold(name))),
            })
            .collect();
        Ok(Glob {
            text: text.to_owned(),
            exact,
            folded,
        })
    }

    /// Returns the pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the path is one the pattern names, character for character.
    pub fn matches(&self, path: &[u8]) -> bool {
        matches_segments(&self.exact, &split(path, false))
    }

    /// Returns the same pattern as one for names that certificates carry, where texts are compared byte for byte.
    pub fn to_text_pattern(&self) -> Result<TextPattern, PatternError> {
        if !self.text.contains(['*', '?']) {
            return TextPattern::exact(self.text.as_str());
        }
        let segments: Vec<&str> = self.text.split('/').collect();
        let mut expression = String::from("^");
        for (i, segment) in segments.iter().enumerate() {
            let last = i + 1 == segments.len();
            match (*segment, i, last) {
                ("**", 0, true) => expression.push_str(".*"),
                // The slash before was left to this segment, which may stand for none at all.
                ("**", _, true) => expression.push_str("(?:/.*)?"),
                ("**", _, false) => expression.push_str("(?:[^/]+/)*"),
                (name, ..) => {
                    for c in name.chars() {
                        match c {
                            '*' => expression.push_str("[^/]*"),
                            '?' => expression.push_str("[^/]"),
                            other => expression.push_str(&regex_syntax::escape(&other.to_string())),
                        }
                    }
                    let ends_in_any = segments.get(i + 1) == Some(&"**") && i + 2 == segments.len();
                    let slash_follows = !(last || ends_in_any);
                    if slash_follows {
                        expression.push('/');
                    }
                }
            }
        }
        expression.push('$');
        TextPattern::regexp(&expression)
    }

    /// Returns whether the path is one the pattern names, or one that some file system takes for one.
    pub fn protects(&self, path: &Subject) -> bool {
        matches_segments(&self.exact, &path.exact) || matches_segments(&self.folded, &path.folded)
    }

    /// Returns whether a symlink or submodule at the path could stand in for a folder above what the pattern names.
    /// Only the segments before the first `**` are looked at.
    pub fn protects_through(&self, path: &Subject) -> bool {
        let path = &path.folded;
        let above = self
            .folded
            .iter()
            .take_while(|segment| **segment != Segment::AnySegments);
        path.len() <= above.clone().count()
            && path.iter().zip(above).all(|(name, segment)| match segment {
                Segment::AnySegments => true,
                Segment::Name(tokens) => matches_name(tokens, name),
            })
    }
}

/// A path made ready to be matched with many patterns.
#[derive(Debug, Clone)]
pub struct Subject {
    exact: Vec<Vec<u32>>,
    folded: Vec<Vec<u32>>,
}

impl Subject {
    /// Makes a path ready.
    pub fn new(path: &[u8]) -> Subject {
        Subject {
            exact: split(path, false),
            folded: split(path, true),
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.text)
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

fn refuse(segment: &str) -> Result<(), GlobError> {
    if segment.is_empty() {
        return Err(GlobError::Empty);
    }
    if segment == "." || segment == ".." {
        return Err(GlobError::Dots);
    }
    if let Some(found) = segment.chars().find(|c| r"!^[]{}\".contains(*c)) {
        return Err(GlobError::Ambiguous { found });
    }
    if segment.chars().any(char::is_control) || segment.trim() != segment {
        return Err(GlobError::Space);
    }
    if segment.contains("**") && segment != "**" {
        return Err(GlobError::DoubleStar);
    }
    Ok(())
}

fn tokens(segment: &str) -> Vec<Token> {
    segment
        .chars()
        .map(|c| match c {
            '*' => Token::Any,
            '?' => Token::One,
            other => Token::Literal(u32::from(other)),
        })
        .collect()
}

/// A path as segments of characters; a byte that is not UTF-8 becomes a value above every character.
fn split(path: &[u8], folded: bool) -> Vec<Vec<u32>> {
    path.split(|byte| *byte == b'/')
        .map(|segment| {
            let mut name = Vec::with_capacity(segment.len());
            for chunk in segment.utf8_chunks() {
                if folded {
                    name.extend(fold(chunk.valid()).chars().map(u32::from));
                } else {
                    name.extend(chunk.valid().chars().map(u32::from));
                }
                name.extend(chunk.invalid().iter().map(|byte| 0x0011_0000 + u32::from(*byte)));
            }
            name
        })
        .collect()
}

/// Returns what a name is to file systems that fold case and Unicode forms, ignore invisible characters (HFS+), and
/// drop trailing dots and spaces (Windows).
pub(crate) fn fold(name: &str) -> String {
    let visible: String = name.nfkd().filter(|c| !ignorable(*c)).collect();
    // Upper case first, so that letters with two lower forms (`ſ` and `s`, `ς` and `σ`, `ß` and `ss`) meet.
    let cased: String = visible
        .chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect();
    let cased: String = cased.nfkc().collect();
    cased.trim_end_matches([' ', '.']).to_owned()
}

fn ignorable(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Matches with one row of a table instead of backtracking, so that the cost is the product of the two lengths.
fn matches_segments(pattern: &[Segment], path: &[Vec<u32>]) -> bool {
    // Most patterns are told apart by their last segment.
    if let (Some(Segment::Name(tokens)), Some(name)) = (pattern.last(), path.last())
        && !matches_name(tokens, name)
    {
        return false;
    }
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for segment in pattern {
        let mut next = vec![false; path.len() + 1];
        match segment {
            Segment::AnySegments => {
                let mut any = false;
                for (slot, was) in next.iter_mut().zip(&reached) {
                    any |= *was;
                    *slot = any;
                }
            }
            Segment::Name(tokens) => {
                for (i, name) in path.iter().enumerate() {
                    next[i + 1] = reached[i] && matches_name(tokens, name);
                }
            }
        }
        reached = next;
    }
    reached[path.len()]
}

fn matches_name(tokens: &[Token], name: &[u32]) -> bool {
    let (mut t, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match tokens.get(t) {
            Some(Token::Any) => {
                retry = Some((t, n));
                t += 1;
            }
            Some(Token::One) => (t, n) = (t + 1, n + 1),
            Some(Token::Literal(c)) if *c == name[n] => (t, n) = (t + 1, n + 1),
            _ => match &mut retry {
                Some((star, from)) => {
                    *from += 1;
                    (t, n) = (*star + 1, *from);
                }
                None => return false,
            },
        }
    }
    tokens[t..].iter().all(|token| *token == Token::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Glob {
        Glob::parse(text).unwrap()
    }

    #[test]
    fn matches_whole_paths_only() {
        let table = [
            ("src/*.rs", "src/a.rs", true),
            ("src/*.rs", "src/x/a.rs", false),
            ("src/*.rs", "src/.rs", true),
            ("src/**", "src/a/b/c", true),
            ("src/**", "src", true),
            ("src/**", "srcs/a", false),
            ("**/Cargo.lock", "Cargo.lock", true),
            ("**/Cargo.lock", "a/b/Cargo.lock", true),
            ("**/Cargo.lock", "a/Cargo.lock.bak", false),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a/**/z", "a/b/c/y", false),
            ("a?c", "abc", true),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxcxxb", false),
            ("Src/**", "src/a", false),
            ("**", "any/thing", true),
            ("*", "any/thing", false),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(
                glob(pattern).matches(path.as_bytes()),
                expected,
                "{pattern} {path}"
            );
        }
        assert!(glob("a?c").matches(b"a\xffc"));
        assert!(!glob("a\u{fffd}c").matches(b"a\xffc"));
    }

    #[test]
    fn a_pattern_of_names_matches_what_the_pattern_of_paths_matches() {
        let names = [
            "refs/heads/main",
            "refs/heads/agent",
            "refs/heads/agent/fix",
            "refs/heads/agent/a/b",
            "refs/heads/agentx",
            "refs/tags/v1.2",
            "refs/tags/v1x2",
            "refs/heads/a/b/main",
            "refs",
            "x/refs/heads/main",
        ];
        for pattern in [
            "refs/heads/main",
            "refs/heads/agent/**",
            "refs/**/main",
            "**/main",
            "**",
            "refs/tags/v1.*",
            "refs/*/*",
            "refs/heads/age?t",
        ] {
            let glob = glob(pattern);
            let text = glob.to_text_pattern().unwrap();
            for name in names {
                assert_eq!(
                    text.matches(name),
                    glob.matches(name.as_bytes()),
                    "{pattern} {name} {text}"
                );
            }
        }
    }

    #[test]
    fn case_189_refuses_what_other_dialects_read_differently() {
        let table = [
            ("", GlobError::Empty),
            ("/src", GlobError::Empty),
            ("src/", GlobError::Empty),
            ("a//b", GlobError::Empty),
            ("!src/**", GlobError::Ambiguous { found: '!' }),
            ("^src", GlobError::Ambiguous { found: '^' }),
            ("src/[ab].rs", GlobError::Ambiguous { found: '[' }),
            ("src/[!a].rs", GlobError::Ambiguous { found: '[' }),
            ("src/{a,b}.rs", GlobError::Ambiguous { found: '{' }),
            (r"src\a", GlobError::Ambiguous { found: '\\' }),
            ("../a", GlobError::Dots),
            ("a/../b", GlobError::Dots),
            ("./a", GlobError::Dots),
            ("src/a**", GlobError::DoubleStar),
            ("src/***", GlobError::DoubleStar),
            ("a/**/**/b", GlobError::DoubleStar),
            ("src/** ", GlobError::Space),
            (" src", GlobError::Space),
            ("src\n", GlobError::Space),
        ];
        for (pattern, expected) in table {
            assert_eq!(Glob::parse(pattern).unwrap_err(), expected, "{pattern:?}");
        }
        assert_eq!(
            Glob::parse(&"a".repeat(MAX_GLOB_BYTES + 1)).unwrap_err(),
            GlobError::TooLong
        );
    }

    #[test]
    fn case_171_and_190_a_twin_of_a_protected_path_is_protected() {
        let claude = glob("**/CLAUDE.md");
        for twin in [
            "CLAUDE.md",
            "claude.MD",
            "a/Claude.md",
            "CLAUDE.md.",
            "CLAUDE.md ",
            "CLA\u{200d}UDE.md",
            "ＣLAUDE.md",
        ] {
            assert!(claude.protects(&Subject::new(twin.as_bytes())), "{twin:?}");
        }
        let cafe = glob("caf\u{e9}/**");
        assert!(cafe.protects(&Subject::new("cafe\u{301}/x".as_bytes())));
        assert!(!cafe.matches("cafe\u{301}/x".as_bytes()));
        assert!(glob("Straße").protects(&Subject::new(b"STRASSE")));
        assert!(
            glob("keys/**").protects(&Subject::new("\u{212a}eys/x".as_bytes())),
            "the kelvin sign folds to k"
        );
        assert!(!claude.protects(&Subject::new(b"CLAUDE.mdx")));
    }

    #[test]
    fn case_190_a_symlink_above_a_protected_folder_is_protected() {
        let glob = glob("infra/prod/**");
        assert!(glob.protects_through(&Subject::new(b"infra")));
        assert!(glob.protects_through(&Subject::new(b"Infra")));
        assert!(glob.protects_through(&Subject::new(b"infra/prod")));
        assert!(!glob.protects_through(&Subject::new(b"infra/dev")));
        assert!(!glob.protects_through(&Subject::new(b"other")));
        assert!(
            !Glob::parse("**/Cargo.lock")
                .unwrap()
                .protects_through(&Subject::new(b"other"))
        );
    }

    #[test]
    fn many_stars_cost_no_more_than_the_product_of_the_lengths() {
        let name = format!("{}b", "a".repeat(4_000));
        assert!(!glob(&"*a".repeat(400)).matches(name.as_bytes()));
        let path = format!("{}b", "a/".repeat(1_000));
        assert!(!glob(&format!("{}a", "**/a/".repeat(100))).matches(path.as_bytes()));
    }
}
