//! `touchmark attest sbom`, and what `attest change` says of dependencies: from the lockfiles of git's trees.

use std::fs;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::common::Sandbox;
use crate::common::world::World;

const HASH_A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const HASH_B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn cargo_lock(packages: &[(&str, &str, &str)]) -> String {
    let mut text = String::from("version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n");
    for (name, version, checksum) in packages {
        text.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{checksum}\"\n"
        ));
    }
    text
}

fn package_lock(packages: &[(&str, &str)]) -> String {
    let packages: serde_json::Map<String, Value> = packages
        .iter()
        .map(|(name, version)| (format!("node_modules/{name}"), json!({"version": version})))
        .collect();
    json!({"name": "web", "lockfileVersion": 3, "packages": packages}).to_string()
}

/// A repository with two lockfiles, and a change by an agent to the first.
fn with_lockfiles() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "Cargo.lock",
        cargo_lock(&[("left", "1.0.0", HASH_A), ("gone", "1.0.0", HASH_A)]),
    );
    sandbox.write("web/package-lock.json", package_lock(&[("inner", "2.0.0")]));
    sandbox.write(
        "node_modules/x/package-lock.json",
        package_lock(&[("hidden", "6.6.6")]),
    );
    sandbox.write("vendor/x/Cargo.lock", "not read");
    sandbox.commit("first");
    sandbox.git(["switch", "--quiet", "--create", "agent/fix"]);
    let packages = [
        ("left", "1.1.0", HASH_B),
        ("new", "0.1.0", HASH_A),
        ("new", "0.2.0", HASH_B),
    ];
    sandbox.write("Cargo.lock", cargo_lock(&packages));
    sandbox.commit("update");
    sandbox
        .session()
        .prompt("update left")
        .writes("Cargo.lock")
        .store(&sandbox);
    sandbox
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The document as `--print` writes it.
fn printed(sandbox: &Sandbox, flags: &[&str]) -> String {
    let arguments = ["attest", "sbom", "--print"].iter().chain(flags);
    sandbox.touchmark(arguments).ok().stdout
}

fn purls(document: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(document).unwrap();
    let components = document["components"].as_array().unwrap();
    let mut purls: Vec<String> = components
        .iter()
        .filter_map(|component| Some(component["purl"].as_str()?.to_owned()))
        .collect();
    purls.sort();
    purls
}

#[test]
fn attest_says_which_dependencies_changed() {
    let sandbox = with_lockfiles();
    let statement = sandbox.statement(&["--base", "main"]);
    let sbom = &statement["predicate"]["sbom"];
    assert_eq!(sbom["format"], "cyclonedx-1.6");
    let row = |purl: &str, from: Value, to: Value| {
        let mut row = json!({"purl": purl, "manifest": "Cargo.lock"});
        for (key, value) in [("from", from), ("to", to)] {
            if !value.is_null() {
                row[key] = value;
            }
        }
        row
    };
    assert_eq!(
        sbom["dependencies"],
        json!([
            row("pkg:cargo/gone", json!("1.0.0"), Value::Null),
            row("pkg:cargo/left", json!("1.0.0"), json!("1.1.0")),
            row("pkg:cargo/new", Value::Null, json!("0.1.0")),
            row("pkg:cargo/new", Value::Null, json!("0.2.0")),
        ])
    );
    assert_eq!(sbom.get("unread"), None);
    assert_eq!(sbom.get("omitted"), None);
    assert_eq!(statement["predicate"]["capture"]["sources"]["/sbom"], "observed");
    // The digests are of what `--print` writes for the two trees.
    for (name, revision) in [("digest", "HEAD"), ("base", "main")] {
        let document = printed(&sandbox, &["--proposed", revision]);
        assert_eq!(sbom[name]["sha256"], sha256(document.as_bytes()), "{name}");
    }
    assert_eq!(
        purls(&printed(&sandbox, &[])),
        [
            "pkg:cargo/left@1.1.0",
            "pkg:cargo/new@0.1.0",
            "pkg:cargo/new@0.2.0",
            "pkg:npm/inner@2.0.0"
        ]
    );
}

#[test]
fn what_no_lockfile_says_differently_is_the_same_document() {
    let sandbox = Sandbox::with_change();
    let statement = sandbox.statement(&["--base", "main"]);
    let sbom = &statement["predicate"]["sbom"];
    assert_eq!(sbom["digest"], sbom["base"]);
    assert_eq!(sbom["dependencies"], json!([]));
}

#[test]
fn another_hash_of_the_same_version_is_a_change() {
    let sandbox = with_lockfiles();
    sandbox.write(
        "Cargo.lock",
        cargo_lock(&[("left", "1.0.0", HASH_B), ("gone", "1.0.0", HASH_A)]),
    );
    sandbox.commit("another left");
    let statement = sandbox.statement(&["--base", "main"]);
    assert_eq!(
        statement["predicate"]["sbom"]["dependencies"],
        json!([{"purl": "pkg:cargo/left", "from": "1.0.0", "to": "1.0.0", "manifest": "Cargo.lock"}])
    );
}

