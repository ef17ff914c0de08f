//! Packages that several lockfiles list, as one component each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use touchmark_statement::repo_path::RepoPath;

use crate::difference::{all_hashes, contradict};
use crate::inventory::Inventory;
use crate::package::{Hash, Origin, Package, Scope};

/// The most components of one package URL whose hashes contradict each other; further ones are counted to the last.
const MAX_VARIANTS: usize = 32;

/// The components of a tree, and what each lockfile asks for directly.
pub(super) struct Merged<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) direct: Vec<BTreeSet<usize>>,
}

/// One component.
pub(super) struct Node<'a> {
    pub(super) package: &'a Package,
    pub(super) reference: String,
    pub(super) manifests: BTreeSet<&'a RepoPath>,
    pub(super) scope: Scope,
    pub(super) hashes: BTreeSet<&'a Hash>,
    pub(super) files: BTreeMap<&'a str, BTreeSet<&'a Hash>>,
    pub(super) notes: BTreeSet<(&'static str, &'a str)>,
    pub(super) dependencies: Option<BTreeSet<usize>>,
    every_hash: BTreeSet<&'a Hash>,
}

impl<'a> Merged<'a> {
    pub(super) fn of(inventory: &'a Inventory) -> Self {
        let mut merged = Self {
            nodes: Vec::new(),
            direct: Vec::new(),
        };
        let mut variants: HashMap<Identity<'a>, Vec<usize>> = HashMap::new();
        for lockfile in inventory.lockfiles() {
            let Ok(resolution) = &lockfile.outcome else {
                merged.direct.push(BTreeSet::new());
                continue;
            };
            let positions: Vec<usize> = resolution
                .packages
                .iter()
                .map(|package| merged.place(package, &lockfile.path, &mut variants))
                .collect();
            for (package, node) in resolution.packages.iter().zip(&positions) {
                if let Some(dependencies) = &package.dependencies {
                    let known = merged.nodes[*node].dependencies.get_or_insert_default();
                    known.extend(dependencies.iter().filter_map(|on| positions.get(*on)));
                }
            }
            merged.direct.push(match &resolution.direct {
                Some(direct) => direct
                    .iter()
                    .filter_map(|on| positions.get(*on))
                    .copied()
                    .collect(),
                None => positions.into_iter().collect(),
            });
        }
        merged.name(&variants);
        merged
    }

    fn place(
        &mut self,
        package: &'a Package,
        manifest: &'a RepoPath,
        variants: &mut HashMap<Identity<'a>, Vec<usize>>,
    ) -> usize {
        let of_one = variants.entry(Identity::of(package, manifest)).or_default();
        let hashes: BTreeSet<&Hash> = all_hashes(package).collect();
        let fits = |node: &&usize| !contradict(&self.nodes[**node].every_hash, &hashes);
        let last = of_one.last().filter(|_| of_one.len() >= MAX_VARIANTS);
        let known = of_one.iter().find(fits).or(last).copied();
        let position = known.unwrap_or_else(|| {
            of_one.push(self.nodes.len());
            self.nodes.push(Node {
                package,
                reference: String::new(),
                manifests: BTreeSet::new(),
                scope: package.scope,
                hashes: BTreeSet::new(),
                files: BTreeMap::new(),
                notes: BTreeSet::new(),
                dependencies: None,
                every_hash: BTreeSet::new(),
            });
            self.nodes.len() - 1
        });
        let node = &mut self.nodes[position];
        node.manifests.insert(manifest);
        node.scope = node.scope.max(package.scope);
        node.hashes.extend(&package.hashes);
        for file in &package.files {
            node.files.entry(&file.location).or_default().extend(&file.hashes);
        }
        let notes = package.notes.iter();
        node.notes
            .extend(notes.map(|(name, value)| (*name, value.as_str())));
        node.every_hash.extend(hashes);
        position
    }

    /// Gives each component its reference: the package URL, with the lockfile where that alone is not one component's.
    fn name(&mut self, variants: &HashMap<Identity<'a>, Vec<usize>>) {
        let mut taken = HashSet::new();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for node in &mut self.nodes {
            let manifest = node.manifests.first().expect("a component has an occurrence");
            let identity = Identity::of(node.package, manifest);
            let is_alone = variants.get(&identity).is_some_and(|nodes| nodes.len() == 1);
            let reference = match &node.package.purl {
                Some(purl) if is_alone => purl.full.clone(),
                Some(purl) => format!("{}#{manifest}", purl.full),
                None => {
                    let version = node.package.version.as_ref();
                    let version = version.map(|version| format!("@{version}")).unwrap_or_default();
                    format!("local:{manifest}#{}{version}", node.package.name)
                }
            };
            let mut unique = reference.clone();
            while !taken.insert(unique.clone()) {
                let number = numbers.entry(reference.clone()).or_insert(1);
                *number += 1;
                unique = format!("{reference}#{number}");
            }
            node.reference = unique;
        }
    }
}

/// What makes two entries the same component. A part of the tree is known by its lockfile, since two can share a name.
#[derive(PartialEq, Eq, Hash)]
enum Identity<'a> {
    Purl(&'a str, &'a str),
    Local(&'a RepoPath, &'a str, Option<&'a str>, &'a Origin),
}

impl<'a> Identity<'a> {
    fn of(package: &'a Package, manifest: &'a RepoPath) -> Self {
        match &package.purl {
            Some(purl) => Self::Purl(&purl.full, &package.name),
            None => Self::Local(
                manifest,
                &package.name,
                package.version.as_deref(),
                &package.origin,
            ),
        }
    }
}
