//! A strict parser of tree objects: git's five modes in git's spelling, names that git checks out, git's order, no name
//! twice.

use std::cmp::Ordering;

use gix_hash::oid;
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::TreeDefect;

/// A defect and where it is.
pub(crate) type Found = (usize, TreeDefect);

/// One entry of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) mode: FileMode,
    pub(crate) name: &'a [u8],
    pub(crate) id: &'a oid,
}

/// Parses all entries of a tree and checks them against each other.
pub(crate) fn parse(content: &[u8], format: gix_hash::Kind) -> Result<Vec<Entry<'_>>, Found> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    // Git sorts a directory as if its name ended with a slash, so equal names need not be neighbours: `a`, `a.c`, `a/`.
    // The files since which every name had the same beginning are remembered, to find the directory of that name.
    let mut open: Vec<&[u8]> = Vec::new();
    let mut offset = 0;
    while offset < content.len() {
        let at = offset;
        let (entry, next) = entry_at(content, offset, format)?;
        if let Some(last) = entries.last() {
            match order(last, &entry) {
                Ordering::Less => {}
                _ if last.name == entry.name => return Err((at, TreeDefect::DuplicateName)),
                _ => return Err((at, TreeDefect::Order)),
            }
        }
        while open.last().is_some_and(|name| !entry.name.starts_with(name)) {
            open.pop();
        }
        if open.contains(&entry.name) {
            return Err((at, TreeDefect::DuplicateName));
        }
        if entry.mode != FileMode::Tree {
            open.push(entry.name);
        }
        entries.push(entry);
        offset = next;
    }
    Ok(entries)
}

fn entry_at(content: &[u8], at: usize, format: gix_hash::Kind) -> Result<(Entry<'_>, usize), Found> {
    let rest = &content[at..];
    let nul = rest
        .iter()
        .position(|byte| *byte == 0)
        .ok_or((at, TreeDefect::Truncated))?;
    let space = rest[..nul]
        .iter()
        .position(|byte| *byte == b' ')
        .ok_or((at, TreeDefect::Mode))?;
    let mode = match &rest[..space] {
        b"100644" => FileMode::Regular,
        b"100755" => FileMode::Executable,
        b"120000" => FileMode::Symlink,
        b"160000" => FileMode::Gitlink,
        b"40000" => FileMode::Tree,
        _ => return Err((at, TreeDefect::Mode)),
    };
    let name = &rest[space + 1..nul];
    if !is_allowed(name) {
        return Err((at, TreeDefect::Name));
    }
    let id = rest
        .get(nul + 1..nul + 1 + format.len_in_bytes())
        .ok_or((at, TreeDefect::Truncated))?;
    let id = oid::from_bytes_unchecked(id);
    if id.is_null() {
        return Err((at, TreeDefect::NullId));
    }
    Ok((Entry { mode, name, id }, at + nul + 1 + format.len_in_bytes()))
}

/// One component, by the rules of [`RepoPath`]. Only a name that begins with `.`, `g` or a byte beyond ASCII can be a
/// spelling of `.git`, so the others are decided here.
fn is_allowed(name: &[u8]) -> bool {
    match name.first() {
        None => false,
        Some(b'.' | b'g' | b'G' | 0x80..) => !name.contains(&b'/') && RepoPath::from_bytes(name).is_ok(),
        Some(_) => !name.contains(&b'/') && name.len() <= touchmark_statement::limits::MAX_PATH_BYTES,
    }
}

/// Compares two entries as git orders them: a directory's name ends with a slash.
fn order(a: &Entry<'_>, b: &Entry<'_>) -> Ordering {
    let shared = a.name.len().min(b.name.len());
    a.name[..shared].cmp(&b.name[..shared]).then_with(|| {
        let next = |entry: &Entry<'_>| match entry.name.get(shared) {
            Some(byte) => *byte,
            None if entry.mode == FileMode::Tree => b'/',
            None => 0,
        };
        next(a).cmp(&next(b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (mode, name) in entries {
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(&[7; 20]);
        }
        bytes
    }

    fn code(bytes: &[u8]) -> &'static str {
        match parse(bytes, gix_hash::Kind::Sha1) {
            Ok(_) => "ok",
            Err((_, defect)) => defect.code(),
        }
    }

    #[test]
    fn reads_all_five_modes_in_gits_order() {
        let bytes = tree(&[
            ("100644", b"a"),
            ("100755", b"a.c"),
            ("40000", b"a.d"),
            ("120000", b"a0"),
            ("160000", b"b"),
        ]);
        assert_eq!(parse(&bytes, gix_hash::Kind::Sha1).unwrap().len(), 5);
        assert_eq!(code(b""), "ok");
    }

    #[test]
    fn refuses_other_modes() {
        for mode in [
            "100664", "040000", "0100644", "100600", "10644", "", "40001", "160001",
        ] {
            assert_eq!(code(&tree(&[(mode, b"a")])), "git.tree_mode", "{mode}");
        }
    }

    #[test]
    fn refuses_names_that_are_not_checked_out() {
        for name in [
            &b""[..],
            b"a/b",
            b"/",
            b".",
            b"..",
            b".git",
            b".GIT",
            b".gIt",
            b"git~1",
            b"GIT~1",
            b".git.",
            b".git ",
            ".g\u{200c}it".as_bytes(),
            "\u{feff}.git".as_bytes(),
            b".git::$INDEX_ALLOCATION",
        ] {
            assert_eq!(
                code(&tree(&[("100644", name)])),
                "git.tree_name",
                "{}",
                name.escape_ascii()
            );
        }
        for name in [&b"-rf"[..], b".gitignore", b"a\x1bb", b"\xff", b"git"] {
            assert_eq!(code(&tree(&[("100644", name)])), "ok", "{}", name.escape_ascii());
        }
    }

    #[test]
    fn refuses_duplicates_and_disorder() {
        assert_eq!(
            code(&tree(&[("100644", b"a"), ("100644", b"a")])),
            "git.tree_duplicate_name"
        );
        assert_eq!(
            code(&tree(&[("100644", b"a"), ("40000", b"a")])),
            "git.tree_duplicate_name"
        );
        let apart = tree(&[
            ("100644", b"a"),
            ("100644", b"a.c"),
            ("100644", b"a.c.d"),
            ("40000", b"a"),
        ]);
        assert_eq!(code(&apart), "git.tree_duplicate_name");
        assert_eq!(
            code(&tree(&[("100644", b"b"), ("100644", b"a")])),
            "git.tree_order"
        );
        assert_eq!(
            code(&tree(&[("40000", b"a"), ("100644", b"a.c")])),
            "git.tree_order"
        );
    }

    #[test]
    fn refuses_what_ends_early() {
        let whole = tree(&[("100644", b"a")]);
        for length in 1..whole.len() {
            assert_eq!(code(&whole[..length]), "git.tree_truncated", "{length}");
        }
        let mut null = whole;
        null[9..].fill(0);
        assert_eq!(code(&null), "git.tree_null_id");
    }
}
