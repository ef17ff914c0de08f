//! C2SP tlog-tiles: checkpoints, hash tiles and entry bundles below one prefix.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use touchmark_http::{Accept, Client, Deadline, Request, Url};
use touchmark_tlog::merkle::Hash;
use touchmark_tlog::prove::TileSource;
use touchmark_tlog::tile::{
    MAX_ENTRY_BYTES, TILE_WIDTH, TilePath, entries_width, parse_entries, parse_hashes,
};

use super::ReaderError;

/// The largest checkpoint that is read; a note with all its cosignatures is far smaller.
const MAX_CHECKPOINT_BYTES: usize = 64 * 1024;
/// The largest entry bundle: 256 entries with their lengths.
const MAX_BUNDLE_BYTES: usize = TILE_WIDTH as usize * (MAX_ENTRY_BYTES + 2);

/// Reads the tiles of one log.
#[derive(Debug, Clone)]
pub struct TileReader {
    place: Place,
    deadline: Option<Deadline>,
}

#[derive(Debug, Clone)]
enum Place {
    Http { client: Client, prefix: Url },
    Directory(PathBuf),
}

impl TileReader {
    /// Reads a Rekor v2 service: everything stands below `api/v2` of its address.
    pub fn rekor_v2(client: Client, service: &Url) -> Self {
        Self::at(client, service.join(["api", "v2"]))
    }

    /// Reads below a prefix, as C2SP tlog-tiles has it.
    pub fn at(client: Client, prefix: Url) -> Self {
        TileReader {
            place: Place::Http { client, prefix },
            deadline: None,
        }
    }

    /// Reads a directory, such as an embedded log's.
    pub fn directory(path: &Path) -> Self {
        TileReader {
            place: Place::Directory(path.to_owned()),
            deadline: None,
        }
    }

    /// Ends every read by this moment.
    #[must_use]
    pub fn by(mut self, deadline: Deadline) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Returns the signed note of the current checkpoint, unverified.
    pub fn checkpoint(&self) -> Result<Vec<u8>, ReaderError> {
        self.read("checkpoint", MAX_CHECKPOINT_BYTES)
    }

    /// Returns the first `width` entries of a bundle; there may be more in it by now.
    pub fn bundle(&self, index: u64, width: u16) -> Result<Vec<Vec<u8>>, ReaderError> {
        let range = || ReaderError::Range {
            index: index.saturating_mul(u64::from(TILE_WIDTH)),
            size: u64::MAX,
        };
        let path = TilePath::entries(index, width).ok_or_else(range)?;
        let full = TilePath::entries(index, TILE_WIDTH).ok_or_else(range)?;
        let (path, bytes) = self.partial_or_full(path, full, MAX_BUNDLE_BYTES)?;
        let entries = parse_entries(&bytes, path.width()).map_err(|source| ReaderError::Tile {
            what: path.to_string(),
            source,
        })?;
        Ok(entries
            .into_iter()
            .take(usize::from(width))
            .map(<[u8]>::to_vec)
            .collect())
    }

    /// Returns the entry at this index of a tree of this size.
    pub fn entry(&self, index: u64, size: u64) -> Result<Vec<u8>, ReaderError> {
        let range = || ReaderError::Range { index, size };
        if index >= size {
            return Err(range());
        }
        let bundle = index / u64::from(TILE_WIDTH);
        let within = usize::try_from(index % u64::from(TILE_WIDTH)).map_err(|_| range())?;
        let width = entries_width(bundle, size).ok_or_else(range)?;
        let entries = self.bundle(bundle, width)?;
        entries.into_iter().nth(within).ok_or_else(range)
    }

    /// A partial tile may be gone once its full one is there, so that one is asked for next.
    fn partial_or_full(
        &self,
        path: TilePath,
        full: TilePath,
        max: usize,
    ) -> Result<(TilePath, Vec<u8>), ReaderError> {
        match self.read(&path.to_string(), max) {
            Err(ReaderError::NotFound { .. }) if path.width() < TILE_WIDTH => {
                Ok((full, self.read(&full.to_string(), max)?))
            }
            other => Ok((path, other?)),
        }
    }

    fn read(&self, path: &str, max: usize) -> Result<Vec<u8>, ReaderError> {
        match &self.place {
            Place::Http { client, prefix } => self.fetch(client, prefix, path, max),
            Place::Directory(directory) => load(directory, path, max),
        }
    }

    fn fetch(&self, client: &Client, prefix: &Url, path: &str, max: usize) -> Result<Vec<u8>, ReaderError> {
        let mut request = Request::get(&prefix.join(path.split('/')), Accept::Any).at_most(max);
        if let Some(deadline) = self.deadline {
            request = request.by(deadline);
        }
        let response = client.send(request)?;
        match response.status {
            200 => Ok(response.body),
            404 | 410 => Err(ReaderError::NotFound {
                what: path.to_owned(),
            }),
            _ => Err(response.into_status_error().into()),
        }
    }
}

/// Reads a file of a log's directory. Paths are made from numbers, so that they cannot leave it.
fn load(directory: &Path, path: &str, max: usize) -> Result<Vec<u8>, ReaderError> {
    let file = directory.join(path);
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ReaderError::NotFound {
            what: path.to_owned(),
        },
        _ => ReaderError::Io {
            path: file.clone(),
            source,
        },
    };
    let opened = File::open(&file).map_err(failed)?;
    if !opened.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("not a regular file")));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    opened.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > max {
        return Err(ReaderError::TooLarge {
            what: path.to_owned(),
            max,
        });
    }
    Ok(bytes)
}

impl TileSource for TileReader {
    type Error = ReaderError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, ReaderError> {
        const MAX: usize = TILE_WIDTH as usize * 32;
        let range = || ReaderError::Range {
            index,
            size: u64::MAX,
        };
        let path = TilePath::hashes(level, index, width).ok_or_else(range)?;
        let full = TilePath::hashes(level, index, TILE_WIDTH).ok_or_else(range)?;
        let (path, bytes) = self.partial_or_full(path, full, MAX)?;
        parse_hashes(&bytes, path.width()).map_err(|source| ReaderError::Tile {
            what: path.to_string(),
            source,
        })
    }
}
