//! One operation: a span, or a log record that tells of one.

use serde_json::Value;

use super::attributes::{Attributes, time};
use super::messages::{self, Message};
use super::record::{LogRecord, Span};
use crate::recorder::times::Stamp;
use crate::run::Usage;

/// What kind of operation it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// A model was called.
    Inference,
    /// A tool was called.
    Tool,
    /// An agent was called, or a workflow of several.
    Agent,
    /// Anything else.
    #[default]
    Other,
}

/// A tool call.
#[derive(Default)]
pub(super) struct ToolUse {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) server: Option<String>,
    pub(super) arguments: Option<String>,
    pub(super) result: Option<String>,
    pub(super) failed: Option<bool>,
    pub(super) exit_code: Option<i32>,
}

/// One operation, as its attributes tell of it.
#[derive(Default)]
pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) is_log: bool,
    pub(super) step: usize,
    pub(super) start: Option<Stamp>,
    pub(super) end: Option<Stamp>,
    pub(super) conversation: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) model: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) answer: Option<String>,
    pub(super) usage: Usage,
    pub(super) cost: Option<f64>,
    pub(super) tool: Option<ToolUse>,
    pub(super) input: Vec<Message>,
    pub(super) output: Vec<Message>,
}

/// The events that hold the messages of an inference.
const DETAILS: [&str; 3] = [
    "gen_ai.client.inference.operation.details",
    "gen_ai.content.prompt",
    "gen_ai.content.completion",
];

impl Operation {
    /// Reads a span.
    pub(super) fn of_span(span: &Span<'_>, step: usize) -> Self {
        let name = span.name.as_deref().unwrap_or_default();
        let failed = span.status.0.as_ref().is_some_and(|status| status.is_error());
        let mut read = Self::of_attributes(&span.attributes, name, failed);
        read.step = step;
        read.trace = owned(span.trace_id.as_deref());
        read.id = owned(span.span_id.as_deref());
        read.parent = span
            .parent_span_id
            .as_deref()
            .filter(|id| !id.is_empty())
            .map(str::to_owned);
        read.start = time(span.start_time_unix_nano);
        read.end = time(span.end_time_unix_nano);
        for event in span.events.objects() {
            let name = event.name.as_deref().unwrap_or_default();
            read.event(name, &event.attributes, None);
        }
        read
    }

    /// Reads a log record; `None` where it is no event that we know.
    pub(super) fn of_log(record: &LogRecord<'_>, step: usize) -> Option<Self> {
        let body = record.body.and_then(super::attributes::body);
        let named = record
            .event_name
            .as_deref()
            .filter(|name| !name.is_empty())
            .or_else(|| record.attributes.text(&["event.name"]));
        // Some write the whole name as the body and a shorter one as an attribute.
        let name = match body.as_ref().and_then(Value::as_str) {
            Some(text) if text.contains('.') && !text.contains(' ') && text.len() < 128 => text,
            _ => named?,
        };
        let mut read = if DETAILS.contains(&name) {
            Self::of_attributes(&record.attributes, "chat", false)
        } else if let Some(read) = super::products::of_event(name, &record.attributes) {
            read
        } else if name.starts_with("gen_ai.") {
            Self::default()
        } else {
            return None;
        };
        if let Some(message) = messages::of_event(name, &record.attributes, body.as_ref()) {
            read.kind = Kind::Inference;
            read.message(message);
        }
        read.is_log = true;
        read.step = step;
        read.trace = owned(record.trace_id.as_deref());
        read.id = owned(record.span_id.as_deref());
        read.start = time(record.time_unix_nano).or_else(|| time(record.observed_time_unix_nano));
        read.conversation = read.conversation.or_else(|| conversation(&record.attributes));
        Some(read)
    }

