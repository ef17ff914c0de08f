//! Package URLs, with the rules of each type.

use packageurl::PackageUrl;

use crate::package::Origin;

/// A package URL, with and without its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    /// With the version, where there is one.
    pub full: String,
    /// Without the version: what stays the same when a package is updated.
    pub unversioned: String,
}

/// A type of package URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Ecosystem {
    Cargo,
    Npm,
    PyPi,
    Golang,
    Gem,
    NuGet,
    Maven,
    Composer,
}

impl Ecosystem {
    fn name(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Npm => "npm",
            Self::PyPi => "pypi",
            Self::Golang => "golang",
            Self::Gem => "gem",
            Self::NuGet => "nuget",
            Self::Maven => "maven",
            Self::Composer => "composer",
        }
    }

    /// Splits a name as a lockfile spells it.
    fn split(self, name: &str) -> (Option<String>, String) {
        let parts = |at: Option<(&str, &str)>| {
            at.map_or((None, name.to_owned()), |(space, name)| {
                (Some(space.to_owned()), name.to_owned())
            })
        };
        match self {
            Self::Npm if name.starts_with('@') => parts(name.split_once('/')),
            // The namespace and the name are lowercased, says the type's definition; the registry does not care for case.
            Self::Golang => {
                let lower = name.to_lowercase();
                match lower.rsplit_once('/') {
                    Some((space, name)) => (Some(space.to_owned()), name.to_owned()),
                    None => (None, lower),
                }
            }
            Self::Maven => parts(name.split_once(':')),
            Self::Composer => parts(name.split_once('/')),
            Self::PyPi => (None, pypi_name(name)),
            _ => (None, name.to_owned()),
        }
    }
}

/// Returns the name of a Python project in its normal form: PEP 503.
pub(crate) fn pypi_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}

/// Makes the package URL of a package; none for what is part of the tree, or where the type's rules refuse the name.
pub(crate) fn purl_with(
    ecosystem: Ecosystem,
    name: &str,
    version: Option<&str>,
    origin: &Origin,
    qualifiers: &[(&'static str, String)],
) -> Option<Purl> {
    let (namespace, name) = ecosystem.split(name);
    let mut url = PackageUrl::new(ecosystem.name(), name).ok()?;
    if let Some(namespace) = namespace {
        url.with_namespace(namespace).ok()?;
    }
    match origin {
        Origin::Local { .. } => return None,
        Origin::Registry => {}
        Origin::OtherRegistry { url: address } => {
            url.add_qualifier("repository_url", address.clone()).ok()?;
        }
        Origin::Git {
            url: address,
            revision,
        } => {
            let revision = revision.as_ref().map(|revision| format!("@{revision}"));
            let plain = address.strip_prefix("git+").unwrap_or(address);
            let address = format!("git+{plain}{}", revision.unwrap_or_default());
            url.add_qualifier("vcs_url", address).ok()?;
        }
        Origin::Archive { url: address } => {
            url.add_qualifier("download_url", address.clone()).ok()?;
        }
    }
    for (key, value) in qualifiers {
        url.add_qualifier(*key, value.clone()).ok()?;
    }
    url.validate().ok()?;
    let unversioned = url.to_string();
    if let Some(version) = version {
        url.with_version(version.to_owned()).ok()?;
    }
    Some(Purl {
        full: url.to_string(),
        unversioned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(ecosystem: Ecosystem, name: &str, version: &str) -> String {
        purl_with(ecosystem, name, Some(version), &Origin::Registry, &[])
            .expect("a package URL")
            .full
    }

    #[test]
    fn each_type_has_its_own_rules() {
        for (ecosystem, name, version, expected) in [
            (
                Ecosystem::Cargo,
                "serde_json",
                "1.0.0",
                "pkg:cargo/serde_json@1.0.0",
            ),
            (
                Ecosystem::Npm,
                "@babel/core",
                "7.0.0",
                "pkg:npm/%40babel/core@7.0.0",
            ),
            (Ecosystem::Npm, "left-pad", "1.3.0", "pkg:npm/left-pad@1.3.0"),
            (
                Ecosystem::PyPi,
                "Zope.Interface__x",
                "5",
                "pkg:pypi/zope-interface-x@5",
            ),
            (
                Ecosystem::Golang,
                "github.com/BurntSushi/TOML",
                "v1.2.3+incompatible",
                "pkg:golang/github.com/burntsushi/toml@v1.2.3%2Bincompatible",
            ),
            (Ecosystem::Golang, "example", "v1", "pkg:golang/example@v1"),
            (Ecosystem::Gem, "rails", "7.0", "pkg:gem/rails@7.0"),
            (
                Ecosystem::NuGet,
                "Newtonsoft.Json",
                "13.0.1",
                "pkg:nuget/Newtonsoft.Json@13.0.1",
            ),
            (
                Ecosystem::Maven,
                "org.slf4j:slf4j-api",
                "2.0.0",
                "pkg:maven/org.slf4j/slf4j-api@2.0.0",
            ),
            (
                Ecosystem::Composer,
                "Symfony/Console",
                "v6.0",
                "pkg:composer/symfony/console@v6.0",
            ),
        ] {
            assert_eq!(full(ecosystem, name, version), expected);
        }
    }

    #[test]
    fn where_it_comes_from_is_a_qualifier() {
        let of = |origin: Origin| purl_with(Ecosystem::Cargo, "x", Some("1"), &origin, &[]);
        let git = Origin::Git {
            url: "https://example.com/x.git".to_owned(),
            revision: Some("abc".to_owned()),
        };
        assert_eq!(
            of(git).expect("a package URL").full,
            "pkg:cargo/x@1?vcs_url=git%2Bhttps:%2F%2Fexample.com%2Fx.git%40abc"
        );
        let other = Origin::OtherRegistry {
            url: "https://crates.example.com/index".to_owned(),
        };
        let other = of(other).expect("a package URL");
        assert_eq!(
            other.full,
            "pkg:cargo/x@1?repository_url=https:%2F%2Fcrates.example.com%2Findex"
        );
        assert_eq!(
            other.unversioned,
            "pkg:cargo/x?repository_url=https:%2F%2Fcrates.example.com%2Findex"
        );
        let path = Origin::Local { path: "x".to_owned() };
        assert_eq!(of(path), None);
    }
}
