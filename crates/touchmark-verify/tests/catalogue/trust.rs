//! Catalogue: trust root.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::key::PublicKey;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::{MEDIA_TYPE_V01, MEDIA_TYPE_V02, TrustedRoot};
use touchmark_verify::verify::{VerifyOptions, verify};

use crate::support::*;

fn log_value(log: &Log) -> Value {
    let key = log.verifier_key();
    json!({
        "baseUrl": format!("https://{}", log.origin),
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": STANDARD.encode(key.spki_der()),
            "keyDetails": "PKIX_ED25519",
            "validFor": {"start": "2026-01-01T00:00:00Z"},
        },
        "logId": {"keyId": key.log_id().to_base64()},
    })
}

fn root_value(logs: &[&Log]) -> Value {
    json!({
        "mediaType": MEDIA_TYPE_V01,
        "tlogs": logs.iter().map(|log| log_value(log)).collect::<Vec<_>>(),
        "certificateAuthorities": [{
            "subject": {"organization": "acme", "commonName": "ca"},
            "uri": "https://ca.example",
            "certChain": {"certificates": [{"rawBytes": "MAA="}]},
            "validFor": {"start": "2026-01-01T00:00:00.000Z", "end": null},
        }],
    })
}

fn code(value: &Value) -> &'static str {
    TrustedRoot::parse(&bytes(value)).map_or_else(|error| error.code(), |_| "ok")
}

fn broken(pointer: &str, replacement: Value) -> &'static str {
    let mut value = root_value(&[&Log::new("log.example/test", 9)]);
    match pointer.rsplit_once('/') {
        Some((parent, key)) => value.pointer_mut(parent).unwrap()[key] = replacement,
        None => value = replacement,
    }
    code(&value)
}

#[test]
fn a_root_file_leads_to_the_same_log_as_its_parts() {
    let mut world = World::new();
    let bundle = world.good();
    let file = bytes(&root_value(&[&world.log]));
    let root = TrustedRoot::parse(&file).unwrap();
    assert_eq!(root.logs()[0].origin, world.log.origin);
    assert_eq!(root.logs()[0].key, world.log.verifier_key());
    assert_eq!(root.certificate_authorities().len(), 1);
    assert_eq!(
        root.digest(),
        touchmark_statement::digest::Sha256Digest::of(&file)
    );
    let verified = verify(&bundle, &world.ring.clone().into(), &root, &world.options).unwrap();
    assert_eq!(verified.log().unwrap().log_id, world.log.verifier_key().log_id());
}

#[test]
fn case_119_ends_are_inclusive_and_a_missing_start_is_an_error() {
    let mut world = World::new();
    let bundle = world.good();
    let mut value = root_value(&[&world.log]);
    value["tlogs"][0]["publicKey"]["validFor"] = json!({"start": at(NOW).to_string()});
    let root = TrustedRoot::parse(&bytes(&value)).unwrap();
    let judged_at = |seconds| {
        let options = VerifyOptions::new(at(seconds));
        verify(&bundle, &world.ring.clone().into(), &root, &options)
            .map_or_else(|error| error.code(), |_| "ok")
    };
    assert_eq!(judged_at(NOW), "ok");
    assert_eq!(judged_at(NOW - 1), "tlog.outside_log_window");
    let window = "/tlogs/0/publicKey/validFor";
    for missing in [
        json!({}),
        json!(null),
        json!({"end": "2027-01-01T00:00:00Z"}),
        json!({"start": null}),
    ] {
        assert_eq!(
            broken(window, missing.clone()),
            "trust.start_missing",
            "{missing}"
        );
    }
    for time in [
        "",
        "2026",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "2026-01-01T00:00:60Z",
    ] {
        assert_eq!(broken(window, json!({"start": time})), "trust.time", "{time}");
    }
    let reversed = json!({"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"});
    assert_eq!(broken(window, reversed), "trust.window_reversed");
    let one_moment = json!({"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:00.999Z"});
    assert_eq!(broken(window, one_moment), "ok");
    assert_eq!(
        broken("/certificateAuthorities/0/validFor", json!(null)),
        "trust.start_missing"
    );
}

#[test]
fn case_120_two_logs_with_one_id() {
    let log = Log::new("log.example/test", 9);
    assert_eq!(code(&root_value(&[&log, &log])), "trust.duplicate_log_id");
    // Another key under the first one's id.
    let mut value = root_value(&[&log, &Log::new("log.example/other", 10)]);
    value["tlogs"][1]["logId"] = value["tlogs"][0]["logId"].clone();
    assert_eq!(code(&value), "trust.log_id");
    let parts = vec![log.trusted(), log.trusted()];
    assert_eq!(
        TrustedRoot::from_logs(parts).unwrap_err().code(),
        "trust.duplicate_log_id"
    );
    // An id that belongs to another origin.
    assert_eq!(
        broken("/tlogs/0/baseUrl", json!("https://log.example/elsewhere")),
        "trust.log_id"
    );
}

#[test]
fn case_121_unsupported_keys_beside_usable_ones() {
    let mut world = World::new();
    let bundle = world.good();
    let mut value = root_value(&[&Log::new("log.example/p521", 10), &world.log]);
    value["tlogs"][0]["publicKey"]["keyDetails"] = json!("PKIX_ECDSA_P521_SHA_512");
    let root = TrustedRoot::parse(&bytes(&value)).unwrap();
    assert_eq!(root.logs().len(), 1);
    assert_eq!(root.unusable()[0].unsupported, "PKIX_ECDSA_P521_SHA_512");
    assert!(verify(&bundle, &world.ring.clone().into(), &root, &world.options).is_ok());
    // A key that claims to be of a type of ours and is not spoils the file.
    assert_eq!(
        broken("/tlogs/0/publicKey/keyDetails", json!("PKIX_ECDSA_P256_SHA_256")),
        "trust.key"
    );
    assert_eq!(broken("/tlogs/0/publicKey/rawBytes", json!("MAA=")), "trust.key");
}

