//! The monitor's own records: one file a log, one file a finding, each whole or not there.

use std::path::Path;

use thiserror::Error;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::strict_json::{self, JsonError, Numbers, Rules};
use touchmark_tlog::merkle::Hash;
use touchmark_verify::trust::TrustedLog;

use super::alarm::Alarm;
use super::finding::{Finding, FindingId};
use super::position::{MAX_POSITION_BYTES, Position, PositionError};
use touchmark_sign::folder::{Folder, FolderError, Lock};

/// Most files that are kept.
const MAX_FILES: usize = 100_000;
const MAX_FINDING_BYTES: usize = 256 * 1024;
const POSITION: &str = ".position.json";
const FINDING: &str = ".finding.json";
const ALARM: &str = ".alarm.json";
const MESSAGE: &str = ".message.json";
const HEARTBEAT: &str = "heartbeat.json";
/// Most messages that wait for somebody to take them.
const MAX_MESSAGES: usize = 1_000;
const MAX_MESSAGE_BYTES: u64 = 1024 * 1024;

const FINDING_RULES: Rules = Rules {
    max_bytes: MAX_FINDING_BYTES,
    max_depth: 4,
    numbers: Numbers::ExactIntegers,
};

/// Records that cannot be read or kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A kept position cannot be gone on from.
    #[error("{name}: {source}")]
    Position {
        /// The file.
        name: String,
        /// Why not.
        source: PositionError,
    },
    /// A finding is not readable.
    #[error("{name} is not a finding of this monitor")]
    Finding {
        /// The file.
        name: String,
        /// Why not.
        #[source]
        source: Option<JsonError>,
    },
    /// There is no such finding.
    #[error("there is no finding {id}")]
    Unknown {
        /// The name asked for.
        id: FindingId,
    },
    /// Another monitor works with these records.
    #[error("another monitor works with the records in {path}")]
    Busy {
        /// The folder.
        path: String,
    },
}

impl StoreError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder(error) => error.code(),
            Self::Position { source, .. } => source.code(),
            Self::Finding { .. } => "monitor.finding_unusable",
            Self::Unknown { .. } => "monitor.finding_unknown",
            Self::Busy { .. } => "monitor.busy",
        }
    }
}

/// A folder of records, held by one monitor at a time.
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    _lock: Lock,
}

