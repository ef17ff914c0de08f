//! The inputs from which fuzzing begins; `testdata/fuzz/` holds what these functions return.

mod statements;

use serde_json::{Value, json};
use touchmark_sign::Signer as _;
use touchmark_statement::digest::Sha256Digest;
use touchmark_tlog::entry::rekor_v1::{DsseV001, HashedRekordV001, NamedDigest, PemVerifier};
use touchmark_tlog::entry::{CreateEntryRequest, HashAlgorithm, KeyDetails, VerifierMaterial};
use touchmark_tlog::merkle::leaf_hash;
use touchmark_verify::bundle::{Content, MediaType, VerificationMaterial};
use touchmark_verify::trust::{MEDIA_TYPE_V01, MEDIA_TYPE_V02};

use super::Seed;
use super::good::{Good, body, good};
use super::keyless::keyless;

pub(super) use statements::statements;

const SHA: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const COMMIT: &str = "5f0e9f6a4d2b47f5a8e1b6f0c3d2e1f0a9b8c7d6";
const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const BLOB: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// Bundles of every version, with a key, a certificate, a chain and a message.
pub(super) fn bundle() -> Vec<Seed> {
    let encoded: Vec<Vec<u8>> = good()
        .bundles
        .iter()
        .map(touchmark_verify::bundle::Bundle::encode)
        .collect();
    let mut seeds: Vec<Seed> = encoded
        .iter()
        .zip(statements())
        .map(|(bytes, of)| Seed::new(&format!("good-{}", of.name), bytes.clone()))
        .collect();
    let model: Value = serde_json::from_slice(&encoded[1]).expect("what is written can be read");
    let mut old = model.clone();
    old["mediaType"] = json!(MediaType::V02.as_str());
    seeds.push(Seed::new("version-2.json", text(&old)));
    old["verificationMaterial"]
        .as_object_mut()
        .expect("an object")
        .remove("publicKey");
    old["verificationMaterial"]["x509CertificateChain"] = json!({"certificates": [{"rawBytes": "MAMCAQE="}]});
    seeds.push(Seed::new("chain.json", text(&old)));
    old["mediaType"] = json!(MediaType::V01.as_str());
    old["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"] =
        json!({"signedEntryTimestamp": "MAMCAQE="});
    old["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = json!("1790000000");
    seeds.push(Seed::new("version-1.json", text(&old)));
    let mut message = model;
    let fields = message.as_object_mut().expect("an object");
    fields.remove("dsseEnvelope");
    message["messageSignature"] = json!({
        "messageDigest": {"algorithm": "SHA2_256", "digest": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="},
        "signature": "MAMCAQE="
    });
    let material = message["verificationMaterial"]
        .as_object_mut()
        .expect("an object");
    material.remove("publicKey");
    message["verificationMaterial"]["certificate"] = json!({"rawBytes": "MAMCAQE="});
    message["verificationMaterial"]["timestampVerificationData"] =
        json!({"rfc3161Timestamps": [{"signedTimestamp": "MAMCAQE="}]});
    seeds.push(Seed::new("message.json", text(&message)));
    for (name, bundle) in ["rekor-v2", "dsse", "hashedrekord", "intoto", "promise"]
        .iter()
        .zip(&keyless().bundles)
    {
        seeds.push(Seed::new(&format!("keyless-{name}.json"), bundle.encode()));
    }
    seeds
}

/// Certificates of a signer and of the authorities.
pub(super) fn certificate() -> Vec<Seed> {
    let VerificationMaterial::Certificate(leaf) = &keyless().bundles[0].material else {
        panic!("a keyless bundle has a certificate");
    };
    let mut seeds = vec![
        Seed::new("leaf.der", leaf.clone()),
        Seed::new("self-signed.der", self_signed()),
    ];
    for authority in keyless().root.certificate_authorities() {
        for (index, certificate) in authority.certificates.iter().enumerate() {
            seeds.push(Seed::new(&format!("authority-{index}.der"), certificate.clone()));
        }
    }
    let run = crate::sigstore::GithubRun::default().identity();
    let instance = crate::sigstore::Instance::new(7, crate::sigstore::InstanceOptions::default());
    let spki = good().signer.public_key().spki_der();
    seeds.push(Seed::new(
        "workflow.der",
        instance.issue(&run, spki, crate::sigstore::SIGNED_AT),
    ));
    seeds
}

/// Timestamp tokens.
pub(super) fn timestamp() -> Vec<Seed> {
    vec![Seed::new("token.der", keyless().bundles[0].timestamps[0].clone())]
}

/// Signing configs, alone and beside a trusted root.
pub(super) fn signing_config() -> Vec<Seed> {
    let service = |url: &str, version: u64, operator: &str| {
        json!({"url": url, "majorApiVersion": version, "operator": operator,
               "validFor": {"start": "2026-01-01T00:00:00Z"}})
    };
    let mut ended = service("https://old.example", 1, "a.example");
    ended["validFor"]["end"] = json!("2026-02-01T00:00:00.25Z");
    let config = json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [service("https://ca.example", 1, "a.example")],
        "oidcUrls": [service("https://issuer.example/auth", 1, "a.example")],
        "rekorTlogUrls": [ended, service("https://log.example", 2, "a.example"), service("https://log.b.example", 1, "b.example")],
        "rekorTlogConfig": {"selector": "EXACT", "count": 2},
        "tsaUrls": [service("https://tsa.example/api/v1/timestamp", 1, "a.example")],
        "tsaConfig": {"selector": "ANY"}
    });
    let root: Value = serde_json::from_slice(&trusted_root()[0].bytes).expect("what is written can be read");
    let whole = json!({
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": root, "signingConfig": config
    });
    vec![
        Seed::new("signing-config.json", text(&config)),
        Seed::new("client-trust.json", text(&whole)),
    ]
}

