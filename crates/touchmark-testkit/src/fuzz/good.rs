//! The one good signer, log and bundles that fuzzing tries to turn into something else.

use std::sync::LazyLock;

use ed25519_dalek::Signer as _;
use touchmark_sign::{PrivateKey, Signer as _};
use touchmark_statement::statement::IN_TOTO_PAYLOAD_TYPE;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::checkpoint::Checkpoint;
use touchmark_tlog::entry::{
    EntryVerifier, HashAlgorithm, HashedRekordV002, InclusionProof, KeyDetails, KindVersion, LogEntry,
    VerifierMaterial,
};
use touchmark_tlog::merkle::{Hash, inclusion_path, leaf_hash, root_of};
use touchmark_tlog::note::{Note, SignatureLine, VerifierKey};
use touchmark_verify::bundle::{Bundle, Content, MediaType, VerificationMaterial};
use touchmark_verify::envelope::{Envelope, pae};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::key::KeyAlgorithm;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::{TrustedLog, TrustedRoot};
use touchmark_verify::verify::{VerifyOptions, verify};
use touchmark_verify::window::Window;

use crate::keys;

/// The log's origin.
pub const ORIGIN: &str = "fuzz.example/log";
/// The moment at which everything is judged.
const NOW: i64 = 1_790_000_000;

/// A signer, a log, what they made, and what a verifier is told about them.
#[derive(Debug)]
pub struct Good {
    /// The signer's key.
    pub signer: PrivateKey,
    /// The payloads that were signed.
    pub payloads: Vec<Vec<u8>>,
    /// One bundle for each.
    pub bundles: Vec<Bundle>,
    /// What the verifier trusts.
    pub root: TrustedRoot,
    /// Whom it expects.
    pub expected: ExpectedSigners,
    log: ed25519_dalek::SigningKey,
    leaves: Vec<Hash>,
}

/// Returns it; made once, the same in every run.
pub fn good() -> &'static Good {
    static GOOD: LazyLock<Good> = LazyLock::new(Good::mint);
    &GOOD
}

impl Good {
    fn mint() -> Self {
        let signer = keys::p256("fuzz signer");
        let log = ed25519_dalek::SigningKey::from_bytes(&[42; 32]);
        let payloads: Vec<Vec<u8>> = super::seeds::statements()
            .into_iter()
            .map(|seed| seed.bytes)
            .collect();
        let envelopes: Vec<Envelope> = payloads.iter().map(|payload| sign(&signer, payload)).collect();
        let bodies: Vec<Vec<u8>> = envelopes
            .iter()
            .map(|envelope| body(&signer, envelope).canonical_body())
            .collect();
        let mut ring = KeyRing::new();
        ring.allow(signer.public_key().fingerprint());
        let mut good = Self {
            leaves: bodies.iter().map(|body| leaf_hash(body)).collect(),
            root: TrustedRoot::from_logs(vec![trusted(&log)]).expect("one log"),
            expected: ring.into(),
            bundles: Vec::new(),
            payloads,
            signer,
            log,
        };
        good.bundles = envelopes
            .into_iter()
            .zip(bodies)
            .enumerate()
            .map(|(index, (envelope, body))| good.bundle(index, envelope, body))
            .collect();
        good
    }

    /// Returns the log's key.
    pub fn log_key(&self) -> VerifierKey {
        log_key(&self.log)
    }

    /// Returns a signed checkpoint of the tree with so many leaves.
    pub fn checkpoint(&self, size: usize) -> String {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: size as u64,
            root: root_of(&self.leaves[..size]),
            extensions: Vec::new(),
        };
        self.note(&checkpoint.encode())
    }

    /// Returns the texts of every checkpoint that the log signs.
    pub fn signed_texts(&self) -> Vec<String> {
        let text = |size| {
            let note = self.checkpoint(size);
            note.split_once("\n\n")
                .map(|(text, _)| format!("{text}\n"))
                .expect("a note")
        };
        (1..=self.leaves.len()).map(text).collect()
    }

    fn note(&self, text: &str) -> String {
        let line = SignatureLine::new(
            &self.log_key(),
            self.log.sign(text.as_bytes()).to_bytes().to_vec(),
        );
        Note::new(text.to_owned(), vec![line]).expect("a text").encode()
    }

    fn bundle(&self, index: usize, envelope: Envelope, body: Vec<u8>) -> Bundle {
        let proof = InclusionProof {
            log_index: index as u64,
            root_hash: root_of(&self.leaves),
            tree_size: self.leaves.len() as u64,
            hashes: inclusion_path(&self.leaves, index).expect("a leaf of the tree"),
            checkpoint: Some(self.checkpoint(self.leaves.len())),
        };
        let entry = LogEntry {
            log_index: index as u64,
            log_id: self.log_key().log_id(),
            kind: KindVersion::hashedrekord_v002(),
            integrated_time: None,
            inclusion_promise: None,
            inclusion_proof: Some(proof),
            canonicalized_body: body,
        };
        Bundle {
            media_type: MediaType::V03,
            material: VerificationMaterial::PublicKey {
                hint: envelope.keyid.clone(),
            },
            tlog_entries: vec![entry],
            timestamps: Vec::new(),
            content: Content::Envelope(envelope),
        }
    }

    /// Panics if the bundle is verified for a payload that the good signer did not sign.
    pub fn refuse_other_payloads(&self, bundle: &Bundle) -> bool {
        let options = VerifyOptions::new(at(NOW));
        let Ok(verified) = verify(bundle, &self.expected, &self.root, &options) else {
            return false;
        };
        assert!(
            self.payloads
                .iter()
                .any(|payload| payload == verified.signed().raw()),
            "verified a payload that nobody signed"
        );
        true
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).expect("a time")
}

fn log_key(log: &ed25519_dalek::SigningKey) -> VerifierKey {
    VerifierKey::ed25519(ORIGIN, log.verifying_key().as_bytes()).expect("a key")
}

fn trusted(log: &ed25519_dalek::SigningKey) -> TrustedLog {
    let key = log_key(log);
    TrustedLog {
        origin: ORIGIN.to_owned(),
        log_id: key.log_id(),
        key,
        valid_for: Window {
            start: at(NOW - 1000),
            end: None,
        },
        operator: Some("fuzz.example".to_owned()),
    }
}

fn sign(signer: &PrivateKey, payload: &[u8]) -> Envelope {
    let signed = pae(IN_TOTO_PAYLOAD_TYPE, payload);
    Envelope {
        payload_type: IN_TOTO_PAYLOAD_TYPE.to_owned(),
        payload: payload.to_vec(),
        keyid: signer.public_key().fingerprint().to_string(),
        signature: signer.sign(&signed).expect("a signature"),
    }
}

/// Returns the log body that is about this envelope.
pub(super) fn body(signer: &PrivateKey, envelope: &Envelope) -> HashedRekordV002 {
    HashedRekordV002 {
        hash: HashAlgorithm::Sha256,
        digest: KeyAlgorithm::EcdsaP256Sha256
            .digest(&envelope.pae())
            .expect("prehashed"),
        signature: envelope.signature.clone(),
        verifier: EntryVerifier {
            key_details: KeyDetails::EcdsaP256Sha256,
            material: VerifierMaterial::PublicKey(signer.public_key().spki_der().to_vec()),
        },
    }
}
