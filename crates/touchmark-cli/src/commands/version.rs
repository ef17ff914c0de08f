//! `touchmark version`: what this binary is.

use serde::Serialize;

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};

/// The version of this program, as statements name it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Flags of `version`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark version", "touchmark version --format json"))]
pub(crate) struct Args {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionDocument {
    name: &'static str,
    #[serde(rename = "toolVersion")]
    version: &'static str,
    agent_change: &'static str,
    review: &'static str,
}

/// Runs `version`.
pub(crate) fn run(_args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match context.output.format() {
        Format::Text => context.output.line(format!("touchmark {VERSION}")),
        Format::Json => context.output.document(
            Schema::new("version", 1),
            &VersionDocument {
                name: "touchmark",
                version: VERSION,
                agent_change: touchmark_statement::predicate::AGENT_CHANGE_V1,
                review: touchmark_statement::predicate::REVIEW_V1,
            },
        )?,
    }
    Ok(ExitCode::Allowed)
}
