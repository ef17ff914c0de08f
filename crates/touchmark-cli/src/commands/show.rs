//! `touchmark show`: one piece of evidence, verified, with everything it says.

use serde::Serialize;

use crate::cli::example;
use crate::commands::verify::checks;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::investigation::{Found, collect};
use crate::output::{Format, Schema};
use crate::pipeline::open_for_writing;
use crate::render;
use crate::trust::RootArgs;

/// The fewest hex digits that name a statement.
const MIN_PREFIX: usize = 8;

/// Flags of `show`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark show sha256:0123abcd", "touchmark show 0123abcd --raw"))]
pub(crate) struct Args {
    /// The statement's payload digest, or the beginning of it
    #[arg(value_name = "DIGEST")]
    digest: String,
    /// Prints the bundle as it is stored
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    roots: RootArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    verified: bool,
    name: String,
    refs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_index: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<serde_json::Value>,
}

/// Runs `show`. Ends with 10 when there is no such evidence, with 11 when it cannot be verified.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let prefix = args.digest.strip_prefix("sha256:").unwrap_or(&args.digest);
    if !is_prefix(prefix) {
        return Err(CliError::usage(
            "show.not_a_digest",
            format!("{} is not a payload digest", args.digest),
        )
        .hint(format!(
            "give at least {MIN_PREFIX} lowercase hex digits; `touchmark find` lists them"
        )));
    }
    let repository = open_for_writing(&context.directory, context)?;
    let roots = args.roots.load(context)?;
    let (found, _) = collect(&repository, None, &roots, context)?;
    let piece = choose(found, prefix)?;
    if args.raw {
        context.output.raw(&piece.bytes);
        return Ok(ExitCode::Allowed);
    }
    show(&piece, context)
}

/// Returns whether the text is the beginning of a payload digest, or a whole one with the beginning of its signer's.
fn is_prefix(text: &str) -> bool {
    let is_hex = |text: &str| {
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() <= 64 && text.bytes().all(digits)
    };
    match text.split_once('-') {
        Some((payload, signer)) => payload.len() == 64 && is_hex(payload) && is_hex(signer),
        None => text.len() >= MIN_PREFIX && is_hex(text),
    }
}

/// Takes the one piece that is meant. What is not verified stands behind what is, so that nobody can hide evidence by
/// filing something else under its name.
fn choose(found: Vec<Found>, prefix: &str) -> Result<Found, CliError> {
    let identity = |piece: &Found| match &piece.outcome {
        Ok(statement) => format!("{}.sigstore.json", statement.evidence_id()),
        Err(_) => piece.name.clone(),
    };
    let (verified, others): (Vec<Found>, Vec<Found>) = found
        .into_iter()
        .filter(|piece| identity(piece).starts_with(prefix))
        .partition(|piece| piece.outcome.is_ok());
    let mut matching = if verified.is_empty() { others } else { verified }.into_iter();
    let piece = matching.next().ok_or_else(|| {
        CliError::new(
            ExitCode::Missing,
            "show.not_found",
            format!("no evidence here begins with {prefix}"),
        )
        .hint(
            "`touchmark find` lists what there is; `touchmark publish --fetch REMOTE` fetches that of others",
        )
    })?;
    let name = identity(&piece);
    if let Some(other) = matching
        .map(|other| identity(&other))
        .find(|other| *other != name)
    {
        return Err(CliError::usage(
            "show.ambiguous",
            format!("{name} and {other} both begin with {prefix}"),
        )
        .hint("give more digits; a dash and the signer's may follow a whole digest"));
    }
    Ok(piece)
}

fn show(piece: &Found, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let statement = match &piece.outcome {
        Ok(statement) => statement,
        Err(failure) => {
            return Err(CliError::new(ExitCode::Invalid, failure.code.clone(), failure.message.clone())
                .because(format_args!("in {}", piece.name))
                .hint("`touchmark show DIGEST --raw > FILE` and `touchmark inspect FILE` show what it claims"));
        }
    };
    if context.output.format() == Format::Json {
        let shown = Shown {
            verified: true,
            name: piece.name.clone(),
            refs: piece.refs.clone(),
            signer: Some(statement.signer().to_string()),
            log_origin: statement.log().map(|log| log.origin.clone()),
            log_index: statement.log().map(|log| log.index),
            checks: checks(statement),
            statement: serde_json::from_slice(statement.signed().raw()).ok(),
        };
        context.output.document(Schema::new("show", 1), &shown)?;
        return Ok(ExitCode::Allowed);
    }
    context
        .output
        .rendered(render::field("signer", &statement.signer().to_string()));
    if let Some(log) = statement.log() {
        context.output.rendered(render::field(
            "log",
            &format!("{} index {}", log.origin, log.index),
        ));
    }
    for check in checks(statement) {
        context.output.rendered(render::field("check", &check));
    }
    for name in &piece.refs {
        context.output.rendered(render::field("ref", name));
    }
    context
        .output
        .rendered(render::statement::render(statement.signed()));
    Ok(ExitCode::Allowed)
}
