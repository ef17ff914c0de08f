//! Secrets never reach a statement, and never leave with a transcript unless they were taken out.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use touchmark_agents::secrets::{Finding, Redacted, Scanner, rule_file};

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;

/// The largest file of rules that is read.
const MAX_RULES_BYTES: u64 = 4 * 1024 * 1024;

/// Returns what looks for secrets: the rules built in, and those of the user's own configuration and of flags.
pub(crate) fn scanner(files: &[PathBuf], context: &Context<'_>) -> Result<Cow<'static, Scanner>, CliError> {
    let configured = context
        .config
        .strings("redaction-rules")
        .iter()
        .map(PathBuf::from);
    let files: Vec<PathBuf> = configured.chain(files.iter().cloned()).collect();
    if files.is_empty() {
        return Ok(Cow::Borrowed(Scanner::built_in()));
    }
    let mut scanner = Scanner::built_in().clone();
    for file in &files {
        scanner = with_file(scanner, file, context)?;
    }
    Ok(Cow::Owned(scanner))
}

fn with_file(scanner: Scanner, file: &Path, context: &Context<'_>) -> Result<Scanner, CliError> {
    let path = context.path(file);
    let bytes = file_argument::read(&path, MAX_RULES_BYTES)?;
    let refused = |error: &rule_file::RuleFileError| {
        CliError::from_error(ExitCode::Usage, error.code(), error)
            .because(format_args!("in {}", path.display()))
    };
    let rules = rule_file::parse(&bytes).map_err(|error| refused(&error))?;
    for ignored in rules.ignored() {
        context
            .output
            .warn(format!("{}: {ignored} is not known and left out", path.display()));
    }
    scanner.with(rules).map_err(|error| refused(&error))
}

/// Refuses a statement that would carry a secret: a log is for ever.
pub(crate) fn in_statement(encoded: &[u8], scanner: &Scanner) -> Result<(), CliError> {
    let found = scanner.find_in_statement(encoded);
    if found.is_empty() {
        return Ok(());
    }
    Err(CliError::usage("attest.secret_in_statement", format!("the statement would carry a secret: {}", rules(&found)))
        .hint("take it out of file names, --task, --owner or --agent; `--dry-run` shows the statement's other parts"))
}

/// Refuses a transcript with a secret in it, or takes the secrets out where `redact` says so.
pub(crate) fn in_transcript(
    raw: &[u8],
    redact: bool,
    scanner: &Scanner,
) -> Result<Option<Redacted>, CliError> {
    if redact {
        let redacted = scanner.redact_json(raw).map_err(|left| {
            CliError::failed(
                "redaction.not_clean",
                format!("secrets are left after redaction: {}", rules(&left.found)),
            )
            .hint("a rule that matches its own replacement can never be satisfied; mend the rule")
        })?;
        return Ok((redacted.count > 0).then_some(redacted));
    }
    let found = scanner.find_in_json(raw);
    if found.is_empty() {
        return Ok(None);
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
    let mut rules: Vec<&str> = found.iter().map(|finding| &*finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules.join(", ")
}
