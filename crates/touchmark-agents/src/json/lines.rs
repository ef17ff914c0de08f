//! Splitting a session into lines, from memory or from a reader, never holding more than one line.

use std::io::{BufRead, ErrorKind, Read};

use memchr::memchr;

/// One line, without its line feed.
pub(crate) enum Line<'a> {
    /// A line that was read.
    Read {
        /// Its bytes.
        bytes: &'a [u8],
        /// Whether a line feed ends it.
        terminated: bool,
    },
    /// A line longer than the cap; its bytes were dropped.
    TooLong {
        /// How many bytes it has.
        len: u64,
        /// Whether a line feed ends it.
        terminated: bool,
    },
}

/// What the lines of a source come from.
pub(crate) trait Lines {
    /// Passes the next line and its offset to `visit`; `None` at the end.
    fn next_line<T>(
        &mut self,
        max: usize,
        visit: impl FnOnce(u64, Line<'_>) -> T,
    ) -> std::io::Result<Option<T>>;
    /// Returns how many bytes were read.
    fn bytes_read(&self) -> u64;
}

/// Lines of bytes in memory.
pub(crate) struct SliceLines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> SliceLines<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl Lines for SliceLines<'_> {
    fn next_line<T>(
        &mut self,
        max: usize,
        visit: impl FnOnce(u64, Line<'_>) -> T,
    ) -> std::io::Result<Option<T>> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let offset = self.at as u64;
        let (bytes, terminated) = match memchr(b'\n', rest) {
            Some(end) => (&rest[..end], true),
            None => (rest, false),
        };
        self.at += bytes.len() + usize::from(terminated);
        let line = if bytes.len() > max {
            Line::TooLong {
                len: bytes.len() as u64,
                terminated,
            }
        } else {
            Line::Read { bytes, terminated }
        };
        Ok(Some(visit(offset, line)))
    }

    fn bytes_read(&self) -> u64 {
        self.at as u64
    }
}

/// Lines of a reader; one buffer is used for all of them.
pub(crate) struct ReaderLines<R> {
    reader: R,
    line: Vec<u8>,
    at: u64,
}

impl<R: BufRead> ReaderLines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            line: Vec::new(),
            at: 0,
        }
    }

    /// Moves past the rest of a line; returns its length and whether a line feed ended it.
    fn skip_rest(&mut self) -> std::io::Result<(u64, bool)> {
        let mut len = 0;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok((len, false));
            }
            if let Some(end) = memchr(b'\n', available) {
                self.reader.consume(end + 1);
                return Ok((len + end as u64, true));
            }
            let all = available.len();
            self.reader.consume(all);
            len += all as u64;
        }
    }
}

impl<R: BufRead> Lines for ReaderLines<R> {
    fn next_line<T>(
        &mut self,
        max: usize,
        visit: impl FnOnce(u64, Line<'_>) -> T,
    ) -> std::io::Result<Option<T>> {
        self.line.clear();
        // One byte more than the longest line and its line feed tells "too long" from "just fits".
        let limit = (max as u64).saturating_add(1);
        (&mut self.reader).take(limit).read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        let offset = self.at;
        let terminated = self.line.last() == Some(&b'\n');
        self.at += self.line.len() as u64;
        if terminated || self.line.len() <= max {
            let bytes = &self.line[..self.line.len() - usize::from(terminated)];
            return Ok(Some(visit(offset, Line::Read { bytes, terminated })));
        }
        let start = self.line.len() as u64;
        let (rest, terminated) = self.skip_rest()?;
        self.at += rest + u64::from(terminated);
        Ok(Some(visit(
            offset,
            Line::TooLong {
                len: start + rest,
                terminated,
            },
        )))
    }

    fn bytes_read(&self) -> u64 {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(mut lines: impl Lines, max: usize) -> Vec<(u64, u64, bool, bool)> {
        let mut all = Vec::new();
        while let Some(line) = lines
            .next_line(max, |offset, line| match line {
                Line::Read { bytes, terminated } => (offset, bytes.len() as u64, terminated, true),
                Line::TooLong { len, terminated } => (offset, len, terminated, false),
            })
            .unwrap()
        {
            all.push(line);
        }
        let end = all.last().map_or(0, |(offset, len, terminated, _)| {
            offset + len + u64::from(*terminated)
        });
        assert_eq!(lines.bytes_read(), end);
        all
    }

    #[test]
    fn both_sources_give_the_same_lines() {
        for text in [
            "",
            "\n",
            "a",
            "a\n",
            "ab\ncde\n\nf",
            "abcdefgh\nab\nabcdefghij",
            "abcd\nabcde\nabc\n",
        ] {
            for max in [1, 4, 100] {
                let slice = collect(SliceLines::new(text.as_bytes()), max);
                for buffer in [1, 3, 64] {
                    let reader = std::io::BufReader::with_capacity(buffer, text.as_bytes());
                    assert_eq!(
                        collect(ReaderLines::new(reader), max),
                        slice,
                        "{text:?} {max} {buffer}"
                    );
                }
            }
        }
    }

    #[test]
    fn long_lines_are_measured_and_not_kept() {
        let text = format!("{}\nok\n", "x".repeat(100));
        assert_eq!(
            collect(SliceLines::new(text.as_bytes()), 10),
            vec![(0, 100, true, false), (101, 2, true, true)]
        );
        assert_eq!(
            collect(SliceLines::new(&text.as_bytes()[..50]), 10),
            vec![(0, 50, false, false)]
        );
    }
}
