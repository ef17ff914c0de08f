//! `pnpm-lock.yaml`, versions 5, 6 and 9.
//!
//! A package's key is `/name/version_peers` in version 5, `/name@version(peers)` in 6 and `name@version(peers)` in 9,
//! where `packages` holds what is the same for all peers and `snapshots` the edges.

use std::collections::HashMap;

use serde_json::Value;

use super::npm::split_name;
use crate::error::LockfileError;
use crate::integrity::{plain_address, subresource};
use crate::package::{Origin, Scope};
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value::{self, flag, string, table};

/// The generations of the format.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Generation {
    Five,
    Six,
    Nine,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let mut reading = Reading::new(Ecosystem::Npm);
    let documents = value::yaml_documents(bytes)?;
    if documents.is_empty() {
        return Err(LockfileError::Yaml { line: 1 });
    }
    // pnpm 11 keeps what it needs itself in a document of its own before the tree's.
    for document in &documents {
        read_document(document, &mut reading)?;
    }
    Ok(reading.finish())
}

fn read_document(document: &Value, reading: &mut Reading) -> Result<(), LockfileError> {
    let version = string(document, "lockfileVersion").unwrap_or_default();
    let generation = match version.split('.').next().unwrap_or_default() {
        "5" => Generation::Five,
        "6" => Generation::Six,
        "9" => Generation::Nine,
        _ => {
            return Err(LockfileError::Version {
                found: version.to_owned(),
            });
        }
    };
    let mut index = HashMap::new();
    for (key, entry) in table(document, "packages") {
        let draft = draft(key, entry, generation);
        if let Some(position) = reading.add(draft)? {
            index.insert(key.as_str(), position);
        }
    }
    let with_edges = if generation == Generation::Nine {
        "snapshots"
    } else {
        "packages"
    };
    for (key, entry) in table(document, with_edges) {
        let Some(from) = find(key, &index) else {
            // Where both tables are one, it was counted above.
            if generation == Generation::Nine {
                reading.skip();
            }
            continue;
        };
        reading.has_edges(from);
        for edges in ["dependencies", "optionalDependencies"] {
            for (name, value) in table(entry, edges) {
                let value = value.as_str().unwrap_or_default();
                let on = resolve(name, value, generation, &index);
                // An optional package for another platform is not always listed.
                if on.is_some() || edges == "dependencies" && !value.starts_with("link:") {
                    reading.depends(from, on)?;
                }
            }
        }
    }
    importers(document, generation, &index, reading)
}

fn draft<'a>(key: &'a str, entry: &'a Value, generation: Generation) -> Draft<'a> {
    let (name, version) = named(key, generation);
    // Without a version, what looks like a name may be part of an address.
    let is_whole = version.starts_with(|first: char| first.is_ascii_digit()) || version.contains(':');
    let name = string(entry, "name").unwrap_or(if is_whole { name } else { "" });
    let resolution = entry.get("resolution").unwrap_or(&Value::Null);
    let is_address = version.contains(':') || version.contains('/');
    let stated = string(entry, "version");
    let mut draft = Draft::new(name, stated.or((!is_address).then_some(version)));
    draft.origin = origin(name, version, resolution);
    draft.hashes = string(resolution, "integrity")
        .map(subresource)
        .unwrap_or_default();
    draft.scope = match (flag(entry, "dev"), flag(entry, "optional")) {
        (true, _) => Scope::Development,
        (false, true) => Scope::Optional,
        _ => Scope::Required,
    };
    draft
}

fn origin(name: &str, version: &str, resolution: &Value) -> Origin {
    match string(resolution, "type") {
        Some("git") => {
            return Origin::Git {
                url: plain_address(string(resolution, "repo").unwrap_or_default()),
                revision: string(resolution, "commit").map(str::to_owned),
            };
        }
        Some("directory") => {
            return Origin::Local {
                path: string(resolution, "directory").unwrap_or(".").to_owned(),
            };
        }
        _ => {}
    }
    if let Some(tarball) = string(resolution, "tarball") {
        return super::npm::origin(name, tarball);
    }
    if let Some(path) = version
        .strip_prefix("file:")
        .or_else(|| version.strip_prefix("link:"))
    {
        return Origin::Local {
            path: path.to_owned(),
        };
    }
    if version.contains("://") {
        return super::npm::origin(name, version);
    }
    match string(resolution, "registry") {
        Some(registry) => Origin::OtherRegistry {
            url: plain_address(registry.trim_end_matches('/')),
        },
        None => Origin::Registry,
    }
}

