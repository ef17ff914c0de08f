//! Whether a statement is about this repository.
//!
//! Two URIs name one repository when they are equal after: dropping `git+` and the scheme (`https`, `http`, `ssh`,
//! `git` only; others stay), turning `user@host:path` into `host/path`, dropping user, password, a port that is the
//! scheme's own, query and fragment, lower-casing the host, and dropping slashes and one `.git` at the end. The path
//! keeps its case. A URI that leads to nothing names no repository.

use touchmark_statement::git_id::GitCommitId;

/// Begins the URI of a repository without remote; its root commit follows.
const ROOT_PREFIX: &str = "urn:touchmark:root:";
/// Schemes that lead to one repository on one host, each with its own port.
const SCHEMES: [(&str, &str); 4] = [
    ("https://", ":443"),
    ("http://", ":80"),
    ("ssh://", ":22"),
    ("git://", ":9418"),
];

/// A repository, by all the names under which the verifier knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryIdentity {
    /// Where it is to be had.
    pub uris: Vec<String>,
    /// The commits without parents that its history begins with.
    pub root_commits: Vec<GitCommitId>,
}

impl RepositoryIdentity {
    /// Tells whether a statement with this repository URI is about this repository.
    pub fn is_named_by(&self, uri: &str) -> bool {
        if let Some(root) = uri.strip_prefix(ROOT_PREFIX) {
            return self.root_commits.iter().any(|commit| commit.as_str() == root);
        }
        let Some(normal) = normal_uri(uri) else {
            return false;
        };
        self.uris
            .iter()
            .any(|known| normal_uri(known).as_ref() == Some(&normal))
    }
}

/// Returns the one spelling of a repository URI, without scheme; `None` if it names nothing.
pub fn normal_uri(uri: &str) -> Option<String> {
    let uri = uri.strip_prefix("git+").unwrap_or(uri);
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    let scheme = SCHEMES.iter().find(|(scheme, _)| {
        uri.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let (authority, path) = match scheme {
        Some((scheme, _)) => uri[scheme.len()..].split_once('/')?,
        None if uri.contains("://") => return Some(trim_end(uri)?.to_owned()),
        // The short form of ssh, user@host:path; the first colon comes before any slash.
        None => uri
            .split_once(':')
            .filter(|(host, _)| host.contains('@') && !host.contains('/'))?,
    };
    let host = authority
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let port = scheme.map_or(":22", |(_, port)| port);
    let host = host.strip_suffix(port).unwrap_or(&host);
    let path = trim_end(path.trim_start_matches('/'))?;
    (!host.is_empty()).then(|| format!("{host}/{path}"))
}

fn trim_end(path: &str) -> Option<&str> {
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_many_spellings() {
        for uri in [
            "https://github.com/acme/App",
            "https://GitHub.com/acme/App.git",
            "HTTPS://token@github.com:443/acme/App/",
            "git+https://github.com/acme/App.git?ref=main#readme",
            "ssh://git@github.com/acme/App.git",
            "ssh://git@github.com:22/acme/App.git",
            "git@github.com:acme/App.git",
        ] {
            assert_eq!(normal_uri(uri).as_deref(), Some("github.com/acme/App"), "{uri}");
        }
    }

    #[test]
    fn case_147_another_repository_stays_another_one() {
        let acme = RepositoryIdentity {
            uris: vec!["https://github.com/acme/app".to_owned()],
            root_commits: vec!["1".repeat(40).parse().unwrap()],
        };
        assert!(acme.is_named_by("git@github.com:acme/app.git"));
        assert!(acme.is_named_by(&format!("urn:touchmark:root:{}", "1".repeat(40))));
        for uri in [
            "https://github.com/mallory/app",
            "https://github.com/acme/App",
            "https://github.com/acme/app/fork",
            "https://github.com:8443/acme/app",
            "https://github.com.evil.example/acme/app",
            "https://evil.example/github.com/acme/app",
            "https://github.com@evil.example/acme/app",
            "file:///github.com/acme/app",
            "urn:touchmark:root:2222222222222222222222222222222222222222",
            "urn:touchmark:root:",
            "github.com/acme/app",
            "https://github.com",
            "https:///acme/app",
            "",
        ] {
            assert!(!acme.is_named_by(uri), "{uri}");
        }
    }
}
