//! What the Rekor v1 API answers about an entry, strictly read, and as a [`LogEntry`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use touchmark_statement::strict_json;

use super::stated_kind;
use crate::checkpoint::Checkpoint;
use crate::encoding::{hex_decode, hex_encode};
use crate::entry::{EntryError, InclusionProof, LogEntry, MAX_PROOF_HASHES, RULES, bytes};
use crate::merkle::{Hash, leaf_hash};
use crate::note::Note;

/// The name of an entry in Rekor v1: the tree (shard) it lies in, if that is told, and the hash of its leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryUuid {
    /// The tree, where the name tells it.
    pub tree_id: Option<u64>,
    /// The hash of the leaf.
    pub leaf: Hash,
}

impl FromStr for EntryUuid {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        let malformed = || EntryError::Uuid {
            found: text.chars().take(100).collect(),
        };
        let (tree, leaf) = match text.len() {
            64 => (None, text),
            80 if text.is_char_boundary(16) => (Some(&text[..16]), &text[16..]),
            _ => return Err(malformed()),
        };
        let tree_id = match tree.map(hex_decode) {
            None => None,
            Some(bytes) => {
                let bytes = bytes.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
                Some(u64::from_be_bytes(bytes.ok_or_else(malformed)?))
            }
        };
        let leaf = leaf.parse().map_err(|_| malformed())?;
        Ok(Self { tree_id, leaf })
    }
}

impl fmt::Display for EntryUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tree_id) = self.tree_id {
            write!(f, "{tree_id:016x}")?;
        }
        write!(f, "{}", self.leaf)
    }
}

/// An entry as the API of Rekor v1 answers with it. Nothing of it is verified but that its name is that of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiEntry {
    /// The name of the entry.
    pub uuid: EntryUuid,
    /// The entry as bundles carry it.
    pub entry: LogEntry,
}

/// Parses `{uuid: {body, integratedTime, logID, logIndex, verification}}` with exactly one entry.
///
/// The name must be that of the body, and where both the name and the checkpoint tell a tree, the same one.
/// An `attestation` beside the entry is nobody's and left out.
pub fn parse_answer(json: &[u8]) -> Result<ApiEntry, EntryError> {
    let entries: BTreeMap<String, AnswerWire> = strict_json::from_slice(json, &RULES)?;
    let found = entries.len();
    let mut entries = entries.into_iter();
    let (Some((uuid, wire)), None) = (entries.next(), entries.next()) else {
        return Err(EntryError::AnswerCount { found });
    };
    let uuid: EntryUuid = uuid.parse()?;
    let entry = wire.into_entry()?;
    let leaf = leaf_hash(&entry.canonicalized_body);
    if uuid.leaf != leaf {
        return Err(EntryError::UuidMismatch {
            expected: leaf,
            found: uuid.leaf,
        });
    }
    let note = entry
        .inclusion_proof
        .as_ref()
        .and_then(|proof| proof.checkpoint.as_ref());
    if let (Some(named), Some(shown)) = (uuid.tree_id, note.and_then(|note| tree_of(note)))
        && named != shown
    {
        return Err(EntryError::UuidTree {
            expected: shown,
            found: named,
        });
    }
    Ok(ApiEntry { uuid, entry })
}

/// Returns the tree that the checkpoint's origin names, if it does.
fn tree_of(note: &str) -> Option<u64> {
    let note = Note::parse(note.as_bytes()).ok()?;
    Checkpoint::parse(note.text()).ok()?.rekor_v1_tree_id()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AnswerWire {
    body: String,
    integrated_time: u64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: u64,
    verification: VerificationWire,
    #[serde(default)]
    #[expect(dead_code, reason = "known, so that it is not refused; nobody signed it")]
    attestation: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct VerificationWire {
    #[serde(default)]
    inclusion_proof: Option<ProofWire>,
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProofWire {
    checkpoint: String,
    #[serde(default)]
    hashes: Vec<String>,
    log_index: u64,
    root_hash: String,
    tree_size: u64,
}

impl AnswerWire {
    fn into_entry(self) -> Result<LogEntry, EntryError> {
        let canonicalized_body = bytes("body", &self.body)?;
        Ok(LogEntry {
            log_index: self.log_index,
            log_id: hex_hash("logID", &self.log_id)?,
            kind: stated_kind(&canonicalized_body)?,
            integrated_time: Some(self.integrated_time),
            inclusion_promise: Some(bytes(
                "signedEntryTimestamp",
                &self.verification.signed_entry_timestamp,
            )?),
            inclusion_proof: self
                .verification
                .inclusion_proof
                .map(InclusionProof::try_from)
                .transpose()?,
            canonicalized_body,
        })
    }
}

impl TryFrom<ProofWire> for InclusionProof {
    type Error = EntryError;

    fn try_from(wire: ProofWire) -> Result<Self, EntryError> {
        Ok(Self {
            log_index: wire.log_index,
            root_hash: hex_hash("rootHash", &wire.root_hash)?,
            tree_size: wire.tree_size,
            hashes: hex_hashes(&wire.hashes)?,
            checkpoint: Some(wire.checkpoint),
        })
    }
}

pub(super) fn hex_hash(field: &'static str, text: &str) -> Result<Hash, EntryError> {
    text.parse().map_err(|_| EntryError::Bytes { field })
}

pub(super) fn hex_hashes(hashes: &[String]) -> Result<Vec<Hash>, EntryError> {
    if hashes.len() > MAX_PROOF_HASHES {
        return Err(EntryError::ProofHashes { found: hashes.len() });
    }
    hashes.iter().map(|text| hex_hash("hashes", text)).collect()
}

impl ApiEntry {
    /// Encodes the entry as the API would answer with it; for logs that speak the protocol, and for tests.
    pub fn encode(&self) -> Vec<u8> {
        use crate::encoding::base64_encode;
        let LogEntry {
            log_index,
            log_id,
            integrated_time,
            inclusion_promise,
            inclusion_proof,
            canonicalized_body,
            ..
        } = &self.entry;
        let mut verification = serde_json::Map::new();
        if let Some(proof) = inclusion_proof {
            let hashes: Vec<String> = proof
                .hashes
                .iter()
                .map(|hash| hex_encode(hash.as_bytes()))
                .collect();
            let proof = serde_json::json!({
                "checkpoint": proof.checkpoint.clone().unwrap_or_default(),
                "hashes": hashes,
                "logIndex": proof.log_index,
                "rootHash": proof.root_hash.to_string(),
                "treeSize": proof.tree_size,
            });
            verification.insert("inclusionProof".to_owned(), proof);
        }
        let promise = base64_encode(inclusion_promise.as_deref().unwrap_or_default());
        verification.insert("signedEntryTimestamp".to_owned(), promise.into());
        let answer = serde_json::json!({
            "body": base64_encode(canonicalized_body),
            "integratedTime": integrated_time.unwrap_or_default(),
            "logID": log_id.to_string(),
            "logIndex": log_index,
            "verification": verification,
        });
        let entries = serde_json::Map::from_iter([(self.uuid.to_string(), answer)]);
        serde_json::to_vec(&entries).expect("an answer consists of text and numbers")
    }
}
