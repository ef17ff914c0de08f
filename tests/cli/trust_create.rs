//! `touchmark trust create`: roots and signing configs from parts, and what cosign makes of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use touchmark_testkit::sigstore::keys::pem;
use touchmark_testkit::sigstore::{Instance, InstanceOptions, Scheme, Signing};

use crate::common::schema::assert_valid;
use crate::common::{Outcome, Sandbox};

/// An instance's keys and certificates as files.
fn material(sandbox: &Sandbox) -> Instance {
    let instance = Instance::new(3, InstanceOptions::default());
    let authority = &instance.certificate_authority;
    let chain = [&authority.intermediate.certificate, &authority.root.certificate];
    let chain: Vec<String> = chain.into_iter().map(|der| pem("CERTIFICATE", der)).collect();
    fs::write(sandbox.path("repo/ca.pem"), chain.concat()).unwrap();
    for (scheme, name) in [(Scheme::Ed25519, "log.pub"), (Scheme::P256, "ct.pub")] {
        fs::write(
            sandbox.path("repo").join(name),
            instance.key(scheme, "log").public_pem(),
        )
        .unwrap();
    }
    fs::write(
        sandbox.path("repo/private.pem"),
        instance.key(Scheme::P256, "log").private_pem(),
    )
    .unwrap();
    instance
}

const START: &str = "start-time=2026-01-01T00:00:00Z";

