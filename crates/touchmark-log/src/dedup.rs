//! Which entries the log has already: an index from leaf hash to position that can always be rebuilt.
//!
//! The leaf hashes are in the level-0 tiles, so nothing has to be written for an entry. For look-ups, each finished
//! block of 16,384 leaves is kept as a run: its hashes with their positions, sorted. Sixteen runs make one of the
//! next level, so that a log of any size has few. The leaves after the last block are in memory. A hit counts only
//! if the tile agrees.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use touchmark_tlog::merkle::Hash;
use touchmark_tlog::tile::{TILE_WIDTH, TilePath, hashes_width};

use crate::durable;
use crate::error::{LogError, storage};
use crate::layout::Layout;
use crate::tiles::FileTiles;

mod run;

pub(crate) use run::{Run, RunId};

/// The index of one log, as far as one writer has seen it.
#[derive(Debug, Default)]
pub(crate) struct Dedup {
    runs: Vec<Run>,
    /// The leaves from `covered` up to `size`.
    recent: HashMap<Hash, u64>,
    /// The number of leaves in the runs.
    covered: u64,
    size: u64,
}

impl Dedup {
    /// Catches up with the log at this size. The caller holds the write lock.
    pub(crate) fn refresh(&mut self, layout: &Layout, size: u64) -> Result<(), LogError> {
        let covered = size / run::BLOCK * run::BLOCK;
        if covered != self.covered {
            self.runs = open_runs(layout, covered)?;
            self.recent.retain(|_, index| *index >= covered);
            self.covered = covered;
        }
        let start = self.size.max(covered) / u64::from(TILE_WIDTH) * u64::from(TILE_WIDTH);
        if self.size < size {
            let leaves = FileTiles::new(layout).leaves(start, size)?;
            for (index, leaf) in (start..).zip(leaves) {
                self.recent.entry(leaf).or_insert(index);
            }
            self.size = size;
        }
        Ok(())
    }

    /// Returns the position of the entry with this leaf hash, if the log has it.
    pub(crate) fn position(&self, layout: &Layout, leaf: &Hash) -> Result<Option<u64>, LogError> {
        if let Some(index) = self.recent.get(leaf) {
            return Ok(Some(*index));
        }
        for run in &self.runs {
            if let Some(index) = run.position(leaf)?
                && index < self.size
                && leaf_at(layout, index, self.size)? == Some(*leaf)
            {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Notes that these leaves were appended.
    pub(crate) fn appended(&mut self, leaves: impl IntoIterator<Item = Hash>) {
        for leaf in leaves {
            self.recent.entry(leaf).or_insert(self.size);
            self.size += 1;
        }
    }
}

/// Returns the hash of one leaf.
pub(crate) fn leaf_at(layout: &Layout, index: u64, size: u64) -> Result<Option<Hash>, LogError> {
    let tile = index / u64::from(TILE_WIDTH);
    let Some(path) = hashes_width(0, tile, size).and_then(|width| TilePath::hashes(0, tile, width)) else {
        return Ok(None);
    };
    let hashes = FileTiles::new(layout).hashes(&path)?;
    Ok(hashes.get((index % u64::from(TILE_WIDTH)) as usize).copied())
}

/// Opens the runs that cover this many leaves, builds those that are missing and removes all others.
fn open_runs(layout: &Layout, covered: u64) -> Result<Vec<Run>, LogError> {
    let dir = layout.dedup();
    durable::make_private_dir(&dir)?;
    let wanted = RunId::covering(covered);
    let runs = wanted
        .iter()
        .map(|id| run::open_or_build(layout, *id))
        .collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<String> = wanted.iter().map(RunId::to_string).collect();
    for entry in fs::read_dir(&dir).map_err(storage("list", &dir))? {
        let entry = entry.map_err(storage("list", &dir))?;
        if entry
            .file_name()
            .to_str()
            .is_none_or(|name| !names.contains(name))
        {
            fs::remove_file(entry.path()).map_err(storage("remove", &entry.path()))?;
        }
    }
    Ok(runs)
}

#[cfg(test)]
mod tests;
