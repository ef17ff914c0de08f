//! What a monitor needs of a log: nothing but what the log offers to everybody.

use std::error::Error as StdError;

use thiserror::Error;
use touchmark_tlog::merkle::Hash;

/// A log could not be read. What it answered wrongly is no error of reading: proofs tell that.
#[derive(Debug, Error)]
#[error("the log could not be read: {step}")]
pub struct ReadError {
    /// What was asked for.
    pub step: &'static str,
    /// The stable code of the cause.
    pub code: &'static str,
    /// The cause.
    #[source]
    pub source: Box<dyn StdError + Send + Sync>,
}

impl ReadError {
    /// Wraps the error of a transport.
    pub fn new(
        step: &'static str,
        code: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            step,
            code,
            source: source.into(),
        }
    }

    /// Returns the stable code of the cause.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

/// A log that can be read. Nothing that it returns is believed before it is proven.
pub trait LogReader {
    /// Returns the signed note of the log's current checkpoint.
    fn checkpoint(&self) -> Result<Vec<u8>, ReadError>;

    /// Returns the bodies of entries from `start` on, in order, of which there are `size`: at least one, as many as
    /// come cheaply together, none at or after `size`.
    fn entries(&self, start: u64, size: u64) -> Result<Vec<Vec<u8>>, ReadError>;

    /// Returns the proof that the tree of `new` leaves extends the one of `old`.
    fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReadError>;

    /// Returns the last leaf of the tree of this size, with its inclusion proof in that tree or a later one.
    fn last_leaf(&self, size: u64) -> Result<ProvenLeaf, ReadError>;
}

/// A leaf and its inclusion proof, neither of them believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenLeaf {
    /// The leaf's hash.
    pub leaf: Hash,
    /// The size of the tree that the proof is about.
    pub tree_size: u64,
    /// The siblings, nearest first.
    pub proof: Vec<Hash>,
}
