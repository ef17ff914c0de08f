//! A Rekor v1 log: `hashedrekord` 0.0.1, `dsse` 0.0.1 and `intoto` 0.0.2 entries, inclusion promises, integrated times.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::canonical;
use super::keys::{Hash, Key, Scheme};
use super::rekor_v2::Verifier;
use super::tree::{Tree, checkpoint_text, signature_line};

/// A Rekor v1 log.
#[derive(Clone, Debug)]
pub struct RekorV1 {
    /// Its host, which signs its checkpoints.
    pub host: String,
    /// The number of its tree, which its checkpoints' origin ends with.
    pub tree_id: u64,
    /// Its key, P-256.
    pub key: Key,
    /// How many entries older trees hold: the global index of the first entry here.
    pub offset: u64,
    /// Its entries.
    pub tree: Tree,
    /// The time at which each entry was integrated.
    pub times: Vec<i64>,
}

/// Returns the body of a `hashedrekord` 0.0.1 entry.
pub fn hashedrekord_body(scheme: Scheme, digest: &[u8], signature: &[u8], verifier: &Verifier) -> Vec<u8> {
    let body = json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": scheme.hash().rekor_name(), "value": hex(digest)}},
            "signature": {
                "content": STANDARD.encode(signature),
                "publicKey": {"content": STANDARD.encode(verifier.pem())},
            },
        },
    });
    canonical(&body)
}

/// Returns the body of a `dsse` 0.0.1 entry for an envelope that was submitted as this text.
pub fn dsse_body(submitted: &str, payload: &[u8], signature: &[u8], verifier: &Verifier) -> Vec<u8> {
    let sha256 = |bytes: &[u8]| json!({"algorithm": "sha256", "value": hex(&Hash::Sha256.of(bytes))});
    let body = json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": sha256(submitted.as_bytes()),
            "payloadHash": sha256(payload),
            "signatures": [{
                "signature": STANDARD.encode(signature),
                "verifier": STANDARD.encode(verifier.pem()),
            }],
        },
    });
    canonical(&body)
}

/// Returns the body of an `intoto` 0.0.2 entry.
pub fn intoto_body(
    submitted: &str,
    payload_type: &str,
    payload: &[u8],
    signature: &[u8],
    verifier: &Verifier,
) -> Vec<u8> {
    let sha256 = |bytes: &[u8]| json!({"algorithm": "sha256", "value": hex(&Hash::Sha256.of(bytes))});
    let body = json!({
        "apiVersion": "0.0.2",
        "kind": "intoto",
        "spec": {"content": {
            "envelope": {
                "payloadType": payload_type,
                "signatures": [{
                    "publicKey": STANDARD.encode(verifier.pem()),
                    // The signature's base64 is encoded once more.
                    "sig": STANDARD.encode(STANDARD.encode(signature)),
                }],
            },
            "hash": sha256(submitted.as_bytes()),
            "payloadHash": sha256(payload),
        }},
    });
    canonical(&body)
}

impl RekorV1 {
    /// Returns the origin of its checkpoints.
    pub fn origin(&self) -> String {
        format!("{} - {}", self.host, self.tree_id)
    }

    /// Appends an entry and returns it as bundles carry it.
    pub fn add(&mut self, body: Vec<u8>, at: i64) -> Value {
        let index = self.push(body, at);
        self.entry(index, self.tree.size())
    }

    /// Appends an entry and returns its index in the tree.
    pub fn push(&mut self, body: Vec<u8>, at: i64) -> usize {
        self.times.push(at);
        self.tree.append(body)
    }

    /// Returns an entry as bundles carry it, proven in the tree of `size` entries.
    pub fn entry(&self, index: usize, size: usize) -> Value {
        let body = self.tree.entry(index).expect("it was appended");
        let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
        let hashes: Vec<String> = self
            .tree
            .inclusion(index, size)
            .iter()
            .map(touchmark_tlog::merkle::Hash::to_base64)
            .collect();
        json!({
            "logIndex": self.global_index(index).to_string(),
            "logId": {"keyId": STANDARD.encode(self.key.spki_digest())},
            "kindVersion": {"kind": parsed["kind"], "version": parsed["apiVersion"]},
            "integratedTime": self.times[index].to_string(),
            "inclusionPromise": {"signedEntryTimestamp": STANDARD.encode(self.promise(index))},
            "inclusionProof": {
                "logIndex": index.to_string(),
                "rootHash": self.tree.root(size).to_base64(),
                "treeSize": size.to_string(),
                "hashes": hashes,
                "checkpoint": {"envelope": self.checkpoint(size)},
            },
            "canonicalizedBody": STANDARD.encode(body),
        })
    }

    /// Returns an entry as the log's own API answers, under its uuid.
    pub fn api_entry(&self, index: usize) -> Value {
        let size = self.tree.size();
        let hashes: Vec<String> = self
            .tree
            .inclusion(index, size)
            .iter()
            .map(|hash| hex(hash.as_bytes()))
            .collect();
        let mut answer = json!({});
        answer[self.uuid(index)] = json!({
            "body": STANDARD.encode(self.tree.entry(index).expect("it was appended")),
            "integratedTime": self.times[index],
            "logID": hex(&self.key.spki_digest()),
            "logIndex": self.global_index(index),
            "verification": {
                "inclusionProof": {
                    "checkpoint": self.checkpoint(size),
                    "hashes": hashes,
                    "logIndex": index,
                    "rootHash": hex(self.tree.root(size).as_bytes()),
                    "treeSize": size,
                },
                "signedEntryTimestamp": STANDARD.encode(self.promise(index)),
            },
        });
        answer
    }

    /// Returns an entry's uuid: the tree's number and the leaf's hash.
    pub fn uuid(&self, index: usize) -> String {
        format!(
            "{:016x}{}",
            self.tree_id,
            hex(self.tree.leaves()[index].as_bytes())
        )
    }

    /// Returns an entry's index over all trees of the log.
    pub fn global_index(&self, index: usize) -> u64 {
        self.offset + index as u64
    }

    /// Returns the inclusion promise (SET) of an entry.
    pub fn promise(&self, index: usize) -> Vec<u8> {
        let body = self.tree.entry(index).expect("it was appended");
        self.sign_promise(body, self.times[index], self.global_index(index))
    }

    /// Signs an inclusion promise over these values.
    pub fn sign_promise(&self, body: &[u8], time: i64, index: u64) -> Vec<u8> {
        let signed = json!({
            "body": STANDARD.encode(body),
            "integratedTime": time,
            "logID": hex(&self.key.spki_digest()),
            "logIndex": index,
        });
        self.key.sign(&canonical(&signed))
    }

    /// Returns the signed checkpoint over the first `size` entries.
    pub fn checkpoint(&self, size: usize) -> String {
        self.sign_note(&checkpoint_text(&self.origin(), size, &self.tree.root(size)))
    }

    /// Signs a text as a checkpoint, whatever it says.
    pub fn sign_note(&self, text: &str) -> String {
        let id = self.key.spki_digest();
        let line = signature_line(
            &self.host,
            [id[0], id[1], id[2], id[3]],
            &self.key.sign(text.as_bytes()),
        );
        format!("{text}\n{line}")
    }
}

/// Encodes bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
