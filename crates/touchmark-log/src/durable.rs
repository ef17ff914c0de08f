//! Files that are there whole or not at all, also after a power cut: written aside, synced, renamed, and the
//! directory synced.
//!
//! All writing happens under the log's lock, so the names of unfinished files cannot collide.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;

use crate::error::{LogError, storage};
use crate::layout::Layout;

const PRIVATE_DIR: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;
const PUBLIC_FILE: u32 = 0o644;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    Everybody,
    Owner,
}

/// Files that become visible in the order in which they were staged; what is not published is removed.
///
/// All their contents are synced at once, and so are the directories of one step: a disk takes about as long for
/// many as for one.
#[derive(Debug)]
pub(crate) struct Staging<'a> {
    layout: &'a Layout,
    files: Vec<Staged>,
    step: u32,
}

/// A file that is written, but has neither its name nor a place that survives a power cut.
#[derive(Debug)]
struct Staged {
    file: File,
    aside: PathBuf,
    target: PathBuf,
    step: u32,
}

impl<'a> Staging<'a> {
    pub(crate) fn new(layout: &'a Layout) -> Self {
        Self {
            layout,
            files: Vec::new(),
            step: 0,
        }
    }

    /// Writes a file aside.
    pub(crate) fn add(
        &mut self,
        target: PathBuf,
        audience: Audience,
        content: &[u8],
    ) -> Result<(), LogError> {
        self.add_with(target, audience, |file| file.write_all(content))
    }

    /// Writes a file aside with this function.
    pub(crate) fn add_with(
        &mut self,
        target: PathBuf,
        audience: Audience,
        write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
    ) -> Result<(), LogError> {
        let aside = self.layout.temporary().join(self.files.len().to_string());
        let mode = if audience == Audience::Owner {
            PRIVATE_FILE
        } else {
            PUBLIC_FILE
        };
        let open = || {
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(mode)
                .open(&aside)
        };
        let file = open().map_err(storage("create", &aside))?;
        self.files.push(Staged {
            file,
            aside,
            target,
            step: self.step,
        });
        let Some(Staged { file, aside, .. }) = self.files.last() else {
            return Ok(());
        };
        let mut buffered = BufWriter::new(file);
        write(&mut buffered)
            .and_then(|()| buffered.flush())
            .map_err(storage("write", aside))
    }

    /// Has files that are added from here on get their names only when those before are durable.
    pub(crate) fn then(&mut self) {
        self.step += 1;
    }

    /// Gives the files their names, step by step.
    pub(crate) fn publish(mut self, settled: &mut Settled) -> Result<(), LogError> {
        all_at_once(&self.files, |staged| {
            staged.file.sync_all().map_err(storage("sync", &staged.aside))
        })?;
        // Kept only if all goes well: after an error nobody knows which directories are durable.
        let mut known = std::mem::take(&mut settled.0);
        for step in 0..=self.step {
            let mut changed = BTreeSet::new();
            while let Some(staged) = self.files.first().filter(|staged| staged.step == step) {
                rename(&staged.aside, &staged.target, &mut changed)?;
                self.files.remove(0);
            }
            let above: Vec<PathBuf> = changed.iter().flat_map(|dir| self.above(dir)).collect();
            changed.extend(above.iter().filter(|dir| !known.contains(*dir)).cloned());
            let changed: Vec<PathBuf> = changed.into_iter().collect();
            all_at_once(&changed, |dir| sync_dir(dir))?;
            known.extend(above);
        }
        settled.0 = known;
        Ok(())
    }

    /// The directories above this one, up to that of the log.
    fn above(&self, dir: &Path) -> Vec<PathBuf> {
        let root = self.layout.root();
        dir.ancestors()
            .skip(1)
            .take_while(|above| above.starts_with(root))
            .map(Path::to_owned)
            .collect()
    }
}

/// The directories that are known to survive a power cut themselves. One that was there already may be what an
/// earlier process made and never synced.
#[derive(Debug, Default)]
pub(crate) struct Settled(BTreeSet<PathBuf>);

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        for staged in &self.files {
            // Nothing depends on it: unfinished files are overwritten or cleared by the next writer.
            let _ = fs::remove_file(&staged.aside);
        }
    }
}