/// Returns name and version of a package's key.
fn named(key: &str, generation: Generation) -> (&str, &str) {
    let bare = key.split_once('(').map_or(key, |(bare, _)| bare);
    let plain = bare.strip_prefix('/').unwrap_or(bare);
    if generation != Generation::Five {
        return split_name(plain).unwrap_or((plain, ""));
    }
    if plain.contains(':') && !bare.starts_with('/') {
        return ("", bare);
    }
    // Without a slash at the beginning, the first part is a host.
    let plain = match plain.split_once('/') {
        Some((_, rest)) if !bare.starts_with('/') => rest,
        _ => plain,
    };
    let name_ends = if plain.starts_with('@') {
        plain.match_indices('/').nth(1).map(|(at, _)| at)
    } else {
        plain.find('/')
    };
    let (name, version) = name_ends.map_or((plain, ""), |at| (&plain[..at], &plain[at + 1..]));
    (
        name,
        version.split_once('_').map_or(version, |(version, _)| version),
    )
}

fn find(key: &str, index: &HashMap<&str, usize>) -> Option<usize> {
    let bare = || index.get(key.split_once('(')?.0);
    index.get(key).or_else(bare).copied()
}

/// Finds the package that `name: value` leads to.
fn resolve(name: &str, value: &str, generation: Generation, index: &HashMap<&str, usize>) -> Option<usize> {
    let composed = match generation {
        Generation::Five => format!("/{name}/{value}"),
        Generation::Six => format!("/{name}@{value}"),
        Generation::Nine => format!("{name}@{value}"),
    };
    find(&composed, index).or_else(|| find(value, index))
}

/// The tables of what is asked for: needed, optional, for development.
const KINDS: [(&str, usize); 5] = [
    ("dependencies", 0),
    ("optionalDependencies", 1),
    ("devDependencies", 2),
    ("configDependencies", 2),
    ("packageManagerDependencies", 2),
];

/// Reads what the tree asks for: one table for each of its packages, or one for all.
fn importers(
    document: &Value,
    generation: Generation,
    index: &HashMap<&str, usize>,
    reading: &mut Reading,
) -> Result<(), LockfileError> {
    let root = ".".to_owned();
    let alone = [(&root, document)];
    let many = document.get("importers").is_some();
    let importers: Vec<(&String, &Value)> = if many {
        table(document, "importers").collect()
    } else {
        alone.to_vec()
    };
    let mut positions = HashMap::new();
    for (path, _) in importers.iter().filter(|(path, _)| *path != ".") {
        let mut draft = Draft::new(path, None);
        draft.origin = Origin::Local {
            path: (*path).clone(),
        };
        if let Some(position) = reading.add(draft)? {
            positions.insert(path.as_str(), position);
            reading.direct(position);
            reading.has_edges(position);
        }
    }
    reading.has_direct();
    let mut roots = [Vec::new(), Vec::new(), Vec::new()];
    for (path, importer) in importers {
        let from = positions.get(path.as_str()).copied();
        for (key, kind) in KINDS {
            for (name, value) in table(importer, key) {
                let value = value
                    .as_str()
                    .or_else(|| string(value, "version"))
                    .unwrap_or_default();
                let on = match value.strip_prefix("link:") {
                    Some(link) => linked(path, link).and_then(|path| positions.get(path.as_str()).copied()),
                    None => resolve(name, value, generation, index),
                };
                match (from, on) {
                    (Some(from), Some(on)) => reading.depends(from, Some(on))?,
                    (None, Some(on)) => reading.direct(on),
                    // A folder that is no package of the workspace.
                    (_, None) if value.starts_with("link:") || key.starts_with("optional") => {}
                    (_, None) => reading.skip(),
                }
                roots[kind].extend(on);
            }
        }
    }
    if generation == Generation::Nine {
        let [required, optional, development] = roots;
        // Packages of the tree are no roots of their own: what they need for development alone is not required.
        reading.scopes_from(&required, &optional, &development);
    }
    Ok(())
}

/// Returns the folder that a link leads to from a package's folder.
fn linked(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = if from == "." {
        Vec::new()
    } else {
        from.split('/').collect()
    };
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}
