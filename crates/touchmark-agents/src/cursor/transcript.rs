//! The records of the transcript.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::shared::{Shared, What};
use super::tools;
use crate::error::ImportError;
use crate::json::lenient::{Items, Object, Text};
use crate::recorder::{NewCall, Place, Recorder, Spot, parts};
use crate::run::{PromptOrigin, PromptPart, Role, StepKind};

/// One record.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Said<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    message: Object<Message<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// A part of a record.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Use<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
}

impl<'a> Said<'a> {
    fn parts(&self) -> Vec<Use<'a>> {
        let content = self.message.0.as_ref().and_then(|message| message.content);
        let items: Items<Object<Use<'a>>> = content
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default();
        items.0.into_iter().filter_map(|item| item.0).collect()
    }

    /// The uses of tools.
    pub(super) fn uses(&self) -> Vec<Use<'a>> {
        let mut parts = self.parts();
        parts.retain(|part| part.kind.as_deref() == Some("tool_use"));
        parts
    }
}

/// Reads one record.
pub(super) fn record(
    recorder: &mut Recorder,
    shared: &mut Shared,
    spot: Spot<'_>,
    said: &Said<'_>,
) -> Result<(), ImportError> {
    match said.role.as_deref() {
        Some("user") => {
            let place = recorder.add_step(StepKind::Prompt, spot)?;
            prompt(recorder, shared, place, said)
        }
        Some("assistant") => {
            let place = recorder.add_step(StepKind::Answer, spot)?;
            for part in said.parts() {
                match part.kind.as_deref() {
                    Some("tool_use") => call(recorder, shared, place, &part)?,
                    _ => {
                        // Reasoning stands as a mark that it was taken out.
                        if let Some(text) = part.text.as_deref().filter(|text| *text != "[REDACTED]") {
                            recorder.says(text, place)?;
                        }
                    }
                }
            }
            Ok(())
        }
        _ => recorder.add_step(StepKind::Unknown, spot).map(|_| ()),
    }
}

fn call(
    recorder: &mut Recorder,
    shared: &mut Shared,
    place: Place<'_>,
    part: &Use<'_>,
) -> Result<(), ImportError> {
    let Some(name) = part.name.as_deref().filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    if let Some((what, key)) = tools::told_by_hooks(name, part)
        && place.role == Role::Primary
        && shared.was_told(what, &key)
    {
        return Ok(());
    }
    let input = tools::input(part);
    let mcp = tools::mcp(name, &input);
    let writes: Vec<&str> = input
        .path()
        .filter(|_| tools::is_writer(name))
        .into_iter()
        .collect();
    recorder.call(
        &NewCall {
            id: part.id.as_deref().filter(|id| !id.is_empty()),
            name: mcp.map_or(name, |(_, tool)| tool),
            server: mcp.map(|(server, _)| server),
            command: input.command.as_deref().filter(|_| tools::is_shell(name)),
            writes: &writes,
            agent_type: input.subagent_type.as_deref(),
            arguments: part.input.map(RawValue::get),
        },
        place,
    )
}

/// Reads what was given: what a person typed, and apart from it what the product put around it.
fn prompt(
    recorder: &mut Recorder,
    shared: &mut Shared,
    place: Place<'_>,
    said: &Said<'_>,
) -> Result<(), ImportError> {
    let content = said.message.0.as_ref().and_then(|message| message.content);
    let given = content.map(|raw| parts::from_json(raw.get())).unwrap_or_default();
    let mut typed = Vec::new();
    let mut around = Vec::new();
    for part in given {
        match part {
            PromptPart::Text(text) => match query(&text) {
                Some(query) => typed.push(PromptPart::Text(query.to_owned())),
                None if text.trim_start().starts_with('<') => around.push(PromptPart::Text(text)),
                None => typed.push(PromptPart::Text(text)),
            },
            other => typed.push(other),
        }
    }
    if let [PromptPart::Text(text)] = typed.as_slice()
        && place.role == Role::Primary
        && shared.was_told(What::Prompt, text.trim())
    {
        recorder.copied(place.step);
        return Ok(());
    }
    let by = match place.role {
        Role::Primary => PromptOrigin::Human,
        Role::Subagent => PromptOrigin::Agent,
    };
    if !typed.is_empty() {
        recorder.prompt(typed, by, place)?;
    }
    if !around.is_empty() {
        recorder.prompt(around, PromptOrigin::Injected, place)?;
    }
    Ok(())
}

/// What a person typed, without what the product wrapped it in.
fn query(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<user_query>")?;
    let (inner, _) = rest.rsplit_once("</user_query>")?;
    let inner = inner.strip_prefix('\n').unwrap_or(inner);
    Some(inner.strip_suffix('\n').unwrap_or(inner))
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn a_query_is_unwrapped() {
        assert_eq!(query("<user_query>\nfix it\n</user_query>"), Some("fix it"));
        assert_eq!(query("<a>b</a>\n<user_query>x</user_query>"), Some("x"));
        assert_eq!(
            query("<user_query>say </user_query> twice</user_query>"),
            Some("say </user_query> twice")
        );
        assert_eq!(query("<user_query>open"), None);
        assert_eq!(query("plain"), None);
    }
}