/// Does this to every item at the same time, and returns an error if there was any.
fn all_at_once<T: Sync>(
    items: &[T],
    work: impl Fn(&T) -> Result<(), LogError> + Sync,
) -> Result<(), LogError> {
    const THREADS: usize = 16;
    let work = &work;
    for chunk in items.chunks(THREADS) {
        let (last, others) = chunk.split_last().expect("a chunk has an item");
        thread::scope(|scope| {
            let start = |item| {
                // Where no thread is to be had, one after the other will do.
                thread::Builder::new()
                    .spawn_scoped(scope, move || work(item))
                    .map_err(|_| work(item))
            };
            let others: Vec<_> = others.iter().map(start).collect();
            let last = work(last);
            // All have ended before an error is returned.
            let end = |thread| match thread {
                Ok(thread) => thread::ScopedJoinHandle::join(thread).expect("syncing does not panic"),
                Err(done) => done,
            };
            let others: Vec<_> = others.into_iter().map(end).collect();
            others.into_iter().chain([last]).collect::<Result<(), LogError>>()
        })?;
    }
    Ok(())
}

fn rename(aside: &Path, target: &Path, changed: &mut BTreeSet<PathBuf>) -> Result<(), LogError> {
    let parent = target.parent().unwrap_or(Path::new("."));
    let renamed = match fs::rename(aside, target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_dirs(parent, changed)?;
            fs::rename(aside, target)
        }
        other => other,
    };
    renamed.map_err(storage("rename into place", target))?;
    changed.insert(parent.to_owned());
    Ok(())
}

/// Makes a directory and what is missing above it, and notes which directories have new entries.
fn make_dirs(dir: &Path, changed: &mut BTreeSet<PathBuf>) -> Result<(), LogError> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        make_dirs(parent, changed)?;
        changed.insert(parent.to_owned());
    }
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(storage("create", dir)(error)),
        _ => Ok(()),
    }
}

/// Makes a directory that only its owner can enter, unless it is there.
pub(crate) fn make_private_dir(dir: &Path) -> Result<(), LogError> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_DIR)
        .create(dir)
        .map_err(storage("create", dir))
}

/// Makes what is in a directory survive a power cut.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), LogError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(storage("sync", dir))
}

/// Removes what an earlier writer left unfinished.
pub(crate) fn clear_temporary(layout: &Layout) -> Result<(), LogError> {
    let dir = layout.temporary();
    make_private_dir(&dir)?;
    for entry in fs::read_dir(&dir).map_err(storage("list", &dir))? {
        let path = entry.map_err(storage("list", &dir))?.path();
        fs::remove_file(&path).map_err(storage("remove", &path))?;
    }
    Ok(())
}

/// Reads a file of at most this many bytes; `None` if it is not there.
pub(crate) fn read_capped(path: &Path, cap: usize) -> Result<Option<Vec<u8>>, LogError> {
    // Non-blocking, so that a named pipe in the place of the file cannot hold us up.
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(storage("open", path)(error)),
    };
    if !file.metadata().map_err(storage("read", path))?.is_file() {
        return Err(storage("read", path)(io::ErrorKind::InvalidInput.into()));
    }
    let mut content = Vec::new();
    file.take(cap as u64)
        .read_to_end(&mut content)
        .map_err(storage("read", path))?;
    Ok(Some(content))
}

/// The advisory lock that one writer at a time holds, over all processes.
#[derive(Debug)]
pub(crate) struct WriteLock(File);

impl WriteLock {
    /// Waits for the lock. A process that dies gives it back.
    pub(crate) fn acquire(layout: &Layout) -> Result<Self, LogError> {
        let path = layout.lock();
        let open = || {
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(PRIVATE_FILE)
                .open(&path)
        };
        let file = open().map_err(storage("open", &path))?;
        file.lock().map_err(storage("lock", &path))?;
        Ok(Self(file))
    }

    /// Waits until nobody writes, without keeping other readers out.
    pub(crate) fn acquire_shared(layout: &Layout) -> Result<Self, LogError> {
        let path = layout.lock();
        let file = File::open(&path).map_err(storage("open", &path))?;
        file.lock_shared().map_err(storage("lock", &path))?;
        Ok(Self(file))
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        // Closing the file gives the lock back too.
        let _ = self.0.unlock();
    }
}
