//! Telling others: the heartbeat file, and the webhook.
//!
//! An alert is posted until the webhook has taken it, so it may arrive twice and is named by its id; the sign of life
//! is posted once a pass, so that silence can be told from death.

use serde::Serialize;
use touchmark_http::{Accept, Client, ContentType, HttpError, Options, Request, Url};
use touchmark_rekor::monitor::{Alarm, Finding, Store};

use super::{Document, store_error};
use crate::context::Context;
use crate::error::{CliError, ExitCode};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Heartbeat<'a> {
    at: String,
    logs: Vec<Pulse<'a>>,
    unread: usize,
    alarms: usize,
    open: usize,
    waiting: u64,
}

#[derive(Serialize)]
struct Pulse<'a> {
    origin: &'a str,
    size: u64,
    judged: u64,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Message<'a> {
    Heartbeat(Heartbeat<'a>),
    Alert { id: String, finding: &'a Finding },
    Alarm(&'a Alarm),
}

fn heartbeat(document: &Document) -> Heartbeat<'_> {
    Heartbeat {
        at: document.at.to_string(),
        logs: document
            .logs
            .iter()
            .map(|log| Pulse {
                origin: &log.origin,
                size: log.size,
                judged: log.judged,
            })
            .collect(),
        unread: document.unread.len(),
        alarms: document.alarms.len(),
        open: document.open.len(),
        waiting: document.waiting,
    }
}

/// Keeps the sign of life beside the records.
pub(super) fn keep_heartbeat(store: &Store, document: &Document) -> Result<(), CliError> {
    let json = serde_json::to_vec_pretty(&heartbeat(document))
        .map_err(|error| CliError::from_error(ExitCode::Error, "cli.internal", &error))?;
    store.keep_heartbeat(&json).map_err(|error| store_error(&error))
}

/// Posts what is new. A webhook that does not answer is a warning: the records keep what it has not taken.
pub(super) fn deliver(
    webhook: &Url,
    store: &Store,
    document: &Document,
    context: &Context<'_>,
) -> Result<(), CliError> {
    let client = Client::new(Options::default())
        .map_err(|error| CliError::from_error(ExitCode::Error, error.code(), &error))?;
    let warn = |error: &HttpError| {
        context.output.warn(format!(
            "the webhook did not take a message: {} [{}]",
            super::sources::words(error),
            error.code()
        ));
    };
    for finding in document.open.iter().filter(|finding| !finding.delivered) {
        let id = format!("{}-{}", finding.log_id, finding.index);
        match post(&client, webhook, &Message::Alert { id, finding }) {
            Ok(()) => {
                let delivered = Finding {
                    delivered: true,
                    ..finding.clone()
                };
                store.replace(&delivered).map_err(|error| store_error(&error))?;
            }
            Err(error) => warn(&error),
        }
    }
    for alarm in &document.alarms {
        if let Err(error) = post(&client, webhook, &Message::Alarm(alarm)) {
            warn(&error);
        }
    }
    if let Err(error) = post(&client, webhook, &Message::Heartbeat(heartbeat(document))) {
        warn(&error);
    }
    Ok(())
}

fn post(client: &Client, webhook: &Url, message: &Message<'_>) -> Result<(), HttpError> {
    let body = serde_json::to_vec(message).unwrap_or_default();
    let response = client.send(Request::post(webhook, ContentType::Json, body, Accept::Any))?;
    match response.is_success() {
        true => Ok(()),
        false => Err(response.into_status_error()),
    }
}
