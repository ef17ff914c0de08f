//! `touchmark status`: key, log, spool and vault as they are now. Makes nothing.

use serde::Serialize;
use touchmark_log::{Log, LogError};
use touchmark_rekor::spool::{Entry, Spool};
use touchmark_sign::key_file;

use crate::capture::spool::Turns;
use crate::capture::trouble;
use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::escrow::{self, EscrowStatus};
use crate::output::{Format, Schema};
use crate::pipeline;

/// Flags of `status`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark status", "touchmark status --format json"))]
pub(crate) struct Args {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusDocument {
    key: KeyStatus,
    log: LogStatus,
    spool: Vec<SpoolRow>,
    turns: Vec<TurnRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escrow: Option<EscrowStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<LastRun>,
}

#[derive(Serialize)]
struct KeyStatus {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    state: String,
}

#[derive(Serialize)]
struct LogStatus {
    directory: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    state: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpoolRow {
    evidence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    queued_at: Option<String>,
    state: String,
}

/// An event that a hook kept, and that no worker has dealt with yet.
#[derive(Serialize)]
struct TurnRow {
    turn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    state: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LastRun {
    evidence: String,
    sequence: u64,
    tree: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_index: Option<u64>,
}

/// Runs `status`.
pub(crate) fn run(_args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let last = pipeline::chain::newest(context)?.map(|link| LastRun {
        evidence: link.evidence,
        sequence: link.sequence,
        tree: link.tree.to_string(),
        commit: link.commit.map(|commit| commit.to_string()),
        log_index: link.log_index,
    });
    let document = StatusDocument {
        key: key(context),
        log: log(context),
        spool: spool(context)?,
        turns: turns(context)?,
        escrow: escrow::status(context)?,
        last,
    };
    match context.output.format() {
        Format::Json => context.output.document(Schema::new("status", 1), &document)?,
        Format::Text => text(&document, context),
    }
    Ok(ExitCode::Allowed)
}

fn key(context: &Context<'_>) -> KeyStatus {
    if let Some(uri) = context.config.text("key") {
        return KeyStatus {
            uri: uri.to_owned(),
            fingerprint: None,
            state: "configured".to_owned(),
        };
    }
    let path = context.home.default_key();
    let (fingerprint, state) = match key_file::load(&path, &key_file::Placement::default(), None) {
        Ok(key) => {
            use touchmark_sign::Signer as _;
            (
                Some(key.public_key().fingerprint().to_string()),
                "ready".to_owned(),
            )
        }
        Err(key_file::KeyFileError::NotFound { .. }) => (None, "made on first use".to_owned()),
        Err(error) => (None, format!("unusable: [{}] {error}", error.code())),
    };
    KeyStatus {
        uri: path.to_string_lossy().into_owned(),
        fingerprint,
        state,
    }
}

fn log(context: &Context<'_>) -> LogStatus {
    let folder = pipeline::log_folder(context);
    let directory = folder.to_string_lossy().into_owned();
    if !folder.exists() {
        return LogStatus {
            directory,
            origin: None,
            size: None,
            state: "made on first use".to_owned(),
        };
    }
    let opened = Log::open(&folder).and_then(|log| Ok((log.origin().to_owned(), log.checkpoint()?.size())));
    match opened {
        Ok((origin, size)) => LogStatus {
            directory,
            origin: Some(origin),
            size: Some(size),
            state: "ready".to_owned(),
        },
        Err(LogError::Missing { .. }) => LogStatus {
            directory,
            origin: None,
            size: None,
            state: "made on first use".to_owned(),
        },
        Err(error) => LogStatus {
            directory,
            origin: None,
            size: None,
            state: format!("unusable: [{}] {error}", error.code()),
        },
    }
}

fn spool(context: &Context<'_>) -> Result<Vec<SpoolRow>, CliError> {
    if !context.home.spool().exists() {
        return Ok(Vec::new());
    }
    let spool = Spool::open(&context.home.spool())?;
    let rows = spool.list()?.waiting.into_iter().map(|id| {
        let (queued_at, state) = match spool.peek(&id) {
            Ok(Some(entry)) => (Some(entry.queued_at.to_string()), state_of(&entry)),
            Ok(None) => (None, "finished just now".to_owned()),
            Err(error) => (None, format!("damaged: [{}] {error}", error.code())),
        };
        SpoolRow {
            evidence: id.to_string(),
            queued_at,
            state,
        }
    });
    Ok(rows.collect())
}

fn turns(context: &Context<'_>) -> Result<Vec<TurnRow>, CliError> {
    let capture = context.home.capture();
    let Some(turns) = Turns::open_if_any(&capture)? else {
        return Ok(Vec::new());
    };
    let rows = turns.names()?.into_iter().map(|name| {
        let (product, at, unreadable) = match turns.read(&name) {
            Ok(found) => {
                let turn = found.map(|named| named.turn);
                let at = turn.as_ref().map(|turn| turn.at.to_string());
                (turn.and_then(|turn| turn.product), at, None)
            }
            Err(error) => (None, None, Some(error)),
        };
        let state = match (unreadable, trouble::of(&capture, &name)) {
            (Some(error), _) => format!("damaged: [{}] {}", error.code(), error.message()),
            (None, Some(trouble)) => {
                format!(
                    "failed {} times: [{}] {}",
                    trouble.attempts, trouble.code, trouble.message
                )
            }
            (None, None) => "waits for a worker".to_owned(),
        };
        TurnRow {
            turn: name,
            product,
            at,
            state,
        }
    });
    Ok(rows.collect())
}

/// Says honestly how far an entry has come: what is not in every log it is meant for is unlogged.
fn state_of(entry: &Entry) -> String {
    let missing: Vec<String> = entry
        .unanswered()
        .map(|(_, target)| target.log.to_string())
        .collect();
    if missing.is_empty() {
        "logged, not yet stored".to_owned()
    } else {
        format!("unlogged: waits for {}", missing.join(", "))
    }
}

fn text(document: &StatusDocument, context: &Context<'_>) {
    let out = context.output;
    out.line(format!("key    {} ({})", document.key.uri, document.key.state));
    if let Some(fingerprint) = &document.key.fingerprint {
        out.line(format!("       {fingerprint}"));
    }
    out.line(format!(
        "log    {} ({})",
        document.log.directory, document.log.state
    ));
    if let (Some(origin), Some(size)) = (&document.log.origin, document.log.size) {
        out.line(format!("       {origin}, {size} entries"));
    }
    out.line(format!("spool  {} waiting", document.spool.len()));
    for row in &document.spool {
        out.line(format!(
            "       {} since {} ({})",
            row.evidence,
            row.queued_at.as_deref().unwrap_or("?"),
            row.state
        ));
    }
    if let Some(escrow) = &document.escrow {
        out.line(format!("escrow {} waiting ({})", escrow.waiting, escrow.state));
    }
    if !document.turns.is_empty() {
        out.line(format!("turns  {} waiting", document.turns.len()));
    }
    for row in &document.turns {
        out.line(format!(
            "       {} since {} ({})",
            row.product.as_deref().unwrap_or("?"),
            row.at.as_deref().unwrap_or("?"),
            row.state
        ));
    }
    match &document.last {
        Some(last) => {
            let index = last
                .log_index
                .map_or_else(|| "unlogged".to_owned(), |index| format!("log index {index}"));
            out.line(format!("last   {} ({index})", last.evidence));
        }
        None => out.line("last   nothing attested yet"),
    }
    let escrow_waits = document.escrow.as_ref().is_some_and(|escrow| escrow.waiting > 0);
    if !document.spool.is_empty() || escrow_waits {
        out.note("`touchmark publish` finishes what waits");
    }
}
