//! Messages: prompts, answers with their calls, results, and notices of the product.

use std::collections::HashSet;

use super::calls;
use super::record::{Message, Part, Thought, Tokens, list};
use crate::error::ImportError;
use crate::json::lenient::Count;
use crate::limits::{MAX_NAME_BYTES, MAX_TOKENS};
use crate::recorder::{NewAnswer, Place, Recorder, parts, times};
use crate::run::{PromptOrigin, PromptPart, Role, StepKind, Usage};

/// How texts begin that the product itself gives in the place of the person.
const INJECTED: [&str; 3] = [
    "<session_context>",
    "<hook_context>",
    "This is the Gemini CLI. We are setting up the context",
];

/// Kinds of messages that tell the person something.
const NOTICES: [&str; 4] = ["info", "error", "warning", "about"];

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// In the order in which it was written.
    Written,
    /// In a list that replaced what was written before.
    Replacing,
}

/// What is known of the messages of a file.
#[derive(Default)]
pub(super) struct Messages {
    /// True in the file of a sub-agent.
    pub(super) is_delegated: bool,
    /// Calls whose result the product's own record tells.
    told: HashSet<String>,
}

/// Returns the kind of a message's step.
pub(super) fn kind(message: &Message<'_>) -> StepKind {
    match message.kind.as_deref() {
        Some("user") if !responses(message).is_empty() => StepKind::ToolResult,
        Some("user") => StepKind::Prompt,
        Some("gemini" | "message_update") => StepKind::Answer,
        Some(kind) if NOTICES.contains(&kind) => StepKind::Other,
        _ => StepKind::Unknown,
    }
}

fn responses<'a>(message: &Message<'a>) -> Vec<Part<'a>> {
    let is_list = message.content.is_some_and(|raw| raw.get().starts_with('['));
    list::<Part<'a>>(message.content.filter(|_| is_list))
        .into_iter()
        .filter(|part| part.response.0.is_some())
        .collect()
}

impl Messages {
    /// Reads a message. `is_first` is false for one that was written before: it tells more of the same answer, but is
    /// no further prompt.
    pub(super) fn read(
        &mut self,
        recorder: &mut Recorder,
        message: &Message<'_>,
        is_first: bool,
        standing: Standing,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        recorder.time(message.timestamp.as_deref().and_then(times::text));
        match kind(message) {
            StepKind::Prompt if is_first => {
                let given = message
                    .content
                    .map(|raw| parts::from_json(raw.get()))
                    .unwrap_or_default();
                let origin = self.origin(&given, standing, place);
                recorder.prompt(given, origin, place)
            }
            StepKind::ToolResult => {
                for part in responses(message) {
                    if let Some(response) = &part.response.0
                        && !response.id.as_deref().is_some_and(|id| self.told.contains(id))
                    {
                        calls::response(recorder, response, place);
                    }
                }
                Ok(())
            }
            StepKind::Answer => self.answer(recorder, message, is_first, place),
            _ => Ok(()),
        }
    }

    fn origin(&self, given: &[PromptPart], standing: Standing, place: Place<'_>) -> PromptOrigin {
        let begins = |beginnings: &[&str]| match given.first() {
            Some(PromptPart::Text(text)) => beginnings.iter().any(|beginning| text.starts_with(beginning)),
            _ => false,
        };
        if standing == Standing::Replacing || begins(&["<state_snapshot>"]) {
            PromptOrigin::Compaction
        } else if begins(&INJECTED) {
            PromptOrigin::Injected
        } else if self.is_delegated || place.role == Role::Subagent {
            PromptOrigin::Agent
        } else {
            PromptOrigin::Human
        }
    }

