//! The audit of a log: everything is derived again from the entries and compared.

use std::fmt;
use std::path::PathBuf;

use touchmark_tlog::checkpoint::VerifiedCheckpoint;
use touchmark_tlog::entry::{CreateEntryRequest, EntryError, HashedRekordV002};
use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_tlog::tile::{TILE_WIDTH, TilePath, entries_width};

use crate::accept::{RejectError, accept};
use crate::dedup::{Run, RunId, leaf_at};
use crate::durable::WriteLock;
use crate::error::LogError;
use crate::frontier::{Frontier, TileFile};
use crate::layout::Layout;
use crate::tiles::FileTiles;

/// The most problems that a report lists.
const MAX_PROBLEMS: usize = 1000;

/// What an audit found.
#[derive(Debug)]
pub struct Report {
    /// The size that the checkpoint has.
    pub size: u64,
    /// The root that the checkpoint has.
    pub root: Hash,
    /// The number of entries that were read and verified.
    pub entries: u64,
    /// The number of hash tiles that were compared.
    pub tiles: u64,
    /// What is wrong, in the order of the log, the first thousand.
    pub problems: Vec<Problem>,
    /// The number of problems beyond those listed.
    pub more_problems: u64,
}

/// One thing that is wrong with a log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// A tile or bundle is missing or cannot be read.
    Unreadable(LogError),
    /// A hash tile differs from what the entries lead to.
    TileDiffers {
        /// The file.
        path: PathBuf,
        /// The position in the tile of the first hash that differs.
        position: usize,
    },
    /// The entries lead to another root than the checkpoint.
    RootDiffers {
        /// The root that the entries lead to.
        computed: Hash,
        /// The root in the checkpoint.
        signed: Hash,
    },
    /// An entry is not one that this log accepts.
    Body {
        /// The position of the entry.
        index: u64,
        /// What is wrong with it.
        source: EntryError,
    },
    /// The signature of an entry does not verify.
    Entry {
        /// The position of the entry.
        index: u64,
        /// What is wrong with it.
        source: RejectError,
    },
    /// An entry is in the log twice.
    Duplicate {
        /// The position of the second one.
        index: u64,
    },
    /// A run of the index of known entries is out of order, or does not say what the tiles say.
    Dedup {
        /// The file.
        path: PathBuf,
        /// The number of the first record that is wrong.
        record: u64,
    },
}

impl Problem {
    /// Returns the stable code of this problem.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(error) => error.code(),
            Self::TileDiffers { .. } => "log.tile_differs",
            Self::RootDiffers { .. } => "log.root",
            Self::Body { source, .. } => source.code(),
            Self::Entry { source, .. } => source.code(),
            Self::Duplicate { .. } => "log.duplicate",
            Self::Dedup { .. } => "log.dedup",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::TileDiffers { path, position } => {
                write!(
                    f,
                    "{} differs from the entries, first at position {position}",
                    path.display()
                )
            }
            Self::RootDiffers { computed, signed } => {
                write!(
                    f,
                    "the entries lead to root {computed}, but the checkpoint has {signed}"
                )
            }
            Self::Body { index, source } => write!(f, "entry {index} is malformed: {source}"),
            Self::Entry { index, source } => write!(f, "entry {index} does not verify: {source}"),
            Self::Duplicate { index } => write!(f, "entry {index} is in the log a second time"),
            Self::Dedup { path, record } => {
                write!(
                    f,
                    "{} does not agree with the tiles, first at record {record}",
                    path.display()
                )
            }
        }
    }
}

/// Audits the log as of this checkpoint. Appending may go on meanwhile.
pub(crate) fn check(layout: &Layout, checkpoint: &VerifiedCheckpoint) -> Result<Report, LogError> {
    let (size, root) = (checkpoint.size(), *checkpoint.root());
    let mut audit = Audit {
        layout,
        report: Report {
            size,
            root,
            entries: 0,
            tiles: 0,
            problems: Vec::new(),
            more_problems: 0,
        },
    };
    let complete = audit.entries_and_tiles();
    if let Some(computed) = complete.filter(|computed| *computed != root) {
        audit.report(Problem::RootDiffers {
            computed,
            signed: root,
        });
    }
    audit.dedup()?;
    Ok(audit.report)
}

