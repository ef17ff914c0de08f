//! `touchmark explain`: what a reason code means and what to do about it.

use serde::Serialize;
use touchmark_policy::Class;
use touchmark_policy::reason::registry::{self, Entry};

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};

/// Flags of `explain`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark explain accounted.residual", "touchmark explain --list"))]
pub(crate) struct Args {
    /// A code that a verdict or an error named
    #[arg(value_name = "CODE", required_unless_present = "list")]
    code: Option<String>,
    /// Lists every code with its exit code
    #[arg(long, conflicts_with = "code")]
    list: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    code: String,
    class: Class,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    title: &'static str,
    explanation: &'static str,
    help: &'static str,
}

#[derive(Serialize)]
struct Explanations {
    codes: Vec<Explanation>,
}

/// Runs `explain`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let Some(code) = args.code else {
        return list(context);
    };
    let entry = registry::explain(&code).ok_or_else(|| {
        let near = near(&code);
        CliError::usage(
            "explain.unknown_code",
            format!("{code} is not a code of this version"),
        )
        .hint(if near.is_empty() {
            "`touchmark explain --list` lists every code".to_owned()
        } else {
            format!("did you mean {near}?")
        })
    })?;
    let explanation = explanation(&code, entry);
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("explanation", 1), &explanation)?,
        Format::Text => {
            let exit = explanation
                .exit_code
                .map_or_else(|| "changes no answer".to_owned(), |exit| format!("exit {exit}"));
            context.output.line(format!(
                "{}: {} ({}, {exit})",
                explanation.code,
                entry.title,
                entry.class.name()
            ));
            context
                .output
                .line(format!("\n{}\n\nwhat to do: {}", entry.explanation, entry.help));
        }
    }
    Ok(ExitCode::Allowed)
}

fn list(context: &Context<'_>) -> Result<ExitCode, CliError> {
    let codes: Vec<_> = registry::all()
        .into_iter()
        .map(|entry| explanation(entry.code, entry))
        .collect();
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("explanations", 1), &Explanations { codes })?,
        Format::Text => {
            for code in codes {
                let exit = code
                    .exit_code
                    .map_or_else(|| "-".to_owned(), |exit| exit.to_string());
                context
                    .output
                    .line(format!("{exit:>3}  {:<36} {}", code.code, code.title));
            }
        }
    }
    Ok(ExitCode::Allowed)
}

fn explanation(code: &str, entry: &Entry) -> Explanation {
    Explanation {
        code: code.to_owned(),
        class: entry.class,
        exit_code: entry.exit_code().map(ExitCode::number),
        title: entry.title,
        explanation: entry.explanation,
        help: entry.help,
    }
}

/// Codes that share the area or the reason of an unknown one.
fn near(code: &str) -> String {
    let (area, reason) = code.split_once('.').unwrap_or((code, ""));
    let related = |entry: &&Entry| {
        let (its_area, its_reason) = entry.code.split_once('.').unwrap_or((entry.code, ""));
        its_area == area || (!reason.is_empty() && its_reason == reason)
    };
    let codes: Vec<_> = registry::all()
        .into_iter()
        .filter(related)
        .take(5)
        .map(|entry| entry.code)
        .collect();
    codes.join(", ")
}