    fn answer(
        &mut self,
        recorder: &mut Recorder,
        message: &Message<'_>,
        is_first: bool,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let model = message.model.as_deref();
        // A message that the product made up has neither.
        if model.is_some() || message.tokens.0.is_some() {
            let answer = NewAnswer {
                id: message.id.as_deref(),
                model,
                provider: Some("gcp.gemini")
                    .filter(|_| model.is_some_and(|model| model.starts_with("gemini"))),
                usage: message.tokens.0.map(usage).unwrap_or_default(),
                ..NewAnswer::default()
            };
            recorder.answer(&answer, place);
        }
        if is_first && recorder.keeps_words() {
            for thought in list::<Thought<'_>>(message.thoughts) {
                for text in [&thought.subject, &thought.description] {
                    if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
                        recorder.reasons(text, place)?;
                    }
                }
            }
            for part in message
                .content
                .map(|raw| parts::from_json(raw.get()))
                .unwrap_or_default()
            {
                if let PromptPart::Text(text) = part
                    && !text.is_empty()
                {
                    recorder.says(&text, place)?;
                }
            }
        }
        let calls = list::<super::record::Call<'_>>(message.tool_calls);
        for call in &calls {
            calls::call(recorder, call, place)?;
            if let Some(id) = call.id.as_deref().filter(|id| id.len() <= MAX_NAME_BYTES) {
                self.told.insert(id.to_owned());
            }
        }
        let is_list = message.content.is_some_and(|raw| raw.get().starts_with('['));
        if calls.is_empty() && is_list {
            for part in list::<Part<'_>>(message.content) {
                if let Some(call) = &part.call.0 {
                    calls::written_call(recorder, call, place)?;
                }
            }
        }
        Ok(())
    }
}

/// Takes what came from the cache out of the input, and puts the input of the product's own tools to it; thoughts are
/// output, as they are billed.
pub(super) fn usage(tokens: Tokens) -> Usage {
    let believed = |count: Count| count.0.filter(|tokens| *tokens <= MAX_TOKENS);
    let more = |sum: Option<u64>, count: Count| match (sum, believed(count)) {
        (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
        (sum, more) => sum.or(more),
    };
    let cached = believed(tokens.cached);
    let input = believed(tokens.input).map(|input| input.saturating_sub(cached.unwrap_or(0)));
    Usage {
        input_tokens: more(input, tokens.tool),
        output_tokens: more(believed(tokens.output), tokens.thoughts),
        cache_read_tokens: cached,
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_apart() {
        let read = |json: &str| usage(serde_json::from_str::<Tokens>(json).unwrap());
        assert_eq!(
            read(r#"{"input":12000,"output":40,"cached":9000,"thoughts":300,"tool":7,"total":12347}"#),
            Usage {
                input_tokens: Some(3_007),
                output_tokens: Some(340),
                cache_read_tokens: Some(9_000),
                ..Usage::default()
            }
        );
        assert_eq!(read("{}"), Usage::default());
        assert_eq!(
            read(r#"{"input":5,"cached":9}"#).input_tokens,
            Some(0),
            "never below nothing"
        );
        assert_eq!(
            read(r#"{"input":18446744073709551615,"output":"7"}"#),
            Usage::default()
        );
    }

    #[test]
    fn messages_are_told_by_what_they_hold() {
        for (json, expected) in [
            (r#"{"type":"user","content":"x"}"#, StepKind::Prompt),
            (r#"{"type":"user","content":[{"text":"x"}]}"#, StepKind::Prompt),
            (
                r#"{"type":"user","content":[{"functionResponse":{"id":"a"}}]}"#,
                StepKind::ToolResult,
            ),
            (
                r#"{"type":"user","content":[{"functionResponse":7}]}"#,
                StepKind::Prompt,
            ),
            (r#"{"type":"gemini","content":""}"#, StepKind::Answer),
            (r#"{"type":"info","content":"x"}"#, StepKind::Other),
            (r#"{"type":"dream"}"#, StepKind::Unknown),
            (r#"{"type":7}"#, StepKind::Unknown),
        ] {
            let message: Message<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(kind(&message), expected, "{json}");
        }
    }
}
