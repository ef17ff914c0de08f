//! A strict parser of commit objects.
//!
//! It works on the exact bytes, splits on LF only, and refuses what different readers understand differently: a header
//! twice, parents after the author, carriage returns or NUL bytes in headers, headers without end. The message may hold
//! any byte; its end is handed on as it is.

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::{GitCommitId, GitTreeId, ObjectFormat};
use touchmark_verify::git_view::{CommitDefect, GitCommit, GitIdentity, MAX_MESSAGE_END_BYTES};

use crate::limits::MAX_COMMIT_HEADERS;

/// A defect and where it is.
pub(crate) type Found = (usize, CommitDefect);

/// Headers that may stand at most once, beside the four required ones.
const ONCE: [&[u8]; 3] = [b"encoding", b"gpgsig", b"gpgsig-sha256"];

/// Parses the content of a commit object.
pub(crate) fn parse(content: &[u8], format: ObjectFormat) -> Result<GitCommit, Found> {
    let mut headers = Headers {
        content,
        offset: 0,
        count: 0,
    };
    let (at, value) = headers.require(b"tree")?;
    let tree: GitTreeId = object_id(value, format).ok_or((at, CommitDefect::HeaderValue))?;
    let mut parents = Vec::new();
    let mut next = headers.next()?;
    while let Some((at, b"parent", value)) = next {
        let parent: GitCommitId = object_id(value, format).ok_or((at, CommitDefect::HeaderValue))?;
        parents.push(parent);
        next = headers.next()?;
    }
    let author = identity(next, b"author", &[b"tree"])?;
    let committer = identity(headers.next()?, b"committer", &[b"tree", b"author"])?;
    let mut seen: [bool; ONCE.len()] = [false; ONCE.len()];
    while let Some((at, key, _)) = headers.next()? {
        match key {
            b"tree" | b"author" | b"committer" => return Err((at, CommitDefect::DuplicateHeader)),
            b"parent" => return Err((at, CommitDefect::HeaderOrder)),
            _ => {}
        }
        if let Some(index) = ONCE.iter().position(|once| *once == key)
            && std::mem::replace(&mut seen[index], true)
        {
            return Err((at, CommitDefect::DuplicateHeader));
        }
    }
    let message = &content[headers.offset..];
    let message_end = message[message.len().saturating_sub(MAX_MESSAGE_END_BYTES)..].to_vec();
    Ok(GitCommit {
        tree,
        parents,
        content_sha256: Sha256Digest::of(content),
        author,
        committer,
        message_end,
    })
}

/// Where a header begins, its key, and the first line of its value.
type Header<'a> = (usize, &'a [u8], &'a [u8]);

struct Headers<'a> {
    content: &'a [u8],
    offset: usize,
    count: usize,
}

impl<'a> Headers<'a> {
    /// Returns the next header, or `None` at the empty line.
    fn next(&mut self) -> Result<Option<Header<'a>>, Found> {
        let at = self.offset;
        let line = self.line()?;
        if line.is_empty() {
            return Ok(None);
        }
        self.count += 1;
        if self.count > MAX_COMMIT_HEADERS {
            return Err((at, CommitDefect::TooManyHeaders));
        }
        let space = line.iter().position(|byte| *byte == b' ');
        let Some(space) = space.filter(|space| *space > 0) else {
            return Err((at, CommitDefect::HeaderValue));
        };
        // Lines that begin with a space continue the value.
        while self.content.get(self.offset) == Some(&b' ') {
            self.line()?;
        }
        Ok(Some((at, &line[..space], &line[space + 1..])))
    }

    fn require(&mut self, wanted: &[u8]) -> Result<(usize, &'a [u8]), Found> {
        let at = self.offset;
        match self.next()? {
            Some((at, key, value)) if key == wanted => Ok((at, value)),
            _ => Err((at, CommitDefect::HeaderOrder)),
        }
    }

    fn line(&mut self) -> Result<&'a [u8], Found> {
        let rest = &self.content[self.offset..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        if line.contains(&b'\r') {
            return Err((self.offset, CommitDefect::CarriageReturn));
        }
        if line.contains(&0) {
            return Err((self.offset, CommitDefect::NulInHeader));
        }
        let Some(end) = end else {
            return Err((self.content.len(), CommitDefect::Unterminated));
        };
        self.offset += end + 1;
        Ok(line)
    }
}

