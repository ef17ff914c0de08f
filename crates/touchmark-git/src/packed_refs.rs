//! Reads `packed-refs` at a cost that grows with what is asked for, not with how many refs there are: the file says that
//! it is sorted, and then it is searched by halves. A file of usual size is kept in memory until it changes.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::error::GitError;
use crate::limits::MAX_PACKED_REFS_BYTES;
use crate::open::{open_regular, read_control_if_any};

/// Below this size a part of the file is read line by line.
const SMALL: u64 = 64 * 1024;
/// Holds at least one whole ref and the peeled value before it.
const WINDOW: usize = 8 * 1024;

/// Files up to this size are kept in memory.
const KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// The `packed-refs` file of one repository.
#[derive(Debug)]
pub(crate) struct PackedRefs {
    path: PathBuf,
    kept: Mutex<Option<(Stamp, Arc<[u8]>)>>,
}

/// Tells one state of the file from another: git never changes the file in place but puts a new one there.
type Stamp = (u64, u64, i64, i64);

impl PackedRefs {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self {
            path,
            kept: Mutex::new(None),
        }
    }

    /// Calls `each` with the id and the name of every packed ref whose name begins with `prefix`, in the order of the
    /// file.
    pub(crate) fn each_below(
        &self,
        prefix: &str,
        mut each: impl FnMut(&str, &str) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        let stamp = match self.path.metadata() {
            Ok(found) => (found.ino(), found.len(), found.mtime(), found.mtime_nsec()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                return Err(GitError::Io {
                    path: self.path.clone(),
                    source,
                });
            }
        };
        if stamp.1 > KEPT_BYTES {
            return each_in_file(&self.path, prefix, each);
        }
        let mut kept = self
            .kept
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let bytes = match &*kept {
            Some((of, bytes)) if *of == stamp => bytes.clone(),
            _ => {
                let Some(bytes) = read_control_if_any(&self.path, MAX_PACKED_REFS_BYTES)? else {
                    return Ok(());
                };
                let bytes: Arc<[u8]> = bytes.into();
                *kept = Some((stamp, bytes.clone()));
                bytes
            }
        };
        drop(kept);
        each_in_memory(&bytes, prefix, &mut each)
    }
}

fn is_sorted(header: &[u8]) -> bool {
    header.starts_with(b"# pack-refs with:")
        && header.split(|byte| *byte == b' ').any(|word| word == b"sorted")
}

