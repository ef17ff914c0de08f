//! Rekor v1: bodies, requests and answers; compared with another implementation, and with what the public log wrote.

#![allow(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use touchmark_tlog::entry::rekor_v1::{
    ApiConsistencyProof, ApiEntry, DsseRequest, DsseV001, EntryUuid, HashedRekordRequest, HashedRekordV001,
    IntotoV002, LogInfo, MAX_BODY_SIGNATURES, MAX_SHARDS, NamedDigest, PemVerifier, parse_answer,
    promise_payload,
};
use touchmark_tlog::entry::{
    EntryBody, EntryVerifier, HashAlgorithm, InclusionProof, KeyDetails, KindVersion, LogEntry,
    VerifierMaterial,
};
use touchmark_tlog::merkle::{Hash, leaf_hash};

const DER: [u8; 100] = [0x30; 100];

fn digest(byte: u8) -> NamedDigest {
    NamedDigest {
        algorithm: HashAlgorithm::Sha256,
        digest: vec![byte; 32],
    }
}

fn certificate() -> PemVerifier {
    PemVerifier::new(VerifierMaterial::Certificate(DER.to_vec()))
}

fn hashedrekord() -> HashedRekordV001 {
    HashedRekordV001 {
        digest: digest(1),
        signature: vec![2; 70],
        verifier: certificate(),
    }
}

fn dsse() -> DsseV001 {
    DsseV001 {
        envelope_hash: digest(1),
        payload_hash: digest(2),
        signatures: vec![(
            vec![3; 70],
            PemVerifier::new(VerifierMaterial::PublicKey(DER.to_vec())),
        )],
    }
}

fn intoto() -> Value {
    let twice = |bytes: &[u8]| STANDARD.encode(STANDARD.encode(bytes));
    json!({"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": {
        "envelope": {
            "payload": twice(b"{}"),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{
                "keyid": "a \"key\"",
                "publicKey": STANDARD.encode(certificate().pem()),
                "sig": twice(&[3; 70]),
            }],
        },
        "hash": {"algorithm": "sha256", "value": "01".repeat(32)},
        "payloadHash": {"algorithm": "sha256", "value": "02".repeat(32)},
    }}})
}

/// Parses a body as the kind that it states.
fn parse(body: &[u8]) -> Result<EntryBody, &'static str> {
    let stated: Value = serde_json::from_slice(body).unwrap();
    let text = |name: &str| stated[name].as_str().unwrap_or_default().to_owned();
    let entry = LogEntry {
        kind: KindVersion {
            kind: text("kind"),
            version: text("apiVersion"),
        },
        canonicalized_body: body.to_vec(),
        ..entry()
    };
    EntryBody::of(&entry).map_err(|error| error.code())
}

fn code(value: &Value) -> &'static str {
    parse(&serde_json::to_vec(value).unwrap()).map_or_else(|code| code, |_| "ok")
}

fn entry() -> LogEntry {
    let body = hashedrekord().canonical_body();
    LogEntry {
        log_index: 1_000_007,
        log_id: leaf_hash(b"log"),
        kind: KindVersion {
            kind: "hashedrekord".to_owned(),
            version: "0.0.1".to_owned(),
        },
        integrated_time: Some(1_700_000_000),
        inclusion_promise: Some(vec![9; 71]),
        inclusion_proof: Some(InclusionProof {
            log_index: 7,
            root_hash: leaf_hash(&body),
            tree_size: 8,
            hashes: vec![leaf_hash(b"a"), leaf_hash(b"b")],
            checkpoint: Some(format!(
                "rekor.example - 4711\n8\n{}\nTimestamp: 1\n\n\u{2014} rekor.example AAAAAAE=\n",
                leaf_hash(&body).to_base64()
            )),
        }),
        canonicalized_body: body,
    }
}

