//! `touchmark export`: a statement in the forms of others, and back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::common::world::MODEL;
use crate::common::{AT, Outcome, Sandbox, World};

#[track_caller]
fn export(world: &World, flags: &[&str]) -> Outcome {
    let root = world.file("root.json");
    let all = ["export", "--trusted-root", &root];
    world.touchmark(all.iter().chain(flags))
}

#[test]
fn a_metadata_record_goes_out_and_comes_back() {
    let world = World::unattested();
    world.attest_with(&["--plain-prompt-digest"]);
    let outcome = export(&world, &["--as", "metadata"]).ok();
    assert!(outcome.stderr.contains("unsigned"), "{}", outcome.stderr);
    let record = outcome.json();
    assert_eq!(record["agent_id"], "greeter-agent");
    assert_eq!(record["model"], MODEL);
    assert_eq!(record["base_sha"], world.id("main"));
    assert_eq!(record["proposed_sha"], world.id("HEAD"));
    assert!(record["prompt_hash"].as_str().unwrap().starts_with("sha256:"));
    let file = world.file("record.json");
    export(&world, &["--as", "metadata", "--output", &file]).ok();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    export(&world, &["--as", "metadata", "--output", &file]).refused(2, "export.exists");
    let back = world.statement(&["--metadata", &file, "--agent", "greeter-agent"]);
    let predicate = &back["predicate"];
    assert_eq!(predicate["models"][0]["id"], MODEL);
    assert_eq!(predicate["agent"]["id"], "greeter-agent");
    let digest = format!(
        "sha256:{}",
        predicate["prompt"]["plainDigest"]["sha256"].as_str().unwrap()
    );
    assert_eq!(record["prompt_hash"], digest);
    assert_eq!(predicate["run"]["endedAt"], record["timestamp"]);
    assert_eq!(
        predicate["change"]["proposed"]["gitCommit"],
        record["proposed_sha"]
    );
}

#[test]
fn the_prompts_digest_comes_from_the_vault_or_not_at_all() {
    let stated = World::unattested();
    stated.attest_with(&["--plain-prompt-digest"]);
    let stated = export(&stated, &["--as", "metadata"]).ok().json();
    let world = World::attested();
    let outcome = export(&world, &["--as", "metadata"]).ok();
    assert!(outcome.stderr.contains("can be guessed"), "{}", outcome.stderr);
    assert_eq!(outcome.json()["prompt_hash"], stated["prompt_hash"]);
    fs::remove_dir_all(world.path("touchmark/data/vault")).unwrap();
    export(&world, &["--as", "metadata"]).refused(2, "export.no_prompt_digest");
}

#[test]
fn provenance_says_what_the_statement_says_and_fits_its_schema() {
    let world = World::attested();
    let outcome = export(&world, &["HEAD", "--as", "slsa-provenance"]).ok();
    assert!(outcome.stderr.contains("unsigned"));
    let statement = outcome.json();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/provenance/v1.json");
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&statement["predicate"])
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(statement["subject"][0]["digest"]["gitCommit"], world.id("HEAD"));
    let predicate = &statement["predicate"];
    assert_eq!(
        predicate["buildDefinition"]["buildType"],
        "https://touchmark.dev/agent-build/v1"
    );
    assert_eq!(
        predicate["buildDefinition"]["resolvedDependencies"][0],
        json!({"uri": "git+https://git.example/acme/greeter", "digest": {"gitCommit": world.id("main")}})
    );
    assert_eq!(
        predicate["runDetails"]["builder"]["id"],
        "https://touchmark.dev/agents/greeter-agent"
    );
    assert_eq!(
        predicate["buildDefinition"]["internalParameters"]["models"][0]["id"],
        MODEL
    );
    let by = &predicate["runDetails"]["byproducts"][0];
    assert_eq!(by["name"], "agent-change");
    let digest = by["digest"]["sha256"].as_str().unwrap();
    // Named by that digest, the same statement is found again.
    let again = export(&world, &[&digest[..12], "--as", "slsa-provenance"]).ok();
    assert_eq!(again.json(), statement);
}

#[test]
fn an_export_can_be_signed_as_a_statement_of_its_own() {
    let world = World::attested();
    let (key, root) = (world.key("ci"), world.public_key("ci"));
    let flags = [
        "--as",
        "slsa-provenance",
        "--sign",
        "--key",
        &key,
        "--at",
        AT,
        "--format",
        "json",
    ];
    let outcome = export(&world, &flags).ok();
    let payload = outcome.json()["payload"].as_str().unwrap().to_owned();
    let bundle = world.export(&payload, "provenance.sigstore.json");
    world
        .verify(&[
            "--bundle",
            &bundle,
            "--key",
            &root,
            "--predicate-type",
            "https://slsa.dev/provenance/v1",
        ])
        .ok();
    export(&world, &["--as", "metadata", "--sign"]).refused(2, "export.not_a_statement");
}

