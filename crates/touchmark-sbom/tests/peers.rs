//! What is read in real lockfiles, held against what other tools read there, and the documents against the official
//! JSON Schema of CycloneDX 1.6.
//!
//! `tests/lockfiles/run build` makes the lockfiles with the package managers themselves, and
//! `tests/lockfiles/run -- cargo test -p touchmark-sbom --test peers -- --nocapture` runs this. A test that lacks what
//! it needs says so and passes.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that cannot go on fails the test"
)]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(
    clippy::disallowed_methods,
    reason = "the test finds its material through the environment"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use touchmark_sbom::{Inventory, Kind, Tool, Tree, TreeError};
use touchmark_statement::repo_path::RepoPath;

/// A folder as a tree.
struct Folder(PathBuf);

impl Tree for Folder {
    fn read(&self, path: &RepoPath, _max: u64) -> Result<Option<Vec<u8>>, TreeError> {
        let path = self.0.join(path.to_string());
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TreeError::Unreadable {
                source: Box::new(error),
            }),
        }
    }
}

/// A file under another name, as the samples of other projects are.
struct Renamed(PathBuf, &'static str);

impl Tree for Renamed {
    fn read(&self, path: &RepoPath, _max: u64) -> Result<Option<Vec<u8>>, TreeError> {
        let path = path.to_string();
        let beside = self.0.parent().unwrap().join(&path);
        let real = if path == self.1 { &self.0 } else { &beside };
        Ok(std::fs::read(real).ok())
    }
}

fn tool() -> Tool {
    Tool {
        name: "touchmark".to_owned(),
        version: "0".to_owned(),
    }
}

fn material() -> Option<PathBuf> {
    let folder = std::env::var_os("TOUCHMARK_TEST_LOCKFILES").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: TOUCHMARK_TEST_LOCKFILES names no folder of real lockfiles");
    }
    folder
}

