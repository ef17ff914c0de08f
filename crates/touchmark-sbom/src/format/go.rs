//! `go.mod` decides; `go.sum` beside it lists more than is used and only adds hashes.
//!
//! Since Go 1.17 `go.mod` lists every module that is needed; before, only those that are asked for. The `h1:` hash is
//! of a list of files, not of one file, so it is a note and not a hash of the component.

use std::collections::HashMap;

use touchmark_statement::repo_path::RepoPath;

use crate::error::LockfileError;
use crate::inventory::{Neighbours, join};
use crate::package::Origin;
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value;

pub(crate) fn read(
    path: &RepoPath,
    bytes: &[u8],
    neighbours: &mut Neighbours<'_>,
) -> Result<Resolution, LockfileError> {
    let module = Module::parse(value::text(bytes)?)?;
    let mut reading = Reading::new(Ecosystem::Golang);
    let sums = match join(path, "go.sum") {
        Some(path) => neighbours.beside(&path)?,
        None => None,
    };
    let sums = sums.as_deref().map(value::text).transpose()?.unwrap_or_default();
    let sums: HashMap<(&str, &str), &str> = sums
        .lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            Some(((words.next()?, words.next()?), words.next()?))
        })
        .collect();
    if !module.lists_everything {
        reading.is_partial();
    }
    reading.has_direct();
    for required in &module.required {
        let mut draft = Draft::new(required.path, Some(required.version));
        let exact = module.replaced.get(&(required.path, Some(required.version)));
        if let Some(by) = exact
            .or_else(|| module.replaced.get(&(required.path, None)))
            .copied()
        {
            draft
                .notes
                .push(("replaces", format!("{} {}", required.path, required.version)));
            match by {
                (path, Some(version)) => (draft.name, draft.version) = (path, Some(version)),
                (path, None) => {
                    draft.origin = Origin::Local {
                        path: path.to_owned(),
                    };
                }
            }
        }
        let key = (draft.name, draft.version.unwrap_or_default());
        if let Some(sum) = sums.get(&key) {
            draft.notes.push(("sum", (*sum).to_owned()));
        }
        if let Some(position) = reading.add(draft)?
            && !required.is_indirect
        {
            reading.direct(position);
        }
    }
    Ok(reading.finish())
}

/// What `go.mod` says.
#[derive(Default)]
struct Module<'a> {
    lists_everything: bool,
    required: Vec<Required<'a>>,
    replaced: HashMap<Versioned<'a>, Versioned<'a>>,
}

/// A module's path or a folder, and the version where one is named.
type Versioned<'a> = (&'a str, Option<&'a str>);

struct Required<'a> {
    path: &'a str,
    version: &'a str,
    is_indirect: bool,
}

impl<'a> Module<'a> {
    fn parse(text: &'a str) -> Result<Self, LockfileError> {
        let mut module = Self::default();
        let mut block = None;
        for (number, line) in text.lines().enumerate() {
            let (content, comment) = line.split_once("//").unwrap_or((line, ""));
            // An address in quotes could hold the two slashes, but no module path does.
            let words: Vec<&str> = content
                .split_ascii_whitespace()
                .map(|word| word.trim_matches(['"', '`']))
                .collect();
            let (verb, words) = match (block, words.as_slice()) {
                (_, []) => continue,
                (Some(_), [")"]) => {
                    block = None;
                    continue;
                }
                (Some(verb), words) => (verb, words),
                (None, [verb, "("]) => {
                    block = Some(*verb);
                    continue;
                }
                (None, [verb, words @ ..]) => (*verb, words),
            };
            module
                .line(verb, words, comment)
                .ok_or(LockfileError::Line { line: number + 1 })?;
        }
        match block {
            Some(_) => Err(LockfileError::Line {
                line: text.lines().count(),
            }),
            None => Ok(module),
        }
    }

    /// Takes one directive in; none where it is not understood.
    fn line(&mut self, verb: &'a str, words: &[&'a str], comment: &str) -> Option<()> {
        match (verb, words) {
            ("go", [version]) => {
                let mut parts = version.split('.');
                let major: u32 = parts.next()?.parse().ok()?;
                let minor = parts.next().unwrap_or("0");
                let digits = minor.find(|character: char| !character.is_ascii_digit());
                let minor: u32 = minor[..digits.unwrap_or(minor.len())].parse().ok()?;
                self.lists_everything = (major, minor) >= (1, 17);
            }
            ("require", [path, version]) => self.required.push(Required {
                path,
                version,
                is_indirect: comment.split([';', ' ']).any(|word| word == "indirect"),
            }),
            ("replace", [path, "=>", by]) => {
                self.replaced.insert((path, None), (by, None));
            }
            ("replace", [path, version, "=>", by]) => {
                self.replaced.insert((path, Some(version)), (by, None));
            }
            ("replace", [path, "=>", by, version]) => {
                self.replaced.insert((path, None), (by, Some(version)));
            }
            ("replace", [path, from, "=>", by, to]) => {
                self.replaced.insert((path, Some(from)), (by, Some(to)));
            }
            ("module" | "exclude" | "retract" | "toolchain" | "godebug" | "tool" | "ignore", _) => {}
            _ => return None,
        }
        Some(())
    }
}