fn each_in_memory(
    bytes: &[u8],
    prefix: &str,
    each: &mut impl FnMut(&str, &str) -> Result<(), GitError>,
) -> Result<(), GitError> {
    let end_of = |at: usize| {
        bytes[at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(bytes.len(), |end| at + end)
    };
    let sorted = is_sorted(&bytes[..end_of(0)]);
    let (mut low, mut high) = (0, if sorted { bytes.len() } else { 0 });
    while low < high {
        let middle = low + (high - low) / 2;
        let line_at = |at: usize| {
            bytes[low..at]
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(low, |end| low + end + 1)
        };
        let mut start = line_at(middle);
        let end = end_of(start);
        // A peeled value belongs to the ref before it.
        while bytes[start] == b'^' && start > low {
            start = line_at(start - 1);
        }
        match parse(&bytes[start..end_of(start)]) {
            Some((_, name)) if name >= prefix => high = start,
            _ => low = (end + 1).min(bytes.len()),
        }
    }
    for line in bytes[low.min(bytes.len())..].split(|byte| *byte == b'\n') {
        let Some((id, name)) = parse(line) else { continue };
        if name.starts_with(prefix) {
            each(id, name)?;
        } else if sorted && name > prefix {
            break;
        }
    }
    Ok(())
}

fn each_in_file(
    path: &Path,
    prefix: &str,
    mut each: impl FnMut(&str, &str) -> Result<(), GitError>,
) -> Result<(), GitError> {
    let (file, length) = open_regular(path)?;
    if length > MAX_PACKED_REFS_BYTES {
        return Err(GitError::ControlFileTooLarge {
            path: path.to_owned(),
            limit: MAX_PACKED_REFS_BYTES,
        });
    }
    let mut reader = BufReader::with_capacity(SMALL as usize, file);
    let mut line = Vec::new();
    read_line(&mut reader, &mut line, path)?;
    let sorted = is_sorted(&line);
    let start = if sorted {
        lower_bound(reader.get_ref(), length, prefix.as_bytes()).unwrap_or(0)
    } else {
        0
    };
    reader.seek(SeekFrom::Start(start)).map_err(GitError::io(path))?;
    while read_line(&mut reader, &mut line, path)? {
        let Some((id, name)) = parse(&line) else { continue };
        if name.starts_with(prefix) {
            each(id, name)?;
        } else if sorted && name > prefix {
            break;
        }
    }
    Ok(())
}

/// Returns the offset of a line at or before the first ref that is not less than `wanted`, or `None` when the file is not
/// of the usual form.
fn lower_bound(file: &File, length: u64, wanted: &[u8]) -> Option<u64> {
    let (mut low, mut high) = (0, length);
    let mut window = vec![0; WINDOW];
    while high - low > SMALL {
        let middle = low + (high - low) / 2;
        let read = file.read_at(&mut window, middle).ok()?;
        let line_end = window[..read].iter().position(|byte| *byte == b'\n')?;
        let mut at = line_end + 1;
        // Peeled values belong to the ref before them.
        while window.get(at) == Some(&b'^') {
            at += window[at..read].iter().position(|byte| *byte == b'\n')? + 1;
        }
        let end = at + window[at..read].iter().position(|byte| *byte == b'\n')?;
        let (_, name) = parse(&window[at..end])?;
        if name.as_bytes() < wanted {
            low = middle + at as u64;
        } else {
            high = middle;
        }
    }
    Some(low)
}

/// Reads one line without its end. Lines of more than a window are cut, which makes them no refs.
fn read_line(reader: &mut BufReader<File>, line: &mut Vec<u8>, path: &Path) -> Result<bool, GitError> {
    line.clear();
    loop {
        let chunk = reader.fill_buf().map_err(GitError::io(path))?;
        if chunk.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        line.extend_from_slice(&part[..part.len().min(WINDOW.saturating_sub(line.len()))]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            // An empty line is no end of the file.
            if line.is_empty() {
                line.push(b'#');
            }
            return Ok(true);
        }
    }
}

/// Splits a line; headers and peeled values are not refs.
fn parse(line: &[u8]) -> Option<(&str, &str)> {
    if matches!(line.first(), None | Some(b'#' | b'^')) {
        return None;
    }
    std::str::from_utf8(line).ok()?.split_once(' ')
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn names(text: &str, prefix: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("packed-refs");
        std::fs::write(&path, text).unwrap();
        let (mut found, mut kept) = (Vec::new(), Vec::new());
        let push = |found: &mut Vec<String>, id: &str, name: &str| {
            assert_eq!(id.len(), 40);
            found.push(name.to_owned());
        };
        each_in_file(&path, prefix, |id, name| {
            push(&mut found, id, name);
            Ok(())
        })
        .unwrap();
        let each = |id: &str, name: &str| {
            push(&mut kept, id, name);
            Ok(())
        };
        PackedRefs::at(path).each_below(prefix, each).unwrap();
        assert_eq!(found, kept);
        found
    }

    #[test]
    fn finds_the_same_refs_by_halves_and_line_by_line() {
        let id = "1".repeat(40);
        let mut refs = String::new();
        for number in 0..20_000 {
            let _ = writeln!(refs, "{id} refs/heads/branch-{number:05}");
            if number % 3 == 0 {
                let _ = writeln!(refs, "^{id}");
            }
        }
        let sorted = format!("# pack-refs with: peeled fully-peeled sorted \n{refs}");
        assert_eq!(names(&sorted, "refs/heads/").len(), 20_000);
        for number in [0, 1, 2, 3, 777, 9_999, 10_000, 12_345, 19_998, 19_999] {
            let name = format!("refs/heads/branch-{number:05}");
            assert_eq!(names(&sorted, &name), std::slice::from_ref(&name));
            assert_eq!(names(&refs, &name), std::slice::from_ref(&name));
        }
        for absent in ["refs/heads/a", "refs/heads/branch-1x", "refs/zzz", "a"] {
            assert_eq!(names(&sorted, absent), Vec::<String>::new());
        }
        assert_eq!(names(&sorted, "refs/heads/branch-1999").len(), 10);
    }

    #[test]
    fn an_odd_file_is_read_whole() {
        let id = "1".repeat(40);
        let long = "x".repeat(100_000);
        let text = format!("# pack-refs with: sorted \n{long}\n\njunk\n{id} refs/heads/main");
        assert_eq!(names(&text, "refs/heads/main"), ["refs/heads/main"]);
        assert_eq!(names("", "refs/"), Vec::<String>::new());
    }
}
