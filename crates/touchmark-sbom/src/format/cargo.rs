//! `Cargo.lock`, versions 1 to 4.
//!
//! Read from its TOML rather than through the crate `cargo-lock`, which looks through all packages for each edge, and
//! for each package through all checksums of version 1: a lockfile made for it would take hours. Tests hold the two
//! against each other.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::LockfileError;
use crate::integrity::{fragment, plain_address, plain_hex};
use crate::package::{Algorithm, Origin};
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value::{self, list, string, table};

const CRATES_IO: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
];

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let document = value::toml(bytes)?;
    match document.get("version") {
        None => {}
        Some(version) if version.as_u64().is_some_and(|version| (1..=4).contains(&version)) => {}
        Some(version) => {
            return Err(LockfileError::Version {
                found: version.to_string(),
            });
        }
    }
    let mut reading = Reading::new(Ecosystem::Cargo);
    let checksums: HashMap<&str, &str> = table(&document, "metadata")
        .filter_map(|(key, value)| Some((key.strip_prefix("checksum ")?, value.as_str()?)))
        .collect();
    let mut index = Index::default();
    let mut added = Vec::new();
    // Before workspaces were known, the package of the tree itself stood apart.
    let root = document.get("root").into_iter();
    for package in root.chain(list(&document, "package")) {
        let position = add(package, &checksums, &mut reading)?;
        if let Some(position) = position {
            index.insert(package, position);
            if string(package, "source").is_none() {
                reading.direct(position);
            }
        }
        added.push((package, position));
    }
    reading.has_direct();
    for (package, position) in added {
        let Some(position) = position else { continue };
        reading.has_edges(position);
        let dependencies = list(package, "dependencies").iter();
        for dependency in dependencies.chain(package.get("replace")) {
            let on = dependency.as_str().and_then(|text| index.find(text));
            reading.depends(position, on)?;
        }
    }
    Ok(reading.finish())
}

fn add(
    package: &Value,
    checksums: &HashMap<&str, &str>,
    reading: &mut Reading,
) -> Result<Option<usize>, LockfileError> {
    let (Some(name), Some(version)) = (string(package, "name"), string(package, "version")) else {
        return Err(LockfileError::Shape {
            what: "the name or version of a package",
        });
    };
    let source = string(package, "source");
    let in_metadata = || {
        let source = source?;
        checksums
            .get(format!("{name} {version} ({source})").as_str())
            .copied()
    };
    let checksum = string(package, "checksum").or_else(in_metadata);
    let mut draft = Draft::new(name, Some(version));
    draft.origin = origin(source);
    draft.hashes = checksum
        .and_then(|digits| plain_hex(Algorithm::Sha256, digits))
        .into_iter()
        .collect();
    reading.add(draft)
}

fn origin(source: Option<&str>) -> Origin {
    let Some(source) = source else {
        return Origin::Local { path: ".".to_owned() };
    };
    if CRATES_IO.contains(&source) {
        return Origin::Registry;
    }
    match source.split_once('+') {
        Some(("git", address)) => Origin::Git {
            url: plain_address(address),
            revision: fragment(address).map(str::to_owned),
        },
        Some(("path", path)) => Origin::Local {
            path: path.to_owned(),
        },
        other => {
            let address = plain_address(other.map_or(source, |(_, address)| address));
            Origin::OtherRegistry {
                url: address.trim_end_matches('/').to_owned(),
            }
        }
    }
}

/// Finds packages by what dependencies call them: `name`, `name version` or `name version (source)`.
#[derive(Default)]
struct Index<'a> {
    by_name: HashMap<&'a str, usize>,
    by_version: HashMap<(&'a str, &'a str), usize>,
    by_source: HashMap<(&'a str, &'a str, &'a str), usize>,
}

impl<'a> Index<'a> {
    fn insert(&mut self, package: &'a Value, position: usize) {
        let name = string(package, "name").unwrap_or_default();
        let version = string(package, "version").unwrap_or_default();
        self.by_name.entry(name).or_insert(position);
        self.by_version.entry((name, version)).or_insert(position);
        if let Some(source) = string(package, "source") {
            self.by_source
                .entry((name, version, without_revision(source)))
                .or_insert(position);
        }
    }

    fn find(&self, text: &str) -> Option<usize> {
        let mut words = text.splitn(3, ' ');
        let name = words.next()?;
        let Some(version) = words.next() else {
            return self.by_name.get(name).copied();
        };
        let source = words
            .next()
            .and_then(|source| source.strip_prefix('(')?.strip_suffix(')'));
        source
            .and_then(|source| self.by_source.get(&(name, version, without_revision(source))))
            .or_else(|| self.by_version.get(&(name, version)))
            .copied()
    }
}

/// A dependency names a git source without the commit.
fn without_revision(source: &str) -> &str {
    source.split_once('#').map_or(source, |(source, _)| source)
}
