//! Files that were packed with Zstandard (RFC 8878), as products archive old sessions.
//!
//! A packed file is read as what it holds, in one pass and without more memory than one window beside what comes out:
//! its steps lie in the unpacked bytes, its name is the one without `.zst`. An archive that was cut short, that was
//! damaged or that needs a dictionary is refused as a whole, and so is one that holds more than the caller asks for.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::error::ImportError;
use crate::files;

/// How the names of packed files of lines end.
const SUFFIX: &str = ".jsonl.zst";

/// Returns whether a file of this name is packed.
pub fn is_packed(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

/// Returns the name of what a file holds: without the ending of a packed one.
pub fn name_inside(name: &str) -> &str {
    match name.strip_suffix(".zst") {
        Some(inside) if is_packed(name) => inside,
        _ => name,
    }
}

/// Opens a packed file for reading what it holds.
pub(crate) fn open(path: &Path) -> Result<Unpacked<BufReader<std::fs::File>>, ImportError> {
    let (file, _) = files::open(path)?;
    Ok(Unpacked::new(BufReader::new(file)))
}

/// The error of a packed file that could not be read.
pub(crate) fn error(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Packed {
        path: path.to_owned(),
        source,
    }
}

/// Reads what packed bytes hold: every frame, one after the other.
pub struct Unpacked<R> {
    source: R,
    decoder: FrameDecoder,
    /// Whether a frame is open, and how many bytes came out of it.
    open: Option<u64>,
}

impl<R: BufRead> Unpacked<R> {
    /// Reads from packed bytes.
    pub fn new(source: R) -> Self {
        Self {
            source,
            decoder: FrameDecoder::new(),
            open: None,
        }
    }

    /// Opens the next frame that holds something. False at the end.
    fn next_frame(&mut self) -> std::io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.open = Some(0);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = std::io::copy(&mut (&mut self.source).take(length), &mut std::io::sink())?;
                    if skipped < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(damaged(error)),
            }
        }
        Ok(false)
    }

    /// Holds a frame that has ended against what it says of itself.
    fn end_frame(&mut self, length: u64) -> std::io::Result<()> {
        let stated = self.decoder.content_size();
        let checksum = self.decoder.get_checksum_from_data();
        if stated != 0 && stated != length {
            return Err(damaged("a frame of another length than it says"));
        }
        if checksum.is_some() && checksum != self.decoder.get_calculated_checksum() {
            return Err(damaged("a frame whose checksum does not fit"));
        }
        self.open = None;
        Ok(())
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(length) = self.open else {
                if self.next_frame()? {
                    continue;
                }
                return Ok(0);
            };
            if self.decoder.can_collect() == 0 {
                if self.decoder.is_finished() {
                    self.end_frame(length)?;
                } else {
                    self.decoder
                        .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                        .map_err(damaged)?;
                }
                continue;
            }
            let read = self.decoder.read(into)?;
            self.open = Some(length + read as u64);
            return Ok(read);
        }
    }
}

impl<R> std::fmt::Debug for Unpacked<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacked")
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

fn damaged(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> std::io::Error {
    std::io::Error::new(ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut all = Vec::new();
        Unpacked::new(bytes).read_to_end(&mut all).map(|_| all)
    }

    fn lines(count: usize) -> Vec<u8> {
        (0..count)
            .flat_map(|number| format!("{{\"number\":{number}}}\n").into_bytes())
            .collect()
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    #[test]
    fn every_frame_is_read_and_those_to_skip_are_skipped() {
        let (one, two) = (lines(100_000), lines(3));
        assert_eq!(unpacked(&packed(&one)).unwrap(), one);
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let all = [packed(&one), skipped.clone(), packed(&[]), packed(&two), skipped].concat();
        assert_eq!(unpacked(&all).unwrap(), [one, two].concat());
        assert_eq!(unpacked(&[]).unwrap(), [0_u8; 0]);
    }

    #[test]
    fn an_archive_that_was_cut_anywhere_is_refused() {
        let whole = packed(&lines(500));
        for end in 1..whole.len() {
            assert!(unpacked(&whole[..end]).is_err(), "cut at {end}");
        }
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1];
        assert!(unpacked(&[&whole[..], &skipped].concat()).is_err());
    }

    #[test]
    fn an_archive_of_which_anything_was_changed_is_refused_or_holds_the_same() {
        let lines = lines(500);
        let whole = packed(&lines);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            match unpacked(&changed) {
                Ok(bytes) => assert_eq!(bytes, lines, "changed at {at}"),
                Err(error) => assert_ne!(error.kind(), ErrorKind::NotFound),
            }
        }
        for more in [&b"x"[..], b"more than a magic number"] {
            assert!(unpacked(&[&whole[..], more].concat()).is_err());
        }
    }

    #[test]
    fn names_end_as_those_of_lines() {
        assert_eq!(name_inside("a.jsonl.zst"), "a.jsonl");
        for plain in ["a.jsonl", "a.zst", "a.tar.zst", ".zst"] {
            assert_eq!(name_inside(plain), plain);
            assert!(!is_packed(plain));
        }
    }
}
