//! The messages of a conversation.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::usage::Tokens;
use crate::error::ImportError;
use crate::json::lenient::{Items, Object, Text, first_text};
use crate::recorder::names::split_provider;
use crate::recorder::{NewAnswer, NewCall, NewResult, Place, Recorder, Spot, parts, times};
use crate::run::{PromptOrigin, StepKind, Usage};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    /// `response` and `function_call_output` in the form of OpenAI's newer interface.
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    object: Text<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow, alias = "call_id")]
    tool_call_id: Text<'a>,
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    usage: Object<Tokens>,
    #[serde(borrow)]
    extra: Object<Extra<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Extra<'a> {
    #[serde(borrow)]
    actions: Items<Object<Action<'a>>>,
    #[serde(borrow)]
    returncode: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Object<Response<'a>>,
    #[serde(borrow)]
    interrupt_type: Text<'a>,
    #[serde(borrow)]
    submission: Text<'a>,
    #[serde(borrow)]
    raw_output: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Action<'a> {
    #[serde(borrow, alias = "action")]
    command: Text<'a>,
    #[serde(borrow)]
    tool_call_id: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    usage: Object<Tokens>,
}

/// Reads messages in order.
pub(super) struct Reader<'c> {
    model: Option<(&'c str, Option<&'static str>)>,
    has_answered: bool,
    has_task: bool,
    calls: usize,
    /// The calls that wait for an observation that names none, oldest first.
    waiting: std::collections::VecDeque<String>,
    submission: Option<String>,
}

impl<'c> Reader<'c> {
    pub(super) fn new(model: Option<&'c str>) -> Self {
        Self {
            model: model.map(|name| {
                let (provider, model) = split_provider(name);
                (model, provider)
            }),
            has_answered: false,
            has_task: false,
            calls: 0,
            waiting: std::collections::VecDeque::new(),
            submission: None,
        }
    }

    /// The patch that the last message holds, in versions that say it nowhere else.
    pub(super) fn submission(&self) -> Option<&str> {
        self.submission.as_deref()
    }