impl Store {
    /// Opens the records, making their folder if there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let folder = Folder::open(path)?;
        let lock = folder.try_lock("monitor")?.ok_or_else(|| StoreError::Busy {
            path: path.display().to_string(),
        })?;
        folder.clean()?;
        Ok(Self { folder, _lock: lock })
    }

    /// Returns where the tree of a log with this origin was followed to; nothing for one that never was.
    pub fn position(&self, log: &TrustedLog, origin: &str) -> Result<Option<Position>, StoreError> {
        let position = self.read_position(position_name(&log.log_id, origin), log)?;
        Ok(position.filter(|position| position.checkpoint().checkpoint().origin == origin))
    }

    /// Returns where all trees of a log were followed to.
    pub fn positions(&self, log: &TrustedLog) -> Result<Vec<Position>, StoreError> {
        let mut positions = Vec::new();
        for name in self.folder.names(MAX_FILES)? {
            if name.starts_with(&log.log_id.to_string()) && name.ends_with(POSITION) {
                positions.extend(self.read_position(name, log)?);
            }
        }
        Ok(positions)
    }

    fn read_position(&self, name: String, log: &TrustedLog) -> Result<Option<Position>, StoreError> {
        let Some(json) = self.folder.read(&name, MAX_POSITION_BYTES as u64)? else {
            return Ok(None);
        };
        let position = Position::decode(&json, log);
        position
            .map(Some)
            .map_err(|source| StoreError::Position { name, source })
    }

    /// Keeps where a tree was followed to.
    pub fn keep_position(&self, log_id: &Hash, position: &Position) -> Result<(), StoreError> {
        let bytes = position.encode();
        let name = position_name(log_id, &position.checkpoint().checkpoint().origin);
        Ok(self.folder.write(&name, |file| file.write_all(&bytes))?)
    }

    /// Returns how many records there is room for of what anybody can make us keep: they fill half of it, so that the
    /// other half is left for what is proven.
    pub fn room(&self) -> Result<usize, StoreError> {
        Ok((MAX_FILES / 2).saturating_sub(self.folder.names(MAX_FILES)?.len()))
    }

    /// Keeps a finding that is not kept yet; one that is stays as it is.
    pub fn add(&self, finding: &Finding) -> Result<bool, StoreError> {
        let name = finding_name(finding);
        if self.folder.contains(&name)? {
            return Ok(false);
        }
        self.replace(finding)?;
        Ok(true)
    }

    /// Keeps a finding in place of what is kept of it.
    pub fn replace(&self, finding: &Finding) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec_pretty(finding).expect("a finding consists of text and numbers");
        Ok(self
            .folder
            .write(&finding_name(finding), |file| file.write_all(&bytes))?)
    }

    /// Drops a finding.
    pub fn forget(&self, finding: &Finding) -> Result<(), StoreError> {
        self.folder.remove(&finding_name(finding))?;
        Ok(())
    }

    /// Returns one finding.
    pub fn finding(&self, id: &FindingId) -> Result<Finding, StoreError> {
        let name = format!("{}-{:020}{FINDING}", id.log_id, id.index);
        self.read_finding(name)?.ok_or(StoreError::Unknown { id: *id })
    }

    /// Returns all findings, by log and place.
    pub fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        for name in self.folder.names(MAX_FILES)? {
            if name.ends_with(FINDING) {
                findings.extend(self.read_finding(name)?);
            }
        }
        Ok(findings)
    }

    fn read_finding(&self, name: String) -> Result<Option<Finding>, StoreError> {
        let Some(json) = self.folder.read(&name, MAX_FINDING_BYTES as u64)? else {
            return Ok(None);
        };
        let finding: Finding =
            strict_json::from_slice(&json, &FINDING_RULES).map_err(|source| StoreError::Finding {
                name: name.clone(),
                source: Some(source),
            })?;
        if finding_name(&finding) != name {
            return Err(StoreError::Finding { name, source: None });
        }
        Ok(Some(finding))
    }

    /// Keeps the proof that a log contradicts itself.
    pub fn keep_alarm(&self, log_id: &Hash, alarm: &Alarm) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec_pretty(alarm).expect("an alarm consists of text");
        Ok(self
            .folder
            .write(&format!("{log_id}{ALARM}"), |file| file.write_all(&bytes))?)
    }

    /// Keeps a message until somebody has taken it. The same one waits once; of very many the first ones wait.
    pub fn keep_message(&self, json: &[u8]) -> Result<(), StoreError> {
        if self.messages()?.len() >= MAX_MESSAGES {
            return Ok(());
        }
        let name = format!("{}{MESSAGE}", Sha256Digest::of(json));
        Ok(self.folder.write(&name, |file| file.write_all(json))?)
    }

    /// Returns the messages that wait.
    pub fn messages(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut messages = Vec::new();
        for name in self.folder.names(MAX_FILES)? {
            if name.ends_with(MESSAGE) {
                messages.extend(self.folder.read(&name, MAX_MESSAGE_BYTES)?);
            }
        }
        Ok(messages)
    }

    /// Forgets a message that was taken.
    pub fn forget_message(&self, json: &[u8]) -> Result<(), StoreError> {
        self.folder
            .remove(&format!("{}{MESSAGE}", Sha256Digest::of(json)))?;
        Ok(())
    }

    /// Keeps the sign of life: a monitor that is silent and one that is dead differ by it.
    pub fn keep_heartbeat(&self, json: &[u8]) -> Result<(), StoreError> {
        Ok(self.folder.write(HEARTBEAT, |file| file.write_all(json))?)
    }
}

/// A Rekor v1 log has several trees, told apart by their origins.
fn position_name(log_id: &Hash, origin: &str) -> String {
    format!("{log_id}-{}{POSITION}", Sha256Digest::of(origin.as_bytes()))
}

fn finding_name(finding: &Finding) -> String {
    format!("{}-{:020}{FINDING}", finding.log_id, finding.index)
}
