//! Paths that a session names, seen from a repository's root. Purely textual: the file system is never asked.

/// Returns `path` relative to `root`, or `None` where it lies outside of it.
///
/// A relative `path` is read against `working_directory`. `.` and `..` are resolved as text; both kinds of slash
/// separate when the root is a Windows path. The root itself is `None`, since it is no file.
pub fn relative_to(root: &str, working_directory: Option<&str>, path: &str) -> Option<String> {
    let windows = is_windows(root);
    let absolute = if is_absolute(path, windows) {
        components(path, windows)?
    } else {
        let mut base = components(
            working_directory.filter(|dir| is_absolute(dir, windows))?,
            windows,
        )?;
        push(&mut base, path, windows)?;
        base
    };
    let root = components(root, windows)?;
    let rest = absolute.strip_prefix(root.as_slice())?;
    if rest.is_empty() {
        None
    } else {
        Some(rest.join("/"))
    }
}

/// Returns whether a path names its place by itself, on whichever system.
pub(crate) fn is_whole(path: &str) -> bool {
    is_absolute(path, false) || is_absolute(path, true)
}

fn is_windows(root: &str) -> bool {
    let bytes = root.as_bytes();
    bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':'
}

fn is_absolute(path: &str, windows: bool) -> bool {
    if windows {
        is_windows(path)
    } else {
        path.starts_with('/')
    }
}

fn components(path: &str, windows: bool) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    push(&mut parts, path, windows)?;
    Some(parts)
}

/// Appends the components of `path`; `None` where `..` would leave the file system.
fn push<'a>(parts: &mut Vec<&'a str>, path: &'a str, windows: bool) -> Option<()> {
    for part in path.split(|c| c == '/' || (windows && c == '\\')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::relative_to;

    #[test]
    fn makes_paths_relative_to_the_root() {
        assert_eq!(
            relative_to("/home/ada/app", None, "/home/ada/app/src/main.rs").as_deref(),
            Some("src/main.rs")
        );
        assert_eq!(
            relative_to("/home/ada/app/", None, "/home/ada/app/./src/../a.rs").as_deref(),
            Some("a.rs")
        );
        assert_eq!(
            relative_to("/home/ada/app", Some("/home/ada/app/web"), "index.html").as_deref(),
            Some("web/index.html")
        );
        assert_eq!(
            relative_to("/home/ada/app", Some("/home/ada/app/web"), "../b").as_deref(),
            Some("b")
        );
        assert_eq!(
            relative_to("C:\\app", None, "C:\\app\\src\\a.rs").as_deref(),
            Some("src/a.rs")
        );
    }

    #[test]
    fn refuses_paths_outside_the_root() {
        for path in [
            "/home/ada/app",
            "/home/ada/apple/a",
            "/etc/passwd",
            "/home/ada/app/../b",
            "/../../x",
            "",
        ] {
            assert_eq!(relative_to("/home/ada/app", None, path), None, "{path}");
        }
        assert_eq!(relative_to("/home/ada/app", None, "src/a.rs"), None);
        assert_eq!(
            relative_to("/home/ada/app", Some("/home/ada/app"), "../../etc"),
            None
        );
    }
}
