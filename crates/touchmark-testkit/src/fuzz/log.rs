//! Notes, checkpoints and log entries.

use touchmark_tlog::checkpoint::{Checkpoint, verify_note};
use touchmark_tlog::entry::rekor_v1::{
    ApiConsistencyProof, DsseV001, HashedRekordV001, IntotoV002, LogInfo, MAX_BODY_SIGNATURES, MAX_SHARDS,
    PemVerifier, parse_answer, promise_payload,
};
use touchmark_tlog::entry::{CreateEntryRequest, EntryBody, HashedRekordV002, LogEntry, MAX_PROOF_HASHES};
use touchmark_tlog::merkle::leaf_hash;
use touchmark_tlog::note::{Note, VerifierKey};
use touchmark_tlog::tlog_proof::TlogProof;
use touchmark_tlog::witness_policy::WitnessPolicy;

use super::good::{ORIGIN, good};

/// A signed note, its text as a checkpoint, a note key as text, a witness policy and a log proof.
pub fn checkpoint(input: &[u8]) {
    witness_policy(input);
    tlog_proof(input);
    if let Ok(text) = std::str::from_utf8(input) {
        if let Ok(key) = text.parse::<VerifierKey>() {
            assert_eq!(key.to_string(), text, "a key has one spelling");
            assert_eq!(key.hint(), key.log_id().as_bytes()[..4]);
        }
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.encode(), text, "a checkpoint has one spelling");
        }
    }
    let Ok(note) = Note::parse(input) else { return };
    assert_eq!(note.encode().as_bytes(), input, "a note has one spelling");
    if let Ok(checkpoint) = Checkpoint::parse(note.text()) {
        assert_eq!(checkpoint.encode(), note.text());
    }
    let key = good().log_key();
    if note.verify(&[&key]).is_ok() {
        let signed = good().signed_texts();
        assert!(
            signed.iter().any(|text| text == note.text()),
            "a text that nobody signed"
        );
        let verified = verify_note(input, ORIGIN, &key).expect("every signed text is a checkpoint");
        assert_eq!(verified.checkpoint().encode(), note.text());
    }
    verify_note(input, "other.example/log", &key).expect_err("no note of another log");
}

fn witness_policy(input: &[u8]) {
    let policy = match (WitnessPolicy::parse(input), WitnessPolicy::parse(input)) {
        (Ok(policy), Ok(again)) => {
            assert_eq!(policy.witnesses(), again.witnesses(), "one answer to one input");
            policy
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.code(), again.code(), "one answer to one input");
            return;
        }
        _ => panic!("two answers to one input"),
    };
    assert!(!policy.quorum_name().is_empty());
    // Nobody cosigned the good checkpoint: a quorum is there only where none is asked for.
    let note = good().checkpoint(1);
    let checkpoint = verify_note(note.as_bytes(), ORIGIN, &good().log_key()).expect("a good checkpoint");
    let witnessed = policy.evaluate(&checkpoint).expect("no line of a witness");
    assert!(witnessed.cosigners.is_empty());
    assert_eq!(witnessed.quorum, !policy.asks_for_witnesses());
}

fn tlog_proof(input: &[u8]) {
    let Ok(proof) = TlogProof::parse(input) else {
        return;
    };
    assert_eq!(proof.encode().as_bytes(), input, "a log proof has one spelling");
    assert!(proof.hashes.len() <= MAX_PROOF_HASHES);
    let key = good().log_key();
    if let Ok(checkpoint) = verify_note(proof.checkpoint.as_bytes(), ORIGIN, &key)
        && let Some(body) = &proof.extra
        && proof.verify(&leaf_hash(body), &checkpoint).is_ok()
    {
        let logged = good()
            .bundles
            .iter()
            .map(|bundle| &bundle.tlog_entries[0].canonicalized_body);
        assert!(
            logged.into_iter().any(|known| known == body),
            "an entry that nobody logged"
        );
    }
}

/// Entries, bodies and requests of Rekor v2.
pub fn entry_v2(input: &[u8]) {
    if let Ok(body) = HashedRekordV002::parse_canonical(input) {
        assert_eq!(body.canonical_body(), input, "a body has one spelling");
        assert_eq!(body.leaf_hash(), leaf_hash(input));
        assert_eq!(body.digest.len(), body.hash.digest_len());
    }
    if let Ok(request) = CreateEntryRequest::parse(input) {
        let again = CreateEntryRequest::parse(&request.encode()).expect("what is written can be read");
        assert_eq!(again, request);
        if let Ok(body) = request.to_entry() {
            let canonical = body.canonical_body();
            let read = HashedRekordV002::parse_canonical(&canonical).expect("a canonical body");
            assert_eq!(read, body);
        }
    }
    entry(input);
}

fn entry(input: &[u8]) {
    let Ok(entry) = LogEntry::parse(input) else { return };
    let again = LogEntry::parse(&entry.encode()).expect("what is written can be read");
    assert_eq!(again, entry);
    if let Some(proof) = &entry.inclusion_proof {
        assert!(proof.hashes.len() <= MAX_PROOF_HASHES);
    }
    if let Ok(body) = EntryBody::of(&entry) {
        assert_eq!(body.kind(), entry.kind);
        assert!((1..=MAX_BODY_SIGNATURES).contains(&body.verifiers().len()));
    }
    promise_payload(&entry);
}

/// Entries, bodies and answers of Rekor v1.
pub fn entry_v1(input: &[u8]) {
    if let Ok(body) = HashedRekordV001::parse_canonical(input) {
        assert_eq!(body.canonical_body(), input, "a body has one spelling");
        assert_eq!(body.digest.digest.len(), body.digest.algorithm.digest_len());
    }
    if let Ok(body) = DsseV001::parse_canonical(input) {
        assert_eq!(body.canonical_body(), input, "a body has one spelling");
        assert!((1..=MAX_BODY_SIGNATURES).contains(&body.signatures.len()));
    }
    if let Ok(body) = IntotoV002::parse_canonical(input) {
        assert_eq!(
            IntotoV002::parse_canonical(input).expect("one answer to one input"),
            body
        );
        assert!((1..=MAX_BODY_SIGNATURES).contains(&body.signatures.len()));
    }
    if let Ok(verifier) = PemVerifier::parse(input) {
        assert_eq!(verifier.pem(), input, "the logged text is kept");
        let written = PemVerifier::new(verifier.material().clone());
        let again = PemVerifier::parse(written.pem()).expect("what is written can be read");
        assert_eq!(again.material(), verifier.material());
    }
    if let Ok(answer) = parse_answer(input) {
        assert_eq!(answer.uuid.leaf, leaf_hash(&answer.entry.canonicalized_body));
        let again = LogEntry::parse(&answer.entry.encode()).expect("what is written can be read");
        assert_eq!(again, answer.entry);
    }
    if let Ok(info) = LogInfo::parse(input) {
        assert!(info.inactive.len() <= MAX_SHARDS);
    }
    let _ = ApiConsistencyProof::parse(input);
    entry(input);
}
