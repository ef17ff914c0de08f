//! Which session made the change: the one the user names, or the newest that wrote one of the changed paths.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use touchmark_agents::claude_code::{self, ImportOptions, Session};
use touchmark_agents::limits::MAX_METADATA_BYTES;
use touchmark_agents::metadata;
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
    Ok(claude_code::load(&context.path(path), &ImportOptions::default())?)
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
    let candidates = claude_code::discover(&config_folders(context), work_tree)?;
    let (root, mut newest) = (work_tree.to_string_lossy(), None);
    for candidate in candidates.iter().take(MAX_TRIED) {
        let session = match claude_code::load(&candidate.path, &ImportOptions::default()) {
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

/// The folders in which Claude Code may keep sessions.
fn config_folders(context: &Context<'_>) -> Vec<PathBuf> {
    let home = context.environment.path("HOME");
    let named = context.environment.path("CLAUDE_CONFIG_DIR");
    let usual = home
        .iter()
        .flat_map(|home| [home.join(".claude"), home.join(".config/claude")]);
    named.into_iter().chain(usual).collect()
}
