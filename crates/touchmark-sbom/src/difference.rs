//! What differs between the lockfiles of two trees.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use touchmark_statement::repo_path::RepoPath;

use crate::inventory::{Inventory, Lockfile};
use crate::package::{Algorithm, Hash, Package};
use crate::reading::Resolution;

/// What differs between the lockfiles of two trees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The packages that differ, by lockfile, package URL and version.
    pub rows: Vec<Row>,
    /// The lockfiles that no rows can be told of, or not all.
    pub unread: Vec<Unread>,
}

/// One package that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The lockfile that says so.
    pub manifest: RepoPath,
    /// The package URL, without version.
    pub purl: String,
    /// The version in base; absent where the package was added. Where no version is pinned, what is asked for.
    pub from: Option<String>,
    /// The version in the proposed tree; absent where the package was removed. The same as in base where only the
    /// hashes differ.
    pub to: Option<String>,
}

/// A lockfile of which not everything is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// The lockfile.
    pub manifest: RepoPath,
    /// Whether it is the base tree's; else it is the proposed tree's.
    pub in_base: bool,
    /// Why it was not read, as a stable code, or `lockfile.skipped` where single entries were not understood.
    pub reason: &'static str,
}

impl Difference {
    /// Compares two trees.
    pub fn between(base: &Inventory, proposed: &Inventory) -> Self {
        let mut difference = Self::default();
        let mut pairs: BTreeMap<&RepoPath, [Option<&Lockfile>; 2]> = BTreeMap::new();
        for (side, inventory) in [base, proposed].into_iter().enumerate() {
            for lockfile in inventory.lockfiles() {
                pairs.entry(&lockfile.path).or_default()[side] = Some(lockfile);
            }
        }
        for (path, sides) in pairs {
            for (side, lockfile) in sides.into_iter().enumerate() {
                let reason = lockfile.and_then(Lockfile::code);
                difference.unread.extend(reason.map(|reason| Unread {
                    manifest: path.clone(),
                    in_base: side == 0,
                    reason,
                }));
            }
            let [from, to] = sides.map(|lockfile| lockfile.map(|lockfile| lockfile.outcome.as_ref()));
            match (from, to) {
                // What one side cannot tell is neither added nor removed.
                (Some(Err(_)), _) | (_, Some(Err(_))) => {}
                (Some(Ok(from)), Some(Ok(to))) if Arc::ptr_eq(from, to) => {}
                (from, to) => difference.compare(
                    path,
                    from.and_then(Result::ok).map(AsRef::as_ref),
                    to.and_then(Result::ok).map(AsRef::as_ref),
                ),
            }
        }
        difference
    }

    fn compare(&mut self, manifest: &RepoPath, from: Option<&Resolution>, to: Option<&Resolution>) {
        let (from, to) = (versions(from), versions(to));
        let purls: BTreeSet<&str> = from.keys().chain(to.keys()).copied().collect();
        let none = Versions::new();
        for purl in purls {
            let (from, to) = (from.get(purl).unwrap_or(&none), to.get(purl).unwrap_or(&none));
            let mut row = |from: Option<&str>, to: Option<&str>| {
                self.rows.push(Row {
                    manifest: manifest.clone(),
                    purl: purl.to_owned(),
                    from: from.map(str::to_owned),
                    to: to.map(str::to_owned),
                });
            };
            let removed: Vec<&str> = from
                .keys()
                .filter(|key| !to.contains_key(*key))
                .copied()
                .collect();
            let added: Vec<&str> = to
                .keys()
                .filter(|key| !from.contains_key(*key))
                .copied()
                .collect();
            match (removed.as_slice(), added.as_slice()) {
                ([old], [new]) => row(Some(old), Some(new)),
                // Which of several versions became which is not known.
                (removed, added) => {
                    removed.iter().for_each(|old| row(Some(old), None));
                    added.iter().for_each(|new| row(None, Some(new)));
                }
            }
            for (version, hashes) in from {
                if to.get(version).is_some_and(|now| contradict(hashes, now)) {
                    row(Some(version), Some(version));
                }
            }
        }
    }
}

type Versions<'a> = BTreeMap<&'a str, BTreeSet<&'a Hash>>;

fn versions(resolution: Option<&Resolution>) -> BTreeMap<&str, Versions<'_>> {
    let mut versions: BTreeMap<&str, Versions<'_>> = BTreeMap::new();
    for package in resolution.iter().flat_map(|resolution| &resolution.packages) {
        // What is part of the tree itself is told by its paths.
        let Some(purl) = &package.purl else { continue };
        let hashes = versions
            .entry(&purl.unversioned)
            .or_default()
            .entry(label(package))
            .or_default();
        hashes.extend(all_hashes(package));
    }
    versions
}

fn label(package: &Package) -> &str {
    let stated = package.version.as_deref().or(package.requirement.as_deref());
    stated.unwrap_or("*")
}

pub(crate) fn all_hashes(package: &Package) -> impl Iterator<Item = &Hash> {
    package
        .hashes
        .iter()
        .chain(package.files.iter().flat_map(|file| &file.hashes))
}