#[test]
fn case_122_empty_lists_are_not_nothing_to_check() {
    let mut world = World::new();
    let bundle = world.good();
    for empty in [
        json!({"mediaType": MEDIA_TYPE_V01}),
        json!({"mediaType": MEDIA_TYPE_V02, "tlogs": []}),
    ] {
        let root = TrustedRoot::parse(&bytes(&empty)).unwrap();
        let refused = verify(&bundle, &world.ring.clone().into(), &root, &world.options).unwrap_err();
        assert_eq!(refused.code(), "tlog.log_unknown");
    }
    let chain = "/certificateAuthorities/0/certChain";
    assert_eq!(broken(chain, json!({"certificates": []})), "trust.chain_empty");
    assert_eq!(broken(chain, json!({})), "trust.chain_empty");
}

#[test]
fn version_two_names_operator_and_checkpoint_key() {
    let log = Log::new("log.example/test", 9);
    let mut value = root_value(&[&log]);
    value["mediaType"] = json!(MEDIA_TYPE_V02);
    value["tlogs"][0]["operator"] = json!("acme");
    value["tlogs"][0]["checkpointKeyId"] = json!({"keyId": log.verifier_key().log_id().to_base64()});
    let root = TrustedRoot::parse(&bytes(&value)).unwrap();
    assert_eq!(root.logs()[0].operator.as_deref(), Some("acme"));
    value["tlogs"][0]["checkpointKeyId"] = json!({"keyId": STANDARD.encode(log.verifier_key().hint())});
    assert_eq!(code(&value), "ok");
    value["tlogs"][0]["checkpointKeyId"] = json!({"keyId": "AAAAAA=="});
    assert_eq!(code(&value), "trust.log_id");
}

#[test]
fn malformed_roots_are_refused_as_a_whole() {
    for (pointer, replacement, expected) in [
        ("/mediaType", json!("application/json"), "trust.media_type"),
        ("/mediaType", json!(null), "json.shape"),
        ("/future", json!(1), "json.shape"),
        ("/tlogs/0/base_url", json!("x"), "json.look_alike_key"),
        ("/tlogs/0/baseUrl", json!("https://"), "trust.base_url"),
        ("/tlogs/0/baseUrl", json!("https://a b"), "trust.base_url"),
        ("/tlogs/0/logId/keyId", json!("AAAA"), "trust.log_id"),
        ("/tlogs/0/logId/keyId", json!("AA"), "trust.base64"),
        ("/tlogs/0/publicKey/rawBytes", json!(""), "trust.base64"),
        ("/tlogs", json!({}), "json.shape"),
        (
            "/ctlogs",
            json!(vec![log_value(&Log::new("x", 1)); 300]),
            "trust.too_many",
        ),
    ] {
        assert_eq!(broken(pointer, replacement), expected, "{pointer}");
    }
    assert_eq!(
        TrustedRoot::parse(&vec![b' '; 5_000_000]).unwrap_err().code(),
        "trust.too_large"
    );
}

fn shared(name: &str) -> Option<PathBuf> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/sigstore-conformance/bundle-verify"
    );
    let path = PathBuf::from(folder).join(name);
    path.exists().then_some(path)
}

#[test]
fn reads_the_trusted_roots_and_bundles_of_the_sigstore_conformance_suite() {
    let Some(folder) = shared("") else {
        println!("skipped: sigstore-conformance data is not there");
        return;
    };
    let (mut roots, mut outcomes) = (0, std::collections::BTreeMap::<&str, usize>::new());
    for case in std::fs::read_dir(folder).unwrap() {
        let case = case.unwrap().path();
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        if let Ok(json) = std::fs::read(case.join("trusted_root.json")) {
            let read = TrustedRoot::parse(&json);
            match name.as_str() {
                "trust-root-tlog-missing-validity-start_fail" => {
                    assert_eq!(read.unwrap_err().code(), "trust.start_missing");
                }
                _ => assert!(read.is_ok(), "{name}: {read:?}"),
            }
            roots += 1;
        }
        let Ok(json) = std::fs::read(case.join("bundle.sigstore.json")) else {
            continue;
        };
        let outcome = Bundle::parse(&json).map_or_else(|error| error.code(), |_| "ok");
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{roots} trusted roots, bundles: {outcomes:?}");
    assert!(roots >= 38, "{roots}");
    assert!(outcomes["ok"] >= 60, "{outcomes:?}");
    let refused = ["bundle.media_type", "json.malformed"].map(|code| outcomes[code]);
    assert_eq!(refused, [1, 1]);
}

#[test]
fn cosign_s_hint_names_the_same_key() {
    let Some(folder) = shared("managed-key-happy-path") else {
        println!("skipped: sigstore-conformance data is not there");
        return;
    };
    let key = PublicKey::from_pem(std::fs::read(folder.join("key.pub")).unwrap()).unwrap();
    let mut ring = KeyRing::new();
    ring.allow(key.fingerprint());
    // The hint is cosign's: base64 of the digest that our fingerprints show in hex.
    let json: Value =
        serde_json::from_slice(&std::fs::read(folder.join("bundle.sigstore.json")).unwrap()).unwrap();
    let hint = json["verificationMaterial"]["publicKey"]["hint"]
        .as_str()
        .unwrap();
    assert_eq!(ring.resolve(hint), Some(key.fingerprint()));
}
