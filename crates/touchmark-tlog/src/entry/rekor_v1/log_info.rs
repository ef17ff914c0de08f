//! What the Rekor v1 API says of a log and its shards, and its consistency proofs. Nothing of it is verified.

use serde::Deserialize;
use touchmark_statement::strict_json;

use super::answer::{hex_hash, hex_hashes};
use crate::entry::{EntryError, RULES};
use crate::merkle::Hash;

/// The most shards of a log that are read.
pub const MAX_SHARDS: usize = 64;

/// The answer of `GET /api/v1/log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInfo {
    /// The shard that takes entries now.
    pub active: ShardInfo,
    /// The shards that took entries before, oldest first.
    pub inactive: Vec<ShardInfo>,
}

/// One tree of a log. A global index counts through the shards in their order, an index in a tree starts at 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardInfo {
    /// The tree's number, which the origin of its checkpoints names.
    pub tree_id: u64,
    /// The number of leaves, as the answer says.
    pub tree_size: u64,
    /// The root, as the answer says.
    pub root_hash: Hash,
    /// The signed note of its current checkpoint.
    pub checkpoint: String,
}

impl LogInfo {
    /// Parses the answer.
    pub fn parse(json: &[u8]) -> Result<Self, EntryError> {
        let wire: LogWire = strict_json::from_slice(json, &RULES)?;
        let inactive = wire.inactive_shards.unwrap_or_default();
        if inactive.len() > MAX_SHARDS {
            return Err(EntryError::Shards {
                found: inactive.len(),
            });
        }
        let active = ShardWire {
            root_hash: wire.root_hash,
            signed_tree_head: wire.signed_tree_head,
            tree_id: wire.tree_id,
            tree_size: wire.tree_size,
        };
        Ok(Self {
            active: active.try_into()?,
            inactive: inactive
                .into_iter()
                .map(ShardInfo::try_from)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Returns the shard of a tree.
    pub fn shard(&self, tree_id: u64) -> Option<&ShardInfo> {
        std::iter::once(&self.active)
            .chain(&self.inactive)
            .find(|shard| shard.tree_id == tree_id)
    }
}

/// The answer of `GET /api/v1/log/proof`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiConsistencyProof {
    /// The root of the larger tree, as the answer says.
    pub root_hash: Hash,
    /// The hashes of the proof, in the order of RFC 6962.
    pub hashes: Vec<Hash>,
}

impl ApiConsistencyProof {
    /// Parses the answer.
    pub fn parse(json: &[u8]) -> Result<Self, EntryError> {
        let wire: ProofWire = strict_json::from_slice(json, &RULES)?;
        Ok(Self {
            root_hash: hex_hash("rootHash", &wire.root_hash)?,
            hashes: hex_hashes(&wire.hashes.unwrap_or_default())?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct LogWire {
    root_hash: String,
    signed_tree_head: String,
    #[serde(rename = "treeID")]
    tree_id: String,
    tree_size: u64,
    #[serde(default)]
    inactive_shards: Option<Vec<ShardWire>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ShardWire {
    root_hash: String,
    signed_tree_head: String,
    #[serde(rename = "treeID")]
    tree_id: String,
    tree_size: u64,
}

impl TryFrom<ShardWire> for ShardInfo {
    type Error = EntryError;

    fn try_from(wire: ShardWire) -> Result<Self, EntryError> {
        let tree_id = crate::encoding::decimal(&wire.tree_id).ok_or(EntryError::Number {
            field: "treeID",
            found: wire.tree_id.chars().take(40).collect(),
        })?;
        Ok(Self {
            tree_id,
            tree_size: wire.tree_size,
            root_hash: hex_hash("rootHash", &wire.root_hash)?,
            checkpoint: wire.signed_tree_head,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProofWire {
    #[serde(default)]
    hashes: Option<Vec<String>>,
    root_hash: String,
}