/// Envelopes, as JSON and as raw parts.
pub(super) fn dsse() -> Vec<Seed> {
    let envelope = |bundle: &touchmark_verify::bundle::Bundle| {
        let mut json: Value = serde_json::from_slice(&bundle.encode()).expect("what is written can be read");
        text(&json["dsseEnvelope"].take())
    };
    let named = good().bundles.iter().zip(statements());
    let mut seeds: Vec<Seed> = named
        .map(|(bundle, of)| Seed::new(&of.name, envelope(bundle)))
        .collect();
    let Content::Envelope(first) = &good().bundles[1].content else {
        panic!("the good bundles carry envelopes");
    };
    let raw = [
        &[0x4f],
        first.payload_type.as_bytes(),
        &first.payload,
        &first.signature,
    ]
    .concat();
    seeds.push(Seed::new("raw", raw));
    seeds
}

/// Statements; see [`statements`].
pub(super) fn statement() -> Vec<Seed> {
    statements()
}

/// Notes, a checkpoint's text and a key.
pub(super) fn checkpoint() -> Vec<Seed> {
    let good = good();
    let whole = good.checkpoint(good.payloads.len());
    let (checkpoint, _) = whole.split_once("\n\n").expect("a note");
    let witnessed = format!("{whole}\u{2014} witness.example AAAAAWJhc2U2NA==\n");
    let rekor_v1 = whole.replace("\n\n", "\nTimestamp: 1790000000000000000\n\n");
    vec![
        Seed::new("note", whole.clone()),
        Seed::new("note-of-one-leaf", good.checkpoint(1)),
        Seed::new("two-signatures", witnessed),
        Seed::new(
            "rekor-v1",
            rekor_v1.replace("fuzz.example/log\n", "fuzz.example - 4711\n"),
        ),
        Seed::new("text", format!("{checkpoint}\n")),
        Seed::new("key", good.log_key().to_string()),
        Seed::new("policy", policy()),
        Seed::new("proof", proof(good)),
    ]
}

fn policy() -> String {
    let witness = |name: &str, key: [u8; 32]| {
        let key = ed25519_dalek::SigningKey::from_bytes(&key);
        let key = touchmark_tlog::cosignature::WitnessKey::ed25519(name, key.verifying_key().as_bytes());
        key.expect("a key").to_string()
    };
    let (one, two) = (witness("w1.example", [1; 32]), witness("w2.example", [2; 32]));
    let (three, log) = (witness("w3.example", [3; 32]), good().log_key());
    format!(
        "# a comment\nlog {log} https://log.example\nwitness w1 {one} https://w1.example\nwitness w2 {two}\n\
         witness w3 {three}\ngroup both all w1 w2\ngroup some 1 both w3\nquorum some\n"
    )
}

