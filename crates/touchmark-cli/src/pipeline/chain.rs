//! Which statements a session already has: the random name of its chain, and the last link.
//!
//! Kept beside the vault. Everything in a link also stands in its statement, which is in the spool before the chain is
//! written, so a chain that missed its update is mended before it is asked again.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use touchmark_rekor::spool::Entry;
use touchmark_sign::folder::Folder;
use touchmark_statement::agent_change::{AgentChange, ChainId};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::strict_json::{self, Numbers, Rules};

use crate::context::Context;
use crate::error::CliError;

/// The largest chain file; one has the last link only.
const MAX_CHAIN_BYTES: u64 = 64 * 1_024;
/// The most sessions that are looked at for the newest statement.
const MAX_CHAINS: usize = 100_000;

/// One statement of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Link {
    /// The chain's file name, from product, session and repository.
    pub(crate) session: Sha256Digest,
    /// The chain's random name.
    pub(crate) chain: ChainId,
    /// The number of this statement.
    pub(crate) sequence: u64,
    /// The statement's payload digest.
    pub(crate) payload: Sha256Digest,
    /// The evidence id, for reports.
    pub(crate) evidence: String,
    /// The tree it started from.
    pub(crate) base_tree: GitTreeId,
    /// The tree it is about.
    pub(crate) tree: GitTreeId,
    /// The commit it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<GitCommitId>,
    /// Its index in the log; absent until it is logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_index: Option<u64>,
}

impl Link {
    /// Reads the link of a signed statement; nothing where it is no agent change.
    pub(crate) fn of(entry: &Entry) -> Result<Option<Self>, CliError> {
        let statement = entry.signed.statement()?;
        let Some(claim) = statement.statement().predicate.as_agent_change() else {
            return Ok(None);
        };
        Ok(Some(Self {
            session: session_of(claim),
            chain: claim.run.chain,
            sequence: claim.run.sequence,
            payload: entry.signed.payload_digest(),
            evidence: entry.evidence_id().to_string(),
            base_tree: claim.change.base.git_tree.clone(),
            tree: claim.change.proposed.git_tree.clone(),
            commit: claim.change.proposed.git_commit.clone(),
            log_index: None,
        }))
    }

    /// Returns the link with its place in the log.
    pub(crate) fn logged_at(self, index: u64) -> Self {
        Self {
            log_index: Some(index),
            ..self
        }
    }

    /// Returns whether attesting this change again would say nothing new.
    pub(crate) fn covers(
        &self,
        base_tree: &GitTreeId,
        tree: &GitTreeId,
        commit: Option<&GitCommitId>,
    ) -> bool {
        // Uncommitted work that was committed since has a commit to speak of now.
        let says_commit = self.commit.is_some() || commit.is_none();
        self.base_tree == *base_tree && self.tree == *tree && says_commit
    }
}

/// Names the chain of a statement's session; a record that names no session is known by its prompt.
fn session_of(claim: &AgentChange) -> Sha256Digest {
    let product = claim
        .agent
        .product
        .as_ref()
        .map_or("", |product| product.name.as_str());
    let plain = claim
        .prompt
        .as_ref()
        .and_then(|prompt| prompt.plain_digest.as_ref()?.get("sha256"));
    let session = claim.agent.instance.as_deref().or(plain).unwrap_or_default();
    session_name(product, session, &claim.change.repository.uri)
}

/// Names the chain of a session.
pub(crate) fn session_name(product: &str, session: &str, repository: &str) -> Sha256Digest {
    let mut bytes = Vec::new();
    for part in [product, session, repository] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    Sha256Digest::of(&bytes)
}

/// Returns the last link of a session's chain.
pub(crate) fn last(session: &Sha256Digest, context: &Context<'_>) -> Result<Option<Link>, CliError> {
    match folder_if_any(context)? {
        Some(folder) => read(&folder, &file_name(session)),
        None => Ok(None),
    }
}

fn read(folder: &Folder, name: &str) -> Result<Option<Link>, CliError> {
    let Some(bytes) = folder.read(name, MAX_CHAIN_BYTES)? else {
        return Ok(None);
    };
    let rules = Rules {
        max_bytes: MAX_CHAIN_BYTES as usize,
        max_depth: 4,
        numbers: Numbers::ExactIntegers,
    };
    Ok(Some(strict_json::from_slice(&bytes, &rules)?))
}

/// Returns the link that was written last, of any session.
pub(crate) fn newest(context: &Context<'_>) -> Result<Option<Link>, CliError> {
    let Some(folder) = folder_if_any(context)? else {
        return Ok(None);
    };
    let mut newest = None;
    for name in folder.names(MAX_CHAINS)? {
        newest = newest.max(Some((folder.modified(&name)?, name)));
    }
    newest.map_or(Ok(None), |(_, name)| read(&folder, &name))
}

/// Notes the link of every statement in the spool: one that was made durable by a process that died right after is in
/// its chain before anybody asks the chain again.
pub(crate) fn mend(context: &Context<'_>) -> Result<(), CliError> {
    if !context.home.spool().exists() {
        return Ok(());
    }
    let spool = super::spool(context)?;
    for id in spool.list()?.waiting {
        // What cannot be read is told of by whoever finishes it.
        if let Ok(Some(entry)) = spool.peek(&id)
            && let Some(link) = Link::of(&entry)?
        {
            put(&link, context)?;
        }
    }
    Ok(())
}

/// Notes a link, unless the chain went further already.
pub(crate) fn put(link: &Link, context: &Context<'_>) -> Result<(), CliError> {
    match last(&link.session, context)? {
        Some(known) if known.sequence > link.sequence => Ok(()),
        Some(known) if known == *link => Ok(()),
        _ => {
            let bytes = strict_json::canonical(link)?;
            let folder = Folder::open(&path(context))?;
            Ok(folder.write(&file_name(&link.session), |file| file.write_all(&bytes))?)
        }
    }
}

fn path(context: &Context<'_>) -> PathBuf {
    context.home.data().join("chains")
}

/// Reading makes no folder.
fn folder_if_any(context: &Context<'_>) -> Result<Option<Folder>, CliError> {
    let path = path(context);
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    Ok(Some(Folder::open(&path)?))
}

fn file_name(session: &Sha256Digest) -> String {
    format!("{session}.json")
}
