//! Which session made the change: the one the user names, or the newest that wrote one of the changed paths.

use std::collections::BTreeSet;
use std::path::Path;

use touchmark_agents::importer::{self, IMPORTERS, Importer, Places};
use touchmark_agents::limits::MAX_METADATA_BYTES;
use touchmark_agents::metadata;
use touchmark_agents::session::{Candidate, ImportOptions, Session};
use touchmark_statement::repo_path::RepoPath;

use super::rows;
use super::statement::Teller;
use crate::context::Context;
use crate::error::CliError;
use crate::file_argument;

/// How many sessions are read in the search for the one that wrote the change.
const MAX_TRIED: usize = 8;

/// Loads a metadata record.
pub(crate) fn metadata(path: &Path, context: &Context<'_>) -> Result<Teller, CliError> {
    let bytes = file_argument::read(&context.path(path), MAX_METADATA_BYTES as u64)?;
    Ok(Teller::Metadata(Box::new(metadata::import(&bytes)?)))
}

/// Loads the session that the user names.
pub(crate) fn named(path: &Path, context: &Context<'_>) -> Result<Session, CliError> {
    Ok(importer::load(&context.path(path), &ImportOptions::default())?)
}

/// Finds the session by itself.
pub(crate) fn discover(
    work_tree: &Path,
    changed: &BTreeSet<RepoPath>,
    context: &Context<'_>,
) -> Result<Session, CliError> {
    let none = || {
        CliError::usage("session.not_found", "no agent session speaks of this repository")
            .hint("name it with --session FILE, or give a record with --metadata FILE")
    };
    let candidates = candidates(work_tree, context)?;
    let (root, mut newest) = (work_tree.to_string_lossy(), None);
    for (importer, candidate) in candidates.iter().take(MAX_TRIED) {
        let session = match importer.load(&candidate.path, &options(candidate)) {
            Ok(session) => session,
            Err(error) => {
                context
                    .output
                    .warn(format!("{} is left out: {error}", candidate.path.display()));
                continue;
            }
        };
        if rows::written(&session, &root)
            .iter()
            .any(|path| changed.contains(path))
        {
            context
                .output
                .note(format!("session {}", candidate.path.display()));
            return Ok(session);
        }
        newest.get_or_insert((session, candidate));
    }
    let (session, candidate) = newest.ok_or_else(none)?;
    context.output.warn(format!(
        "no session says that it wrote a changed path; the newest one is used: {}",
        candidate.path.display()
    ));
    Ok(session)
}

/// The sessions of every product that worked here, newest first. A product whose sessions cannot be searched hides none
/// of another's; where no session is found, that is why.
pub(crate) fn candidates(
    work_tree: &Path,
    context: &Context<'_>,
) -> Result<Vec<(&'static dyn Importer, Candidate)>, CliError> {
    let places = places(context);
    let mut all = Vec::new();
    let mut failed = Vec::new();
    for importer in IMPORTERS {
        match importer.discover(&places, work_tree) {
            Ok(found) => all.extend(found.into_iter().map(|candidate| (*importer, candidate))),
            Err(error) => failed.push((importer.product(), error)),
        }
    }
    for (product, error) in failed {
        if all.is_empty() {
            return Err(error.into());
        }
        context
            .output
            .warn(format!("sessions of {product} are left out: {error}"));
    }
    all.sort_by(|(_, a), (_, b)| b.modified.cmp(&a.modified).then_with(|| a.path.cmp(&b.path)));
    Ok(all)
}

fn options(candidate: &Candidate) -> ImportOptions {
    ImportOptions {
        session_id: Some(candidate.session_id.clone()),
        ..ImportOptions::default()
    }
}

/// Where products may keep their sessions.
pub(crate) fn places(context: &Context<'_>) -> Places {
    let environment = &context.environment;
    let variables = IMPORTERS.iter().flat_map(|importer| importer.variables());
    Places {
        home: environment.path("HOME"),
        variables: variables
            .filter_map(|name| Some((*name, environment.path(name)?)))
            .collect(),
    }
}