fn proof(good: &Good) -> String {
    let entry = &good.bundles[1].tlog_entries[0];
    let body = touchmark_tlog::entry::EntryBody::of(entry).expect("a good entry");
    touchmark_tlog::tlog_proof::TlogProof::of_entry(entry, &body)
        .expect("a proof")
        .encode()
}

/// Bodies, a request and an entry of Rekor v2.
pub(super) fn entry_v2() -> Vec<Seed> {
    let good = good();
    let entry = &good.bundles[1].tlog_entries[0];
    let Content::Envelope(envelope) = &good.bundles[1].content else {
        panic!("the good bundles carry envelopes");
    };
    let mut with_certificate = body(&good.signer, envelope);
    with_certificate.verifier.material = VerifierMaterial::Certificate(vec![0x30, 3, 2, 1, 1]);
    let mut longer = body(&good.signer, envelope);
    longer.hash = HashAlgorithm::Sha384;
    longer.verifier.key_details = KeyDetails::EcdsaP384Sha384;
    longer.digest = HashAlgorithm::Sha384.digest(b"thing");
    let request = CreateEntryRequest {
        digest: longer.digest.clone(),
        signature: longer.signature.clone(),
        verifier: longer.verifier.clone(),
    };
    vec![
        Seed::new("body.json", entry.canonicalized_body.clone()),
        Seed::new("body-certificate.json", with_certificate.canonical_body()),
        Seed::new("body-p384.json", longer.canonical_body()),
        Seed::new("request.json", request.encode()),
        Seed::new("entry.json", entry.encode()),
    ]
}

/// Bodies and answers of Rekor v1.
pub(super) fn entry_v1() -> Vec<Seed> {
    let good = good();
    let Content::Envelope(envelope) = &good.bundles[1].content else {
        panic!("the good bundles carry envelopes");
    };
    let key = PemVerifier::new(VerifierMaterial::PublicKey(
        good.signer.public_key().spki_der().to_vec(),
    ));
    let digest = |bytes: &[u8]| NamedDigest {
        algorithm: HashAlgorithm::Sha256,
        digest: HashAlgorithm::Sha256.digest(bytes),
    };
    let record = HashedRekordV001 {
        digest: digest(&envelope.pae()),
        signature: envelope.signature.clone(),
        verifier: key.clone(),
    };
    let dsse = DsseV001 {
        envelope_hash: digest(b"the envelope as it was sent"),
        payload_hash: digest(&envelope.payload),
        signatures: vec![(envelope.signature.clone(), key.clone())],
    };
    vec![
        Seed::new("hashedrekord.json", record.canonical_body()),
        Seed::new("dsse.json", dsse.canonical_body()),
        Seed::new("intoto.json", intoto(good)),
        Seed::new("answer.json", answer(good, &dsse.canonical_body())),
        Seed::new("key.pem", key.pem()),
        Seed::new("log-info.json", log_info(good)),
        Seed::new(
            "consistency.json",
            text(&json!({"rootHash": SHA, "hashes": [SHA, SHA]})),
        ),
    ]
}

fn intoto(good: &Good) -> Vec<u8> {
    let Content::Envelope(envelope) = &good.bundles[1].content else {
        panic!("the good bundles carry envelopes");
    };
    let key = PemVerifier::new(VerifierMaterial::PublicKey(
        good.signer.public_key().spki_der().to_vec(),
    ));
    let value = |bytes: &[u8]| json!({"algorithm": "sha256", "value": Sha256Digest::of(bytes).to_string()});
    let body = json!({"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": {
        "envelope": {"payloadType": envelope.payload_type, "signatures": [
            {"publicKey": base64(key.pem()), "sig": base64(base64(&envelope.signature).as_bytes())}]},
        "hash": value(b"the envelope as it was sent"), "payloadHash": value(&envelope.payload)}}});
    text(&body)
}

fn answer(good: &Good, body: &[u8]) -> Vec<u8> {
    let leaf = leaf_hash(body);
    let hex: String = leaf.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = json!({
        "body": base64(body), "integratedTime": 1_790_000_000, "logID": SHA, "logIndex": 5,
        "verification": {
            "inclusionProof": {
                "checkpoint": good.checkpoint(1).replace("fuzz.example/log\n", "fuzz.example - 4711\n"),
                "hashes": [SHA], "logIndex": 1, "rootHash": SHA, "treeSize": 2
            },
            "signedEntryTimestamp": "MAMCAQE="
        }
    });
    text(&json!({ hex: entry }))
}

