//! The checkpoints that this user's verifications saw: one signed note a tree, in the data folder.
//!
//! A kept note never goes back: it gives way only to a larger one that is proven to extend it. Where a log contradicts
//! its kept note, both notes are kept as an alarm. The tiles at hand are those of the user's own embedded log.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use touchmark_log::Log;
use touchmark_sign::folder::{Folder, FolderError};
use touchmark_statement::digest::Sha256Digest;
use touchmark_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint};
use touchmark_tlog::merkle::Hash;
use touchmark_tlog::note::{MAX_NOTE_BYTES, Note};
use touchmark_tlog::tile::TilePath;
use touchmark_verify::remembered::{Consistency, Fork, RememberedCheckpoints, RememberedError};

use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// The most trees whose checkpoints are taken note of in one run.
const MAX_SEEN: usize = 1024;
/// The most alarms that are taken note of in one run.
const MAX_ALARMS: usize = 64;

/// A tree: the log's id and the origin of its checkpoints.
type Tree = (Hash, String);

/// What is remembered, and what this run adds to it.
#[derive(Debug)]
pub(crate) struct Remembered {
    folder: Folder,
    own: Option<Log>,
    seen: Mutex<BTreeMap<Tree, Seen>>,
    alarms: Mutex<Vec<Alarm>>,
}

/// The largest checkpoint of a tree that this run may remember.
#[derive(Debug)]
struct Seen {
    size: u64,
    note: String,
}

/// A contradiction, as it is kept.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Alarm {
    log_id: String,
    origin: String,
    code: &'static str,
    problem: String,
    remembered: String,
    found: String,
}

/// Keeps what this run saw, and says where the alarms are.
pub(crate) fn finish(remembered: Option<&Remembered>, context: &Context<'_>) -> Result<(), CliError> {
    let Some(remembered) = remembered else {
        return Ok(());
    };
    for alarm in remembered.keep()? {
        context.output.warn(format!(
            "a log contradicts what it showed before; both of its notes are in {}",
            alarm.display()
        ));
    }
    Ok(())
}

/// The exit code of a refused bundle: evidence that is wrong, unless the log itself is, or nothing could be decided.
pub(crate) fn exit_of(code: &str) -> ExitCode {
    match touchmark_policy::reason::registry::explain(code).and_then(|entry| entry.exit_code()) {
        Some(exit @ (ExitCode::Inconsistent | ExitCode::Error)) => exit,
        _ => ExitCode::Invalid,
    }
}

impl Remembered {
    /// Opens what this user remembers, where the flag or the user's configuration asks for it.
    pub(crate) fn if_asked(flag: bool, context: &Context<'_>) -> Result<Option<Arc<Self>>, CliError> {
        match flag || context.config.flag("remember") {
            true => Self::open(context).map(Arc::new).map(Some),
            false => Ok(None),
        }
    }

    /// Opens what this user remembers, and the embedded log whose tiles are at hand.
    fn open(context: &Context<'_>) -> Result<Self, CliError> {
        let log = crate::pipeline::log_folder(context);
        let own = log.exists().then(|| Log::open(&log).ok()).flatten();
        Self::at(context.home.data().join("checkpoints"), own).map_err(|error| unusable(&error))
    }

    fn at(folder: PathBuf, own: Option<Log>) -> Result<Self, FolderError> {
        Ok(Self {
            folder: Folder::open(&folder)?,
            own,
            seen: Mutex::default(),
            alarms: Mutex::default(),
        })
    }

    /// Keeps what this run saw, and says where the alarms are.
    fn keep(&self) -> Result<Vec<PathBuf>, CliError> {
        let kept = self.keep_all().map_err(|error| unusable(&error))?;
        Ok(kept.iter().map(|name| self.folder.path_of(name)).collect())
    }