struct Audit<'a> {
    layout: &'a Layout,
    report: Report,
}

impl Audit<'_> {
    fn report(&mut self, problem: Problem) {
        if self.report.problems.len() < MAX_PROBLEMS {
            self.report.problems.push(problem);
        } else {
            self.report.more_problems += 1;
        }
    }

    /// Reads every entry, verifies it, and compares the tiles that the entries lead to. Returns the root, unless an
    /// entry could not be read.
    fn entries_and_tiles(&mut self) -> Option<Hash> {
        let (size, tiles) = (self.report.size, FileTiles::new(self.layout));
        let mut frontier = Frontier::load(&tiles, 0).ok()?;
        for bundle in 0..size.div_ceil(u64::from(TILE_WIDTH)) {
            let path = entries_width(bundle, size).and_then(|width| TilePath::entries(bundle, width))?;
            let entries = match tiles.entries(&path) {
                Ok(entries) => entries,
                Err(error) => {
                    // Without these entries nothing above or after them can be derived.
                    self.report(Problem::Unreadable(error));
                    return None;
                }
            };
            let mut derived = Vec::new();
            for (index, body) in (bundle * u64::from(TILE_WIDTH)..).zip(&entries) {
                self.entry(index, body);
                // What was read from a bundle fits into a bundle.
                let _ = frontier.append(body, leaf_hash(body), &mut derived);
            }
            self.compare(&derived);
        }
        self.compare(&frontier.unfinished_since(0));
        Some(frontier.root())
    }

    fn entry(&mut self, index: u64, body: &[u8]) {
        self.report.entries += 1;
        match HashedRekordV002::parse_canonical(body) {
            Err(source) => self.report(Problem::Body { index, source }),
            Ok(entry) => {
                let request = CreateEntryRequest {
                    digest: entry.digest,
                    signature: entry.signature,
                    verifier: entry.verifier,
                };
                if let Err(source) = accept(&request) {
                    self.report(Problem::Entry { index, source });
                }
            }
        }
    }

    fn compare(&mut self, derived: &[TileFile]) {
        for (path, expected) in derived {
            if path.kind() == touchmark_tlog::tile::TileKind::Entries {
                continue;
            }
            self.report.tiles += 1;
            match FileTiles::new(self.layout).read(path) {
                Err(error) => self.report(Problem::Unreadable(error)),
                Ok(found) => {
                    let hashes = expected.chunks(Hash::LEN).zip(found.chunks(Hash::LEN));
                    let differs = hashes.into_iter().position(|(expected, found)| expected != found);
                    if let Some(position) = differs {
                        self.report(Problem::TileDiffers {
                            path: self.layout.tile(path),
                            position,
                        });
                    }
                }
            }
        }
    }

    /// Compares the index of known entries with the tiles. Writers wait meanwhile, since they rearrange it.
    fn dedup(&mut self) -> Result<(), LogError> {
        let _lock = WriteLock::acquire_shared(self.layout)?;
        for id in RunId::covering(self.report.size) {
            // A run that is not there is built when it is needed.
            if let Some(run) = Run::open(self.layout, id)? {
                self.run(&run)?;
            }
        }
        Ok(())
    }

    fn run(&mut self, run: &Run) -> Result<(), LogError> {
        let id = run.id();
        let mut seen = vec![false; usize::try_from(id.len()).unwrap_or(0)];
        let mut previous: Option<Hash> = None;
        for (number, record) in (0_u64..).zip(run.records()?) {
            let wrong = Problem::Dedup {
                path: id.path(self.layout),
                record: number,
            };
            let Ok((leaf, index)) = record else {
                self.report(wrong);
                return Ok(());
            };
            let place = index
                .checked_sub(id.start())
                .and_then(|place| seen.get_mut(usize::try_from(place).ok()?));
            let new = place.is_some_and(|seen| !std::mem::replace(seen, true));
            let ordered = previous.is_none_or(|previous| previous <= leaf);
            if !new || !ordered || leaf_at(self.layout, index, self.report.size).ok().flatten() != Some(leaf)
            {
                self.report(wrong);
                return Ok(());
            }
            if previous == Some(leaf) {
                self.report(Problem::Duplicate { index });
            }
            previous = Some(leaf);
        }
        Ok(())
    }
}