#[test]
fn words_of_a_session_are_exported_where_that_is_asked_for_only() {
    let world = World::attested();
    export(&world, &["--as", "atif"]).refused(2, "export.consent");
    let (session, file) = (world.file("session.jsonl"), world.file("trajectory.json"));
    let outcome = export(
        &world,
        &["--as", "atif", "--session", &session, "--output", &file],
    )
    .ok();
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("every prompt"), "{}", outcome.stderr);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let trajectory: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert!(
        trajectory["schema_version"]
            .as_str()
            .unwrap()
            .starts_with("ATIF-")
    );
    assert_eq!(trajectory["agent"]["name"], "claude-code");
    assert!(!trajectory["steps"].as_array().unwrap().is_empty());
    // The file is gone: the vault still has it.
    fs::remove_file(&session).unwrap();
    let from_vault = export(&world, &["--as", "atif", "--output", "-"]).ok();
    assert!(
        from_vault.stderr.contains("from the vault"),
        "{}",
        from_vault.stderr
    );
    assert_eq!(from_vault.json()["steps"], trajectory["steps"]);
    fs::remove_dir_all(world.path("touchmark/data/vault")).unwrap();
    export(&world, &["--as", "atif", "--output", "-"]).refused(10, "export.no_session");
}

#[test]
fn what_is_not_there_or_not_clear_is_refused() {
    let world = World::unattested();
    export(&world, &["--as", "slsa-provenance"]).refused(10, "export.not_found");
    world.attest_with(&[]);
    for what in ["no-such-branch", "sha256:00", "main", "0000000000"] {
        export(&world, &[what, "--as", "slsa-provenance"]).refused(10, "export.not_found");
    }
    let text = fs::read_to_string(world.path("session.jsonl")).unwrap();
    let other = text.replace(
        "5e551000-0000-4000-8000-000000000001",
        "5e551000-0000-4000-8000-000000000099",
    );
    fs::write(world.path("session.jsonl"), other).unwrap();
    world.attest_with(&[]);
    export(&world, &["HEAD", "--as", "slsa-provenance"]).refused(2, "export.ambiguous");
}

#[test]
fn uncommitted_work_has_no_metadata_record() {
    let sandbox = Sandbox::with_change();
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 3 }\n");
    let payload = sandbox.attest(&["--uncommitted"])["payload"]
        .as_str()
        .unwrap()
        .to_owned();
    sandbox
        .touchmark(["export", &payload, "--as", "metadata"])
        .refused(2, "export.no_commits");
    sandbox
        .touchmark(["export", &payload, "--as", "slsa-provenance"])
        .ok();
}

#[test]
fn what_cannot_be_verified_is_exported_with_a_warning() {
    let world = World::attested();
    let other = world.file("other-root.json");
    let folder = world.file("other-log");
    let command = |flags: &[&str]| world.touchmark(flags.iter().copied().chain(["--log", folder.as_str()]));
    command(&["log", "create", "--name", "other.example"]).ok();
    fs::write(
        &other,
        command(&["log", "root", "--operator", "other"]).ok().stdout,
    )
    .unwrap();
    let outcome = world
        .touchmark([
            "export",
            "HEAD",
            "--as",
            "slsa-provenance",
            "--trusted-root",
            &other,
        ])
        .ok();
    assert!(
        outcome
            .stderr
            .contains("could not be verified (tlog.log_unknown)"),
        "{}",
        outcome.stderr
    );
    let proven = export(&world, &["HEAD", "--as", "slsa-provenance"]).ok();
    assert_eq!(outcome.json(), proven.json());
}

#[test]
fn the_trailer_is_printed_and_no_commit_is_changed() {
    let world = World::unattested();
    let (key, session, head) = (world.key("agent"), world.file("session.jsonl"), world.id("HEAD"));
    let flags = [
        "attest",
        "--base",
        "main",
        "--session",
        &session,
        "--key",
        &key,
        "--at",
        AT,
        "--trailer",
    ];
    let outcome = world.touchmark(flags).ok();
    let trailer = outcome.stdout.lines().last().unwrap();
    let digest = trailer.strip_prefix("Touchmark: sha256:").unwrap();
    assert_eq!(world.id("HEAD"), head);
    assert!(
        outcome.stdout.starts_with(&format!("attested {digest}-")),
        "{}",
        outcome.stdout
    );
    // The same again says the same, and git takes it.
    assert_eq!(world.touchmark(flags).ok().stdout.lines().last(), Some(trailer));
    world.git(["commit", "--quiet", "--amend", "--no-edit", "--trailer", trailer]);
    let message = world.git(["log", "-1", "--format=%(trailers:key=Touchmark,valueonly)"]);
    assert_eq!(message.trim(), format!("sha256:{digest}"));
    // The statement is found by the tree, which is the same.
    export(&world, &["HEAD", "--as", "slsa-provenance"]).ok();
}