/// Returns whether two sets of hashes cannot be of the same files: an algorithm is in both, and no value of it.
pub(crate) fn contradict(one: &BTreeSet<&Hash>, other: &BTreeSet<&Hash>) -> bool {
    let (few, many) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    let mut shared: BTreeMap<Algorithm, bool> = BTreeMap::new();
    for hash in few {
        *shared.entry(hash.algorithm).or_default() |= many.contains(*hash);
    }
    shared.into_iter().any(|(algorithm, is_shared)| {
        let first = Hash {
            algorithm,
            hex: String::new(),
        };
        let in_many = || many.range::<Hash, _>(&first..).next();
        !is_shared && in_many().is_some_and(|hash| hash.algorithm == algorithm)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::Files;

    fn lock(packages: &[(&str, &str, char)]) -> Vec<u8> {
        let package = |(name, version, digit): &(&str, &str, char)| {
            let checksum = digit.to_string().repeat(64);
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nchecksum = \"{checksum}\"\n\
                 source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
            )
        };
        packages.iter().map(package).collect::<String>().into_bytes()
    }

    fn rows(
        from: &[(&str, &str, char)],
        to: &[(&str, &str, char)],
    ) -> Vec<(String, Option<String>, Option<String>)> {
        let of = |packages| Files::of([("Cargo.lock", &lock(packages))]).inventory();
        let rows = Difference::between(&of(from), &of(to)).rows.into_iter();
        rows.map(|row| (row.purl, row.from, row.to)).collect()
    }

    fn row(purl: &str, from: Option<&str>, to: Option<&str>) -> (String, Option<String>, Option<String>) {
        (purl.to_owned(), from.map(str::to_owned), to.map(str::to_owned))
    }

    #[test]
    fn versions_are_paired_only_where_that_is_known() {
        let left = "pkg:cargo/left";
        for (from, to, expected) in [
            (vec![("left", "1.0.0", 'a')], vec![("left", "1.0.0", 'a')], vec![]),
            (
                vec![("left", "1.0.0", 'a')],
                vec![("left", "2.0.0", 'a')],
                vec![row(left, Some("1.0.0"), Some("2.0.0"))],
            ),
            (
                vec![("left", "1.0.0", 'a'), ("left", "2.0.0", 'b')],
                vec![("left", "2.0.0", 'b'), ("left", "3.0.0", 'c')],
                vec![row(left, Some("1.0.0"), Some("3.0.0"))],
            ),
            (
                vec![("left", "1.0.0", 'a')],
                vec![("left", "2.0.0", 'b'), ("left", "3.0.0", 'c')],
                vec![
                    row(left, Some("1.0.0"), None),
                    row(left, None, Some("2.0.0")),
                    row(left, None, Some("3.0.0")),
                ],
            ),
            (
                vec![("left", "1.0.0", 'a')],
                vec![("left", "1.0.0", 'b')],
                vec![row(left, Some("1.0.0"), Some("1.0.0"))],
            ),
            (
                vec![("left", "1.0.0", 'a')],
                vec![],
                vec![row(left, Some("1.0.0"), None)],
            ),
        ] {
            assert_eq!(rows(&from, &to), expected);
        }
    }

    #[test]
    fn a_source_that_was_swapped_is_a_removal_and_an_addition() {
        let good = lock(&[("left", "1.0.0", 'a')]);
        let text = String::from_utf8(good.clone()).expect("text");
        let evil = text.replace(
            "registry+https://github.com/rust-lang/crates.io-index",
            "git+https://evil.example/left#0",
        );
        let of = |bytes: &[u8]| Files::of([("Cargo.lock", bytes)]).inventory();
        let rows = Difference::between(&of(&good), &of(evil.as_bytes())).rows;
        let purls: Vec<&str> = rows.iter().map(|row| row.purl.as_str()).collect();
        assert_eq!(
            purls,
            [
                "pkg:cargo/left",
                "pkg:cargo/left?vcs_url=git%2Bhttps:%2F%2Fevil.example%2Fleft%400"
            ]
        );
    }

    #[test]
    fn what_one_side_cannot_tell_is_no_difference_but_is_told() {
        let good = lock(&[("left", "1.0.0", 'a')]);
        let of = |bytes: &[u8]| Files::of([("Cargo.lock", bytes)]).inventory();
        for (base, proposed, in_base) in [
            (of(b"<<<<<<<"), of(&good), true),
            (of(&good), of(b"<<<<<<<"), false),
        ] {
            let difference = Difference::between(&base, &proposed);
            assert_eq!(difference.rows, []);
            assert_eq!(difference.unread.len(), 1);
            assert_eq!(
                (difference.unread[0].in_base, difference.unread[0].reason),
                (in_base, "lockfile.toml")
            );
        }
        // Hashes of another kind, or none, contradict nothing.
        let without = String::from_utf8(good.clone())
            .expect("text")
            .replace("checksum", "ignored");
        assert_eq!(Difference::between(&of(&good), &of(without.as_bytes())).rows, []);
    }
}
