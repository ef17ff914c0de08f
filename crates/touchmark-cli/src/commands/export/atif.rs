//! The session as a trajectory, from its file or from what the vault keeps of it.

use std::path::Path;

use touchmark_agents::atif;
use touchmark_agents::importer::{self, by_format};
use touchmark_agents::session::{ImportOptions, Session, SessionFile};
use touchmark_git::Repository;
use touchmark_sign::vault::Vault;
use touchmark_verify::commitment::{Kind, TRANSCRIPT_RAW};

use super::source::Source;
use crate::commands::attest::session::candidates;
use crate::context::Context;
use crate::error::{CliError, ExitCode, exit_of};

/// Makes the trajectory.
pub(super) fn of(
    source: &Source,
    file: Option<&Path>,
    git: &Repository,
    context: &Context<'_>,
) -> Result<Vec<u8>, CliError> {
    let session = match file {
        Some(file) => importer::load(&context.path(file), &ImportOptions::default())?,
        None => kept_by_product(source, git, context)?.map_or_else(|| kept_in_vault(source, context), Ok)?,
    };
    let trajectory = atif::export(&session)
        .map_err(|error| CliError::from_error(exit_of(error.code()), error.code(), &error))?;
    let mut bytes = serde_json::to_vec_pretty(&trajectory)
        .map_err(|e| CliError::failed("output.unencodable", "the trajectory cannot be written").because(e))?;
    bytes.push(b'\n');
    context
        .output
        .warn("a trajectory holds every prompt and answer of the session: keep it as you keep the session");
    Ok(bytes)
}

/// The session where its product keeps it, by its identifier. It may have gone on since.
fn kept_by_product(
    source: &Source,
    git: &Repository,
    context: &Context<'_>,
) -> Result<Option<Session>, CliError> {
    let Some(id) = source.claim().agent.instance.as_deref() else {
        return Ok(None);
    };
    let root = git.work_tree().unwrap_or(git.git_dir());
    let found = candidates(root, context)?;
    let Some((importer, candidate)) = found
        .into_iter()
        .find(|(_, candidate)| candidate.session_id == id)
    else {
        return Ok(None);
    };
    let options = ImportOptions {
        session_id: Some(id.to_owned()),
        ..ImportOptions::default()
    };
    Ok(Some(importer.load(&candidate.path, &options)?))
}

/// The session from the transcript that the vault keeps: of sub-agents' files it does not know where each begins.
fn kept_in_vault(source: &Source, context: &Context<'_>) -> Result<Session, CliError> {
    let missing = || {
        CliError::new(
            ExitCode::Missing,
            "export.no_session",
            "neither the session's file nor its record in the vault is here",
        )
        .hint("export where the session ran, or name its file with --session FILE")
    };
    let claim = source.claim();
    let format = claim
        .transcript
        .as_ref()
        .map(|transcript| transcript.format.as_str());
    let importer = format.and_then(by_format).ok_or_else(missing)?;
    let folder = context.home.vault();
    if !folder.exists() {
        return Err(missing());
    }
    let (_, record) = Vault::open(&folder)?.find(&source.payload)?.ok_or_else(missing)?;
    let transcript = record
        .piece(Kind::Transcript, TRANSCRIPT_RAW)
        .ok_or_else(missing)?;
    context.output.note("the session is read from the vault");
    let options = ImportOptions {
        session_id: claim.agent.instance.clone(),
        ..ImportOptions::default()
    };
    let files = vec![SessionFile {
        name: "transcript".to_owned(),
        bytes: transcript.bytes.to_vec(),
        meta: None,
    }];
    let run = importer.import(&files, &options)?;
    Ok(Session {
        format: importer.format(),
        layout: importer.layout(),
        files,
        run,
    })
}
