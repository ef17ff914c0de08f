//! `touchmark publish`: finishes what is in the spool, and exchanges evidence refs with a remote.

mod again;
mod preview;

use serde::Serialize;
use touchmark_git::EvidenceKey;

use crate::cli::example;
use crate::commands::hook::worker::{self, Which};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::escrow::{self, Sent};
use crate::keyless::IdentityArgs;
use crate::output::{Format, Schema};
use crate::pipeline;
use crate::pipeline::logs::LogArgs;

/// Flags of `publish`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark publish", "touchmark publish --dry-run"))]
pub(crate) struct Args {
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Signs nothing again: what a key signed does not lapse
    #[arg(long, value_name = "URI", hide = true)]
    key: Option<String>,
    /// Shows every request that would be sent, and sends nothing
    #[arg(short = 'n', long, conflicts_with_all = ["push", "fetch"])]
    dry_run: bool,
    /// Then pushes this repository's evidence refs to a remote
    #[arg(long, value_name = "REMOTE")]
    push: Option<String>,
    /// Then fetches the evidence of HEAD and its tree from a remote
    #[arg(long, value_name = "REMOTE")]
    fetch: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PublishDocument {
    finished: Vec<FinishedRow>,
    waiting: Vec<WaitingRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escrow: Option<EscrowRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed_refs: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched_refs: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FinishedRow {
    evidence: String,
    log_index: u64,
    refs: Vec<String>,
}

#[derive(Serialize)]
struct EscrowRow {
    shipped: usize,
    waiting: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct WaitingRow {
    evidence: String,
    code: String,
    message: String,
}

/// Runs `publish`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    if args.log.names_logs() {
        pipeline::redirect(&args.log, args.dry_run, context)?;
    }
    if args.dry_run {
        return preview::run(&args.log, context);
    }
    again::sign((&args.identity, args.key.as_deref()), &args.log, context)?;
    // What agents' hooks kept becomes statements first.
    let turns = worker::work(Which::All, context)?.failed;
    for (turn, error) in &turns {
        context.output.warn(format!(
            "turn {turn} waits: [{}] {}",
            error.code(),
            error.message()
        ));
    }
    let drained = pipeline::drain_all(&args.log, context)?;
    let waiting = drained.waiting.iter().map(|(_, error)| error.exit());
    let exit = exit_of(waiting.chain(turns.iter().map(|(_, error)| error.exit())));
    let document = PublishDocument {
        finished: drained
            .finished
            .into_iter()
            .map(|done| FinishedRow {
                evidence: done.evidence.to_string(),
                log_index: done.index,
                refs: done.refs,
            })
            .collect(),
        waiting: drained
            .waiting
            .into_iter()
            .map(|(id, error)| WaitingRow {
                evidence: id.to_string(),
                code: error.code().to_owned(),
                message: std::iter::once(error.message())
                    .chain(error.causes().iter().map(String::as_str))
                    .collect::<Vec<_>>()
                    .join(": "),
            })
            .collect(),
        escrow: escrowed(context),
        pushed_refs: args
            .push
            .as_deref()
            .map(|remote| push_all(remote, context))
            .transpose()?,
        fetched_refs: args
            .fetch
            .as_deref()
            .map(|remote| fetch_head(remote, context))
            .transpose()?,
    };
    match context.output.format() {
        Format::Json => context.output.document(Schema::new("publish", 1), &document)?,
        Format::Text => text(&document, context),
    }
    Ok(exit)
}

/// Sends what waits for the escrow store; what cannot be sent is said and waits on.
fn escrowed(context: &Context<'_>) -> Option<EscrowRow> {
    let row = |shipped, waiting, reason| EscrowRow {
        shipped,
        waiting,
        reason,
    };
    let row = match escrow::ship(context) {
        Ok(Sent::NoStore { waiting: 0 }) => return None,
        Ok(Sent::NoStore { waiting }) => row(0, waiting, Some("no store is configured".to_owned())),
        Ok(Sent::Hangs) => row(0, 0, Some("the store does not answer".to_owned())),
        Ok(Sent::Asked(shipment)) => {
            let reason = (shipment.waiting > 0).then(|| escrow::reason(&shipment));
            row(shipment.shipped, shipment.waiting, reason)
        }
        Err(error) => row(0, 0, Some(format!("[{}] {}", error.code(), error.message()))),
    };
    if let Some(reason) = &row.reason {
        context
            .output
            .warn(format!("records wait for the escrow store: {reason}"));
    }
    (row.shipped > 0 || row.reason.is_some()).then_some(row)
}

/// An entry that only waits for the log may be tried again; any other needs somebody to look at it.
fn exit_of(exits: impl Iterator<Item = ExitCode>) -> ExitCode {
    let exits: Vec<ExitCode> = exits.collect();
    if exits.is_empty() {
        ExitCode::Allowed
    } else if exits.iter().all(|exit| *exit == ExitCode::Unavailable) {
        ExitCode::Unavailable
    } else {
        ExitCode::Error
    }
}

fn text(document: &PublishDocument, context: &Context<'_>) {
    for row in &document.finished {
        context.output.line(format!(
            "finished {} at log index {}",
            row.evidence, row.log_index
        ));
    }
    for row in &document.waiting {
        context.output.line(format!(
            "waiting  {} [{}] {}",
            row.evidence, row.code, row.message
        ));
    }
    if let Some(escrow) = &document.escrow {
        context.output.line(format!(
            "escrow   {} shipped, {} waiting",
            escrow.shipped, escrow.waiting
        ));
    }
    if document.finished.is_empty() && document.waiting.is_empty() {
        context.output.note("the spool is empty");
    }
    if let Some(count) = document.pushed_refs {
        context.output.line(format!("pushed   {count} evidence refs"));
    }
    if let Some(count) = document.fetched_refs {
        context.output.line(format!("fetched  {count} evidence refs"));
    }
}

/// Pushes these evidence refs; what is on the remote is united with ours, never replaced.
pub(crate) fn push(remote: &str, keys: &[EvidenceKey], context: &Context<'_>) -> Result<usize, CliError> {
    let repository = pipeline::open_for_writing(&context.directory, context)?;
    let pushed = repository.push_evidence(remote, keys)?;
    context
        .output
        .note(format!("pushed {} evidence refs", pushed.refs));
    Ok(pushed.refs)
}

fn push_all(remote: &str, context: &Context<'_>) -> Result<usize, CliError> {
    let repository = pipeline::open_for_writing(&context.directory, context)?;
    let keys: Vec<EvidenceKey> = repository
        .list_evidence()?
        .into_iter()
        .map(|found| found.key)
        .collect();
    Ok(repository.push_evidence(remote, &keys)?.refs)
}

fn fetch_head(remote: &str, context: &Context<'_>) -> Result<usize, CliError> {
    use touchmark_verify::git_view::GitView as _;
    let repository = pipeline::open_for_writing(&context.directory, context)?;
    let head = repository.resolve("HEAD")?;
    let tree = repository.commit(&head)?.tree;
    Ok(repository.fetch_evidence(remote, &[EvidenceKey::Commit(head), EvidenceKey::Tree(tree)])?)
}
