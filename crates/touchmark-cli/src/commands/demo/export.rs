//! `touchmark demo export`: evidence of a repository as files, to break it.

use std::path::Path;

use touchmark_statement::predicate::Predicate;
use touchmark_verify::trust::TrustedRoot;

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::investigation::{Found, collect};
use crate::pipeline;
use crate::trust::{LOCAL_ROOT, Root};

/// Writes one agent change and one review that verify.
pub(super) fn run(change: &Path, review: &Path, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let repository = pipeline::open_for_writing(&context.directory, context)?;
    let log = pipeline::open_log(context)?;
    let root = TrustedRoot::from_logs(vec![log.trusted_log()])
        .map_err(|error| CliError::from_error(ExitCode::Error, error.code(), &error))?;
    let roots = [Root {
        name: LOCAL_ROOT.to_owned(),
        root,
    }];
    let (found, _) = collect(&repository, None, &roots, context)?;
    write(
        change,
        &found,
        |predicate| predicate.as_agent_change().is_some(),
        context,
    )?;
    write(
        review,
        &found,
        |predicate| predicate.as_review().is_some(),
        context,
    )?;
    Ok(ExitCode::Allowed)
}

fn write(
    path: &Path,
    found: &[Found],
    wanted: impl Fn(&Predicate) -> bool,
    context: &Context<'_>,
) -> Result<(), CliError> {
    let piece = found.iter().find(|piece| {
        piece
            .outcome
            .as_ref()
            .is_ok_and(|statement| wanted(&statement.statement().predicate))
    });
    let piece = piece
        .ok_or_else(|| CliError::failed("demo.nothing_to_export", "the repository holds no such evidence"))?;
    let path = context.path(path);
    std::fs::write(&path, &piece.bytes).map_err(|error| CliError::io("output.unwritable", &path, &error))
}
