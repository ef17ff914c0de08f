//! What a submitted patch changes, as its own headers say.

/// The most paths that one patch is believed to change.
const MAX_PATHS: usize = 100_000;

/// The paths that a patch of git adds, changes, moves or removes, in order, each once.
pub(crate) fn paths(patch: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut in_header = false;
    let mut old = None;
    // What the first line names: the only name where a change has no lines of its own.
    let mut first = None;
    for line in patch.lines().map(|line| line.trim_end_matches('\r')) {
        if let Some(names) = line.strip_prefix("diff --git ") {
            found.extend(first.take());
            in_header = true;
            old = None;
            first = same_name(names);
            continue;
        }
        if !in_header {
            continue;
        }
        let path = if let Some(name) = line.strip_prefix("--- ") {
            old = without_side(name, "a/");
            None
        } else if let Some(name) = line.strip_prefix("+++ ") {
            // Both names are given; where there is no new file, the old one was removed.
            without_side(name, "b/").or(old.take())
        } else if let Some(name) = line.strip_prefix("rename to ").or(line.strip_prefix("copy to ")) {
            Some(unquoted(name))
        } else {
            in_header = !line.starts_with("@@");
            None
        };
        if let Some(path) = path.filter(|path| !path.is_empty() && found.len() < MAX_PATHS) {
            first = None;
            if found.last() != Some(&path) {
                found.push(path);
            }
        }
    }
    found.extend(first);
    found
}

/// Reads `a/name b/name`, where both are the same.
fn same_name(names: &str) -> Option<String> {
    let half = names.len().checked_sub(1)? / 2;
    let (old, new) = (names.get(..half)?, names.get(half + 1..)?);
    let old = old.strip_prefix("a/")?;
    (new.strip_prefix("b/") == Some(old)).then(|| old.to_owned())
}

fn without_side(name: &str, side: &str) -> Option<String> {
    let name = unquoted(name.trim_end_matches('\t'));
    name.strip_prefix(side).map(str::to_owned)
}

/// Reads a name that git has quoted as C does.
fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return name.to_owned();
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(first @ b'0'..=b'3') => {
                let digits = [Some(first), rest.next(), rest.next()];
                let value = digits.iter().flatten().fold(0_u32, |value, digit| {
                    value * 8 + u32::from(digit.saturating_sub(b'0') & 7)
                });
                bytes.push(value as u8);
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn headers_name_the_paths_and_hunks_do_not() {
        let patch = "\r\ndiff --git a/a.rs b/a.rs\r\nindex 1..2 100644\r\n--- a/a.rs\r\n+++ b/a.rs\r\n@@ -1 +1 @@\r\n--- a/no.rs\r\n+++ b/no.rs\r\n\
                     diff --git a/old name b/old name\ndeleted file mode 100644\n--- a/old name\t\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\
                     diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n\
                     diff --git \"a/\\303\\244.txt\" \"b/\\303\\244.txt\"\n--- /dev/null\n+++ \"b/\\303\\244.txt\"\n@@ -0,0 +1 @@\n+z\n\
                     diff --git a/logo.png b/logo.png\nindex 1..2 100644\nBinary files a/logo.png and b/logo.png differ\n\
                     diff --git a/run b/run\nold mode 100644\nnew mode 100755\n";
        assert_eq!(
            paths(patch),
            ["a.rs", "old name", "y", "ä.txt", "logo.png", "run"]
        );
        assert!(paths("no patch").is_empty());
        for cut in 0..patch.len() {
            if let Some(cut) = patch.get(..cut) {
                paths(cut);
            }
        }
    }
}
