//! What `attest` signs with an identity, through real services: a workflow by its ambient token, a person by a token;
//! and the witness that cosigns the log.

use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use touchmark_sign::{PrivateKey, Signer as _};
use touchmark_verify::key::KeyAlgorithm;

use super::common::{Outcome, World};
use super::instance::{ALICE, Instance, get};

const AGENT_CHANGE: &str = "https://touchmark.dev/agent-change/v1";
const WORKFLOW: &str = "https://github.com/example/widget/.github/workflows/release.yml@refs/heads/main";

/// A world in which an agent's change waits to be attested.
fn unattested() -> World {
    let world = World::unattested();
    // The repository that the issuer of workflows speaks of; a statement and its certificate must agree.
    world.git([
        "remote",
        "set-url",
        "origin",
        "https://github.com/example/widget.git",
    ]);
    world
}

/// Attests the change with these variables and flags, and puts its only bundle and its commit into files.
fn attest(world: World, instance: &Instance, variables: &[(&str, &str)], flags: &[&str]) -> World {
    let session = world.file("session.jsonl");
    let (config, root) = (
        instance.argument("signing_config.json"),
        instance.argument("trusted_root.json"),
    );
    let mut all = vec!["attest", "--base", "refs/heads/main", "--session", &session];
    all.extend(["--agent", "greeter-agent", "--yes"]);
    all.extend(["--signing-config", &config, "--trusted-root", &root]);
    all.extend(flags);
    let run = || {
        let mut command = world.command(&all);
        command.envs(variables.iter().copied());
        Outcome::of(command.output().unwrap())
    };
    // A real service may be unable for a moment: what ends with 20 is safe to do again.
    let mut outcome = run();
    for _ in 0..3 {
        if outcome.code == Some(20) {
            println!("once more: {}", outcome.stderr);
            std::thread::sleep(std::time::Duration::from_secs(1));
            outcome = run();
        }
    }
    outcome.ok();
    let reference = world.evidence_refs().remove(0);
    let (_, bundle) = world.evidence(&reference).remove(0);
    std::fs::write(world.path("bundle.json"), bundle).unwrap();
    std::fs::write(world.path("commit"), commit(&world)).unwrap();
    world
}

/// The bytes that the statement's first subject names.
fn commit(world: &World) -> Vec<u8> {
    let mut git = Command::new("git");
    git.args(["cat-file", "commit", "HEAD"]).current_dir(world.repo());
    super::succeeded(git.output().unwrap())
}

fn cosign(instance: &Instance, world: &World, flags: &[&str]) -> Option<Output> {
    let Some(program) = std::env::var_os("TOUCHMARK_TEST_COSIGN") else {
        println!("skipped: TOUCHMARK_TEST_COSIGN does not name a cosign");
        return None;
    };
    let mut command = Command::new(program);
    command.env_clear().env("HOME", world.path("home"));
    command.args([
        "verify-blob-attestation",
        "--use-signed-timestamps",
        "--type",
        AGENT_CHANGE,
    ]);
    command.args(["--bundle", &world.file("bundle.json")]);
    command.args(["--trusted-root", &instance.argument("trusted_root.json")]);
    command.args(flags).arg(world.path("commit"));
    Some(command.output().unwrap())
}

fn verify(instance: &Instance, world: &World, flags: &[&str]) -> Outcome {
    let (bundle, root) = (world.file("bundle.json"), instance.argument("trusted_root.json"));
    let mut all = vec!["verify", "--bundle", &bundle, "--trusted-root", &root];
    all.extend(flags);
    world.touchmark(all)
}

#[test]
fn a_workflow_signs_with_its_own_token_and_cosign_sees_whose_it_was() {
    let Some(instance) = Instance::running() else {
        return;
    };
    let world = unattested();
    let url = format!(
        "{}&ref=refs/heads/agent/greeting&sha={}",
        instance.endpoint("githubTokenUrl"),
        world.id("HEAD")
    );
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &url),
        (
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            instance.endpoint("githubTokenSecret"),
        ),
    ];
    let world = attest(world, &instance, &variables, &[]);
    let issuer = instance.endpoint("githubIssuer");
    let named = |repository: &'static str, reference: &'static str| {
        vec![
            "--certificate-identity",
            WORKFLOW,
            "--certificate-oidc-issuer",
            issuer,
            "--certificate-github-workflow-repository",
            repository,
            "--certificate-github-workflow-ref",
            reference,
            "--certificate-github-workflow-trigger",
            "push",
        ]
    };
    for (repository, reference, good) in [
        ("example/widget", "refs/heads/agent/greeting", true),
        ("example/other", "refs/heads/agent/greeting", false),
        ("example/widget", "refs/heads/main", false),
    ] {
        let flags = named(repository, reference);
        let ours = verify(&instance, &world, &flags);
        assert_eq!(
            ours.code == Some(0),
            good,
            "{repository} {reference}: {}",
            ours.stderr
        );
        if let Some(theirs) = cosign(&instance, &world, &flags) {
            let said = String::from_utf8_lossy(&theirs.stderr);
            assert_eq!(theirs.status.success(), good, "{repository} {reference}: {said}");
        }
    }
}

