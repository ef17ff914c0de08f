//! `uv.lock`, version 1.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::LockfileError;
use crate::integrity::{fragment, named_hex, plain_address};
use crate::package::{Artifact, Hash, Origin};
use crate::purl::{Ecosystem, pypi_name};
use crate::reading::{Draft, Reading, Resolution};
use crate::value::{self, list, string, table};

/// The index that is asked when nobody names one.
pub(crate) const PYPI: [&str; 2] = ["https://pypi.org/simple", "https://pypi.python.org/simple"];

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let document = value::toml(bytes)?;
    match document.get("version").and_then(Value::as_u64) {
        Some(1) => {}
        found => {
            let found = found.map_or_else(String::new, |found| found.to_string());
            return Err(LockfileError::Version { found });
        }
    }
    let mut reading = Reading::new(Ecosystem::PyPi);
    let mut index: HashMap<String, Vec<(&Value, usize)>> = HashMap::new();
    let mut added = Vec::new();
    for package in list(&document, "package") {
        let name = string(package, "name").ok_or(LockfileError::Shape {
            what: "the name of a package",
        })?;
        if let Some(position) = reading.add(draft(name, package))? {
            index
                .entry(pypi_name(name))
                .or_default()
                .push((package, position));
            added.push((package, position));
        }
    }
    reading.has_direct();
    let mut required = Vec::new();
    let mut development = Vec::new();
    for (package, from) in added {
        let is_ours = reading
            .package(from)
            .is_some_and(|package| matches!(package.origin, Origin::Local { .. }));
        reading.has_edges(from);
        if is_ours {
            reading.direct(from);
            required.push(from);
        }
        let extras = table(package, "optional-dependencies").flat_map(|(_, list)| list.as_array());
        let dependencies = package.get("dependencies").and_then(Value::as_array);
        for dependency in dependencies.into_iter().chain(extras).flatten() {
            let on = find(dependency, &index, &mut reading)?;
            reading.depends(from, on)?;
        }
        for (_, group) in table(package, "dev-dependencies") {
            for dependency in group.as_array().into_iter().flatten() {
                // Not an edge yet: what is only needed this way is told apart below.
                development.push((from, find(dependency, &index, &mut reading)?));
            }
        }
    }
    let reached: Vec<usize> = development.iter().filter_map(|(_, on)| *on).collect();
    reading.scopes_from(&required, &[], &reached);
    for (from, on) in development {
        reading.depends(from, on)?;
    }
    Ok(reading.finish())
}

fn draft<'a>(name: &'a str, package: &'a Value) -> Draft<'a> {
    let mut draft = Draft::new(name, string(package, "version"));
    draft.origin = origin(package.get("source").unwrap_or(&Value::Null));
    let files = package.get("sdist").into_iter().chain(list(package, "wheels"));
    let files: Vec<Artifact> = files.filter_map(artifact).collect();
    keep_files(&mut draft, files);
    draft
}

/// One file's hashes are the package's; several files are told apart.
pub(crate) fn keep_files(draft: &mut Draft<'_>, mut files: Vec<Artifact>) {
    if files.len() == 1 {
        draft.hashes = files.pop().map(|file| file.hashes).unwrap_or_default();
    } else {
        draft.files = files;
    }
}

fn artifact(file: &Value) -> Option<Artifact> {
    let location = string(file, "url").map(plain_address);
    let location = location.or_else(|| {
        string(file, "path")
            .or(string(file, "filename"))
            .map(str::to_owned)
    })?;
    let hashes: Vec<Hash> = string(file, "hash").and_then(named_hex).into_iter().collect();
    Some(Artifact { location, hashes })
}

fn origin(source: &Value) -> Origin {
    if let Some(registry) = string(source, "registry") {
        return index_of(registry);
    }
    if let Some(git) = string(source, "git") {
        return Origin::Git {
            url: plain_address(git),
            revision: fragment(git).map(str::to_owned),
        };
    }
    if let Some(url) = string(source, "url") {
        return Origin::Archive {
            url: plain_address(url),
        };
    }
    for key in ["path", "directory", "editable", "virtual"] {
        if let Some(path) = string(source, key) {
            return Origin::Local {
                path: path.to_owned(),
            };
        }
    }
    Origin::Registry
}

/// Returns the origin for an index of Python packages.
pub(crate) fn index_of(address: &str) -> Origin {
    let plain = plain_address(address);
    let plain = plain.trim_end_matches('/');
    if PYPI.contains(&plain) {
        Origin::Registry
    } else {
        Origin::OtherRegistry {
            url: plain.to_owned(),
        }
    }
}

/// Finds what a dependency leads to. Version and source stand beside the name where there are several.
fn find(
    dependency: &Value,
    index: &HashMap<String, Vec<(&Value, usize)>>,
    reading: &mut Reading,
) -> Result<Option<usize>, LockfileError> {
    let name = string(dependency, "name").unwrap_or_default();
    for (package, position) in index.get(&pypi_name(name)).into_iter().flatten() {
        reading.look_up(name.len())?;
        let agrees = |key: &str| {
            dependency
                .get(key)
                .is_none_or(|value| package.get(key) == Some(value))
        };
        if agrees("version") && agrees("source") {
            return Ok(Some(*position));
        }
    }
    Ok(None)
}
