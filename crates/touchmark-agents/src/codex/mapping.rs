//! What each record means.

use serde_json::value::RawValue;

use super::arguments;
use super::calls::Calls;
use super::copied::Copying;
use super::header;
use super::kinds;
use super::prompts::{Prompts, Written, is_injected};
use super::record::{Line, Payload, TokenInfo};
use super::tokens::Counter;
use super::words;
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::recorder::names::is_uuid;
use crate::recorder::times::{self, Stamp};
use crate::recorder::{LineFormat, NewAnswer, Place, Recorder, Spot, parts};
use crate::run::{PromptOrigin, PromptPart, Role, StepKind};

/// Reads the records of one session.
#[derive(Default)]
pub(super) struct Mapping {
    file: File,
    files_read: usize,
    calls: Calls,
    compactions: Compactions,
}

/// What is known of the file that is being read.
#[derive(Default)]
struct File {
    /// The identifier in its own header.
    own: Option<String>,
    /// True where it goes back to another session.
    inherits: bool,
    /// True where its prompts come from an agent.
    is_delegated: bool,
    copying: Copying,
    counter: Counter,
    prompts: Prompts,
    model: Option<String>,
    provider: Option<String>,
}

/// The same compaction may be told in up to three ways.
#[derive(Default)]
struct Compactions {
    records: u64,
    events: u64,
    items: u64,
}

impl LineFormat for Mapping {
    type Record<'a> = Line<'a>;

    fn agent_of(&self, index: usize, name: &str) -> Option<String> {
        (index > 0).then(|| id_in_name(name).map(str::to_owned)).flatten()
    }

    fn record(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        mut line: Line<'_>,
    ) -> Result<(), ImportError> {
        self.enter_file(recorder);
        let stamp = line.timestamp.as_deref().and_then(times::text);
        if let Some(payload) = line.payload.0.take() {
            let kind = line.kind.as_deref().unwrap_or_default();
            return self.payload(recorder, spot, kind, &payload, stamp);
        }
        if line.kind.as_deref().is_some() {
            // The form of 2025: an item without envelope.
            let item = serde_json::from_str::<Object<Payload<'_>>>(spot.json);
            let payload = item.ok().and_then(|item| item.0).unwrap_or_default();
            return self.payload(recorder, spot, "response_item", &payload, stamp);
        }
        let is_header = line.id.as_deref().is_some() && (line.instructions.0 || line.git.0.is_some())
            || line.id.as_deref().is_some() && stamp.is_some();
        let is_state = line.record_type.as_deref() == Some("state");
        let kind = if is_header || is_state {
            StepKind::Other
        } else {
            StepKind::Unknown
        };
        recorder.add_step(kind, spot)?;
        recorder.time(stamp);
        if is_header && self.file.own.is_none() {
            self.file.own = line.id.as_deref().map(str::to_owned);
            recorder.session_id(line.id.as_deref());
            header::git(recorder, line.git.0.as_ref());
        }
        Ok(())
    }
}

impl Mapping {
    /// Ends what belongs to the file before, where another one has begun.
    fn enter_file(&mut self, recorder: &mut Recorder) {
        if self.files_read != recorder.run.sources.len() {
            self.files_read = recorder.run.sources.len();
            let before = std::mem::take(&mut self.file);
            before.prompts.settle(&mut recorder.run.prompts);
        }
    }

    /// Ends the session; returns its own identifier.
    pub(super) fn finish(self, recorder: &mut Recorder) {
        self.file.prompts.settle(&mut recorder.run.prompts);
        let Compactions {
            records,
            events,
            items,
        } = self.compactions;
        recorder.run.structure.compactions += records.max(events).max(items);
    }

    fn payload(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        line: &str,
        payload: &Payload<'_>,
        stamp: Option<Stamp>,
    ) -> Result<(), ImportError> {
        let inner = payload.kind.as_deref();
        let kind = kinds::of_line(line, inner, payload.role.as_deref());
        if let (Some(written), "event_msg") = (told_prompt(payload), line) {
            return self.told_prompt(recorder, spot, written, payload, stamp);
        }
        let place = recorder.add_step(kind, spot)?;
        recorder.time(stamp);
        if line == "session_meta" {
            self.header(recorder, payload, stamp, place);
            return Ok(());
        }
        if self.is_copy(recorder, payload, stamp, place) {
            return Ok(());
        }
        self.count_subagent_step(recorder, place);
        if kind == StepKind::Answer
            && let Some(model) = &self.file.model
        {
            recorder.model_step(model, self.file.provider.as_deref(), place);
        }
        match line {
            "turn_context" => {
                self.turn_context(recorder, payload);
                Ok(())
            }
            "compacted" => {
                self.compactions.records += 1;
                match payload.message.as_deref().filter(|text| !text.is_empty()) {
                    Some(summary) => recorder.prompt(
                        vec![PromptPart::Text(summary.to_owned())],
                        PromptOrigin::Compaction,
                        place,
                    ),
                    None => Ok(()),
                }
            }
            "response_item" => self.item(recorder, payload, kind, place),
            "event_msg" => self.event(recorder, payload, place),
            _ => Ok(()),
        }
    }

