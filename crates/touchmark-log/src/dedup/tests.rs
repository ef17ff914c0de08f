//! The index of known entries over trees of more than one block, whose tiles are written directly.

use std::fs;

use touchmark_tlog::merkle::leaf_hash;

use super::*;
use crate::frontier::Frontier;
use crate::log::Log;

/// Two runs of level 1, one of level 0, and some leaves beyond.
const SIZE: u64 = run::BLOCK * 17 + 1000;

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn leaf(index: u64) -> Hash {
    leaf_hash(&entry(index))
}

/// Writes the tiles of a tree of this size, without syncing, and returns its root.
fn write_tiles(layout: &Layout, size: u64) -> Hash {
    let mut frontier = Frontier::load(&FileTiles::new(layout), 0).unwrap();
    let write = |files: &mut Vec<(TilePath, Vec<u8>)>| {
        for (path, content) in files.drain(..) {
            let path = layout.tile(&path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    };
    let mut full = Vec::new();
    for index in 0..size {
        frontier.append(&entry(index), leaf(index), &mut full).unwrap();
        write(&mut full);
    }
    write(&mut frontier.unfinished_since(0));
    frontier.root()
}

fn layout(dir: &tempfile::TempDir) -> Layout {
    let layout = Layout::new(dir.path());
    durable::make_private_dir(&layout.temporary()).unwrap();
    layout
}

fn runs(layout: &Layout) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(layout.dedup())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_entry_is_found_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let layout = layout(&dir);
    write_tiles(&layout, SIZE);
    let mut dedup = Dedup::default();
    // Grows as a log grows: block by block, then merged.
    for size in [0, 1000, run::BLOCK - 1, run::BLOCK, run::BLOCK * 3 + 7, SIZE] {
        dedup.refresh(&layout, size).unwrap();
        let step = (size / 500).max(1) as usize;
        for index in (0..size).step_by(step).chain(size.checked_sub(1)) {
            assert_eq!(dedup.position(&layout, &leaf(index)).unwrap(), Some(index));
        }
        for index in size..size + 200 {
            assert_eq!(dedup.position(&layout, &leaf(index)).unwrap(), None);
        }
    }
    assert_eq!(runs(&layout), ["0-16", "1-0"]);
    for hash in [Hash::from_bytes([0; 32]), Hash::from_bytes([0xff; 32])] {
        assert_eq!(dedup.position(&layout, &hash).unwrap(), None);
    }
}

#[test]
fn appended_leaves_are_known_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let layout = layout(&dir);
    write_tiles(&layout, 300);
    let mut dedup = Dedup::default();
    dedup.refresh(&layout, 290).unwrap();
    dedup.appended((290..300).map(leaf));
    dedup.refresh(&layout, 300).unwrap();
    assert_eq!(dedup.position(&layout, &leaf(299)).unwrap(), Some(299));
    assert_eq!(dedup.recent.len(), 300);
}

#[test]
fn runs_that_are_missing_short_or_foreign_are_put_right() {
    let dir = tempfile::tempdir().unwrap();
    let layout = layout(&dir);
    write_tiles(&layout, SIZE);
    Dedup::default().refresh(&layout, SIZE).unwrap();
    fs::remove_file(layout.dedup().join("1-0")).unwrap();
    fs::write(layout.dedup().join("0-16"), b"short").unwrap();
    fs::write(layout.dedup().join("0-99"), b"foreign").unwrap();
    let mut dedup = Dedup::default();
    dedup.refresh(&layout, SIZE).unwrap();
    assert_eq!(runs(&layout), ["0-16", "1-0"]);
    for index in [0, 12_345, run::BLOCK * 16, SIZE - 1] {
        assert_eq!(dedup.position(&layout, &leaf(index)).unwrap(), Some(index));
    }
}

#[test]
fn a_run_that_lies_is_not_believed_and_is_found_by_the_audit() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::create(&dir.path().join("log"), "log.test").unwrap();
    let layout = Layout::new(log.dir());
    let root = write_tiles(&layout, run::BLOCK);
    log.sign_for_test(run::BLOCK, root);
    let mut dedup = Dedup::default();
    dedup.refresh(&layout, run::BLOCK).unwrap();
    // The entries of this test are no bodies, each a problem of its own.
    let problems = || {
        let report = log.check().unwrap();
        report.problems.len() as u64 + report.more_problems
    };
    assert_eq!(problems(), run::BLOCK);
    // The first record now claims the position of another entry.
    let path = layout.dedup().join("0-0");
    let mut content = fs::read(&path).unwrap();
    let first = Hash::from_slice(&content[..32]).unwrap();
    content[39] ^= 1;
    fs::write(&path, &content).unwrap();
    assert_eq!(dedup.position(&layout, &first).unwrap(), None);
    assert_eq!(problems(), run::BLOCK + 1);
    // The first two records have changed places.
    content[39] ^= 1;
    content[..80].rotate_left(40);
    fs::write(&path, &content).unwrap();
    assert_eq!(problems(), run::BLOCK + 1);
}

#[test]
#[ignore = "writes 1,000,000 entries; prints how long it takes to open such a log and to append to it"]
fn a_log_of_a_million_entries_is_opened() {
    const MILLION: u64 = 1_000_000;
    let dir = tempfile::tempdir().unwrap();
    let log = Log::create(&dir.path().join("log"), "log.test").unwrap();
    let layout = Layout::new(log.dir());
    let root = write_tiles(&layout, MILLION);
    log.sign_for_test(MILLION, root);
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let start = std::time::Instant::now();
        work();
        println!("{what}: {:?}", start.elapsed());
    };
    timed("open", &mut || drop(Log::open(log.dir()).unwrap()));
    timed("index built from nothing", &mut || {
        Dedup::default().refresh(&layout, MILLION).unwrap()
    });
    let mut dedup = Dedup::default();
    timed("index opened", &mut || dedup.refresh(&layout, MILLION).unwrap());
    timed("frontier loaded", &mut || {
        drop(Frontier::load(&FileTiles::new(&layout), MILLION).unwrap())
    });
    timed("10,000 look-ups of what is not there", &mut || {
        for index in MILLION..MILLION + 10_000 {
            assert_eq!(dedup.position(&layout, &leaf(index)).unwrap(), None);
        }
    });
    timed("entry with fresh proof", &mut || {
        drop(log.get(MILLION / 3).unwrap())
    });
}
