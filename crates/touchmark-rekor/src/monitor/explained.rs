//! Log entries for which there is verified evidence.

use std::collections::HashSet;

use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::verified::VerifiedStatement;

/// The leaves of entries that evidence of ours carries.
#[derive(Debug, Clone, Default)]
pub struct Explained {
    leaves: HashSet<Hash>,
}

impl Explained {
    /// Returns the set without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the entries of a bundle that was verified; the statement is the proof that it was.
    pub fn add(&mut self, _verified: &VerifiedStatement, bundle: &Bundle) -> &mut Self {
        let leaves = bundle
            .tlog_entries
            .iter()
            .map(|entry| leaf_hash(&entry.canonicalized_body));
        self.leaves.extend(leaves);
        self
    }

    /// Tells whether evidence carries the entry with this leaf.
    pub fn contains(&self, leaf: &Hash) -> bool {
        self.leaves.contains(leaf)
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Tells whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }
}
