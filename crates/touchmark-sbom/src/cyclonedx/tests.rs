//! The document's shape, and how packages of several lockfiles become components.

use serde_json::{Value, json};

use crate::Tool;
use crate::format::tests::{Files, SAMPLES, sample};

fn document(files: &Files) -> Value {
    let tool = Tool {
        name: "touchmark".to_owned(),
        version: "1".to_owned(),
    };
    let bytes = files.inventory().cyclonedx(&tool);
    let document = serde_json::from_slice(&bytes).expect("a document is JSON");
    let canonical = touchmark_statement::strict_json::canonical(&document).expect("a canonical form");
    assert_eq!(String::from_utf8(bytes), String::from_utf8(canonical));
    document
}

fn cargo(checksum: char) -> String {
    let checksum = checksum.to_string().repeat(64);
    format!(
        "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"left\"]\n\
         [[package]]\nname = \"left\"\nversion = \"1.0.0\"\nchecksum = \"{checksum}\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
    )
}

fn component<'a>(document: &'a Value, reference: &str) -> &'a Value {
    let components = document["components"].as_array().expect("components");
    let found = components
        .iter()
        .find(|component| component["bom-ref"] == reference);
    found.unwrap_or_else(|| panic!("{reference} is not in {document:#}"))
}

#[test]
fn what_two_lockfiles_say_alike_is_one_component() {
    let files = Files::of([
        ("a/Cargo.lock", cargo('a').as_bytes()),
        ("b/Cargo.lock", cargo('a').as_bytes()),
    ]);
    let document = document(&files);
    assert_eq!(
        *component(&document, "pkg:cargo/left@1.0.0"),
        json!({
            "type": "library", "bom-ref": "pkg:cargo/left@1.0.0", "name": "left", "version": "1.0.0",
            "purl": "pkg:cargo/left@1.0.0",
            "hashes": [{"alg": "SHA-256", "content": "a".repeat(64)}],
            "evidence": {"occurrences": [{"location": "a/Cargo.lock"}, {"location": "b/Cargo.lock"}]}
        })
    );
    // Parts of the tree are of their lockfile, and have no package URL.
    for lockfile in ["a", "b"] {
        let reference = format!("local:{lockfile}/Cargo.lock#app@0.1.0");
        assert_eq!(component(&document, &reference).get("purl"), None);
    }
    assert_eq!(
        document["dependencies"],
        json!([
            {"ref": "tree", "dependsOn": ["file:a/Cargo.lock", "file:b/Cargo.lock"]},
            {"ref": "file:a/Cargo.lock", "dependsOn": ["local:a/Cargo.lock#app@0.1.0"]},
            {"ref": "file:b/Cargo.lock", "dependsOn": ["local:b/Cargo.lock#app@0.1.0"]},
            {"ref": "local:a/Cargo.lock#app@0.1.0", "dependsOn": ["pkg:cargo/left@1.0.0"]},
            {"ref": "pkg:cargo/left@1.0.0", "dependsOn": []},
            {"ref": "local:b/Cargo.lock#app@0.1.0", "dependsOn": ["pkg:cargo/left@1.0.0"]},
        ])
    );
}

#[test]
fn what_two_lockfiles_contradict_each_other_in_is_two_components() {
    let files = Files::of([
        ("a/Cargo.lock", cargo('a').as_bytes()),
        ("b/Cargo.lock", cargo('b').as_bytes()),
    ]);
    let document = document(&files);
    for (lockfile, digit) in [("a/Cargo.lock", "a"), ("b/Cargo.lock", "b")] {
        let component = component(&document, &format!("pkg:cargo/left@1.0.0#{lockfile}"));
        assert_eq!(component["purl"], "pkg:cargo/left@1.0.0");
        assert_eq!(component["hashes"][0]["content"], digit.repeat(64));
    }
}

#[test]
fn the_document_says_what_it_lacks() {
    let files = Files::of([
        ("Cargo.lock", cargo('a').as_bytes()),
        ("bun.lock", b"{}"),
        ("requirements.txt", b"left\n"),
    ]);
    let document = document(&files);
    assert_eq!(
        document["compositions"],
        json!([
            {"aggregate": "incomplete", "dependencies": ["tree"]},
            {"aggregate": "complete", "dependencies": ["file:Cargo.lock"]},
            {"aggregate": "incomplete", "dependencies": ["file:bun.lock", "file:requirements.txt"]},
        ])
    );
    let unread = component(&document, "file:bun.lock");
    assert_eq!(
        unread["properties"][1],
        json!({"name": "touchmark:unread", "value": "lockfile.unsupported"})
    );
    assert_eq!(unread["hashes"][0]["alg"], "SHA-256");
    let loose = component(&document, "pkg:pypi/left");
    assert_eq!(loose.get("version"), None);
    assert_eq!(
        loose["properties"],
        json!([{"name": "touchmark:requirement", "value": "*"}])
    );
    // No lockfile says what it depends on.
    let edges = document["dependencies"].as_array().expect("edges");
    assert!(edges.iter().all(|edge| edge["ref"] != "pkg:pypi/left"));
}

/// What the schema asks for and is easily broken: references once, and only to what is there.
#[test]
fn references_are_unique_and_lead_somewhere() {
    for (sample_name, name) in SAMPLES {
        let document = document(&Files::of([
            (name, &sample(sample_name)),
            ("x/Cargo.lock", cargo('a').as_bytes()),
        ]));
        assert_eq!(
            (&document["bomFormat"], &document["specVersion"]),
            (&json!("CycloneDX"), &json!("1.6"))
        );
        let serial = document["serialNumber"].as_str().expect("a serial number");
        assert_eq!(
            (serial.len(), &serial[..9], &serial[23..24]),
            (45, "urn:uuid:", "8")
        );
        let mut known = std::collections::BTreeSet::from(["tree"]);
        for component in document["components"].as_array().expect("components") {
            let reference = component["bom-ref"].as_str().expect("a reference");
            assert!(known.insert(reference), "{sample_name}: {reference} twice");
        }
        let mut edges = std::collections::BTreeSet::new();
        for edge in document["dependencies"].as_array().expect("edges") {
            assert!(
                edges.insert(edge["ref"].as_str().expect("a reference")),
                "{sample_name}: {edge}"
            );
            for on in edge["dependsOn"].as_array().expect("a list") {
                assert!(
                    known.contains(on.as_str().expect("a reference")),
                    "{sample_name}: {on}"
                );
            }
        }
        assert!(edges.is_subset(&known));
    }
}

#[test]
fn the_same_lockfiles_are_the_same_bytes_and_others_are_not() {
    let tool = |version: &str| Tool {
        name: "touchmark".to_owned(),
        version: version.to_owned(),
    };
    let of = |digit: char| Files::of([("Cargo.lock", cargo(digit).as_bytes())]).inventory();
    assert_eq!(of('a').cyclonedx(&tool("1")), of('a').cyclonedx(&tool("1")));
    assert_ne!(of('a').cyclonedx(&tool("1")), of('b').cyclonedx(&tool("1")));
    assert_ne!(of('a').cyclonedx(&tool("1")), of('a').cyclonedx(&tool("2")));
}
