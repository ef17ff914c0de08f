//! What the worker knows of one session: where it began in each repository, and how far it was attested.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use touchmark_sign::folder::Folder;
use touchmark_statement::digest::Sha256Digest;

use super::owner::Owner;
use super::snapshot::Snapshot;
use super::spool::{Turn, Watermark};
use crate::error::CliError;

/// The most sessions that are looked through: those that something happened in last.
const MAX_SESSIONS: usize = 10_000;

/// One session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Known {
    /// The product.
    pub(crate) product: String,
    /// The session's id.
    pub(crate) session: String,
    /// Where it worked last.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(crate) directory: String,
    /// Its record, as far as a statement or a hook spoke of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) transcript: Option<Watermark>,
    /// The agent's process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) owner: Option<Owner>,
    /// The session inside which it runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) parent: Option<String>,
    /// Whether it has ended, by its own word or by its process's death.
    #[serde(default)]
    pub(crate) ended: bool,
    /// The last turn that a statement was made for, or is being made: those before it are part of that.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(crate) through: String,
    /// How many bytes of its record a worker has dealt with.
    #[serde(default)]
    pub(crate) seen: u64,
    /// The repositories, by work tree.
    #[serde(default)]
    pub(crate) repositories: BTreeMap<String, Began>,
    /// The variables of its last hook.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(crate) environment: BTreeMap<String, String>,
}

/// A session in one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Began {
    /// As it was when the session began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) start: Option<Snapshot>,
    /// As it was when the agent was given something to do last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) turn: Option<Snapshot>,
    /// As it was when a statement was made last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) stated: Option<Snapshot>,
}

impl Known {
    /// A session that nobody has heard of before.
    pub(crate) fn new(product: &str, session: &str) -> Self {
        Self {
            product: product.to_owned(),
            session: session.to_owned(),
            ..Self::default()
        }
    }

    /// The name of the file that this is kept in.
    pub(crate) fn file_name(&self) -> String {
        file_name(&self.product, &self.session)
    }

    /// Takes over what an event says of its session.
    pub(crate) fn hear(&mut self, turn: &Turn) {
        if !turn.directory.is_empty() {
            self.directory.clone_from(&turn.directory);
        }
        self.transcript = turn.transcript.clone().or_else(|| self.transcript.take());
        self.owner = turn.owner.clone().or_else(|| self.owner.take());
        self.parent = turn.parent.clone().or_else(|| self.parent.take());
        self.environment.clone_from(&turn.environment);
        self.ended = turn.kind == super::spool::Kind::SessionEnd;
    }
}

/// The folder of sessions.
#[derive(Debug)]
pub(crate) struct Sessions(Folder);

impl Sessions {
    /// Opens the folder.
    pub(crate) fn open(capture: &Path) -> Result<Self, CliError> {
        Ok(Self(Folder::open(&capture.join("sessions"))?))
    }

    /// Reads what is known of a session.
    pub(crate) fn read(&self, product: &str, session: &str) -> Result<Known, CliError> {
        let known = super::read(&self.0, &file_name(product, session))?;
        Ok(known.unwrap_or_else(|| Known::new(product, session)))
    }

    /// Keeps it.
    pub(crate) fn write(&self, known: &Known) -> Result<(), CliError> {
        super::write(&self.0, &file_name(&known.product, &known.session), known)
    }

    /// Returns every session that has not ended.
    pub(crate) fn open_ones(&self) -> Result<Vec<Known>, CliError> {
        self.those(|known| !known.ended)
    }

    /// Returns every session that worked in a work tree.
    pub(crate) fn in_work_tree(&self, work_tree: &str) -> Result<Vec<Known>, CliError> {
        self.those(|known| known.repositories.contains_key(work_tree))
    }

    /// Returns those of the latest sessions that are asked for; one that cannot be read is left out.
    fn those(&self, are_asked_for: impl Fn(&Known) -> bool) -> Result<Vec<Known>, CliError> {
        let names = self.0.latest_names(MAX_SESSIONS)?;
        let read = |name: &String| super::read::<Known>(&self.0, name).ok().flatten();
        Ok(names.iter().filter_map(read).filter(are_asked_for).collect())
    }
}

fn file_name(product: &str, session: &str) -> String {
    let name: Sha256Digest = super::name_of(&[product, session]);
    format!("{name}.json")
}