fn root_arguments() -> Vec<String> {
    [
        "trust",
        "create",
        "root",
        "--fulcio=url=http://127.0.0.1:5555,certificate-chain=ca.pem,operator=acme",
        &format!("--ctfe=url=http://127.0.0.1:6962,public-key=ct.pub,{START}"),
        &format!("--rekor=url=https://log.acme.example,public-key=log.pub,origin=log.acme.example,operator=acme,{START}"),
        &format!("--rekor=url=http://127.0.0.1:3000,public-key=ct.pub,{START},end-time=2026-06-01T00:00:00Z"),
        &format!("--tsa=url=http://127.0.0.1:3004/api/v1/timestamp,certificate-chain=ca.pem,{START}"),
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn roots_are_made_from_parts_the_same_each_time_and_shown_whole() {
    let sandbox = Sandbox::new();
    material(&sandbox);
    let made = sandbox.touchmark(root_arguments()).ok().stdout;
    assert_eq!(made, sandbox.touchmark(root_arguments()).ok().stdout);
    let json: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(
        json["mediaType"],
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
    );
    let to_file = root_arguments()
        .into_iter()
        .chain(["--output=root.json".to_owned()]);
    assert_eq!(sandbox.touchmark(to_file).ok().stdout, "");
    assert_eq!(fs::read_to_string(sandbox.path("repo/root.json")).unwrap(), made);
    let shown = [
        "trust",
        "show",
        "root.json",
        "--at",
        "2026-07-01T00:00:00Z",
        "--format",
        "json",
    ];
    let shown = sandbox.touchmark(shown).ok().json();
    assert_valid(&shown);
    let root = &shown["roots"][0];
    let states: Vec<&str> = root["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|log| log["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["in use", "ended"]);
    assert_eq!(root["logs"][0]["operator"], "acme");
    let authority = &root["certificateAuthorities"][0];
    assert_eq!(authority["certificates"].as_array().unwrap().len(), 2);
    assert!(authority["certificates"][0]["organization"].is_string());
    assert!(root["unusable"].as_array().unwrap().is_empty());
}

#[test]
fn note_keys_bring_their_origin_along() {
    let sandbox = Sandbox::with_change();
    sandbox
        .touchmark(["log", "create", "--log", "log", "--name", "acme.example"])
        .ok();
    let root = sandbox.touchmark(["log", "root", "--log", "log"]).ok().json();
    let (origin, key) = (
        root["tlogs"][0]["baseUrl"].as_str().unwrap(),
        &root["tlogs"][0]["publicKey"]["rawBytes"],
    );
    let origin = origin.strip_prefix("https://").unwrap();
    let spki = base64_decode(key.as_str().unwrap());
    let note = touchmark_tlog::note::VerifierKey::from_spki(origin, &spki).unwrap();
    fs::write(sandbox.path("repo/log.vkey"), format!("{note}\n")).unwrap();
    let part = format!("public-key=log.vkey,{START}");
    let made = sandbox
        .touchmark(["trust", "create", "root", "--rekor", &part])
        .ok()
        .json();
    assert_eq!(made["tlogs"][0]["logId"], root["tlogs"][0]["logId"]);
    assert_eq!(made["tlogs"][0]["baseUrl"], root["tlogs"][0]["baseUrl"]);
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn parts_that_are_wrong_are_refused_one_by_one() {
    let sandbox = Sandbox::new();
    material(&sandbox);
    for (part, code) in [
        ("url=https://log.example", "trust.part_missing"),
        ("url=https://log.example,public-key=log.pub", "trust.part_missing"),
        (
            "url=https://log.example,public-key=log.pub,start-time=yesterday",
            "trust.part_time",
        ),
        (
            "url=https://log.example,public-key=log.pub,start=1",
            "trust.part_key",
        ),
        (
            "url=https://log.example,url=https://log.example",
            "trust.part_key",
        ),
        ("https://log.example", "trust.part"),
        (
            &format!("url=https://log.example,public-key=gone.pub,{START}"),
            "file.missing",
        ),
        (
            &format!("url=https://log.example,public-key=ca.pem,{START}"),
            "create.key",
        ),
        (
            &format!("url=https://log.example,public-key=private.pem,{START}"),
            "create.private_key",
        ),
        (
            &format!("url=ftp://log.example,public-key=log.pub,{START}"),
            "create.url",
        ),
        (
            &format!("url=http://127.0.0.1:3003,origin=log.example,public-key=log.pub,{START}"),
            "create.origin",
        ),
        (
            &format!("url=https://log.example,public-key=log.pub,{START},end-time=2025-01-01T00:00:00Z"),
            "trust.part_time",
        ),
    ] {
        sandbox
            .touchmark(["trust", "create", "root", "--rekor", part])
            .refused(2, code);
    }
    sandbox
        .touchmark(["trust", "create", "root"])
        .refused(2, "create.nothing");
    let chain = "url=https://ca.example,certificate-chain=log.pub";
    sandbox
        .touchmark(["trust", "create", "root", "--fulcio", chain])
        .refused(2, "create.certificates");
}

#[test]
fn signing_configs_are_made_and_shown() {
    let sandbox = Sandbox::new();
    let service = |url: &str, version: u8| format!("url={url},api-version={version},operator=acme,{START}");
    let arguments = [
        "trust",
        "create",
        "signing-config",
        "--fulcio",
        &service("http://127.0.0.1:5555", 1),
        "--oidc-provider",
        &service("http://127.0.0.1:8080", 1),
        "--rekor",
        &service("http://127.0.0.1:3003", 2),
        "--rekor-config",
        "EXACT:1",
        "--tsa",
        &service("http://127.0.0.1:3004/api/v1/timestamp", 1),
        "--output",
        "signing_config.json",
    ];
    sandbox.touchmark(arguments).ok();
    let json: Value =
        serde_json::from_slice(&fs::read(sandbox.path("repo/signing_config.json")).unwrap()).unwrap();
    assert_eq!(
        json["rekorTlogConfig"],
        serde_json::json!({"selector": "EXACT", "count": 1})
    );
    let shown = [
        "trust",
        "show",
        "signing_config.json",
        "--format",
        "json",
        "--at",
        "2026-07-01T00:00:00Z",
    ];
    let shown = sandbox.touchmark(shown).ok().json();
    assert_valid(&shown);
    assert_eq!(shown["logs"][0]["majorApiVersion"], 2);
    assert_eq!(shown["timestampAuthorities"][0]["state"], "in use");
    let text = sandbox
        .touchmark(["trust", "show", "signing_config.json"])
        .ok()
        .stdout;
    assert!(
        text.contains("certificate authority http://127.0.0.1:5555/ version 1"),
        "{text}"
    );
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads its own switch")]
fn cosign_takes_the_roots_and_configs_that_are_made() {
    let Some(cosign) = std::env::var_os("TOUCHMARK_TEST_COSIGN") else {
        println!("skipped: TOUCHMARK_TEST_COSIGN does not name a cosign");
        return;
    };
    let sandbox = Sandbox::new();
    material(&sandbox);
    sandbox
        .touchmark(
            root_arguments()
                .into_iter()
                .chain(["--output=ours.json".to_owned()]),
        )
        .ok();
    let run = |arguments: &[&str]| {
        let output = Command::new(&cosign)
            .args(arguments)
            .current_dir(sandbox.path("repo"))
            .env_clear()
            .env("HOME", sandbox.path("home"))
            .output()
            .unwrap();
        Outcome::of(output)
    };
    verifies(&sandbox, &run);
    made_alike(&sandbox, &run);
}

/// cosign verifies a bundle under a root that was made from the log's key alone.
fn verifies(sandbox: &Sandbox, run: &impl Fn(&[&str]) -> Outcome) {
    let instance = Instance::new(5, InstanceOptions::default());
    let log = &instance.trusted_root_value()["tlogs"];
    let log = log
        .as_array()
        .unwrap()
        .iter()
        .find(|log| log["publicKey"]["keyDetails"] == "PKIX_ED25519")
        .unwrap();
    let spki = base64_decode(log["publicKey"]["rawBytes"].as_str().unwrap());
    fs::write(sandbox.path("repo/rekor2.pub"), pem("PUBLIC KEY", &spki)).unwrap();
    let url = log["baseUrl"].as_str().unwrap();
    let origin = url.strip_prefix("https://").unwrap();
    let part = format!("url={url},origin={origin},public-key=rekor2.pub,operator=acme,{START}");
    sandbox
        .touchmark([
            "trust",
            "create",
            "root",
            "--rekor",
            &part,
            "--output",
            "made.json",
        ])
        .ok();
    let digest = touchmark_statement::digest::Sha256Digest::of(b"artifact");
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://example.test/predicate/v1",
        "subject": [{"name": "a", "digest": {"sha256": digest.to_string()}}], "predicate": {}
    });
    let key = instance.key(Scheme::P256, "managed");
    fs::write(sandbox.path("repo/key.pub"), key.public_pem()).unwrap();
    let mut signed = instance.sign_statement(&Signing::with_key(key), statement.to_string().as_bytes());
    // cosign names keys in its own way, and passes over signatures that name another.
    signed.json["dsseEnvelope"]["signatures"][0]["keyid"] = "".into();
    fs::write(sandbox.path("repo/bundle.json"), signed.bytes()).unwrap();
    fs::write(sandbox.path("repo/artifact"), "artifact").unwrap();
    let verify = |root: &str| {
        let type_ = "https://example.test/predicate/v1";
        let bundle = [
            "verify-blob-attestation",
            "--bundle",
            "bundle.json",
            "--key",
            "key.pub",
            "--type",
            type_,
        ];
        run(&[&bundle[..], &["--trusted-root", root, "artifact"]].concat())
    };
    verify("made.json").ok();
    assert_ne!(verify("ours.json").code, Some(0), "another log's root");
}

/// cosign's own writer, given the same parts, writes what we write.
fn made_alike(sandbox: &Sandbox, run: &impl Fn(&[&str]) -> Outcome) {
    let ctfe = format!("url=http://127.0.0.1:6962,public-key=ct.pub,{START}");
    let rekor = format!("url=https://log.acme.example,public-key=log.pub,origin=log.acme.example,{START}");
    let fulcio = format!("url=http://127.0.0.1:5555,certificate-chain=ca.pem,{START}");
    run(&[
        "trusted-root",
        "create",
        "--fulcio",
        &fulcio,
        "--ctfe",
        &ctfe,
        "--rekor",
        &rekor,
        "--out",
        "theirs.json",
    ])
    .ok();
    let ours = sandbox
        .touchmark([
            "trust", "create", "root", "--fulcio", &fulcio, "--ctfe", &ctfe, "--rekor", &rekor,
        ])
        .ok()
        .json();
    let theirs = read(&sandbox.path("repo/theirs.json"));
    for pointer in [
        "/tlogs/0/logId",
        "/tlogs/0/publicKey/rawBytes",
        "/tlogs/0/publicKey/keyDetails",
        "/tlogs/0/baseUrl",
        "/ctlogs/0/logId",
        "/ctlogs/0/publicKey/rawBytes",
        "/certificateAuthorities/0/certChain",
        "/certificateAuthorities/0/subject",
    ] {
        assert_eq!(ours.pointer(pointer), theirs.pointer(pointer), "{pointer}");
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
