//! `touchmark show` and `touchmark inspect`: one piece of evidence, verified or openly not.

use std::fs;

use crate::common::schema::assert_valid;
use crate::common::{Outcome, World};

fn show(world: &World, flags: &[&str]) -> Outcome {
    let root = world.file("root.json");
    let mut all = vec!["show", "--trusted-root", &root];
    all.extend(flags);
    world.touchmark(all)
}

fn attested() -> (World, String) {
    let world = World::unattested();
    let payload = world.attest_with(&[])["payload"].as_str().unwrap().to_owned();
    (world, payload)
}

#[test]
fn a_statement_is_named_by_its_digest_or_its_beginning() {
    let (world, payload) = attested();
    let whole = show(&world, &[&payload]).ok().stdout;
    for name in [
        &payload[..8],
        &payload[..9],
        &payload[..63],
        &format!("sha256:{payload}"),
        &format!("sha256:{}", &payload[..8]),
    ] {
        assert_eq!(show(&world, &[name]).ok().stdout, whole, "{name}");
    }
    for line in [
        "check        envelope.signature pass",
        "agent        greeter-agent (claude-code 2.1.278)",
        "path         added tests/greeting.rs (agent)",
    ] {
        assert!(whole.contains(line), "{line} is not in {whole}");
    }
    let document = show(&world, &[&payload, "--format", "json"]).ok().json();
    assert_valid(&document);
    assert_eq!(document["verified"], true);
    assert_eq!(document["statement"]["predicate"]["agent"]["id"], "greeter-agent");
}

#[test]
fn what_is_no_digest_or_names_nothing_is_refused() {
    let (world, payload) = attested();
    for name in [
        &payload[..7],
        "",
        "sha256:",
        &payload.to_uppercase(),
        "zzzzzzzz",
        &format!("{payload}0"),
        "../../x",
        "sha512:00000000",
    ] {
        show(&world, &["--", name]).refused(2, "show.not_a_digest");
    }
    let other = if payload.starts_with('0') { "1" } else { "0" };
    show(&world, &[&format!("{other}{}", &payload[1..])]).refused(10, "show.not_found");
}

#[test]
fn what_is_filed_beside_evidence_does_not_hide_it() {
    let (world, payload) = attested();
    let before = show(&world, &[&payload]).ok().stdout;
    let head = world.id("HEAD");
    let reference = format!("refs/touchmark/commit/{}/{head}", &head[..2]);
    let (name, bytes) = world.evidence(&reference).remove(0);
    // The same bundle under another signer's name, a broken one under the right name, and two more broken ones.
    let other = name.replace(&name[65..69], "0000");
    file_evidence(
        &world,
        &reference,
        &[
            (&name, b"{}"),
            (&other, &bytes),
            (&name.replace(&name[65..69], "1111"), b"{}"),
        ],
    );
    let after = show(&world, &[&payload, "--format", "json"]).ok().json();
    assert_eq!(after["statement"]["predicate"]["agent"]["id"], "greeter-agent");
    assert!(before.contains(&payload));
    // Where nothing is proven, nobody can tell which is meant: the signer's digits do.
    let tree = world
        .evidence_refs()
        .into_iter()
        .find(|name| name.contains("/tree/"))
        .unwrap();
    world.git(["update-ref", "-d", &tree]);
    file_evidence(&world, &reference, &[(&name, b"{}"), (&other, b"[]")]);
    let both = show(&world, &[&payload]).refused(2, "show.ambiguous");
    assert!(
        both.stderr.contains(&other) && both.stderr.contains(&name),
        "{}",
        both.stderr
    );
    let raw = show(&world, &[&format!("{payload}-0000"), "--raw"]).ok().stdout;
    assert_eq!(raw.trim_end(), "[]");
    show(&world, &[&format!("{}-0000", &payload[..63])]).refused(2, "show.not_a_digest");
    show(&world, &[&format!("{payload}-zz")]).refused(2, "show.not_a_digest");
}

