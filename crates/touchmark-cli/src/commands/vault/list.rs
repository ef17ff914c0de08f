//! `touchmark vault list`: what is here, by the statements it belongs to. Shows no word of it.

use serde::Serialize;
use touchmark_sign::vault::Vault;

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::escrow;
use crate::output::{Format, Schema};

#[derive(Serialize)]
struct Document {
    records: Vec<Row>,
    waiting: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    payload: String,
    chain: String,
}

/// Runs `vault list`.
pub(super) fn run(context: &Context<'_>) -> Result<ExitCode, CliError> {
    let names = match context.home.vault().exists() {
        true => Vault::open(&context.home.vault())?.names()?,
        false => Vec::new(),
    };
    let waiting = match escrow::outbox_folder(context).exists() {
        true => escrow::outbox(context)?.waiting()?,
        false => Vec::new(),
    };
    let document = Document {
        records: names
            .iter()
            .map(|name| Row {
                payload: name.payload.to_string(),
                chain: name.chain.to_string(),
            })
            .collect(),
        waiting,
    };
    if context.output.format() == Format::Json {
        context.output.document(Schema::new("vault-list", 1), &document)?;
        return Ok(ExitCode::Allowed);
    }
    for row in &document.records {
        context.output.line(format!("record  sha256:{}", row.payload));
    }
    for name in &document.waiting {
        context.output.line(format!("waiting {name}"));
    }
    if document.records.is_empty() && document.waiting.is_empty() {
        context.output.note("no record is here");
    }
    Ok(ExitCode::Allowed)
}
