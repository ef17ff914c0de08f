//! `touchmark inspect`: what a bundle claims, without trusting it.

use std::path::PathBuf;

use serde::Serialize;
use touchmark_statement::statement::SignedStatement;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::output::{Format, Schema, escape};
use crate::render;

const MAX_BUNDLE_BYTES: u64 = touchmark_verify::limits::MAX_BUNDLE_BYTES as u64;

/// Flags of `inspect`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark inspect change.sigstore.json", "touchmark inspect change.sigstore.json --format json"))]
pub(crate) struct Args {
    /// The bundle
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inspection {
    verified: bool,
    media_type: String,
    payload_type: String,
    payload_digest: String,
    signer_claim: String,
    log_entries: Vec<EntryClaim>,
    timestamps: usize,
    unknown_fields: Vec<String>,
    statement: serde_json::Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryClaim {
    kind: String,
    version: String,
    log_index: u64,
}

/// Runs `inspect`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let bytes = file_argument::read(&context.path(&args.bundle), MAX_BUNDLE_BYTES)?;
    let bundle = Bundle::parse(&bytes)
        .map_err(|error| CliError::from_error(ExitCode::Invalid, error.code(), &error))?;
    let envelope = bundle.envelope().ok_or_else(|| {
        CliError::new(
            ExitCode::Invalid,
            "bundle.message_signature",
            "the bundle carries a bare message signature, which is no statement",
        )
    })?;
    let signed = SignedStatement::parse(envelope.payload.clone())
        .map_err(|error| CliError::from_error(ExitCode::Invalid, error.code(), &error))?;
    let inspection = describe(&bundle, &envelope.payload_type, &signed)?;
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("inspection", 1), &inspection)?,
        Format::Text => {
            context
                .output
                .rendered("NOT VERIFIED: this is what the bundle says of itself\n");
            context
                .output
                .rendered(render::field("bundle", &inspection.media_type));
            context
                .output
                .rendered(render::field("signer", &inspection.signer_claim));
            for entry in &inspection.log_entries {
                let line = format!("{} {} at index {}", entry.kind, entry.version, entry.log_index);
                context.output.rendered(render::field("log entry", &line));
            }
            context.output.rendered(render::statement::render(&signed));
        }
    }
    Ok(ExitCode::Allowed)
}

fn describe(bundle: &Bundle, payload_type: &str, signed: &SignedStatement) -> Result<Inspection, CliError> {
    let signer_claim = match &bundle.material {
        VerificationMaterial::PublicKey { hint } => format!("key {}", escape::inline(hint)),
        _ => "certificate".to_owned(),
    };
    let entry = |entry: &touchmark_tlog::entry::LogEntry| EntryClaim {
        kind: entry.kind.kind.clone(),
        version: entry.kind.version.clone(),
        log_index: entry.log_index,
    };
    Ok(Inspection {
        verified: false,
        media_type: bundle.media_type.as_str().to_owned(),
        payload_type: payload_type.to_owned(),
        payload_digest: format!("sha256:{}", signed.payload_digest()),
        signer_claim,
        log_entries: bundle.tlog_entries.iter().map(entry).collect(),
        timestamps: bundle.timestamps.len(),
        unknown_fields: signed.unknown_fields().to_vec(),
        statement: serde_json::from_slice(signed.raw()).map_err(|error| {
            CliError::failed("output.unencodable", "the statement cannot be shown as JSON").because(error)
        })?,
    })
}