#[test]
fn bodies_survive_the_round_trip() {
    let body = hashedrekord().canonical_body();
    assert_eq!(HashedRekordV001::parse_canonical(&body).unwrap(), hashedrekord());
    let body = dsse().canonical_body();
    assert_eq!(DsseV001::parse_canonical(&body).unwrap(), dsse());
    let body = serde_json::to_vec(&intoto()).unwrap();
    let parsed = IntotoV002::parse_canonical(&body).unwrap();
    assert_eq!(parsed.payload.as_deref(), Some(&b"{}"[..]));
    assert_eq!(parsed.signatures[0].signature, [3; 70]);
    assert_eq!(parsed.signatures[0].keyid.as_deref(), Some("a \"key\""));
    assert_eq!(parsed.signatures[0].verifier, certificate());
    for body in [
        parse(&body),
        parse(&hashedrekord().canonical_body()),
        parse(&dsse().canonical_body()),
    ] {
        let body = body.unwrap();
        assert!(body.is_rekor_v1());
        assert_eq!(body.verifiers().len(), 1);
    }
}

#[test]
fn case_19_only_canonical_bodies_are_read() {
    for body in [
        hashedrekord().canonical_body(),
        dsse().canonical_body(),
        serde_json::to_vec(&intoto()).unwrap(),
    ] {
        assert!(parse(&body).is_ok());
        let text = String::from_utf8(body).unwrap();
        let spaced = text.replacen(':', ": ", 1);
        assert_eq!(parse(spaced.as_bytes()).unwrap_err(), "tlog.entry_not_canonical");
        let escaped = text.replacen("spec", "sp\\u0065c", 1);
        assert_eq!(parse(escaped.as_bytes()).unwrap_err(), "tlog.entry_not_canonical");
        assert!(parse(text.replacen("\"spec\"", "\"Spec\"", 1).as_bytes()).is_err());
        let trailing = format!("{text} ");
        assert_eq!(
            parse(trailing.as_bytes()).unwrap_err(),
            "tlog.entry_not_canonical"
        );
    }
    // Names in another order.
    let body = String::from_utf8(hashedrekord().canonical_body()).unwrap();
    let reordered = body.replacen(
        r#""apiVersion":"0.0.1","kind":"hashedrekord""#,
        r#""kind":"hashedrekord","apiVersion":"0.0.1""#,
        1,
    );
    assert_eq!(
        parse(reordered.as_bytes()).unwrap_err(),
        "tlog.entry_not_canonical"
    );
}

