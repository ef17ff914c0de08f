//! Catalogue: encoding, continued: canonical bodies, versions of the format, absent fields, other spellings.

use serde_json::{Value, json};
use touchmark_verify::bundle::{Bundle, MediaType};

use crate::encoding::broken;
use crate::support::*;

#[test]
fn case_19_log_body_with_other_bytes_than_the_canonical_ones() {
    for (from, to, expected) in [
        (
            r#"{"apiVersion""#,
            r#"{ "apiVersion""#,
            "tlog.entry_not_canonical",
        ),
        (r#""kind":"hashedrekord","spec":"#, r#""spec":"#, "json.shape"),
        (
            r#""algorithm":"SHA2_256","#,
            r#""algorithm":"SHA2\u005f256","#,
            "tlog.entry_not_canonical",
        ),
        (
            r#"{"apiVersion":"0.0.2","kind":"hashedrekord","#,
            r#"{"kind":"hashedrekord","apiVersion":"0.0.2","#,
            "tlog.entry_not_canonical",
        ),
    ] {
        let mut world = World::new();
        let envelope = world.signer.envelope(&statement());
        let body = String::from_utf8(world.signer.body(&envelope).canonical_body()).unwrap();
        assert!(body.contains(from), "{from}");
        // The log signed exactly these bytes: only their form is wrong.
        let bundle = world.bundle_with_body(envelope, body.replacen(from, to, 1).into_bytes());
        assert_eq!(world.code(&bundle), expected, "{to}");
    }
}

#[test]
fn case_20_unknown_media_type_and_rules_of_another_version() {
    for name in [
        "application/vnd.dev.sigstore.bundle+json;version=0.4",
        "application/vnd.dev.sigstore.bundle.v0.4+json",
        "application/vnd.dev.sigstore.bundle.v0.1+json",
        "application/vnd.dev.sigstore.bundle+json; version=0.3",
        "Application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.dev.sigstore.bundle.v0.3+json ",
        "",
    ] {
        assert_eq!(
            broken(|value| value["mediaType"] = json!(name)),
            "bundle.media_type",
            "{name}"
        );
    }
    let proof = |value: &mut Value| {
        value
            .pointer_mut("/verificationMaterial/tlogEntries/0")
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove("inclusionProof")
    };
    for version in [MediaType::V02, MediaType::V03Parameter, MediaType::V03] {
        let code = broken(|value| {
            value["mediaType"] = json!(version.as_str());
            proof(value);
            // What version 0.1 is content with.
            value["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"] =
                json!({"signedEntryTimestamp": "AA=="});
        });
        assert_eq!(code, "bundle.proof_missing", "{version}");
    }
    assert_eq!(
        broken(|value| value["mediaType"] = json!(MediaType::V01.as_str())),
        "bundle.promise_missing"
    );
    for version in [MediaType::V03Parameter, MediaType::V03] {
        let code = broken(|value| {
            value["mediaType"] = json!(version.as_str());
            value["verificationMaterial"]["publicKey"] = Value::Null;
            value["verificationMaterial"]["x509CertificateChain"] =
                json!({"certificates": [{"rawBytes": "AA=="}]});
        });
        assert_eq!(code, "bundle.material_version", "{version}");
    }
    let code = broken(|value| {
        value["mediaType"] = json!(MediaType::V02.as_str());
        value["verificationMaterial"]["publicKey"] = Value::Null;
        value["verificationMaterial"]["certificate"] = json!({"rawBytes": "AA=="});
    });
    assert_eq!(code, "bundle.material_version");
}

#[test]
fn case_20_unknown_names_inside_the_log_body() {
    for (from, to, expected) in [
        ("SHA2_256", "SHA2_257", "tlog.entry_hash_algorithm"),
        (
            "PKIX_ECDSA_P256_SHA_256",
            "PKIX_ECDSA_P256_SHA_257",
            "tlog.entry_key_details",
        ),
    ] {
        let mut world = World::new();
        let envelope = world.signer.envelope(&statement());
        let body = String::from_utf8(world.signer.body(&envelope).canonical_body()).unwrap();
        let bundle = world.bundle_with_body(envelope, body.replacen(from, to, 1).into_bytes());
        assert_eq!(world.code(&bundle), expected, "{to}");
    }
}

#[test]
fn case_21_null_or_nothing_for_a_required_field() {
    for (pointer, expected) in [
        ("/mediaType", "json.shape"),
        ("/verificationMaterial", "json.shape"),
        ("/verificationMaterial/publicKey", "bundle.material_count"),
        ("/verificationMaterial/tlogEntries/0", "json.shape"),
        ("/verificationMaterial/tlogEntries/0/logId", "json.shape"),
        (
            "/verificationMaterial/tlogEntries/0/canonicalizedBody",
            "json.shape",
        ),
        (
            "/verificationMaterial/tlogEntries/0/inclusionProof",
            "bundle.proof_missing",
        ),
        (
            "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint",
            "bundle.proof_missing",
        ),
        ("/dsseEnvelope", "bundle.no_content"),
        ("/dsseEnvelope/payload", "json.shape"),
        ("/dsseEnvelope/payloadType", "json.shape"),
        ("/dsseEnvelope/signatures", "json.shape"),
        ("/dsseEnvelope/signatures/0/sig", "json.shape"),
    ] {
        let code = broken(|value| *value.pointer_mut(pointer).unwrap() = Value::Null);
        assert_eq!(code, expected, "{pointer}");
    }
    assert_eq!(
        broken(|value| value["dsseEnvelope"]["signatures"] = json!([])),
        "bundle.signature_count"
    );
    let both = |value: &mut Value| value["verificationMaterial"]["certificate"] = json!({"rawBytes": "AA=="});
    assert_eq!(broken(both), "bundle.material_count");
    // `null` for an optional field is an absent one, as protobuf JSON has it.
    assert_eq!(
        broken(|value| value["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"] = Value::Null),
        "ok"
    );
    // An empty hint names no key.
    let mut world = World::new();
    let mut bundle = world.good();
    bundle.material = touchmark_verify::bundle::VerificationMaterial::PublicKey { hint: String::new() };
    bundle.envelope_mut().unwrap().keyid = String::new();
    assert_eq!(world.code(&bundle), "signer.hint_unknown");
}

#[test]
fn case_22_the_same_bundle_in_another_spelling_is_the_same_evidence() {
    let mut world = World::new();
    let bundle = world.good();
    let first = world.verify(&bundle).unwrap().evidence_id();
    // serde_json sorts keys; the encoder does not. White space and an absent keyid change nothing either.
    let mut value: Value = serde_json::from_slice(&bundle.encode()).unwrap();
    value["dsseEnvelope"]["signatures"][0]
        .as_object_mut()
        .unwrap()
        .remove("keyid");
    value["mediaType"] = json!(MediaType::V03Parameter.as_str());
    let again = Bundle::parse(&serde_json::to_vec_pretty(&value).unwrap()).unwrap();
    assert_ne!(again.encode(), bundle.encode());
    let second = world.verify(&again).unwrap().evidence_id();
    assert_eq!(first, second);
    assert_eq!(first.file_name(), second.file_name());
}
