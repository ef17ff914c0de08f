//! Appending a batch: tiles first, the checkpoint last, everything synced before anybody is answered.
//!
//! Up to the rename of the checkpoint nothing that was written is part of the log: files of the same names are
//! replaced by the next batch. After it, everything that the checkpoint covers is durable.

use std::collections::HashMap;
use std::fs;

use touchmark_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint, verify_note};
use touchmark_tlog::entry::{InclusionProof, KindVersion, LogEntry};
use touchmark_tlog::merkle::{Hash, verify_inclusion};
use touchmark_tlog::note::MAX_NOTE_BYTES;
use touchmark_tlog::prove::{ProveError, Prover, TileSource};
use touchmark_tlog::tile::{TILE_WIDTH, TileKind, TilePath};

use crate::accept::AcceptedEntry;
use crate::dedup::Dedup;
use crate::durable::{self, Audience, Settled, Staging, WriteLock};
use crate::error::LogError;
use crate::frontier::{Frontier, TileFile};
use crate::key::LogKey;
use crate::layout::Layout;
use crate::tiles::{FileTiles, partial_widths};

/// What became of one entry of a batch.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Added(Box<LogEntry>),
    Duplicate(u64),
}

/// The one writer of a process.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// The right edge at the last checkpoint that this process wrote or read; `None` if it must be loaded.
    frontier: Option<Frontier>,
    /// The size and root of the last checkpoint that this process wrote or read.
    seen: Option<(u64, Hash)>,
    dedup: Dedup,
    settled: Settled,
}

impl Writer {
    /// Appends those entries that the log does not have, and answers each with its proof. The batch succeeds or
    /// fails as a whole.
    pub(crate) fn append(
        &mut self,
        layout: &Layout,
        key: &LogKey,
        batch: &[AcceptedEntry],
    ) -> Result<Vec<Outcome>, LogError> {
        let _lock = WriteLock::acquire(layout)?;
        let mut frontier = self.catch_up(layout, key)?;
        let old_size = frontier.size();
        let (mut full, mut added) = (Vec::new(), HashMap::new());
        let mut positions = Vec::with_capacity(batch.len());
        for entry in batch {
            let known = added.get(&entry.leaf()).copied();
            let known = if known.is_some() {
                known
            } else {
                self.dedup.position(layout, &entry.leaf())?
            };
            positions.push(known.map_or(Position::New(frontier.size()), Position::Known));
            if known.is_none() {
                added.insert(entry.leaf(), frontier.size());
                let path = layout.root().to_owned();
                frontier
                    .append(entry.body(), entry.leaf(), &mut full)
                    .map_err(|source| LogError::Tile { path, source })?;
            }
        }
        let checkpoint = if added.is_empty() {
            read_checkpoint(layout, key)?
        } else {
            self.commit(layout, key, &frontier, old_size, full)?
        };
        let answers = answer(layout, key, &frontier, &checkpoint, batch, &positions);
        self.frontier = Some(frontier);
        self.seen = Some((checkpoint.size(), *checkpoint.root()));
        self.dedup.appended(new_leaves(batch, &positions));
        answers
    }

    /// Brings this process up to date with what others wrote.
    fn catch_up(&mut self, layout: &Layout, key: &LogKey) -> Result<Frontier, LogError> {
        let on_disk = read_checkpoint(layout, key)?;
        let (size, root) = (on_disk.size(), *on_disk.root());
        if self.seen.is_none() {
            durable::clear_temporary(layout)?;
        }
        let unchanged = self.seen == Some((size, root));
        if let Some((answered, seen_root)) = self.seen
            && (size < answered || size == answered && root != seen_root)
        {
            return Err(LogError::RolledBack {
                answered,
                found: size,
            });
        }
        // Taken, so that an error from here on makes the next batch load it again.
        let frontier = match self
            .frontier
            .take()
            .filter(|frontier| unchanged && frontier.size() == size)
        {
            Some(frontier) => frontier,
            None => Frontier::load(&FileTiles::new(layout), size)?,
        };
        let computed = frontier.root();
        if computed != root {
            return Err(LogError::Root {
                size,
                computed,
                signed: root,
            });
        }
        self.dedup.refresh(layout, size)?;
        self.seen = Some((size, root));
        Ok(frontier)
    }