    fn keep_all(&self) -> Result<Vec<String>, FolderError> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let alarms = std::mem::take(&mut *self.alarms.lock().unwrap_or_else(PoisonError::into_inner));
        if seen.is_empty() && alarms.is_empty() {
            return Ok(Vec::new());
        }
        let _lock = self.folder.lock()?;
        for (tree, seen) in seen {
            let name = note_name(&tree);
            // Another run may have remembered more in the meantime. Whoever cannot read its note leaves it alone.
            let kept = self.folder.read(&name, MAX_NOTE_BYTES as u64)?;
            if kept.is_none_or(|note| size_of(&note).is_some_and(|size| size < seen.size)) {
                self.folder
                    .write(&name, |file| file.write_all(seen.note.as_bytes()))?;
            }
        }
        let mut names = Vec::new();
        for alarm in alarms {
            let json = serde_json::to_vec_pretty(&alarm).expect("an alarm consists of text");
            let name = format!("{}.alarm.json", &Sha256Digest::of(&json).to_string()[..32]);
            if !self.folder.contains(&name)? {
                self.folder.write(&name, |file| file.write_all(&json))?;
            }
            names.push(name);
        }
        Ok(names)
    }
}

impl RememberedCheckpoints for Remembered {
    fn newest(&self, log_id: &Hash, origin: &str) -> Result<Option<String>, RememberedError> {
        let unreadable = |problem: String| RememberedError {
            origin: origin.to_owned(),
            problem,
        };
        let name = note_name(&(*log_id, origin.to_owned()));
        let note = self
            .folder
            .read(&name, MAX_NOTE_BYTES as u64)
            .map_err(|error| unreadable(error.to_string()))?;
        note.map(|note| String::from_utf8(note).map_err(|_| unreadable("it is not text".to_owned())))
            .transpose()
    }

    fn tile(&self, log_id: &Hash, origin: &str, level: u8, index: u64, width: u16) -> Option<Vec<Hash>> {
        let own = self.own.as_ref().filter(|own| own.origin() == origin)?;
        if own.verifier_key().log_id() != *log_id {
            return None;
        }
        let bytes = own.tile(&TilePath::hashes(level, index, width)?).ok()??;
        let hashes = bytes.chunks_exact(Hash::LEN).filter_map(Hash::from_slice);
        Some(hashes.collect())
    }

    fn saw(&self, log_id: &Hash, checkpoint: &VerifiedCheckpoint, consistency: Option<Consistency>) {
        if matches!(consistency, Some(Consistency::NotShown { .. })) {
            return;
        }
        let tree = (*log_id, checkpoint.checkpoint().origin.clone());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Two checkpoints of a tree that nothing was known of were not compared with each other: the first one stays.
        let replaces = match (seen.get(&tree), consistency) {
            (None, _) => seen.len() < MAX_SEEN,
            (Some(known), Some(_)) => known.size < checkpoint.size(),
            (Some(_), None) => false,
        };
        if replaces {
            let (size, note) = (checkpoint.size(), checkpoint.note().encode());
            seen.insert(tree, Seen { size, note });
        }
    }

    fn alarmed(&self, log_id: &Hash, fork: &Fork) {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        if alarms.len() < MAX_ALARMS {
            alarms.push(Alarm {
                log_id: log_id.to_string(),
                origin: fork.origin.clone(),
                code: fork.code(),
                problem: fork.kind.to_string(),
                remembered: fork.remembered.clone(),
                found: fork.found.clone(),
            });
        }
    }
}

/// Returns the name of a tree's file: the log's id, and what tells its trees apart.
fn note_name((log_id, origin): &Tree) -> String {
    let origin = Sha256Digest::of(origin.as_bytes()).to_string();
    format!("{log_id}-{}.note", &origin[..16])
}

/// The size that a kept note states, whose signature was verified when it was kept.
fn size_of(note: &[u8]) -> Option<u64> {
    let note = Note::parse(note).ok()?;
    Some(Checkpoint::parse(note.text()).ok()?.size)
}