#[test]
fn bodies_with_one_defect_have_a_code() {
    let with = |body: Vec<u8>, pointer: &str, value: Value| {
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        code(&body)
    };
    let signature = "/spec/signature";
    for (pointer, value, expected) in [
        ("/kind", json!("rekord"), "tlog.entry_kind"),
        ("/apiVersion", json!("0.0.3"), "tlog.entry_kind"),
        ("/spec", json!([]), "json.array_for_object"),
        (
            "/spec/data/hash/algorithm",
            json!("sha1"),
            "tlog.entry_hash_algorithm",
        ),
        ("/spec/data/hash/algorithm", json!("sha512"), "tlog.entry_bytes"),
        ("/spec/data/hash/value", json!("01"), "tlog.entry_bytes"),
        (
            "/spec/data/hash/value",
            json!("AB".repeat(32)),
            "tlog.entry_bytes",
        ),
        (
            signature,
            json!({"content": "AQ==", "publicKey": {"content": "AQ=="}}),
            "tlog.entry_pem",
        ),
        ("/spec/signature/content", json!(""), "tlog.entry_bytes"),
        ("/spec/signature/content", json!("AQ"), "tlog.entry_bytes"),
        ("/spec/signature/publicKey", json!({}), "json.shape"),
        (
            "/spec/signature/publicKey",
            json!({"content": "AQ==", "url": "http://x"}),
            "json.shape",
        ),
    ] {
        let found = with(hashedrekord().canonical_body(), pointer, value.clone());
        assert_eq!(found, expected, "{pointer} {value}");
    }
    let one =
        serde_json::from_slice::<Value>(&dsse().canonical_body()).unwrap()["spec"]["signatures"][0].clone();
    for (count, expected) in [
        (0, "tlog.entry_signatures"),
        (1, "ok"),
        (MAX_BODY_SIGNATURES, "ok"),
        (MAX_BODY_SIGNATURES + 1, "tlog.entry_signatures"),
    ] {
        let signatures = json!(vec![one.clone(); count]);
        assert_eq!(
            with(dsse().canonical_body(), "/spec/signatures", signatures),
            expected,
            "{count}"
        );
    }
    let intoto_with =
        |pointer: &str, value: Value| with(serde_json::to_vec(&intoto()).unwrap(), pointer, value);
    let once = json!(STANDARD.encode([3; 70]));
    let sig = "/spec/content/envelope/signatures/0/sig";
    assert_eq!(intoto_with(sig, once), "tlog.entry_bytes");
    assert_eq!(
        intoto_with("/spec/content/envelope/signatures", json!([])),
        "tlog.entry_signatures"
    );
    assert_eq!(intoto_with("/apiVersion", json!("0.0.1")), "tlog.entry_kind");
    // Two blocks, or a private key, are no verifier.
    for pem in [
        [certificate().pem(), certificate().pem()].concat(),
        String::from_utf8(certificate().pem().to_vec())
            .unwrap()
            .replace("CERTIFICATE", "PRIVATE KEY")
            .into_bytes(),
    ] {
        let content = json!({"content": STANDARD.encode(&pem)});
        let found = with(
            hashedrekord().canonical_body(),
            "/spec/signature/publicKey",
            content,
        );
        assert_eq!(found, "tlog.entry_pem");
    }
}

#[test]
fn what_is_sent_is_what_must_be_logged() {
    let verifier = |key_details| EntryVerifier {
        key_details,
        material: VerifierMaterial::PublicKey(DER.to_vec()),
    };
    let request =
        HashedRekordRequest::new(vec![1; 48], vec![2; 100], &verifier(KeyDetails::EcdsaP384Sha384)).unwrap();
    let sent: Value = serde_json::from_slice(&request.encode()).unwrap();
    assert_eq!(sent["spec"]["data"]["hash"]["algorithm"], "sha384");
    let expected = request.expected_entry();
    assert_eq!(
        HashedRekordV001::parse_canonical(&request.encode()).unwrap(),
        *expected
    );
    let refused = |len, details| {
        HashedRekordRequest::new(vec![1; len], vec![2], &verifier(details))
            .unwrap_err()
            .code()
    };
    assert_eq!(refused(32, KeyDetails::EcdsaP384Sha384), "tlog.entry_digest");
    // Rekor v1 would take Ed25519ph here, which is another signature than the envelope's.
    assert_eq!(refused(64, KeyDetails::Ed25519), "tlog.entry_not_prehashed");

    let envelope = r#"{"payload":"e30=","payloadType":"a\"b","signatures":[]}"#;
    let request = DsseRequest::new(envelope.to_owned(), vec![certificate()]).unwrap();
    let sent: Value = serde_json::from_slice(&request.encode()).unwrap();
    assert_eq!(sent["kind"], "dsse");
    assert_eq!(sent["spec"]["proposedContent"]["envelope"], envelope);
    let pem = STANDARD
        .decode(sent["spec"]["proposedContent"]["verifiers"][0].as_str().unwrap())
        .unwrap();
    assert_eq!(PemVerifier::parse(&pem).unwrap(), certificate());
    assert_eq!(
        DsseRequest::new(String::new(), Vec::new()).unwrap_err().code(),
        "tlog.entry_signatures"
    );
}

fn answer() -> ApiEntry {
    let entry = entry();
    ApiEntry {
        uuid: EntryUuid {
            tree_id: Some(4711),
            leaf: leaf_hash(&entry.canonicalized_body),
        },
        entry,
    }
}

