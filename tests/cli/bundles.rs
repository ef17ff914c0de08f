//! `touchmark verify --bundle`: one bundle against an expected signer, without repository and policy.

use std::fs;

use crate::common::World;
use crate::common::schema::assert_valid;

/// A world and its agent change as a file outside the repository.
fn exported() -> (World, String) {
    let world = World::unattested();
    let payload = world.attest_with(&[])["payload"].as_str().unwrap().to_owned();
    let file = world.export(&payload, "change.json");
    (world, file)
}

#[test]
fn a_bundle_is_verified_against_a_key_or_a_fingerprint() {
    let (world, file) = exported();
    for key in [world.public_key("agent"), world.fingerprint("agent")] {
        let outcome = world
            .verify(&["--bundle", &file, "--key", &key, "--format", "json"])
            .ok();
        let document = outcome.json();
        assert_valid(&document);
        let evidence = &document["evidence"][0];
        assert_eq!(evidence["logIndex"], 0);
        assert_eq!(evidence["signer"], format!("key {}", world.fingerprint("agent")));
        let text = world.verify(&["--bundle", &file, "--key", &key]).ok().stdout;
        assert!(text.contains("check        envelope.signature pass"), "{text}");
        assert!(text.contains("agent        greeter-agent"), "{text}");
    }
    let both = [world.public_key("alice"), world.fingerprint("agent")];
    world
        .verify(&["--bundle", &file, "--key", &both[0], "--key", &both[1]])
        .ok();
}

#[test]
fn a_bundle_needs_an_expected_signer_and_is_refused_for_another() {
    let (world, file) = exported();
    world.verify(&["--bundle", &file]).refused(2, "verify.no_signer");
    for key in [world.public_key("alice"), world.fingerprint("alice")] {
        world
            .verify(&["--bundle", &file, "--key", &key])
            .refused(11, "signer.not_expected");
    }
    world
        .verify(&["--bundle", &file, "--key", "sha256:12"])
        .refused(2, "key.fingerprint");
    world
        .verify(&["--bundle", &file, "--key", &world.key("agent")])
        .refused(2, "key.private_where_public_expected");
    world
        .verify(&["--key", &world.public_key("agent")])
        .refused(2, "verify.nothing_named");
}

#[test]
fn a_bundle_without_a_known_log_or_with_a_changed_byte_is_refused() {
    let (world, file) = exported();
    let key = world.public_key("agent");
    let mut command = world.command(["verify", "--bundle", &file, "--key", &key]);
    command.env("TOUCHMARK_HOME", world.path("elsewhere"));
    // The public-good instance, which is built in, knows nothing of a log of one's own.
    crate::common::Outcome::of(command.output().unwrap()).refused(11, "tlog.log_unknown");

    let text = fs::read_to_string(&file).unwrap();
    let bundle: serde_json::Value = serde_json::from_str(&text).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let mut changed = payload.to_owned();
    changed.replace_range(100..101, if &payload[100..101] == "A" { "B" } else { "A" });
    fs::write(&file, text.replace(payload, &changed)).unwrap();
    world
        .verify(&["--bundle", &file, "--key", &key])
        .refused(11, "signature.invalid");

    fs::create_dir(world.path("empty")).unwrap();
    world
        .verify(&["--bundle", &world.file("empty"), "--key", &key])
        .refused(10, "verify.no_evidence");
    fs::write(world.path("bad.json"), "{}").unwrap();
    let outcome = world.verify(&["--bundle", &world.file("bad.json"), "--key", &key]);
    assert_eq!(outcome.code, Some(11), "{}", outcome.stderr);
}

#[test]
fn of_several_bundles_one_that_fails_is_a_failure() {
    let (world, file) = exported();
    fs::create_dir(world.path("all")).unwrap();
    fs::copy(&file, world.path("all/a.json")).unwrap();
    let key = world.public_key("agent");
    let all = world.file("all");
    world.verify(&["--bundle", &all, "--key", &key]).ok();
    fs::write(world.path("all/b.jsonl"), "{}\n").unwrap();
    let outcome = world.verify(&["--bundle", &all, "--key", &key]);
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(11), ""),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_question_about_a_change_that_names_none_is_not_answered_with_a_bundle() {
    let world = World::attested();
    let (bundle, key) = (world.file("root.json"), world.public_key("agent"));
    let alone = ["--bundle", &bundle, "--key", &key];
    for flags in [
        ["--target", "refs/heads/main"],
        ["--policy", "policy.toml"],
        ["--forge-author", "mallory"],
        ["--repo", "https://git.example/acme/greeter.git"],
        ["--pull-request", "HEAD"],
        ["--from", "origin"],
        ["--min-serial", "1"],
    ] {
        let all: Vec<&str> = alone.into_iter().chain(flags).collect();
        world.verify(&all).refused(2, "verify.nothing_named");
    }
}
