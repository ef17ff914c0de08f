//! Secrets never reach a statement, and never leave with a transcript unless they were taken out.

use touchmark_agents::secrets::{self, Finding, Redacted};

use crate::error::CliError;

/// Refuses a statement that would carry a secret: a log is for ever.
pub(crate) fn in_statement(encoded: &[u8]) -> Result<(), CliError> {
    let found = secrets::find(encoded);
    if found.is_empty() {
        return Ok(());
    }
    Err(CliError::usage("attest.secret_in_statement", format!("the statement would carry a secret: {}", rules(&found)))
        .hint("take it out of file names, --task, --owner or --agent; `--dry-run` shows the statement's other parts"))
}

/// Refuses a transcript with a secret in it, or takes the secrets out where `redact` says so.
pub(crate) fn in_transcript(raw: &[u8], redact: bool) -> Result<Option<Redacted>, CliError> {
    let found = secrets::find(raw);
    if found.is_empty() {
        return Ok(None);
    }
    if redact {
        return Ok(Some(secrets::redact(raw)));
    }
    let message = format!(
        "the transcript holds {} unredacted secrets: {}",
        found.len(),
        rules(&found)
    );
    Err(CliError::usage("attest.secret_in_transcript", message).hint(
        "--redact takes them out of the stored copy and records that; then change the secrets that leaked",
    ))
}

/// Names the rules, never what they found.
fn rules(found: &[Finding]) -> String {
    let mut rules: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules.join(", ")
}
