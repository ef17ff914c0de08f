//! A file as it is, as it would be, and what of that is ours.

use std::ops::Range;

use super::json::Insertions;

/// A text with the pieces of it that were put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    /// The text.
    pub(crate) text: String,
    /// Where in it our pieces stand, in order and apart from each other.
    pub(crate) ours: Vec<Range<usize>>,
}

impl Draft {
    /// A text of which nothing is ours.
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ours: Vec::new(),
        }
    }

    /// A text that is ours altogether.
    pub(crate) fn new_file(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            ours: std::iter::once(0..text.len()).collect(),
            text,
        }
    }

    /// Puts pieces in, each at a byte of the text as it is.
    pub(crate) fn insert(&mut self, mut pieces: Insertions) {
        pieces.sort_by_key(|(at, _)| *at);
        for (at, piece) in pieces.into_iter().rev() {
            self.insert_one(at, &piece);
        }
    }

    fn insert_one(&mut self, at: usize, piece: &str) {
        self.text.insert_str(at, piece);
        let len = piece.len();
        let mut inside = false;
        for range in &mut self.ours {
            if at < range.start {
                *range = range.start + len..range.end + len;
            } else if at <= range.end {
                range.end += len;
                inside = true;
            }
        }
        if !inside {
            self.ours.push(at..at + len);
            self.ours.sort_by_key(|range| range.start);
        }
    }

    /// The text without our pieces.
    #[cfg(test)]
    pub(crate) fn without_ours(&self) -> String {
        super::json::remove(&self.text, &self.ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_put_in_one_after_the_other_come_out_again() {
        let mut draft = Draft::of("abcdef");
        draft.insert(vec![(2, "XX".into()), (4, "YY".into())]);
        assert_eq!(draft.text, "abXXcdYYef");
        draft.insert(vec![(3, "1".into()), (0, "2".into()), (10, "3".into())]);
        assert_eq!(draft.text, "2abX1XcdYYef3");
        assert_eq!(draft.without_ours(), "abcdef");
        assert_eq!(Draft::new_file("all").without_ours(), "");
    }
}
