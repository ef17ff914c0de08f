//! Mints one good piece of evidence: keys, a log in memory, statements, bundles. Tests break one thing in it.

use std::collections::BTreeMap;

use ed25519_dalek::Signer as _;
use serde_json::{Value, json};
use touchmark_statement::digest::Sha256Digest;
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
use touchmark_verify::key::{KeyAlgorithm, KeyFingerprint, PublicKey};
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::{TrustedLog, TrustedRoot};
use touchmark_verify::verified::VerifiedStatement;
use touchmark_verify::verify::{VerifyError, VerifyOptions, verify};
use touchmark_verify::window::Window;

/// The moment at which tests judge.
pub(crate) const NOW: i64 = 1_790_000_000;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

/// A P-256 key of a test.
pub(crate) struct Signer {
    key: p256::ecdsa::SigningKey,
}

impl Signer {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            key: p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap(),
        }
    }

    pub(crate) fn public(&self) -> PublicKey {
        let point = self.key.verifying_key().to_sec1_point(false);
        PublicKey::from_raw(KeyAlgorithm::EcdsaP256Sha256, point.as_bytes()).unwrap()
    }

    pub(crate) fn fingerprint(&self) -> KeyFingerprint {
        self.public().fingerprint()
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    /// Returns r and s of the signature, without the DER around them.
    pub(crate) fn sign_raw(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.key.sign(message);
        signature.to_bytes().to_vec()
    }

    /// Returns the other valid signature: r and n - s.
    pub(crate) fn twin(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.key.sign(message);
        let (r, s) = signature.split_scalars();
        let twin = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
        twin.to_der().as_bytes().to_vec()
    }

    pub(crate) fn envelope(&self, payload: &[u8]) -> Envelope {
        Envelope {
            payload_type: IN_TOTO_PAYLOAD_TYPE.to_owned(),
            payload: payload.to_vec(),
            keyid: self.fingerprint().to_string(),
            signature: self.sign_bytes(&pae(IN_TOTO_PAYLOAD_TYPE, payload)),
        }
    }

    /// Returns the log body that is about this envelope.
    pub(crate) fn body(&self, envelope: &Envelope) -> HashedRekordV002 {
        HashedRekordV002 {
            hash: HashAlgorithm::Sha256,
            digest: KeyAlgorithm::EcdsaP256Sha256.digest(&envelope.pae()).unwrap(),
            signature: envelope.signature.clone(),
            verifier: EntryVerifier {
                key_details: KeyDetails::EcdsaP256Sha256,
                material: VerifierMaterial::PublicKey(self.public().spki_der().to_vec()),
            },
        }
    }
}

/// A transparency log in memory.
pub(crate) struct Log {
    pub(crate) origin: String,
    pub(crate) operator: Option<String>,
    key: ed25519_dalek::SigningKey,
    bodies: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
}

impl Log {
    pub(crate) fn new(origin: &str, seed: u8) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let mut log = Self {
            origin: origin.to_owned(),
            operator: None,
            key,
            bodies: Vec::new(),
            leaves: Vec::new(),
        };
        for filler in 0..5_u8 {
            log.add(vec![filler; 10]);
        }
        log
    }

    pub(crate) fn verifier_key(&self) -> VerifierKey {
        VerifierKey::ed25519(&self.origin, self.key.verifying_key().as_bytes()).unwrap()
    }

    pub(crate) fn trusted(&self) -> TrustedLog {
        let key = self.verifier_key();
        TrustedLog {
            origin: self.origin.clone(),
            log_id: key.log_id(),
            key,
            valid_for: Window {
                start: at(NOW - 1000),
                end: None,
            },
            operator: self.operator.clone(),
        }
    }

    pub(crate) fn add(&mut self, body: Vec<u8>) -> usize {
        self.leaves.push(leaf_hash(&body));
        self.bodies.push(body);
        self.leaves.len() - 1
    }

    pub(crate) fn sign_note(&self, text: &str) -> SignatureLine {
        SignatureLine::new(
            &self.verifier_key(),
            self.key.sign(text.as_bytes()).to_bytes().to_vec(),
        )
    }

    pub(crate) fn note(&self, text: &str) -> String {
        Note::new(text.to_owned(), vec![self.sign_note(text)])
            .unwrap()
            .encode()
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: self.origin.clone(),
            size: self.leaves.len() as u64,
            root: root_of(&self.leaves),
            extensions: Vec::new(),
        }
    }

    pub(crate) fn entry(&self, index: usize) -> LogEntry {
        let checkpoint = self.checkpoint();
        LogEntry {
            log_index: index as u64,
            log_id: self.verifier_key().log_id(),
            kind: KindVersion::hashedrekord_v002(),
            integrated_time: None,
            inclusion_promise: None,
            inclusion_proof: Some(InclusionProof {
                log_index: index as u64,
                root_hash: checkpoint.root,
                tree_size: checkpoint.size,
                hashes: inclusion_path(&self.leaves, index).unwrap(),
                checkpoint: Some(self.note(&checkpoint.encode())),
            }),
            canonicalized_body: self.bodies[index].clone(),
        }
    }
}