    /// Makes the new entries part of the log.
    fn commit(
        &mut self,
        layout: &Layout,
        key: &LogKey,
        frontier: &Frontier,
        old_size: u64,
        full: Vec<TileFile>,
    ) -> Result<VerifiedCheckpoint, LogError> {
        let mut staging = Staging::new(layout);
        let unfinished = frontier.unfinished_since(old_size);
        for (path, content) in full.iter().chain(&unfinished) {
            staging.add(layout.tile(path), Audience::Everybody, content)?;
        }
        staging.then();
        let checkpoint = publish_checkpoint(
            staging,
            &mut self.settled,
            layout,
            key,
            frontier.size(),
            frontier.root(),
        )?;
        remove_outdated(layout, old_size, &full, &unfinished);
        Ok(checkpoint)
    }
}

/// Where an entry of a batch is.
#[derive(Debug, Clone, Copy)]
enum Position {
    New(u64),
    Known(u64),
}

fn new_leaves<'a>(batch: &'a [AcceptedEntry], positions: &'a [Position]) -> impl Iterator<Item = Hash> + 'a {
    let new = |(entry, position): (&AcceptedEntry, &Position)| {
        matches!(position, Position::New(_)).then(|| entry.leaf())
    };
    batch.iter().zip(positions).filter_map(new)
}

/// Signs a checkpoint and makes it the log's current one.
pub(crate) fn sign_checkpoint(
    layout: &Layout,
    key: &LogKey,
    size: u64,
    root: Hash,
) -> Result<VerifiedCheckpoint, LogError> {
    publish_checkpoint(
        Staging::new(layout),
        &mut Settled::default(),
        layout,
        key,
        size,
        root,
    )
}

/// Signs a checkpoint over what is staged, and publishes both.
fn publish_checkpoint(
    mut staging: Staging<'_>,
    settled: &mut Settled,
    layout: &Layout,
    key: &LogKey,
    size: u64,
    root: Hash,
) -> Result<VerifiedCheckpoint, LogError> {
    let checkpoint = Checkpoint {
        origin: key.origin().to_owned(),
        size,
        root,
        extensions: Vec::new(),
    };
    let note = key.sign(&checkpoint).encode();
    staging.add(layout.checkpoint(), Audience::Everybody, note.as_bytes())?;
    staging.publish(settled)?;
    verify_note(note.as_bytes(), key.origin(), key.verifier()).map_err(LogError::Checkpoint)
}

/// Reads the log's current checkpoint and verifies that this log signed it.
pub(crate) fn read_checkpoint(layout: &Layout, key: &LogKey) -> Result<VerifiedCheckpoint, LogError> {
    let path = layout.checkpoint();
    let note = durable::read_capped(&path, MAX_NOTE_BYTES + 1)?;
    let note = note.ok_or(LogError::CheckpointMissing { path })?;
    verify_note(&note, key.origin(), key.verifier()).map_err(LogError::Checkpoint)
}

/// Answers each entry of a batch from the tree that now has them.
fn answer(
    layout: &Layout,
    key: &LogKey,
    frontier: &Frontier,
    checkpoint: &VerifiedCheckpoint,
    batch: &[AcceptedEntry],
    positions: &[Position],
) -> Result<Vec<Outcome>, LogError> {
    let source = Edge {
        frontier,
        files: FileTiles::new(layout),
    };
    let mut prover = Prover::new(&source, checkpoint.size());
    let note = checkpoint.note().encode();
    let outcome = |(entry, position): (&AcceptedEntry, &Position)| match *position {
        Position::Known(index) => Ok(Outcome::Duplicate(index)),
        Position::New(index) => {
            let proof = prove(&mut prover, entry.leaf(), index, checkpoint, &note)?;
            Ok(Outcome::Added(Box::new(log_entry(
                key,
                index,
                proof,
                entry.body().to_vec(),
            ))))
        }
    };
    batch.iter().zip(positions).map(outcome).collect()
}