#[test]
fn answers_become_entries() {
    let parsed = parse_answer(&answer().encode()).unwrap();
    assert_eq!(parsed, answer());
    let name = parsed.uuid.to_string();
    assert_eq!(name.len(), 80);
    assert!(name.starts_with("0000000000001267"));
    assert_eq!(name.parse::<EntryUuid>().unwrap(), parsed.uuid);
    let short: EntryUuid = name[16..].parse().unwrap();
    assert_eq!((short.tree_id, short.leaf), (None, parsed.uuid.leaf));
    // As a bundle carries it, and back.
    assert_eq!(LogEntry::parse(&parsed.entry.encode()).unwrap(), parsed.entry);
    // What some instances store beside the entry is nobody's.
    let mut value: Value = serde_json::from_slice(&answer().encode()).unwrap();
    value[&name]["attestation"] = json!({"data": "AAAA"});
    assert_eq!(
        parse_answer(&serde_json::to_vec(&value).unwrap()).unwrap(),
        answer()
    );
}

#[test]
fn case_232_answers_with_one_defect_are_refused() {
    let name = answer().uuid.to_string();
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&answer().encode()).unwrap();
        change(&mut value);
        parse_answer(&serde_json::to_vec(&value).unwrap()).map_or_else(|error| error.code(), |_| "ok")
    };
    let renamed = |to: String| {
        let name = name.clone();
        broken(&move |value| {
            let entry = value[&name].take();
            *value = json!({ to.clone(): entry });
        })
    };
    assert_eq!(renamed(name.clone()), "ok");
    assert_eq!(renamed(name[16..].to_owned()), "ok");
    assert_eq!(
        renamed(format!("0000000000001268{}", &name[16..])),
        "tlog.entry_uuid_tree"
    );
    assert_eq!(
        renamed(format!("{}{}", &name[..16], "0".repeat(64))),
        "tlog.entry_uuid_mismatch"
    );
    assert_eq!(renamed(name.to_uppercase()), "tlog.entry_uuid");
    assert_eq!(renamed(name[1..].to_owned()), "tlog.entry_uuid");
    assert_eq!(renamed(format!("{}é", "a".repeat(14))), "tlog.entry_uuid");
    assert_eq!(broken(&|value| *value = json!({})), "tlog.answer_count");
    assert_eq!(
        broken(&|value| {
            let copy = value[&name].clone();
            value["0"] = copy;
        }),
        "tlog.answer_count"
    );
    let field = |pointer: &str, to: Value| {
        let pointer = format!("/{name}{pointer}");
        broken(&move |value| *value.pointer_mut(&pointer).unwrap() = to.clone())
    };
    let other = STANDARD.encode(dsse().canonical_body());
    assert_eq!(field("/body", json!(other)), "tlog.entry_uuid_mismatch");
    assert_eq!(field("/body", json!("e30=")), "json.shape");
    assert_eq!(field("/logID", json!("00")), "tlog.entry_bytes");
    assert_eq!(field("/logIndex", json!(-1)), "json.shape");
    assert_eq!(field("/logIndex", json!("7")), "json.shape");
    assert_eq!(field("/integratedTime", json!(1.5)), "json.inexact_number");
    assert_eq!(field("/verification", json!({})), "json.shape");
    assert_eq!(
        field("/verification/inclusionProof/hashes/0", json!("00")),
        "tlog.entry_bytes"
    );
    let many = json!(vec!["00".repeat(32); 65]);
    assert_eq!(
        field("/verification/inclusionProof/hashes", many),
        "tlog.proof_length"
    );
}

