//! RFC 6962 hashing, and verification of inclusion and consistency proofs.
//!
//! Verification recomputes the roots from the proof and compares; a proof is accepted only with exactly the
//! length that the two positions demand. Building proofs over stored trees is `prove`.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// A node of a Merkle tree: 32 bytes of SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The length of a hash in bytes.
    pub const LEN: usize = 32;

    /// Returns the hash that consists of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the hash that consists of these bytes if there are exactly 32 of them.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Returns the bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Parses padded standard base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Option<Self> {
        crate::encoding::base64_decode(text).and_then(|bytes| Self::from_slice(&bytes))
    }

    /// Returns the hash as padded standard base64.
    pub fn to_base64(&self) -> String {
        crate::encoding::base64_encode(&self.0)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 lowercase hexadecimal digits")]
pub struct ParseHashError;

impl FromStr for Hash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(ParseHashError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn hex_digit(digit: u8) -> Result<u8, ParseHashError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(ParseHashError),
    }
}

/// Why a Merkle proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MerkleError {
    /// The index does not lie in the tree.
    #[error("leaf {index} does not lie in a tree of size {size}")]
    IndexRange {
        /// The index asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof has more or fewer hashes than its positions demand.
    #[error("the proof must have {expected} hashes, found {found}")]
    ProofLength {
        /// The number of hashes demanded.
        expected: usize,
        /// The number of hashes found.
        found: usize,
    },
    /// The proof leads to another root than the one given.
    #[error("the inclusion proof leads to root {computed}, but the checkpoint has {signed}")]
    RootMismatch {
        /// The root that leaf and proof lead to.
        computed: Hash,
        /// The root given by the caller.
        signed: Hash,
    },
    /// The older tree is larger than the newer one.
    #[error("a tree of size {new} cannot extend one of size {old}")]
    SizeOrder {
        /// The size of the older tree.
        old: u64,
        /// The size of the newer tree.
        new: u64,
    },
    /// The proof does not lead to the root of the older or newer tree.
    #[error("the consistency proof leads to root {computed} at size {size}, but the checkpoint has {signed}")]
    Inconsistent {
        /// The size of the tree whose root differs.
        size: u64,
        /// The root that the proof leads to.
        computed: Hash,
        /// The root given by the caller.
        signed: Hash,
    },
}

impl MerkleError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::IndexRange { .. } => "tlog.index_range",
            Self::ProofLength { .. } => "tlog.proof_length",
            Self::RootMismatch { .. } => "tlog.root_mismatch",
            Self::SizeOrder { .. } => "tlog.size_order",
            Self::Inconsistent { .. } => "tlog.inconsistent",
        }
    }
}

/// Returns the hash of a leaf with this content.
pub fn leaf_hash(content: &[u8]) -> Hash {
    // RFC 6962 §2.1: leaves hash with 0x00, nodes with 0x01, so that neither can stand for the other.
    Hash(
        Sha256::new()
            .chain_update([0x00])
            .chain_update(content)
            .finalize()
            .into(),
    )
}

/// Returns the hash of an inner node with these children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0x01])
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// Returns the root of the tree with no leaves.
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// Returns the root of the tree over these leaf hashes.
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = parents(&level);
    }
    level.first().copied().unwrap_or_else(empty_root)
}

/// Returns the inclusion proof of one leaf of a tree held in memory, nearest sibling first; `None` if the index
/// is out of range.
pub fn inclusion_path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut level, mut position, mut path) = (leaves.to_vec(), index, Vec::new());
    while level.len() > 1 {
        path.extend(level.get(position ^ 1));
        level = parents(&level);
        position /= 2;
    }
    Some(path)
}

/// Pairs the nodes of one level; a last node without sibling rises unchanged.
fn parents(level: &[Hash]) -> Vec<Hash> {
    let parent = |pair: &[Hash]| match pair {
        [left, right] => node_hash(left, right),
        alone => alone[0],
    };
    level.chunks(2).map(parent).collect()
}

/// Verifies that a leaf with this hash is at `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), MerkleError> {
    if index >= size {
        return Err(MerkleError::IndexRange { index, size });
    }
    let (inner, border) = path_shape(index, size);
    expect_length(proof, inner + border)?;
    let computed = climb_border(climb(*leaf, &proof[..inner], index), &proof[inner..]);
    if computed == *root {
        Ok(())
    } else {
        Err(MerkleError::RootMismatch {
            computed,
            signed: *root,
        })
    }
}

/// Verifies that the tree of `new_size` leaves extends the tree of `old_size` leaves.
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), MerkleError> {
    if old_size > new_size {
        return Err(MerkleError::SizeOrder {
            old: old_size,
            new: new_size,
        });
    }
    if old_size == 0 {
        // There is one empty tree, and every tree extends it without proof.
        expect_length(proof, 0)?;
        expect_root(0, empty_root(), old_root)?;
        return if new_size == 0 {
            expect_root(0, empty_root(), new_root)
        } else {
            Ok(())
        };
    }
    if old_size == new_size {
        expect_length(proof, 0)?;
        return expect_root(new_size, *old_root, new_root);
    }

    // The proof is the inclusion path of the old tree's last leaf, cut off where the old tree's rightmost
    // perfect subtree begins. If the old tree is that subtree, its root is the seed and not in the proof.
    let (inner, border) = path_shape(old_size - 1, new_size);
    let shift = old_size.trailing_zeros();
    let inner = inner - shift as usize;
    let perfect = old_size.is_power_of_two();
    expect_length(proof, usize::from(!perfect) + inner + border)?;
    let (seed, path) = if perfect {
        (*old_root, proof)
    } else {
        (proof[0], &proof[1..])
    };
    let position = (old_size - 1) >> shift;

    let old = climb_border(climb_left(seed, &path[..inner], position), &path[inner..]);
    expect_root(old_size, old, old_root)?;
    let new = climb_border(climb(seed, &path[..inner], position), &path[inner..]);
    expect_root(new_size, new, new_root)
}

/// Returns how many hashes of an inclusion path lie below the point where the paths to this leaf and to the last
/// leaf part, and how many above it. Above it the leaf is on the right edge: only left siblings count.
fn path_shape(index: u64, size: u64) -> (usize, usize) {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    (inner as usize, border as usize)
}

fn climb(seed: Hash, path: &[Hash], index: u64) -> Hash {
    path.iter()
        .enumerate()
        .fold(seed, |hash, (level, sibling)| match index >> level & 1 {
            0 => node_hash(&hash, sibling),
            _ => node_hash(sibling, &hash),
        })
}

/// Like `climb`, but takes only the siblings on the left: those on the right came later.
fn climb_left(seed: Hash, path: &[Hash], index: u64) -> Hash {
    path.iter()
        .enumerate()
        .fold(seed, |hash, (level, sibling)| match index >> level & 1 {
            0 => hash,
            _ => node_hash(sibling, &hash),
        })
}

fn climb_border(seed: Hash, path: &[Hash]) -> Hash {
    path.iter().fold(seed, |hash, sibling| node_hash(sibling, &hash))
}

fn expect_length(proof: &[Hash], expected: usize) -> Result<(), MerkleError> {
    match proof.len() {
        found if found == expected => Ok(()),
        found => Err(MerkleError::ProofLength { expected, found }),
    }
}

fn expect_root(size: u64, computed: Hash, signed: &Hash) -> Result<(), MerkleError> {
    if computed == *signed {
        Ok(())
    } else {
        Err(MerkleError::Inconsistent {
            size,
            computed,
            signed: *signed,
        })
    }
}
