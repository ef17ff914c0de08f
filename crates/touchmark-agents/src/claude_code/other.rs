//! Records that are neither prompt, answer nor result: costs, compaction, progress of sub-agents, attachments, the first
//! and the last record of headless output.

use serde_json::value::RawValue;

use super::mapping::{blocks, model_of, with_call};
use super::prompts::is_injected;
use super::record::{Attachment, Record};
use crate::error::ImportError;
use crate::recorder::{Place, Recorder, parts};
use crate::run::{PromptOrigin, PromptPart, Role};

pub(super) fn read(
    recorder: &mut Recorder,
    record: &Record<'_>,
    place: Place<'_>,
) -> Result<(), ImportError> {
    match (record.kind.as_deref(), record.subtype.as_deref()) {
        (Some("system"), Some("compact_boundary")) => recorder.compaction(),
        (Some("system"), Some("init")) => {
            if let Some(model) = record.headless_model.as_deref() {
                recorder.model(model, None, place);
            }
        }
        (Some("cost-state"), _) => cost(recorder, record.total_cost, record),
        (Some("result"), _) => cost(recorder, record.headless_total_cost, record),
        (Some("progress"), _) => return progress(recorder, record, place),
        (Some("attachment"), _) => return attachment(recorder, record, place),
        _ => {}
    }
    Ok(())
}

/// Keeps the last cost that the product reported: it is cumulative.
fn cost(recorder: &mut Recorder, amount: Option<&RawValue>, record: &Record<'_>) {
    if let Some(amount) = amount {
        recorder.cost(amount.get(), "USD", record.has_unknown_model_cost.0);
    }
}

/// Reads a sub-agent's record that its caller's progress record repeats.
fn progress(recorder: &mut Recorder, record: &Record<'_>, place: Place<'_>) -> Result<(), ImportError> {
    let Some(progress) = &record.data.0 else {
        return Ok(());
    };
    let Some(agent) = progress.agent_id.as_deref() else {
        return Ok(());
    };
    recorder.link_subagent(agent, record.parent_tool_use_id.as_deref());
    let Some(echo) = &progress.message.0 else {
        return Ok(());
    };
    let (Some(message), Some("assistant")) = (&echo.message.0, echo.kind.as_deref()) else {
        return Ok(());
    };
    let place = Place {
        role: Role::Subagent,
        ..place
    };
    let mut is_list = false;
    for block in blocks(&message.content) {
        is_list = true;
        if block.kind.as_deref() == Some("tool_use") {
            with_call(block, |call| recorder.echo(call, place))?;
        }
    }
    if is_list && let Some(model) = model_of(message) {
        // It took part, but its tokens are not known.
        recorder.model(model, None, place);
    }
    Ok(())
}

/// Keeps a prompt that waited in the product's queue.
fn attachment(recorder: &mut Recorder, record: &Record<'_>, place: Place<'_>) -> Result<(), ImportError> {
    let Some(attachment) = &record.attachment.0 else {
        return Ok(());
    };
    if attachment.kind.as_deref() != Some("queued_command") {
        return Ok(());
    }
    let parts = attachment
        .prompt
        .map(|raw| parts::from_json(raw.get()))
        .unwrap_or_default();
    if parts.is_empty() {
        return Ok(());
    }
    let origin = queued_origin(attachment, &parts, place.role);
    recorder.prompt(parts, origin, place)
}

/// A person's only where the record says that it is a prompt, and nothing says that the product queued it.
fn queued_origin(attachment: &Attachment<'_>, parts: &[PromptPart], role: Role) -> PromptOrigin {
    let by_other = attachment
        .origin
        .0
        .as_ref()
        .and_then(|origin| origin.kind.as_deref())
        .is_some_and(|kind| kind != "human");
    let is_prompt = attachment.command_mode.as_deref() == Some("prompt");
    if !is_prompt || by_other || is_injected(parts) {
        PromptOrigin::Injected
    } else if role == Role::Subagent {
        PromptOrigin::Agent
    } else {
        PromptOrigin::Human
    }
}
