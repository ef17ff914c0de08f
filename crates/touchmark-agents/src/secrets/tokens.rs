//! Bytes taken apart as JSON would be, valid or not, in one pass: what a transcript holds is its author's choice.

use std::ops::Range;

use super::drop_list::Named;

/// How deep values may nest of which the end is sought.
const MAX_OPEN: usize = 100_000;

pub(super) enum Token {
    /// A string with its quotes.
    Text(Range<usize>),
    /// A number, a word, or anything else that is no punctuation.
    Scalar(Range<usize>),
}

/// String literals and scalars, in order. What was found out about the rest is remembered, so that no byte is looked at
/// again for each of those before it.
pub(super) struct Tokens<'b> {
    bytes: &'b [u8],
    pub(super) at: usize,
    /// Quotes in this range are closed by nothing on their line.
    unclosed: Range<usize>,
    /// How far brackets were followed, and those among them that nothing closes, in order.
    followed: usize,
    open: Vec<usize>,
}

impl<'b> Tokens<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            unclosed: 0..0,
            followed: 0,
            open: Vec::new(),
        }
    }

    pub(super) fn next_token(&mut self) -> Option<Token> {
        loop {
            let start = self.at;
            let first = *self.bytes.get(start)?;
            if is_punctuation(first) {
                self.at += 1;
                continue;
            }
            if first == b'"' {
                if let Some(end) = self.literal_end(start) {
                    self.at = end;
                    return Some(Token::Text(start..end));
                }
                // A quote that nothing closes on its line is no literal.
                self.at += 1;
            }
            let rest = &self.bytes[self.at..];
            let len = rest
                .iter()
                .position(|byte| is_punctuation(*byte) || *byte == b'"');
            self.at += len.unwrap_or(rest.len());
            return Some(Token::Scalar(start..self.at));
        }
    }

    /// Returns where the value stands whose name ends here, if what ends here is a name. An environment is a table.
    pub(super) fn value_after(&mut self, end: usize, named: Named) -> Option<Range<usize>> {
        let skip = |from: usize| {
            let rest = self.bytes.get(from..)?;
            Some(from + rest.iter().position(|byte| !byte.is_ascii_whitespace())?)
        };
        let colon = skip(end)?;
        if self.bytes[colon] != b':' {
            return None;
        }
        let start = skip(colon + 1)?;
        if named == Named::Environment && self.bytes[start] != b'{' {
            return None;
        }
        if matches!(self.bytes[start], b'{' | b'[') {
            return Some(start..self.bracket_end(start)?);
        }
        let at = std::mem::replace(&mut self.at, start);
        let token = self.next_token();
        self.at = at;
        let (Token::Text(range) | Token::Scalar(range)) = token?;
        (range.start == start).then_some(range)
    }

    /// Returns where a literal ends that begins here: behind its closing quote, on the same line.
    fn literal_end(&mut self, start: usize) -> Option<usize> {
        // A quote that is passed over on the way to the end of a line is escaped, and leads there in the same steps.
        if self.unclosed.contains(&start) {
            return None;
        }
        let mut at = start + 1;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
                self.unclosed = start..self.bytes.len();
                return None;
            };
            at += found;
            match self.bytes[at] {
                b'"' => return Some(at + 1),
                b'\n' => {
                    self.unclosed = start..at;
                    return None;
                }
                _ => at += 2,
            }
        }
    }

    /// Returns where a list or table ends that begins here.
    fn bracket_end(&mut self, start: usize) -> Option<usize> {
        if start < self.followed && self.open.binary_search(&start).is_ok() {
            return None;
        }
        let mut open = Vec::new();
        let mut at = start;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'{' | b'[' if open.len() == MAX_OPEN => break,
                b'{' | b'[' => open.push(at),
                b'}' | b']' => {
                    open.pop();
                    if open.is_empty() {
                        return Some(at + 1);
                    }
                }
                b'"' => match self.literal_end(at) {
                    Some(end) => {
                        at = end;
                        continue;
                    }
                    None => break,
                },
                _ => {}
            }
            at += 1;
        }
        self.followed = at;
        self.open = open;
        None
    }
}

fn is_punctuation(byte: u8) -> bool {
    matches!(
        byte,
        b'{' | b'}' | b'[' | b']' | b':' | b',' | b' ' | b'\t' | b'\r' | b'\n'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<&str> {
        let mut tokens = Tokens::new(text.as_bytes());
        let Some(Token::Text(name)) = tokens.next_token() else {
            return None;
        };
        tokens
            .value_after(name.end, Named::Dropped)
            .map(|range| &text[range])
    }

    #[test]
    fn a_value_is_found_by_its_name() {
        for (text, expected) in [
            (r#""a": "x","b":1"#, Some("\"x\"")),
            (r#""a":12,"#, Some("12")),
            (r#""a" : [1, "]", {}] , 2"#, Some("[1, \"]\", {}]")),
            (r#""a":{"b":{"c":"\"}"}}"#, Some(r#"{"b":{"c":"\"}"}}"#)),
            (r#""a":{"b":["#, None),
            (r#""a":{"b":"}"#, None),
            (r#""a","b""#, None),
            (r#""a":"#, None),
            (r#""a":"b"#, Some("\"b")),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_remembered_changes_no_answer() {
        // Each place is asked for by itself and after all that stand before it.
        for text in [
            r#"{"a":{"a":{"a":[]},"a":{"a":["#,
            "{\"a\":{\"a\":\"\\\"\\\"\\\"\n,\"a\":{\"a\":1}}",
            r#"\"\"\"\"{"a":{"a":"\"}]"a":[}"#,
        ] {
            let mut once = Tokens::new(text.as_bytes());
            while let Some(token) = once.next_token() {
                let (Token::Text(range) | Token::Scalar(range)) = token;
                let mut fresh = Tokens::new(text.as_bytes());
                for named in [Named::Dropped, Named::Environment] {
                    assert_eq!(
                        once.value_after(range.end, named),
                        fresh.value_after(range.end, named),
                        "{text} at {range:?}"
                    );
                }
            }
        }
    }
}
