//! The road of one statement: vault, signature, spool, log, bundle, evidence refs.
//!
//! Each step is durable before the next begins, and the spool entry is removed last. A process that is killed anywhere
//! leaves either nothing that anybody has seen, or a spool entry from which [`drain`] finishes the same statement:
//! same payload, same signature, same log entry.

mod agreement;
pub(crate) mod chain;
mod embedded;
mod lock;
pub(crate) mod logs;
mod publish;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use touchmark_git::EvidenceKey;
use touchmark_log::Log;
use touchmark_rekor::spool::{Destination, Entry, EvidencePlace, Keyless, LogAddress, Spool, Target};
use touchmark_rekor::{ApiVersion, Backoff, Drain, DrainError, Settled};
use touchmark_sign::attestation::{self, AttestationError, SignedEnvelope};
use touchmark_statement::statement::Statement;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::key::{KeyAlgorithm, PublicKey};

pub(crate) use agreement::{agree, agree_identity, agreed_targets};
pub(crate) use lock::Lock;
use logs::{LogArgs, Logs};
pub(crate) use publish::{Published, git_program, open_for_writing, open_here};

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::signing_key::Who;

/// What the origin of a log begins with when nobody gave it a name.
pub(crate) const LOG_NAME: &str = "touchmark.local";

/// The name by which the spool and verifiers call the embedded log.
pub(crate) const LOCAL_LOG: &str = "local";

/// How long one statement waits for its logs, unless a flag says otherwise: Rekor v2 asks for twenty seconds.
const ONE_STATEMENT: Duration = Duration::from_secs(40);
/// How many statements are published at a time.
const PARALLEL: usize = 4;

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

/// Refuses a key that one of these logs could not take: Rekor v1 sees whole envelopes, every other one digests.
pub(crate) fn refuse_unloggable_in(key: &PublicKey, targets: &[Target]) -> Result<(), CliError> {
    let sees_envelopes = |target: &Target| {
        matches!(
            target.log,
            LogAddress::Service {
                version: ApiVersion::V1,
                ..
            }
        )
    };
    if targets.iter().all(sees_envelopes) {
        return Ok(());
    }
    refuse_unloggable(key)
}

/// Signs a statement and takes it all the way: for everything that needs no vault.
pub(crate) fn issue(
    statement: &Statement,
    signer: &Who,
    args: &LogArgs,
    (repository, keys): (&Path, &[EvidenceKey]),
    context: &Context<'_>,
) -> Result<(EvidenceId, Outcome), CliError> {
    refuse_secrets(statement)?;
    let targets = agreed_targets(args, repository, context)?;
    signer.refuse_unloggable_in(&targets)?;
    let signed = signer.sign(attestation::prepare(statement)?, context)?;
    let id = queue_for(signed, targets, repository, keys, context)?;
    let outcome = finish_with(&id, args, context)?;
    Ok((id, outcome))
}

/// Refuses a statement with a secret in it, such as in a reason: what is logged and filed is there for ever.
fn refuse_secrets(statement: &Statement) -> Result<(), CliError> {
    let found = touchmark_agents::secrets::Scanner::built_in().find_in_statement(&statement.encode()?);
    let mut rules: Vec<&str> = found.iter().map(|finding| &*finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() {
        return Ok(());
    }
    let message = format!("the statement would carry a secret: {}", rules.join(", "));
    Err(CliError::usage("attest.secret_in_statement", message)
        .hint("take it out of what you typed, then change the secret that leaked"))
}

/// A signed statement, and the certificate of its key where it has one.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// The envelope and its key.
    pub(crate) envelope: SignedEnvelope,
    /// The certificate, where the key was made for this one signature.
    pub(crate) keyless: Option<Keyless>,
}

impl Signed {
    /// Signed with a key that verifiers know.
    pub(crate) fn by_key(envelope: SignedEnvelope) -> Self {
        Signed {
            envelope,
            keyless: None,
        }
    }
}

/// Makes a statement durable that was signed with a key, for the logs that are configured.
pub(crate) fn queue(
    signed: SignedEnvelope,
    repository: &Path,
    keys: &[EvidenceKey],
    context: &Context<'_>,
) -> Result<EvidenceId, CliError> {
    let targets = agreed_targets(&LogArgs::default(), repository, context)?;
    queue_for(Signed::by_key(signed), targets, repository, keys, context)
}

