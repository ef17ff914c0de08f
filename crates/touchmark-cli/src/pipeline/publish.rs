//! From a bundle with its answers to the evidence refs.

use std::path::Path;

use touchmark_git::{EvidenceItem, EvidenceKey, EvidenceName, GitProgram, OpenOptions, Repository};
use touchmark_rekor::spool::{Destination, Entry, EvidencePlace, Taken};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::IdentityRules;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{VerifyOptions, verify};

use super::logs::Logs;
use crate::context::Context;
use crate::environment::Environment;
use crate::environment::IGNORED_GIT;
use crate::error::CliError;

/// A statement that is logged and filed.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    /// Its identity.
    pub(crate) evidence: EvidenceId,
    /// The first log that it was meant for.
    pub(crate) origin: String,
    /// Its place there.
    pub(crate) index: u64,
    /// The refs that hold it.
    pub(crate) refs: Vec<String>,
}

/// Verifies and files what the logs have answered for; all of it may be repeated.
pub(super) fn deliver(taken: &Taken<'_>, logs: &Logs, context: &Context<'_>) -> Result<Published, CliError> {
    let entry = taken.entry();
    let at = context.now()?;
    let bundle = entry
        .bundle
        .clone()
        .unwrap_or_else(|| entry.bundle_with(Vec::new()));
    let encoded = bundle.encode();
    let root = root_of(&bundle, logs)?;
    verify_as_stranger(&encoded, entry, root, at)?;
    let mut refs = Vec::new();
    for destination in &entry.destinations {
        match destination {
            Destination::Refs { repository, places } => {
                refs.extend(file(taken.id(), &encoded, repository, places, context)?);
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
    let first = bundle.tlog_entries.first();
    let origin = first
        .and_then(|answer| root.log(&answer.log_id))
        .map(|log| log.origin.clone());
    Ok(Published {
        evidence: taken.id(),
        origin: origin.unwrap_or_default(),
        index: first.map(|answer| answer.log_index).unwrap_or_default(),
        refs,
    })
}

/// The root that has every log which answered.
fn root_of<'a>(bundle: &Bundle, logs: &'a Logs) -> Result<&'a TrustedRoot, CliError> {
    logs.roots
        .iter()
        .find(|root| {
            bundle
                .tlog_entries
                .iter()
                .all(|entry| root.log(&entry.log_id).is_some())
        })
        .ok_or_else(|| {
            CliError::usage(
                "trust.logs_in_no_root",
                "no trusted root has all the logs that answered",
            )
            .hint("give one trusted root that holds them all")
        })
}

/// Verifies a bundle as somebody would who has only its bytes, the signer's name and the logs' keys.
fn verify_as_stranger(
    bytes: &[u8],
    entry: &Entry,
    root: &TrustedRoot,
    at: Timestamp,
) -> Result<(), CliError> {
    let expected = match &entry.keyless {
        Some(_) => ExpectedSigners {
            keys: KeyRing::new(),
            identities: IdentityRules::DangerouslyAny {
                reason: "the evidence id names the identity, and is compared".to_owned(),
            },
        },
        None => {
            let mut ring = KeyRing::new();
            ring.allow(entry.signed.public_key().fingerprint());
            ring.into()
        }
    };
    let verified = verify(&Bundle::parse(bytes)?, &expected, root, &VerifyOptions::new(at))?;
    if verified.evidence_id() != entry.evidence_id() {
        return Err(CliError::failed(
            "attest.other_statement",
            "the bundle does not hold the statement that was signed",
        ));
    }
    Ok(())
}

/// Files the bundle under each place and returns the refs.
fn file(
    evidence: EvidenceId,
    bundle: &[u8],
    repository: &Path,
    places: &[EvidencePlace],
    context: &Context<'_>,
) -> Result<Vec<String>, CliError> {
    // Exactly this one: where it is gone, the evidence belongs in none that lies around it.
    let repository = Repository::open_with(repository, options(context))?;
    let name: EvidenceName = evidence.file_name().parse()?;
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

/// Opens the repository around the folder for work with it. Variables that would name another one are ignored, which is
/// said.
pub(crate) fn open_here(context: &Context<'_>) -> Result<Repository, CliError> {
    for name in context.environment.set_among(IGNORED_GIT) {
        context.output.warn(format!(
            "{name} is ignored: the repository is found from the folder alone"
        ));
    }
    open_for_writing(&context.directory, context)
}

/// Opens a repository together with the git program, found in our own PATH.
pub(crate) fn open_for_writing(folder: &Path, context: &Context<'_>) -> Result<Repository, CliError> {
    Ok(Repository::discover_with(folder, options(context))?)
}

fn options(context: &Context<'_>) -> OpenOptions {
    OpenOptions {
        git: git_program(&context.environment),
        ..OpenOptions::default()
    }
}

/// The git program with the few variables it may see.
pub(crate) fn git_program(environment: &Environment) -> Option<GitProgram> {
    let git = GitProgram::find(environment.raw("PATH")?).ok()?;
    Some(
        GitProgram::PASSABLE
            .iter()
            .fold(git, |git, name| match environment.raw(name) {
                Some(value) => git.with_variable(name, value),
                None => git,
            }),
    )
}
