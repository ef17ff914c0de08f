//! What the data of messages and parts say, whichever way they reached us.

use std::collections::HashMap;

use super::shapes::{
    Cache, Message, Part, Session, State, Tokens, all, amount, began, ended, paths, read, reverted, usage,
};
use super::tools;
use crate::error::ImportError;
use crate::json::lenient::Object;
use crate::limits::{MAX_DISTINCT_NAMES, MAX_NAME_BYTES};
use crate::recorder::{NewAnswer, NewResult, Place, Recorder, Spot, parts};
use crate::run::{Finding, PromptOrigin, PromptPart, Relation, Role, StepKind, Usage};

/// The message whose parts are being read.
#[derive(Default)]
struct Open {
    id: String,
    place: Option<Place<'static>>,
    is_user: bool,
    is_summary: bool,
    model: String,
    provider: String,
    /// Which of the message's requests the next part belongs to.
    request: usize,
    /// Whether that request has told its tokens.
    is_told: bool,
    given: Vec<PromptPart>,
    injected: Vec<PromptPart>,
    has_compaction: bool,
}

/// Collects what the rows of one session, or its export, say.
#[derive(Default)]
pub(super) struct Records {
    open: Open,
    /// The sum of the messages' costs, where the session has none of its own.
    message_cost: Option<f64>,
    session_cost: Option<f64>,
    /// All sessions' costs so far.
    cost: Option<f64>,
    /// The session's own totals, of all sessions together.
    reported: Option<u64>,
    /// The message from which on everything was taken back.
    reverted: Option<String>,
    /// The steps of the sessions that are read.
    steps: usize,
    /// The calls that started sub-agents, by the sub-agent's session.
    started: HashMap<String, String>,
}

impl Records {
    /// Reads the session's own row or `info`.
    pub(super) fn session(&mut self, recorder: &mut Recorder, session: Session<'_>) {
        let is_main = recorder.source_role() == Role::Primary;
        let id = session.id.as_deref();
        if is_main {
            recorder.session_id(id);
            recorder.parent(session.parent_id.as_deref(), Relation::Subagent);
        } else if let Some(id) = id {
            let agent_type = session
                .agent
                .as_deref()
                .filter(|name| name.len() <= MAX_NAME_BYTES);
            let call = self.started.get(id).cloned();
            recorder.link_subagent(id, call.as_deref());
            if let (Some(known), Some(agent_type)) = (recorder.subagent(id), agent_type) {
                known.agent_type = Some(agent_type.to_owned());
            }
        }
        recorder.version(session.version.as_deref().filter(|text| !text.is_empty()));
        recorder.working_directory(session.directory.as_deref());
        let time = session.time.0.unwrap_or_default();
        began(recorder, session.time_created);
        began(recorder, time.created);
        ended(recorder, session.time_updated);
        ended(recorder, time.updated);
        self.session_cost = session.cost.and_then(|raw| amount(raw.get()));
        let tokens = session.tokens.0.unwrap_or(Tokens {
            input: session.tokens_input,
            output: session.tokens_output,
            reasoning: session.tokens_reasoning,
            cache: Object(Some(Cache {
                read: session.tokens_cache_read,
                write: session.tokens_cache_write,
            })),
        });
        if let Some(all) = all(usage(tokens)) {
            self.reported = Some(self.reported.unwrap_or(0).saturating_add(all));
        }
        self.reverted = session.revert.and_then(|raw| reverted(raw.get()));
    }

    /// Reads a message. `id` is the row's, where the data have none.
    pub(super) fn message(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        id: Option<&str>,
        data: &str,
    ) -> Result<(), ImportError> {
        self.close(recorder)?;
        let message = read::<Message<'_>>(data).unwrap_or_default();
        let id = id.or(message.id.as_deref()).unwrap_or_default().to_owned();
        let kind = match message.role.as_deref() {
            Some("user") => StepKind::Prompt,
            Some("assistant") => StepKind::Answer,
            _ => StepKind::Unknown,
        };
        let place = recorder.add_step(kind, spot)?;
        if !id.is_empty() && !recorder.is_first(place.step, &id) {
            return Ok(());
        }
        self.take_back(recorder, &id, place);
        let time = message.time.0.unwrap_or_default();
        began(recorder, time.created);
        ended(recorder, time.completed);
        if let Some(path) = &message.path.0 {
            recorder.working_directory(path.cwd.as_deref());
        }
        if let Some(cost) = message.cost.and_then(|raw| amount(raw.get())) {
            self.message_cost = Some(self.message_cost.unwrap_or(0.0) + cost);
        }
        self.open = Open {
            place: (kind != StepKind::Unknown).then_some(place),
            is_user: kind == StepKind::Prompt,
            is_summary: message.summary.is_true(),
            model: message.model.as_deref().unwrap_or_default().to_owned(),
            provider: message.provider.as_deref().unwrap_or_default().to_owned(),
            id,
            ..Open::default()
        };
        if kind == StepKind::Answer {
            // Those of the last request: where there were several, each tells its own below.
            self.answer(recorder, place, message.tokens.0.map(usage).unwrap_or_default());
        }
        Ok(())
    }