/// Makes a signed statement durable. From here on it will be finished, by this process or a later one.
pub(crate) fn queue_for(
    signed: Signed,
    targets: Vec<Target>,
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
        signed: signed.envelope,
        keyless: signed.keyless,
        targets,
        destinations: vec![destination],
        bundle: None,
        queued_at: context.now()?,
    };
    Ok(spool(context)?.put(&entry)?)
}

/// Logs, verifies and files one statement, and takes it out of the spool.
pub(crate) fn finish(id: &EvidenceId, context: &Context<'_>) -> Result<Outcome, CliError> {
    finish_with(id, &LogArgs::default(), context)
}

/// As [`finish`], with the roots and the time limit of these flags.
pub(crate) fn finish_with(
    id: &EvidenceId,
    args: &LogArgs,
    context: &Context<'_>,
) -> Result<Outcome, CliError> {
    let run = Run {
        backoff: Backoff {
            attempts: 2,
            ..Backoff::default()
        },
        built_in: ONE_STATEMENT,
        lock: Locking::Held,
    };
    let mut settled = run.settle(vec![*id], args, context)?;
    match settled.pop() {
        Some((_, Ok(Some(published)))) => Ok(Outcome::Logged(published)),
        Some((_, Ok(None))) | None => Err(CliError::failed(
            "spool.gone",
            format!("{id} is not in the spool any more"),
        )),
        Some((_, Err(error))) if error.exit() == ExitCode::Unavailable => Ok(Outcome::Unlogged(error)),
        Some((_, Err(error))) => Err(error),
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

/// Returns the logs that have not answered for an entry, those that were named now in place of its services.
pub(crate) fn redirected(entry: &Entry, replaced: Option<&[Target]>) -> Vec<Target> {
    let unanswered: Vec<Target> = entry.unanswered().map(|(_, target)| target.clone()).collect();
    let is_service = |target: &Target| matches!(target.log, LogAddress::Service { .. });
    match replaced {
        Some(replaced) if unanswered.iter().any(is_service) => {
            let kept = unanswered.into_iter().filter(|target| !is_service(target));
            kept.chain(replaced.iter().cloned()).collect()
        }
        _ => unanswered,
    }
}

/// Sends what waits for a service to the logs of these flags instead.
pub(crate) fn redirect(args: &LogArgs, is_dry: bool, context: &Context<'_>) -> Result<(), CliError> {
    if is_dry || !context.home.spool().exists() {
        return Ok(());
    }
    let replaced = args.targets(context)?;
    let spool = spool(context)?;
    for id in spool.list()?.waiting {
        let Ok(Some(entry)) = spool.peek(&id) else {
            continue;
        };
        if !entry
            .unanswered()
            .any(|(_, target)| matches!(target.log, LogAddress::Service { .. }))
        {
            continue;
        }
        for destination in &entry.destinations {
            if let Destination::Refs { repository, .. } = destination {
                agree(&replaced, args, repository, context)?;
            }
        }
        spool.redirect(&id, |entry| redirected(entry, Some(&replaced)))?;
    }
    Ok(())
}

/// Finishes what needs no service. What waits for one is left to `touchmark publish`, which has the time.
pub(crate) fn drain(context: &Context<'_>) -> Result<Drained, CliError> {
    drain_those(Locking::Held, &LogArgs::default(), context, |entry| {
        entry
            .targets
            .iter()
            .all(|target| matches!(target.log, LogAddress::Embedded(_)) || target.answered_by.is_some())
    })
}

/// Finishes every statement in the spool. One that cannot be finished does not hold up the others.
pub(crate) fn drain_all(args: &LogArgs, context: &Context<'_>) -> Result<Drained, CliError> {
    drain_those(Locking::Taken, args, context, |_| true)
}

fn drain_those(
    lock: Locking,
    args: &LogArgs,
    context: &Context<'_>,
    includes: impl Fn(&Entry) -> bool,
) -> Result<Drained, CliError> {
    let mut drained = Drained::default();
    // Nothing to look at, and nothing to make a folder for.
    if !context.home.spool().exists() {
        return Ok(drained);
    }
    let spool = spool(context)?;
    spool.clean()?;
    let mut ids = Vec::new();
    for id in spool.list()?.waiting {
        match spool.peek(&id) {
            Ok(Some(entry)) if includes(&entry) => ids.push(id),
            Ok(_) => {}
            Err(error) => drained.waiting.push((id, error.into())),
        }
    }
    let run = Run {
        backoff: Backoff::default(),
        built_in: Duration::from_secs(300),
        lock,
    };
    for (id, outcome) in run.settle(ids, args, context)? {
        match outcome {
            Ok(Some(published)) => drained.finished.push(published),
            // Another process has finished it.
            Ok(None) => {}
            Err(error) => drained.waiting.push((id, error)),
        }
    }
    Ok(drained)
}

/// One go at a number of entries.
struct Run {
    backoff: Backoff,
    built_in: Duration,
    lock: Locking,
}

/// Who keeps others from changing chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locking {
    /// The caller, for the whole of its work.
    Held,
    /// Nobody: the lock is taken for moments, so that a log that is slow holds up no other process.
    Taken,
}

type Settlement = (EvidenceId, Result<Option<Published>, CliError>);

impl Run {
    fn settle(
        &self,
        ids: Vec<EvidenceId>,
        args: &LogArgs,
        context: &Context<'_>,
    ) -> Result<Vec<Settlement>, CliError> {
        let spool = spool(context)?;
        let mut addresses = Vec::new();
        for id in &ids {
            // What cannot be read is told of when it is its turn.
            if let Ok(Some(entry)) = spool.peek(id) {
                addresses.extend(entry.targets.into_iter().map(|target| target.log));
            }
        }
        let logs = Logs::open(addresses, args, context)?;
        let connect = |address: &LogAddress| logs.publisher(address);
        let drain = Drain {
            connect: &connect,
            backoff: self.backoff,
            jitter: &jitter,
            parallel: NonZeroUsize::new(PARALLEL).expect("four is not zero"),
            deadline: args.deadline(self.built_in),
            now: context.now()?,
        };
        let settled = drain.run(&spool, ids, |taken| {
            let published = publish::deliver(taken, &logs, context)?;
            if let Some(link) = chain::Link::of(taken.entry())? {
                self.put(&link.logged_at(published.index), context)?;
            }
            Ok(published)
        });
        settled
            .into_iter()
            .map(|(id, outcome)| {
                let outcome = match outcome {
                    Settled::Finished(published) => Ok(Some(published)),
                    Settled::Gone => Ok(None),
                    Settled::Busy => Err(CliError::new(
                        ExitCode::Unavailable,
                        "spool.busy",
                        "another process is finishing this statement",
                    )),
                    Settled::Undelivered(error) => Err(error),
                    Settled::Waiting(error) => Err(waiting(&error)),
                };
                if outcome.is_err() {
                    self.remember_unlogged(&spool, &id, context)?;
                }
                Ok((id, outcome))
            })
            .collect()
    }

    /// The chain of a session knows its newest statement, logged or not.
    fn remember_unlogged(
        &self,
        spool: &Spool,
        id: &EvidenceId,
        context: &Context<'_>,
    ) -> Result<(), CliError> {
        if let Ok(Some(entry)) = spool.peek(id)
            && let Some(link) = chain::Link::of(&entry)?
        {
            self.put(&link, context)?;
        }
        Ok(())
    }

    fn put(&self, link: &chain::Link, context: &Context<'_>) -> Result<(), CliError> {
        let _lock = match self.lock {
            Locking::Held => None,
            Locking::Taken => Some(Lock::acquire(context)?),
        };
        chain::put(link, context)
    }
}

/// A number from 0 to 1. Without randomness everybody waits the full time.
fn jitter() -> f64 {
    getrandom::u32().map_or(0.0, |number| f64::from(number) / f64::from(u32::MAX))
}

/// Why a statement still waits.
fn waiting(error: &DrainError) -> CliError {
    let exit = if error.is_worth_retrying() {
        ExitCode::Unavailable
    } else {
        ExitCode::Error
    };
    let hint = match error.code() {
        "spool.certificate_lapsed" => {
            "whoever signed it signs it again: `touchmark publish` with the same identity (--identity-token, --oidc-issuer)"
        }
        "rekor.frozen" => {
            "the log has a successor: `touchmark publish --rekor-url URL` sends what waits there"
        }
        "rekor.answer_unknown_log" => "its key must be in a trusted root: --trusted-root FILE",
        "spool.destination" => "this spool entry was made by another version of touchmark",
        _ => "what was signed is safe in the spool; `touchmark publish` finishes it",
    };
    CliError::from_error(exit, error.code(), error).hint(hint)
}
