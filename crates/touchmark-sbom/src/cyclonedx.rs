//! A CycloneDX 1.6 document of the lockfiles of one tree.
//!
//! The document is a function of the lockfiles and of the tool's name and version alone: no time, no random number, the
//! canonical JSON of RFC 8785. Each lockfile is a component of type `file`, on which the tree depends; packages that
//! several lockfiles list alike are one component with several occurrences.

mod merge;

use serde_json::{Map, Value, json};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::strict_json;

use self::merge::{Merged, Node};
use crate::inventory::{Inventory, Lockfile};
use crate::package::{Hash, Origin, Scope};

/// The program that writes the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The reference of the tree itself.
const TREE: &str = "tree";

impl Inventory {
    /// Writes the document.
    pub fn cyclonedx(&self, tool: &Tool) -> Vec<u8> {
        let merged = Merged::of(self);
        let files = self.lockfiles().iter().map(file);
        let metadata = json!({
            "lifecycles": [{"phase": "pre-build"}],
            "tools": {"components": [{
                "type": "application",
                "name": tool.name,
                "version": tool.version,
            }]},
            "component": {"type": "application", "bom-ref": TREE, "name": "tree"},
            "properties": [property("left-out-folders", "node_modules vendor")],
        });
        // The members in the order of RFC 8785, and of the long lists one item at a time.
        let mut writer = Writer(Vec::new());
        writer.member(
            "$schema",
            &"http://cyclonedx.org/schema/bom-1.6.schema.json".into(),
        );
        writer.member("bomFormat", &"CycloneDX".into());
        writer.list("components", files.chain(merged.nodes.iter().map(component)));
        writer.list("compositions", self.compositions().into_iter());
        writer.list("dependencies", self.edges(&merged));
        writer.member("metadata", &metadata);
        writer.member("serialNumber", &self.serial_number(tool).into());
        writer.member("specVersion", &"1.6".into());
        writer.member("version", &1.into());
        writer.0.push(b'}');
        writer.0
    }

    /// A UUID of version 8 (RFC 9562) made of what the document is made of.
    fn serial_number(&self, tool: &Tool) -> String {
        let mut input = vec![tool.name.clone(), tool.version.clone()];
        let digest =
            |digest: &Option<Sha256Digest>| digest.map_or_else(String::new, |digest| digest.to_string());
        for lockfile in self.lockfiles() {
            let beside = lockfile.beside.iter().map(|(path, sum)| (path, sum, ""));
            let why = lockfile.outcome.as_ref().err().map_or("", |error| error.code());
            for (path, sum, why) in std::iter::once((&lockfile.path, &lockfile.sha256, why)).chain(beside) {
                input.extend([path.to_string(), digest(sum), why.to_owned()]);
            }
        }
        let hex = Sha256Digest::of(input.join("\n").as_bytes()).to_string();
        format!(
            "urn:uuid:{}-{}-8{}-a{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..32]
        )
    }

    fn edges<'m>(&'m self, merged: &'m Merged<'_>) -> impl Iterator<Item = Value> + 'm {
        let tree = edge(TREE, self.lockfiles().iter().map(reference));
        let files = self.lockfiles().iter().zip(&merged.direct);
        let files = files.filter(|(lockfile, _)| lockfile.outcome.is_ok());
        let files = files.map(|(lockfile, direct)| {
            let on = direct.iter().map(|node| merged.nodes[*node].reference.clone());
            edge(&reference(lockfile), on)
        });
        // No entry where no lockfile says: an empty list would claim that there are none.
        let nodes = merged.nodes.iter().filter_map(|node| {
            let on = node.dependencies.as_ref()?.iter();
            Some(edge(
                &node.reference,
                on.map(|node| merged.nodes[*node].reference.clone()),
            ))
        });
        std::iter::once(tree).chain(files).chain(nodes)
    }

    /// The tree as a whole is never claimed to be complete: what no lockfile lists is not known.
    fn compositions(&self) -> Vec<Value> {
        let (complete, incomplete): (Vec<_>, Vec<_>) = self
            .lockfiles()
            .iter()
            .partition(|lockfile| lockfile.is_complete());
        let whole = if incomplete.is_empty() {
            "unknown"
        } else {
            "incomplete"
        };
        let mut compositions = vec![json!({"aggregate": whole, "dependencies": [TREE]})];
        for (aggregate, lockfiles) in [("complete", complete), ("incomplete", incomplete)] {
            if !lockfiles.is_empty() {
                let references: Vec<String> = lockfiles.into_iter().map(reference).collect();
                compositions.push(json!({"aggregate": aggregate, "dependencies": references}));
            }
        }
        compositions
    }
}

/// Writes an object member by member.
struct Writer(Vec<u8>);

