//! One sorted run of leaf hashes: a file of records of 40 bytes, hash and big-endian position, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use touchmark_tlog::merkle::Hash;

use crate::durable::{Audience, Settled, Staging};
use crate::error::{LogError, storage};
use crate::layout::Layout;
use crate::tiles::FileTiles;

/// The number of leaves in a run of level 0.
pub(crate) const BLOCK: u64 = 1 << 14;
/// The number of runs that one of the next level takes the place of.
const FANOUT: u64 = 16;
const RECORD: usize = 40;
/// The number of records that a look-up reads at once: not quite a page.
const WINDOW: u64 = 100;

/// A leaf hash and its position.
pub(crate) type Record = (Hash, u64);

/// Which leaves a run covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunId {
    level: u32,
    number: u64,
}

impl RunId {
    /// Returns the fewest runs that cover this many leaves, a multiple of the block.
    pub(crate) fn covering(leaves: u64) -> Vec<Self> {
        let (blocks, mut at, mut runs) = (leaves / BLOCK, 0, Vec::new());
        // 2^14 leaves times 16^12 are more than any log has.
        for level in (0..12_u32).rev() {
            let width = FANOUT.pow(level);
            while at + width <= blocks {
                runs.push(Self {
                    level,
                    number: at / width,
                });
                at += width;
            }
        }
        runs
    }

    /// Returns the number of leaves covered.
    pub(crate) fn len(self) -> u64 {
        BLOCK * FANOUT.pow(self.level)
    }

    /// Returns the position of the first leaf covered.
    pub(crate) fn start(self) -> u64 {
        self.number * self.len()
    }

    pub(crate) fn path(self, layout: &Layout) -> PathBuf {
        layout.dedup().join(self.to_string())
    }

    fn children(self) -> impl Iterator<Item = Self> {
        (0..FANOUT).map(move |child| Self {
            level: self.level - 1,
            number: self.number * FANOUT + child,
        })
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.level, self.number)
    }
}

/// An open run.
#[derive(Debug)]
pub(crate) struct Run {
    id: RunId,
    path: PathBuf,
    file: File,
}

impl Run {
    /// Opens a run; `None` if it is not there or does not have its length.
    pub(crate) fn open(layout: &Layout, id: RunId) -> Result<Option<Self>, LogError> {
        let path = id.path(layout);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(storage("open", &path)(error)),
        };
        let length = file.metadata().map_err(storage("read", &path))?.len();
        Ok((length == id.len() * RECORD as u64).then_some(Self { id, path, file }))
    }

    /// Finds the position of a leaf hash. Hashes are spread evenly, so the first guess is mostly right; every third
    /// one halves what is left, so that no choice of hashes makes the search long.
    pub(crate) fn position(&self, leaf: &Hash) -> Result<Option<u64>, LogError> {
        let (mut low, mut high) = (0, self.id.len());
        let (mut low_key, mut high_key) = (0, u64::MAX);
        for round in 0_u32.. {
            let width = (high - low).min(WINDOW);
            let guess = if round % 3 == 2 {
                (high - low) / 2
            } else {
                interpolate(leaf, low_key, high_key, high - low)
            };
            let start = (low + guess).saturating_sub(width / 2).clamp(low, high - width);
            let window = self.read(start, width)?;
            match (window.first(), window.last()) {
                (Some((first, _)), _) if leaf < first => (high, high_key) = (start, key(first)),
                (_, Some((last, _))) if leaf > last => (low, low_key) = (start + width, key(last)),
                _ => {
                    let found = window.binary_search_by(|(hash, _)| hash.cmp(leaf)).ok();
                    return Ok(found.map(|at| window[at].1));
                }
            }
            if low >= high {
                break;
            }
        }
        Ok(None)
    }

    /// Reads all records in order.
    pub(crate) fn records(&self) -> Result<impl Iterator<Item = io::Result<Record>> + use<>, LogError> {
        let file = File::open(&self.path).map_err(storage("open", &self.path))?;
        let mut reader = BufReader::with_capacity(1 << 16, file).take(self.id.len() * RECORD as u64);
        Ok(std::iter::from_fn(move || {
            let mut record = [0; RECORD];
            match reader.limit() {
                0 => None,
                _ => Some(reader.read_exact(&mut record).map(|()| decode(&record))),
            }
        }))
    }

    pub(crate) fn id(&self) -> RunId {
        self.id
    }

    fn read(&self, start: u64, count: u64) -> Result<Vec<Record>, LogError> {
        let mut bytes = vec![0; count as usize * RECORD];
        self.file
            .read_exact_at(&mut bytes, start * RECORD as u64)
            .map_err(storage("read", &self.path))?;
        let (records, _) = bytes.as_chunks::<RECORD>();
        Ok(records.iter().map(decode).collect())
    }
}

