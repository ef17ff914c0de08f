//! Catalogue: DSSE and raw signatures, and which key may sign.

use serde_json::{Value, json};
use touchmark_statement::statement::IN_TOTO_PAYLOAD_TYPE;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::key::{KeyAlgorithm, KeyFingerprint, PublicKey};
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::verify::{LogRequirement, VerifyOptions};
use touchmark_verify::window::Window;

use crate::support::*;

fn parse_code(value: &Value) -> &'static str {
    Bundle::parse(&bytes(value)).map_or_else(|error| error.code(), |_| "ok")
}

/// Logs an envelope whose signature was replaced, so that only the signature is wrong.
fn with_signature(signature: impl FnOnce(&Signer, &[u8]) -> Vec<u8>) -> &'static str {
    let mut world = World::new();
    let mut envelope = world.signer.envelope(&statement());
    envelope.signature = signature(&world.signer, &envelope.pae());
    let bundle = world.bundle_of(envelope);
    world.code(&bundle)
}

#[test]
fn case_24_two_signatures_in_one_envelope() {
    let mut value: Value = serde_json::from_slice(&World::new().good().encode()).unwrap();
    let signatures = value["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
    signatures.insert(0, json!({"sig": "AAAA", "keyid": "x"}));
    assert_eq!(parse_code(&value), "bundle.signature_count");
}

#[test]
fn case_25_the_same_signature_twice() {
    let mut value: Value = serde_json::from_slice(&World::new().good().encode()).unwrap();
    let signatures = value["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
    signatures.push(signatures[0].clone());
    assert_eq!(parse_code(&value), "bundle.signature_count");
}

#[test]
fn case_26_one_key_under_two_names_is_one_signer() {
    let mut world = World::new();
    let fingerprint = world.signer.fingerprint();
    world
        .ring
        .name("release key", fingerprint)
        .name("backup key", fingerprint);
    let bundle = world.good();
    let mut signers = std::collections::HashSet::new();
    for hint in [
        "release key",
        "backup key",
        &fingerprint.to_string(),
        &fingerprint.to_hex(),
    ] {
        let mut bundle = bundle.clone();
        bundle.material = VerificationMaterial::PublicKey {
            hint: hint.to_owned(),
        };
        bundle.envelope_mut().unwrap().keyid = hint.to_owned();
        signers.insert(world.verify(&bundle).unwrap().evidence_id());
    }
    assert_eq!(signers.len(), 1);
    // A name given to two keys names none.
    world
        .ring
        .name("release key", KeyFingerprint::from_bytes([1; 32]));
    let mut bundle = bundle;
    bundle.material = VerificationMaterial::PublicKey {
        hint: "release key".to_owned(),
    };
    bundle.envelope_mut().unwrap().keyid = String::new();
    assert_eq!(world.code(&bundle), "signer.hint_unknown");
}

#[test]
fn case_27_a_trusted_keyid_with_another_key_s_signature() {
    let mallory = Signer::new(66);
    assert_eq!(
        with_signature(|_, message| mallory.sign_bytes(message)),
        "signature.invalid"
    );
    // The entry's own key does not help: it is compared with the fingerprint that was asked for.
    let mut world = World::new();
    let mut envelope = mallory.envelope(&statement());
    envelope.keyid = world.signer.fingerprint().to_string();
    let body = mallory.body(&envelope).canonical_body();
    let bundle = world.bundle_with_body(envelope, body);
    assert_eq!(world.code(&bundle), "signer.entry_key");
}

#[test]
fn case_29_payload_type_changed_after_signing() {
    let mut world = World::new();
    let signed = world.signer.envelope(&statement());
    let mut envelope = signed.clone();
    // Signed as something else, and called a statement afterwards.
    envelope.signature = world
        .signer
        .sign_bytes(&touchmark_verify::envelope::pae("text/plain", &signed.payload));
    let bundle = world.bundle_of(envelope);
    assert_eq!(world.code(&bundle), "signature.invalid");
    let mut bundle = world.bundle_of(signed);
    bundle.envelope_mut().unwrap().payload_type = "text/plain".to_owned();
    assert_eq!(world.code(&bundle), "envelope.payload_type");
}

#[test]
fn case_30_and_case_31_payload_type_of_something_else_or_in_another_spelling() {
    for payload_type in [
        "application/json",
        "application/vnd.in-toto",
        "https://example.com/other-application",
        "application/vnd.in-toto+JSON",
        "Application/vnd.in-toto+json",
        "application/vnd.in-toto+json ",
        " application/vnd.in-toto+json",
        "application/vnd.in-toto+json;charset=utf-8",
        "",
    ] {
        let mut world = World::new();
        let mut envelope = world.signer.envelope(&statement());
        envelope.payload_type = payload_type.to_owned();
        envelope.signature = world.signer.sign_bytes(&envelope.pae());
        let bundle = world.bundle_of(envelope);
        assert_eq!(world.code(&bundle), "envelope.payload_type", "{payload_type:?}");
    }
}

#[test]
fn case_32_signature_over_something_else_than_the_pae() {
    let payload = String::from_utf8(statement())
        .unwrap()
        .replace("payments-fixer", "p\u{e4}yments-fixer");
    let (kind, len) = (IN_TOTO_PAYLOAD_TYPE, payload.len());
    let characters = payload.chars().count();
    assert_ne!(characters, len);
    for (name, message) in [
        ("payload alone", payload.clone()),
        (
            "characters instead of bytes",
            format!("DSSEv1 {} {kind} {characters} {payload}", kind.len()),
        ),
        (
            "leading zero",
            format!("DSSEv1 {} {kind} 0{len} {payload}", kind.len()),
        ),
        ("no version", format!("{} {kind} {len} {payload}", kind.len())),
        (
            "other version",
            format!("DSSEv2 {} {kind} {len} {payload}", kind.len()),
        ),
    ] {
        let mut world = World::new();
        let mut envelope = world.signer.envelope(payload.as_bytes());
        envelope.signature = world.signer.sign_bytes(message.as_bytes());
        let bundle = world.bundle_of(envelope);
        assert_eq!(world.code(&bundle), "signature.invalid", "{name}");
    }
    let mut world = World::new();
    let bundle = world.bundle(payload.as_bytes());
    assert_eq!(world.code(&bundle), "ok");
}

#[test]
fn case_34_the_twin_of_the_logged_signature() {
    let mut world = World::new();
    let mut bundle = world.good();
    let twin = world.signer.twin(&bundle.envelope_mut().unwrap().pae());
    assert_ne!(twin, bundle.envelope_mut().unwrap().signature);
    assert!(
        world
            .signer
            .public()
            .verify(&bundle.envelope_mut().unwrap().pae(), &twin)
            .is_ok()
    );
    bundle.envelope_mut().unwrap().signature = twin;
    assert_eq!(world.code(&bundle), "tlog.signature_mismatch");
}

#[test]
fn case_35_raw_r_and_s_where_der_is_expected() {
    assert_eq!(
        with_signature(|signer, message| signer.sign_raw(message)),
        "signature.raw_where_der_expected"
    );
}

#[test]
fn case_42_message_signature_beside_or_instead_of_the_envelope() {
    let mut value: Value = serde_json::from_slice(&World::new().good().encode()).unwrap();
    value["messageSignature"] =
        json!({"messageDigest": {"algorithm": "SHA2_256", "digest": "AA=="}, "signature": "AA=="});
    assert_eq!(parse_code(&value), "bundle.two_contents");
    // Alone it is a bundle, and no statement; its digest has the length that its name demands.
    value.as_object_mut().unwrap().remove("dsseEnvelope");
    assert_eq!(parse_code(&value), "bundle.digest_length");
    value["messageSignature"]["messageDigest"]["algorithm"] = json!("SHA3_256");
    assert_eq!(parse_code(&value), "bundle.digest_algorithm");
    value["messageSignature"]
        .as_object_mut()
        .unwrap()
        .remove("messageDigest");
    let bundle = Bundle::parse(&bytes(&value)).unwrap();
    assert_eq!(World::new().code(&bundle), "bundle.message_signature");
    value.as_object_mut().unwrap().remove("messageSignature");
    assert_eq!(parse_code(&value), "bundle.no_content");
}

#[test]
fn case_44_an_ssh_signature_is_no_attestation_signature() {
    let armoured = b"-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQ==\n-----END SSH SIGNATURE-----\n";
    assert_eq!(with_signature(|_, _| armoured.to_vec()), "signature.malformed");
    // What ssh signs is a blob with magic and namespace, so that even the bare signature inside it is over other bytes.
    let code = with_signature(|signer, message| {
        signer.sign_bytes(&[b"SSHSIG\0\0\0\x03git\0\0\0\0\0\0\0\x06sha256", message].concat())
    });
    assert_eq!(code, "signature.invalid");
}

#[test]
fn case_45_the_log_s_own_key_is_not_expected_of_a_signer() {
    let mut world = World::new();
    let log_key = PublicKey::from_spki_der(&world.log.verifier_key().spki_der()).unwrap();
    let mut bundle = world.good();
    let hint = log_key.fingerprint().to_string();
    bundle.envelope_mut().unwrap().signature = vec![0; 64];
    bundle.envelope_mut().unwrap().keyid.clone_from(&hint);
    bundle.material = VerificationMaterial::PublicKey { hint };
    world.ring.add_key(log_key);
    assert_eq!(world.code(&bundle), "signer.not_expected");
}

#[test]
fn case_74_certificates_are_refused_under_expected_keys() {
    let mut world = World::new();
    let mut bundle = world.good();
    bundle.material = VerificationMaterial::Certificate(vec![0x30, 0]);
    assert_eq!(world.code(&bundle), "signer.certificate_not_expected");
}

#[test]
fn case_112_an_integrated_time_that_nobody_signed_is_not_a_time() {
    let mut world = World::new();
    let mut bundle = world.good();
    bundle.tlog_entries[0].integrated_time = Some(NOW as u64 - 500);
    let verified = world.verify(&bundle).unwrap();
    assert!(verified.verified_times().is_empty());
    assert!(
        verified
            .checks()
            .iter()
            .any(|check| check.name == "time.integrated")
    );
    // As the only time for a key that needs one, it is none.
    let mut ring = KeyRing::new();
    let window = Window {
        start: at(NOW - 1000),
        end: None,
    };
    ring.allow_within(world.signer.fingerprint(), window);
    world.ring = ring;
    assert_eq!(world.code(&bundle), "signer.window_needs_time");
}

#[test]
fn case_115_a_key_with_a_window_needs_a_verified_time() {
    let mut world = World::new();
    let bundle = world.good();
    let mut ring = KeyRing::new();
    ring.allow_within(
        world.signer.fingerprint(),
        Window {
            start: at(0),
            end: None,
        },
    );
    world.ring = ring;
    assert_eq!(world.code(&bundle), "signer.window_needs_time");
}

#[test]
fn timestamps_that_cannot_be_verified_are_refused() {
    let mut world = World::new();
    let mut bundle = world.good();
    bundle.timestamps.push(vec![0x30, 0]);
    assert_eq!(world.code(&bundle), "time.timestamp_malformed");
}

#[test]
fn an_empty_ring_and_a_stranger_prove_nothing() {
    let mut world = World::new();
    let bundle = world.good();
    world.ring = KeyRing::new();
    assert_eq!(world.code(&bundle), "signer.none_expected");
    world.ring.allow(KeyFingerprint::from_bytes([3; 32]));
    assert_eq!(world.code(&bundle), "signer.not_expected");
    world.ring.allow(world.signer.fingerprint());
    let mut unlogged = bundle;
    unlogged.tlog_entries.clear();
    world.options.log = LogRequirement::DangerouslyUnlogged {
        reason: "test".to_owned(),
    };
    assert_eq!(world.code(&unlogged), "signer.key_missing");
}

/// What `sigstore-verify` 0.15.1 accepts although it is wrong; here each has a refusal of its own.
#[test]
fn refuses_what_another_verifier_accepts_although_it_is_wrong() {
    // keyDetails P-256 while the key is Ed25519 or P-384.
    for key in [
        other_key(KeyAlgorithm::Ed25519),
        other_key(KeyAlgorithm::EcdsaP384Sha384),
    ] {
        assert_eq!(
            mislabelled(&key),
            "tlog.key_details_mismatch",
            "{}",
            key.public.algorithm()
        );
    }
    let mut world = World::new();
    let good = world.good();
    // hint and keyid differ
    let mut bundle = good.clone();
    bundle.envelope_mut().unwrap().keyid = Signer::new(1).fingerprint().to_string();
    assert_eq!(world.code(&bundle), "signer.hint_mismatch");
    // logId unknown, or of another trusted log than the one that signed the checkpoint
    let mut bundle = good.clone();
    let other = Log::new("log.example/other", 10);
    bundle.tlog_entries[0].log_id = other.verifier_key().log_id();
    assert_eq!(world.code(&bundle), "tlog.log_unknown");
    let root =
        touchmark_verify::trust::TrustedRoot::from_logs(vec![world.log.trusted(), other.trusted()]).unwrap();
    let options = VerifyOptions::new(at(NOW));
    let refused =
        touchmark_verify::verify::verify(&bundle, &world.ring.clone().into(), &root, &options).unwrap_err();
    assert_eq!(refused.code(), "tlog.note_unsigned");
    // a second entry without a proof
    let mut bundle = good.clone();
    let mut second = bundle.tlog_entries[0].clone();
    second.log_id = other.verifier_key().log_id();
    second.inclusion_proof = None;
    bundle.tlog_entries.push(second);
    assert_eq!(world.code(&bundle), "bundle.proof_missing");
    // messageSignature beside dsseEnvelope, and unknown fields
    let value: Value = serde_json::from_slice(&good.encode()).unwrap();
    let mut two = value.clone();
    two["messageSignature"] = json!({"signature": "AA=="});
    assert_eq!(parse_code(&two), "bundle.two_contents");
    let mut unknown = value;
    unknown["extra"] = json!(1);
    assert_eq!(parse_code(&unknown), "json.shape");
    // statement of any type
    let mut payload = statement_value();
    payload["_type"] = json!("anything");
    let bundle = world.bundle(&bytes(&payload));
    assert_eq!(world.code(&bundle), "statement.unknown_type");
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

struct OtherKey {
    public: PublicKey,
    sign: Sign,
}

fn other_key(algorithm: KeyAlgorithm) -> OtherKey {
    if algorithm == KeyAlgorithm::Ed25519 {
        let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
        let public = PublicKey::from_raw(algorithm, key.verifying_key().as_bytes()).unwrap();
        let sign = move |message: &[u8]| ed25519_dalek::Signer::sign(&key, message).to_bytes().to_vec();
        return OtherKey {
            public,
            sign: Box::new(sign),
        };
    }
    let key = p384::ecdsa::SigningKey::from_slice(&[5; 48]).unwrap();
    let public = PublicKey::from_raw(algorithm, key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    let sign = move |message: &[u8]| {
        let signature: p384::ecdsa::Signature = p384::ecdsa::signature::Signer::sign(&key, message);
        signature.to_der().as_bytes().to_vec()
    };
    OtherKey {
        public,
        sign: Box::new(sign),
    }
}

/// Signs with another kind of key, and logs it as if it were P-256 with SHA-256.
fn mislabelled(key: &OtherKey) -> &'static str {
    let mut world = World::new();
    let mut envelope = world.signer.envelope(&statement());
    envelope.signature = (key.sign)(&envelope.pae());
    envelope.keyid = key.public.fingerprint().to_string();
    let mut body = world.signer.body(&envelope);
    let spki = key.public.spki_der().to_vec();
    body.verifier.material = touchmark_tlog::entry::VerifierMaterial::PublicKey(spki);
    let mut bundle = world.bundle_with_body(envelope.clone(), body.canonical_body());
    bundle.material = VerificationMaterial::PublicKey { hint: envelope.keyid };
    world.ring.allow(key.public.fingerprint());
    world.code(&bundle)
}
