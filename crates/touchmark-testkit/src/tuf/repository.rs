//! Mints TUF repositories, good ones and singly broken ones.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::strict_json;
use touchmark_statement::timestamp::Timestamp;

/// The moment of the tests.
pub const NOW: i64 = 1_790_000_000;
/// A day, in seconds.
pub const DAY: i64 = 86_400;

/// Returns the time of these Unix seconds.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).expect("a good value")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of this number.
pub fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// Returns the name that metadata gives a key.
pub fn key_id(key: &SigningKey) -> String {
    Sha256Digest::of(key.verifying_key().as_bytes()).to_string()
}

fn key_json(key: &SigningKey) -> Value {
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": hex(key.verifying_key().as_bytes())}})
}

/// Signs a role's metadata.
pub fn signed(signed: &Value, signers: &[SigningKey]) -> Vec<u8> {
    let bytes = strict_json::canonical(signed).expect("a good value");
    let signatures: Vec<Value> = signers
        .iter()
        .map(|key| json!({"keyid": key_id(key), "sig": hex(&key.sign(&bytes).to_bytes())}))
        .collect();
    json!({"signed": signed, "signatures": signatures})
        .to_string()
        .into_bytes()
}

/// A repository, and what it would publish next.
#[derive(Debug, Clone)]
pub struct Repository {
    /// What is served, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The keys of the root, two of which must sign.
    pub root_keys: Vec<SigningKey>,
    /// The key of the other roles.
    pub online: SigningKey,
    /// The version of the root.
    pub root_version: u64,
    /// The version of the timestamp.
    pub timestamp_version: u64,
    /// The version of the snapshot.
    pub snapshot_version: u64,
    /// The version of the list of targets.
    pub targets_version: u64,
    /// When the root expires.
    pub root_expires: i64,
    /// When the other roles expire.
    pub expires: i64,
    /// The targets by path.
    pub targets: BTreeMap<String, Vec<u8>>,
    /// A delegated role that lists one target, at this version.
    pub delegated: Option<u64>,
}

impl Default for Repository {
    fn default() -> Self {
        Self::new()
    }
}

impl Repository {
    /// Returns a good repository: two root keys, one online key, a trusted root and a signing config.
    pub fn new() -> Self {
        let mut repository = Self {
            files: BTreeMap::new(),
            root_keys: vec![key(1), key(2)],
            online: key(9),
            root_version: 1,
            timestamp_version: 1,
            snapshot_version: 1,
            targets_version: 1,
            root_expires: NOW + 300 * DAY,
            expires: NOW + 7 * DAY,
            targets: BTreeMap::from([
                (
                    "trusted_root.json".to_owned(),
                    trusted_root().to_string().into_bytes(),
                ),
                (
                    "signing_config.v0.2.json".to_owned(),
                    br#"{"mediaType":"x"}"#.to_vec(),
                ),
            ]),
            delegated: None,
        };
        repository.publish_root();
        repository.publish();
        repository
    }

    /// Returns the root as it stands.
    pub fn root(&self) -> Vec<u8> {
        self.files[&format!("{}.root.json", self.root_version)].clone()
    }

    /// Returns the root that would be signed.
    pub fn root_signed(&self) -> Value {
        let keys = self.root_keys.iter().chain([&self.online]);
        let keys: BTreeMap<String, Value> = keys.map(|key| (key_id(key), key_json(key))).collect();
        let root_ids: Vec<String> = self.root_keys.iter().map(key_id).collect();
        let online = json!({"keyids": [key_id(&self.online)], "threshold": 1});
        json!({
            "_type": "root", "spec_version": "1.0.31", "version": self.root_version,
            "expires": at(self.root_expires).to_string(), "consistent_snapshot": true, "keys": keys,
            "roles": {
                "root": {"keyids": root_ids, "threshold": 2},
                "timestamp": online, "snapshot": online, "targets": online
            }
        })
    }

    /// Publishes a root signed by its own keys and those of the version before.
    pub fn publish_root(&mut self) {
        let signers = self.root_keys.clone();
        self.publish_root_signed_by(&signers);
    }