#[test]
fn the_work_tree_is_read_only_where_it_is_what_is_attested() {
    let sandbox = with_lockfiles();
    let committed = sandbox.statement(&["--base", "main"])["predicate"]["sbom"].clone();
    sandbox.write("web/package-lock.json", package_lock(&[("inner", "3.0.0")]));
    assert_eq!(
        sandbox.statement(&["--base", "main"])["predicate"]["sbom"],
        committed
    );
    let uncommitted = sandbox.statement(&["--uncommitted"]);
    assert_eq!(
        uncommitted["predicate"]["sbom"]["dependencies"],
        json!([{"purl": "pkg:npm/inner", "from": "2.0.0", "to": "3.0.0", "manifest": "web/package-lock.json"}])
    );
}

#[test]
fn what_cannot_be_read_is_named_and_the_document_says_so() {
    let sandbox = with_lockfiles();
    sandbox.write("bun.lock", "{}");
    sandbox.write(
        "web/package-lock.json",
        "{\"lockfileVersion\": 3, \"packages\": {\"a\": 1, \"a\": 2}}",
    );
    std::os::unix::fs::symlink("../Cargo.lock", sandbox.repo().join("web/Cargo.lock")).unwrap();
    sandbox.commit("unreadable");
    let outcome = sandbox
        .touchmark(["attest", "--dry-run", "--format", "json", "--base", "main"])
        .ok();
    let sbom = outcome.json()["statement"]["predicate"]["sbom"].clone();
    let unread =
        |manifest: &str, reason: &str| json!({"manifest": manifest, "tree": "proposed", "reason": reason});
    assert_eq!(
        sbom["unread"],
        json!([
            unread("bun.lock", "lockfile.unsupported"),
            unread("web/Cargo.lock", "lockfile.not_a_file"),
            unread("web/package-lock.json", "lockfile.duplicate_key"),
        ])
    );
    // What one side cannot tell is neither added nor removed.
    let manifests = sbom["dependencies"].as_array().unwrap();
    assert!(
        manifests.iter().all(|row| row["manifest"] == "Cargo.lock"),
        "{sbom}"
    );
    for code in [
        "lockfile.unsupported",
        "lockfile.not_a_file",
        "lockfile.duplicate_key",
    ] {
        assert!(outcome.stderr.contains(code), "{}", outcome.stderr);
    }
    let document: Value = serde_json::from_str(&printed(&sandbox, &[])).unwrap();
    let incomplete = &document["compositions"][2];
    assert_eq!(
        document["compositions"][0],
        json!({"aggregate": "incomplete", "dependencies": ["tree"]})
    );
    assert_eq!(incomplete["aggregate"], "incomplete");
    assert_eq!(
        incomplete["dependencies"],
        json!([
            "file:bun.lock",
            "file:web/Cargo.lock",
            "file:web/package-lock.json"
        ])
    );
    sandbox.touchmark(["explain", "lockfile.duplicate_key"]).ok();
}

/// The good case under a policy that asks this of an SBOM, with a lockfile that nobody here can read, or without.
#[track_caller]
fn judged(asked: &str, has_unread: bool, exit: i32, codes: &[&str]) -> Value {
    let requires = format!("transcript = \"whole\", sbom = {asked} }}");
    let world = World::under(|policy| policy.replace("transcript = \"whole\" }", &requires));
    if has_unread {
        world.write("tests/bun.lock", "{}");
        world.commit("a lockfile that is not read");
    }
    world.attest_with(&[]);
    world.approve_as("alice", &[]);
    world.judged(&["--target", "refs/heads/main"], exit, codes)
}

#[test]
fn the_gate_tells_of_lockfiles_that_were_not_read_or_refuses_them_as_the_policy_says() {
    judged("\"whole\"", false, 0, &[]);
    // The session did not write the lockfile, which is told as well.
    let beside = ["lineage.attribution", "lineage.undeclared"];
    let with = ["agent.sbom_incomplete", beside[0], beside[1]];
    let refused = judged("\"whole\"", true, 10, &with);
    assert_eq!(refused["decision"], "missing");
    let told = judged("true", true, 0, &with);
    assert_eq!(told["decision"], "allowed");
    let reasons = told["reasons"].as_array().unwrap();
    let mut reasons = reasons
        .iter()
        .filter(|reason| reason["code"] == "agent.sbom_incomplete");
    let reason = reasons.next().unwrap();
    assert_eq!(reason["class"], "finding");
    assert_eq!(reason["paths"], json!(["tests/bun.lock"]));
    assert_eq!(
        reason["found"],
        "lockfiles that are not known in full: lockfile.unsupported"
    );
    judged("false", true, 0, &beside);
}