    fn of_attributes(attributes: &Attributes<'_>, span_name: &str, failed: bool) -> Self {
        let kind = kind(attributes, span_name);
        let mut read = Self {
            kind,
            conversation: conversation(attributes),
            agent: attributes
                .text(&["gen_ai.agent.id", "gen_ai.agent.name"])
                .map(str::to_owned),
            model: attributes
                .text(&["gen_ai.response.model", "gen_ai.request.model"])
                .map(str::to_owned),
            provider: attributes
                .text(&["gen_ai.provider.name", "gen_ai.system"])
                .map(str::to_owned),
            answer: attributes.text(&["gen_ai.response.id"]).map(str::to_owned),
            usage: usage(attributes),
            input: messages::input(attributes),
            output: messages::output(attributes),
            ..Self::default()
        };
        if kind == Kind::Tool {
            read.tool = tool(attributes, span_name, failed);
        }
        read
    }

    /// Reads an event of a span.
    fn event(&mut self, name: &str, attributes: &Attributes<'_>, body: Option<&Value>) {
        if DETAILS.contains(&name) {
            self.input.extend(messages::input(attributes));
            self.output.extend(messages::output(attributes));
        } else if let Some(message) = messages::of_event(name, attributes, body) {
            self.message(message);
        }
    }

    fn message(&mut self, message: Message) {
        if message.role == "assistant" {
            self.output.push(message);
        } else {
            self.input.push(message);
        }
    }

    /// Whether it tells how many tokens were used.
    pub(super) fn has_usage(&self) -> bool {
        self.usage != Usage::default()
    }
}

fn owned(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn conversation(attributes: &Attributes<'_>) -> Option<String> {
    attributes
        .text(&["gen_ai.conversation.id", "session.id", "conversation.id"])
        .map(str::to_owned)
}

fn kind(attributes: &Attributes<'_>, span_name: &str) -> Kind {
    let named = attributes.text(&["gen_ai.operation.name"]);
    let first_word = span_name.split(' ').next().unwrap_or_default();
    match named.unwrap_or(first_word) {
        "chat" | "generate_content" | "text_completion" => Kind::Inference,
        "execute_tool" => Kind::Tool,
        "invoke_agent" | "invoke_workflow" => Kind::Agent,
        _ if named.is_some() => Kind::Other,
        // Instrumentation from before operations had names.
        _ if attributes.has("gen_ai.tool.name") => Kind::Tool,
        _ if attributes.has("gen_ai.request.model") || attributes.has("gen_ai.response.model") => {
            Kind::Inference
        }
        _ if attributes.text(&["llm.request.type"]) == Some("chat") => Kind::Inference,
        _ => Kind::Other,
    }
}

fn tool(attributes: &Attributes<'_>, span_name: &str, failed: bool) -> Option<ToolUse> {
    let name = attributes
        .text(&["gen_ai.tool.name"])
        .or_else(|| span_name.strip_prefix("execute_tool "))?;
    let failed = failed || attributes.text(&["error.type"]).is_some();
    Some(ToolUse {
        name: name.to_owned(),
        id: attributes.text(&["gen_ai.tool.call.id"]).map(str::to_owned),
        server: attributes.text(&["mcp.server.name"]).map(str::to_owned),
        arguments: attributes.json(&["gen_ai.tool.call.arguments"]),
        result: attributes.json(&["gen_ai.tool.call.result"]),
        failed: Some(failed),
        exit_code: attributes
            .integer(&["process.exit.code"])
            .and_then(|code| i32::try_from(code).ok()),
    })
}

/// By the conventions the input counts what came from a cache and went to one. Older instrumentation of some providers
/// does not: there the parts are larger than the whole.
fn usage(attributes: &Attributes<'_>) -> Usage {
    let read = attributes.count(&[
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
    ]);
    let written = attributes.count(&[
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    ]);
    let input = attributes.count(&["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"]);
    let cached = read.unwrap_or(0).saturating_add(written.unwrap_or(0));
    Usage {
        input_tokens: input.map(|all| all.checked_sub(cached).unwrap_or(all)),
        output_tokens: attributes.count(&["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"]),
        cache_read_tokens: read,
        cache_write_tokens: written,
        requests: None,
    }
}
