//! From bytes to an event.

use std::borrow::Cow;

use serde::de::DeserializeSeed;

use super::event::{HookEvent, HookProblem, HookReading, ToolUse};
use super::fields::{self, Collect, Field, Found};
use super::kind::HookKind;
use super::limits::{
    MAX_HOOK_FILES, MAX_HOOK_NAME_BYTES, MAX_HOOK_PAYLOAD_BYTES, MAX_HOOK_PROBLEMS, MAX_HOOK_TEXT_BYTES,
    MAX_WORKSPACE_ROOTS,
};
use super::shape;

/// Reads what a hook was given on standard input, or what `notify` of older versions of Codex gives as an argument.
///
/// Takes any bytes. `claimed` is the product that the hook was installed for.
pub fn parse(claimed: Option<&str>, payload: &[u8]) -> HookReading {
    let mut problems = Problems::default();
    let text = readable(payload, &mut problems);
    let mut found = Vec::new();
    collect(&text, &mut found, &mut problems);
    let event = Reader {
        found: &found,
        problems: &mut problems,
    }
    .event();
    judge(claimed, event, &found, problems)
}

/// Reads a call that has its facts in arguments: `--session ID`, `--cwd DIR`, `--event NAME`, `--transcript FILE`,
/// `--model NAME`, each also with `=`, or a JSON object as the last one. What is in `payload` counts first.
pub fn parse_arguments(claimed: Option<&str>, arguments: &[String], payload: &[u8]) -> HookReading {
    let object = arguments.last().filter(|last| last.starts_with('{'));
    let mut reading = match object {
        Some(object) => parse(claimed, object.as_bytes()),
        None => parse(claimed, payload),
    };
    let mut flags = arguments.iter();
    let event = &mut reading.event;
    while let Some(flag) = flags.next() {
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag.as_str(), None),
        };
        let slot = match name {
            "--session" => &mut event.session_id,
            "--cwd" => &mut event.cwd,
            "--event" => &mut event.event_name,
            "--transcript" => &mut event.transcript_path,
            "--model" => &mut event.model,
            _ => continue,
        };
        let Some(value) = value.or_else(|| flags.next().map(String::as_str)) else {
            break;
        };
        if slot.is_none() && is_name(value) {
            *slot = Some(value.to_owned());
        }
    }
    if event.kind == HookKind::Other
        && let Some(name) = &event.event_name
    {
        event.kind = HookKind::of_event(name);
    }
    let told = event.session_id.is_some() || event.event_name.is_some();
    if told {
        reading.problems.retain(|problem| *problem != HookProblem::Empty);
    }
    reading
}

/// The payload's text up to the cap, without a byte order mark.
fn readable<'p>(payload: &'p [u8], problems: &mut Problems) -> Cow<'p, str> {
    if payload.len() > MAX_HOOK_PAYLOAD_BYTES {
        problems.tell(HookProblem::TooLarge {
            bytes: payload.len(),
            limit: MAX_HOOK_PAYLOAD_BYTES,
        });
    }
    let head = &payload[..payload.len().min(MAX_HOOK_PAYLOAD_BYTES)];
    String::from_utf8_lossy(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head))
}

fn collect<'p>(text: &'p str, found: &mut Vec<Found<'p>>, problems: &mut Problems) {
    if text.trim().is_empty() {
        problems.tell(HookProblem::Empty);
        return;
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match Collect(found).deserialize(&mut deserializer) {
        Ok(()) => {
            if deserializer.end().is_err() {
                problems.tell(HookProblem::Trailing);
            }
        }
        Err(error) => problems.tell(HookProblem::Malformed {
            line: error.line(),
            column: error.column(),
        }),
    }
}

fn judge(claimed: Option<&str>, event: HookEvent, found: &[Found<'_>], problems: Problems) -> HookReading {
    let claimed = claimed
        .filter(|name| is_name(name))
        .map(|name| shape::product_name(name).to_owned());
    let by_shape = shape::products(found, event.event_name.as_deref());
    let fits = |name: &str| by_shape.is_empty() || by_shape.contains(&name);
    // Other products have taken over the shape of Claude Code's payloads, so it excludes only those that have one of
    // their own. Cursor's fields are nobody else's.
    let mismatch = claimed
        .as_deref()
        .is_some_and(|name| !fits(name) && (shape::PRODUCTS.contains(&name) || by_shape == ["cursor"]));
    let product = match &claimed {
        Some(name) if !mismatch => Some(name.clone()),
        _ => by_shape.first().map(|name| (*name).to_owned()),
    };
    HookReading {
        event,
        product,
        claimed,
        by_shape,
        mismatch,
        problems: problems.0,
    }
}

#[derive(Default)]
struct Problems(Vec<HookProblem>);

impl Problems {
    fn tell(&mut self, problem: HookProblem) {
        if self.0.len() < MAX_HOOK_PROBLEMS && !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }
}

struct Reader<'r, 'p> {
    found: &'r [Found<'p>],
    problems: &'r mut Problems,
}

