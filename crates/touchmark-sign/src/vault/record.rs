//! One record of the vault: a run key and the pieces it commits to.

use std::fmt;
use std::io::{self, Write};

use sha2::{Digest as _, Sha256};
use touchmark_statement::agent_change::{ChainId, PromptOrigin};
use touchmark_statement::digest::Sha256Digest;
use touchmark_verify::commitment::{Item, Kind, RunKey, origin_tag};
use zeroize::Zeroizing;

use super::{MAX_PIECES, MAX_RECORD_BYTES, RecordName, VaultError};

const MAGIC: &[u8; 19] = b"touchmark-vault v1\n";
const HEADER_BYTES: usize = MAGIC.len() + 16 + 32 + 32 + 4;
const ROW_BYTES: usize = 1 + 1 + 4 + 8;
const CHECKSUM_BYTES: usize = 32;
const ORIGINS: [PromptOrigin; 4] = [
    PromptOrigin::Human,
    PromptOrigin::Injected,
    PromptOrigin::Compaction,
    PromptOrigin::Agent,
];

/// What a run key commits to, in the bytes that were committed. Cleared on drop; `Debug` shows sizes only.
#[derive(Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which piece.
    pub item: Item,
    /// The bytes.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// A run key and its pieces.
pub struct Record {
    /// The run key.
    pub run_key: RunKey,
    /// The pieces, ascending by kind and index.
    pub pieces: Vec<Piece>,
}

impl Record {
    /// Returns a record with its pieces in order.
    pub fn new(run_key: RunKey, mut pieces: Vec<Piece>) -> Result<Self, VaultError> {
        pieces.sort_by_key(|piece| order(&piece.item));
        let record = Record { run_key, pieces };
        record.validate()?;
        Ok(record)
    }

    /// Returns one piece.
    pub fn piece(&self, kind: Kind, index: u32) -> Option<&Piece> {
        let at = self
            .pieces
            .binary_search_by_key(&(kind.tag(), index), |piece| order(&piece.item))
            .ok()?;
        self.pieces.get(at)
    }

    pub(super) fn validate(&self) -> Result<(), VaultError> {
        if !self
            .pieces
            .is_sorted_by(|left, right| order(&left.item) < order(&right.item))
        {
            return Err(VaultError::Order);
        }
        let bytes: usize = self
            .pieces
            .iter()
            .map(|piece| piece.bytes.len())
            .fold(0, usize::saturating_add);
        let total = bytes.saturating_add(HEADER_BYTES + self.pieces.len() * ROW_BYTES + CHECKSUM_BYTES);
        let fits = u64::try_from(total).is_ok_and(|total| total <= MAX_RECORD_BYTES);
        if fits && self.pieces.len() <= MAX_PIECES {
            Ok(())
        } else {
            Err(VaultError::TooLarge)
        }
    }

    /// Writes the record, which must be valid.
    pub(super) fn encode(&self, name: &RecordName, writer: &mut dyn Write) -> io::Result<()> {
        let count = u32::try_from(self.pieces.len()).map_err(io::Error::other)?;
        let mut writer = Hashing {
            writer,
            hash: Sha256::new(),
        };
        writer.write_all(MAGIC)?;
        writer.write_all(name.chain.as_bytes())?;
        writer.write_all(name.payload.as_bytes())?;
        writer.write_all(self.run_key.expose())?;
        writer.write_all(&count.to_be_bytes())?;
        let mut table = Vec::with_capacity(self.pieces.len() * ROW_BYTES);
        for Piece { item, bytes } in &self.pieces {
            let len = u64::try_from(bytes.len()).map_err(io::Error::other)?;
            table.extend([item.kind.tag(), item.origin.map_or(0, origin_tag)]);
            table.extend(item.index.to_be_bytes());
            table.extend(len.to_be_bytes());
        }
        writer.write_all(&table)?;
        for piece in &self.pieces {
            writer.write_all(&piece.bytes)?;
        }
        let checksum = writer.hash.finalize();
        writer.writer.write_all(&checksum)
    }

    /// Parses a record, which must be the one its name says and nothing more.
    pub(super) fn parse(name: &RecordName, file: &[u8]) -> Result<Self, VaultError> {
        let damaged = || VaultError::Damaged { name: *name };
        let (body, checksum) = file.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(damaged)?;
        if Sha256::digest(body)[..] != checksum[..] {
            return Err(damaged());
        }
        Self::parse_body(name, body)
            .filter(|record| record.validate().is_ok())
            .ok_or_else(damaged)
    }

    fn parse_body(name: &RecordName, body: &[u8]) -> Option<Self> {
        let body = body.strip_prefix(MAGIC)?;
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
        let (table, mut body) = body.split_at_checked(count * ROW_BYTES)?;
        let mut pieces = Vec::with_capacity(count);
        for row in table.chunks_exact(ROW_BYTES) {
            let (item, len) = parse_row(row)?;
            let (bytes, rest) = body.split_at_checked(len)?;
            pieces.push(Piece {
                item,
                bytes: Zeroizing::new(bytes.to_vec()),
            });
            body = rest;
        }
        body.is_empty().then_some(Record { run_key, pieces })
    }
}

fn order(item: &Item) -> (u8, u32) {
    (item.kind.tag(), item.index)
}

fn parse_row(row: &[u8]) -> Option<(Item, usize)> {
    let ([kind, origin], row) = row.split_first_chunk()?;
    let (index, row) = row.split_first_chunk()?;
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
    Some((item, usize::try_from(u64::from_be_bytes(*len)).ok()?))
}

struct Hashing<'a> {
    writer: &'a mut dyn Write,
    hash: Sha256,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.run_key.expose() == other.run_key.expose() && self.pieces == other.pieces
    }
}

impl Eq for Record {}

impl fmt::Debug for Piece {
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
        write!(f, "Record(redacted, {} pieces)", self.pieces.len())
    }
}
