//! One record of the vault as it is read: a run key and the pieces it commits to.

use std::fmt;
use std::ops::Range;

use sha2::{Digest as _, Sha256};
use touchmark_statement::agent_change::{ChainId, PromptOrigin};
use touchmark_statement::digest::Sha256Digest;
use touchmark_verify::commitment::{Item, Kind, RunKey, TRANSCRIPT_RAW, origin_tag};
use zeroize::Zeroizing;

use super::draft::{Draft, order};
use super::{MAX_PIECES, RecordName, VaultError, covers_too_often};

pub(super) const MAGIC_V1: &[u8; 19] = b"touchmark-vault v1\n";
pub(super) const MAGIC_V2: &[u8; 19] = b"touchmark-vault v2\n";
pub(super) const HEADER_BYTES: usize = MAGIC_V1.len() + 16 + 32 + 32 + 4;
pub(super) const ROW_BYTES_V1: usize = 1 + 1 + 4 + 8;
pub(super) const ROW_BYTES_V2: usize = 1 + 1 + 1 + 4 + 8 + 8;
pub(super) const CHECKSUM_BYTES: usize = 32;
const ORIGINS: [PromptOrigin; 4] = [
    PromptOrigin::Human,
    PromptOrigin::Injected,
    PromptOrigin::Compaction,
    PromptOrigin::Agent,
];

/// One piece of a record: what a run key commits to, in the bytes that were committed. `Debug` shows sizes only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Which piece.
    pub item: Item,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A run key and its pieces, which are slices of the file that was read. Cleared on drop.
pub struct Record {
    run_key: RunKey,
    rows: Vec<(Item, Range<usize>)>,
    file: Zeroizing<Vec<u8>>,
}

impl Record {
    /// Returns the run key.
    pub fn run_key(&self) -> &RunKey {
        &self.run_key
    }

    /// Returns the pieces, ascending by kind and index.
    pub fn pieces(&self) -> impl ExactSizeIterator<Item = Piece<'_>> {
        self.rows.iter().map(|(item, range)| Piece {
            item: *item,
            bytes: &self.file[range.clone()],
        })
    }

    /// Returns one piece.
    pub fn piece(&self, kind: Kind, index: u32) -> Option<Piece<'_>> {
        let at = self
            .rows
            .binary_search_by_key(&(kind.tag(), index), |(item, _)| order(item))
            .ok()?;
        let (item, range) = self.rows.get(at)?;
        Some(Piece {
            item: *item,
            bytes: self.file.get(range.clone())?,
        })
    }

    /// Returns whether a draft would be this record.
    pub(super) fn is(&self, draft: &Draft<'_>) -> bool {
        let kept = self.pieces().map(|piece| (piece.item, Some(piece.bytes)));
        self.run_key.expose() == draft.run_key().expose() && kept.eq(draft.resolved())
    }

    /// Parses a record of either version, which must be the one its name says and nothing more.
    pub fn parse(name: &RecordName, file: Zeroizing<Vec<u8>>) -> Result<Self, VaultError> {
        let damaged = || VaultError::Damaged { name: *name };
        let (body, checksum) = file.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(damaged)?;
        if Sha256::digest(body)[..] != checksum[..] {
            return Err(damaged());
        }
        let (run_key, rows) = parse_body(name, body).ok_or_else(damaged)?;
        Ok(Record { run_key, rows, file })
    }
}

type Rows = Vec<(Item, Range<usize>)>;

