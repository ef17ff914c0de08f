//! What models were given and what they answered, where instrumentation records it: the messages of the conventions,
//! and the three forms that came before them.

use serde_json::Value;

use super::attributes::Attributes;
use crate::recorder::parts;
use crate::run::PromptPart;

/// The most messages of one span.
const MAX_MESSAGES: usize = 65_536;

/// One message.
#[derive(Default)]
pub(super) struct Message {
    pub(super) role: String,
    pub(super) parts: Vec<PromptPart>,
    pub(super) reasoning: Vec<String>,
    pub(super) calls: Vec<MessageCall>,
    /// The identifiers of the calls that it answers, each with the answer.
    pub(super) answers: Vec<(String, String)>,
}

/// A call that a model asks for.
pub(super) struct MessageCall {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) arguments: Option<String>,
}

impl Message {
    /// The texts of the message.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            PromptPart::Text(text) => Some(text.as_str()),
            PromptPart::Other { .. } => None,
        })
    }
}

/// What a model was given.
pub(super) fn input(attributes: &Attributes<'_>) -> Vec<Message> {
    let json = attributes.json(&["gen_ai.input.messages", "gen_ai.prompt"]);
    match json {
        Some(json) => from_json(&json, "user"),
        None => indexed(attributes, "gen_ai.prompt."),
    }
}

/// What a model answered.
pub(super) fn output(attributes: &Attributes<'_>) -> Vec<Message> {
    let json = attributes.json(&["gen_ai.output.messages", "gen_ai.completion"]);
    match json {
        Some(json) => from_json(&json, "assistant"),
        None => indexed(attributes, "gen_ai.completion."),
    }
}

/// The message of an event like `gen_ai.user.message`; `None` where the event is another one.
pub(super) fn of_event(name: &str, attributes: &Attributes<'_>, body: Option<&Value>) -> Option<Message> {
    let role = match name {
        "gen_ai.user.message" => "user",
        "gen_ai.system.message" => "system",
        "gen_ai.assistant.message" | "gen_ai.choice" => "assistant",
        "gen_ai.tool.message" => "tool",
        _ => return None,
    };
    let inner = body.and_then(|body| body.get("message")).or(body);
    let mut message = inner
        .filter(|body| body.is_object())
        .map(|body| message(body, role))
        .unwrap_or_default();
    role.clone_into(&mut message.role);
    if message.parts.is_empty()
        && let Some(text) = attributes.json(&["content", "gen_ai.event.content"])
    {
        message.parts.push(PromptPart::Text(text));
    }
    Some(message)
}

/// A list of messages, one message, or a text that is no JSON.
fn from_json(json: &str, role: &str) -> Vec<Message> {
    let text = || {
        vec![Message {
            role: role.to_owned(),
            parts: vec![PromptPart::Text(json.to_owned())],
            ..Message::default()
        }]
    };
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Array(items)) => items
            .iter()
            .take(MAX_MESSAGES)
            .map(|item| message(item, role))
            .collect(),
        Ok(Value::Object(object)) => match object.get("messages").and_then(Value::as_array) {
            Some(items) => items
                .iter()
                .take(MAX_MESSAGES)
                .map(|item| message(item, role))
                .collect(),
            None => vec![message(&Value::Object(object), role)],
        },
        _ if json.is_empty() => Vec::new(),
        _ => text(),
    }
}

fn message(value: &Value, role: &str) -> Message {
    let mut read = Message {
        role: value
            .get("role")
            .and_then(Value::as_str)
            .unwrap_or(role)
            .to_owned(),
        ..Message::default()
    };
    match value.get("parts").and_then(Value::as_array) {
        Some(items) => items
            .iter()
            .take(MAX_MESSAGES)
            .for_each(|item| part(&mut read, item)),
        None => {
            if let Some(content) = value.get("content") {
                read.parts = parts::from_json(&content.to_string());
            }
        }
    }
    for call in value
        .get("tool_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let function = call.get("function").unwrap_or(call);
        read.calls.extend(message_call(call, function));
    }
    let answered = value
        .get("tool_call_id")
        .or_else(|| value.get("id").filter(|_| read.role == "tool"));
    if let Some(id) = answered.and_then(Value::as_str) {
        let text = read.texts().collect::<Vec<_>>().join("\n");
        read.answers.push((id.to_owned(), text));
    }
    read
}

