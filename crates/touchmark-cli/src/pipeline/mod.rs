//! The road of one statement: vault, signature, spool, log, bundle, evidence refs.
//!
//! Each step is durable before the next begins, and the spool entry is removed last. A process that is killed anywhere
//! leaves either nothing that anybody has seen, or a spool entry from which [`drain`] finishes the same statement:
//! same payload, same signature, same log entry.

pub(crate) mod chain;
mod lock;
mod publish;

use std::path::{Path, PathBuf};

use touchmark_git::EvidenceKey;
use touchmark_log::Log;
use touchmark_sign::Signer;
use touchmark_sign::attestation::{self, AttestationError, SignedEnvelope};
use touchmark_sign::spool::{Destination, Entry, EvidencePlace, Spool, Take};
use touchmark_statement::statement::Statement;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::key::{KeyAlgorithm, PublicKey};

pub(crate) use lock::Lock;
pub(crate) use publish::{Published, open_for_writing};

use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// What the origin of a log begins with when nobody gave it a name.
pub(crate) const LOG_NAME: &str = "touchmark.local";

/// The name by which the spool and verifiers call the embedded log.
pub(crate) const LOCAL_LOG: &str = "local";

/// What became of one statement.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is in the log and filed.
    Logged(Published),
    /// It is signed and safe in the spool; the log could not take it now, or another process is at it.
    Unlogged(CliError),
}

/// The folder of the embedded log.
pub(crate) fn log_folder(context: &Context<'_>) -> PathBuf {
    context
        .config
        .text("log")
        .map_or_else(|| context.home.log(), |folder| context.path(Path::new(folder)))
}

/// Opens the embedded log, making it on first use.
pub(crate) fn open_log(context: &Context<'_>) -> Result<Log, CliError> {
    Log::open_or_create(&log_folder(context), LOG_NAME).map_err(|error| unavailable(error.code(), &error))
}

/// The log cannot be used now: safe to try again.
fn unavailable(code: &str, error: &dyn std::error::Error) -> CliError {
    CliError::from_error(ExitCode::Unavailable, code, error)
        .hint("what was signed is safe in the spool; `touchmark publish` finishes it")
}

/// Opens the spool of statements that are signed and not yet finished.
pub(crate) fn spool(context: &Context<'_>) -> Result<Spool, CliError> {
    Ok(Spool::open(&context.home.spool())?)
}

/// Refuses a key whose signatures no log of ours could verify, before anything is written.
pub(crate) fn refuse_unloggable(key: &PublicKey) -> Result<(), CliError> {
    match key.algorithm() {
        KeyAlgorithm::Ed25519 => Err(AttestationError::Ed25519NotLoggable {
            key: key.fingerprint(),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Signs a statement and takes it all the way: for everything that needs no vault.
pub(crate) fn issue(
    statement: &Statement,
    signer: &dyn Signer,
    repository: &Path,
    keys: &[EvidenceKey],
    context: &Context<'_>,
) -> Result<(EvidenceId, Outcome), CliError> {
    refuse_unloggable(signer.public_key())?;
    refuse_secrets(statement)?;
    let signed = attestation::sign(statement, signer)?;
    let id = queue(signed, repository, keys, context)?;
    let outcome = finish(&id, context)?;
    Ok((id, outcome))
}

/// Refuses a statement with a secret in it, such as in a reason: what is logged and filed is there for ever.
fn refuse_secrets(statement: &Statement) -> Result<(), CliError> {
    let mut rules: Vec<&str> = touchmark_agents::secrets::find(&statement.encode()?)
        .iter()
        .map(|finding| finding.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() {
        return Ok(());
    }
    let message = format!("the statement would carry a secret: {}", rules.join(", "));
    Err(CliError::usage("attest.secret_in_statement", message)
        .hint("take it out of what you typed, then change the secret that leaked"))
}

/// Makes a signed statement durable. From here on it will be finished, by this process or a later one.
pub(crate) fn queue(
    signed: SignedEnvelope,
    repository: &Path,
    keys: &[EvidenceKey],
    context: &Context<'_>,
) -> Result<EvidenceId, CliError> {
    let places = keys.iter().map(|key| match key {
        EvidenceKey::Commit(id) => EvidencePlace::Commit(id.clone()),
        EvidenceKey::Tree(id) => EvidencePlace::Tree(id.clone()),
    });
    let destination = Destination::Refs {
        repository: repository.to_owned(),
        places: places.collect(),
    };
    let entry = Entry {
        signed,
        log: Some(LOCAL_LOG.to_owned()),
        destinations: vec![destination],
        bundle: None,
        queued_at: context.now()?,
    };
    Ok(spool(context)?.put(&entry)?)
}

/// Logs, verifies and files one statement, and takes it out of the spool.
pub(crate) fn finish(id: &EvidenceId, context: &Context<'_>) -> Result<Outcome, CliError> {
    let spool = spool(context)?;
    let mut taken = match spool.take(id)? {
        Take::Taken(taken) => taken,
        Take::Busy => {
            return Ok(Outcome::Unlogged(CliError::new(
                ExitCode::Unavailable,
                "spool.busy",
                "another process is finishing this statement",
            )));
        }
        Take::Gone => {
            return Err(CliError::failed(
                "spool.gone",
                format!("{id} is not in the spool any more"),
            ));
        }
    };
    let link = chain::Link::of(&taken.entry().signed)?;
    match (publish::publish(&mut taken, context), link) {
        (Ok(published), link) => {
            if let Some(link) = link {
                chain::put(&link.logged_at(published.index), context)?;
            }
            taken.complete()?;
            Ok(Outcome::Logged(published))
        }
        (Err(error), link) => {
            if let Some(link) = link {
                chain::put(&link, context)?;
            }
            if error.exit() == ExitCode::Unavailable {
                Ok(Outcome::Unlogged(error))
            } else {
                Err(error)
            }
        }
    }
}

/// What a drain did.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    /// What was finished.
    pub(crate) finished: Vec<Published>,
    /// What is still in the spool, and why.
    pub(crate) waiting: Vec<(EvidenceId, CliError)>,
}

/// Finishes every statement in the spool. One that cannot be finished does not hold up the others.
pub(crate) fn drain(context: &Context<'_>) -> Result<Drained, CliError> {
    let mut drained = Drained::default();
    // Nothing to look at, and nothing to make a folder for.
    if !context.home.spool().exists() {
        return Ok(drained);
    }
    let spool = spool(context)?;
    spool.clean()?;
    for id in spool.list()?.waiting {
        match finish(&id, context) {
            Ok(Outcome::Logged(published)) => drained.finished.push(published),
            Ok(Outcome::Unlogged(error)) | Err(error) => drained.waiting.push((id, error)),
        }
    }
    Ok(drained)
}
