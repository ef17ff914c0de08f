//! What a rule of the user's leaves alone.

use std::ops::Range;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

/// What an expression of an allowlist is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Target {
    /// The secret.
    #[default]
    Secret,
    /// Everything that the rule's pattern matched.
    Match,
    /// The line that the match stands in.
    Line,
}

/// Whether one criterion is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Condition {
    /// One is enough.
    #[default]
    Any,
    /// Every kind of criterion that is given must be met.
    All,
}

/// One allowlist of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowlist {
    pub(super) condition: Condition,
    pub(super) target: Target,
    pub(super) regexes: Vec<Regex>,
    /// Words, in any case, of which one in the secret makes it none.
    pub(super) stopwords: Option<AhoCorasick>,
    /// Whether paths or commits are asked for as well. A session has neither, so that what needs them is never met.
    pub(super) needs_path: bool,
}

impl Allowlist {
    /// Returns whether the finding is to be left alone.
    pub(super) fn takes(&self, secret: &Range<usize>, whole: &Range<usize>, bytes: &[u8]) -> bool {
        let target = match self.target {
            Target::Secret => secret.clone(),
            Target::Match => whole.clone(),
            Target::Line => line(whole, bytes),
        };
        let matches = (!self.regexes.is_empty()).then(|| {
            self.regexes
                .iter()
                .any(|regex| regex.is_match(&bytes[target.clone()]))
        });
        let stops = self
            .stopwords
            .as_ref()
            .map(|words| words.is_match(&bytes[secret.clone()]));
        let path = self.needs_path.then_some(false);
        let mut given = [matches, stops, path].into_iter().flatten();
        match self.condition {
            Condition::Any => given.any(|met| met),
            Condition::All => {
                let mut some = false;
                given.all(|met| {
                    some = true;
                    met
                }) && some
            }
        }
    }
}

/// Returns the line around a match; a line may end with the escape of a line feed as well.
fn line(whole: &Range<usize>, bytes: &[u8]) -> Range<usize> {
    let before = &bytes[..whole.start];
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let escaped = memchr::memmem::rfind(before, b"\\n").map_or(0, |at| at + 2);
    let after = &bytes[whole.end..];
    let end = memchr::memchr(b'\n', after).unwrap_or(after.len());
    let escaped_end = memchr::memmem::find(after, b"\\n").unwrap_or(after.len());
    start.max(escaped)..whole.end + end.min(escaped_end)
}
