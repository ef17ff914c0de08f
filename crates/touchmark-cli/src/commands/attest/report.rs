//! What `attest` says about its result.

use serde::Serialize;
use serde_json::Value;
use touchmark_git::EvidenceKey;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::statement::Statement;
use touchmark_verify::evidence::EvidenceId;

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::keyless::Publication;
use crate::output::{Format, Schema};
use crate::pipeline::chain::Link;
use crate::pipeline::{Drained, Published};

/// The result as a document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttestDocument {
    outcome: &'static str,
    payload: String,
    evidence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<LogPlace>,
    refs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

#[derive(Debug, Serialize)]
struct LogPlace {
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    index: u64,
}

#[derive(Debug, Serialize)]
struct Reason {
    code: String,
    message: String,
}

#[derive(Serialize)]
struct DryRunDocument {
    statement: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    publication: Option<Publication>,
}

/// The statement, and nothing written.
pub(crate) fn dry_run(
    statement: &Statement,
    publication: Option<Publication>,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    if let Some(publication) = &publication {
        context.output.note(publication.in_words());
    }
    let statement: Value = serde_json::from_slice(&statement.encode()?)
        .map_err(|e| CliError::failed("output.unencodable", "the statement cannot be shown").because(e))?;
    match context.output.format() {
        Format::Json => context.output.document(
            Schema::new("attest-dry-run", 1),
            &DryRunDocument {
                statement,
                publication,
            },
        )?,
        Format::Text => context.output.line(format!("{statement:#}")),
    }
    Ok(ExitCode::Allowed)
}

/// Logged and filed.
pub(crate) fn logged(published: &Published, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let document = AttestDocument {
        outcome: "logged",
        payload: published.evidence.payload.to_string(),
        evidence: published.evidence.to_string(),
        log: Some(LogPlace {
            origin: Some(published.origin.clone()),
            index: published.index,
        }),
        refs: published.refs.clone(),
        reason: None,
    };
    say(&document, "attested", context)?;
    Ok(ExitCode::Allowed)
}

/// Signed and safe, not logged.
pub(crate) fn unlogged(
    evidence: &EvidenceId,
    error: &CliError,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let document = AttestDocument {
        outcome: "unlogged",
        payload: evidence.payload.to_string(),
        evidence: evidence.to_string(),
        log: None,
        refs: Vec::new(),
        reason: Some(Reason {
            code: error.code().to_owned(),
            message: error.message().to_owned(),
        }),
    };
    context.output.complain(error);
    say(&document, "signed but unlogged", context)?;
    Ok(ExitCode::Unavailable)
}

/// Nothing new since the statement before.
pub(crate) fn folded(link: &Link, keys: &[EvidenceKey], context: &Context<'_>) -> Result<ExitCode, CliError> {
    let logged = link.log_index.is_some();
    let document = AttestDocument {
        outcome: "folded",
        payload: link.payload.to_string(),
        evidence: link.evidence.clone(),
        log: link.log_index.map(|index| LogPlace { origin: None, index }),
        refs: if logged {
            keys.iter().map(EvidenceKey::ref_name).collect()
        } else {
            Vec::new()
        },
        reason: None,
    };
    say(
        &document,
        if logged {
            "nothing new since"
        } else {
            "nothing new since, and unlogged yet"
        },
        context,
    )?;
    Ok(if logged {
        ExitCode::Allowed
    } else {
        ExitCode::Unavailable
    })
}

/// Prints the trailer by which a commit can name a statement. A document has the digest already.
pub(crate) fn trailer(is_asked_for: bool, payload: Sha256Digest, context: &Context<'_>) {
    if is_asked_for && context.output.format() == Format::Text {
        context.output.line(format!("Touchmark: sha256:{payload}"));
    }
}

fn say(document: &AttestDocument, words: &str, context: &Context<'_>) -> Result<(), CliError> {
    if context.output.format() == Format::Json {
        return context.output.document(Schema::new("attest", 1), document);
    }
    context.output.line(format!("{words} {}", document.evidence));
    if let Some(log) = &document.log {
        let origin = log
            .origin
            .as_deref()
            .map(|origin| format!(" in {origin}"))
            .unwrap_or_default();
        context
            .output
            .line(format!("  log   index {}{origin}", log.index));
    }
    for reference in &document.refs {
        context.output.line(format!("  ref   {reference}"));
    }
    Ok(())
}

/// Says what an earlier run left behind and could not be finished now either.
pub(crate) fn waiting(drained: &Drained, context: &Context<'_>) {
    for published in &drained.finished {
        context
            .output
            .note(format!("finished an earlier attestation: {}", published.evidence));
    }
    for (id, error) in &drained.waiting {
        let hint = error.help().unwrap_or("`touchmark publish` finishes what waits");
        context.output.warn(format!(
            "{id} is still in the spool: [{}] {}\n  hint: {hint}",
            error.code(),
            error.message()
        ));
    }
}
