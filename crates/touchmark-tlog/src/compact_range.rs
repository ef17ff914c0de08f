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

    /// Returns the range of the leaves before `index`, from the inclusion proof of the leaf there, nearest sibling first,
    /// in a tree of this size or any other that holds it.
    ///
    /// The siblings to the left of a leaf's path are the subtrees that make up everything before it (RFC 9162
    /// §2.1.3.2). `None` if the proof has another length than its positions demand. The caller appends the leaf and
    /// compares [`Self::root`] with one that was signed.
    pub fn before(index: u64, tree_size: u64, proof: &[Hash]) -> Option<Self> {
        let (mut node, mut last) = (index, tree_size.checked_sub(1)?);
        if node > last {
            return None;
        }
        let mut left = Vec::new();
        for hash in proof {
            if last == 0 {
                return None;
            }
            if node & 1 == 1 || node == last {
                left.push(*hash);
                let skipped = node.trailing_zeros().min(63);
                node = node.checked_shr(skipped).unwrap_or(0);
                last = last.checked_shr(skipped).unwrap_or(0);
            }
            node >>= 1;
            last >>= 1;
        }
        left.reverse();
        Self::from_parts(index, left).filter(|_| last == 0)
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
    fn the_proof_of_a_leaf_holds_all_that_is_before_it() {
        for size in 1..=40_usize {
            let all = leaves(size as u64);
            for index in 0..size {
                let proof = inclusion_path(&all, index).expect("the leaf is in the tree");
                let mut range = CompactRange::before(index as u64, size as u64, &proof)
                    .expect("the proof is as long as it must be");
                assert_eq!(range.root(), root_of(&all[..index]), "{index} of {size}");
                range.append(all[index]);
                assert_eq!(range.root(), root_of(&all[..=index]), "{index} of {size}");
                for bad in [
                    &proof[..proof.len().saturating_sub(1)],
                    &[&proof[..], &[all[0]]].concat(),
                ] {
                    let same = bad.len() == proof.len();
                    let range = CompactRange::before(index as u64, size as u64, bad);
                    assert_eq!(range.is_some(), same, "{index} of {size}, {} hashes", bad.len());
                }
            }
        }
    }

    #[test]
    fn a_wrong_number_of_nodes_is_no_range() {
        let all = leaves(7);
        assert!(CompactRange::from_parts(7, all[..2].to_vec()).is_none());
        assert!(CompactRange::from_parts(8, all[..2].to_vec()).is_none());
        assert!(CompactRange::before(7, 7, &all[..3]).is_none());
        assert!(CompactRange::before(0, 0, &[]).is_none());
        assert!(CompactRange::before(u64::MAX, u64::MAX, &all).is_none());
    }
}