fn parse_body(name: &RecordName, whole: &[u8]) -> Option<(RunKey, Rows)> {
    let (magic, body) = whole.split_first_chunk::<19>()?;
    let is_v2 = match magic {
        MAGIC_V1 => false,
        MAGIC_V2 => true,
        _ => return None,
    };
    let (chain, body) = body.split_first_chunk()?;
    let (payload, body) = body.split_first_chunk()?;
    if ChainId::from_bytes(*chain) != name.chain || Sha256Digest::from_bytes(*payload) != name.payload {
        return None;
    }
    let (run_key, body) = body.split_first_chunk::<32>()?;
    let run_key = RunKey::from_bytes(run_key).ok()?;
    let (count, body) = body.split_first_chunk()?;
    let count = usize::try_from(u32::from_be_bytes(*count))
        .ok()
        .filter(|count| *count <= MAX_PIECES)?;
    let row_bytes = if is_v2 { ROW_BYTES_V2 } else { ROW_BYTES_V1 };
    let (table, own) = body.split_at_checked(count * row_bytes)?;
    let mut at = whole.len() - own.len();
    let mut rows = Vec::with_capacity(count);
    let mut slices = Vec::new();
    for row in table.chunks_exact(row_bytes) {
        let (item, place, len) = parse_row(row, is_v2)?;
        match place {
            Place::Own => {
                let end = at.checked_add(len).filter(|end| *end <= whole.len())?;
                rows.push((item, at..end));
                at = end;
            }
            Place::OfTranscript(offset) => {
                slices.push((rows.len(), offset, len));
                rows.push((item, 0..0));
            }
        }
    }
    if at != whole.len() || !rows.is_sorted_by(|(left, _), (right, _)| order(left) < order(right)) {
        return None;
    }
    point_into_transcript(&mut rows, &slices)?;
    Some((run_key, rows))
}

/// Makes the slices that point into the transcript ranges of the file.
fn point_into_transcript(rows: &mut Rows, slices: &[(usize, usize, usize)]) -> Option<()> {
    if slices.is_empty() {
        return Some(());
    }
    let raw = rows
        .iter()
        .position(|(item, _)| item.kind == Kind::Transcript && item.index == TRANSCRIPT_RAW)?;
    // A transcript that is a slice of itself is none.
    if slices.iter().any(|(row, _, _)| *row == raw) {
        return None;
    }
    let transcript = rows[raw].1.clone();
    let lengths = slices.iter().map(|(_, _, len)| *len as u64);
    if covers_too_often(transcript.len() as u64, lengths) {
        return None;
    }
    for (row, offset, len) in slices {
        let start = transcript.start.checked_add(*offset)?;
        let end = start.checked_add(*len).filter(|end| *end <= transcript.end)?;
        rows[*row].1 = start..end;
    }
    Some(())
}

enum Place {
    Own,
    OfTranscript(usize),
}

fn parse_row(row: &[u8], is_v2: bool) -> Option<(Item, Place, usize)> {
    let ([kind, origin], mut row) = row.split_first_chunk()?;
    let mut is_slice = false;
    if is_v2 {
        let ([place], rest) = row.split_first_chunk()?;
        is_slice = match place {
            0 => false,
            1 => true,
            _ => return None,
        };
        row = rest;
    }
    let (index, mut row) = row.split_first_chunk()?;
    let mut offset = 0;
    if is_v2 {
        let (bytes, rest) = row.split_first_chunk()?;
        offset = usize::try_from(u64::from_be_bytes(*bytes)).ok()?;
        row = rest;
    }
    let (len, _) = row.split_first_chunk()?;
    let kind = Kind::ALL.into_iter().find(|known| known.tag() == *kind)?;
    let origin = match origin {
        0 => None,
        tag => Some(ORIGINS.into_iter().find(|known| origin_tag(*known) == *tag)?),
    };
    let item = Item {
        kind,
        index: u32::from_be_bytes(*index),
        origin,
    };
    let place = match (is_slice, offset) {
        (true, offset) => Place::OfTranscript(offset),
        (false, 0) => Place::Own,
        (false, _) => return None,
    };
    Some((item, place, usize::try_from(u64::from_be_bytes(*len)).ok()?))
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.run_key.expose() == other.run_key.expose() && self.pieces().eq(other.pieces())
    }
}

impl Eq for Record {}

impl fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Piece({} {}, {} bytes redacted)",
            self.item.kind,
            self.item.index,
            self.bytes.len()
        )
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record(redacted, {} pieces)", self.rows.len())
    }
}
