//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1, 2 and 3.
//!
//! Version 1 nests packages as `node_modules` would; it is laid out as paths first, so that all versions are followed
//! by the same rule: a name is sought in the `node_modules` of the folder that needs it, then of each folder above.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::LockfileError;
use crate::integrity::{fragment, plain_address, subresource};
use crate::package::{Origin, Scope};
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value::{self, flag, string, table};

/// The longest path of an installed package.
const MAX_PLACE_BYTES: usize = 1_024;

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let document = value::json(bytes)?;
    let version = document.get("lockfileVersion").and_then(Value::as_u64);
    let mut reading = Reading::new(Ecosystem::Npm);
    let mut places = Vec::new();
    let layout = layout(&document, version)?;
    match layout {
        Layout::Flat => {
            let packages = table(&document, "packages");
            places.extend(packages.map(|(place, entry)| (place.clone(), entry)));
        }
        Layout::Nested => nested(&document, "", &mut places),
    }
    let installed = add(&places, layout, &mut reading)?;
    connect(&places, &installed, layout, &mut reading)?;
    Ok(reading.finish())
}

/// How packages stand in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// By the folder that they are installed in: `packages`.
    Flat,
    /// Below the package that needs them: `dependencies`.
    Nested,
}

fn layout(document: &Value, version: Option<u64>) -> Result<Layout, LockfileError> {
    let is_table = |key| document.get(key).is_none_or(Value::is_object);
    if !document.is_object() || !is_table("packages") || !is_table("dependencies") {
        return Err(LockfileError::Shape { what: "a table" });
    }
    match (version, document.get("packages").is_some()) {
        (Some(2 | 3), true) => Ok(Layout::Flat),
        // Before npm 5 a shrinkwrap had no version; version 2 repeats what version 1 has.
        (None | Some(1), false) => Ok(Layout::Nested),
        (Some(2), false) if document.get("dependencies").is_some() => Ok(Layout::Nested),
        // Which of two tables counts would depend on the version of npm.
        (None | Some(1..=3), _) => Err(LockfileError::Shape { what: "packages" }),
        (Some(found), _) => Err(LockfileError::Version {
            found: found.to_string(),
        }),
    }
}

/// Lays out the nesting of version 1 as paths. The depth is that of the JSON, which is bounded.
fn nested<'a>(parent: &'a Value, place: &str, places: &mut Vec<(String, &'a Value)>) {
    for (name, entry) in table(parent, "dependencies") {
        let slash = if place.is_empty() { "" } else { "/" };
        let inner = format!("{place}{slash}node_modules/{name}");
        if inner.len() <= MAX_PLACE_BYTES {
            nested(entry, &inner, places);
        }
        places.push((inner, entry));
    }
}

/// Adds each package, and returns which one stands at each place. A link stands for what it leads to.
fn add<'a>(
    places: &'a [(String, &Value)],
    layout: Layout,
    reading: &mut Reading,
) -> Result<HashMap<&'a str, usize>, LockfileError> {
    let mut installed = HashMap::new();
    for (place, entry) in places {
        if place.is_empty() || flag(entry, "link") {
            continue;
        }
        if place.len() > MAX_PLACE_BYTES || !entry.is_object() {
            reading.skip();
            continue;
        }
        let spelled = match place.rsplit_once("node_modules/") {
            Some((_, name)) => name,
            None => place.rsplit('/').next().unwrap_or(place),
        };
        let draft = match layout {
            Layout::Flat => draft(place, spelled, entry),
            Layout::Nested => draft_of_version_1(spelled, entry),
        };
        if let Some(position) = reading.add(draft)? {
            installed.insert(place.as_str(), position);
        }
    }
    for (place, entry) in places.iter().filter(|(_, entry)| flag(entry, "link")) {
        let target = string(entry, "resolved").unwrap_or_default();
        let known = installed.get(target).copied();
        let position = match known {
            Some(position) => Some(position),
            None => {
                let name = place
                    .rsplit_once("node_modules/")
                    .map_or(place.as_str(), |(_, name)| name);
                let mut draft = Draft::new(name, None);
                draft.origin = local(target);
                reading.add(draft)?
            }
        };
        if let Some(position) = position {
            installed.insert(place.as_str(), position);
        }
    }
    Ok(installed)
}

fn draft<'a>(place: &str, spelled: &'a str, entry: &'a Value) -> Draft<'a> {
    let name = string(entry, "name").unwrap_or(spelled);
    let mut draft = Draft::new(name, string(entry, "version"));
    draft.origin = match string(entry, "resolved") {
        _ if !place.contains("node_modules/") => local(place),
        Some(resolved) => origin(name, resolved),
        None => Origin::Registry,
    };
    draft.hashes = string(entry, "integrity").map(subresource).unwrap_or_default();
    draft.scope = scope(entry);
    if name != spelled && place.contains("node_modules/") {
        draft.notes.push(("alias", spelled.to_owned()));
    }
    if flag(entry, "inBundle") {
        draft.notes.push(("bundled", "true".to_owned()));
    }
    draft
}

