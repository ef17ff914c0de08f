//! What a log answers, held against what was sent. Each refusal starts from a good answer and breaks one thing.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use ed25519_dalek::Signer as _;
use touchmark_rekor::{LogSubmission, PublishError, Signatory, verify_answer};
use touchmark_sign::{PrivateKey, Signer as _};
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::checkpoint::Checkpoint;
use touchmark_tlog::entry::{
    CreateEntryRequest, InclusionProof, KeyDetails, KindVersion, LogEntry, VerifierMaterial,
};
use touchmark_tlog::merkle::{Hash, inclusion_path, leaf_hash, root_of};
use touchmark_tlog::note::{Note, SignatureLine, VerifierKey};
use touchmark_verify::envelope::{Envelope, pae};
use touchmark_verify::key::KeyAlgorithm;
use touchmark_verify::trust::TrustedLog;
use touchmark_verify::window::Window;

const ORIGIN: &str = "log.example/test";

fn key(algorithm: KeyAlgorithm) -> PrivateKey {
    let len = if algorithm == KeyAlgorithm::EcdsaP384Sha384 {
        48
    } else {
        32
    };
    PrivateKey::from_secret(algorithm, &vec![7; len]).unwrap()
}

fn code<T>(result: Result<T, PublishError>) -> &'static str {
    result.map(|_| "accepted").unwrap_or_else(|error| error.code())
}

/// A signed envelope on its way into the log.
fn submission(key: &PrivateKey) -> LogSubmission {
    let payload_type = "application/vnd.in-toto+json";
    let signature = key.sign(&pae(payload_type, b"{}")).unwrap();
    let envelope = Envelope {
        payload_type: payload_type.to_owned(),
        payload: b"{}".to_vec(),
        keyid: String::new(),
        signature,
    };
    LogSubmission::of_envelope(&envelope, Signatory::key(key.public_key().clone())).unwrap()
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

fn answer(sent: &LogSubmission) -> LogEntry {
    answer_with_body(
        sent.create_entry_request()
            .unwrap()
            .to_entry()
            .unwrap()
            .canonical_body(),
    )
}

#[test]
fn requests_carry_the_digest_of_the_keys_own_hash() {
    for (algorithm, details, len) in [
        (KeyAlgorithm::EcdsaP256Sha256, KeyDetails::EcdsaP256Sha256, 32),
        (KeyAlgorithm::EcdsaP384Sha384, KeyDetails::EcdsaP384Sha384, 48),
    ] {
        let key = key(algorithm);
        let sent = submission(&key);
        let request = sent.create_entry_request().unwrap();
        assert_eq!(
            (request.verifier.key_details, request.digest.len()),
            (details, len)
        );
        assert_eq!(
            request.verifier.material,
            VerifierMaterial::PublicKey(key.public_key().spki_der().to_vec())
        );
        key.public_key()
            .verify_digest(&request.digest, &request.signature)
            .unwrap();
        verify_answer(&sent, &answer(&sent), &[log()]).unwrap();
    }
}

#[test]
fn ed25519_is_refused_for_logs_of_digests() {
    let sent = submission(&key(KeyAlgorithm::Ed25519));
    assert_eq!(code(sent.create_entry_request()), "key.ed25519_not_loggable");
    let other = submission(&key(KeyAlgorithm::EcdsaP256Sha256));
    assert_eq!(
        code(verify_answer(&sent, &answer(&other), &[log()])),
        "key.ed25519_not_loggable"
    );
}

#[test]
fn case_45_the_key_of_a_log_signs_no_statement() {
    let key = key(KeyAlgorithm::EcdsaP256Sha256);
    let sent = submission(&key);
    assert_eq!(code(verify_answer(&sent, &answer(&sent), &[log()])), "accepted");
    let own = trusted(VerifierKey::ecdsa_p256(ORIGIN, key.public_key().spki_der()).unwrap());
    assert_eq!(
        code(verify_answer(&sent, &answer(&sent), &[log(), own])),
        "key.role_reused"
    );
}

#[test]
fn answers_about_anything_else_are_refused() {
    let sent = submission(&key(KeyAlgorithm::EcdsaP256Sha256));
    assert_eq!(code(verify_answer(&sent, &answer(&sent), &[log()])), "accepted");
    // Whole and proven answers about another statement, signature, key or hash.
    let request = sent.create_entry_request().unwrap();
    let rebuilt = |change: &dyn Fn(&mut CreateEntryRequest)| {
        let mut request = request.clone();
        change(&mut request);
        let answer = answer_with_body(request.to_entry().unwrap().canonical_body());
        code(verify_answer(&sent, &answer, &[log()]))
    };
    let other = PrivateKey::from_secret(KeyAlgorithm::EcdsaP256Sha256, &[8; 32]).unwrap();
    let spki = other.public_key().spki_der().to_vec();
    assert_eq!(rebuilt(&|_| {}), "accepted");
    assert_eq!(
        rebuilt(&|request| request.digest[0] ^= 1),
        "rekor.answer_for_another_entry"
    );
    assert_eq!(
        rebuilt(&|request| request.signature[9] ^= 1),
        "rekor.answer_for_another_entry"
    );
    assert_eq!(
        rebuilt(&|request| request.verifier.material = VerifierMaterial::PublicKey(spki.clone())),
        "rekor.answer_for_another_entry"
    );
    // One thing broken in the answer around the body.
    let broken = |change: &dyn Fn(&mut LogEntry)| {
        let mut entry = answer(&sent);
        change(&mut entry);
        code(verify_answer(&sent, &entry, &[log()]))
    };
    let proof = |change: fn(&mut InclusionProof)| {
        broken(&move |entry| change(entry.inclusion_proof.as_mut().unwrap()))
    };
    assert_eq!(
        broken(&|entry| entry.log_id = Hash::from_bytes([0; 32])),
        "rekor.answer_unknown_log"
    );
    assert_eq!(
        broken(&|entry| entry.kind.version = "0.0.1".to_owned()),
        "rekor.answer_for_another_entry"
    );
    assert_eq!(
        broken(&|entry| entry.inclusion_proof = None),
        "rekor.answer_no_proof"
    );
    assert_eq!(proof(|proof| proof.checkpoint = None), "rekor.answer_no_proof");
    assert_eq!(broken(&|entry| entry.log_index = 0), "rekor.answer_inclusion");
    assert_eq!(broken(&|entry| entry.log_index = 3), "rekor.answer_inclusion");
    assert_eq!(
        proof(|proof| proof.hashes[0] = Hash::from_bytes([0; 32])),
        "rekor.answer_inclusion"
    );
    assert_eq!(proof(|proof| proof.hashes.clear()), "rekor.answer_inclusion");
    let forged = proof(|proof| {
        proof.checkpoint = proof
            .checkpoint
            .as_ref()
            .map(|note| note.replacen("\n3\n", "\n4\n", 1))
    });
    assert_eq!(forged, "rekor.answer_checkpoint");
    assert_eq!(
        broken(&|entry| entry.canonicalized_body.push(b' ')),
        "rekor.answer_for_another_entry"
    );
}
