//! How far a log has been followed: the checkpoint that later ones must extend, and the entries judged so far.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use touchmark_statement::strict_json::{self, JsonError, Numbers, Rules};
use touchmark_tlog::checkpoint::{CheckpointError, VerifiedCheckpoint};
use touchmark_tlog::compact_range::CompactRange;
use touchmark_tlog::merkle::Hash;
use touchmark_verify::trust::TrustedLog;

/// Largest position that is read: a note and at most 64 hashes.
pub(super) const MAX_POSITION_BYTES: usize = 1024 * 1024;

const RULES: Rules = Rules {
    max_bytes: MAX_POSITION_BYTES,
    max_depth: 4,
    numbers: Numbers::ExactIntegers,
};
const VERSION: u64 = 1;

/// A kept position that cannot be gone on from. It is left as it is: starting over would forget what was seen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PositionError {
    /// The file is not what this program writes.
    #[error("the kept position is not readable")]
    Json(#[from] JsonError),
    /// The file was written by another version.
    #[error("the kept position has version {found}, expected {VERSION}")]
    Version {
        /// The version found.
        found: u64,
    },
    /// The kept checkpoint is not one of this log.
    #[error("the kept checkpoint does not verify with the log's key")]
    Checkpoint(#[from] CheckpointError),
    /// The numbers and hashes do not belong together.
    #[error("the kept position contradicts itself")]
    Contradiction,
}

impl PositionError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        "monitor.position_unusable"
    }
}

/// A place in a log.
#[derive(Debug, Clone)]
pub struct Position {
    /// The newest checkpoint that was proven to extend all those before it.
    pub(super) checkpoint: VerifiedCheckpoint,
    /// The entries before this place are judged.
    pub(super) judged: CompactRange,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    version: u64,
    checkpoint: String,
    judged: u64,
    nodes: Vec<String>,
}

impl Position {
    /// Returns the checkpoint that later ones must extend.
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// Returns the number of entries that are judged.
    pub fn judged(&self) -> u64 {
        self.judged.size()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let wire = Wire {
            version: VERSION,
            checkpoint: self.checkpoint.note().encode(),
            judged: self.judged.size(),
            nodes: self.judged.nodes().iter().map(Hash::to_string).collect(),
        };
        serde_json::to_vec_pretty(&wire).expect("a position consists of text and numbers")
    }

    pub(super) fn decode(json: &[u8], log: &TrustedLog) -> Result<Self, PositionError> {
        let wire: Wire = strict_json::from_slice(json, &RULES)?;
        if wire.version != VERSION {
            return Err(PositionError::Version { found: wire.version });
        }
        let checkpoint = log.verify_checkpoint(wire.checkpoint.as_bytes())?;
        let nodes: Option<Vec<Hash>> = wire.nodes.iter().map(|node| node.parse().ok()).collect();
        let judged = nodes
            .and_then(|nodes| CompactRange::from_parts(wire.judged, nodes))
            .filter(|judged| judged.size() <= checkpoint.size())
            .filter(|judged| judged.size() < checkpoint.size() || judged.root() == *checkpoint.root())
            .ok_or(PositionError::Contradiction)?;
        Ok(Self { checkpoint, judged })
    }
}