#[test]
fn an_sbom_is_signed_logged_and_filed_like_other_evidence() {
    let sandbox = with_lockfiles();
    let result = sandbox
        .touchmark(["attest", "sbom", "--format", "json"])
        .ok()
        .json();
    assert_eq!(result["outcome"], "logged");
    assert_eq!(result["schema"], "https://touchmark.dev/schemas/attest-v1.json");
    let (head, tree) = (
        sandbox.git(["rev-parse", "HEAD"]),
        sandbox.git(["rev-parse", "HEAD^{tree}"]),
    );
    let refs = [
        format!("refs/touchmark/commit/{}/{head}", &head[..2]),
        format!("refs/touchmark/tree/{}/{tree}", &tree[..2]),
    ];
    assert_eq!(sandbox.evidence_refs(), refs);
    let bundle: Value = serde_json::from_slice(&sandbox.evidence(&refs[1])[0].1).unwrap();
    use base64::Engine as _;
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let payload = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(statement["predicateType"], "https://cyclonedx.org/bom");
    assert_eq!(statement["subject"][0]["digest"]["gitCommit"], head);
    assert_eq!(statement["subject"][1]["digest"]["gitTree"], tree);
    let document: Value = serde_json::from_str(&printed(&sandbox, &[])).unwrap();
    assert_eq!(statement["predicate"], document);
    // Another commit's, without a commit of its own being made for it.
    let older = sandbox.git(["rev-parse", "main"]);
    let result = sandbox.touchmark(["attest", "sbom", "--proposed", "main", "--format", "json"]);
    assert!(result.ok().json()["refs"][0].as_str().unwrap().ends_with(&older));
    let shown = sandbox.touchmark(["find", "--format", "json"]).ok();
    assert_eq!(shown.code, Some(0));
}

#[test]
fn a_document_made_elsewhere_stands_in() {
    let sandbox = with_lockfiles();
    let file = sandbox.path("bom.json");
    let spdx = json!({"spdxVersion": "SPDX-2.3", "packages": [{"name": "left", "versionInfo": "9"}]});
    fs::write(&file, spdx.to_string()).unwrap();
    let path = file.to_str().unwrap();
    let statement = sandbox
        .touchmark(["attest", "sbom", "--dry-run", "--format", "json", "--sbom", path])
        .ok()
        .json()["statement"]
        .clone();
    assert_eq!(statement["predicateType"], "https://spdx.dev/Document");
    assert_eq!(statement["predicate"], spdx);
    assert!(sandbox.evidence_refs().is_empty());
    let change = sandbox.statement(&["--base", "main", "--sbom", path]);
    assert_eq!(change["predicate"]["sbom"]["format"], "spdx-2.3");
    assert_eq!(change["predicate"]["sbom"]["dependencies"], json!([]));
    assert_eq!(change["predicate"]["sbom"].get("base"), None);
    assert_eq!(change["predicate"]["capture"]["sources"]["/sbom"], "selfReported");
}

#[test]
fn what_no_statement_can_hold_is_refused() {
    let sandbox = with_lockfiles();
    let file = sandbox.path("bom.json");
    let name = "n".repeat(1_000);
    let components: Vec<Value> = (0..4_500)
        .map(|_| json!({"type": "library", "name": name}))
        .collect();
    let document = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components});
    fs::write(&file, document.to_string()).unwrap();
    let path = file.to_str().unwrap();
    sandbox
        .touchmark(["attest", "sbom", "--sbom", path])
        .refused(2, "attest.sbom_too_large");
    for conflicting in [
        ["--print", "--dry-run"],
        ["--print", "--push=origin"],
        ["--print", "--sbom=x"],
    ] {
        let outcome = sandbox.touchmark(["attest", "sbom"].iter().chain(&conflicting));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    }
    sandbox
        .touchmark(["attest", "sbom", "--proposed", "nowhere"])
        .refused(2, "git.revision_unknown");
    assert!(sandbox.evidence_refs().is_empty());
}

#[test]
fn the_same_tree_is_the_same_document_anywhere() {
    let (one, other) = (with_lockfiles(), with_lockfiles());
    other.git(["remote", "add", "origin", "https://example.com/elsewhere.git"]);
    assert_eq!(printed(&one, &[]), printed(&other, &[]));
    // A secret in an address of a lockfile goes nowhere.
    let lock = cargo_lock(&[]).replace(
        "version = \"0.1.0\"",
        "version = \"0.1.0\"\nsource = \"git+https://alice:hunter2secret@example.com/app?token=hunter2secret#0123\"",
    );
    one.write("Cargo.lock", lock);
    one.commit("with a token");
    let document = printed(&one, &[]);
    assert!(document.contains("example.com"), "{document}");
    assert!(!document.contains("hunter2secret"));
}
