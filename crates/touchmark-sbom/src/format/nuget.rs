//! `packages.lock.json` of NuGet, versions 1 and 2.
//!
//! The content hash is of the package without its signature, not of the file that a registry serves, so it is a note
//! and not a hash of the component.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::LockfileError;
use crate::package::Origin;
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value::{self, string, table};

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let document = value::json(bytes)?;
    match document.get("version").and_then(Value::as_u64) {
        Some(1 | 2) => {}
        found => {
            let found = found.map_or_else(String::new, |found| found.to_string());
            return Err(LockfileError::Version { found });
        }
    }
    let mut reading = Reading::new(Ecosystem::NuGet);
    reading.has_direct();
    // Packages of one name and version are the same for every framework.
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    let mut by_framework: HashMap<&str, HashMap<String, usize>> = HashMap::new();
    for (target, framework) in table(&document, "dependencies") {
        let mut here: HashMap<String, usize> = HashMap::new();
        for (name, entry) in framework.as_object().into_iter().flatten() {
            let version = string(entry, "resolved").unwrap_or_default();
            let key = (name.to_lowercase(), version.to_owned());
            let position = match known.get(&key) {
                Some(position) => Some(*position),
                None => reading.add(draft(name, version, entry))?,
            };
            let Some(position) = position else { continue };
            known.insert(key, position);
            here.insert(name.to_lowercase(), position);
            if matches!(string(entry, "type"), Some("Direct" | "Project")) {
                reading.direct(position);
            }
        }
        for (name, entry) in framework.as_object().into_iter().flatten() {
            let Some(from) = here.get(&name.to_lowercase()).copied() else {
                continue;
            };
            reading.has_edges(from);
            for (dependency, _) in table(entry, "dependencies") {
                let dependency = dependency.to_lowercase();
                // `net8.0/linux-x64` repeats only what differs from `net8.0`, which stands before it.
                let whole = || by_framework.get(target.split_once('/')?.0)?.get(&dependency);
                let on = here.get(&dependency).or_else(whole).copied();
                reading.depends(from, on)?;
            }
        }
        by_framework.insert(target, here);
    }
    Ok(reading.finish())
}

fn draft<'a>(name: &'a str, version: &'a str, entry: &'a Value) -> Draft<'a> {
    let mut draft = Draft::new(name, Some(version));
    if string(entry, "type") == Some("Project") {
        draft.origin = Origin::Local {
            path: name.to_owned(),
        };
    }
    if let Some(hash) = string(entry, "contentHash") {
        draft.notes.push(("contentHash", hash.to_owned()));
    }
    draft
}
