//! From the spool to the log and to the evidence refs.

use std::path::Path;

use touchmark_git::{EvidenceItem, EvidenceKey, EvidenceName, GitProgram, OpenOptions, Repository};
use touchmark_log::{AddError, Log};
use touchmark_sign::attestation::{self, SignedEnvelope};
use touchmark_sign::spool::{Destination, EvidencePlace, Taken};
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::entry::LogEntry;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{VerifyOptions, verify};

use super::{open_log, unavailable};
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// A statement that is in the log and filed.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    /// Its identity.
    pub(crate) evidence: EvidenceId,
    /// The log.
    pub(crate) origin: String,
    /// Its place there.
    pub(crate) index: u64,
    /// The refs that hold it.
    pub(crate) refs: Vec<String>,
}

/// Logs, bundles, verifies and files; all of it may be repeated.
pub(super) fn publish(taken: &mut Taken<'_>, context: &Context<'_>) -> Result<Published, CliError> {
    let log = open_log(context)?;
    let (signed, at) = (taken.entry().signed.clone(), context.now()?);
    let bundle = match taken.entry().bundle.clone() {
        // An earlier attempt got the log's answer: the very same bundle is filed, not a second one.
        Some(bundle) if is_of(&bundle, &log) => bundle,
        // Nothing yet, or the answer of a log that was in use before: nobody has seen that one, and it is not trusted.
        _ => {
            let bundle = attestation::bundle(&signed, add(&log, &signed)?, &log.trusted_log())?;
            taken.keep_bundle(&bundle)?;
            bundle
        }
    };
    let encoded = bundle.encode();
    verify_as_stranger(&encoded, &signed, &trusted_root(&log)?, at)?;
    let mut refs = Vec::new();
    for destination in &taken.entry().destinations {
        match destination {
            Destination::Refs { repository, places } => {
                refs.extend(file(&signed, &encoded, repository, places, context)?);
            }
            Destination::File { path } => {
                return Err(CliError::failed(
                    "spool.destination",
                    format!("{} cannot be written to", path.display()),
                )
                .hint("this spool entry was made by another version of touchmark"));
            }
        }
    }
    let index = bundle
        .tlog_entries
        .first()
        .map(|entry| entry.log_index)
        .unwrap_or_default();
    Ok(Published {
        evidence: signed.evidence_id(),
        origin: log.origin().to_owned(),
        index,
        refs,
    })
}

/// Returns whether a bundle holds an answer of this log.
fn is_of(bundle: &Bundle, log: &Log) -> bool {
    let id = log.verifier_key().log_id();
    bundle.tlog_entries.iter().any(|entry| entry.log_id == id)
}

/// The embedded log as the only thing trusted.
pub(crate) fn trusted_root(log: &Log) -> Result<TrustedRoot, CliError> {
    Ok(TrustedRoot::from_logs(vec![log.trusted_log()])?)
}

/// Adds the entry, or takes the one that an attempt added which was killed before it could keep the answer.
fn add(log: &Log, signed: &SignedEnvelope) -> Result<LogEntry, CliError> {
    match log.add(&signed.to_request()?) {
        Ok(entry) => Ok(entry),
        Err(AddError::Duplicate { index }) => {
            log.get(index).map_err(|error| unavailable(error.code(), &error))
        }
        Err(AddError::Rejected(error)) => Err(CliError::from_error(ExitCode::Error, error.code(), &*error)),
        Err(error) => Err(unavailable(error.code(), &error)),
    }
}

/// Verifies a bundle as somebody would who has only its bytes, the key's fingerprint and the log's key.
fn verify_as_stranger(
    bytes: &[u8],
    signed: &SignedEnvelope,
    root: &TrustedRoot,
    at: Timestamp,
) -> Result<(), CliError> {
    let mut ring = KeyRing::new();
    ring.allow(signed.public_key().fingerprint());
    let verified = verify(&Bundle::parse(bytes)?, &ring.into(), root, &VerifyOptions::new(at))?;
    if verified.evidence_id() != signed.evidence_id() {
        return Err(CliError::failed(
            "attest.other_statement",
            "the bundle does not hold the statement that was signed",
        ));
    }
    Ok(())
}

/// Files the bundle under each place and returns the refs.
fn file(
    signed: &SignedEnvelope,
    bundle: &[u8],
    repository: &Path,
    places: &[EvidencePlace],
    context: &Context<'_>,
) -> Result<Vec<String>, CliError> {
    // Exactly this one: where it is gone, the evidence belongs in none that lies around it.
    let repository = Repository::open_with(repository, options(context))?;
    let name: EvidenceName = signed.evidence_id().file_name().parse()?;
    let keys: Vec<EvidenceKey> = places
        .iter()
        .map(|place| match place {
            EvidencePlace::Commit(id) => EvidenceKey::Commit(id.clone()),
            EvidencePlace::Tree(id) => EvidenceKey::Tree(id.clone()),
        })
        .collect();
    let attests = keys.iter().find_map(|key| match key {
        EvidenceKey::Commit(id) => Some(id.clone()),
        EvidenceKey::Tree(_) => None,
    });
    let items: Vec<EvidenceItem> = keys
        .iter()
        .map(|key| EvidenceItem {
            key: key.clone(),
            name: name.clone(),
            bytes: bundle.to_owned(),
            attests: attests.clone(),
        })
        .collect();
    repository.write_evidence(&items, context.config.flag("keep-objects"))?;
    Ok(keys.iter().map(EvidenceKey::ref_name).collect())
}

/// Opens a repository together with the git program, found in our own PATH.
pub(crate) fn open_for_writing(folder: &Path, context: &Context<'_>) -> Result<Repository, CliError> {
    Ok(Repository::discover_with(folder, options(context))?)
}

fn options(context: &Context<'_>) -> OpenOptions {
    OpenOptions {
        git: git_program(context),
        ..OpenOptions::default()
    }
}

/// The git program with the few variables it may see.
pub(crate) fn git_program(context: &Context<'_>) -> Option<GitProgram> {
    let git = GitProgram::find(context.environment.raw("PATH")?).ok()?;
    Some(
        GitProgram::PASSABLE
            .iter()
            .fold(git, |git, name| match context.environment.raw(name) {
                Some(value) => git.with_variable(name, value),
                None => git,
            }),
    )
}
