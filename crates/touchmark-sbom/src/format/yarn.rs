//! `yarn.lock`: version 1 here, what Yarn 2 and later write in [`super::yarn_berry`].

use std::collections::HashMap;

use super::npm;
use crate::error::LockfileError;
use crate::integrity::{fragment, plain_hex, subresource};
use crate::package::{Algorithm, Origin};
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value;

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let text = value::text(bytes)?;
    if text.lines().any(|line| line.trim_end() == "__metadata:") {
        return super::yarn_berry::read(bytes);
    }
    let entries = entries(text)?;
    let mut reading = Reading::new(Ecosystem::Npm);
    let mut index = HashMap::new();
    let mut added = Vec::new();
    for entry in &entries {
        let position = reading.add(draft(entry))?;
        if let Some(position) = position {
            index.extend(entry.patterns.iter().map(|pattern| (pattern.as_str(), position)));
            added.push((entry, position));
        }
    }
    for (entry, from) in added {
        reading.has_edges(from);
        for (name, range, is_optional) in &entry.dependencies {
            let on = index.get(format!("{name}@{range}").as_str()).copied();
            if on.is_some() || !is_optional {
                reading.depends(from, on)?;
            }
        }
    }
    Ok(reading.finish())
}

fn draft(entry: &Entry) -> Draft<'_> {
    let pattern = entry.patterns.first().map_or("", String::as_str);
    let (spelled, range) = npm::split_name(pattern).unwrap_or((pattern, ""));
    let real = range
        .strip_prefix("npm:")
        .map(|real| npm::split_name(real).unwrap_or((real, "")).0);
    let name = real.unwrap_or(spelled);
    let mut draft = Draft::new(name, entry.version.as_deref());
    if name != spelled {
        draft.notes.push(("alias", spelled.to_owned()));
    }
    let resolved = entry.resolved.as_deref();
    draft.origin = match resolved {
        Some(resolved) => npm::origin(name, resolved),
        None if range.starts_with("file:") || range.starts_with("link:") => npm::origin(name, range),
        None => Origin::Registry,
    };
    draft.hashes = entry.integrity.as_deref().map(subresource).unwrap_or_default();
    // Before integrity was written, the address carried the SHA-1 of the file.
    let is_git = matches!(draft.origin, Origin::Git { .. });
    if let (true, false, Some(digits)) = (draft.hashes.is_empty(), is_git, resolved.and_then(fragment)) {
        draft.hashes.extend(plain_hex(Algorithm::Sha1, digits));
    }
    draft
}

/// One block of the file.
#[derive(Default)]
struct Entry {
    patterns: Vec<String>,
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    dependencies: Vec<(String, String, bool)>,
}

fn entries(text: &str) -> Result<Vec<Entry>, LockfileError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut block = "";
    for (number, line) in text.lines().enumerate() {
        let line_error = LockfileError::Line { line: number + 1 };
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let words = words(content).ok_or(LockfileError::Line { line: number + 1 })?;
        let indentation = line.len() - line.trim_start_matches(' ').len();
        match (indentation, entries.last_mut()) {
            (0, _) => {
                if !content.ends_with(':') || words.is_empty() {
                    return Err(line_error);
                }
                entries.push(Entry {
                    patterns: words,
                    ..Entry::default()
                });
                block = "";
            }
            (2, Some(entry)) => match words.as_slice() {
                [name] if content.ends_with(':') => {
                    block = match name.as_str() {
                        "dependencies" => "dependencies",
                        "optionalDependencies" => "optionalDependencies",
                        _ => "other",
                    };
                }
                [key, value] => {
                    block = "";
                    let known = match key.as_str() {
                        "version" => &mut entry.version,
                        "resolved" => &mut entry.resolved,
                        "integrity" => &mut entry.integrity,
                        _ => continue,
                    };
                    if known.replace(value.clone()).is_some() {
                        return Err(LockfileError::DuplicateKey { key: key.clone() });
                    }
                }
                _ => return Err(line_error),
            },
            (4, Some(entry)) => match (block, words.as_slice()) {
                ("other", _) => {}
                ("dependencies" | "optionalDependencies", [name, range]) => {
                    let is_optional = block != "dependencies";
                    entry
                        .dependencies
                        .push((name.clone(), range.clone(), is_optional));
                }
                _ => return Err(line_error),
            },
            _ => return Err(line_error),
        }
    }
    Ok(entries)
}

/// Splits a line at spaces and commas; quoted words follow JSON. A colon at the end is no part of the last word.
fn words(line: &str) -> Option<Vec<String>> {
    let line = line.strip_suffix(':').unwrap_or(line);
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if rest.is_empty() {
            return Some(words);
        }
        if rest.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            words.push(stream.next()?.ok()?);
            rest = &rest[stream.byte_offset()..];
        } else {
            let end = rest.find([' ', ',']).unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
    }
}
