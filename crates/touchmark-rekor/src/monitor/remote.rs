//! Logs as they are really read: tiles of a Rekor v2 or embedded log, and the trees of a Rekor v1 log.

use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_tlog::prove::Prover;
use touchmark_tlog::tile::{TILE_WIDTH, entries_width};

use super::reader::{LogReader, ProvenLeaf, ReadError};
use crate::reader::{ReaderError, RekorV1Reader, TileReader};

/// Most entries of a Rekor v1 log that are read before they are judged: each is a request of its own.
const V1_BATCH: u64 = 10;

/// A log that is kept in tiles, behind HTTP or in a directory.
#[derive(Debug)]
pub struct TileLog {
    tiles: TileReader,
}

impl TileLog {
    /// Reads these tiles.
    pub fn new(tiles: TileReader) -> Self {
        Self { tiles }
    }
}

fn failed(step: &'static str) -> impl Fn(ReaderError) -> ReadError {
    move |error| ReadError::new(step, error.code(), error)
}

impl LogReader for TileLog {
    fn checkpoint(&self) -> Result<Vec<u8>, ReadError> {
        self.tiles.checkpoint().map_err(failed("its checkpoint"))
    }

    fn entries(&self, start: u64, size: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let width = u64::from(TILE_WIDTH);
        let Some(count) = entries_width(start / width, size) else {
            return Ok(Vec::new());
        };
        let bundle = self.tiles.bundle(start / width, count);
        let mut entries = bundle.map_err(failed("its entries"))?;
        entries.drain(..usize::try_from(start % width).map_or(0, |skip| skip.min(entries.len())));
        Ok(entries)
    }

    fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReadError> {
        Prover::new(&self.tiles, new)
            .consistency(old)
            .map_err(|error| ReadError::new("its tiles", error.code(), error))
    }

    fn last_leaf(&self, size: u64) -> Result<ProvenLeaf, ReadError> {
        let last = size.saturating_sub(1);
        let entry = self.tiles.entry(last, size).map_err(failed("its last entry"))?;
        let proof = Prover::new(&self.tiles, size).inclusion(last);
        Ok(ProvenLeaf {
            leaf: leaf_hash(&entry),
            tree_size: size,
            proof: proof.map_err(|error| ReadError::new("its tiles", error.code(), error))?,
        })
    }
}

/// One tree of a Rekor v1 log. Old trees are closed and new ones opened; all of them are followed.
#[derive(Debug)]
pub struct RekorV1Tree {
    reader: RekorV1Reader,
    tree_id: u64,
    checkpoint: String,
    /// The number of entries in the trees before this one.
    offset: u64,
}

impl RekorV1Tree {
    /// Returns the number of the tree.
    pub fn tree_id(&self) -> u64 {
        self.tree_id
    }
}

/// Returns the trees of a Rekor v1 log, oldest first, each with its checkpoint as of now.
pub fn rekor_v1_trees(reader: &RekorV1Reader) -> Result<Vec<RekorV1Tree>, ReadError> {
    let info = reader.log_info().map_err(failed("its trees"))?;
    let (mut trees, mut offset) = (Vec::new(), 0_u64);
    for shard in info.inactive.into_iter().chain([info.active]) {
        trees.push(RekorV1Tree {
            reader: reader.clone(),
            tree_id: shard.tree_id,
            checkpoint: shard.checkpoint,
            offset,
        });
        offset = offset.saturating_add(shard.tree_size);
    }
    Ok(trees)
}

impl LogReader for RekorV1Tree {
    fn checkpoint(&self) -> Result<Vec<u8>, ReadError> {
        Ok(self.checkpoint.clone().into_bytes())
    }

    fn entries(&self, start: u64, size: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let end = start.saturating_add(V1_BATCH).min(size);
        (start..end)
            .map(|index| {
                let answer = self.reader.entry_at(self.offset.saturating_add(index));
                Ok(answer.map_err(failed("its entries"))?.entry.canonicalized_body)
            })
            .collect()
    }

    fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReadError> {
        let proof = self.reader.consistency(old, new, self.tree_id);
        Ok(proof.map_err(failed("its consistency proof"))?.hashes)
    }

    fn last_leaf(&self, size: u64) -> Result<ProvenLeaf, ReadError> {
        let index = self.offset.saturating_add(size.saturating_sub(1));
        let answer = self.reader.entry_at(index).map_err(failed("its last entry"))?;
        let proof = answer.entry.inclusion_proof;
        Ok(ProvenLeaf {
            leaf: leaf_hash(&answer.entry.canonicalized_body),
            tree_size: proof.as_ref().map_or(0, |proof| proof.tree_size),
            proof: proof.map_or_else(Vec::new, |proof| proof.hashes),
        })
    }
}
