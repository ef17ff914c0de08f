//! `poetry.lock`, versions 1 and 2.

use std::collections::HashMap;

use serde_json::Value;

use super::uv::{index_of, keep_files};
use crate::error::LockfileError;
use crate::integrity::{named_hex, plain_address};
use crate::package::{Artifact, Origin, Scope};
use crate::purl::{Ecosystem, pypi_name};
use crate::reading::{Draft, Reading, Resolution};
use crate::value::{self, flag, list, string, table};

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let document = value::toml(bytes)?;
    let version = document.pointer("/metadata/lock-version").and_then(Value::as_str);
    // Before 1.0 of Poetry there was no version.
    let generation = version.and_then(|version| version.split('.').next());
    if !matches!(generation, None | Some("1" | "2")) {
        return Err(LockfileError::Version {
            found: version.unwrap_or_default().to_owned(),
        });
    }
    let mut reading = Reading::new(Ecosystem::PyPi);
    let mut index: HashMap<String, Vec<usize>> = HashMap::new();
    let mut added = Vec::new();
    for package in list(&document, "package") {
        let (Some(name), Some(version)) = (string(package, "name"), string(package, "version")) else {
            return Err(LockfileError::Shape {
                what: "the name or version of a package",
            });
        };
        let mut draft = Draft::new(name, Some(version));
        draft.origin = origin(package.get("source").unwrap_or(&Value::Null));
        draft.scope = scope(package);
        // Until lock version 2 all files stood together at the end.
        let together = document
            .pointer("/metadata/files")
            .and_then(|files| files.get(name));
        let files = package.get("files").or(together).and_then(Value::as_array);
        let files = files.into_iter().flatten().filter_map(artifact).collect();
        keep_files(&mut draft, files);
        if let Some(position) = reading.add(draft)? {
            index.entry(pypi_name(name)).or_default().push(position);
            added.push((package, position));
        }
    }
    for (package, from) in added {
        reading.has_edges(from);
        for (name, constraint) in table(package, "dependencies") {
            match index.get(&pypi_name(name)) {
                // Several versions are told apart by markers, which are not evaluated.
                Some(positions) => {
                    for on in positions {
                        reading.depends(from, Some(*on))?;
                    }
                }
                // Extras and packages for other platforms need not be locked.
                None if is_conditional(constraint) => {}
                None => reading.depends(from, None)?,
            }
        }
    }
    Ok(reading.finish())
}

fn artifact(file: &Value) -> Option<Artifact> {
    Some(Artifact {
        location: string(file, "file").or(string(file, "url"))?.to_owned(),
        hashes: string(file, "hash").and_then(named_hex).into_iter().collect(),
    })
}

fn is_conditional(constraint: &Value) -> bool {
    match constraint {
        Value::Object(_) => flag(constraint, "optional") || constraint.get("markers").is_some(),
        Value::Array(items) => items.iter().all(is_conditional),
        _ => false,
    }
}

fn scope(package: &Value) -> Scope {
    let groups = list(package, "groups");
    let is_main = groups.iter().any(|group| group == "main");
    if !groups.is_empty() && !is_main || string(package, "category") == Some("dev") {
        Scope::Development
    } else if flag(package, "optional") {
        Scope::Optional
    } else {
        Scope::Required
    }
}

fn origin(source: &Value) -> Origin {
    let url = string(source, "url").unwrap_or_default();
    match string(source, "type") {
        None => Origin::Registry,
        Some("git") => Origin::Git {
            url: plain_address(url),
            revision: string(source, "resolved_reference")
                .or(string(source, "reference"))
                .map(str::to_owned),
        },
        Some("url") => Origin::Archive {
            url: plain_address(url),
        },
        Some("directory" | "file") => Origin::Local { path: url.to_owned() },
        Some(_) => index_of(url),
    }
}
