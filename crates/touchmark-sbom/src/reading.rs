//! What one lockfile says, collected within bounds.

use std::collections::BTreeSet;

use crate::error::LockfileError;
use crate::limits::{
    MAX_ADDRESS_BYTES, MAX_EDGES, MAX_HASHES, MAX_NAME_BYTES, MAX_PACKAGES, MAX_VERSION_BYTES,
};
use crate::package::{Artifact, Hash, Origin, Package, Scope};
use crate::purl::{Ecosystem, purl_with};

/// The most look-ups while names are followed to packages, a long name being several.
const MAX_LOOK_UPS: usize = 20_000_000;
/// How much of a name one look-up takes.
const LOOK_UP_BYTES: usize = 64;

/// What one lockfile says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// The packages, in the order of the lockfile.
    pub packages: Vec<Package>,
    /// The packages that the tree itself asks for, by position; absent where the lockfile does not say.
    pub direct: Option<Vec<usize>>,
    /// Whether everything that is needed is listed, as far as the format goes.
    pub complete: bool,
    /// Entries that were not understood: a package without a usable name, or an edge to nothing.
    pub skipped: u64,
}

/// A package that is being added.
#[derive(Debug, Default)]
pub(crate) struct Draft<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: Option<&'a str>,
    pub(crate) requirement: Option<String>,
    pub(crate) origin: Origin,
    pub(crate) qualifiers: Vec<(&'static str, String)>,
    pub(crate) hashes: Vec<Hash>,
    pub(crate) files: Vec<Artifact>,
    pub(crate) scope: Scope,
    pub(crate) notes: Vec<(&'static str, String)>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(name: &'a str, version: Option<&'a str>) -> Self {
        Self {
            name,
            version,
            ..Self::default()
        }
    }
}

/// A resolution that is being collected.
#[derive(Debug)]
pub(crate) struct Reading {
    ecosystem: Ecosystem,
    resolution: Resolution,
    direct: BTreeSet<usize>,
    has_direct: bool,
    edges: usize,
    look_ups: usize,
}

impl Reading {
    /// Begins. Whether the lockfile is complete and says what is direct is set by the format's reader.
    pub(crate) fn new(ecosystem: Ecosystem) -> Self {
        Self {
            ecosystem,
            resolution: Resolution {
                complete: true,
                ..Resolution::default()
            },
            direct: BTreeSet::new(),
            has_direct: false,
            edges: 0,
            look_ups: 0,
        }
    }

    /// Adds a package and returns its position; one whose name no package can have is counted and left out.
    pub(crate) fn add(&mut self, draft: Draft<'_>) -> Result<Option<usize>, LockfileError> {
        if self.resolution.packages.len() >= MAX_PACKAGES {
            return Err(LockfileError::TooManyEntries);
        }
        let is_usable = |text: &str, most: usize| {
            !text.is_empty() && text.len() <= most && !text.chars().any(char::is_control)
        };
        let version = draft.version.filter(|version| !version.is_empty());
        let usable = is_usable(draft.name, MAX_NAME_BYTES)
            && version.is_none_or(|version| is_usable(version, MAX_VERSION_BYTES))
            && address(&draft.origin).is_none_or(|address| is_usable(address, MAX_ADDRESS_BYTES));
        if !usable {
            self.skip();
            return Ok(None);
        }
        let purl = purl_with(
            self.ecosystem,
            draft.name,
            version,
            &draft.origin,
            &draft.qualifiers,
        );
        if purl.is_none() && !matches!(draft.origin, Origin::Local { .. }) {
            self.skip();
            return Ok(None);
        }
        let mut package = Package {
            name: draft.name.to_owned(),
            version: version.map(str::to_owned),
            requirement: draft
                .requirement
                .filter(|text| is_usable(text, MAX_VERSION_BYTES)),
            origin: draft.origin,
            purl,
            hashes: draft.hashes,
            files: draft.files,
            scope: draft.scope,
            dependencies: None,
            notes: draft.notes,
        };
        package
            .notes
            .retain(|(_, value)| is_usable(value, MAX_ADDRESS_BYTES));
        package
            .files
            .retain(|file| is_usable(&file.location, MAX_ADDRESS_BYTES));
        if package.hashes.len() > MAX_HASHES || package.files.len() > MAX_HASHES {
            self.skip();
        }
        package.hashes.truncate(MAX_HASHES);
        package.files.truncate(MAX_HASHES);
        package.hashes.sort();
        package.hashes.dedup();
        package.files.sort();
        package.files.dedup();
        self.resolution.packages.push(package);
        Ok(Some(self.resolution.packages.len() - 1))
    }