/// Builds the inclusion proof of a leaf, and verifies it before anybody relies on it.
pub(crate) fn prove<S: TileSource<Error = LogError>>(
    prover: &mut Prover<'_, S>,
    leaf: Hash,
    index: u64,
    checkpoint: &VerifiedCheckpoint,
    note: &str,
) -> Result<InclusionProof, LogError> {
    let (tree_size, root_hash) = (checkpoint.size(), *checkpoint.root());
    let damaged = |computed| LogError::Root {
        size: tree_size,
        computed,
        signed: root_hash,
    };
    let hashes = prover.inclusion(index).map_err(|error| match error {
        ProveError::Source(error) => error,
        ProveError::Range { .. } => LogError::NoEntry {
            index,
            size: tree_size,
        },
        _ => damaged(leaf),
    })?;
    verify_inclusion(&leaf, index, tree_size, &hashes, &root_hash).map_err(|error| match error {
        touchmark_tlog::merkle::MerkleError::RootMismatch { computed, .. } => damaged(computed),
        _ => damaged(leaf),
    })?;
    Ok(InclusionProof {
        log_index: index,
        root_hash,
        tree_size,
        hashes,
        checkpoint: Some(note.to_owned()),
    })
}

/// Returns the answer that Rekor v2 gives for an entry.
pub(crate) fn log_entry(key: &LogKey, index: u64, proof: InclusionProof, body: Vec<u8>) -> LogEntry {
    LogEntry {
        log_index: index,
        log_id: key.verifier().log_id(),
        kind: KindVersion::hashedrekord_v002(),
        integrated_time: None,
        inclusion_promise: None,
        inclusion_proof: Some(proof),
        canonicalized_body: body,
    }
}

/// The tiles of the tree, of which the unfinished ones are in memory.
struct Edge<'a> {
    frontier: &'a Frontier,
    files: FileTiles<'a>,
}

impl TileSource for Edge<'_> {
    type Error = LogError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, LogError> {
        match self.frontier.tile(level, index) {
            Some(hashes) => Ok(hashes.to_vec()),
            None => self.files.tile(level, index, width),
        }
    }
}

/// Removes unfinished tiles that nobody needs who has this checkpoint or the one before. Readers with an older one
/// take the beginning of a wider tile. What cannot be removed stays, and does no harm.
fn remove_outdated(layout: &Layout, old_size: u64, full: &[TileFile], unfinished: &[TileFile]) {
    for (path, _) in full {
        let narrow = match path.kind() {
            TileKind::Hashes { level } => TilePath::hashes(level, path.index(), 1),
            TileKind::Entries => TilePath::entries(path.index(), 1),
        };
        if let Some(dir) = narrow.and_then(|narrow| layout.tile(&narrow).parent().map(ToOwned::to_owned)) {
            let _ = fs::remove_dir_all(dir);
        }
    }
    for (path, _) in unfinished {
        let level = match path.kind() {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        let start = path.index() * u64::from(TILE_WIDTH);
        let old_width = touchmark_tlog::tile::level_size(level, old_size).saturating_sub(start);
        for width in partial_widths(layout, path).unwrap_or_default() {
            let outdated = match path.kind() {
                TileKind::Hashes { level } => TilePath::hashes(level, path.index(), width),
                TileKind::Entries => TilePath::entries(path.index(), width),
            };
            if let Some(outdated) = outdated.filter(|_| u64::from(width) < old_width) {
                let _ = fs::remove_file(layout.tile(&outdated));
            }
        }
    }
}