#[test]
fn what_a_log_says_of_itself() {
    let shard = |tree: &str| json!({"rootHash": "01".repeat(32), "signedTreeHead": "note", "treeID": tree, "treeSize": 3});
    let mut value = shard("2");
    value["inactiveShards"] = json!([shard("1")]);
    let parse = |value: &Value| LogInfo::parse(&serde_json::to_vec(value).unwrap());
    let info = parse(&value).unwrap();
    assert_eq!((info.active.tree_id, info.inactive.len()), (2, 1));
    assert_eq!(info.shard(1).unwrap().tree_size, 3);
    assert!(info.shard(3).is_none());
    value["inactiveShards"] = Value::Null;
    assert!(parse(&value).unwrap().inactive.is_empty());
    value["inactiveShards"] = json!(vec![shard("1"); MAX_SHARDS + 1]);
    assert_eq!(parse(&value).unwrap_err().code(), "tlog.answer_shards");
    assert_eq!(parse(&shard("-1")).unwrap_err().code(), "tlog.entry_number");

    let proof = |value: Value| ApiConsistencyProof::parse(&serde_json::to_vec(&value).unwrap());
    let hashes = json!({"hashes": ["02".repeat(32)], "rootHash": "01".repeat(32)});
    assert_eq!(proof(hashes).unwrap().hashes, [Hash::from_bytes([2; 32])]);
    assert!(
        proof(json!({"hashes": null, "rootHash": "01".repeat(32)}))
            .unwrap()
            .hashes
            .is_empty()
    );
    let many = json!({"hashes": vec!["02".repeat(32); 65], "rootHash": "01".repeat(32)});
    assert_eq!(proof(many).unwrap_err().code(), "tlog.proof_length");
}

#[test]
fn the_promise_covers_body_time_log_and_global_index() {
    let payload: Value = serde_json::from_slice(&promise_payload(&entry()).unwrap()).unwrap();
    assert_eq!(
        payload,
        json!({
            "body": STANDARD.encode(&entry().canonicalized_body),
            "integratedTime": 1_700_000_000,
            "logID": leaf_hash(b"log").to_string(),
            "logIndex": 1_000_007,
        })
    );
    // serde_json sorts names, which is RFC 8785 order for ASCII.
    assert_eq!(
        serde_json::to_vec(&payload).unwrap(),
        promise_payload(&entry()).unwrap()
    );
    let timeless = LogEntry {
        integrated_time: None,
        ..entry()
    };
    assert_eq!(promise_payload(&timeless), None);
}

/// Returns the entries of the public conformance suite's bundles with the names of their cases.
fn public_entries() -> Vec<(String, LogEntry)> {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/sigstore-conformance/bundle-verify"
    ));
    let Ok(cases) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut entries = Vec::new();
    for case in cases {
        let path = case.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(json) = std::fs::read(path.join("bundle.sigstore.json")) else {
            continue;
        };
        let Ok(bundle) = serde_json::from_slice::<Value>(&json) else {
            continue;
        };
        for entry in bundle["verificationMaterial"]["tlogEntries"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let json = serde_json::to_vec(entry).unwrap();
            entries.extend(LogEntry::parse(&json).ok().map(|entry| (name.clone(), entry)));
        }
    }
    entries
}

#[test]
fn reads_what_public_logs_wrote_as_another_implementation_does() {
    let entries = public_entries();
    if entries.is_empty() {
        println!("skipped: sigstore-conformance data is not there");
        return;
    }
    let (mut read, mut refused) = (0, Vec::new());
    for (name, entry) in &entries {
        match EntryBody::of(entry) {
            Ok(body) => {
                assert_eq!(body.kind(), entry.kind, "{name}");
                let (kind, version) = (&entry.kind.kind, &entry.kind.version);
                let theirs =
                    sigstore_rekor::RekorEntryBody::from_json(&entry.canonicalized_body, kind, version);
                assert!(theirs.is_ok(), "{name}: {theirs:?}");
                read += 1;
            }
            Err(error) => refused.push((name.as_str(), error.code())),
        }
    }
    refused.sort();
    println!("{read} bodies read, refused: {refused:?}");
    // Both are broken on purpose.
    assert!(
        refused.iter().all(|(name, _)| name.ends_with("_fail")),
        "{refused:?}"
    );
    assert!(read >= 60, "{read}");
}