/// Every lockfile that was made, with its folder.
fn made(material: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(material.join("made")).into_iter().flatten() {
        let folder = folder.unwrap().path();
        for file in std::fs::read_dir(&folder).unwrap() {
            let name = file.unwrap().file_name().to_string_lossy().into_owned();
            if Kind::of(name.as_bytes()).is_some() {
                found.push((folder.clone(), name));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no lockfile was made");
    found
}

fn inventory(folder: &Path, name: &str) -> Inventory {
    Inventory::of(&Folder(folder.to_owned()), &[name.parse().unwrap()], &[])
}

/// Package URLs without qualifiers, as both sides spell them alike: other tools say less of where a package comes from.
fn plain(purl: &str) -> String {
    let purl = purl.split('?').next().unwrap_or(purl);
    let purl = purl.replace("%2B", "+").replace("%2b", "+").replace("%40", "@");
    match purl.split_once(':') {
        // Case does not count in names of these, and only some tools fold it.
        Some((_, rest))
            if ["golang/", "npm/", "composer/", "pypi/", "nuget/"]
                .iter()
                .any(|ty| rest.starts_with(ty)) =>
        {
            // The `v` of Go's versions is part of them; not all tools write it.
            purl.to_lowercase().replace("@v", "@")
        }
        _ => purl,
    }
}

fn ours(inventory: &Inventory) -> BTreeSet<String> {
    let resolutions = inventory
        .lockfiles()
        .iter()
        .map(|lockfile| lockfile.outcome.as_ref().unwrap());
    let packages = resolutions.flat_map(|resolution| &resolution.packages);
    packages
        .filter_map(|package| package.purl.as_ref().map(|purl| plain(&purl.full)))
        .collect()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn of_document(path: &Path) -> Option<BTreeSet<String>> {
    let document: Value = serde_json::from_slice(&std::fs::read(path).ok()?).unwrap();
    let components = document["components"].as_array().unwrap();
    Some(
        components
            .iter()
            .filter_map(|component| component["purl"].as_str())
            .map(plain)
            .collect(),
    )
}

/// Compares two sets and says how many they share.
fn same(what: &str, ours: &BTreeSet<String>, theirs: &BTreeSet<String>) {
    let only_ours: Vec<_> = ours.difference(theirs).collect();
    let only_theirs: Vec<_> = theirs.difference(ours).collect();
    assert!(
        only_ours.is_empty() && only_theirs.is_empty(),
        "{what}\n  only here: {only_ours:?}\n  only there: {only_theirs:?}"
    );
    println!("{what}: {} packages, the same", ours.len());
}

#[test]
fn osv_scalibr_reads_the_same_packages() {
    let Some(material) = material() else { return };
    let peer = material.join("peer");
    if !peer.exists() {
        println!("skipped: osv-scalibr is not here");
        return;
    }
    for (folder, name) in made(&material) {
        let inventory = inventory(&folder, &name);
        let lockfile = &inventory.lockfiles()[0];
        let kind = lockfile.kind.name();
        let printed = run(Command::new(&peer).arg(kind).arg(folder.join(&name)));
        let theirs: Value = serde_json::from_str(&printed).unwrap();
        // What is part of the tree has no package URL here.
        let resolution = lockfile.outcome.as_ref().unwrap();
        let own: BTreeSet<&str> = resolution
            .packages
            .iter()
            .filter(|package| package.purl.is_none())
            .map(|package| package.name.as_str())
            .collect();
        let theirs: BTreeSet<String> = theirs["packages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|package| !own.contains(package["name"].as_str().unwrap()))
            .map(|package| plain(package["purl"].as_str().unwrap()))
            .filter(|purl| !purl.starts_with("pkg:golang/stdlib@"))
            .collect();
        let label = format!("{} {name}", folder.file_name().unwrap().to_string_lossy());
        let mut ours = ours(&inventory);
        if folder.ends_with("pnpm-6") {
            // osv-scalibr 0.5.3 loses a scoped package of version 6 whose peer is scoped too.
            let lost = "pkg:npm/@babel/helper-module-transforms@";
            ours.retain(|purl| !purl.starts_with(lost) || theirs.contains(purl));
        }
        same(&label, &ours, &theirs);
    }
}

#[test]
fn package_managers_themselves_list_the_same_packages() {
    let Some(material) = material() else { return };
    for (folder, lock, document) in [
        ("npm-3", "package-lock.json", "npm-sbom.cdx.json"),
        ("uv", "uv.lock", "uv.cdx.json"),
    ] {
        let folder = material.join("made").join(folder);
        let Some(theirs) = of_document(&folder.join(document)) else {
            println!("skipped: {document} is not here");
            continue;
        };
        same(document, &ours(&inventory(&folder, lock)), &theirs);
    }
    let folder = material.join("made/cargo");
    if let Ok(bytes) = std::fs::read(folder.join("metadata.json")) {
        let metadata: Value = serde_json::from_slice(&bytes).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let theirs = packages
            .iter()
            .filter(|package| !package["source"].is_null())
            .map(|package| format!("pkg:cargo/{}@{}", package["name"], package["version"]).replace('"', ""))
            .map(|purl| plain(&purl))
            .collect();
        same(
            "cargo metadata",
            &ours(&inventory(&folder, "Cargo.lock")),
            &theirs,
        );
    }
}

/// The samples of osv-scalibr, read where the module cache keeps them.
#[test]
fn samples_of_osv_scalibr_are_read_as_it_reads_them() {
    let Some(material) = material() else { return };
    let Ok(samples) = std::fs::read_to_string(material.join("samples")) else {
        println!("skipped: the samples of osv-scalibr are not here");
        return;
    };
    let language = Path::new(samples.trim()).join("extractor/filesystem/language");
    let (mut agree, mut differ, mut refused) = (0, Vec::new(), Vec::new());
    for (kind, folder, name) in [
        ("cargo", "rust/cargolock", "Cargo.lock"),
        ("npm", "javascript/packagelockjson", "package-lock.json"),
        ("pnpm", "javascript/pnpmlock", "pnpm-lock.yaml"),
        ("yarn", "javascript/yarnlock", "yarn.lock"),
        ("uv", "python/uvlock", "uv.lock"),
        ("poetry", "python/poetrylock", "poetry.lock"),
        ("pipfile", "python/pipfilelock", "Pipfile.lock"),
        ("gemfile", "ruby/gemfilelock", "Gemfile.lock"),
        ("nuget", "dotnet/packageslockjson", "packages.lock.json"),
        ("gradle", "java/gradlelockfile", "gradle.lockfile"),
        ("composer", "php/composerlock", "composer.lock"),
    ] {
        let mut files: Vec<PathBuf> = std::fs::read_dir(language.join(folder).join("testdata"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        for file in files {
            let label = format!("{kind} {}", file.file_name().unwrap().to_string_lossy());
            let output = Command::new(material.join("peer"))
                .arg(kind)
                .arg(&file)
                .output()
                .unwrap();
            let inventory = Inventory::of(&Renamed(file.clone(), name), &[name.parse().unwrap()], &[]);
            let lockfile = &inventory.lockfiles()[0];
            let resolution = match (&lockfile.outcome, output.status.success()) {
                (Ok(resolution), true) => resolution,
                (Err(_), false) => continue,
                (Err(error), true) => {
                    refused.push(format!("{label}: {}", error.code()));
                    continue;
                }
                (Ok(_), false) => {
                    refused.push(format!("{label}: only there"));
                    continue;
                }
            };
            let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
            let names = |name: &str, version: Option<&str>| {
                format!("{}@{}", name.to_lowercase(), version.unwrap_or(""))
            };
            let theirs: BTreeSet<String> = theirs["packages"]
                .as_array()
                .unwrap()
                .iter()
                .map(|package| names(package["name"].as_str().unwrap(), package["version"].as_str()))
                .collect();
            let ours: BTreeSet<String> = resolution
                .packages
                .iter()
                .map(|package| names(&package.name, package.version.as_deref()))
                .collect();
            if ours == theirs {
                agree += 1;
            } else {
                let only_ours: Vec<_> = ours.difference(&theirs).cloned().collect();
                let only_theirs: Vec<_> = theirs.difference(&ours).cloned().collect();
                differ.push(format!(
                    "{label}: only here {only_ours:?}, only there {only_theirs:?}"
                ));
            }
        }
    }
    println!(
        "samples: {agree} read alike, {} not, {} read by one only",
        differ.len(),
        refused.len()
    );
    for line in differ.iter().chain(&refused) {
        println!("  {line}");
    }
    assert!(agree > 0);
}

#[test]
fn documents_are_valid_under_the_official_schema() {
    let Some(material) = material() else { return };
    let python = material.join("python/bin/python");
    if !python.exists() {
        println!("skipped: the validator of cyclonedx-python-lib is not here");
        return;
    }
    let folder = std::env::temp_dir().join(format!("touchmark-sbom-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut documents = Vec::new();
    let mut write = |name: String, inventory: &Inventory| {
        let path = folder.join(format!("{name}.json"));
        std::fs::write(&path, inventory.cyclonedx(&tool())).unwrap();
        documents.push(path);
    };
    for (folder, name) in made(&material) {
        let label = folder.file_name().unwrap().to_string_lossy().into_owned();
        write(label, &inventory(&folder, &name));
    }
    // All at once, and every sample, with one that cannot be read.
    let root = material.join("made");
    let all: Vec<RepoPath> = made(&material)
        .iter()
        .map(|(folder, name)| {
            let folder = folder.file_name().unwrap().to_string_lossy().into_owned();
            format!("{folder}/{name}").parse().unwrap()
        })
        .chain(["bun.lock".parse().unwrap(), "absent/Cargo.lock".parse().unwrap()])
        .collect();
    write("all".to_owned(), &Inventory::of(&Folder(root), &all, &[]));
    write("none".to_owned(), &Inventory::default());
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/lockfiles");
    for (sample, name) in [
        ("cargo-v4.lock", "Cargo.lock"),
        ("composer-lock.json", "composer.lock"),
        ("gemfile.lock", "Gemfile.lock"),
        ("gradle.txt", "gradle.lockfile"),
        ("npm-v1.json", "package-lock.json"),
        ("npm-v3.json", "package-lock.json"),
        ("nuget.json", "packages.lock.json"),
        ("pip-loose.txt", "requirements.txt"),
        ("pnpm-v9.yaml", "pnpm-lock.yaml"),
        ("poetry-v2.toml", "poetry.lock"),
        ("uv.toml", "uv.lock"),
        ("yarn-v8.lock", "yarn.lock"),
    ] {
        let tree = Renamed(samples.join(sample), name);
        write(
            sample.to_owned(),
            &Inventory::of(&tree, &[name.parse().unwrap()], &[]),
        );
    }
    let script = "import sys\n\
        from cyclonedx.schema import SchemaVersion\n\
        from cyclonedx.validation.json import JsonStrictValidator\n\
        validator = JsonStrictValidator(SchemaVersion.V1_6)\n\
        for path in sys.argv[1:]:\n\
        \x20   error = validator.validate_str(open(path, encoding='utf-8').read())\n\
        \x20   if error: sys.exit(f'{path}: {str(error.data)[:2000]}')\n\
        print(len(sys.argv) - 1, 'documents are valid')\n";
    let printed = run(Command::new(&python)
        .args(["-c", script])
        .args(&documents)
        .stdin(Stdio::null()));
    print!("{printed}");
    assert!(printed.contains(&format!("{} documents", documents.len())));
    std::fs::remove_dir_all(&folder).unwrap();
}