    /// Reads a part of the message that was read last.
    pub(super) fn part(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        id: Option<&str>,
        data: &str,
    ) -> Result<(), ImportError> {
        let part = read::<Part<'_>>(data).unwrap_or_default();
        let kind = self.kind_of(&part);
        let place = recorder.add_step(kind, spot)?;
        if let Some(id) = id.or(part.id.as_deref()).filter(|id| !id.is_empty())
            && !recorder.is_first(place.step, id)
        {
            return Ok(());
        }
        let message = std::mem::take(&mut self.open.id);
        self.take_back(recorder, &message, place);
        self.open.id = message;
        for time in [part.time.0, part.state.0.as_ref().and_then(|state| state.time.0)]
            .into_iter()
            .flatten()
        {
            began(recorder, time.start);
            ended(recorder, time.end);
        }
        match (part.kind.as_deref(), kind) {
            (Some("step-start"), _) => self.next_request(),
            (Some("step-finish"), StepKind::Answer) => {
                self.next_request();
                self.answer(recorder, place, part.tokens.0.map(usage).unwrap_or_default());
                self.open.is_told = true;
            }
            (Some("compaction"), _) => {
                self.open.has_compaction = true;
                recorder.compaction();
            }
            (Some("patch"), _) => {
                for path in part.files.into_iter().flat_map(paths) {
                    recorder.wrote(&path, place);
                }
            }
            (Some("tool"), StepKind::Answer) => {
                self.answer(recorder, place, Usage::default());
                self.tool(recorder, place, &part)?;
            }
            (_, StepKind::Answer) => {
                self.answer(recorder, place, Usage::default());
                self.said(recorder, place, &part)?;
            }
            (_, StepKind::Prompt) => self.given(&part, data),
            _ => {}
        }
        Ok(())
    }

    fn kind_of(&self, part: &Part<'_>) -> StepKind {
        match part.kind.as_deref() {
            Some("text" | "file" | "agent" | "subtask") if self.open.is_user => StepKind::Prompt,
            Some("text" | "reasoning" | "tool" | "step-finish") => StepKind::Answer,
            Some(
                "file" | "agent" | "subtask" | "step-start" | "snapshot" | "patch" | "compaction" | "retry"
                | "error",
            ) => StepKind::Other,
            _ => StepKind::Unknown,
        }
    }

    fn said(
        &mut self,
        recorder: &mut Recorder,
        place: Place<'_>,
        part: &Part<'_>,
    ) -> Result<(), ImportError> {
        let Some(text) = part.text.as_deref() else {
            return Ok(());
        };
        if part.kind.as_deref() == Some("reasoning") {
            return recorder.reasons(text, place);
        }
        if self.open.is_summary {
            self.open.given.push(PromptPart::Text(text.to_owned()));
        }
        recorder.says(text, place)
    }

    fn given(&mut self, part: &Part<'_>, data: &str) {
        let read = match (part.kind.as_deref(), part.text.as_deref()) {
            (Some("text"), Some(text)) => PromptPart::Text(text.to_owned()),
            (Some("file"), _) => {
                let base64 = part
                    .url
                    .as_deref()
                    .and_then(|url| url.strip_prefix("data:")?.split_once(";base64,"))
                    .map(|(_, data)| data);
                parts::other("file", base64, data)
            }
            (kind, _) => parts::other(kind.unwrap_or("unknown"), None, data),
        };
        if part.synthetic.is_true() {
            self.open.injected.push(read);
        } else {
            self.open.given.push(read);
        }
    }

    /// A request that has told its tokens is over.
    fn next_request(&mut self) {
        self.open.request += usize::from(self.open.is_told);
        self.open.is_told = false;
    }

