//! The roots of the perfect subtrees that make up the first leaves of a tree: all it takes to go on from there.
//!
//! Whoever follows a log keeps one of these, appends the leaf of every entry it reads, and arrives at the root that
//! the log's checkpoint signs, or finds out that it was shown something else.

use crate::merkle::{Hash, empty_root, leaf_hash, node_hash};

/// The first `size` leaves of a tree, as the roots of its perfect subtrees, largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactRange {
    size: u64,
    nodes: Vec<Hash>,
}

impl CompactRange {
    /// Returns the range without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the range with these subtree roots; `None` if a tree of this size has another number of them.
    ///
    /// Nothing is proven by that: the caller compares [`Self::root`] with one that was signed.
    pub fn from_parts(size: u64, nodes: Vec<Hash>) -> Option<Self> {
        (nodes.len() == size.count_ones() as usize).then_some(Self { size, nodes })
    }

    /// Returns the range of a whole tree, from the inclusion proof of its last leaf, nearest sibling first.
    ///
    /// All siblings of the last leaf lie to its left, so they are the subtrees themselves. `None` if the proof has
    /// another length than the size demands. The caller compares [`Self::root`] with one that was signed.
    pub fn from_last_leaf(size: u64, leaf: &Hash, proof: &[Hash]) -> Option<Self> {
        let inside = size.checked_sub(1).map(|_| size.trailing_zeros() as usize)?;
        let (within, left) = proof.split_at_checked(inside)?;
        let last = within.iter().fold(*leaf, |right, left| node_hash(left, &right));
        let nodes = left.iter().rev().copied().chain([last]).collect();
        Self::from_parts(size, nodes)
    }

    /// Appends the leaf of an entry.
    pub fn append_entry(&mut self, entry: &[u8]) {
        self.append(leaf_hash(entry));
    }

    /// Appends a leaf, by its hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing one of the size is a subtree that this leaf completes to one of twice its width.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.nodes.pop() else { break };
            node = node_hash(&left, &node);
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// Returns the number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the roots of the perfect subtrees, largest first.
    pub fn nodes(&self) -> &[Hash] {
        &self.nodes
    }

    /// Returns the root of the tree.
    pub fn root(&self) -> Hash {
        let mut right_to_left = self.nodes.iter().rev();
        let Some(last) = right_to_left.next() else {
            return empty_root();
        };
        right_to_left.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::CompactRange;
    use crate::merkle::{Hash, inclusion_path, leaf_hash, root_of};

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn appending_leads_to_the_root_of_every_size() {
        let mut range = CompactRange::new();
        for size in 0..=300_u64 {
            assert_eq!(range.root(), root_of(&leaves(size)), "{size}");
            assert_eq!(range.size(), size);
            let again = CompactRange::from_parts(size, range.nodes().to_vec());
            assert_eq!(again.as_ref(), Some(&range));
            range.append_entry(&size.to_be_bytes());
        }
    }

    #[test]
    fn the_proof_of_the_last_leaf_is_the_whole_range() {
        for size in 1..=70_usize {
            let all = leaves(size as u64);
            let proof = inclusion_path(&all, size - 1).expect("the leaf is in the tree");
            let mut range =
                CompactRange::from_last_leaf(size as u64, &all[size - 1], &proof).expect("in shape");
            assert_eq!(range.root(), root_of(&all));
            range.append(leaf_hash(b"next"));
            let longer: Vec<_> = all.into_iter().chain([leaf_hash(b"next")]).collect();
            assert_eq!(range.root(), root_of(&longer));
        }
    }

    #[test]
    fn a_wrong_number_of_nodes_is_no_range() {
        let all = leaves(7);
        assert!(CompactRange::from_parts(7, all[..2].to_vec()).is_none());
        assert!(CompactRange::from_parts(8, all[..2].to_vec()).is_none());
        assert!(CompactRange::from_last_leaf(7, &all[6], &all[..3]).is_none());
        assert!(CompactRange::from_last_leaf(8, &all[6], &all[..2]).is_none());
        assert!(CompactRange::from_last_leaf(0, &all[6], &[]).is_none());
    }
}
