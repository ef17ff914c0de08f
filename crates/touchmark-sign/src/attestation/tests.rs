//! Tests of signing, log requests and log answers. Each refusal starts from a good case and breaks one thing.

use ed25519_dalek::Signer as _;
use serde_json::{Value, json};
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::checkpoint::Checkpoint;
use touchmark_tlog::entry::{InclusionProof, KindVersion};
use touchmark_tlog::merkle::{Hash, inclusion_path, leaf_hash, root_of};
use touchmark_tlog::note::{Note, SignatureLine, VerifierKey};
use touchmark_verify::window::Window;

use super::*;
use crate::{PrivateKey, SignError};

const ORIGIN: &str = "log.example/test";

fn review_json() -> Value {
    let tree = |digit: &str| digit.repeat(40);
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "tree", "digest": {"gitTree": tree("b"), "sha256": "c".repeat(64)}}],
        "predicateType": "https://touchmark.dev/review/v1",
        "predicate": {
            "decision": "approved",
            "about": "change",
            "change": {
                "repository": {"uri": "https://example.com/repo"},
                "targetRef": "refs/heads/main",
                "baseTree": tree("a"),
                "resultTree": tree("b"),
                "head": tree("d"),
            },
            "scope": {"whole": true},
            "evidence": [],
            "shown": {"sha256": "e".repeat(64)},
            "method": "cli",
        },
    })
}

fn statement() -> Statement {
    let bytes = serde_json::to_vec(&review_json()).unwrap();
    SignedStatement::parse(bytes).unwrap().statement().clone()
}

fn key(algorithm: KeyAlgorithm) -> PrivateKey {
    PrivateKey::from_secret(
        algorithm,
        &vec![
            7;
            if algorithm == KeyAlgorithm::EcdsaP384Sha384 {
                48
            } else {
                32
            }
        ],
    )
    .unwrap()
}

fn code<T>(result: Result<T, AttestationError>) -> &'static str {
    result.map(|_| "accepted").unwrap_or_else(|error| error.code())
}

fn log_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[9; 32])
}

fn log() -> TrustedLog {
    let key = VerifierKey::ed25519(ORIGIN, log_key().verifying_key().as_bytes()).unwrap();
    trusted(key)
}

fn trusted(key: VerifierKey) -> TrustedLog {
    let start = Timestamp::from_unix(0).unwrap();
    let log_id = key.log_id();
    TrustedLog {
        origin: ORIGIN.to_owned(),
        key,
        log_id,
        valid_for: Window { start, end: None },
        operator: None,
    }
}

/// The answer of a log whose tree holds this body between two others.
fn answer_with_body(canonicalized_body: Vec<u8>) -> LogEntry {
    let leaves = [
        leaf_hash(b"before"),
        leaf_hash(&canonicalized_body),
        leaf_hash(b"after"),
    ];
    let root = root_of(&leaves);
    let log = log();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 3,
        root,
        extensions: Vec::new(),
    };
    let text = checkpoint.encode();
    let signature = log_key().sign(text.as_bytes()).to_bytes().to_vec();
    let note = Note::new(text, vec![SignatureLine::new(&log.key, signature)])
        .unwrap()
        .encode();
    LogEntry {
        log_index: 1,
        log_id: log.log_id,
        kind: KindVersion::hashedrekord_v002(),
        integrated_time: None,
        inclusion_promise: None,
        inclusion_proof: Some(InclusionProof {
            log_index: 1,
            root_hash: root,
            tree_size: 3,
            hashes: inclusion_path(&leaves, 1).unwrap(),
            checkpoint: Some(note),
        }),
        canonicalized_body,
    }
}

fn answer(signed: &SignedEnvelope) -> LogEntry {
    answer_with_body(signed.to_request().unwrap().to_entry().unwrap().canonical_body())
}

#[test]
fn every_algorithm_signs_and_the_hint_names_the_key() {
    for algorithm in [
        KeyAlgorithm::EcdsaP256Sha256,
        KeyAlgorithm::EcdsaP384Sha384,
        KeyAlgorithm::Ed25519,
    ] {
        let key = key(algorithm);
        let signed = sign(&statement(), &key).unwrap();
        let envelope = signed.envelope();
        assert_eq!(envelope.payload, statement().encode().unwrap());
        assert_eq!(envelope.payload_type, IN_TOTO_PAYLOAD_TYPE);
        assert_eq!(envelope.keyid, key.public_key().fingerprint().to_string());
        key.public_key()
            .verify(&envelope.pae(), &envelope.signature)
            .unwrap();
        let bundle = signed.unlogged_bundle();
        assert_eq!(
            bundle.material,
            VerificationMaterial::PublicKey {
                hint: envelope.keyid.clone()
            }
        );
        assert_eq!(
            bundle.envelope().unwrap().keyid,
            "",
            "cosign skips a keyid that is not its own"
        );
        assert_eq!(Bundle::parse(&bundle.encode()).unwrap(), bundle);
        assert_eq!(signed.statement().unwrap().statement(), &statement());
        assert_eq!(
            signed.evidence_id().payload,
            prepare(&statement()).unwrap().payload_digest()
        );
        assert_eq!(
            signed.evidence_id().signer,
            SignerId::of_key(&key.public_key().fingerprint())
        );
    }
}

