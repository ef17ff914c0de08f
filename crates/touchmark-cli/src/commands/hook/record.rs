//! The session's record of a turn: which file, how far, which repositories it speaks of.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use touchmark_agents::ImportError;
use touchmark_agents::importer::{self, Importer};
use touchmark_agents::session::{ImportOptions, Layout, Session};
use touchmark_statement::digest::Sha256Digest;

use crate::capture::owner::Owner;
use crate::capture::session::Known;
use crate::capture::spool::{Kind, Turn};
use crate::commands::attest::session;
use crate::context::Context;
use crate::error::CliError;
use crate::file_argument;

/// How long a record may lag behind its hook.
const LAG: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// How many looks in a row have to find the same length.
const STILL: u32 = 4;
/// How much of its end is searched for the last answer.
const TAIL_BYTES: u64 = 1024 * 1024;
/// The most repositories that one session is attested in.
const MAX_REPOSITORIES: usize = 64;

/// A record that was found.
pub(super) struct Found {
    path: PathBuf,
    importer: &'static dyn Importer,
    options: ImportOptions,
}

impl Found {
    /// Reads it as far as the turn goes.
    pub(super) fn load(&self) -> Result<Session, CliError> {
        match self.importer.load(&self.path, &self.options) {
            // Written anew since, and shorter: what is there now is what there is.
            Err(ImportError::Shrunk { .. }) => {
                let options = ImportOptions {
                    up_to: None,
                    ..self.options.clone()
                };
                Ok(self.importer.load(&self.path, &options)?)
            }
            loaded => Ok(loaded?),
        }
    }

    /// How much of it was dealt with.
    pub(super) fn bytes(&self) -> u64 {
        self.options.up_to.unwrap_or_else(|| length(&self.path))
    }
}

/// Finds the record of a turn's session, and waits until it holds the turn. `next` is what its agent did next.
pub(super) fn find(
    turn: &Turn,
    known: &Known,
    next: Option<&Turn>,
    context: &Context<'_>,
) -> Result<Option<Found>, CliError> {
    let mark = turn.transcript.as_ref().or(known.transcript.as_ref());
    let named = mark
        .map(|mark| PathBuf::from(&mark.path))
        .filter(|path| path.exists());
    let Some(path) = named.or(elsewhere(turn, context)?) else {
        return Ok(None);
    };
    let by_product = || turn.product.as_deref().and_then(importer::by_product);
    let Some(importer) = importer::recognise(&path)?.or_else(by_product) else {
        return Ok(None);
    };
    let is_lines = importer.layout() == Layout::Lines;
    let own = turn
        .transcript
        .as_ref()
        .filter(|mark| Path::new(&mark.path) == path);
    let following = next
        .and_then(|next| next.transcript.as_ref())
        .filter(|mark| Path::new(&mark.path) == path);
    let end = match (own, following) {
        // What was written between the two belongs to the first.
        (Some(own), Some(following)) if following.bytes >= own.bytes => following.bytes,
        _ => settled(&path, own.map_or(0, |own| own.bytes), turn),
    };
    // Where nothing was written since, the record is whole as it is.
    let is_cut = is_lines && length(&path) > end;
    Ok(Some(Found {
        path,
        importer,
        options: ImportOptions {
            session_id: turn.session.clone(),
            up_to: is_cut.then_some(end),
            ..ImportOptions::default()
        },
    }))
}

/// Reads a session's record up to a length that is known already.
pub(super) fn at(known: &Known, bytes: u64) -> Result<Option<Session>, CliError> {
    let Some(path) = known
        .transcript
        .as_ref()
        .map(|mark| PathBuf::from(&mark.path))
        .filter(|path| path.exists())
    else {
        return Ok(None);
    };
    let Some(importer) = importer::recognise(&path)?.or_else(|| importer::by_product(&known.product)) else {
        return Ok(None);
    };
    let is_cut = importer.layout() == Layout::Lines && length(&path) > bytes;
    let found = Found {
        path,
        importer,
        options: ImportOptions {
            session_id: Some(known.session.clone()),
            up_to: is_cut.then_some(bytes),
            ..ImportOptions::default()
        },
    };
    found.load().map(Some)
}

/// Where the product keeps its records, for payloads that name none.
fn elsewhere(turn: &Turn, context: &Context<'_>) -> Result<Option<PathBuf>, CliError> {
    let all = session::candidates(Path::new(&turn.directory), context)?;
    let is_it = |(importer, candidate): &(&'static dyn Importer, touchmark_agents::session::Candidate)| {
        turn.product
            .as_deref()
            .is_none_or(|product| product == importer.product())
            && turn.session.as_ref().is_none_or(|id| *id == candidate.session_id)
    };
    Ok(all.into_iter().find(is_it).map(|(_, candidate)| candidate.path))
}

