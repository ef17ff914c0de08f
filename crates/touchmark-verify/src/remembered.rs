//! Checkpoints that a verifier saw before, and what they say about the ones it sees now.
//!
//! A log that shows two views is found out by whoever remembers the first. Nothing here reads or writes: the caller
//! brings the notes and the tiles, and both are held against the log's own signatures. A bundle's checkpoint may be
//! older than the one remembered; only a log's *current* checkpoint must never go back.

use std::fmt;

use thiserror::Error;
use touchmark_tlog::checkpoint::{CheckpointError, VerifiedCheckpoint};
use touchmark_tlog::merkle::{Hash, verify_consistency};
use touchmark_tlog::prove::{Prover, TileSource};

use crate::trust::TrustedLog;

/// What a verifier remembers of logs. One tree has one origin under one log id; a Rekor v1 log has several.
pub trait RememberedCheckpoints: fmt::Debug + Send + Sync {
    /// Returns the signed note of the newest checkpoint of this tree that was seen, if there is one.
    fn newest(&self, log_id: &Hash, origin: &str) -> Result<Option<String>, RememberedError>;

    /// Returns the first `width` hashes (or more) of a tile of this tree; `None` where it is not at hand.
    fn tile(&self, log_id: &Hash, origin: &str, level: u8, index: u64, width: u16) -> Option<Vec<Hash>>;

    /// Takes note of a checkpoint that the log signed. It is safe to remember in place of the newest one if that is
    /// not there (`None`), or if both are proven consistent and it is the larger.
    fn saw(&self, _log_id: &Hash, _checkpoint: &VerifiedCheckpoint, _consistency: Option<Consistency>) {}

    /// Takes note of an alarm: both notes are to be kept.
    fn alarmed(&self, _log_id: &Hash, _fork: &Fork) {}
}

/// Verifies what is remembered of a tree: it is believed for the log's signature on it, like everything else.
pub fn verify_remembered(
    note: &str,
    origin: &str,
    log: &TrustedLog,
) -> Result<VerifiedCheckpoint, CheckpointError> {
    let verified = log.verify_checkpoint(note.as_bytes())?;
    match verified.checkpoint().origin == origin {
        true => Ok(verified),
        false => Err(CheckpointError::Origin {
            expected: origin.to_owned(),
            found: verified.checkpoint().origin.clone(),
        }),
    }
}

/// What was remembered cannot be read, so that a fork could go unnoticed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the remembered checkpoint of {origin:?} cannot be read: {problem}")]
pub struct RememberedError {
    /// The log.
    pub origin: String,
    /// What is wrong.
    pub problem: String,
}

/// Proof that a log showed two views, or took something back. Both notes are signed by the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("log {origin:?} contradicts what it showed before: {kind}")]
pub struct Fork {
    /// The log.
    pub origin: String,
    /// How it contradicts itself.
    pub kind: ForkKind,
    /// The note that was remembered.
    pub remembered: String,
    /// The note that was found.
    pub found: String,
}

/// How a log contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForkKind {
    /// Two roots for one size.
    SplitView {
        /// The size.
        size: u64,
    },
    /// The larger tree does not begin with the smaller one.
    NotExtended {
        /// The size of the smaller tree.
        old: u64,
        /// The size of the larger tree.
        new: u64,
    },
    /// The log's current tree is smaller than one it had before.
    WentBack {
        /// The size it had.
        old: u64,
        /// The size it has.
        new: u64,
    },
}

impl fmt::Display for ForkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SplitView { size } => write!(f, "two roots for the tree of size {size}"),
            Self::NotExtended { old, new } => {
                write!(
                    f,
                    "the tree of size {new} does not begin with the one of size {old}"
                )
            }
            Self::WentBack { old, new } => write!(f, "its size went back from {old} to {new}"),
        }
    }
}

impl Fork {
    fn new(kind: ForkKind, remembered: &VerifiedCheckpoint, found: &VerifiedCheckpoint) -> Self {
        Self {
            origin: found.checkpoint().origin.clone(),
            kind,
            remembered: remembered.note().encode(),
            found: found.note().encode(),
        }
    }

    /// Returns the stable code of this alarm.
    pub fn code(&self) -> &'static str {
        match self.kind {
            ForkKind::SplitView { .. } => "tlog.split_view",
            ForkKind::NotExtended { .. } => "tlog.not_extended",
            ForkKind::WentBack { .. } => "tlog.rollback",
        }
    }
}

/// What was found out about two checkpoints of one tree that do not contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// One is proven to be the beginning of the other.
    Proven,
    /// The tiles at hand prove nothing.
    NotShown {
        /// Why not.
        reason: &'static str,
    },
}

/// Compares a checkpoint with the remembered one; either may be the older. Both must be of one tree.
pub fn compare<S: TileSource>(
    remembered: &VerifiedCheckpoint,
    found: &VerifiedCheckpoint,
    tiles: &S,
) -> Result<Consistency, Fork> {
    let (old, new) = match remembered.size() <= found.size() {
        true => (remembered, found),
        false => (found, remembered),
    };
    if old.size() == new.size() {
        return match old.root() == new.root() {
            true => Ok(Consistency::Proven),
            false => Err(Fork::new(
                ForkKind::SplitView { size: old.size() },
                remembered,
                found,
            )),
        };
    }
    let not_shown = |reason| Ok(Consistency::NotShown { reason });
    let proof = Prover::new(tiles, new.size()).consistency(old.size());
    let old_root = Prover::new(tiles, old.size()).root();
    let (Ok(proof), Ok(old_root)) = (proof, old_root) else {
        return not_shown("the tiles between both checkpoints are not at hand");
    };
    // Only what leads to the signed root of the larger tree speaks for the log; other tiles are just damaged.
    if verify_consistency(old.size(), new.size(), &proof, &old_root, new.root()).is_err() {
        return not_shown("the tiles at hand do not lead to the larger checkpoint");
    }
    if old_root == *old.root() {
        return Ok(Consistency::Proven);
    }
    let kind = ForkKind::NotExtended {
        old: old.size(),
        new: new.size(),
    };
    Err(Fork::new(kind, remembered, found))
}

/// Holds a log's *current* checkpoint against the remembered one, which it must extend: with the consistency proof that
/// the log offers, empty where the sizes are equal or the older tree is. A proof that fails is an alarm.
pub fn follow(
    remembered: &VerifiedCheckpoint,
    current: &VerifiedCheckpoint,
    proof: &[Hash],
) -> Result<(), Fork> {
    let (old, new) = (remembered.size(), current.size());
    if new < old {
        return Err(Fork::new(ForkKind::WentBack { old, new }, remembered, current));
    }
    verify_consistency(old, new, proof, remembered.root(), current.root()).map_err(|_| {
        let kind = match old == new {
            true => ForkKind::SplitView { size: old },
            false => ForkKind::NotExtended { old, new },
        };
        Fork::new(kind, remembered, current)
    })
}

/// The tiles of one tree in a caller's memory.
pub(crate) struct TilesAtHand<'m> {
    pub(crate) remembered: &'m dyn RememberedCheckpoints,
    pub(crate) log_id: &'m Hash,
    pub(crate) origin: &'m str,
}

/// A tile is not at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the tile is not at hand")]
pub(crate) struct NotAtHand;

impl TileSource for TilesAtHand<'_> {
    type Error = NotAtHand;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, NotAtHand> {
        self.remembered
            .tile(self.log_id, self.origin, level, index, width)
            .ok_or(NotAtHand)
    }
}
