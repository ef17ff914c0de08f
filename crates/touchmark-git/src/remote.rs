//! Addresses of remotes: which ones are talked to, and how they are written down.

use std::path::Path;

use crate::error::GitError;
use crate::repository::Repository;

/// An address that may be handed to git, and the text that names it without secrets.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) url: String,
    pub(crate) shown: String,
}

impl Repository {
    /// Takes a configured remote's name, or an address, and decides whether it may be talked to.
    ///
    /// Allowed are `https`, `ssh` (also as `host:path`) and local repositories, but none inside this repository, whose
    /// hooks would be the repository's own.
    pub(crate) fn remote(&self, name_or_url: &str) -> Result<Remote, GitError> {
        let configured = self.layout.config.value("remote", name_or_url, "url");
        let url = configured.unwrap_or(name_or_url);
        let refused = || GitError::Remote {
            remote: uri(name_or_url).unwrap_or_default(),
        };
        let shown = uri(url).ok_or_else(refused)?;
        if let Some(path) = local_path(url) {
            let base = self
                .layout
                .work_tree
                .as_deref()
                .unwrap_or(&self.layout.common_dir);
            let path = base.join(path).canonicalize().map_err(|_| refused())?;
            let inside = [self.work_tree(), Some(self.layout.common_dir.as_path())];
            if inside
                .into_iter()
                .flatten()
                .any(|folder| path.starts_with(folder))
            {
                return Err(refused());
            }
            let url = path.to_str().ok_or_else(refused)?.to_owned();
            return Ok(Remote { url, shown });
        }
        Ok(Remote {
            url: url.to_owned(),
            shown,
        })
    }
}

/// Returns the path of an address that names a local repository.
fn local_path(url: &str) -> Option<&Path> {
    if let Some(path) = url.strip_prefix("file://") {
        return Some(Path::new(path));
    }
    let scheme_or_host =
        url.contains("://") || url.split_once(':').is_some_and(|(host, _)| !host.contains('/'));
    (!scheme_or_host).then(|| Path::new(url))
}

/// Writes an address as a URI without user, password, query and fragment; `host:path` becomes `ssh://host/path`, a
/// trailing `.git` of a network address is dropped. `None` when it is of a kind that is not talked to.
pub(crate) fn uri(url: &str) -> Option<String> {
    if url.is_empty() || url.starts_with('-') || url.chars().any(|c| c.is_control() || c == ' ') {
        return None;
    }
    if url.contains("::") {
        return None;
    }
    if let Some(path) = local_path(url) {
        let path = path.to_str()?;
        return Some(if path.starts_with('/') {
            format!("file://{path}")
        } else {
            format!("file:{path}")
        });
    }
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme @ ("https" | "ssh"), rest)) => (scheme, rest.to_owned()),
        Some(("http", rest)) => ("http", rest.to_owned()),
        Some(_) => return None,
        None => {
            let (host, path) = url.split_once(':')?;
            ("ssh", format!("{host}/{}", path.trim_start_matches('/')))
        }
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
        .to_ascii_lowercase();
    if host.is_empty() || host.starts_with('-') {
        return None;
    }
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    Some(if path.is_empty() {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}/{path}")
    })
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn addresses_lose_their_secrets_and_keep_their_meaning() {
        for (url, expected) in [
            (
                "https://user:token@GitHub.com/acme/app.git?x=1#y",
                "https://github.com/acme/app",
            ),
            ("https://github.com/acme/app/", "https://github.com/acme/app"),
            ("git@github.com:acme/app.git", "ssh://github.com/acme/app"),
            ("ssh://git@host:2222/acme/app.git", "ssh://host:2222/acme/app"),
            ("/srv/git/app.git", "file:///srv/git/app.git"),
            ("file:///srv/git/app.git", "file:///srv/git/app.git"),
            ("../app", "file:../app"),
        ] {
            assert_eq!(uri(url).as_deref(), Some(expected), "{url}");
        }
        for bad in [
            "ext::sh -c x",
            "ext::x",
            "-oProxyCommand=x",
            "ssh://-o/x",
            "git://host/x",
            "",
            "a\nb",
            "https://",
        ] {
            assert_eq!(uri(bad), None, "{bad}");
        }
    }
}
