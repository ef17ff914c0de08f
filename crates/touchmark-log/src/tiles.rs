//! Reading tiles and entry bundles from the log's directory.
//!
//! Unfinished tiles are replaced as the log grows. A reader that holds an older checkpoint takes the beginning of a
//! wider tile instead: what is there once does not change.

use std::fs;
use std::io;

use touchmark_tlog::merkle::Hash;
use touchmark_tlog::prove::TileSource;
use touchmark_tlog::tile::{
    MAX_ENTRY_BYTES, TILE_WIDTH, TileError, TileKind, TilePath, hashes_width, parse_entries, parse_hashes,
};

use crate::durable::read_capped;
use crate::error::{LogError, storage};
use crate::layout::Layout;

const MAX_TILE_BYTES: usize = TILE_WIDTH as usize * (2 + MAX_ENTRY_BYTES) + 1;

/// The tiles of one log directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileTiles<'a> {
    layout: &'a Layout,
}

impl<'a> FileTiles<'a> {
    pub(crate) fn new(layout: &'a Layout) -> Self {
        Self { layout }
    }

    /// Reads a tile or bundle of exactly this width.
    pub(crate) fn read(&self, path: &TilePath) -> Result<Vec<u8>, LogError> {
        // A wider tile may take the place of the narrower one between two looks, a few times at most.
        for _ in 0..4 {
            if let Some(content) = self.read_file(path)? {
                return self.first(path, path, content);
            }
            let Some(wider) = self.wider(path)? else { break };
            if let Some(content) = self.read_file(&wider)? {
                return self.first(path, &wider, content);
            }
        }
        Err(LogError::TileMissing {
            path: self.layout.tile(path),
        })
    }

    /// Reads a hash tile of exactly this width.
    pub(crate) fn hashes(&self, path: &TilePath) -> Result<Vec<Hash>, LogError> {
        parse_hashes(&self.read(path)?, path.width()).map_err(|source| self.damaged(path, source))
    }

    /// Reads the entries of a bundle of exactly this width.
    pub(crate) fn entries(&self, path: &TilePath) -> Result<Vec<Vec<u8>>, LogError> {
        let content = self.read(path)?;
        let entries = parse_entries(&content, path.width()).map_err(|source| self.damaged(path, source))?;
        Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// Reads the hashes of the leaves from `start`, a multiple of 256, up to `end`.
    pub(crate) fn leaves(&self, start: u64, end: u64) -> Result<Vec<Hash>, LogError> {
        let width = u64::from(TILE_WIDTH);
        let mut leaves = Vec::new();
        for index in start / width..end.div_ceil(width) {
            let path = hashes_width(0, index, end).and_then(|width| TilePath::hashes(0, index, width));
            if let Some(path) = path {
                leaves.extend(self.hashes(&path)?);
            }
        }
        Ok(leaves)
    }

    fn read_file(&self, path: &TilePath) -> Result<Option<Vec<u8>>, LogError> {
        read_capped(&self.layout.tile(path), MAX_TILE_BYTES)
    }

    /// Returns the first `wanted.width()` hashes or entries of a tile.
    fn first(&self, wanted: &TilePath, found: &TilePath, mut content: Vec<u8>) -> Result<Vec<u8>, LogError> {
        let end = match found.kind() {
            TileKind::Hashes { .. } => {
                parse_hashes(&content, found.width()).map(|_| usize::from(wanted.width()) * Hash::LEN)
            }
            TileKind::Entries => parse_entries(&content, found.width()).map(|entries| {
                entries[..usize::from(wanted.width())]
                    .iter()
                    .map(|entry| 2 + entry.len())
                    .sum()
            }),
        };
        content.truncate(end.map_err(|source| self.damaged(found, source))?);
        Ok(content)
    }

    /// Finds the tile at the same place that is wider.
    fn wider(&self, path: &TilePath) -> Result<Option<TilePath>, LogError> {
        let of_width = |width| match path.kind() {
            TileKind::Hashes { level } => TilePath::hashes(level, path.index(), width),
            TileKind::Entries => TilePath::entries(path.index(), width),
        };
        let full = of_width(TILE_WIDTH);
        if full.is_some_and(|full| self.layout.tile(&full).exists()) {
            return Ok(full);
        }
        let widths = partial_widths(self.layout, path)?;
        Ok(widths
            .into_iter()
            .filter(|width| *width > path.width())
            .min()
            .and_then(of_width))
    }

    fn damaged(&self, path: &TilePath, source: TileError) -> LogError {
        LogError::Tile {
            path: self.layout.tile(path),
            source,
        }
    }
}

/// Lists the widths of the unfinished tiles at the place of this one.
pub(crate) fn partial_widths(layout: &Layout, path: &TilePath) -> Result<Vec<u16>, LogError> {
    let Some(dir) = layout.tile(path).parent().map(ToOwned::to_owned) else {
        return Ok(Vec::new());
    };
    if path.width() == TILE_WIDTH {
        return Ok(Vec::new());
    }
    let listing = match fs::read_dir(&dir) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(storage("list", &dir)(error)),
    };
    let mut widths = Vec::new();
    for entry in listing {
        let name = entry.map_err(storage("list", &dir))?.file_name();
        widths.extend(name.to_str().and_then(|name| name.parse::<u16>().ok()));
    }
    Ok(widths)
}

impl TileSource for FileTiles<'_> {
    type Error = LogError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, LogError> {
        match TilePath::hashes(level, index, width) {
            Some(path) => self.hashes(&path),
            None => Ok(Vec::new()),
        }
    }
}
