//! A Rekor v2 log: `hashedrekord` 0.0.2 entries, C2SP checkpoints, tiles.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use touchmark_tlog::tile::{TileKind, TilePath, append_entry, encode_hashes};

use super::canonical;
use super::keys::{Key, Scheme};
use super::tree::{Tree, Witness, checkpoint_text, note_key_id, signature_line};

/// A Rekor v2 log.
#[derive(Clone, Debug)]
pub struct RekorV2 {
    /// The first line of its checkpoints.
    pub origin: String,
    /// Its key.
    pub key: Key,
    /// Who cosigns its checkpoints.
    pub witnesses: Vec<Witness>,
    /// Its entries.
    pub tree: Tree,
}

/// What an entry is about and who signed it.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The digest that was signed.
    pub digest: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The scheme of the key.
    pub scheme: Scheme,
    /// The certificate, DER, or the public key, DER.
    pub verifier: Verifier,
}

/// By what a log entry names its signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verifier {
    /// A certificate, DER.
    Certificate(Vec<u8>),
    /// A public key, DER.
    PublicKey(Vec<u8>),
}

impl Verifier {
    /// Returns the PEM form.
    pub fn pem(&self) -> String {
        match self {
            Self::Certificate(der) => super::keys::pem("CERTIFICATE", der),
            Self::PublicKey(der) => super::keys::pem("PUBLIC KEY", der),
        }
    }

    fn json(&self) -> (&'static str, Value) {
        match self {
            Self::Certificate(der) => ("x509Certificate", json!({"rawBytes": STANDARD.encode(der)})),
            Self::PublicKey(der) => ("publicKey", json!({"rawBytes": STANDARD.encode(der)})),
        }
    }
}

impl Submission {
    /// Returns the body that the log keeps. The keys of a JSON object are sorted here, as in its canonical form.
    pub fn body(&self) -> Vec<u8> {
        let (kind, raw) = self.verifier.json();
        let mut verifier = json!({"keyDetails": self.scheme.key_details()});
        verifier[kind] = raw;
        let body = json!({
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": {"hashedRekordV002": {
                "data": {
                    "algorithm": self.scheme.hash().protobuf_name(),
                    "digest": STANDARD.encode(&self.digest),
                },
                "signature": {"content": STANDARD.encode(&self.signature), "verifier": verifier},
            }},
        });
        canonical(&body)
    }
}

impl RekorV2 {
    /// Returns the log's whole id: of its name and key where the key is Ed25519, of the key alone otherwise.
    pub fn log_id(&self) -> [u8; 32] {
        match self.key.raw_ed25519() {
            Some(raw) => note_key_id(&self.origin, 1, &raw),
            None => self.key.spki_digest(),
        }
    }

    /// Appends an entry and returns it as bundles carry it.
    pub fn add(&mut self, body: Vec<u8>, at: i64) -> Value {
        let index = self.tree.append(body);
        self.entry(index, self.tree.size(), at)
    }

    /// Returns an entry as bundles carry it, proven in the tree of `size` entries.
    pub fn entry(&self, index: usize, size: usize, at: i64) -> Value {
        let hashes: Vec<String> = self
            .tree
            .inclusion(index, size)
            .iter()
            .map(touchmark_tlog::merkle::Hash::to_base64)
            .collect();
        json!({
            "logIndex": index.to_string(),
            "logId": {"keyId": STANDARD.encode(self.log_id())},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "inclusionProof": {
                "logIndex": index.to_string(),
                "rootHash": self.tree.root(size).to_base64(),
                "treeSize": size.to_string(),
                "hashes": hashes,
                "checkpoint": {"envelope": self.checkpoint(size, at)},
            },
            "canonicalizedBody": STANDARD.encode(self.tree.entry(index).expect("it was appended")),
        })
    }

    /// Returns the signed checkpoint over the first `size` entries.
    pub fn checkpoint(&self, size: usize, at: i64) -> String {
        let text = checkpoint_text(&self.origin, size, &self.tree.root(size));
        self.sign_note(&text, at)
    }

    /// Signs a text as a checkpoint, whatever it says.
    pub fn sign_note(&self, text: &str, at: i64) -> String {
        let cosignatures: String = self
            .witnesses
            .iter()
            .map(|witness| witness.cosign(text, at))
            .collect();
        format!("{text}\n{}{cosignatures}", self.signature_line(text))
    }

    /// Returns the log's own signature line over a text.
    pub fn signature_line(&self, text: &str) -> String {
        let id = self.log_id();
        signature_line(
            &self.origin,
            [id[0], id[1], id[2], id[3]],
            &self.key.sign(text.as_bytes()),
        )
    }

    /// Returns a tile of hashes or of entries, where the path names one that is there.
    pub fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        let width = usize::from(path.width());
        let first = usize::try_from(path.index()).ok()?.checked_mul(256)?;
        match path.kind() {
            TileKind::Entries => {
                let mut bundle = Vec::new();
                for index in first..first.checked_add(width)? {
                    append_entry(&mut bundle, self.tree.entry(index)?).ok()?;
                }
                Some(bundle)
            }
            TileKind::Hashes { level } => {
                let span = 256_usize.checked_pow(u32::from(level))?;
                let mut hashes = Vec::new();
                for index in first..first.checked_add(width)? {
                    let leaves = self.tree.leaves().get(index * span..(index + 1) * span)?;
                    hashes.push(touchmark_tlog::merkle::root_of(leaves));
                }
                Some(encode_hashes(&hashes))
            }
        }
    }
}
