//! `requirements.txt` and its relatives, as pip reads them: PEP 508 requirements, options, and lines that go on.
//!
//! Only `==` and `===` without a wildcard pin a version. `-r` is followed inside the tree alone, and only to files
//! that are no lockfiles by their own names; everything else that would come from elsewhere makes the list partial.

use touchmark_statement::repo_path::RepoPath;

use super::uv::index_of;
use crate::error::LockfileError;
use crate::integrity::{fragment, named_hex, plain_address};
use crate::inventory::{Neighbours, join};
use crate::limits::MAX_INCLUDES;
use crate::lockfile::Kind;
use crate::package::Origin;
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value;

pub(crate) fn read(
    path: &RepoPath,
    bytes: &[u8],
    neighbours: &mut Neighbours<'_>,
) -> Result<Resolution, LockfileError> {
    let mut reading = Reading::new(Ecosystem::PyPi);
    let mut index = Origin::Registry;
    let mut every_file_is_hashed = true;
    let mut open = vec![(path.clone(), bytes.to_vec())];
    let mut seen = vec![path.clone()];
    while let Some((path, bytes)) = open.pop() {
        for line in logical_lines(value::text(&bytes)?) {
            match option(&line) {
                Some(("-r" | "--requirement", file)) => {
                    let target = join(&path, file).filter(|_| !file.contains("://"));
                    match target {
                        Some(target) if seen.contains(&target) => {}
                        // Listed by its own name, with its own entry.
                        Some(target) if Kind::of(target.as_bytes()).is_some() => {}
                        Some(target) if seen.len() < MAX_INCLUDES => {
                            seen.push(target.clone());
                            match neighbours.beside(&target)? {
                                Some(bytes) => open.push((target, bytes)),
                                None => reading.skip(),
                            }
                        }
                        _ => reading.is_partial(),
                    }
                }
                // Constraints pin what other lines name; they are not followed.
                Some(("-c" | "--constraint", _)) => reading.is_partial(),
                Some(("-i" | "--index-url", address)) => index = index_of(address),
                Some(("-e" | "--editable", target)) => {
                    every_file_is_hashed = false;
                    located(target, &mut reading)?;
                }
                Some(_) => {}
                None => every_file_is_hashed &= requirement(&line, &index, &mut reading)?,
            }
        }
    }
    // With hashes pip installs nothing that is not listed; without, it fetches what is needed beside.
    if !every_file_is_hashed {
        reading.is_partial();
    }
    Ok(reading.finish())
}

/// Joins lines that end in a backslash, and takes comments and empty lines away.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for part in text.lines() {
        let comment = if part.trim_start().starts_with('#') {
            Some(0)
        } else {
            part.find(" #").or_else(|| part.find("\t#"))
        };
        let part = comment.map_or(part, |at| &part[..at]);
        match part.strip_suffix('\\') {
            Some(part) => {
                line.push_str(part);
                line.push(' ');
            }
            None => {
                line.push_str(part);
                lines.push(std::mem::take(&mut line));
            }
        }
    }
    lines.push(line);
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// Splits an option from its value: `-r a.txt`, `-ra.txt`, `--requirement=a.txt`.
fn option(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if !line.starts_with('-') {
        return None;
    }
    if !line.starts_with("--") {
        let end = line.char_indices().nth(2).map_or(line.len(), |(at, _)| at);
        return Some((&line[..end], line[end..].trim_start_matches(['=', ' ', '\t'])));
    }
    let end = line.find(['=', ' ', '\t']).unwrap_or(line.len());
    Some((&line[..end], line[end..].trim_matches(['=', ' ', '\t'])))
}

/// Reads one requirement, and returns whether it has a hash.
fn requirement(line: &str, index: &Origin, reading: &mut Reading) -> Result<bool, LockfileError> {
    let mut words = line.split_ascii_whitespace();
    let hashes: Vec<_> = words
        .clone()
        .filter_map(|word| named_hex(word.strip_prefix("--hash=")?))
        .collect();
    let is_hashed = !hashes.is_empty();
    let stated: Vec<&str> = words
        .by_ref()
        .take_while(|word| !word.starts_with("--"))
        .collect();
    let stated = stated.join(" ");
    let (stated, marker) = match stated.split_once(" ;").or_else(|| stated.split_once("; ")) {
        Some((stated, marker)) => (stated.trim(), Some(marker.trim().to_owned())),
        None => match stated.split_once(';') {
            Some((stated, marker)) if !stated.contains("://") => {
                (stated.trim(), Some(marker.trim().to_owned()))
            }
            _ => (stated.trim(), None),
        },
    };
    let name_ends = stated
        .find(|character: char| !character.is_alphanumeric() && !matches!(character, '-' | '_' | '.'))
        .unwrap_or(stated.len());
    let (name, rest) = stated.split_at(name_ends);
    let rest = rest.trim_start();
    // Extras choose more packages, which are listed or fetched beside.
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').map_or("", |(_, rest)| rest.trim_start()),
        None => rest,
    };
    let is_path = stated.starts_with(['.', '/']) || rest.starts_with(['/', ':', '+']);
    if is_path {
        located(stated, reading)?;
        return Ok(is_hashed);
    }
    let mut draft = Draft::new(name, None);
    draft.hashes = hashes;
    draft.origin = index.clone();
    draft.notes.extend(marker.map(|marker| ("marker", marker)));
    let rest = rest.trim_start_matches('(').trim_end_matches(')').trim();
    if let Some(address) = rest.strip_prefix('@') {
        draft.origin = addressed(address.trim());
    } else if let Some(version) = pinned(rest) {
        draft.version = Some(version);
    } else {
        let asked = if rest.is_empty() { "*" } else { rest };
        draft.requirement = Some(asked.to_owned());
        reading.is_partial();
    }
    reading.add(draft)?;
    Ok(is_hashed)
}

/// Returns the version that a specifier pins.
fn pinned(specifier: &str) -> Option<&str> {
    let version = specifier
        .strip_prefix("===")
        .or_else(|| specifier.strip_prefix("=="))?;
    let version = version.trim();
    let is_one = !version.is_empty() && !version.contains([',', '*', ' ', '<', '>', '=', '!', '~']);
    is_one.then_some(version)
}

fn addressed(address: &str) -> Origin {
    let plain = plain_address(address);
    let git = plain.strip_prefix("git+").map(str::to_owned);
    match git {
        Some(repository) => {
            let (url, revision) = match repository.rsplit_once('@') {
                Some((url, revision)) if !revision.contains("//") => {
                    (url.to_owned(), Some(revision.to_owned()))
                }
                _ => (repository, None),
            };
            Origin::Git { url, revision }
        }
        None => match plain.strip_prefix("file:") {
            Some(path) => Origin::Local {
                path: path.to_owned(),
            },
            None => Origin::Archive { url: plain },
        },
    }
}

/// Adds what is named by its place alone: the name stands in the fragment, or is the file's.
fn located(target: &str, reading: &mut Reading) -> Result<(), LockfileError> {
    let origin = if target.contains("://") {
        addressed(target)
    } else {
        Origin::Local {
            path: target.to_owned(),
        }
    };
    let egg =
        fragment(target).and_then(|fragment| fragment.split('&').find_map(|part| part.strip_prefix("egg=")));
    let file = plain_address(target);
    let last = file.trim_end_matches('/').rsplit('/').next().unwrap_or(&file);
    let name = egg.unwrap_or(last);
    let name = name.split(['[', '@']).next().unwrap_or(name);
    let mut draft = Draft::new(if name.is_empty() { target } else { name }, None);
    draft.origin = origin;
    reading.add(draft)?;
    Ok(())
}