    fn answer(&self, recorder: &mut Recorder, place: Place<'_>, usage: Usage) {
        let open = &self.open;
        if open.is_user || open.place.is_none() {
            return;
        }
        let id = format!("{}#{}", open.id, open.request);
        let known = |text: &'_ str| !text.is_empty();
        recorder.answer(
            &NewAnswer {
                id: Some(&id).filter(|_| known(&open.id)).map(String::as_str),
                request: None,
                model: Some(open.model.as_str()).filter(|text| known(text)),
                provider: Some(open.provider.as_str()).filter(|text| known(text)),
                usage,
            },
            place,
        );
    }

    fn tool(
        &mut self,
        recorder: &mut Recorder,
        place: Place<'_>,
        part: &Part<'_>,
    ) -> Result<(), ImportError> {
        let Some(name) = part.tool.as_deref().filter(|name| !name.is_empty()) else {
            return Ok(());
        };
        let nothing = State::default();
        let state = part.state.0.as_ref().unwrap_or(&nothing);
        let id = part.call_id.as_deref().or(part.id.as_deref());
        tools::call(recorder, place, id, name, state)?;
        let metadata = state.metadata.0.as_ref();
        if let (Some(child), Some(call)) = (metadata.and_then(|m| m.session_id.as_deref()), id)
            && name == "task"
            && child.len() <= MAX_NAME_BYTES
            && self.started.len() < MAX_DISTINCT_NAMES
        {
            self.started.insert(child.to_owned(), call.to_owned());
            recorder.link_subagent(child, Some(call));
        }
        let failed = match state.status.as_deref() {
            Some("error") => Some(true),
            Some("completed") => None,
            _ => return Ok(()),
        };
        let exit_code = metadata
            .and_then(|metadata| metadata.exit)
            .and_then(|raw| raw.get().parse::<i32>().ok());
        if let Some(id) = id {
            let result = NewResult {
                id,
                failed: failed.or(exit_code.is_none().then_some(false)),
                exit_code,
                output: state.output.as_deref(),
            };
            recorder.result(&result, place);
        }
        Ok(())
    }

    /// Marks what the person took back: the session names the first message of it.
    fn take_back(&self, recorder: &mut Recorder, message: &str, place: Place<'_>) {
        // Identifiers of messages grow with time.
        if self.reverted.as_deref().is_some_and(|from| message >= from) {
            recorder.rewound(place.step);
        }
    }

    /// Ends the message whose parts were read.
    fn close(&mut self, recorder: &mut Recorder) -> Result<(), ImportError> {
        let mut open = std::mem::take(&mut self.open);
        let Some(place) = open.place else { return Ok(()) };
        let (given, injected) = (
            std::mem::take(&mut open.given),
            std::mem::take(&mut open.injected),
        );
        let (is_user, has_compaction) = (open.is_user, open.has_compaction);
        let by = match (recorder.source_role(), is_user) {
            (_, false) => PromptOrigin::Compaction,
            (Role::Subagent, true) => PromptOrigin::Agent,
            (Role::Primary, true) => PromptOrigin::Human,
        };
        if !given.is_empty() {
            recorder.prompt(given, by, place)?;
        }
        if !injected.is_empty() || has_compaction {
            recorder.prompt(injected, PromptOrigin::Injected, place)?;
        }
        Ok(())
    }

    /// Ends a session.
    pub(super) fn end(&mut self, recorder: &mut Recorder) -> Result<(), ImportError> {
        self.close(recorder)?;
        if let Some(cost) = self.session_cost.take().or(self.message_cost.take()) {
            self.cost = Some(self.cost.unwrap_or(0.0) + cost);
        }
        self.message_cost = None;
        self.reverted = None;
        let steps = (recorder.run.steps.len() - self.steps) as u64;
        self.steps = recorder.run.steps.len();
        if let Some(agent) = recorder.source_agent().map(str::to_owned)
            && let Some(known) = recorder.subagent(&agent)
        {
            known.steps = steps;
        }
        Ok(())
    }

    /// Ends the run: the costs of its sessions together.
    pub(super) fn finish(&mut self, recorder: &mut Recorder) {
        if let Some(cost) = self.cost {
            let text = format!("{cost:.10}");
            let short = text.trim_end_matches('0').trim_end_matches('.');
            recorder.cost(short, "USD", None);
        }
    }

    /// Compares the sessions' own totals with what the answers add up to.
    pub(super) fn compare(&self, run: &mut crate::run::Run) {
        if let (Some(reported), Some(counted)) = (self.reported, all(run.usage))
            && reported != counted
        {
            run.findings.push(Finding::UsageDiffers { counted, reported });
        }
    }
}
