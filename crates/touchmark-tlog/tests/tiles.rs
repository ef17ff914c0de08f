//! Tile paths, tiles and entry bundles, compared with another implementation where there is one.

use proptest::prelude::*;
use tlog_tiles::{HashReader, Tile};
use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_tlog::prove::{self, TileSource};
use touchmark_tlog::tile::{
    TileError, TileKind, TilePath, append_entry, encode_hashes, entries_width, hashes_width, level_size,
    parse_entries, parse_hashes,
};

#[test]
fn paths_are_those_of_the_specification() {
    for (path, kind, index, width) in [
        (
            "tile/0/x001/x234/067",
            TileKind::Hashes { level: 0 },
            1_234_067,
            256,
        ),
        ("tile/0/000.p/1", TileKind::Hashes { level: 0 }, 0, 1),
        ("tile/63/999", TileKind::Hashes { level: 63 }, 999, 256),
        ("tile/2/x001/000.p/255", TileKind::Hashes { level: 2 }, 1000, 255),
        (
            "tile/entries/x018/x446/x744/x073/x709/x551/615",
            TileKind::Entries,
            u64::MAX,
            256,
        ),
        ("tile/entries/007.p/8", TileKind::Entries, 7, 8),
    ] {
        let parsed = TilePath::parse(path).expect(path);
        assert_eq!(
            (parsed.kind(), parsed.index(), parsed.width()),
            (kind, index, width),
            "{path}"
        );
        assert_eq!(parsed.to_string(), path);
    }
}

#[test]
fn paths_have_one_spelling() {
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile//000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/000.p/1/2",
        "tile/0/000.p/1.p/2",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/data/000",
        "tile/entries/../../.private/key",
        "tile/0/%2e%2e/000",
        "tile/0/0\u{0660}0",
        "tile/0/000\0",
        "tile/0/x001/../000",
    ] {
        assert_eq!(TilePath::parse(path), Err(TileError::Path), "{path:?}");
    }
}

#[test]
fn widths_follow_the_tree_size() {
    assert_eq!(hashes_width(0, 0, 0), None);
    assert_eq!(hashes_width(0, 0, 70_000), Some(256));
    assert_eq!(hashes_width(0, 273, 70_000), Some(112));
    assert_eq!(hashes_width(0, 274, 70_000), None);
    assert_eq!(hashes_width(1, 1, 70_000), Some(17));
    assert_eq!(hashes_width(2, 0, 70_000), Some(1));
    assert_eq!(hashes_width(3, 0, 70_000), None);
    assert_eq!(hashes_width(7, 0, u64::MAX), Some(255));
    assert_eq!(hashes_width(63, u64::MAX, u64::MAX), None);
    assert_eq!(entries_width(1, 257), Some(1));
    assert_eq!(level_size(8, u64::MAX), 0);
}

#[test]
fn tiles_have_exactly_their_length() {
    let hashes: Vec<Hash> = (0..5_u8).map(|leaf| leaf_hash(&[leaf])).collect();
    let bytes = encode_hashes(&hashes);
    assert_eq!(parse_hashes(&bytes, 5), Ok(hashes));
    for width in [4, 6] {
        assert_eq!(
            parse_hashes(&bytes, width).expect_err("length").code(),
            "tlog.tile_length"
        );
    }
    assert_eq!(
        parse_hashes(&bytes[1..], 5).expect_err("length").code(),
        "tlog.tile_length"
    );
}

