//! `touchmark publish --dry-run`: exactly what would leave the machine, and what of it becomes public.

use serde::Serialize;
use touchmark_rekor::spool::{Entry, LogAddress, Target};
use touchmark_rekor::{ApiVersion, PublishError};

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};
use crate::pipeline;
use crate::pipeline::logs::LogArgs;

#[derive(Serialize)]
struct PreviewDocument {
    requests: Vec<RequestRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestRow {
    evidence: String,
    log: String,
    /// The body of the request, which is JSON; nothing for the embedded log, which nobody else reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    public: &'static str,
}

/// Shows what waits for logs, as it would be sent.
pub(super) fn run(args: &LogArgs, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let replaced = if args.names_logs() {
        Some(args.targets(context)?)
    } else {
        None
    };
    let mut requests = Vec::new();
    if context.home.spool().exists() {
        let spool = pipeline::spool(context)?;
        for id in spool.list()?.waiting {
            let Some(entry) = spool.peek(&id)? else { continue };
            for target in pipeline::redirected(&entry, replaced.as_deref()) {
                requests.push(row(&entry, &target)?);
            }
        }
    }
    let document = PreviewDocument { requests };
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("publish-dry-run", 1), &document)?,
        Format::Text => text(&document, context),
    }
    Ok(ExitCode::Allowed)
}

fn row(entry: &Entry, target: &Target) -> Result<RequestRow, CliError> {
    let (body, public) = match &target.log {
        LogAddress::Embedded(_) => (None, "nothing: the log is on this machine"),
        LogAddress::Service { version, .. } => {
            let body = body(entry, *version)
                .map_err(|error| CliError::from_error(ExitCode::Error, error.code(), &error))?;
            let public = match version {
                ApiVersion::V1 => {
                    "the digests of statement and envelope, the signature, the key or certificate; the log also reads the statement"
                }
                ApiVersion::V2 => "the digest that was signed, the signature, the key or certificate",
            };
            (Some(String::from_utf8_lossy(&body).into_owned()), public)
        }
    };
    Ok(RequestRow {
        evidence: entry.evidence_id().to_string(),
        log: target.log.to_string(),
        body,
        public,
    })
}

fn body(entry: &Entry, version: ApiVersion) -> Result<Vec<u8>, PublishError> {
    let submission = entry.submission()?;
    match version {
        ApiVersion::V2 => Ok(submission.create_entry_request()?.encode()),
        ApiVersion::V1 => match submission.dsse_request()? {
            Some(request) => Ok(request.encode()),
            None => Ok(submission.hashedrekord_request()?.encode()),
        },
    }
}

fn text(document: &PreviewDocument, context: &Context<'_>) {
    for row in &document.requests {
        context
            .output
            .line(format!("would send {} to {}", row.evidence, row.log));
        context.output.line(format!("  public {}", row.public));
        if let Some(body) = &row.body {
            context.output.line(format!("  body   {body}"));
        }
    }
    if document.requests.is_empty() {
        context.output.note("nothing waits for a log");
    }
}
