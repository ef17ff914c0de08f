//! Each format by a lockfile of every generation, with the oddities that each has.

mod hostile;
mod javascript;
mod others;
mod python;

use std::collections::BTreeMap;
use std::path::PathBuf;

use touchmark_statement::repo_path::RepoPath;

use crate::inventory::Inventory;
use crate::package::{Origin, Package, Scope};
use crate::reading::Resolution;
use crate::tree::{Tree, TreeError};
use crate::{Kind, LockfileError};

/// A tree in memory.
#[derive(Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    pub(crate) fn of<const N: usize>(files: [(&str, &[u8]); N]) -> Self {
        Self(
            files
                .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
                .into(),
        )
    }

    pub(crate) fn paths(&self) -> Vec<RepoPath> {
        self.0.keys().filter_map(|path| path.parse().ok()).collect()
    }

    pub(crate) fn inventory(&self) -> Inventory {
        Inventory::of(self, &self.paths(), &[])
    }
}

impl Tree for Files {
    fn read(&self, path: &RepoPath, max: u64) -> Result<Option<Vec<u8>>, TreeError> {
        let bytes = self.0.get(&path.to_string());
        match bytes {
            Some(bytes) if bytes.len() as u64 > max => Err(TreeError::TooLarge),
            bytes => Ok(bytes.cloned()),
        }
    }
}

/// Returns a file of `testdata/lockfiles`.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/lockfiles"));
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every sample with a name under which it is found.
pub(crate) const SAMPLES: [(&str, &str); 20] = [
    ("cargo-v1.lock", "Cargo.lock"),
    ("cargo-v4.lock", "Cargo.lock"),
    ("composer-lock.json", "composer.lock"),
    ("gemfile.lock", "Gemfile.lock"),
    ("go.txt", "go.mod"),
    ("gradle.txt", "gradle.lockfile"),
    ("npm-v1.json", "package-lock.json"),
    ("npm-v3.json", "npm-shrinkwrap.json"),
    ("nuget.json", "packages.lock.json"),
    ("pip-hashed.txt", "requirements.txt"),
    ("pip-loose.txt", "requirements-dev.txt"),
    ("pipfile.json", "Pipfile.lock"),
    ("pnpm-v5.yaml", "pnpm-lock.yaml"),
    ("pnpm-v6.yaml", "pnpm-lock.yaml"),
    ("pnpm-v9.yaml", "pnpm-lock.yaml"),
    ("poetry-v1.toml", "poetry.lock"),
    ("poetry-v2.toml", "poetry.lock"),
    ("uv.toml", "uv.lock"),
    ("yarn-v1.lock", "yarn.lock"),
    ("yarn-v8.lock", "yarn.lock"),
];

/// Reads one lockfile.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Resolution, std::sync::Arc<LockfileError>> {
    let files = Files::of([(name, bytes)]);
    let inventory = files.inventory();
    let [lockfile] = inventory.lockfiles() else {
        panic!("{name} is no lockfile");
    };
    assert_eq!(Some(lockfile.kind), Kind::of(name.as_bytes()));
    lockfile.outcome.clone().map(|resolution| (*resolution).clone())
}

/// Reads a sample and shows it.
pub(crate) fn shown(sample_name: &str) -> Vec<String> {
    let (_, name) = SAMPLES
        .iter()
        .find(|(sample, _)| *sample == sample_name)
        .expect("a sample that is listed");
    show(&read(name, &sample(sample_name)).expect("a good lockfile"))
}

/// One line for each package, and one for the whole.
pub(crate) fn show(resolution: &Resolution) -> Vec<String> {
    let mut lines: Vec<String> = resolution
        .packages
        .iter()
        .map(|package| line(package, &resolution.packages))
        .collect();
    let names = |positions: &Vec<usize>| {
        let names = positions.iter().map(|at| label(&resolution.packages[*at]));
        names.collect::<Vec<_>>().join(" ")
    };
    lines.push(format!(
        "direct: {}; complete: {}; skipped: {}",
        resolution.direct.as_ref().map_or("unknown".to_owned(), names),
        resolution.complete,
        resolution.skipped
    ));
    lines
}

fn label(package: &Package) -> String {
    format!("{}@{}", package.name, package.version.as_deref().unwrap_or("-"))
}

fn line(package: &Package, all: &[Package]) -> String {
    let mut line = match (&package.purl, &package.origin) {
        (Some(purl), _) => purl.full.clone(),
        (None, Origin::Local { path }) => format!("{} in {path}", label(package)),
        (None, origin) => panic!("no package URL for {origin:?}"),
    };
    match package.scope {
        Scope::Required => {}
        Scope::Optional => line.push_str(" optional"),
        Scope::Development => line.push_str(" dev"),
    }
    for hash in &package.hashes {
        line.push_str(&format!(" {}:{}", hash.algorithm.cyclonedx(), &hash.hex[..4]));
    }
    for file in &package.files {
        let hashes = file.hashes.iter().map(|hash| &hash.hex[..4]);
        line.push_str(&format!(" [{} {}]", file.location, hashes.collect::<String>()));
    }
    for (name, value) in &package.notes {
        line.push_str(&format!(" {name}={}", value.chars().take(24).collect::<String>()));
    }
    if let Some(requirement) = &package.requirement {
        line.push_str(&format!(" asks {requirement}"));
    }
    match &package.dependencies {
        None => line.push_str(" -> unknown"),
        Some(on) => {
            for on in on {
                line.push_str(&format!(" -> {}", label(&all[*on])));
            }
        }
    }
    line
}

#[test]
fn every_sample_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/lockfiles");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the samples")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| !matches!(name.as_str(), "README.md" | "go-sum.txt"))
        .collect();
    names.sort();
    assert_eq!(names, SAMPLES.map(|(sample, _)| sample));
    // A sample under a name of its own would be a lockfile of this project.
    assert!(
        names
            .iter()
            .all(|name| Kind::of(format!("testdata/lockfiles/{name}").as_bytes()).is_none())
    );
}