/// Files these names and bytes under an evidence ref, beside nothing else, as anybody who may push can.
fn file_evidence(world: &World, reference: &str, files: &[(&str, &[u8])]) {
    let index = world.file("index");
    let _ = fs::remove_file(&index);
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command
            .args(arguments)
            .current_dir(world.repo())
            .env("GIT_INDEX_FILE", &index);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for (name, bytes) in files {
        fs::write(world.path("blob"), bytes).unwrap();
        let blob = world.git(["hash-object", "-w", "--no-filters", &world.file("blob")]);
        git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("100644,{blob},{name}"),
        ]);
    }
    let tree = git(&["write-tree"]);
    let object = match world.git(["cat-file", "-t", reference]).as_str() {
        "tree" => tree,
        _ => world.git(["commit-tree", &tree, "-m", "evidence"]),
    };
    world.git(["update-ref", reference, &object]);
}

#[test]
fn the_raw_bundle_is_the_stored_one_and_verifies_elsewhere() {
    let (world, payload) = attested();
    let head = world.id("HEAD");
    let stored = world
        .evidence(&format!("refs/touchmark/commit/{}/{head}", &head[..2]))
        .remove(0)
        .1;
    let raw = show(&world, &[&payload, "--raw"]).ok().stdout;
    assert_eq!(raw.trim_end().as_bytes(), stored.as_slice());
    let file = world.export(&payload, "bundle.json");
    world
        .verify(&["--bundle", &file, "--key", &world.fingerprint("agent")])
        .ok();
}

#[test]
fn evidence_that_proves_nothing_is_not_shown_as_if_it_did() {
    let (world, payload) = attested();
    let mut command = world.command(["show", &payload]);
    command.env("TOUCHMARK_HOME", world.path("elsewhere"));
    let outcome = Outcome::of(command.output().unwrap()).refused(11, "trust.no_root");
    assert!(outcome.stderr.contains("touchmark inspect"), "{}", outcome.stderr);
    let mut command = world.command(["show", &payload, "--raw"]);
    command.env("TOUCHMARK_HOME", world.path("elsewhere"));
    Outcome::of(command.output().unwrap()).ok();
}

#[test]
fn an_inspection_says_that_nothing_is_verified() {
    let (world, payload) = attested();
    let file = world.export(&payload, "bundle.json");
    let text = world.touchmark(["inspect", &file]).ok().stdout;
    assert!(text.starts_with("NOT VERIFIED: "), "{text}");
    assert!(text.contains("agent        greeter-agent"), "{text}");
    let document = world
        .touchmark(["inspect", &file, "--format", "json"])
        .ok()
        .json();
    assert_valid(&document);
    assert_eq!(document["verified"], false);
    assert_eq!(document["payloadDigest"], format!("sha256:{payload}"));
    // A signature that is wrong is none of its business, and it says so in the same words.
    let bundle = fs::read_to_string(&file).unwrap();
    let json: serde_json::Value = serde_json::from_str(&bundle).unwrap();
    let signature = json["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    fs::write(&file, bundle.replace(signature, "MAYCAQECAQE=")).unwrap();
    let forged = world.touchmark(["inspect", &file]).ok().stdout;
    assert!(forged.starts_with("NOT VERIFIED: "), "{forged}");
}

#[test]
fn what_is_no_bundle_is_refused() {
    let world = World::unattested();
    let inspect = |content: &str| {
        fs::write(world.path("x.json"), content).unwrap();
        world.touchmark(["inspect", &world.file("x.json")])
    };
    for content in ["", "{}", "[]", "\u{feff}{}", "{} {}", &"[".repeat(100_000)] {
        let outcome = inspect(content);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(11), ""),
            "{}",
            outcome.stderr
        );
    }
    world.touchmark(["inspect", "absent"]).refused(2, "file.missing");
    world.touchmark(["inspect", "."]).refused(2, "file.not_regular");
    world
        .touchmark(["inspect", "/dev/zero"])
        .refused(2, "file.not_regular");
}
