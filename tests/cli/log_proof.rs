//! `touchmark log proof`: proofs leave a bundle and are verified offline.

use std::fs;

use serde_json::Value;
use touchmark_testkit::sigstore::{Instance, InstanceOptions};

use crate::common::schema::assert_valid;
use crate::common::{AT, World};

/// A world with one attested change, its bundle and its exported proof.
fn exported() -> (World, String, String) {
    let world = World::unattested();
    let payload = world.attest_with(&[])["payload"].as_str().unwrap().to_owned();
    let bundle = world.export(&payload, "bundle.json");
    let exported = world
        .touchmark(["log", "proof", "export", "--bundle", &bundle])
        .ok();
    assert!(
        exported.stdout.starts_with("c2sp.org/tlog-proof@v1\nextra "),
        "{}",
        exported.stdout
    );
    let path = world.file("change.tlog-proof");
    fs::write(&path, exported.stdout).unwrap();
    (world, bundle, path)
}

#[test]
fn a_proof_leaves_its_bundle_and_verifies_offline() {
    let (world, bundle, proof) = exported();
    let root = world.file("root.json");
    let verify = |more: &[&str]| {
        let flags = [
            "log",
            "proof",
            "verify",
            &proof,
            "--trusted-root",
            &root,
            "--at",
            AT,
        ];
        world.touchmark(flags.iter().chain(more).copied())
    };
    let json = ["--format", "json"];
    let document = verify(&json).ok().json();
    assert_valid(&document);
    assert_eq!(document["index"], 0);
    let with_bundle = verify(&["--bundle", &bundle, "--format", "json"]).ok().json();
    assert_eq!(document, with_bundle);
    // The entry by itself, byte for byte.
    let json: Value = serde_json::from_slice(&fs::read(&bundle).unwrap()).unwrap();
    let entry = &json["verificationMaterial"]["tlogEntries"][0];
    let body = entry["canonicalizedBody"].as_str().unwrap();
    let extra = fs::read_to_string(&proof).unwrap();
    assert!(
        extra.contains(&format!("extra {body}\n")),
        "the proof carries its entry"
    );
    let file = world.file("entry");
    fs::write(&file, "{}").unwrap();
    verify(&["--entry", &file]).refused(11, "tlog.root_mismatch");
    assert_eq!(verify(&["--entry", &file, "--bundle", &bundle]).code, Some(2));
}

#[test]
fn a_proof_with_one_defect_is_refused() {
    let (world, bundle, proof) = exported();
    let root = world.file("root.json");
    let text = fs::read_to_string(&proof).unwrap();
    let broken = world.file("broken.tlog-proof");
    let verify = |text: String, more: &[&str]| {
        fs::write(&broken, text).unwrap();
        let flags = [
            "log",
            "proof",
            "verify",
            &broken,
            "--trusted-root",
            &root,
            "--at",
            AT,
        ];
        world.touchmark(flags.iter().chain(more).copied())
    };
    verify(text.clone(), &[]).ok();
    verify(text.replacen("@v1", "@v2", 1), &[]).refused(11, "tlog_proof.header");
    verify(text.replacen("index 0", "index 1", 1), &[]).refused(11, "tlog.index_range");
    let bare: String = text
        .lines()
        .filter(|line| !line.starts_with("extra"))
        .fold(String::new(), |all, line| all + line + "\n");
    verify(bare.clone(), &[]).refused(2, "log_proof.entry_needed");
    verify(bare, &["--bundle", &bundle]).ok();
    // Signed by nobody whom the root knows.
    let other = World::attested();
    let flags = [
        "log",
        "proof",
        "verify",
        &proof,
        "--trusted-root",
        &other.file("root.json"),
        "--at",
        AT,
    ];
    world.touchmark(flags).refused(11, "tlog.log_unknown");
    // A quorum that nobody makes up.
    let policy = world.file("witnesses.txt");
    let options = InstanceOptions {
        witnesses: 1,
        ..InstanceOptions::default()
    };
    let key = Instance::new(1, options).rekor_v2().witnesses[0].verifier_key();
    fs::write(&policy, format!("witness w {key}\nquorum w\n")).unwrap();
    verify(text.clone(), &["--witness-policy", &policy]).refused(10, "tlog.witness_quorum");
    fs::write(&policy, format!("witness w {key}\nquorum x\n")).unwrap();
    verify(text, &["--witness-policy", &policy]).refused(2, "witness_policy.unknown_name");
    world
        .touchmark(["log", "proof", "export", "--bundle", &bundle, "--number", "1"])
        .refused(10, "tlog.entry_missing");
}