#[test]
fn requests_carry_the_digest_of_the_keys_own_hash() {
    for (algorithm, details, len) in [
        (KeyAlgorithm::EcdsaP256Sha256, KeyDetails::EcdsaP256Sha256, 32),
        (KeyAlgorithm::EcdsaP384Sha384, KeyDetails::EcdsaP384Sha384, 48),
    ] {
        let key = key(algorithm);
        let signed = sign_for_log(&statement(), &key, &log()).unwrap();
        let request = signed.to_request().unwrap();
        assert_eq!(
            (request.verifier.key_details, request.digest.len()),
            (details, len)
        );
        assert_eq!(
            request.digest,
            algorithm.digest(&signed.envelope().pae()).unwrap()
        );
        assert_eq!(
            request.verifier.material,
            VerifierMaterial::PublicKey(key.public_key().spki_der().to_vec())
        );
        key.public_key()
            .verify_digest(&request.digest, &request.signature)
            .unwrap();
        let bundle = bundle(&signed, answer(&signed), &log()).unwrap();
        assert_eq!(Bundle::parse(&bundle.encode()).unwrap(), bundle);
    }
}

#[test]
fn ed25519_signs_but_is_refused_for_logs_of_digests() {
    let key = key(KeyAlgorithm::Ed25519);
    assert_eq!(
        code(sign_for_log(&statement(), &key, &log())),
        "key.ed25519_not_loggable"
    );
    let signed = sign(&statement(), &key).unwrap();
    assert_eq!(code(signed.to_request()), "key.ed25519_not_loggable");
    let other = sign(&statement(), &self::key(KeyAlgorithm::EcdsaP256Sha256)).unwrap();
    assert_eq!(
        code(bundle(&signed, answer(&other), &log())),
        "key.ed25519_not_loggable"
    );
}

#[test]
fn case_45_the_key_of_a_log_signs_no_statement() {
    let key = key(KeyAlgorithm::EcdsaP256Sha256);
    assert_eq!(code(sign_for_log(&statement(), &key, &log())), "accepted");
    let own = trusted(VerifierKey::ecdsa_p256(ORIGIN, key.public_key().spki_der()).unwrap());
    assert_eq!(code(sign_for_log(&statement(), &key, &own)), "key.role_reused");
    let signed = sign(&statement(), &key).unwrap();
    assert_eq!(code(bundle(&signed, answer(&signed), &own)), "key.role_reused");
}