fn object_id<Id: std::str::FromStr>(value: &[u8], format: ObjectFormat) -> Option<Id> {
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.len() == format.hex_len())?;
    text.parse().ok()
}

/// Parses `<name> <<email>> <seconds> <zone>`; a name or an address has no angle brackets.
fn identity(header: Option<Header<'_>>, wanted: &[u8], before: &[&[u8]]) -> Result<GitIdentity, Found> {
    let Some((at, key, value)) = header else {
        return Err((0, CommitDefect::HeaderOrder));
    };
    match key {
        key if key == wanted => {}
        key if before.contains(&key) => return Err((at, CommitDefect::DuplicateHeader)),
        _ => return Err((at, CommitDefect::HeaderOrder)),
    }
    parse_identity(value).ok_or((at, CommitDefect::Identity))
}

pub(crate) fn parse_identity(value: &[u8]) -> Option<GitIdentity> {
    let open = value.iter().position(|byte| *byte == b'<')?;
    let close = open + value[open..].iter().position(|byte| *byte == b'>')?;
    let (name, email, rest) = (&value[..open], &value[open + 1..close], &value[close + 1..]);
    let bracket = |bytes: &[u8]| bytes.iter().any(|byte| matches!(byte, b'<' | b'>'));
    if bracket(name) || bracket(email) || bracket(rest) {
        return None;
    }
    let name = if name.is_empty() {
        name
    } else {
        name.strip_suffix(b" ")?
    };
    let (seconds, zone) = std::str::from_utf8(rest.strip_prefix(b" ")?)
        .ok()?
        .split_once(' ')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (sign, zone) = zone.split_at_checked(1)?;
    if !digits(seconds) || !matches!(sign, "+" | "-") || zone.len() != 4 || !digits(zone) {
        return None;
    }
    Some(GitIdentity {
        name: name.to_vec(),
        email: email.to_vec(),
        time: seconds.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
    const PARENT: &str = "parent 1111111111111111111111111111111111111111\n";
    const AUTHOR: &str = "author A U Thor <a@example.com> 1700000000 +0100\n";
    const COMMITTER: &str = "committer C O Mitter <c@example.com> 1700000001 -0230\n";

    fn code(content: impl AsRef<[u8]>) -> &'static str {
        match parse(content.as_ref(), ObjectFormat::Sha1) {
            Ok(_) => "ok",
            Err((_, defect)) => defect.code(),
        }
    }

    fn good() -> String {
        format!("{TREE}{PARENT}{PARENT}{AUTHOR}{COMMITTER}gpgsig -----BEGIN\n line\n \n end\n\nmessage\n")
    }

    #[test]
    fn reads_a_good_commit() {
        let commit = parse(good().as_bytes(), ObjectFormat::Sha1).unwrap();
        assert_eq!(commit.tree.as_str(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        assert_eq!(commit.parents.len(), 2);
        assert_eq!(
            (commit.author.name.as_slice(), commit.author.time),
            (&b"A U Thor"[..], 1_700_000_000)
        );
        assert_eq!(commit.committer.email, b"c@example.com");
        assert_eq!(commit.content_sha256, Sha256Digest::of(good().as_bytes()));
        assert_eq!(commit.message_end, b"message\n");
    }

    #[test]
    fn of_a_long_message_the_end_is_kept() {
        let long = format!("{}{}Last: line\n", good(), "x".repeat(MAX_MESSAGE_END_BYTES));
        let commit = parse(long.as_bytes(), ObjectFormat::Sha1).unwrap();
        assert_eq!(commit.message_end.len(), MAX_MESSAGE_END_BYTES);
        assert!(commit.message_end.ends_with(b"Last: line\n"));
    }

    #[test]
    fn case_154_a_header_that_stands_twice_or_out_of_place() {
        for (content, expected) in [
            (
                good().replace(TREE, &TREE.repeat(2)),
                "git.commit_duplicate_header",
            ),
            (
                good().replace(COMMITTER, &format!("{COMMITTER}{TREE}")),
                "git.commit_duplicate_header",
            ),
            (
                good().replace(AUTHOR, &AUTHOR.repeat(2)),
                "git.commit_duplicate_header",
            ),
            (
                good().replace(COMMITTER, &COMMITTER.repeat(2)),
                "git.commit_duplicate_header",
            ),
            (
                good().replace(COMMITTER, &format!("{COMMITTER}{AUTHOR}")),
                "git.commit_duplicate_header",
            ),
            (
                format!("{TREE}{AUTHOR}{PARENT}{COMMITTER}\nm"),
                "git.commit_header_order",
            ),
            (
                format!("{TREE}{AUTHOR}{COMMITTER}{PARENT}\nm"),
                "git.commit_header_order",
            ),
            (
                format!("{PARENT}{TREE}{AUTHOR}{COMMITTER}\nm"),
                "git.commit_header_order",
            ),
            (format!("{TREE}{COMMITTER}{AUTHOR}\nm"), "git.commit_header_order"),
            (format!("{TREE}{COMMITTER}\nm"), "git.commit_header_order"),
            (format!("{TREE}{AUTHOR}\nm"), "git.commit_header_order"),
            (
                good().replace("gpgsig ", "gpgsig one\n two\ngpgsig "),
                "git.commit_duplicate_header",
            ),
            (
                good().replace("gpgsig ", "encoding x\nencoding y\ngpgsig "),
                "git.commit_duplicate_header",
            ),
        ] {
            assert_eq!(code(&content), expected, "{content}");
        }
        assert_eq!(code(good()), "ok");
    }

    #[test]
    fn case_155_carriage_returns_in_headers() {
        for content in [
            good().replace("\n\nmessage", "\n\r\ntree x\n\nmessage"),
            good().replace(COMMITTER, &format!("{COMMITTER}\r\n{TREE}")),
            good().replace(TREE, &TREE.replace('\n', "\r\n")),
            good().replace("+0100\n", "+0100\r\n"),
            good().replace(" line\n", " line\r\n"),
            good().replace("gpgsig -----BEGIN", "gpgsig -----BEGIN\r"),
        ] {
            assert_eq!(code(&content), "git.commit_carriage_return", "{content:?}");
        }
        assert_eq!(code(good().replace("message\n", "message\r\n")), "ok");
    }

    #[test]
    fn case_156_only_headers_are_refused_for_a_nul_byte() {
        assert_eq!(code(good().replace("message", "mess\0age")), "ok");
        assert_eq!(
            code(good().replace("gpgsig ", "encoding ISO-8859-7\ngpgsig ")),
            "ok"
        );
        assert_eq!(code(good().replace("A U Thor", "A\0 Thor")), "git.commit_nul");
        let raw = good().replace("message", "mess\0age");
        let commit = parse(raw.as_bytes(), ObjectFormat::Sha1).unwrap();
        assert_eq!(commit.content_sha256, Sha256Digest::of(raw.as_bytes()));
    }

    #[test]
    fn refuses_identities_that_two_readers_could_read_differently() {
        for author in [
            "author A <a@b> <c@d> 1 +0000\n",
            "author A <a> b> 1 +0000\n",
            "author A a@b 1 +0000\n",
            "author A<a@b> 1 +0000\n",
            "author A <a@b>1 +0000\n",
            "author A <a@b> 1\n",
            "author A <a@b> -1 +0000\n",
            "author A <a@b> 1 0000\n",
            "author A <a@b> 1 +00000\n",
            "author A <a@b> 99999999999999999999 +0000\n",
        ] {
            assert_eq!(
                code(good().replace(AUTHOR, author)),
                "git.commit_identity",
                "{author}"
            );
        }
        assert_eq!(code(good().replace(AUTHOR, "author <> 0 +0000\n")), "ok");
    }

    #[test]
    fn refuses_values_and_ends_that_are_not_there() {
        assert_eq!(
            code(good().replace("4b825d", "4B825D")),
            "git.commit_header_value"
        );
        assert_eq!(
            code(good().replace("tree 4b", "tree 4b4b")),
            "git.commit_header_value"
        );
        assert_eq!(code(good().replace("gpgsig -", " gpgsig -")), "ok"); // continues the committer's line
        assert_eq!(
            code(good().replace("gpgsig ", "gpgsig\nx ")),
            "git.commit_header_value"
        );
        assert_eq!(
            code(format!("{TREE}{AUTHOR}{COMMITTER}")),
            "git.commit_unterminated"
        );
        assert_eq!(code(""), "git.commit_unterminated");
        let many = "x y\n".repeat(2000);
        assert_eq!(
            code(good().replace("gpgsig ", &format!("{many}gpgsig "))),
            "git.commit_too_many_headers"
        );
    }
}