    fn header(
        &mut self,
        recorder: &mut Recorder,
        payload: &Payload<'_>,
        stamp: Option<Stamp>,
        place: Place<'_>,
    ) {
        let id = payload.id.as_deref().or(payload.session_id.as_deref());
        let time = stamp.map(|stamp| stamp.time);
        if self.file.own.is_some() {
            // A header of the session's own again, or one of those it goes back to.
            if id.is_some() && id != self.file.own.as_deref() {
                if place.role == Role::Primary {
                    recorder.session_id(id);
                }
                self.file.inherits = true;
                self.file.copying.other_header(time);
                recorder.copied(place.step);
            } else {
                recorder.version(payload.cli_version.as_deref());
            }
            return;
        }
        self.file.own = id.map(str::to_owned);
        self.file.provider = payload.model_provider.as_deref().map(str::to_owned);
        let lineage = header::lineage(payload);
        self.file.inherits = lineage.is_some();
        self.file.is_delegated = header::is_subagent(payload);
        self.file.copying.own_header(id, time, self.file.inherits);
        recorder.version(payload.cli_version.as_deref());
        recorder.working_directory(payload.cwd.as_deref());
        if place.role == Role::Primary {
            header::note(recorder, payload, id, lineage);
        } else {
            header::note_subagent(recorder, payload, id);
            self.count_subagent_step(recorder, place);
        }
    }

    fn is_copy(
        &mut self,
        recorder: &mut Recorder,
        payload: &Payload<'_>,
        stamp: Option<Stamp>,
        place: Place<'_>,
    ) -> bool {
        let time = stamp.map(|stamp| stamp.time);
        if !self.file.copying.is_copy(time, payload.turn_id.as_deref()) {
            return false;
        }
        recorder.copied(place.step);
        if let Some(info) = &payload.info.0 {
            self.file.counter.begin_at(info);
        }
        self.note_model(payload);
        true
    }

    fn count_subagent_step(&mut self, recorder: &mut Recorder, place: Place<'_>) {
        if place.role == Role::Subagent
            && let Some(agent) = recorder.source_agent().map(str::to_owned)
            && let Some(known) = recorder.subagent(&agent)
        {
            known.steps += 1;
        }
    }

    fn note_model(&mut self, payload: &Payload<'_>) {
        if let Some(model) = payload.model.as_deref().filter(|model| !model.is_empty()) {
            self.file.model = Some(model.to_owned());
        }
    }

    fn turn_context(&mut self, recorder: &mut Recorder, payload: &Payload<'_>) {
        self.note_model(payload);
        recorder.working_directory(payload.cwd.as_deref().map(arguments::directory));
    }