impl<'p> Reader<'_, 'p> {
    fn event(&mut self) -> HookEvent {
        let conversation = self.name(Field::Conversation);
        let session_id = self.name(Field::Session);
        if let (Some(first), Some(second)) = (&session_id, &conversation)
            && first != second
        {
            self.problems.tell(HookProblem::Contradiction {
                first: Field::Session.name(),
                second: Field::Conversation.name(),
            });
        }
        let event_name = self.event_name();
        let mut event = HookEvent {
            session_id: session_id.or(conversation),
            turn_id: self.first(&[Field::Turn, Field::Generation, Field::PromptId]),
            agent_id: self.name(Field::Agent),
            agent_type: self.name(Field::AgentType),
            transcript_path: self.name(Field::Transcript),
            agent_transcript_path: self.name(Field::AgentTranscript),
            cwd: self.name(Field::Cwd),
            workspace_roots: self.roots(),
            model: self.model(),
            product_version: self.name(Field::CursorVersion),
            permission_mode: self.name(Field::Permission),
            source: self.name(Field::Source),
            reason: self.first(&[Field::Reason, Field::StopReason, Field::Status]),
            stop_hook_active: self.flag(Field::StopActive),
            prompt: self.prompt(),
            last_assistant_message: self.words(Field::LastMessage),
            timestamp: self.timestamp(),
            ..HookEvent::default()
        };
        event.kind = match &event_name {
            Some(name) => HookKind::of_event(name),
            None => self.unnamed(),
        };
        event.tool = (event.kind == HookKind::ToolUse).then(|| self.tool(event_name.as_deref()));
        event.event_name = event_name;
        event
    }

    fn event_name(&mut self) -> Option<String> {
        self.name(Field::EventName).or_else(|| {
            let kind = self.name(Field::Kind)?;
            // Other payloads use `type` for other things.
            (HookKind::of_event(&kind) != HookKind::Other).then_some(kind)
        })
    }

    /// Payloads of Copilot do not name their event: it follows from what only that event has.
    fn unnamed(&self) -> HookKind {
        if self.value(Field::StopReason).is_some() {
            if self.value(Field::AgentType).is_some() || self.value(Field::AgentTranscript).is_some() {
                return HookKind::SubagentEnd;
            }
            return HookKind::TurnEnd;
        }
        if self.value(Field::ToolName).is_some() {
            return HookKind::ToolUse;
        }
        if self.value(Field::Source).is_some() || self.value(Field::InitialPrompt).is_some() {
            return HookKind::SessionStart;
        }
        if self.value(Field::Prompt).is_some() {
            return HookKind::Prompt;
        }
        if self.value(Field::Reason).is_some() && self.value(Field::Session).is_some() {
            return HookKind::SessionEnd;
        }
        HookKind::Other
    }

    fn tool(&mut self, event_name: Option<&str>) -> ToolUse {
        let specific = event_name.filter(|name| {
            let name = name.to_ascii_lowercase();
            !name.ends_with("tooluse") && !name.ends_with("tool") && !name.ends_with("failure")
        });
        let before = event_name.is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            name.starts_with("pre") || name.starts_with("before")
        });
        let input = self
            .value(Field::ToolInput)
            .map(|value| value.get())
            .filter(|json| self.fits(Field::ToolInput, json.len(), MAX_HOOK_TEXT_BYTES));
        let mut files = Vec::new();
        files.extend(self.name(Field::FilePath));
        let mut command = self.words(Field::Command);
        if let Some(input) = input {
            let inner = ToolInput::read(input);
            files.extend(inner.files);
            command = command.or(inner.command);
        }
        files.truncate(MAX_HOOK_FILES);
        ToolUse {
            name: self.name(Field::ToolName).or_else(|| specific.map(str::to_owned)),
            call_id: self.name(Field::ToolCall),
            done: !before,
            command,
            files,
            input: input.map(str::to_owned),
            exit_code: self.number(Field::ExitCode),
        }
    }

    fn prompt(&mut self) -> Option<String> {
        if let Some(prompt) = self
            .words(Field::Prompt)
            .or_else(|| self.words(Field::InitialPrompt))
        {
            return Some(prompt);
        }
        let value = self.value(Field::InputMessages)?;
        let fits = self.fits(Field::InputMessages, value.get().len(), MAX_HOOK_TEXT_BYTES);
        // The newest of the messages is what this turn was asked for.
        fields::texts(value, usize::MAX).filter(|_| fits)?.pop()
    }

    fn model(&mut self) -> Option<String> {
        let value = self.value(Field::Model)?;
        if value.get().starts_with('{') {
            #[derive(serde::Deserialize)]
            struct Named {
                id: String,
            }
            return serde_json::from_str::<Named>(value.get())
                .ok()
                .map(|model| model.id)
                .filter(|id| is_name(id));
        }
        self.name(Field::Model)
    }

    fn roots(&mut self) -> Vec<String> {
        let Some(value) = self.value(Field::Roots) else {
            return Vec::new();
        };
        let roots = fields::texts(value, MAX_WORKSPACE_ROOTS);
        if roots.is_none() {
            self.unusable(Field::Roots);
        }
        let mut roots = roots.unwrap_or_default();
        roots.retain(|root| is_name(root));
        roots
    }

    fn timestamp(&mut self) -> Option<String> {
        let json = self.value(Field::Timestamp)?.get();
        if json.starts_with('"') {
            return self.name(Field::Timestamp);
        }
        let number = !json.is_empty() && json.len() <= 20 && json.bytes().all(|b| b.is_ascii_digit());
        if !number {
            self.unusable(Field::Timestamp);
        }
        number.then(|| json.to_owned())
    }

    fn first(&mut self, fields: &[Field]) -> Option<String> {
        fields.iter().find_map(|field| self.name(*field))
    }

    /// The value of a field that is there and not `null`; the last where there are several.
    fn value(&self, field: Field) -> Option<&'p serde_json::value::RawValue> {
        let mut all = self.found.iter().filter(|entry| entry.field == field);
        all.next_back()
            .map(|entry| entry.value)
            .filter(|value| !fields::is_null(value))
    }

    /// A name, an identifier or a path.
    fn name(&mut self, field: Field) -> Option<String> {
        if self.found.iter().filter(|entry| entry.field == field).count() > 1 {
            self.problems.tell(HookProblem::Repeated { field: field.name() });
        }
        let value = self.value(field)?;
        // Each byte of a name takes up to six in JSON.
        if !self.fits(field, value.get().len(), 6 * MAX_HOOK_NAME_BYTES) {
            return None;
        }
        let Some(text) = fields::text(value) else {
            self.unusable(field);
            return None;
        };
        if text.is_empty() {
            return None;
        }
        if !self.fits(field, text.len(), MAX_HOOK_NAME_BYTES) {
            return None;
        }
        if !is_name(&text) {
            self.unusable(field);
            return None;
        }
        Some(text.into_owned())
    }

    /// Words of people and models.
    fn words(&mut self, field: Field) -> Option<String> {
        let value = self.value(field)?;
        if !self.fits(field, value.get().len(), MAX_HOOK_TEXT_BYTES) {
            return None;
        }
        let text = fields::text(value);
        if text.is_none() {
            self.unusable(field);
        }
        text.map(Cow::into_owned)
    }

    fn flag(&mut self, field: Field) -> Option<bool> {
        match self.value(field)?.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.unusable(field);
                None
            }
        }
    }

    fn number(&mut self, field: Field) -> Option<i64> {
        let number = self.value(field)?.get().parse().ok();
        if number.is_none() {
            self.unusable(field);
        }
        number
    }

    fn fits(&mut self, field: Field, len: usize, limit: usize) -> bool {
        if len > limit {
            self.problems.tell(HookProblem::TooLong {
                field: field.name(),
                limit,
            });
        }
        len <= limit
    }

    fn unusable(&mut self, field: Field) {
        self.problems.tell(HookProblem::Unusable { field: field.name() });
    }
}

