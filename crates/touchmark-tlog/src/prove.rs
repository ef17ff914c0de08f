//! Inclusion and consistency proofs, and roots, built from hash tiles.
//!
//! The tiles are taken as they are: whoever builds a proof from tiles that it did not write verifies the proof
//! against a signed checkpoint afterwards.

use std::collections::HashMap;

use crate::checkpoint::VerifiedCheckpoint;
use crate::merkle::{Hash, MerkleError, empty_root, node_hash, verify_consistency, verify_inclusion};
use crate::tile::{TILE_HEIGHT, TILE_WIDTH, hashes_width};

/// Where hash tiles are read from.
pub trait TileSource {
    /// What reading a tile can fail with.
    type Error;

    /// Returns the first `width` hashes (or more) of a tile.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error>;
}

/// Why a proof could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError<E> {
    /// The positions asked for do not lie in the tree.
    #[error("position {position} does not lie in a tree of size {size}")]
    Range {
        /// The index, or the older size, asked for.
        position: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The source gave fewer hashes than the tree has there.
    #[error("tile {level}/{index} has {found} hashes, the tree needs {expected}")]
    ShortTile {
        /// The tile level.
        level: u8,
        /// The position of the tile in its level.
        index: u64,
        /// The number of hashes needed.
        expected: u16,
        /// The number of hashes found.
        found: usize,
    },
    /// The tile could not be read.
    #[error("a tile could not be read")]
    Source(#[source] E),
    /// The proof that the tiles make does not lead to the signed root.
    #[error("the tiles do not lead to the checkpoint")]
    Proof(#[source] MerkleError),
}

impl<E> ProveError<E> {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Range { .. } => "tlog.index_range",
            Self::ShortTile { .. } => "tlog.tile_length",
            Self::Source(_) => "tlog.tile_unreadable",
            Self::Proof(error) => error.code(),
        }
    }
}

/// Builds proofs for one tree size, and remembers the tiles it has read (a few for each proof).
#[derive(Debug)]
pub struct Prover<'a, S> {
    source: &'a S,
    size: u64,
    /// For each tile read, its hashes and those of the seven tree levels above them, as far as they are complete.
    tiles: HashMap<(u8, u64), Vec<Vec<Hash>>>,
}

impl<'a, S: TileSource> Prover<'a, S> {
    /// Returns a prover for the tree of this size.
    pub fn new(source: &'a S, size: u64) -> Self {
        Self {
            source,
            size,
            tiles: HashMap::new(),
        }
    }

    /// Returns the root of the tree.
    pub fn root(&mut self) -> Result<Hash, ProveError<S::Error>> {
        if self.size == 0 {
            Ok(empty_root())
        } else {
            self.subtree(0, self.size)
        }
    }

