//! Tests of signing. Each refusal starts from a good case and breaks one thing.

use serde_json::{Value, json};
use touchmark_verify::key::KeyAlgorithm;

use super::*;
use crate::{PrivateKey, SignError};

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