    /// Publishes the root, signed by these keys.
    pub fn publish_root_signed_by(&mut self, signers: &[SigningKey]) {
        let root = signed(&self.root_signed(), signers);
        self.files
            .insert(format!("{}.root.json", self.root_version), root);
    }

    /// Publishes timestamp, snapshot and targets as they stand.
    pub fn publish(&mut self) {
        let targets = self.targets_signed();
        self.publish_targets(&targets);
    }

    /// Returns the list of targets that would be signed.
    pub fn targets_signed(&self) -> Value {
        let entry = |bytes: &Vec<u8>| json!({"length": bytes.len(), "hashes": {"sha256": Sha256Digest::of(bytes).to_string()}});
        let listed: BTreeMap<&String, Value> = self
            .targets
            .iter()
            .map(|(path, bytes)| (path, entry(bytes)))
            .collect();
        let mut targets = json!({
            "_type": "targets", "spec_version": "1.0.31", "version": self.targets_version,
            "expires": at(self.expires).to_string(), "targets": listed
        });
        if self.delegated.is_some() {
            targets["delegations"] = json!({
                "keys": {key_id(&key(5)): key_json(&key(5))},
                "roles": [{"name": "delegate", "keyids": [key_id(&key(5))], "threshold": 1, "terminating": false,
                           "paths": ["extra/*"]}]
            });
        }
        targets
    }

    /// Publishes these targets, and snapshot and timestamp over them.
    pub fn publish_targets(&mut self, targets: &Value) {
        let expires = at(self.expires).to_string();
        let online = [self.online.clone()];
        let mut meta = json!({"targets.json": {"version": targets["version"]}});
        if let Some(version) = self.delegated {
            let extra = b"extra".to_vec();
            let delegate = json!({
                "_type": "targets", "spec_version": "1.0.31", "version": version, "expires": expires,
                "targets": {"extra/file": {"length": extra.len(), "hashes": {"sha256": Sha256Digest::of(&extra).to_string()}}}
            });
            self.files
                .insert(format!("{version}.delegate.json"), signed(&delegate, &[key(5)]));
            let name = format!("targets/extra/{}.file", Sha256Digest::of(&extra));
            self.files.insert(name, extra);
            meta["delegate.json"] = json!({"version": version});
        }
        let snapshot = json!({
            "_type": "snapshot", "spec_version": "1.0.31", "version": self.snapshot_version, "expires": expires,
            "meta": meta
        });
        let timestamp = json!({
            "_type": "timestamp", "spec_version": "1.0.31", "version": self.timestamp_version, "expires": expires,
            "meta": {"snapshot.json": {"version": self.snapshot_version}}
        });
        let name = format!("{}.targets.json", targets["version"]);
        self.files.insert(name, signed(targets, &online));
        let name = format!("{}.snapshot.json", self.snapshot_version);
        self.files.insert(name, signed(&snapshot, &online));
        self.files
            .insert("timestamp.json".to_owned(), signed(&timestamp, &online));
        for (path, bytes) in &self.targets {
            let name = format!("targets/{}.{path}", Sha256Digest::of(bytes));
            self.files.insert(name, bytes.clone());
        }
    }

    /// Publishes everything again, each role one version further.
    pub fn advance(&mut self) {
        self.timestamp_version += 1;
        self.snapshot_version += 1;
        self.targets_version += 1;
        self.publish();
    }
}

/// A trusted root with one log.
pub fn trusted_root() -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [log(&key(77))], "certificateAuthorities": [], "ctlogs": [], "timestampAuthorities": []
    })
}

/// Returns a trusted root's entry for the log with this key.
pub fn log(key: &SigningKey) -> Value {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use touchmark_tlog::note::VerifierKey;
    let key = VerifierKey::ed25519("log.example", key.verifying_key().as_bytes()).expect("a good value");
    json!({
        "baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": STANDARD.encode(key.spki_der()), "keyDetails": "PKIX_ED25519",
                      "validFor": {"start": "2026-01-01T00:00:00Z"}},
        "logId": {"keyId": STANDARD.encode(key.log_id().as_bytes())}
    })
}