/// In version 1 the version says where a package comes from: a number, an alias, or an address.
fn draft_of_version_1<'a>(spelled: &'a str, entry: &'a Value) -> Draft<'a> {
    let stated = string(entry, "version");
    let resolved = string(entry, "resolved");
    let mut draft = match stated {
        Some(alias) if alias.starts_with("npm:") => {
            let alias = &alias["npm:".len()..];
            let (name, version) = split_name(alias).unwrap_or((alias, ""));
            let mut draft = Draft::new(name, Some(version));
            draft.notes.push(("alias", spelled.to_owned()));
            draft
        }
        Some(address) if address.contains(':') => {
            let mut draft = Draft::new(spelled, None);
            draft.origin = origin(spelled, address);
            draft
        }
        version => Draft::new(spelled, version),
    };
    if let (Some(resolved), Origin::Registry) = (resolved, &draft.origin) {
        draft.origin = origin(draft.name, resolved);
    }
    draft.hashes = string(entry, "integrity").map(subresource).unwrap_or_default();
    draft.scope = scope(entry);
    if flag(entry, "bundled") {
        draft.notes.push(("bundled", "true".to_owned()));
    }
    draft
}

fn scope(entry: &Value) -> Scope {
    if flag(entry, "dev") {
        Scope::Development
    } else if flag(entry, "optional") || flag(entry, "devOptional") {
        Scope::Optional
    } else {
        Scope::Required
    }
}

fn local(path: &str) -> Origin {
    Origin::Local {
        path: if path.is_empty() { "." } else { path }.to_owned(),
    }
}

/// Returns where a package comes from by the address of its file. A file of another package is no file of a registry.
pub(crate) fn origin(name: &str, address: &str) -> Origin {
    let plain = plain_address(address);
    if let Some(path) = address
        .strip_prefix("file:")
        .or_else(|| address.strip_prefix("link:"))
    {
        return local(path);
    }
    let git = ["git+", "git:", "git@", "github:", "gitlab:", "bitbucket:"];
    if git.iter().any(|prefix| address.starts_with(prefix)) || plain.ends_with(".git") {
        return Origin::Git {
            url: plain,
            revision: fragment(address).map(str::to_owned),
        };
    }
    let base = name.rsplit('/').next().unwrap_or(name);
    let escaped = name.replace('/', "%2f");
    let registry = [name, &escaped].into_iter().find_map(|name| {
        let (registry, file) = plain.rsplit_once(&format!("/{name}/-/"))?;
        // Scoped packages are kept below their scope, or without it.
        let file = file.rsplit('/').next()?;
        (file.starts_with(&format!("{base}-")) && file.ends_with(".tgz")).then_some(registry)
    });
    match registry {
        Some("https://registry.npmjs.org" | "http://registry.npmjs.org" | "https://registry.yarnpkg.com") => {
            Origin::Registry
        }
        Some(registry) => Origin::OtherRegistry {
            url: registry.to_owned(),
        },
        None if plain.contains("://") => Origin::Archive { url: plain },
        None => local(&plain),
    }
}

/// Splits `name@version`; the name may begin with the `@` of a scope.
pub(crate) fn split_name(text: &str) -> Option<(&str, &str)> {
    let after_scope = text.char_indices().nth(1)?.0;
    let at = text[after_scope..].find('@')? + after_scope;
    Some((&text[..at], &text[at + 1..]))
}

fn connect(
    places: &[(String, &Value)],
    installed: &HashMap<&str, usize>,
    layout: Layout,
    reading: &mut Reading,
) -> Result<(), LockfileError> {
    let tables: &[&str] = match layout {
        Layout::Flat => &["dependencies", "optionalDependencies", "peerDependencies"],
        Layout::Nested => &["requires"],
    };
    for (place, entry) in places {
        if flag(entry, "link") {
            continue;
        }
        let from = installed.get(place.as_str()).copied();
        let is_root = place.is_empty();
        // What a tarball needs for its own development is not installed; what a folder of the tree needs is.
        let in_tree = is_root || !place.contains("node_modules/");
        let development = ["devDependencies"];
        let development: &[&str] = if in_tree && layout == Layout::Flat {
            &development
        } else {
            &[]
        };
        if let Some(from) = from {
            reading.has_edges(from);
            if in_tree {
                reading.direct(from);
            }
        }
        for key in tables.iter().chain(development) {
            for (name, _) in table(entry, key) {
                let on = find(place, name, installed, reading)?;
                match (from, on) {
                    _ if is_root => on.into_iter().for_each(|on| reading.direct(on)),
                    (Some(from), Some(_)) => reading.depends(from, on)?,
                    // An optional package or a peer that is not installed.
                    (Some(_), None) if *key != "dependencies" && *key != "requires" => {}
                    (Some(_), None) if is_optional(entry, name) => {}
                    (Some(from), None) => reading.depends(from, None)?,
                    (None, _) => {}
                }
            }
        }
    }
    Ok(())
}

/// npm writes an optional dependency under both keys in a package's own manifest.
fn is_optional(entry: &Value, name: &str) -> bool {
    table(entry, "optionalDependencies").any(|(optional, _)| optional == name)
}

fn find(
    place: &str,
    name: &str,
    installed: &HashMap<&str, usize>,
    reading: &mut Reading,
) -> Result<Option<usize>, LockfileError> {
    let mut folder = place;
    loop {
        reading.look_up(folder.len() + name.len())?;
        let slash = if folder.is_empty() { "" } else { "/" };
        let candidate = format!("{folder}{slash}node_modules/{name}");
        if let Some(found) = installed.get(candidate.as_str()) {
            return Ok(Some(*found));
        }
        if folder.is_empty() {
            return Ok(None);
        }
        loop {
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            if !folder.ends_with("node_modules") {
                break;
            }
        }
    }
}