/// Waits until a record holds the last answer or stops growing, and returns its length then. An agent that has said that
/// its session ends writes until it is gone.
fn settled(path: &Path, mark: u64, turn: &Turn) -> u64 {
    let last = turn.last_message;
    let is_leaving = || turn.kind == Kind::SessionEnd && turn.owner.as_ref().is_some_and(Owner::is_alive);
    let until = Instant::now() + LAG;
    let (mut before, mut still) = (length(path), 0);
    loop {
        if last.is_some_and(|last| holds(path, mark, &last)) {
            return length(path);
        }
        if Instant::now() >= until || (last.is_none() && still >= STILL && !is_leaving()) {
            return before;
        }
        std::thread::sleep(LOOK);
        let now = length(path);
        still = if now == before { still + 1 } else { 0 };
        before = now;
    }
}

/// The length of a file; nothing is as long as an empty one.
pub(super) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Returns whether the end of a record holds a text of this digest. Texts are compared by digest alone: nobody wrote
/// the answer down but the agent.
fn holds(path: &Path, mark: u64, digest: &Sha256Digest) -> bool {
    // Whoever may write there may have put anything in its place, and nobody waits for a pipe.
    let Ok(mut file) = file_argument::open(path) else {
        return false;
    };
    let from = mark.saturating_sub(TAIL_BYTES);
    let mut bytes = Vec::new();
    let read = file
        .seek(SeekFrom::Start(from))
        .and_then(|_| file.take(2 * TAIL_BYTES).read_to_end(&mut bytes));
    if read.is_err() {
        return false;
    }
    let whole_document =
        from == 0 && serde_json::from_slice(&bytes).is_ok_and(|value| says(&value, digest, 0));
    whole_document
        || bytes
            .split(|byte| *byte == b'\n')
            .rev()
            .filter_map(|line| serde_json::from_slice(line).ok())
            .any(|value: Value| says(&value, digest, 0))
}

fn says(value: &Value, digest: &Sha256Digest, depth: usize) -> bool {
    const MAX_DEPTH: usize = 32;
    match value {
        Value::String(text) => {
            Sha256Digest::of(text.as_bytes()) == *digest
                || Sha256Digest::of(text.trim().as_bytes()) == *digest
        }
        Value::Array(items) if depth < MAX_DEPTH => items.iter().any(|item| says(item, digest, depth + 1)),
        Value::Object(fields) if depth < MAX_DEPTH => {
            fields.values().any(|item| says(item, digest, depth + 1))
        }
        _ => false,
    }
}

/// The folders that a turn worked in: where its hook was called, and those of files that it wrote elsewhere; one of each
/// work tree.
#[derive(Debug, Default)]
pub(super) struct Folders {
    pub(super) known: Vec<PathBuf>,
    /// Whether there are more than anybody looks at.
    pub(super) has_more: bool,
    seen: BTreeSet<PathBuf>,
    roots: BTreeSet<PathBuf>,
}

impl Folders {
    /// Finds the folders of a turn.
    pub(super) fn of(turn: &Turn, session: &Session) -> Self {
        let mut this = Self::default();
        this.add(Path::new(&turn.directory));
        for (path, how) in &session.run.written {
            let from = how.working_directory.as_deref().unwrap_or(&turn.directory);
            let file = Path::new(from).join(path);
            if let Some(folder) = file.ancestors().skip(1).find(|folder| folder.is_dir())
                && file.is_absolute()
            {
                this.add(folder);
            }
        }
        this
    }

    fn add(&mut self, folder: &Path) {
        if self.seen.contains(folder) {
            return;
        }
        if self.seen.len() >= MAX_DISTINCT {
            self.has_more = true;
            return;
        }
        self.seen.insert(folder.to_owned());
        let Some(root) = root_of(folder).filter(|root| !self.roots.contains(root)) else {
            return;
        };
        if self.roots.len() >= MAX_REPOSITORIES {
            self.has_more = true;
            return;
        }
        self.roots.insert(root);
        self.known.push(folder.to_owned());
    }
}

/// The most folders that are looked at for a repository.
const MAX_DISTINCT: usize = 10_000;

/// The folder of the work tree that a folder belongs to.
fn root_of(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    folder
        .ancestors()
        .find(|folder| folder.join(".git").exists())
        .map(Path::to_owned)
}