    /// Returns the proof that the leaf at `index` is in the tree, nearest sibling first (RFC 6962 §2.1.1).
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>, ProveError<S::Error>> {
        if index >= self.size {
            return Err(ProveError::Range {
                position: index,
                size: self.size,
            });
        }
        let (mut start, mut end, mut path) = (0, self.size, Vec::new());
        while end - start > 1 {
            let middle = start + left_width(end - start);
            if index < middle {
                path.push(self.subtree(middle, end)?);
                end = middle;
            } else {
                path.push(self.subtree(start, middle)?);
                start = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// Returns the proof that the tree extends the one of `old_size` leaves (RFC 6962 §2.1.2).
    pub fn consistency(&mut self, old_size: u64) -> Result<Vec<Hash>, ProveError<S::Error>> {
        if old_size > self.size {
            return Err(ProveError::Range {
                position: old_size,
                size: self.size,
            });
        }
        let (mut start, mut end, mut path) = (0, self.size, Vec::new());
        if old_size == 0 || old_size == end {
            return Ok(path);
        }
        while end > old_size {
            let middle = start + left_width(end - start);
            if old_size <= middle {
                path.push(self.subtree(middle, end)?);
                end = middle;
            } else {
                path.push(self.subtree(start, middle)?);
                start = middle;
            }
        }
        // The verifier has the old root: the old tree's last perfect subtree is told only if it is a part of it.
        if start > 0 {
            path.push(self.subtree(start, end)?);
        }
        path.reverse();
        Ok(path)
    }

    /// Returns the root of the leaves `start..end`, which must be a subtree on the path to some leaf: perfect
    /// subtrees from left to right, each smaller than the one before.
    fn subtree(&mut self, start: u64, end: u64) -> Result<Hash, ProveError<S::Error>> {
        let (mut at, mut perfect) = (start, Vec::new());
        while at < end {
            let level = (end - at).ilog2();
            perfect.push(self.node(level, at >> level)?);
            at += 1 << level;
        }
        let mut right_to_left = perfect.into_iter().rev();
        let last = right_to_left.next().unwrap_or_else(empty_root);
        Ok(right_to_left.fold(last, |right, left| node_hash(&left, &right)))
    }

    /// Returns the hash of a perfect subtree of 2^level leaves.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, ProveError<S::Error>> {
        let tile_level = (level / TILE_HEIGHT) as u8;
        let above = level % TILE_HEIGHT;
        let per_tile = u64::from(TILE_WIDTH) >> above;
        let (tile_index, position) = (index / per_tile, (index % per_tile) as usize);
        if !self.tiles.contains_key(&(tile_level, tile_index)) {
            let levels = self.read(tile_level, tile_index)?;
            self.tiles.insert((tile_level, tile_index), levels);
        }
        let width = hashes_width(tile_level, tile_index, self.size).unwrap_or(0);
        self.tiles[&(tile_level, tile_index)]
            .get(above as usize)
            .and_then(|hashes| hashes.get(position))
            .copied()
            .ok_or(ProveError::ShortTile {
                level: tile_level,
                index: tile_index,
                expected: width,
                found: 0,
            })
    }

    fn read(&self, level: u8, index: u64) -> Result<Vec<Vec<Hash>>, ProveError<S::Error>> {
        let expected = hashes_width(level, index, self.size).ok_or(ProveError::Range {
            position: index.saturating_mul(u64::from(TILE_WIDTH)),
            size: self.size,
        })?;
        let mut hashes = self
            .source
            .tile(level, index, expected)
            .map_err(ProveError::Source)?;
        if hashes.len() < usize::from(expected) {
            return Err(ProveError::ShortTile {
                level,
                index,
                expected,
                found: hashes.len(),
            });
        }
        hashes.truncate(usize::from(expected));
        let mut levels = vec![hashes];
        while let Some(below) = levels
            .last()
            .filter(|below| below.len() > 1 && levels.len() < TILE_HEIGHT as usize)
        {
            // Only complete pairs: a lone last hash has no parent yet.
            let above = below
                .chunks_exact(2)
                .map(|pair| node_hash(&pair[0], &pair[1]))
                .collect();
            levels.push(above);
        }
        Ok(levels)
    }
}

/// Returns the root of the tree of this size.
pub fn root<S: TileSource>(source: &S, size: u64) -> Result<Hash, ProveError<S::Error>> {
    Prover::new(source, size).root()
}

/// Returns the proof that the leaf at `index` is in the tree of this size.
pub fn inclusion<S: TileSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProveError<S::Error>> {
    Prover::new(source, size).inclusion(index)
}

/// Returns the proof that the tree of `new_size` leaves extends the one of `old_size`.
pub fn consistency<S: TileSource>(
    source: &S,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, ProveError<S::Error>> {
    Prover::new(source, new_size).consistency(old_size)
}

/// Builds the inclusion proof of the leaf at `index` from tiles of a log that is not ours, and verifies it against a
/// checkpoint that the log signed: tiles that lead elsewhere prove nothing.
pub fn verified_inclusion<S: TileSource>(
    source: &S,
    leaf: &Hash,
    index: u64,
    checkpoint: &VerifiedCheckpoint,
) -> Result<Vec<Hash>, ProveError<S::Error>> {
    let proof = inclusion(source, index, checkpoint.size())?;
    verify_inclusion(leaf, index, checkpoint.size(), &proof, checkpoint.root()).map_err(ProveError::Proof)?;
    Ok(proof)
}

/// Builds the proof that one checkpoint extends another from tiles of a log that is not ours, and verifies it against
/// both.
pub fn verified_consistency<S: TileSource>(
    source: &S,
    old: &VerifiedCheckpoint,
    new: &VerifiedCheckpoint,
) -> Result<Vec<Hash>, ProveError<S::Error>> {
    let proof = consistency(source, old.size(), new.size())?;
    verify_consistency(old.size(), new.size(), &proof, old.root(), new.root()).map_err(ProveError::Proof)?;
    Ok(proof)
}

/// Returns the largest power of two smaller than `width`, the size of the left child of a subtree.
fn left_width(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}