    pub(super) fn message(&mut self, recorder: &mut Recorder, spot: Spot<'_>) -> Result<(), ImportError> {
        let Ok(Object(Some(message))) = serde_json::from_str::<Object<Message<'_>>>(spot.json) else {
            return recorder.add_step(StepKind::Unknown, spot).map(|_| ());
        };
        let nothing = Extra::default();
        let extra = message.extra.0.as_ref().unwrap_or(&nothing);
        let text = message.content.or(message.output).and_then(first_text);
        let code = extra
            .returncode
            .and_then(|raw| raw.get().parse::<i32>().ok())
            .or_else(|| text.as_deref().and_then(said_code));
        let kind = self.kind_of(&message, extra, text.as_deref(), code);
        let place = recorder.add_step(kind, spot)?;
        recorder.time(
            extra
                .timestamp
                .and_then(|raw| raw.get().parse::<f64>().ok())
                .and_then(times::seconds),
        );
        match kind {
            StepKind::Answer => self.answer(recorder, place, &message, extra, text.as_deref()),
            StepKind::ToolResult => {
                self.observation(recorder, place, &message, extra, text.as_deref(), code);
                Ok(())
            }
            StepKind::Prompt => {
                let response = extra.response.0.as_ref();
                if let Some(response) = response {
                    // The answer that this complains about; it stands nowhere else.
                    self.tokens(
                        recorder,
                        place,
                        response.model.as_deref(),
                        response.usage.0.as_ref(),
                    );
                }
                let is_interruption = extra.interrupt_type.as_deref() == Some("UserInterruption");
                let is_task = message.role.as_deref() == Some("user") && !self.has_task;
                let origin = if is_task || is_interruption {
                    PromptOrigin::Human
                } else {
                    PromptOrigin::Injected
                };
                self.has_task |= is_task;
                let parts = message
                    .content
                    .map(|raw| parts::from_json(raw.get()))
                    .unwrap_or_default();
                recorder.prompt(parts, origin, place)
            }
            _ => {
                self.submission = extra
                    .submission
                    .as_deref()
                    .map(str::to_owned)
                    .or(self.submission.take());
                Ok(())
            }
        }
    }

    fn kind_of(
        &mut self,
        message: &Message<'_>,
        extra: &Extra<'_>,
        text: Option<&str>,
        code: Option<i32>,
    ) -> StepKind {
        let is_response = message.object.as_deref() == Some("response");
        let is_output = message.kind.as_deref() == Some("function_call_output");
        match message.role.as_deref() {
            _ if is_response => StepKind::Answer,
            _ if is_output => StepKind::ToolResult,
            Some("assistant") => StepKind::Answer,
            Some("system") => StepKind::Prompt,
            Some("tool") => StepKind::ToolResult,
            Some("exit") => StepKind::Other,
            Some("user") if extra.interrupt_type.0.is_some() || !self.has_answered => StepKind::Prompt,
            Some("user") if code.is_some() => StepKind::ToolResult,
            // Older versions end with the patch itself.
            Some("user") if text.is_some_and(|text| text.trim_start().starts_with("diff --git ")) => {
                self.submission = text.map(str::to_owned);
                StepKind::Other
            }
            Some("user") => StepKind::Prompt,
            _ => StepKind::Unknown,
        }
    }

    fn answer(
        &mut self,
        recorder: &mut Recorder,
        place: Place<'_>,
        message: &Message<'_>,
        extra: &Extra<'_>,
        text: Option<&str>,
    ) -> Result<(), ImportError> {
        self.has_answered = true;
        let response = extra.response.0.as_ref();
        let model = response
            .and_then(|response| response.model.as_deref())
            .or(message.model.as_deref());
        let tokens = response
            .and_then(|response| response.usage.0.as_ref())
            .or(message.usage.0.as_ref());
        self.tokens(recorder, place, model, tokens);
        if let Some(text) = text {
            recorder.says(text, place)?;
        }
        self.waiting.clear();
        for action in extra.actions.objects() {
            if let Some(command) = action.command.as_deref() {
                self.call(recorder, place, command, action.tool_call_id.as_deref())?;
            }
        }
        if extra.actions.objects().next().is_none()
            && message.extra.0.is_none()
            && let Some(command) = text.and_then(only_block)
        {
            self.call(recorder, place, command, None)?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        recorder: &mut Recorder,
        place: Place<'_>,
        command: &str,
        id: Option<&str>,
    ) -> Result<(), ImportError> {
        self.calls += 1;
        let id = id.map_or_else(|| format!("action-{}", self.calls), str::to_owned);
        let call = NewCall {
            id: Some(&id),
            name: "bash",
            command: Some(command),
            ..NewCall::default()
        };
        recorder.call(&call, place)?;
        self.waiting.push_back(id);
        Ok(())
    }

    fn observation(
        &mut self,
        recorder: &mut Recorder,
        place: Place<'_>,
        message: &Message<'_>,
        extra: &Extra<'_>,
        text: Option<&str>,
        code: Option<i32>,
    ) {
        let named = message.tool_call_id.as_deref();
        let Some(id) = named.map(str::to_owned).or_else(|| self.waiting.pop_front()) else {
            return;
        };
        self.waiting.retain(|waiting| *waiting != id);
        // -1 stands for a command that did not end by itself, or was not run.
        let exit_code = code.filter(|code| *code != -1);
        let result = NewResult {
            id: &id,
            failed: (code == Some(-1)).then_some(true),
            exit_code,
            output: extra.raw_output.as_deref().or(text),
        };
        recorder.result(&result, place);
    }

    fn tokens(
        &self,
        recorder: &mut Recorder,
        place: Place<'_>,
        model: Option<&str>,
        tokens: Option<&Tokens>,
    ) {
        let (named, provider) = self
            .model
            .map_or((None, None), |(name, provider)| (Some(name), provider));
        recorder.answer(
            &NewAnswer {
                id: None,
                request: None,
                model: model.map(|model| split_provider(model).1).or(named),
                provider,
                usage: tokens.map_or_else(Usage::default, Tokens::usage),
            },
            place,
        );
    }
}

/// Reads the exit code that an observation of older versions begins with.
fn said_code(text: &str) -> Option<i32> {
    let rest = text.trim_start().strip_prefix("<returncode>")?;
    rest.split_once("</returncode>")?.0.trim().parse().ok()
}

/// Returns the block of shell in an answer of older versions, where it has exactly one.
fn only_block(text: &str) -> Option<&str> {
    let mut found = None;
    let mut rest = text;
    while let Some(start) = rest.find("```") {
        let inner = &rest[start + 3..];
        let end = inner.find("```")?;
        let block = &inner[..end];
        if let Some((head, body)) = block.split_once('\n')
            && matches!(head.trim(), "bash" | "mswea_bash_command")
        {
            if found.is_some() {
                return None;
            }
            found = Some(body.trim());
        }
        rest = &inner[end + 3..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_codes_are_read_from_text() {
        assert_eq!(
            only_block("I look.\n\n```bash\nls -la\n```\nDone"),
            Some("ls -la")
        );
        assert_eq!(only_block("```mswea_bash_command\nls\n```"), Some("ls"));
        assert_eq!(only_block("```bash\na\n```\n```bash\nb\n```"), None);
        assert_eq!(only_block("```python\nx\n```"), None);
        assert_eq!(only_block("```bash\nls"), None);
        assert_eq!(said_code("<returncode>127</returncode>\n<output>"), Some(127));
        assert_eq!(said_code("<returncode>x</returncode>"), None);
    }
}
