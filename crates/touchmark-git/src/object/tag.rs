//! A strict parser of the part of annotated tags that says what they point to.

use crate::object::commit::parse_identity;

/// What a tag names: an id in hex and a kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: &'a str,
}

/// Parses `object`, `type`, `tag` and `tagger` in this order, and nothing else before the empty line.
pub(crate) fn parse(content: &[u8]) -> Option<Target<'_>> {
    let end = content.windows(2).position(|pair| pair == b"\n\n")?;
    let head = &content[..end];
    if head.contains(&b'\r') || head.contains(&0) {
        return None;
    }
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut field = |key: &str| {
        let line = lines.next()?.strip_prefix(key.as_bytes())?;
        std::str::from_utf8(line.strip_prefix(b" ")?).ok()
    };
    let (id, kind) = (field("object")?, field("type")?);
    field("tag")?;
    match lines.next() {
        None => {}
        Some(line) => {
            parse_identity(line.strip_prefix(b"tagger ")?)?;
        }
    }
    lines.next().is_none().then_some(Target { id, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "object 1111111111111111111111111111111111111111\ntype commit\ntag v1\n\
                        tagger A <a@b> 1 +0000\n\nmessage\n";

    #[test]
    fn reads_what_git_writes_and_refuses_anything_else() {
        assert_eq!(parse(GOOD.as_bytes()).unwrap().kind, "commit");
        for bad in [
            GOOD.replace("type commit\n", "type commit\ntype tree\n"),
            GOOD.replace("type", "\rtype"),
            GOOD.replace("tag v1\n", ""),
            GOOD.replace("\n\nmessage\n", ""),
            GOOD.replace("tagger", "object"),
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