#[test]
fn statements_that_do_not_fit_their_schema_are_refused_without_showing_them() {
    let valid = |value: &Value| {
        let predicate_type = value["predicateType"].as_str().unwrap();
        schema::validate(predicate_type, &serde_json::to_vec(value).unwrap())
    };
    valid(&review_json()).unwrap();
    for (pointer, broken, at) in [
        ("/_type", json!("https://in-toto.io/Statement/v0.1"), "/_type"),
        ("/subject", json!([]), "/subject"),
        (
            "/subject/0/digest",
            json!({"sha256": "SECRET"}),
            "/subject/0/digest/sha256",
        ),
        ("/predicate/decision", json!("SECRET"), "/predicate/decision"),
        ("/predicate/evidence", json!({}), "/predicate/evidence"),
        (
            "/predicate/change/targetRef",
            json!("SECRET"),
            "/predicate/change/targetRef",
        ),
        (
            "/predicate/scope",
            json!({"whole": true, "paths": ["SECRET"]}),
            "/predicate/scope",
        ),
    ] {
        let mut value = review_json();
        *value.pointer_mut(pointer).unwrap() = broken;
        let error = valid(&value).unwrap_err();
        assert_eq!(error.code(), "statement.schema", "{pointer}");
        let AttestationError::Schema { at: found, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(found, at);
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
}

/// Counts how often it is asked.
#[derive(Debug)]
struct Watched(PrivateKey, std::sync::atomic::AtomicUsize);

impl Signer for Watched {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.0.sign(message)
    }
}

#[test]
fn what_is_refused_is_refused_before_it_is_signed() {
    let signer = Watched(key(KeyAlgorithm::EcdsaP256Sha256), 0.into());
    sign(&statement(), &signer).unwrap();
    let mut no_subject = statement();
    no_subject.subject.clear();
    assert!(sign(&no_subject, &signer).is_err());
    let mut empty_reason = statement();
    if let touchmark_statement::predicate::Predicate::Review(review) = &mut empty_reason.predicate {
        review.reason = Some(String::new());
    }
    assert!(sign(&empty_reason, &signer).is_err());
    let own = trusted(VerifierKey::ecdsa_p256(ORIGIN, signer.public_key().spki_der()).unwrap());
    assert!(sign_for_log(&statement(), &signer, &own).is_err());
    assert_eq!(signer.1.into_inner(), 1);
}

#[test]
fn envelopes_are_put_together_only_with_their_own_key() {
    let key = key(KeyAlgorithm::EcdsaP256Sha256);
    let signed = sign(&statement(), &key).unwrap();
    let public = || key.public_key().clone();
    let good = signed.envelope().clone();
    assert_eq!(
        SignedEnvelope::from_parts(good.clone(), public()).unwrap(),
        signed
    );
    let broken = |change: fn(&mut Envelope)| {
        let mut envelope = good.clone();
        change(&mut envelope);
        code(SignedEnvelope::from_parts(envelope, public()))
    };
    assert_eq!(
        broken(|envelope| envelope.payload.push(b' ')),
        "signature.invalid"
    );
    assert_eq!(
        broken(|envelope| envelope.payload_type = "application/json".to_owned()),
        "envelope.payload_type"
    );
    assert_eq!(
        broken(|envelope| envelope.keyid.clear()),
        "envelope.keyid_mismatch"
    );
    assert_eq!(
        broken(|envelope| envelope.signature.push(0)),
        "signature.malformed"
    );
    let other = PrivateKey::from_secret(KeyAlgorithm::EcdsaP256Sha256, &[8; 32]).unwrap();
    let code = code(SignedEnvelope::from_parts(
        good.clone(),
        other.public_key().clone(),
    ));
    assert_eq!(code, "envelope.keyid_mismatch");
}

#[test]
fn answers_about_anything_else_are_refused() {
    let key = key(KeyAlgorithm::EcdsaP256Sha256);
    let signed = sign(&statement(), &key).unwrap();
    assert_eq!(code(bundle(&signed, answer(&signed), &log())), "accepted");
    // Whole and proven answers about another statement, signature, key or hash.
    let request = signed.to_request().unwrap();
    let rebuilt = |change: &dyn Fn(&mut CreateEntryRequest)| {
        let mut request = request.clone();
        change(&mut request);
        code(bundle(
            &signed,
            answer_with_body(request.to_entry().unwrap().canonical_body()),
            &log(),
        ))
    };
    let other = PrivateKey::from_secret(KeyAlgorithm::EcdsaP256Sha256, &[8; 32]).unwrap();
    let spki = other.public_key().spki_der().to_vec();
    assert_eq!(rebuilt(&|_| {}), "accepted");
    assert_eq!(rebuilt(&|request| request.digest[0] ^= 1), "answer.other_digest");
    assert_eq!(
        rebuilt(&|request| request.signature[9] ^= 1),
        "answer.other_signature"
    );
    assert_eq!(
        rebuilt(&|request| request.verifier.material = VerifierMaterial::PublicKey(spki.clone())),
        "answer.other_key"
    );
    // One thing broken in the answer around the body.
    let broken = |change: &dyn Fn(&mut LogEntry)| {
        let mut entry = answer(&signed);
        change(&mut entry);
        code(bundle(&signed, entry, &log()))
    };
    let proof = |change: fn(&mut InclusionProof)| {
        broken(&move |entry| change(entry.inclusion_proof.as_mut().unwrap()))
    };
    assert_eq!(
        broken(&|entry| entry.log_id = Hash::from_bytes([0; 32])),
        "answer.other_log"
    );
    assert_eq!(
        broken(&|entry| entry.kind.version = "0.0.1".to_owned()),
        "answer.other_kind"
    );
    assert_eq!(broken(&|entry| entry.inclusion_proof = None), "answer.no_proof");
    assert_eq!(proof(|proof| proof.checkpoint = None), "answer.no_proof");
    assert_eq!(broken(&|entry| entry.log_index = 0), "tlog.root_mismatch");
    assert_eq!(broken(&|entry| entry.log_index = 3), "tlog.index_range");
    assert_eq!(
        proof(|proof| proof.hashes[0] = Hash::from_bytes([0; 32])),
        "tlog.root_mismatch"
    );
    assert_eq!(proof(|proof| proof.hashes.clear()), "tlog.proof_length");
    let forged = proof(|proof| {
        proof.checkpoint = proof
            .checkpoint
            .as_ref()
            .map(|note| note.replacen("\n3\n", "\n4\n", 1))
    });
    assert_eq!(forged, "tlog.note_signature");
    assert_eq!(
        broken(&|entry| entry.canonicalized_body.push(b' ')),
        "tlog.entry_not_canonical"
    );
}