#[test]
fn entry_bundles_have_exactly_their_entries() {
    let mut bundle = Vec::new();
    let largest = vec![7; 65_535];
    for entry in [b"one".as_slice(), b"", &largest] {
        append_entry(&mut bundle, entry).expect("small enough");
    }
    assert_eq!(
        parse_entries(&bundle, 3),
        Ok(vec![b"one".as_slice(), b"", &largest])
    );
    assert_eq!(
        parse_entries(&bundle, 4),
        Err(TileError::BundleTruncated { entry: 3, width: 4 })
    );
    assert_eq!(
        parse_entries(&bundle, 2),
        Err(TileError::BundleTrailing {
            extra: 65_537,
            width: 2
        })
    );
    assert_eq!(
        parse_entries(&bundle[..bundle.len() - 1], 3),
        Err(TileError::BundleTruncated { entry: 2, width: 3 })
    );
    let before = bundle.clone();
    assert_eq!(
        append_entry(&mut bundle, &vec![7; 65_536]),
        Err(TileError::EntryTooLarge { found: 65_536 })
    );
    assert_eq!(bundle, before);
}

/// The tree as the other implementation stores it.
struct Stored(Vec<tlog_tiles::Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

impl Stored {
    fn of(size: u64) -> Self {
        let mut stored = Self(Vec::new());
        for index in 0..size {
            let hashes = tlog_tiles::stored_hashes(index, &index.to_be_bytes(), &stored).expect("in order");
            stored.0.extend(hashes);
        }
        stored
    }
}

impl TileSource for Stored {
    type Error = tlog_tiles::Error;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let data = Tile::new(8, level, index, u32::from(width), false).read_data(self)?;
        Ok(parse_hashes(&data, width).expect("whole hashes"))
    }
}

fn ours(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| Hash::from_bytes(hash.0)).collect()
}

#[test]
fn roots_and_proofs_equal_those_of_tlog_tiles() {
    let stored = Stored::of(70_000);
    for size in [1_u64, 2, 255, 256, 257, 511, 4097, 65_535, 65_536, 65_537, 70_000] {
        let root = tlog_tiles::tree_hash(size, &stored).expect("a root");
        assert_eq!(
            *prove::root(&stored, size).expect("a root").as_bytes(),
            root.0,
            "{size}"
        );
        for index in [0, 1, 100, 255, 256, 65_535, 65_536]
            .into_iter()
            .filter(|index| *index < size)
            .chain([size - 1])
        {
            let theirs = tlog_tiles::prove_record(size, index, &stored).expect("in range");
            assert_eq!(
                prove::inclusion(&stored, index, size).expect("in range"),
                ours(&theirs),
                "{index} of {size}"
            );
        }
        for old in [1, 2, 3, 128, 255, 256, 300, 65_536]
            .into_iter()
            .filter(|old| *old < size)
        {
            let theirs = tlog_tiles::prove_tree(size, old, &stored).expect("in range");
            assert_eq!(
                prove::consistency(&stored, old, size).expect("in range"),
                ours(&theirs),
                "{old} to {size}"
            );
        }
    }
}

proptest! {
    #[test]
    fn paths_survive_a_round_trip(level in 0..64_u8, index in any::<u64>(), width in 1..=256_u16) {
        for path in [TilePath::hashes(level, index, width), TilePath::entries(index, width)] {
            let path = path.expect("in range");
            prop_assert_eq!(TilePath::parse(&path.to_string()), Ok(path));
        }
    }

    #[test]
    fn paths_equal_those_of_tlog_tiles(level in 0..63_u8, index in 0..u64::from(u32::MAX), width in 1..=256_u32) {
        let ours = TilePath::hashes(level, index, width as u16).expect("in range").to_string();
        // Go's form names the height as well.
        let theirs = Tile::new(8, level, index, width, false).path().replacen("tile/8/", "tile/", 1);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn hostile_bundles_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), width in 0..=256_u16) {
        let _ = parse_entries(&bytes, width);
        let _ = parse_hashes(&bytes, width);
    }

    #[test]
    fn bundles_survive_a_round_trip(
        entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..20),
    ) {
        let mut bundle = Vec::new();
        for entry in &entries {
            append_entry(&mut bundle, entry).expect("small");
        }
        let parsed = parse_entries(&bundle, entries.len() as u16).expect("whole");
        prop_assert_eq!(parsed, entries.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}
