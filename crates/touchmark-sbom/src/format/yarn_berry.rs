//! `yarn.lock` as Yarn 2 and later write it: YAML, each entry with the locator that its descriptors were resolved to.

use std::collections::HashMap;

use serde_json::Value;

use super::npm::{self, split_name};
use crate::error::LockfileError;
use crate::integrity::{fragment, plain_address};
use crate::package::Origin;
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value::{self, string, table};

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let document = value::yaml(bytes)?;
    let entries = document
        .as_object()
        .ok_or(LockfileError::Shape { what: "the document" })?;
    let mut reading = Reading::new(Ecosystem::Npm);
    let mut index = HashMap::new();
    let mut added = Vec::new();
    for (descriptors, entry) in entries.iter().filter(|(key, _)| *key != "__metadata") {
        let Some(locator) = string(entry, "resolution") else {
            reading.skip();
            continue;
        };
        let Some(position) = reading.add(draft(descriptors, locator, entry))? else {
            continue;
        };
        index.extend(descriptors.split(", ").map(|descriptor| (descriptor, position)));
        let is_ours = split_name(locator).is_some_and(|(_, reference)| reference.starts_with("workspace:"));
        added.push((entry, position, is_ours));
    }
    reading.has_direct();
    for (entry, from, is_ours) in added {
        if is_ours {
            reading.direct(from);
        }
        reading.has_edges(from);
        for (name, range) in table(entry, "dependencies") {
            let range = range.as_str().unwrap_or_default();
            let on = [format!("{name}@{range}"), format!("{name}@npm:{range}")]
                .iter()
                .find_map(|descriptor| index.get(descriptor.as_str()).copied());
            let is_optional = entry
                .pointer("/dependenciesMeta")
                .and_then(|meta| meta.get(name))
                .is_some_and(|meta| value::flag(meta, "optional"));
            if on.is_some() || !is_optional {
                reading.depends(from, on)?;
            }
        }
    }
    Ok(reading.finish())
}

fn draft<'a>(descriptors: &str, locator: &'a str, entry: &'a Value) -> Draft<'a> {
    let (name, reference) = split_name(locator).unwrap_or((locator, ""));
    let origin = origin(name, reference);
    let stated = string(entry, "version");
    let version = match &origin {
        // The lockfile gives every folder of the tree this version.
        Origin::Local { .. } => stated.filter(|version| *version != "0.0.0-use.local"),
        _ => stated,
    };
    let mut draft = Draft::new(name, version);
    draft.origin = origin;
    let spelled = descriptors
        .split(", ")
        .next()
        .and_then(split_name)
        .map(|(spelled, _)| spelled);
    if let Some(alias) = spelled.filter(|spelled| *spelled != name) {
        draft.notes.push(("alias", alias.to_owned()));
    }
    if reference.starts_with("patch:") {
        draft.notes.push(("patched", locator.to_owned()));
    }
    // The hash of the archive that Yarn makes of the package, not of the file that the registry has.
    if let Some(checksum) = string(entry, "checksum") {
        draft.notes.push(("checksum", checksum.to_owned()));
    }
    draft
}

fn origin(name: &str, reference: &str) -> Origin {
    if let Some(rest) = reference.strip_prefix("npm:") {
        let archive = rest
            .split_once("__archiveUrl=")
            .map(|(_, address)| decoded(address));
        return archive.map_or(Origin::Registry, |address| npm::origin(name, &address));
    }
    if reference.starts_with("patch:") {
        return Origin::Registry;
    }
    for local in ["workspace:", "link:", "portal:", "file:", "exec:"] {
        if let Some(path) = reference.strip_prefix(local) {
            let path = path.split(['#', ':']).next().unwrap_or(path);
            return Origin::Local {
                path: path.to_owned(),
            };
        }
    }
    match fragment(reference) {
        Some(revision) if revision.contains("commit=") || plain_address(reference).ends_with(".git") => {
            let commit = revision.split('&').find_map(|part| part.strip_prefix("commit="));
            Origin::Git {
                url: plain_address(reference),
                revision: Some(commit.unwrap_or(revision).to_owned()),
            }
        }
        _ => npm::origin(name, reference),
    }
}

/// Resolves percent escapes; what is not UTF-8 afterwards stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
