//! `composer.lock`.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::LockfileError;
use crate::integrity::{plain_address, plain_hex};
use crate::package::{Algorithm, Origin, Scope};
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value::{self, list, string, table};

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let document = value::json(bytes)?;
    if !document.get("packages").is_some_and(Value::is_array) {
        return Err(LockfileError::Shape { what: "packages" });
    }
    let mut reading = Reading::new(Ecosystem::Composer);
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut added = Vec::new();
    for (group, scope) in [
        ("packages", Scope::Required),
        ("packages-dev", Scope::Development),
    ] {
        for package in list(&document, group) {
            let mut draft = Draft::new(
                string(package, "name").unwrap_or_default(),
                string(package, "version"),
            );
            draft.scope = scope;
            draft.origin = origin(package);
            let sum = package.pointer("/dist/shasum").and_then(Value::as_str);
            draft.hashes = sum
                .and_then(|digits| plain_hex(Algorithm::Sha1, digits))
                .into_iter()
                .collect();
            if let Some(commit) = package.pointer("/source/reference").and_then(Value::as_str) {
                draft.notes.push(("commit", commit.to_owned()));
            }
            let Some(position) = reading.add(draft)? else {
                continue;
            };
            let name = string(package, "name").unwrap_or_default();
            index.insert(name.to_lowercase(), position);
            // A package may stand in for others.
            for key in ["replace", "provide"] {
                for (name, _) in table(package, key) {
                    index.entry(name.to_lowercase()).or_insert(position);
                }
            }
            added.push((package, position));
        }
    }
    for (package, from) in added {
        reading.has_edges(from);
        for (name, _) in table(package, "require") {
            // PHP itself, its extensions and its libraries have no vendor.
            if name.contains('/') {
                reading.depends(from, index.get(&name.to_lowercase()).copied())?;
            }
        }
    }
    Ok(reading.finish())
}

fn origin(package: &Value) -> Origin {
    let dist = package.get("dist").unwrap_or(&Value::Null);
    if string(dist, "type") == Some("path") {
        return Origin::Local {
            path: string(dist, "url").unwrap_or(".").to_owned(),
        };
    }
    let notified = string(package, "notification-url");
    match notified {
        // Packagist counts installations, other registries do not ask for it.
        Some("https://packagist.org/downloads/") => Origin::Registry,
        _ => match (
            string(dist, "url"),
            package.pointer("/source/url").and_then(Value::as_str),
        ) {
            (Some(address), _) => Origin::Archive {
                url: plain_address(address),
            },
            (None, Some(address)) => Origin::Git {
                url: plain_address(address),
                revision: package
                    .pointer("/source/reference")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            },
            (None, None) => Origin::Registry,
        },
    }
}