/// One good case: a signer, its log, and everything a verifier is told.
pub(crate) struct World {
    pub(crate) signer: Signer,
    pub(crate) log: Log,
    pub(crate) ring: KeyRing,
    pub(crate) options: VerifyOptions,
}

impl World {
    pub(crate) fn new() -> Self {
        let signer = Signer::new(7);
        let mut ring = KeyRing::new();
        ring.allow(signer.fingerprint());
        let log = Log::new("log.example/test", 9);
        Self {
            signer,
            log,
            ring,
            options: VerifyOptions::new(at(NOW)),
        }
    }

    pub(crate) fn root(&self) -> TrustedRoot {
        TrustedRoot::from_logs(vec![self.log.trusted()]).unwrap()
    }

    /// Signs and logs a payload.
    pub(crate) fn bundle(&mut self, payload: &[u8]) -> Bundle {
        let envelope = self.signer.envelope(payload);
        self.bundle_of(envelope)
    }

    /// Logs an envelope.
    pub(crate) fn bundle_of(&mut self, envelope: Envelope) -> Bundle {
        let body = self.signer.body(&envelope).canonical_body();
        self.bundle_with_body(envelope, body)
    }

    /// Logs a body beside an envelope.
    pub(crate) fn bundle_with_body(&mut self, envelope: Envelope, body: Vec<u8>) -> Bundle {
        let index = self.log.add(body);
        Bundle {
            media_type: MediaType::V03,
            material: VerificationMaterial::PublicKey {
                hint: self.signer.fingerprint().to_string(),
            },
            tlog_entries: vec![self.log.entry(index)],
            timestamps: Vec::new(),
            content: Content::Envelope(envelope),
        }
    }

    pub(crate) fn good(&mut self) -> Bundle {
        self.bundle(&statement())
    }

    pub(crate) fn verify(&self, bundle: &Bundle) -> Result<VerifiedStatement, VerifyError> {
        verify(bundle, &self.ring.clone().into(), &self.root(), &self.options)
    }

    /// Returns the code with which the bundle is refused, or `ok`.
    pub(crate) fn code(&self, bundle: &Bundle) -> &'static str {
        self.verify(bundle).map_or_else(|error| error.code(), |_| "ok")
    }

    /// Signs and logs a statement, and verifies it.
    pub(crate) fn verified(&mut self, statement: &Value) -> VerifiedStatement {
        let bundle = self.bundle(&bytes(statement));
        self.verify(&bundle).unwrap()
    }
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// A good agent change about nothing in particular.
pub(crate) fn statement() -> Vec<u8> {
    bytes(&statement_value())
}

pub(crate) fn statement_value() -> Value {
    let (commit, tree) = ("c".repeat(40), "d".repeat(40));
    agent_change(&json!({
        "repository": {"uri": "https://github.com/acme/app"},
        "ref": "refs/heads/agent/fix",
        "base": {"gitCommit": "a".repeat(40), "gitTree": "b".repeat(40)},
        "proposed": {"gitCommit": commit, "gitTree": tree},
        "commits": [{"gitCommit": commit, "gitTree": tree, "parents": ["a".repeat(40)]}],
        "paths": [],
        "dirty": false,
    }))
}

/// A good agent change with this `change`, whose subjects have the digests of nothing.
pub(crate) fn agent_change(change: &Value) -> Value {
    let digests: BTreeMap<&str, String> = BTreeMap::new();
    agent_change_about(change, &digests)
}

/// A good agent change with this `change`; `sha256` gives the content digest of its commit and tree by id.
pub(crate) fn agent_change_about(change: &Value, sha256: &BTreeMap<&str, String>) -> Value {
    let mut subject = Vec::new();
    let proposed = &change["proposed"];
    let digest = |id: &str| sha256.get(id).cloned().unwrap_or_else(|| "e".repeat(64));
    if let Some(commit) = proposed["gitCommit"].as_str() {
        let name = format!("git+{}", change["repository"]["uri"].as_str().unwrap_or_default());
        subject.push(json!({"name": name, "digest": {"gitCommit": commit, "sha256": digest(commit)}}));
    }
    let tree = proposed["gitTree"].as_str().unwrap();
    subject.push(json!({"name": "tree", "digest": {"gitTree": tree, "sha256": digest(tree)}}));
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": "https://touchmark.dev/agent-change/v1",
        "predicate": {
            "agent": {"id": "payments-fixer", "product": {"name": "claude-code", "version": "2.1.42"}},
            "models": [{"provider": "anthropic", "id": "claude-x", "steps": 3, "role": "primary"}],
            "change": change,
            // A session of its own for each change.
            "run": {"chain": Sha256Digest::of(&bytes(change)).to_string()[..32], "sequence": 0},
            "capture": {
                "tool": {"name": "touchmark", "version": "0.1.0"},
                "importer": {"name": "claude-code", "version": "1"},
                "sources": {},
            },
        },
    })
}