    /// Says that the lockfile tells what this package depends on, be it nothing.
    pub(crate) fn has_edges(&mut self, from: usize) {
        if let Some(package) = self.resolution.packages.get_mut(from) {
            package.dependencies.get_or_insert_default();
        }
    }

    /// Adds an edge; one to nothing is counted and left out.
    pub(crate) fn depends(&mut self, from: usize, on: Option<usize>) -> Result<(), LockfileError> {
        self.edges += 1;
        if self.edges > MAX_EDGES {
            return Err(LockfileError::TooManyEntries);
        }
        self.has_edges(from);
        match (self.resolution.packages.get_mut(from), on) {
            (Some(package), Some(on)) => package.dependencies.get_or_insert_default().push(on),
            _ => self.skip(),
        }
        Ok(())
    }

    /// Says that the lockfile tells what is asked for directly.
    pub(crate) fn has_direct(&mut self) {
        self.has_direct = true;
    }

    /// Adds a package that is asked for directly.
    pub(crate) fn direct(&mut self, package: usize) {
        self.has_direct = true;
        self.direct.insert(package);
    }

    /// Counts an entry that was not understood.
    pub(crate) fn skip(&mut self) {
        self.resolution.skipped += 1;
    }

    /// Says that the format does not list everything.
    pub(crate) fn is_partial(&mut self) {
        self.resolution.complete = false;
    }

    /// Counts one look-up of a name of so many bytes, so that names that lead through each other end.
    pub(crate) fn look_up(&mut self, bytes: usize) -> Result<(), LockfileError> {
        self.look_ups += 1 + bytes / LOOK_UP_BYTES;
        if self.look_ups > MAX_LOOK_UPS {
            return Err(LockfileError::TooManyEntries);
        }
        Ok(())
    }

    /// Returns what was added at a position.
    pub(crate) fn package(&self, position: usize) -> Option<&Package> {
        self.resolution.packages.get(position)
    }

    /// Sets each package's scope by what leads to it: what is reached from `required` is required, else what is
    /// reached from `optional`, else development. A package that nothing leads to stays required.
    pub(crate) fn scopes_from(&mut self, required: &[usize], optional: &[usize], development: &[usize]) {
        let mut scopes = vec![None; self.resolution.packages.len()];
        for (roots, scope) in [
            (required, Scope::Required),
            (optional, Scope::Optional),
            (development, Scope::Development),
        ] {
            let mut open = roots.to_vec();
            while let Some(position) = open.pop() {
                let Some(known @ None) = scopes.get_mut(position) else {
                    continue;
                };
                *known = Some(scope);
                let package = self.resolution.packages.get(position);
                open.extend(
                    package
                        .and_then(|package| package.dependencies.as_ref())
                        .into_iter()
                        .flatten(),
                );
            }
        }
        for (package, scope) in self.resolution.packages.iter_mut().zip(scopes) {
            package.scope = scope.unwrap_or(package.scope);
        }
    }

    /// Ends.
    pub(crate) fn finish(mut self) -> Resolution {
        for package in &mut self.resolution.packages {
            if let Some(dependencies) = &mut package.dependencies {
                dependencies.sort_unstable();
                dependencies.dedup();
            }
        }
        self.resolution.direct = self.has_direct.then(|| self.direct.into_iter().collect());
        self.resolution
    }
}

fn address(origin: &Origin) -> Option<&str> {
    match origin {
        Origin::Registry => None,
        Origin::OtherRegistry { url } | Origin::Git { url, .. } | Origin::Archive { url } => Some(url),
        Origin::Local { path } => Some(path),
    }
}