fn unusable(error: &FolderError) -> CliError {
    CliError::from_error(ExitCode::Error, error.code(), error)
        .hint("what was seen of logs before is in the folder `checkpoints` of your data folder")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot set up its case fails")]
mod tests {
    use touchmark_testkit::sigstore::{Instance, InstanceOptions, SIGNED_AT};
    use touchmark_tlog::checkpoint::verify_note;
    use touchmark_verify::remembered::compare;

    use super::*;

    struct Case {
        instance: Instance,
        folder: tempfile::TempDir,
    }

    impl Case {
        fn new() -> Self {
            let instance = Instance::new(3, InstanceOptions::default());
            for filler in 0..20_u8 {
                instance.rekor_v2().add(vec![filler; 9], SIGNED_AT);
            }
            Self {
                instance,
                folder: tempfile::tempdir().unwrap(),
            }
        }

        fn open(&self) -> Remembered {
            Remembered::at(self.folder.path().join("checkpoints"), None).unwrap()
        }

        fn checkpoint(&self, size: usize) -> (Hash, VerifiedCheckpoint) {
            // The log is let go of before the trusted root asks for it.
            let note = self.instance.rekor_v2().checkpoint(size, SIGNED_AT);
            self.verified(&note)
        }

        fn verified(&self, note: &str) -> (Hash, VerifiedCheckpoint) {
            let root = self.instance.trusted_root();
            let named =
                |log: &&touchmark_verify::trust::TrustedLog| note.starts_with(&format!("{}\n", log.origin));
            let log = root.logs().iter().find(named).unwrap();
            let verified = verify_note(note.as_bytes(), &log.origin, &log.key).unwrap();
            (log.log_id, verified)
        }

        fn kept_size(&self) -> Option<u64> {
            let (log_id, any) = self.checkpoint(1);
            let note = self.open().newest(&log_id, &any.checkpoint().origin).unwrap()?;
            size_of(note.as_bytes())
        }
    }

    #[test]
    fn what_was_seen_first_is_kept_and_gives_way_to_proven_larger_trees_only() {
        let case = Case::new();
        assert_eq!(case.kept_size(), None);
        for (size, consistency, kept) in [
            (5, None, 5),
            (9, Some(Consistency::NotShown { reason: "" }), 5),
            (9, Some(Consistency::Proven), 9),
            (7, Some(Consistency::Proven), 9),
            (3, None, 9),
            (12, Some(Consistency::Proven), 12),
        ] {
            let remembered = case.open();
            let (log_id, checkpoint) = case.checkpoint(size);
            remembered.saw(&log_id, &checkpoint, consistency);
            remembered.keep().unwrap();
            assert_eq!(case.kept_size(), Some(kept), "{size} {consistency:?}");
        }
        // Of two that nothing was known of before, the first stays: they were not compared.
        let case = Case::new();
        let remembered = case.open();
        for size in [4, 8] {
            let (log_id, checkpoint) = case.checkpoint(size);
            remembered.saw(&log_id, &checkpoint, None);
        }
        remembered.keep().unwrap();
        assert_eq!(case.kept_size(), Some(4));
    }

    #[test]
    fn a_run_that_was_overtaken_takes_nothing_back() {
        let case = Case::new();
        let (slow, fast) = (case.open(), case.open());
        let (log_id, small) = case.checkpoint(6);
        let (_, large) = case.checkpoint(15);
        slow.saw(&log_id, &small, None);
        fast.saw(&log_id, &large, None);
        fast.keep().unwrap();
        slow.keep().unwrap();
        assert_eq!(case.kept_size(), Some(15));
    }

    #[test]
    fn case_100_both_notes_of_an_alarm_are_kept_once() {
        let case = Case::new();
        let (log_id, before) = case.checkpoint(6);
        let origin = &before.checkpoint().origin;
        let text = format!("{origin}\n6\n{}\n", Hash::from_bytes([1; 32]).to_base64());
        let forged = case.instance.rekor_v2().sign_note(&text, SIGNED_AT);
        let (_, other) = case.verified(&forged);
        let remembered = case.open();
        let tiles = NoTiles;
        let fork = compare(&before, &other, &tiles).unwrap_err();
        remembered.alarmed(&log_id, &fork);
        let paths = remembered.keep().unwrap();
        let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&paths[0]).unwrap()).unwrap();
        assert_eq!(kept["code"], "tlog.split_view");
        assert_eq!(kept["remembered"], before.note().encode());
        assert_eq!(kept["found"], other.note().encode());
        let again = case.open();
        again.alarmed(&log_id, &fork);
        assert_eq!(again.keep().unwrap(), paths);
    }

    #[derive(Debug)]
    struct NoTiles;

    impl touchmark_tlog::prove::TileSource for NoTiles {
        type Error = std::fmt::Error;

        fn tile(&self, _: u8, _: u64, _: u16) -> Result<Vec<Hash>, std::fmt::Error> {
            Err(std::fmt::Error)
        }
    }
}
