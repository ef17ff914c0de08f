//! The right edge of the tree: all that is needed to append to it.

use touchmark_tlog::merkle::{Hash, root_of};
use touchmark_tlog::tile::{
    TILE_WIDTH, TileError, TilePath, append_entry, encode_hashes, hashes_width, level_size,
};

use crate::error::LogError;
use crate::tiles::FileTiles;

const WIDTH: usize = TILE_WIDTH as usize;

/// The tiles of the right edge that are not full yet, and the entry bundle that is not.
#[derive(Debug)]
pub(crate) struct Frontier {
    size: u64,
    /// The hashes of the unfinished tile of each tile level.
    levels: Vec<Vec<Hash>>,
    bundle: Vec<u8>,
}

/// A tile and what its file holds.
pub(crate) type TileFile = (TilePath, Vec<u8>);

impl Frontier {
    /// Loads the right edge of the tree of this size.
    pub(crate) fn load(tiles: &FileTiles<'_>, size: u64) -> Result<Self, LogError> {
        let mut levels = Vec::new();
        for level in (0_u8..8).take_while(|level| level_size(*level, size) > 0) {
            levels.push(match unfinished(level, size) {
                Some(path) => tiles.hashes(&path)?,
                None => Vec::new(),
            });
        }
        let bundle = match TilePath::entries(
            size / u64::from(TILE_WIDTH),
            (size % u64::from(TILE_WIDTH)) as u16,
        ) {
            Some(path) => tiles.read(&path)?,
            None => Vec::new(),
        };
        Ok(Self { size, levels, bundle })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the hashes of the unfinished tile of this level, if `index` is its position.
    pub(crate) fn tile(&self, level: u8, index: u64) -> Option<&[Hash]> {
        let current = level_size(level, self.size) / u64::from(TILE_WIDTH);
        self.levels
            .get(usize::from(level))
            .map(Vec::as_slice)
            .filter(|_| index == current)
    }

    /// Returns the root of the tree.
    pub(crate) fn root(&self) -> Hash {
        let mut below: Option<Hash> = None;
        for level in &self.levels {
            // What is unfinished below counts as the last node of this level, as RFC 6962 §2.1 splits the tree.
            let nodes: Vec<Hash> = level.iter().copied().chain(below).collect();
            below = (!nodes.is_empty()).then(|| root_of(&nodes));
        }
        below.unwrap_or_else(|| root_of(&[]))
    }

    /// Appends an entry; tiles and bundles that it fills are added to `full`.
    pub(crate) fn append(
        &mut self,
        entry: &[u8],
        leaf: Hash,
        full: &mut Vec<TileFile>,
    ) -> Result<(), TileError> {
        append_entry(&mut self.bundle, entry)?;
        let bundle_index = self.size / u64::from(TILE_WIDTH);
        self.size += 1;
        let mut node = leaf;
        for level in 0_u8..8 {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[usize::from(level)];
            hashes.push(node);
            if hashes.len() < WIDTH {
                break;
            }
            let index = level_size(level, self.size) / u64::from(TILE_WIDTH) - 1;
            full.extend(TilePath::hashes(level, index, TILE_WIDTH).map(|path| (path, encode_hashes(hashes))));
            node = root_of(hashes);
            hashes.clear();
        }
        if self.levels[0].is_empty() {
            let bundle = std::mem::take(&mut self.bundle);
            full.extend(TilePath::entries(bundle_index, TILE_WIDTH).map(|path| (path, bundle)));
        }
        Ok(())
    }

    /// Returns the unfinished tiles and the unfinished bundle that differ from those at an earlier size.
    pub(crate) fn unfinished_since(&self, earlier: u64) -> Vec<TileFile> {
        let mut files = Vec::new();
        for (level, hashes) in (0_u8..).zip(&self.levels) {
            let changed = level_size(level, self.size) != level_size(level, earlier);
            let path = unfinished(level, self.size).filter(|_| changed);
            files.extend(path.map(|path| (path, encode_hashes(hashes))));
        }
        let width = self.levels.first().map_or(0, Vec::len) as u16;
        let path =
            TilePath::entries(self.size / u64::from(TILE_WIDTH), width).filter(|_| self.size != earlier);
        files.extend(path.map(|path| (path, self.bundle.clone())));
        files
    }
}

/// Returns the unfinished tile of a level in a tree of this size.
pub(crate) fn unfinished(level: u8, size: u64) -> Option<TilePath> {
    let index = level_size(level, size) / u64::from(TILE_WIDTH);
    TilePath::hashes(level, index, hashes_width(level, index, size)?)
}
