//! `Gemfile.lock` and `gems.locked`.

use std::collections::HashMap;

use crate::error::LockfileError;
use crate::integrity::{named_hex, plain_address};
use crate::package::{Hash, Origin};
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value;

const RUBYGEMS: [&str; 2] = ["https://rubygems.org", "http://rubygems.org"];

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let parsed = parse(value::text(bytes)?)?;
    let mut reading = Reading::new(Ecosystem::Gem);
    let mut index: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut added = Vec::new();
    for spec in &parsed.specs {
        let (version, platform) = match spec.version.split_once('-') {
            Some((version, platform)) => (version, Some(platform)),
            None => (spec.version, None),
        };
        let mut draft = Draft::new(spec.name, Some(version));
        draft.origin = spec.origin.clone();
        draft
            .qualifiers
            .extend(platform.map(|platform| ("platform", platform.to_owned())));
        draft.hashes = parsed
            .checksums
            .get(&(spec.name, spec.version))
            .cloned()
            .unwrap_or_default();
        if let Some(position) = reading.add(draft)? {
            index.entry(spec.name).or_default().push(position);
            added.push((spec, position));
        }
    }
    for (spec, from) in added {
        reading.has_edges(from);
        for name in &spec.dependencies {
            connect(name, &index, &mut reading, Some(from))?;
        }
    }
    reading.has_direct();
    for name in parsed.direct {
        connect(name, &index, &mut reading, None)?;
    }
    Ok(reading.finish())
}

/// Leads to every platform's package of a name. Bundler itself is needed and never listed.
fn connect(
    name: &str,
    index: &HashMap<&str, Vec<usize>>,
    reading: &mut Reading,
    from: Option<usize>,
) -> Result<(), LockfileError> {
    match (index.get(name), from) {
        (Some(positions), Some(from)) => {
            for on in positions {
                reading.depends(from, Some(*on))?;
            }
        }
        (Some(positions), None) => positions.iter().for_each(|on| reading.direct(*on)),
        (None, _) if name == "bundler" => {}
        (None, Some(from)) => reading.depends(from, None)?,
        (None, None) => reading.skip(),
    }
    Ok(())
}

#[derive(Default)]
struct Parsed<'a> {
    specs: Vec<Spec<'a>>,
    direct: Vec<&'a str>,
    checksums: HashMap<(&'a str, &'a str), Vec<Hash>>,
}

struct Spec<'a> {
    name: &'a str,
    version: &'a str,
    origin: Origin,
    dependencies: Vec<&'a str>,
}

fn parse(text: &str) -> Result<Parsed<'_>, LockfileError> {
    let mut parsed = Parsed::default();
    let mut section = "";
    let mut source = Source::default();
    for (number, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.is_empty() {
            continue;
        }
        let refused = LockfileError::Line { line: number + 1 };
        match line.len() - line.trim_start_matches(' ').len() {
            0 if content.starts_with(|first: char| first.is_ascii_uppercase()) => {
                section = content;
                source = Source::default();
            }
            // A conflict that was not resolved, or something else that is no section.
            0 => return Err(refused),
            2 if is_source(section) => {
                if let Some((key, value)) = content.split_once(':') {
                    source.take(key, value.trim());
                }
            }
            4 if is_source(section) => {
                let (name, version) = named(content).ok_or(refused)?;
                parsed.specs.push(Spec {
                    name,
                    version: version.unwrap_or_default(),
                    origin: source.origin(section),
                    dependencies: Vec::new(),
                });
            }
            6 if is_source(section) => {
                let name = content.split(' ').next().unwrap_or(content).trim_end_matches('!');
                let spec = parsed.specs.last_mut().ok_or(refused)?;
                spec.dependencies.push(name);
            }
            2 if section == "DEPENDENCIES" => {
                let name = content.split(' ').next().unwrap_or(content);
                parsed.direct.push(name.trim_end_matches('!'));
            }
            2 if section == "CHECKSUMS" => {
                let (name, version) = named(content).ok_or(refused)?;
                let hashes = content.rsplit_once(") ").map_or("", |(_, hashes)| hashes);
                let hashes = hashes.split(',').filter_map(named_hex).collect();
                parsed
                    .checksums
                    .insert((name, version.unwrap_or_default()), hashes);
            }
            _ => {}
        }
    }
    Ok(parsed)
}

fn is_source(section: &str) -> bool {
    matches!(section, "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE")
}

/// Splits `name (version)`.
fn named(text: &str) -> Option<(&str, Option<&str>)> {
    match text.split_once(" (") {
        Some((name, rest)) => Some((name, Some(rest.split_once(')')?.0))),
        None => Some((text.split(' ').next()?, None)),
    }
}

#[derive(Default)]
struct Source<'a> {
    remote: &'a str,
    revision: Option<&'a str>,
}

impl<'a> Source<'a> {
    fn take(&mut self, key: &str, value: &'a str) {
        match key {
            // Several registries may stand in one section of old files; the first is asked first.
            "remote" if self.remote.is_empty() => self.remote = value,
            "revision" => self.revision = Some(value),
            _ => {}
        }
    }

    fn origin(&self, section: &str) -> Origin {
        let url = plain_address(self.remote);
        match section {
            "GIT" => Origin::Git {
                url,
                revision: self.revision.map(str::to_owned),
            },
            "PATH" => Origin::Local { path: url },
            _ if url.is_empty() || RUBYGEMS.contains(&url.trim_end_matches('/')) => Origin::Registry,
            _ => Origin::OtherRegistry {
                url: url.trim_end_matches('/').to_owned(),
            },
        }
    }
}