impl Writer {
    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        self.value(&name.into());
        self.0.push(b':');
    }

    fn value(&mut self, value: &Value) {
        let bytes = strict_json::canonical(value);
        self.0
            .extend(bytes.expect("texts, small numbers, lists and objects have a canonical form"));
    }

    fn member(&mut self, name: &str, value: &Value) {
        self.name(name);
        self.value(value);
    }

    fn list(&mut self, name: &str, items: impl Iterator<Item = Value>) {
        self.name(name);
        self.0.push(b'[');
        for (at, item) in items.enumerate() {
            if at > 0 {
                self.0.push(b',');
            }
            self.value(&item);
        }
        self.0.push(b']');
    }
}

fn edge(from: &str, on: impl Iterator<Item = String>) -> Value {
    let mut on: Vec<String> = on.filter(|on| on != from).collect();
    on.sort_unstable();
    on.dedup();
    json!({"ref": from, "dependsOn": on})
}

fn reference(lockfile: &Lockfile) -> String {
    format!("file:{}", lockfile.path)
}

fn file(lockfile: &Lockfile) -> Value {
    let mut properties = vec![property("lockfile", lockfile.kind.name())];
    for (path, digest) in &lockfile.beside {
        if let Some(digest) = digest {
            properties.push(property("beside", &format!("{path} sha256:{digest}")));
        }
    }
    match &lockfile.outcome {
        Err(error) => properties.push(property("unread", error.code())),
        Ok(resolution) if resolution.skipped > 0 => {
            properties.push(property("skipped", &resolution.skipped.to_string()));
        }
        Ok(_) => {}
    }
    let mut file = json!({
        "type": "file",
        "bom-ref": reference(lockfile),
        "name": lockfile.path.to_string(),
        "properties": properties,
    });
    if let Some(digest) = lockfile.sha256 {
        file["hashes"] = json!([{"alg": "SHA-256", "content": digest.to_string()}]);
    }
    file
}

fn component(node: &Node<'_>) -> Value {
    let package = node.package;
    let (group, name) = group(node);
    let mut component = Map::new();
    let mut put = |key: &str, value: Value| component.insert(key.to_owned(), value);
    put("type", "library".into());
    put("bom-ref", node.reference.as_str().into());
    put("name", name.into());
    if let Some(group) = group {
        put("group", group.into());
    }
    if let Some(version) = &package.version {
        put("version", version.as_str().into());
    }
    if let Some(purl) = &package.purl {
        put("purl", purl.full.as_str().into());
    }
    match node.scope {
        Scope::Required => {}
        Scope::Optional => drop(put("scope", "optional".into())),
        Scope::Development => drop(put("scope", "excluded".into())),
    }
    if !node.hashes.is_empty() {
        put("hashes", node.hashes.iter().copied().map(hash).collect());
    }
    if !node.files.is_empty() {
        let reference = |(location, hashes): (&&str, &std::collections::BTreeSet<&Hash>)| {
            let mut reference = json!({"type": "distribution", "url": iri(location)});
            if !hashes.is_empty() {
                reference["hashes"] = hashes.iter().copied().map(hash).collect();
            }
            reference
        };
        put("externalReferences", node.files.iter().map(reference).collect());
    }
    let occurrences: Vec<Value> = node
        .manifests
        .iter()
        .map(|path| json!({"location": path.to_string()}))
        .collect();
    put("evidence", json!({"occurrences": occurrences}));
    let mut properties: Vec<Value> = node
        .notes
        .iter()
        .map(|(name, value)| property(name, value))
        .collect();
    if let Origin::Local { path } = &package.origin {
        properties.push(property("local", path));
    }
    if let Some(requirement) = package
        .requirement
        .as_deref()
        .filter(|_| package.version.is_none())
    {
        properties.push(property("requirement", requirement));
    }
    if !properties.is_empty() {
        put("properties", properties.into());
    }
    component.into()
}

/// Splits what CycloneDX calls the group from a name: a scope, a group of Maven, a vendor.
fn group<'a>(node: &Node<'a>) -> (Option<&'a str>, &'a str) {
    let name = node.package.name.as_str();
    let of_type = |prefix: &str| {
        let purl = node.package.purl.as_ref();
        purl.is_some_and(|purl| purl.full.starts_with(prefix))
    };
    let split = if of_type("pkg:maven/") {
        name.split_once(':')
    } else if of_type("pkg:composer/") || of_type("pkg:npm/%40") {
        name.split_once('/')
    } else {
        None
    };
    split.map_or((None, name), |(group, name)| (Some(group), name))
}

fn hash(hash: &Hash) -> Value {
    json!({"alg": hash.algorithm.cyclonedx(), "content": hash.hex})
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": format!("touchmark:{name}"), "value": value})
}

/// Escapes what no reference may hold (RFC 3987).
fn iri(text: &str) -> String {
    let mut iri = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '[' | ']' => {
                iri.push_str(&format!("%{:02X}", u32::from(character)));
            }
            other => iri.push(other),
        }
    }
    iri
}

#[cfg(test)]
mod tests;
