//! C2SP tlog-tiles: the names and contents of the files in which a log is kept.
//!
//! A hash tile holds up to 256 hashes of every eighth level of the tree; an entry bundle holds up to 256 entries,
//! each after its length in two bytes. <https://c2sp.org/tlog-tiles>

use std::fmt;

use crate::merkle::Hash;

/// The number of tree levels that one tile level spans.
pub const TILE_HEIGHT: u32 = 8;
/// The number of hashes in a full tile, and of entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// The largest level a tile path may name.
pub const MAX_TILE_LEVEL: u8 = 63;
/// The largest entry that a bundle can hold: its length is written in two bytes.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// Why a tile, an entry bundle or one of their paths was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError {
    /// The path does not name a tile in its one canonical spelling.
    #[error("not a tile path")]
    Path,
    /// The tile is not a whole number of hashes, or not the number expected.
    #[error("the tile must have {expected} bytes, found {found}")]
    TileLength {
        /// The number of bytes demanded by the tile's width.
        expected: usize,
        /// The number of bytes found.
        found: usize,
    },
    /// The entry bundle ends in the middle of an entry.
    #[error("the entry bundle ends inside entry {entry} of {width}")]
    BundleTruncated {
        /// The position of the entry in the bundle.
        entry: usize,
        /// The number of entries demanded by the bundle's width.
        width: u16,
    },
    /// The entry bundle goes on after its last entry.
    #[error("the entry bundle goes on for {extra} bytes after its {width} entries")]
    BundleTrailing {
        /// The number of bytes left over.
        extra: usize,
        /// The number of entries demanded by the bundle's width.
        width: u16,
    },
    /// The entry does not fit into a bundle.
    #[error("an entry may have at most {MAX_ENTRY_BYTES} bytes, found {found}")]
    EntryTooLarge {
        /// The number of bytes found.
        found: usize,
    },
}

impl TileError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Path => "tlog.tile_path",
            Self::TileLength { .. } => "tlog.tile_length",
            Self::BundleTruncated { .. } | Self::BundleTrailing { .. } => "tlog.entry_bundle",
            Self::EntryTooLarge { .. } => "tlog.entry_size",
        }
    }
}

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// The hashes of a tree level that is a multiple of eight.
    Hashes {
        /// The tile level: tree level divided by eight.
        level: u8,
    },
    /// The entries themselves.
    Entries,
}

/// The place of a tile in a log, which is also the relative path of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl TilePath {
    /// Returns the path of a hash tile; `None` if level or width are out of range.
    pub fn hashes(level: u8, index: u64, width: u16) -> Option<Self> {
        let valid = level <= MAX_TILE_LEVEL && (1..=TILE_WIDTH).contains(&width);
        valid.then_some(Self {
            kind: TileKind::Hashes { level },
            index,
            width,
        })
    }

    /// Returns the path of an entry bundle; `None` if the width is out of range.
    pub fn entries(index: u64, width: u16) -> Option<Self> {
        (1..=TILE_WIDTH).contains(&width).then_some(Self {
            kind: TileKind::Entries,
            index,
            width,
        })
    }

    /// Returns what the tile holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Returns the position of the tile among those of its kind.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Returns the number of hashes or entries, 256 for a full tile.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Parses a path such as `tile/0/x001/x234/067.p/8`; only the spelling that `Display` writes is accepted.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        // The longest path names u64::MAX in seven groups; a longer text is none.
        if path.len() > 64 {
            return Err(TileError::Path);
        }
        let parsed = parse_parts(path).ok_or(TileError::Path)?;
        // One spelling only: no leading zeros, no needless groups, no `.p/256`.
        if parsed.to_string() == path {
            Ok(parsed)
        } else {
            Err(TileError::Path)
        }
    }
}

fn parse_parts(path: &str) -> Option<TilePath> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (groups, width) = match rest.split_once(".p/") {
        Some((groups, width)) => (groups, small_number(width)?),
        None => (rest, TILE_WIDTH),
    };
    let mut index = 0_u64;
    let mut groups = groups.split('/').peekable();
    while let Some(group) = groups.next() {
        let digits = if groups.peek().is_some() {
            group.strip_prefix('x')?
        } else {
            group
        };
        if digits.len() != 3 {
            return None;
        }
        index = index
            .checked_mul(1000)?
            .checked_add(u64::from(small_number(digits)?))?;
    }
    match kind {
        "entries" => TilePath::entries(index, width),
        level => TilePath::hashes(u8::try_from(small_number(level)?).ok()?, index, width),
    }
}

fn small_number(text: &str) -> Option<u16> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = Vec::new();
        let mut rest = self.index;
        while rest >= 1000 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        groups.push(rest);
        for (position, group) in groups.iter().enumerate().rev() {
            match position {
                0 => write!(f, "{group:03}")?,
                _ => write!(f, "x{group:03}/")?,
            }
        }
        if self.width < TILE_WIDTH {
            write!(f, ".p/{}", self.width)
        } else {
            Ok(())
        }
    }
}

/// Returns how many nodes of a tile level a tree of this size has.
pub fn level_size(level: u8, tree_size: u64) -> u64 {
    tree_size.checked_shr(TILE_HEIGHT * u32::from(level)).unwrap_or(0)
}

/// Returns the width that a hash tile has in a tree of this size; `None` if the tree does not reach it.
pub fn hashes_width(level: u8, index: u64, tree_size: u64) -> Option<u16> {
    let start = index.checked_mul(u64::from(TILE_WIDTH))?;
    let width = level_size(level, tree_size)
        .checked_sub(start)?
        .min(u64::from(TILE_WIDTH));
    u16::try_from(width).ok().filter(|width| *width > 0)
}

/// Returns the width that an entry bundle has in a tree of this size; `None` if the tree does not reach it.
pub fn entries_width(index: u64, tree_size: u64) -> Option<u16> {
    hashes_width(0, index, tree_size)
}

/// Parses a hash tile of exactly this width.
pub fn parse_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    let expected = usize::from(width) * Hash::LEN;
    if bytes.len() != expected {
        return Err(TileError::TileLength {
            expected,
            found: bytes.len(),
        });
    }
    Ok(bytes
        .chunks_exact(Hash::LEN)
        .filter_map(Hash::from_slice)
        .collect())
}

/// Encodes a hash tile.
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Parses an entry bundle of exactly this many entries, which borrow from it.
pub fn parse_entries(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::with_capacity(usize::from(width));
    let mut rest = bytes;
    for entry in 0..usize::from(width) {
        let truncated = TileError::BundleTruncated { entry, width };
        let Some((length, after)) = rest.split_first_chunk::<2>() else {
            return Err(truncated);
        };
        let Some((content, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
            return Err(truncated);
        };
        entries.push(content);
        rest = after;
    }
    match rest.len() {
        0 => Ok(entries),
        extra => Err(TileError::BundleTrailing { extra, width }),
    }
}

/// Appends one entry to an entry bundle.
pub fn append_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLarge { found: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}