fn log_info(good: &Good) -> Vec<u8> {
    let shard = json!({
        "rootHash": SHA, "treeSize": 7, "treeID": "4711",
        "signedTreeHead": good.checkpoint(1).replace("fuzz.example/log\n", "fuzz.example - 4711\n")
    });
    let mut active = shard.clone();
    active["inactiveShards"] = json!([shard]);
    text(&active)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Roots with every part, in both versions.
pub(super) fn trusted_root() -> Vec<Seed> {
    let good = good();
    let window = json!({"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00.5Z"});
    let log = json!({
        "baseUrl": "https://fuzz.example/log", "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": base64(&good.log_key().spki_der()), "keyDetails": "PKIX_ED25519",
                      "validFor": {"start": "2026-01-01T00:00:00Z"}},
        "logId": {"keyId": base64(good.log_key().log_id().as_bytes())}
    });
    let spki = good.signer.public_key().spki_der();
    let certificate_log = json!({
        "baseUrl": "https://ct.example", "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": base64(spki), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": window},
        "logId": {"keyId": base64(Sha256Digest::of(spki).as_bytes())}
    });
    let authority = json!({
        "subject": {"organization": "fuzz.example", "commonName": "fuzz"}, "uri": "https://ca.example",
        "certChain": {"certificates": [{"rawBytes": base64(&self_signed())}]}, "validFor": window
    });
    let mut root = json!({
        "mediaType": MEDIA_TYPE_V01, "tlogs": [log], "ctlogs": [certificate_log],
        "certificateAuthorities": [authority], "timestampAuthorities": [authority]
    });
    let first = Seed::new("version-1.json", text(&root));
    root["mediaType"] = json!(MEDIA_TYPE_V02);
    for list in [
        "tlogs",
        "ctlogs",
        "certificateAuthorities",
        "timestampAuthorities",
    ] {
        root[list][0]["operator"] = json!("fuzz.example");
    }
    root["tlogs"][0]["checkpointKeyId"] = json!({"keyId": base64(&good.log_key().hint())});
    let unknown = json!({
        "baseUrl": "https://new.example", "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": "AAAA", "keyDetails": "ML_DSA_65", "validFor": {"start": "2026-01-01T00:00:00Z"}},
        "logId": {"keyId": "AAAA"}
    });
    root["tlogs"].as_array_mut().expect("a list").push(unknown);
    vec![
        first,
        Seed::new("version-2.json", text(&root)),
        Seed::new("instance.json", keyless().root_json.clone()),
    ]
}

/// A self-signed certificate of the good signer, made by hand.
fn self_signed() -> Vec<u8> {
    let spki = good().signer.public_key().spki_der();
    let ecdsa_with_sha256 = [
        0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
    ];
    let name = sequence(&[&set(&sequence(&[
        &[0x06, 0x03, 0x55, 0x04, 0x03],
        &tagged(0x0c, b"fuzz"),
    ]))]);
    let validity = sequence(&[&tagged(0x17, b"260101000000Z"), &tagged(0x17, b"360101000000Z")]);
    let basic = sequence(&[
        &[0x06, 0x03, 0x55, 0x1d, 0x13],
        &[0x01, 0x01, 0xff],
        &tagged(0x04, &sequence(&[&[0x01, 0x01, 0xff]])),
    ]);
    let tbs = sequence(&[
        &[0xa0, 0x03, 0x02, 0x01, 0x02],
        &[0x02, 0x01, 0x01],
        &ecdsa_with_sha256,
        &name,
        &validity,
        &name,
        spki,
        &tagged(0xa3, &sequence(&[&basic])),
    ]);
    let signature = good().signer.sign(&tbs).expect("a signature");
    sequence(&[
        &tbs,
        &ecdsa_with_sha256,
        &tagged(0x03, &[&[0], signature.as_slice()].concat()),
    ])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tagged(0x30, &parts.concat())
}

fn set(content: &[u8]) -> Vec<u8> {
    tagged(0x31, content)
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![tag, short],
        Ok(short) => vec![tag, 0x81, short],
        Err(_) => vec![tag, 0x82, (length >> 8) as u8, (length & 0xff) as u8],
    };
    [head, content.to_vec()].concat()
}