/// Opens a run, or builds it from the runs below it or from the tiles.
pub(super) fn open_or_build(layout: &Layout, id: RunId) -> Result<Run, LogError> {
    if let Some(run) = Run::open(layout, id)? {
        return Ok(run);
    }
    if id.level == 0 {
        build_from_tiles(layout, id)?;
    } else {
        let children = id
            .children()
            .map(|child| open_or_build(layout, child))
            .collect::<Result<Vec<_>, _>>()?;
        merge(layout, id, &children)?;
    }
    let path = id.path(layout);
    let gone = || storage("open", &path)(io::ErrorKind::NotFound.into());
    Run::open(layout, id)?.ok_or_else(gone)
}

fn build_from_tiles(layout: &Layout, id: RunId) -> Result<(), LogError> {
    let leaves = FileTiles::new(layout).leaves(id.start(), id.start() + id.len())?;
    let mut records: Vec<Record> = leaves.into_iter().zip(id.start()..).collect();
    records.sort_unstable();
    write(layout, id, records.into_iter().map(Ok))
}

fn merge(layout: &Layout, id: RunId, children: &[Run]) -> Result<(), LogError> {
    let mut readers = children.iter().map(Run::records).collect::<Result<Vec<_>, _>>()?;
    let mut heads = BinaryHeap::new();
    for (at, reader) in readers.iter_mut().enumerate() {
        if let Some(first) = reader.next() {
            heads.push(Reverse((first.map_err(storage("read", &children[at].path))?, at)));
        }
    }
    let merged = std::iter::from_fn(|| {
        let Reverse((record, at)) = heads.pop()?;
        match readers[at].next() {
            Some(Ok(next)) => heads.push(Reverse((next, at))),
            Some(Err(error)) => return Some(Err(error)),
            None => {}
        }
        Some(Ok(record))
    });
    write(layout, id, merged)
}

fn write(
    layout: &Layout,
    id: RunId,
    records: impl Iterator<Item = io::Result<Record>>,
) -> Result<(), LogError> {
    let mut staging = Staging::new(layout);
    staging.add_with(id.path(layout), Audience::Owner, |file| {
        for record in records {
            let (hash, index) = record?;
            file.write_all(hash.as_bytes())?;
            file.write_all(&index.to_be_bytes())?;
        }
        Ok(())
    })?;
    staging.publish(&mut Settled::default())
}

fn decode(record: &[u8; RECORD]) -> Record {
    let (hash, index) = record
        .split_first_chunk::<32>()
        .expect("a record is longer than a hash");
    let index = index
        .first_chunk::<8>()
        .expect("a record is a hash and a position");
    (Hash::from_bytes(*hash), u64::from_be_bytes(*index))
}

/// The beginning of a hash as a number.
fn key(hash: &Hash) -> u64 {
    u64::from_be_bytes(
        *hash
            .as_bytes()
            .first_chunk()
            .expect("a hash is longer than a number"),
    )
}

/// Returns where in a range of records a hash would be, if they are spread evenly between two keys.
fn interpolate(leaf: &Hash, low_key: u64, high_key: u64, count: u64) -> u64 {
    let span = u128::from(high_key.saturating_sub(low_key)).max(1);
    let offset = u128::from(key(leaf).saturating_sub(low_key));
    let guess = offset * u128::from(count) / span;
    u64::try_from(guess).unwrap_or(u64::MAX).min(count)
}
