//! One pass over a log: from the position that is kept to the log's current checkpoint.
//!
//! Nothing is judged before it is proven. First the current checkpoint is proven to extend the one that is kept, and
//! takes its place; then the entries are read, batch by batch, and each batch is proven to belong to the tree of
//! that checkpoint before anybody looks into it. What was found is kept before the position moves on, so a pass that
//! was killed anywhere is repeated with the same result.

use thiserror::Error;
use touchmark_http::Deadline;
use touchmark_tlog::checkpoint::{CheckpointError, VerifiedCheckpoint};
use touchmark_tlog::compact_range::CompactRange;
use touchmark_tlog::merkle::verify_consistency;
use touchmark_verify::remembered;
use touchmark_verify::trust::TrustedLog;

use super::alarm::{Alarm, AlarmKind};
use super::position::Position;
use super::reader::{LogReader, ReadError};

/// Where to begin in a log that was never followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With its first entry.
    Beginning,
    /// With the first entry after its current checkpoint.
    Now,
}

/// Why a pass ended before its time. The position that is kept is one from which the next pass goes on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FollowError<E> {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the log offers as its checkpoint is none.
    #[error("the log's current checkpoint does not verify")]
    Checkpoint(#[source] CheckpointError),
    /// The log contradicts itself.
    #[error(transparent)]
    Alarm(Box<Alarm>),
    /// What was found could not be kept.
    #[error("the monitor's own records could not be kept")]
    Keep(#[source] E),
}

/// What a pass reports to, batch by batch.
pub trait Sink {
    /// What keeping something can fail with.
    type Error;

    /// Returns where the tree with this origin was followed to.
    fn kept(&mut self, origin: &str) -> Result<Option<Position>, Self::Error>;

    /// Judges proven entries, the first of which has this index, and keeps durably what it finds.
    fn judge(&mut self, first: u64, entries: &[Vec<u8>]) -> Result<(), Self::Error>;

    /// Keeps a position durably.
    fn keep(&mut self, position: &Position) -> Result<(), Self::Error>;
}

/// How far one pass goes; the next one goes on from there.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Most entries that are judged.
    pub entries: u64,
    /// When no further batch of entries is begun; never, if there is none.
    pub deadline: Option<Deadline>,
}

/// Follows a log to its current checkpoint, or as far as the limit lets it; returns where that is.
pub fn follow<S: Sink>(
    log: &TrustedLog,
    reader: &dyn LogReader,
    start: Start,
    limit: Limit,
    sink: &mut S,
) -> Result<Position, FollowError<S::Error>> {
    let current = log
        .verify_checkpoint(&reader.checkpoint()?)
        .map_err(FollowError::Checkpoint)?;
    let kept = sink
        .kept(&current.checkpoint().origin)
        .map_err(FollowError::Keep)?;
    let mut position = match kept {
        Some(kept) => extend(kept, current, reader)?,
        None => begin(start, current, reader)?,
    };
    sink.keep(&position).map_err(FollowError::Keep)?;
    let size = position.checkpoint.size();
    let end = position.judged().saturating_add(limit.entries).min(size);
    while position.judged() < end && !limit.deadline.is_some_and(Deadline::is_over) {
        let first = position.judged();
        let mut entries = reader.entries(first, size)?;
        entries.truncate(usize::try_from(end - first).unwrap_or(usize::MAX));
        if entries.is_empty() {
            return Err(alarm(AlarmKind::EntriesMissing { first }, &position.checkpoint));
        }
        let mut judged = position.judged.clone();
        entries.iter().for_each(|entry| judged.append_entry(entry));
        prove_prefix(&judged, &position.checkpoint, reader)?;
        sink.judge(first, &entries).map_err(FollowError::Keep)?;
        position.judged = judged;
        sink.keep(&position).map_err(FollowError::Keep)?;
    }
    Ok(position)
}

/// The current checkpoint takes the place of the kept one, if it extends it.
fn extend<E>(
    kept: Position,
    current: VerifiedCheckpoint,
    reader: &dyn LogReader,
) -> Result<Position, FollowError<E>> {
    let Position {
        checkpoint: old,
        judged,
    } = kept;
    let proof = match (old.size(), current.size()) {
        (old, new) if 0 < old && old < new => reader.consistency(old, new)?,
        _ => Vec::new(),
    };
    remembered::follow(&old, &current, &proof).map_err(|fork| FollowError::Alarm(Box::new(fork.into())))?;
    Ok(Position {
        checkpoint: current,
        judged,
    })
}

fn begin<E>(
    start: Start,
    current: VerifiedCheckpoint,
    reader: &dyn LogReader,
) -> Result<Position, FollowError<E>> {
    let judged = match start {
        Start::Now if current.size() > 0 => {
            let last = reader.last_leaf(current.size())?;
            CompactRange::before(current.size() - 1, last.tree_size, &last.proof)
                .map(|mut range| {
                    range.append(last.leaf);
                    range
                })
                .filter(|range| range.root() == *current.root())
                .ok_or_else(|| alarm(AlarmKind::NotIncluded { size: current.size() }, &current))?
        }
        Start::Now | Start::Beginning => CompactRange::new(),
    };
    Ok(Position {
        checkpoint: current,
        judged,
    })
}

/// The leaves read so far are the first ones of the checkpoint's tree.
fn prove_prefix<E>(
    judged: &CompactRange,
    checkpoint: &VerifiedCheckpoint,
    reader: &dyn LogReader,
) -> Result<(), FollowError<E>> {
    let (first, size) = (judged.size(), checkpoint.size());
    let proof = match first == size {
        true => Vec::new(),
        false => reader.consistency(first, size)?,
    };
    verify_consistency(first, size, &proof, &judged.root(), checkpoint.root())
        .map_err(|_| alarm(AlarmKind::NotIncluded { size: first }, checkpoint))
}

fn alarm<E>(kind: AlarmKind, kept: &VerifiedCheckpoint) -> FollowError<E> {
    FollowError::Alarm(Box::new(Alarm::new(kind, kept)))
}