    /// Reads an item of the conversation with the model.
    fn item(
        &mut self,
        recorder: &mut Recorder,
        payload: &Payload<'_>,
        kind: StepKind,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        match (payload.kind.as_deref().unwrap_or("message"), kind) {
            ("message", StepKind::Prompt) => self.message(recorder, payload, place),
            ("message", _) => words::said(recorder, payload, place),
            ("reasoning", _) => words::reasoned(recorder, payload, place),
            ("ghost_snapshot", _) => {
                if let Some(commit) = &payload.ghost_commit.0 {
                    header::began_at(recorder, commit.parent.as_deref());
                }
                Ok(())
            }
            ("compaction" | "compaction_summary" | "context_compaction", _) => {
                self.compactions.items += 1;
                Ok(())
            }
            (_, StepKind::Answer) => self.calls.call(recorder, payload, place),
            (_, StepKind::ToolResult) => {
                self.calls.result(recorder, payload, place);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Reads a message that is no answer: from the person, or from the product.
    fn message(
        &mut self,
        recorder: &mut Recorder,
        payload: &Payload<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let given = payload.content.map(content).unwrap_or_default();
        if payload.role.as_deref() != Some("user") || is_injected(&given) {
            header::environment(recorder, &given);
            return recorder.prompt(given, PromptOrigin::Injected, place);
        }
        if !self.file.prompts.is_first(Written::Item, &given) {
            return Ok(());
        }
        let index = recorder.run.prompts.len();
        self.file
            .prompts
            .given(Written::Item, &given, place.step, Some(index));
        recorder.prompt(given, self.person(place), place)
    }

    /// Reads a prompt that is told besides the items: it is mostly there already.
    fn told_prompt(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        written: Written,
        payload: &Payload<'_>,
        stamp: Option<Stamp>,
    ) -> Result<(), ImportError> {
        let given = match written {
            Written::Done => payload.item.0.as_ref().and_then(|item| item.content).map(content),
            _ => Some(shown(payload)),
        };
        let given = given.unwrap_or_default();
        // A copied prompt must leave no trace, so the step comes first.
        let place = recorder.add_step(StepKind::Other, spot)?;
        recorder.time(stamp);
        if self.is_copy(recorder, payload, stamp, place) {
            return Ok(());
        }
        self.count_subagent_step(recorder, place);
        let is_first = self.file.prompts.is_first(written, &given);
        self.file.prompts.given(written, &given, place.step, None);
        if !is_first {
            return Ok(());
        }
        if let Some(step) = recorder.run.steps.get_mut(place.step) {
            step.kind = StepKind::Prompt;
        }
        recorder.prompt(given, self.person(place), place)
    }

    /// Who gives prompts here.
    fn person(&self, place: Place<'_>) -> PromptOrigin {
        if self.file.is_delegated || place.role == Role::Subagent {
            PromptOrigin::Agent
        } else {
            PromptOrigin::Human
        }
    }

    fn event(
        &mut self,
        recorder: &mut Recorder,
        payload: &Payload<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        match payload.kind.as_deref().unwrap_or_default() {
            "task_started" | "turn_started" => self.file.prompts.turn_begins(place.step),
            "token_count" => {
                self.note_model(payload);
                if let Some(info) = &payload.info.0 {
                    self.tokens(recorder, info, place);
                }
            }
            "thread_rolled_back" => {
                let turns = payload.num_turns.0.unwrap_or(0);
                if let Some(start) = self.file.prompts.take_back(turns) {
                    for step in start..place.step {
                        recorder.rewound(step);
                    }
                }
            }
            "context_compacted" => self.compactions.events += 1,
            _ => return self.calls.event(recorder, payload, place),
        }
        Ok(())
    }

    fn tokens(&mut self, recorder: &mut Recorder, info: &TokenInfo, place: Place<'_>) {
        let Some(usage) = self.file.counter.added(info, self.file.inherits) else {
            return;
        };
        let answer = NewAnswer {
            model: self.file.model.as_deref(),
            provider: self.file.provider.as_deref(),
            usage,
            ..NewAnswer::default()
        };
        recorder.answer(&answer, place);
    }
}

/// Returns where an event tells a prompt, if it does.
fn told_prompt(payload: &Payload<'_>) -> Option<Written> {
    match payload.kind.as_deref()? {
        "user_message" => Some(Written::Event),
        "item_completed" => {
            let item = payload.item.0.as_ref()?;
            (item.kind.as_deref() == Some("UserMessage")).then_some(Written::Done)
        }
        _ => None,
    }
}

pub(super) fn content(raw: &RawValue) -> Vec<PromptPart> {
    parts::from_json(raw.get())
}

/// What the person sees of a prompt: its text and its pictures.
fn shown(payload: &Payload<'_>) -> Vec<PromptPart> {
    let text = payload
        .message
        .as_deref()
        .map(|text| PromptPart::Text(text.to_owned()));
    let pictures = [
        (payload.images, "input_image"),
        (payload.local_images, "local_image"),
    ];
    let pictures = pictures.into_iter().flat_map(|(list, kind)| {
        let list = list.and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok());
        list.unwrap_or_default()
            .into_iter()
            .map(move |raw| parts::other(kind, embedded(raw).as_deref(), raw.get()))
    });
    text.into_iter().chain(pictures).collect()
}

/// The base64 of a picture that stands in its own address.
fn embedded(raw: &RawValue) -> Option<String> {
    let address = serde_json::from_str::<Text<'_>>(raw.get()).ok()?.0?;
    let (_, data) = address.strip_prefix("data:")?.split_once(";base64,")?;
    Some(data.to_owned())
}

/// Returns the identifier in `rollout-<time>-<uuid>.jsonl`.
pub(super) fn id_in_name(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".jsonl")?;
    let id = stem.get(stem.len().checked_sub(36)?..)?;
    (is_uuid(id) && stem.starts_with("rollout-")).then_some(id)
}