/// What the tools of most agents are given under the same names.
#[derive(Default)]
struct ToolInput {
    files: Vec<String>,
    command: Option<String>,
}

impl ToolInput {
    /// Reads an object, or a string that holds one.
    fn read(json: &str) -> Self {
        let inner: Cow<'_, str> = match serde_json::from_str::<fields::Text<'_>>(json) {
            Ok(text) => text.0,
            Err(_) => Cow::Borrowed(json),
        };
        let mut found = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_str(&inner);
        // What stood before a defect counts.
        let _ = Collect(&mut found).deserialize(&mut deserializer);
        let text = |field: Field, limit: usize| {
            let entry = found.iter().rfind(|entry| entry.field == field)?;
            fields::text(entry.value)
                .filter(|text| !text.is_empty() && text.len() <= limit)
                .map(Cow::into_owned)
        };
        Self {
            files: text(Field::FilePath, MAX_HOOK_NAME_BYTES)
                .filter(|path| is_name(path))
                .into_iter()
                .collect(),
            command: text(Field::Command, MAX_HOOK_TEXT_BYTES),
        }
    }
}

/// Returns whether a text can be a name, an identifier or a path: not empty, not too long, no control characters.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_HOOK_NAME_BYTES && !text.chars().any(char::is_control)
}
