//! The events that hooks were called for, in the order of their times, until somebody has dealt with them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use touchmark_agents::hook::HookKind;
use touchmark_sign::folder::Folder;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;

use super::owner::Owner;
use super::snapshot::Snapshot;
use crate::error::CliError;

/// The most turns that are listed; more than that waits for the next worker.
const MAX_TURNS: usize = 100_000;

/// One event that a hook was called for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Turn {
    /// The form of this file.
    pub(crate) version: u64,
    /// What happened.
    pub(crate) kind: Kind,
    /// The word behind `hook run`.
    pub(crate) called: String,
    /// The product that called, by its payload.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) product: Option<String>,
    /// Whether the payload is of another product than the one that the hook was installed for.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(crate) mismatch: bool,
    /// The agent's own name for the event.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) event: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) session: Option<String>,
    /// The turn inside it, where the agent names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) turn: Option<String>,
    /// Where the agent worked.
    pub(crate) directory: String,
    /// How far the session's record was written then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) transcript: Option<Watermark>,
    /// The repository as it was then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) snapshot: Option<Snapshot>,
    /// The digest of the agent's last answer, by which a record that lags is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) last_message: Option<Sha256Digest>,
    /// When the hook was called.
    pub(crate) at: Timestamp,
    /// What two hooks for one event have in common.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) dedupe: Option<Sha256Digest>,
    /// The agent's process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) owner: Option<Owner>,
    /// The session of another agent inside which this one runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) parent: Option<String>,
    /// Variables that say where and by whom a process was started, by the names of `marks`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// The commits of a git hook, old and new.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) commits: Vec<(String, String)>,
    /// What was noticed in the payload, by code.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) problems: Vec<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    /// A session begins or is taken up again.
    SessionStart,
    /// Somebody gave the agent something to do.
    Prompt,
    /// The agent has finished answering.
    TurnEnd,
    /// A sub-agent has finished.
    SubagentEnd,
    /// A session ends.
    SessionEnd,
    /// Git has made a commit.
    Commit,
    /// Git has made other commits of old ones.
    Rewrite,
    /// Something else, or something that could not be understood.
    Other,
}

impl Kind {
    /// Takes over what a payload says.
    pub(crate) fn of(kind: HookKind) -> Self {
        match kind {
            HookKind::SessionStart => Self::SessionStart,
            HookKind::Prompt => Self::Prompt,
            HookKind::TurnEnd => Self::TurnEnd,
            HookKind::SubagentEnd => Self::SubagentEnd,
            HookKind::SessionEnd => Self::SessionEnd,
            _ => Self::Other,
        }
    }

    /// Returns whether work may have been done that a statement is due for.
    pub(crate) fn is_due(self) -> bool {
        matches!(self, Self::TurnEnd | Self::SessionEnd)
    }

    /// Returns the name in the hook log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SessionStart => "session-start",
            Self::Prompt => "prompt",
            Self::TurnEnd => "turn-end",
            Self::SubagentEnd => "subagent-end",
            Self::SessionEnd => "session-end",
            Self::Commit => "commit",
            Self::Rewrite => "rewrite",
            Self::Other => "other",
        }
    }
}

/// How far a session's record was written when the hook was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Watermark {
    /// The file.
    pub(crate) path: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// The digest of its first and last bytes up to that length, cheap even for a large file.
    pub(crate) ends: Sha256Digest,
}

/// A turn with the name of its file.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// The file's name.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) turn: Turn,
}

/// The folder of turns.
#[derive(Debug)]
pub(crate) struct Turns(Folder);

impl Turns {
    /// Opens the folder below the capture folder, making it on first use.
    pub(crate) fn open(capture: &Path) -> Result<Self, CliError> {
        Ok(Self(Folder::open(&capture.join("turns"))?))
    }

    /// Opens the folder if there is one; looking makes none.
    pub(crate) fn open_if_any(capture: &Path) -> Result<Option<Self>, CliError> {
        if capture.join("turns").symlink_metadata().is_err() {
            return Ok(None);
        }
        Self::open(capture).map(Some)
    }

    /// Makes a turn durable; `nanos` is the time by which turns are put in order.
    pub(crate) fn put(&self, turn: &Turn, nanos: u128) -> Result<String, CliError> {
        let random = getrandom::u32().unwrap_or_default();
        let name = format!("{nanos:024}-{random:08x}.json");
        super::write(&self.0, &name, turn)?;
        Ok(name)
    }

    /// Returns the names of the oldest turns, in order.
    pub(crate) fn names(&self) -> Result<Vec<String>, CliError> {
        Ok(self.0.first_names(MAX_TURNS)?)
    }

    /// Reads a turn; nothing where somebody else has dealt with it.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Named>, CliError> {
        let turn: Option<Turn> = super::read(&self.0, name)?;
        Ok(turn.map(|turn| Named {
            name: name.to_owned(),
            turn,
        }))
    }

    /// Takes a turn out, once it is dealt with.
    pub(crate) fn remove(&self, name: &str) -> Result<bool, CliError> {
        Ok(self.0.remove(name)?)
    }

    /// Removes what hooks that died left half-written: they have told nobody that it is safe.
    pub(crate) fn clean(&self) -> Result<usize, CliError> {
        Ok(self.0.clean()?)
    }
}
