//! A text that an identity must be, exactly or by an anchored regular expression.
//!
//! An unanchored expression, one with an alternation outside a group (`^a|b$`) or with inline flags (`(?i)`) matches
//! more than it shows and is refused when it is loaded.

use std::fmt;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::{self, AssertionKind, Ast, GroupKind, Visitor, parse::ParserBuilder};
use thiserror::Error;

const MAX_PATTERN_BYTES: usize = 4096;
const MAX_COMPILED_BYTES: usize = 1 << 20;
const MAX_NESTING: u32 = 32;

/// Why a pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The expression does not say where a name begins and ends, over its whole.
    #[error("the pattern {pattern:?} is not anchored at both ends over its whole: {reason}")]
    Unanchored {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The expression is malformed or too large.
    #[error("the pattern {pattern:?} is not a regular expression that is read: {reason}")]
    Malformed {
        /// The pattern, shortened.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An exact text is empty, which no name is.
    #[error("an expected name is empty")]
    Empty,
}

impl PatternError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unanchored { .. } => "identity.pattern_unanchored",
            Self::Malformed { .. } => "identity.pattern_malformed",
            Self::Empty => "identity.pattern_empty",
        }
    }
}

/// A text that a name or claim must be.
#[derive(Debug, Clone)]
pub enum TextPattern {
    /// Exactly this text, byte for byte.
    Exact(String),
    /// A text that the whole of an anchored expression matches; made by [`TextPattern::regexp`].
    Regexp(AnchoredRegexp),
}

/// A regular expression that was found to be anchored over its whole.
#[derive(Debug, Clone)]
pub struct AnchoredRegexp {
    pattern: String,
    compiled: Regex,
}

impl TextPattern {
    /// Returns the pattern that only this text matches.
    pub fn exact(text: impl Into<String>) -> Result<Self, PatternError> {
        let text = text.into();
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        Ok(Self::Exact(text))
    }

    /// Compiles a regular expression that is anchored at both ends over its whole.
    pub fn regexp(pattern: &str) -> Result<Self, PatternError> {
        let malformed = |reason: String| PatternError::Malformed {
            pattern: pattern.chars().take(200).collect(),
            reason,
        };
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(malformed(format!("longer than {MAX_PATTERN_BYTES} bytes")));
        }
        let tree = ParserBuilder::new()
            .nest_limit(MAX_NESTING)
            .build()
            .parse(pattern)
            .map_err(|error| malformed(error.kind().to_string()))?;
        let unanchored = |reason| PatternError::Unanchored {
            pattern: pattern.to_owned(),
            reason,
        };
        require_anchors(&tree).map_err(unanchored)?;
        ast::visit(&tree, NoFlags).map_err(unanchored)?;
        let compiled = RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
            .size_limit(MAX_COMPILED_BYTES)
            .nest_limit(MAX_NESTING + 2)
            .build()
            .map_err(|error| malformed(error.to_string()))?;
        Ok(Self::Regexp(AnchoredRegexp {
            pattern: pattern.to_owned(),
            compiled,
        }))
    }

    /// Tells whether the whole text is what the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(expected) => expected.as_bytes() == text.as_bytes(),
            Self::Regexp(regexp) => regexp.compiled.is_match(text),
        }
    }

    /// Returns the text or expression as it was written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Exact(text) => text,
            Self::Regexp(regexp) => &regexp.pattern,
        }
    }
}

impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        let is_exact = |pattern: &Self| matches!(pattern, Self::Exact(_));
        is_exact(self) == is_exact(other) && self.as_str() == other.as_str()
    }
}

impl Eq for TextPattern {}

impl fmt::Display for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => f.write_str(text),
            Self::Regexp(regexp) => write!(f, "/{}/", regexp.pattern),
        }
    }
}

/// The expression is a sequence that begins and ends with an anchor.
fn require_anchors(tree: &Ast) -> Result<(), &'static str> {
    let Ast::Concat(concat) = tree else {
        return Err(match tree {
            Ast::Alternation(_) => "an alternation outside a group",
            _ => "no anchors",
        });
    };
    let assertion = |tree: Option<&Ast>| match tree {
        Some(Ast::Assertion(assertion)) => Some(assertion.kind.clone()),
        _ => None,
    };
    if !matches!(
        assertion(concat.asts.first()),
        Some(AssertionKind::StartLine | AssertionKind::StartText)
    ) {
        return Err("it does not begin with ^");
    }
    if !matches!(
        assertion(concat.asts.last()),
        Some(AssertionKind::EndLine | AssertionKind::EndText)
    ) {
        return Err("it does not end with $");
    }
    Ok(())
}

/// Refuses inline flags anywhere.
struct NoFlags;

impl Visitor for NoFlags {
    type Output = ();
    type Err = &'static str;

    fn finish(self) -> Result<(), &'static str> {
        Ok(())
    }

    fn visit_pre(&mut self, tree: &Ast) -> Result<(), &'static str> {
        let flagged = match tree {
            Ast::Flags(_) => true,
            Ast::Group(group) => {
                matches!(&group.kind, GroupKind::NonCapturing(flags) if !flags.items.is_empty())
            }
            _ => false,
        };
        if flagged { Err("inline flags") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::TextPattern;

    #[test]
    fn case_57_an_expression_that_matches_more_than_it_shows_is_refused() {
        for pattern in [
            "https://github.com/acme/.*",
            "^https://github.com/acme/",
            "https://github.com/acme/$",
            "^https://github.com/acme/|https://evil.example/$",
            "^a$|^b$",
            "(?i)^https://github.com/acme/$",
            "^(?i)https://github.com/acme/$",
            "^(?i:https)://github.com/acme/$",
            "^(?m)a$",
            r"^a\$",
            "^a[$]",
            "(^a$)",
            "",
        ] {
            let error = TextPattern::regexp(pattern).unwrap_err();
            assert_eq!(error.code(), "identity.pattern_unanchored", "{pattern}");
        }
        for pattern in [
            "^a($",
            "^[a$",
            &format!("^{}$", "a".repeat(5000)),
            "^(a{1000}){1000}$",
        ] {
            let error = TextPattern::regexp(pattern).unwrap_err();
            assert_eq!(error.code(), "identity.pattern_malformed", "{pattern}");
        }
        assert_eq!(
            TextPattern::exact("").unwrap_err().code(),
            "identity.pattern_empty"
        );
    }

    #[test]
    fn an_anchored_expression_matches_whole_texts_only() {
        let pattern = TextPattern::regexp(r"^https://github\.com/acme/(app|lib)/.*$").unwrap();
        assert!(pattern.matches("https://github.com/acme/app/x"));
        for other in [
            "https://github.com/acme/other/x",
            "https://githubXcom/acme/app/x",
            "x https://github.com/acme/app/x",
            "https://github.com/acme/app/x\n",
            "https://github.com/acme/app/x\ny",
        ] {
            assert!(!pattern.matches(other), "{other:?}");
        }
        assert!(TextPattern::regexp(r"\Aa\z").unwrap().matches("a"));
    }
}
