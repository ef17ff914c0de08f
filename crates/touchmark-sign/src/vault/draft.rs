//! A record that is about to be written: pieces that are owned, borrowed, or slices of the transcript.
//!
//! Steps of a session in a line format stand in the transcript already. They are written as slices of it, so that a
//! session is kept once, and needs no second copy in memory on the way.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use sha2::{Digest as _, Sha256};
use touchmark_verify::commitment::{Item, Kind, RunKey, TRANSCRIPT_RAW, origin_tag};
use zeroize::Zeroizing;

use super::record::{CHECKSUM_BYTES, HEADER_BYTES, MAGIC_V2, ROW_BYTES_V2};
use super::{MAX_PIECES, MAX_RECORD_BYTES, RecordName, VaultError, covers_too_often};

/// The bytes of one piece of a draft. `Debug` shows sizes only.
pub enum Content<'a> {
    /// Bytes of its own, cleared on drop.
    Owned(Zeroizing<Vec<u8>>),
    /// Bytes that somebody else holds.
    Borrowed(&'a [u8]),
    /// A slice of the transcript as it was recorded.
    OfTranscript {
        /// Where it begins.
        offset: u64,
        /// How many bytes it has.
        len: u64,
    },
}

/// One piece of a draft.
pub struct DraftPiece<'a> {
    /// Which piece.
    pub item: Item,
    /// Its bytes.
    pub content: Content<'a>,
}

/// A record before it is written.
pub struct Draft<'a> {
    run_key: &'a RunKey,
    pieces: Vec<DraftPiece<'a>>,
}

impl Content<'_> {
    fn own(&self) -> Option<&[u8]> {
        match self {
            Content::Owned(bytes) => Some(bytes),
            Content::Borrowed(bytes) => Some(bytes),
            Content::OfTranscript { .. } => None,
        }
    }
}

impl<'a> Draft<'a> {
    /// Takes a run key and its pieces, which are put in order. A slice must lie in the raw transcript, which must be
    /// one of the pieces then.
    pub fn new(run_key: &'a RunKey, mut pieces: Vec<DraftPiece<'a>>) -> Result<Self, VaultError> {
        pieces.sort_by_key(|piece| order(&piece.item));
        let draft = Draft { run_key, pieces };
        draft.validate()?;
        Ok(draft)
    }

    /// Returns the run key.
    pub(super) fn run_key(&self) -> &RunKey {
        self.run_key
    }

    /// Returns each piece with its bytes, in order.
    pub(super) fn resolved(&self) -> impl Iterator<Item = (Item, Option<&[u8]>)> {
        let transcript = self.transcript();
        self.pieces.iter().map(move |piece| {
            let bytes = match &piece.content {
                Content::OfTranscript { offset, len } => slice(transcript, *offset, *len),
                own => own.own(),
            };
            (piece.item, bytes)
        })
    }

    fn transcript(&self) -> &[u8] {
        let is_raw = |piece: &&DraftPiece<'_>| {
            piece.item.kind == Kind::Transcript && piece.item.index == TRANSCRIPT_RAW
        };
        let raw = self.pieces.iter().find(is_raw);
        raw.and_then(|piece| piece.content.own()).unwrap_or_default()
    }

    fn validate(&self) -> Result<(), VaultError> {
        if !self
            .pieces
            .is_sorted_by(|left, right| order(&left.item) < order(&right.item))
        {
            return Err(VaultError::Order);
        }
        if self.pieces.len() > MAX_PIECES || self.encoded_len() > MAX_RECORD_BYTES {
            return Err(VaultError::TooLarge);
        }
        if self.resolved().any(|(_, bytes)| bytes.is_none()) {
            return Err(VaultError::Slice);
        }
        let lengths = self.pieces.iter().filter_map(|piece| match &piece.content {
            Content::OfTranscript { len, .. } => Some(*len),
            _ => None,
        });
        if covers_too_often(self.transcript().len() as u64, lengths) {
            return Err(VaultError::TooLarge);
        }
        Ok(())
    }

    fn encoded_len(&self) -> u64 {
        let own = self.pieces.iter().filter_map(|piece| piece.content.own());
        let bytes = own.map(<[u8]>::len).fold(0, usize::saturating_add);
        let total = bytes.saturating_add(HEADER_BYTES + self.pieces.len() * ROW_BYTES_V2 + CHECKSUM_BYTES);
        u64::try_from(total).unwrap_or(u64::MAX)
    }

    /// Writes the record, in version 2 of its format.
    pub fn encode(&self, name: &RecordName, writer: &mut dyn Write) -> io::Result<()> {
        let count = u32::try_from(self.pieces.len()).map_err(io::Error::other)?;
        let mut writer = Hashing {
            writer,
            hash: Sha256::new(),
        };
        writer.write_all(MAGIC_V2)?;
        writer.write_all(name.chain.as_bytes())?;
        writer.write_all(name.payload.as_bytes())?;
        writer.write_all(self.run_key.expose())?;
        writer.write_all(&count.to_be_bytes())?;
        let mut table = Vec::with_capacity(self.pieces.len() * ROW_BYTES_V2);
        for DraftPiece { item, content } in &self.pieces {
            let (place, offset, len) = match content {
                Content::OfTranscript { offset, len } => (1, *offset, *len),
                own => (0, 0, own.own().map_or(0, <[u8]>::len) as u64),
            };
            table.extend([item.kind.tag(), item.origin.map_or(0, origin_tag), place]);
            table.extend(item.index.to_be_bytes());
            table.extend(offset.to_be_bytes());
            table.extend(len.to_be_bytes());
        }
        writer.write_all(&table)?;
        for bytes in self.pieces.iter().filter_map(|piece| piece.content.own()) {
            writer.write_all(bytes)?;
        }
        let checksum = writer.hash.finalize();
        writer.writer.write_all(&checksum)
    }
}

/// Finds where files stand in the transcript that they are joined to, by their position among them.
pub fn offsets<'b>(files: impl IntoIterator<Item = &'b [u8]>) -> BTreeMap<usize, u64> {
    let mut at = 0_u64;
    let mut offsets = BTreeMap::new();
    for (index, file) in files.into_iter().enumerate() {
        offsets.insert(index, at);
        at = at.saturating_add(file.len() as u64);
    }
    offsets
}

/// Returns a slice of the transcript, where it lies in it.
pub(super) fn slice(transcript: &[u8], offset: u64, len: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    transcript.get(start..end)
}

pub(super) fn order(item: &Item) -> (u8, u32) {
    (item.kind.tag(), item.index)
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

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::OfTranscript { offset, len } => write!(f, "OfTranscript({offset}, {len} bytes)"),
            own => write!(f, "{} bytes redacted", own.own().map_or(0, <[u8]>::len)),
        }
    }
}

impl fmt::Debug for DraftPiece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DraftPiece({} {}, {:?})",
            self.item.kind, self.item.index, self.content
        )
    }
}

impl fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft(redacted, {} pieces)", self.pieces.len())
    }
}
