//! Telling others: the heartbeat file, and the webhook.
//!
//! An alert is posted until the webhook has taken it, so it may arrive twice and is named by its id; the sign of life
//! is posted once a pass, so that silence can be told from death.

use std::time::Duration;

use serde::Serialize;
use touchmark_http::{Accept, Client, ContentType, Deadline, HttpError, Request, Url};
use touchmark_rekor::monitor::{Alarm, Finding, Store};

use super::{Document, store_error};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::pipeline::logs;

/// How long the messages of one pass may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(120);

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
    let client = logs::client(context)?;
    let warn = |error: &HttpError| {
        context.output.warn(format!(
            "the webhook did not take a message: {} [{}]",
            super::sources::words(error),
            error.code()
        ));
    };
    let deadline = Deadline::after(DELIVERY_TIMEOUT);
    for finding in document.open.iter().filter(|finding| !finding.delivered) {
        let id = format!("{}-{}", finding.log_id, finding.index);
        match post(
            &client,
            webhook,
            &encode(&Message::Alert { id, finding }),
            deadline,
        ) {
            Ok(()) => {
                let delivered = Finding {
                    delivered: true,
                    ..finding.clone()
                };
                store.replace(&delivered).map_err(|error| store_error(&error))?;
            }
            Err(error) => {
                warn(&error);
                // One that cannot be reached is not asked for each of many.
                if !matches!(error, HttpError::Status { .. }) {
                    break;
                }
            }
        }
    }
    // A log may contradict itself once and never again: what was not taken waits for the next pass.
    for alarm in &document.alarms {
        let kept = store.keep_message(&encode(&Message::Alarm(alarm)));
        kept.map_err(|error| store_error(&error))?;
    }
    for message in store.messages().map_err(|error| store_error(&error))? {
        if let Err(error) = post(&client, webhook, &message, deadline) {
            warn(&error);
            if matches!(error, HttpError::Status { .. }) {
                continue;
            }
            break;
        }
        store
            .forget_message(&message)
            .map_err(|error| store_error(&error))?;
    }
    let heartbeat = encode(&Message::Heartbeat(heartbeat(document)));
    if let Err(error) = post(&client, webhook, &heartbeat, Deadline::after(DELIVERY_TIMEOUT)) {
        warn(&error);
    }
    Ok(())
}

fn encode(message: &Message<'_>) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}

fn post(client: &Client, webhook: &Url, message: &[u8], deadline: Deadline) -> Result<(), HttpError> {
    let request = Request::post(webhook, ContentType::Json, message, Accept::Any).by(deadline);
    let response = client.send(request)?;
    match response.is_success() {
        true => Ok(()),
        false => Err(response.into_status_error()),
    }
}