/// A part in the form of the conventions: `{"type":"text","content":…}`, `{"type":"tool_call",…}`.
fn part(message: &mut Message, value: &Value) {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    match value.get("type").and_then(Value::as_str).unwrap_or("text") {
        "text" => match text("content").or_else(|| text("text")) {
            Some(text) => message.parts.push(PromptPart::Text(text)),
            None => message.parts.push(parts::other("text", None, &value.to_string())),
        },
        "reasoning" | "thinking" => message.reasoning.extend(text("content").or_else(|| text("text"))),
        "tool_call" => message.calls.extend(message_call(value, value)),
        "tool_call_response" => {
            let result = value.get("response").or_else(|| value.get("result"));
            let answer = match result {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            if let Some(id) = text("id") {
                message.answers.push((id, answer));
            }
        }
        kind => {
            let data = value
                .get("content")
                .or_else(|| value.get("data"))
                .and_then(Value::as_str)
                .filter(|_| kind == "blob");
            message.parts.push(parts::other(kind, data, &value.to_string()));
        }
    }
}

fn message_call(call: &Value, function: &Value) -> Option<MessageCall> {
    let arguments = function.get("arguments").filter(|value| !value.is_null());
    Some(MessageCall {
        id: call.get("id").and_then(Value::as_str).map(str::to_owned),
        name: function.get("name")?.as_str()?.to_owned(),
        arguments: arguments.map(Value::to_string),
    })
}

/// Messages as attributes of their own: `gen_ai.prompt.0.role`, `gen_ai.completion.0.tool_calls.0.name`.
fn indexed(attributes: &Attributes<'_>, prefix: &str) -> Vec<Message> {
    let mut messages: Vec<(usize, Message)> = Vec::new();
    for (rest, value) in attributes.below(prefix) {
        let Some((index, field)) = rest.split_once('.') else {
            continue;
        };
        let Ok(index) = index.parse::<usize>() else {
            continue;
        };
        let at = match messages.iter().position(|(known, _)| *known == index) {
            Some(at) => at,
            None if messages.len() < 4_096 => {
                messages.push((index, Message::default()));
                messages.len() - 1
            }
            None => continue,
        };
        let message = &mut messages[at].1;
        match field {
            "role" => value.clone_into(&mut message.role),
            "content" => message.parts = content(value),
            "tool_call_id" => message.answers.push((value.to_owned(), String::new())),
            field => {
                let Some((_, field)) = field
                    .strip_prefix("tool_calls.")
                    .and_then(|rest| rest.split_once('.'))
                else {
                    continue;
                };
                indexed_call(message, field, value);
            }
        }
    }
    messages.sort_by_key(|(index, _)| *index);
    messages.into_iter().map(|(_, message)| message).collect()
}

/// The fields of a call follow one another; `name` or `id` begins the next one.
fn indexed_call(message: &mut Message, field: &str, value: &str) {
    let is_open = message.calls.last().is_some_and(|call| match field {
        "id" => call.id.is_none(),
        "name" => call.name.is_empty(),
        _ => call.arguments.is_none(),
    });
    if !is_open {
        message.calls.push(MessageCall {
            id: None,
            name: String::new(),
            arguments: None,
        });
    }
    if let Some(call) = message.calls.last_mut() {
        match field {
            "id" => call.id = Some(value.to_owned()),
            "name" => value.clone_into(&mut call.name),
            "arguments" => call.arguments = Some(value.to_owned()),
            _ => {}
        }
    }
}

/// Content that is a list of parts is written as JSON in a text.
fn content(text: &str) -> Vec<PromptPart> {
    if text.starts_with("[{") {
        let parts = parts::from_json(text);
        if !parts.is_empty() {
            return parts;
        }
    }
    vec![PromptPart::Text(text.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Message {
        from_json(json, "user").remove(0)
    }

    #[test]
    fn every_form_of_a_message_is_read() {
        let text = vec![PromptPart::Text("fix it".into())];
        for json in [
            r#"[{"role":"user","parts":[{"type":"text","content":"fix it"}]}]"#,
            r#"[{"role":"user","content":"fix it"}]"#,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"fix it"}]}]}"#,
            "fix it",
        ] {
            let message = read(json);
            assert_eq!((message.role.as_str(), &message.parts), ("user", &text), "{json}");
        }
        let message = read(
            r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"bash","arguments":{"command":"ls"}}]}]"#,
        );
        assert_eq!(message.calls[0].arguments.as_deref(), Some(r#"{"command":"ls"}"#));
        let message =
            read(r#"[{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"ok"}]}]"#);
        assert_eq!(message.answers, [("c1".to_owned(), "ok".to_owned())]);
    }

    #[test]
    fn indexed_attributes_are_put_together() {
        let json = r#"[
            {"key":"gen_ai.completion.0.role","value":{"stringValue":"assistant"}},
            {"key":"gen_ai.completion.0.tool_calls.0.id","value":{"stringValue":"a"}},
            {"key":"gen_ai.completion.0.tool_calls.0.name","value":{"stringValue":"bash"}},
            {"key":"gen_ai.completion.0.tool_calls.0.arguments","value":{"stringValue":"{}"}},
            {"key":"gen_ai.completion.0.tool_calls.1.id","value":{"stringValue":"b"}},
            {"key":"gen_ai.completion.0.tool_calls.1.name","value":{"stringValue":"read"}},
            {"key":"gen_ai.completion.x.role","value":{"stringValue":"y"}}
        ]"#;
        let attributes: Attributes<'_> = serde_json::from_str(json).unwrap();
        let messages = output(&attributes);
        let calls: Vec<(&str, Option<&str>)> = messages[0]
            .calls
            .iter()
            .map(|call| (call.name.as_str(), call.id.as_deref()))
            .collect();
        assert_eq!(calls, [("bash", Some("a")), ("read", Some("b"))]);
    }
}
