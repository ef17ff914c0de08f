//! `Pipfile.lock`, specification 6.

use std::collections::HashMap;

use serde_json::Value;

use super::uv::index_of;
use crate::error::LockfileError;
use crate::integrity::{named_hex, plain_address};
use crate::package::{Origin, Scope};
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value::{self, list, string, table};

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let document = value::json(bytes)?;
    match document.pointer("/_meta/pipfile-spec").and_then(Value::as_u64) {
        Some(6) => {}
        found => {
            let found = found.map_or_else(String::new, |found| found.to_string());
            return Err(LockfileError::Version { found });
        }
    }
    let sources = document.pointer("/_meta/sources").and_then(Value::as_array);
    let indexes: HashMap<&str, &str> = sources
        .into_iter()
        .flatten()
        .filter_map(|source| Some((string(source, "name")?, string(source, "url")?)))
        .collect();
    let mut reading = Reading::new(Ecosystem::PyPi);
    for (group, scope) in [("default", Scope::Required), ("develop", Scope::Development)] {
        for (name, entry) in table(&document, group) {
            let stated = string(entry, "version");
            let version = stated.map(|version| version.trim_start_matches('='));
            let mut draft = Draft::new(name, version);
            draft.origin = origin(entry, &indexes);
            draft.scope = scope;
            let hashes = list(entry, "hashes").iter();
            draft.hashes = hashes.filter_map(|hash| named_hex(hash.as_str()?)).collect();
            reading.add(draft)?;
        }
    }
    Ok(reading.finish())
}

fn origin(entry: &Value, indexes: &HashMap<&str, &str>) -> Origin {
    if let Some(git) = string(entry, "git") {
        return Origin::Git {
            url: plain_address(git),
            revision: string(entry, "ref").map(str::to_owned),
        };
    }
    if let Some(path) = string(entry, "path") {
        return Origin::Local {
            path: path.to_owned(),
        };
    }
    if let Some(file) = string(entry, "file") {
        return Origin::Archive {
            url: plain_address(file),
        };
    }
    match string(entry, "index").and_then(|name| indexes.get(name)) {
        Some(url) => index_of(url),
        None => Origin::Registry,
    }
}
