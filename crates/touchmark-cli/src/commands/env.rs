//! `touchmark env`: the environment variables that are read; secrets are never shown.

use serde::Serialize;

use crate::cli::example;
use crate::config::{self, KEYS};
use crate::context::Context;
use crate::environment::{IGNORED, VARIABLES};
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};

/// Flags of `env`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark env", "touchmark env --format json"))]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Row {
    name: String,
    value: Option<String>,
    help: String,
}

#[derive(Serialize)]
struct Rows {
    variables: Vec<Row>,
}

/// Runs `env`.
pub(crate) fn run(_args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let value = |name: &str, secret: bool| match context.environment.text(name) {
        Some(_) if secret => Some("(set, not shown)".to_owned()),
        other => other.map(str::to_owned),
    };
    let mut variables: Vec<Row> = VARIABLES
        .iter()
        .map(|v| Row {
            name: v.name.to_owned(),
            value: value(v.name, v.secret),
            help: v.help.to_owned(),
        })
        .collect();
    variables.extend(KEYS.iter().filter(|key| !key.trust).map(|key| {
        let name = config::variable(key);
        Row {
            value: value(&name, false),
            name,
            help: key.help.to_owned(),
        }
    }));
    variables.extend(
        context
            .environment
            .set_among(IGNORED)
            .into_iter()
            .map(|name| Row {
                name: name.to_owned(),
                value: Some("(ignored)".to_owned()),
                help: "the environment cannot choose keys, logs, roots or policies".to_owned(),
            }),
    );
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("env", 1), &Rows { variables })?,
        Format::Text => {
            for row in variables {
                let shown = row.value.as_deref().unwrap_or("(not set)");
                context
                    .output
                    .line(format!("{:<24} {shown:<24} {}", row.name, row.help));
            }
        }
    }
    Ok(ExitCode::Allowed)
}