#[test]
fn a_person_signs_with_a_token_from_a_file_or_a_variable() {
    let Some(instance) = Instance::running() else {
        return;
    };
    let token = instance.token(ALICE);
    let signer = [
        "--certificate-identity",
        ALICE,
        "--certificate-oidc-issuer",
        instance.issuer(),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, &token).unwrap();
    let file = file.to_str().unwrap();
    for (variables, flags) in [
        (vec![("SIGSTORE_ID_TOKEN", token.as_str())], vec![]),
        (vec![], vec!["--identity-token", file]),
    ] {
        let world = attest(unattested(), &instance, &variables, &flags);
        verify(&instance, &world, &signer).ok();
        if let Some(theirs) = cosign(&instance, &world, &signer) {
            super::succeeded(theirs);
        }
        let leaked = world.files("touchmark").into_iter().chain(world.files("repo"));
        for (path, bytes) in leaked {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(!text.contains(&token), "the token is in {}", path.display());
        }
    }
}

#[test]
fn an_expired_token_and_one_for_another_audience_are_refused_before_anything_is_signed() {
    let Some(instance) = Instance::running() else {
        return;
    };
    for claim in ["exp_in=-60", "aud=elsewhere"] {
        let url = format!("{}/mint?email={ALICE}&{claim}", instance.issuer());
        let token = String::from_utf8(get(&url, &[]).1).unwrap();
        let world = World::unattested();
        let session = world.file("session.jsonl");
        let (config, root) = (
            instance.argument("signing_config.json"),
            instance.argument("trusted_root.json"),
        );
        let refused = world.touchmark([
            "attest",
            "--base",
            "refs/heads/main",
            "--session",
            &session,
            "--agent",
            "greeter-agent",
            "--yes",
            "--signing-config",
            &config,
            "--trusted-root",
            &root,
            "--identity-token",
            &token,
        ]);
        assert_ne!(refused.code, Some(0), "{claim}");
        assert!(!refused.stderr.contains(&token), "{claim}: the token is printed");
        assert_eq!(world.evidence_refs(), Vec::<String>::new(), "{claim}");
    }
}

#[test]
fn the_witness_cosigns_and_another_witness_is_missed() {
    let Some(instance) = Instance::running() else {
        return;
    };
    let token = instance.token(ALICE);
    let world = attest(unattested(), &instance, &[], &["--identity-token", &token]);
    let policy = instance.file("witness-policy");
    let signer = [
        "--certificate-identity",
        ALICE,
        "--certificate-oidc-issuer",
        instance.issuer(),
    ];
    let file = instance.argument("witness-policy");
    let mut flags = signer.to_vec();
    flags.extend(["--witness-policy", &file]);
    verify(&instance, &world, &flags).ok();
    let own = instance.endpoint("witnessKey");
    assert!(policy.contains(own));
    std::fs::write(world.path("stranger-policy"), policy.replace(own, &stranger())).unwrap();
    let path = world.file("stranger-policy");
    let mut flags = signer.to_vec();
    flags.extend(["--witness-policy", &path]);
    let missed = verify(&instance, &world, &flags);
    assert_ne!(missed.code, Some(0));
    assert!(missed.stderr.contains("witness"), "{}", missed.stderr);
}

/// The verifier key of a witness that has never seen the log (C2SP signed-note, cosignature/v1).
fn stranger() -> String {
    let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let spki = key.public_key().spki_der();
    let typed = [&[4], &spki[spki.len() - 32..]].concat();
    let hash = sha2::Sha256::digest([b"stranger.private.test\n", typed.as_slice()].concat());
    let hint: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("stranger.private.test+{hint}+{}", STANDARD.encode(typed))
}
