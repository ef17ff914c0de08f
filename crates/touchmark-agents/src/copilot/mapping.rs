//! What each event means.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::value::RawValue;

use super::kinds;
use super::record::{Context, Data, Event, list};
use super::tools;
use super::usage::{self, AUTO, believed};
use crate::error::ImportError;
use crate::json::lenient::Text;
use crate::limits::MAX_NAME_BYTES;
use crate::recorder::{LineFormat, NewAnswer, Place, Recorder, Spot, parts, times};
use crate::run::{PromptOrigin, PromptPart, Relation, Role, StepKind, Usage};

/// Reads the events of one session.
#[derive(Default)]
pub(super) struct Mapping {
    /// The step of each event, by its identifier.
    steps: HashMap<String, usize>,
    /// The model that was chosen last.
    model: Option<String>,
    /// Sub-agents that were started, and none of whose events was seen: the call, and the type.
    started: Vec<(String, Option<String>)>,
    /// The sub-agents that calls started.
    agents: HashMap<String, String>,
    taken_back: TakenBack,
    /// The last report of tokens as it stands, and how many different ones there were.
    reported: Option<String>,
    reports: u32,
    taken: usage::Taken,
}

/// The steps that were taken back, so that none is marked again however often it is taken back.
#[derive(Default)]
struct TakenBack {
    /// Ranges in order, none touching another's inside.
    ranges: Vec<Range<usize>>,
}

impl TakenBack {
    /// Takes back a range that ends where the session stands; returns what of it was not taken back before.
    fn add(&mut self, start: usize, end: usize) -> Vec<Range<usize>> {
        let mut fresh = Vec::new();
        let (mut low, mut open) = (start, end);
        while let Some(last) = self.ranges.pop_if(|last| last.end > start) {
            fresh.push(last.end..open);
            open = last.start;
            low = low.min(last.start);
        }
        fresh.push(start..open.max(start));
        self.ranges.push(low..end);
        fresh
    }
}

impl LineFormat for Mapping {
    type Record<'a> = Event<'a>;

    fn record(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        event: Event<'_>,
    ) -> Result<(), ImportError> {
        let name = event.kind.as_deref().unwrap_or_default();
        let mut place = recorder.add_step(kinds::kind(name), spot)?;
        let data = event.data.0.unwrap_or_default();
        recorder.time(data.start_time.as_deref().and_then(times::text));
        recorder.time(event.timestamp.as_deref().and_then(times::text));
        let id = event.id.as_deref().filter(|id| id.len() <= MAX_NAME_BYTES);
        if let Some(id) = id {
            if !recorder.node(place.step, id, event.parent.as_deref()) {
                return Ok(());
            }
            self.steps.insert(id.to_owned(), place.step);
        }
        let agent = event
            .agent
            .as_deref()
            .or(data.parent_tool_call_id.as_deref())
            .filter(|agent| !agent.is_empty());
        recorder.speaker(agent);
        if let Some(agent) = agent {
            place.role = Role::Subagent;
            self.note_agent(recorder, agent);
        }
        match kinds::kind(name) {
            StepKind::Prompt => prompt(recorder, &data, place),
            StepKind::Answer if name == "assistant.message" => self.answer(recorder, &data, place),
            StepKind::Answer if name == "tool.execution_start" => tools::started(recorder, &data, place),
            StepKind::ToolResult => {
                tools::completed(recorder, &data, place);
                Ok(())
            }
            _ => self.other(recorder, name, &data, place),
        }
    }
}

impl Mapping {
    fn other(
        &mut self,
        recorder: &mut Recorder,
        name: &str,
        data: &Data<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        match name {
            "session.start" => {
                recorder.session_id(data.session_id.as_deref());
                recorder.version(data.copilot_version.as_deref());
                recorder.entrypoint(data.producer.as_deref());
                recorder.parent(
                    data.detached_from_spawning_parent_session_id.as_deref(),
                    Relation::Subagent,
                );
                self.choose(data.selected_model.as_deref());
                self.context(recorder, data);
            }
            "session.resume" => {
                recorder.version(data.copilot_version.as_deref());
                self.choose(data.selected_model.as_deref());
                self.context(recorder, data);
            }
            "session.context_changed" => {
                recorder.working_directory(data.cwd.as_deref());
                recorder.branch(data.branch.as_deref());
            }
            "session.model_change" => self.choose(data.new_model.as_deref()),
            "session.auto_mode_resolved" => self.choose(data.chosen_model.as_deref()),
            "assistant.usage" if place.role == Role::Primary => self.choose(data.model.as_deref()),
            "session.snapshot_rewind" => self.rewind(recorder, data, place),
            "session.compaction_complete" if data.success.0 != Some(false) => {
                recorder.compaction();
                if let Some(summary) = data.summary_content.as_deref().filter(|text| !text.is_empty()) {
                    let given = vec![PromptPart::Text(summary.to_owned())];
                    recorder.prompt(given, PromptOrigin::Compaction, place)?;
                }
            }
            "subagent.started" => self.agent_started(recorder, data, place),
            "subagent.completed" | "subagent.failed" => self.agent_ended(recorder, data),
            "session.usage_record" => self.taken.record(recorder, data, place),
            "session.shutdown" => self.shutdown(recorder, data, place),
            _ => {}
        }
        Ok(())
    }

    fn choose(&mut self, model: Option<&str>) {
        if let Some(model) = model.filter(|model| !model.is_empty() && *model != AUTO) {
            self.model = Some(model.to_owned());
        }
    }

    fn context(&mut self, recorder: &mut Recorder, data: &Data<'_>) {
        let Some(context) = &data.context.0 else { return };
        recorder.working_directory(context.cwd.as_deref());
        recorder.branch(context.branch.as_deref());
        let repository = repository(context);
        // Where the session stood first; then where its branch left the main one.
        recorder.base_commit(
            context.head_commit.as_deref(),
            context.branch.as_deref(),
            repository.as_deref(),
        );
        recorder.base_commit(context.base_commit.as_deref(), None, repository.as_deref());
    }

    fn answer(
        &mut self,
        recorder: &mut Recorder,
        data: &Data<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let named = data
            .model
            .as_deref()
            .filter(|model| !model.is_empty() && *model != AUTO);
        if place.role == Role::Primary {
            self.choose(named);
        }
        let chosen = self.model.as_deref().filter(|_| place.role == Role::Primary);
        let answer = NewAnswer {
            id: data.message_id.as_deref(),
            model: named.or(chosen),
            usage: Usage {
                output_tokens: data.output_tokens.0,
                ..Usage::default()
            },
            ..NewAnswer::default()
        };
        recorder.answer(&answer, place);
        if let Some(text) = data.reasoning_text.as_deref().filter(|text| !text.is_empty()) {
            recorder.reasons(text, place)?;
        }
        let words = data.content.filter(|_| recorder.keeps_words());
        for part in words.map(|raw| parts::from_json(raw.get())).unwrap_or_default() {
            if let PromptPart::Text(text) = part
                && !text.is_empty()
            {
                recorder.says(&text, place)?;
            }
        }
        Ok(())
    }

    /// Takes back an event and all after it, or those that are listed.
    fn rewind(&mut self, recorder: &mut Recorder, data: &Data<'_>, place: Place<'_>) {
        let listed = list::<Text<'_>>(data.event_ids);
        for id in &listed {
            if let Some(step) = id.as_deref().and_then(|id| self.steps.get(id)) {
                recorder.rewound(*step);
            }
        }
        let first = data.up_to_event_id.as_deref().and_then(|id| self.steps.get(id));
        if let (true, Some(first)) = (listed.is_empty(), first) {
            for steps in self.taken_back.add(*first, place.step) {
                for step in steps {
                    recorder.rewound(step);
                }
            }
        }
    }

    fn agent_started(&mut self, recorder: &mut Recorder, data: &Data<'_>, place: Place<'_>) {
        if let Some(model) = data.model.as_deref().filter(|model| *model != AUTO) {
            let place = Place {
                role: Role::Subagent,
                ..place
            };
            recorder.model(model, None, place);
        }
        let Some(call) = data
            .tool_call_id
            .as_deref()
            .filter(|id| id.len() <= MAX_NAME_BYTES)
        else {
            return;
        };
        let agent_type = data.agent_name.as_deref().map(str::to_owned);
        if place.role == Role::Subagent || self.started.len() >= 1_024 {
            return;
        }
        self.started.push((call.to_owned(), agent_type));
    }

    /// Counts an event of a sub-agent. Its identifier is its own; where one sub-agent waits for its first event, this is
    /// the one.
    fn note_agent(&mut self, recorder: &mut Recorder, agent: &str) {
        let is_new = recorder
            .subagent(agent)
            .is_some_and(|known| known.steps == 0 && known.tool_use_id.is_none());
        if is_new {
            let by_call = self.started.iter().position(|(call, _)| call == agent);
            let only = (self.started.len() == 1).then_some(0);
            if let Some(at) = by_call.or(only) {
                let (call, agent_type) = self.started.remove(at);
                link(recorder, agent, &call, agent_type);
                self.agents.insert(call, agent.to_owned());
            }
        }
        if let Some(known) = recorder.subagent(agent) {
            known.steps += 1;
        }
    }

    fn agent_ended(&mut self, recorder: &mut Recorder, data: &Data<'_>) {
        let (Some(call), Some(tokens)) = (data.tool_call_id.as_deref(), believed(data.total_tokens)) else {
            return;
        };
        let agent = self.agents.get(call).map_or(call, String::as_str);
        if let Some(known) = recorder.subagent(agent) {
            known.reported_tokens = Some(tokens);
        }
    }

    /// Ends the session: sub-agents without events of their own are known by their calls.
    pub(super) fn finish(self, recorder: &mut Recorder) {
        for (call, agent_type) in self.started {
            link(recorder, &call, &call, agent_type);
        }
    }

    /// The tokens of the part of the session that ends here. A session that was resumed ends more than once, and each
    /// end tells of its own part; in newer versions, which say up to which answer they count, of the whole session.
    fn shutdown(&mut self, recorder: &mut Recorder, data: &Data<'_>, place: Place<'_>) {
        for path in data
            .code_changes
            .0
            .as_ref()
            .map(|changes| list::<Text<'_>>(changes.files_modified))
            .unwrap_or_default()
        {
            if let Some(path) = path.as_deref() {
                recorder.wrote(path, place);
            }
        }
        let Some(raw) = data.model_metrics else { return };
        if data.usage_accounting_watermarks.is_some() {
            return self.taken.report(recorder, raw, place);
        }
        if self.taken.is_known() {
            return;
        }
        if self.reported.as_deref() != Some(raw.get()) {
            self.reported = Some(raw.get().to_owned());
            self.reports = self.reports.saturating_add(1);
        }
        let scope = format!("shutdown {}", self.reports);
        for (model, usage) in usage::by_model(raw) {
            recorder.total(&scope, usage::named(&model), usage, place);
        }
    }
}

fn link(recorder: &mut Recorder, agent: &str, call: &str, agent_type: Option<String>) {
    recorder.link_subagent(agent, Some(call));
    if let Some(known) = recorder.subagent(agent)
        && agent_type.is_some()
    {
        known.agent_type = agent_type;
    }
}

/// Reads a message to the agent.
fn prompt(recorder: &mut Recorder, data: &Data<'_>, place: Place<'_>) -> Result<(), ImportError> {
    let mut given = data
        .content
        .map(|raw| parts::from_json(raw.get()))
        .unwrap_or_default();
    for raw in list::<&RawValue>(data.attachments) {
        given.push(parts::other("attachment", None, raw.get()));
    }
    let source = data
        .source
        .as_deref()
        .filter(|source| !matches!(*source, "" | "user"));
    let origin = match source {
        _ if place.role == Role::Subagent => PromptOrigin::Agent,
        Some(source) if source.starts_with("agent-") => PromptOrigin::Agent,
        Some(_) => PromptOrigin::Injected,
        None if data.is_autopilot_continuation.is_true() => PromptOrigin::Injected,
        None => PromptOrigin::Human,
    };
    recorder.prompt(given, origin, place)
}

/// The address of the repository, as far as it is named.
fn repository(context: &Context<'_>) -> Option<String> {
    let name = context.repository.as_deref()?;
    Some(match context.repository_host.as_deref() {
        Some(host) if !host.is_empty() && !name.contains("://") => format!("https://{host}/{name}"),
        _ => name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_back_is_not_taken_back_again() {
        let marked = |taken: &mut TakenBack, start, end| -> Vec<usize> {
            let mut steps: Vec<usize> = taken.add(start, end).into_iter().flatten().collect();
            steps.sort_unstable();
            steps
        };
        let mut taken = TakenBack::default();
        assert_eq!(marked(&mut taken, 2, 5), [2, 3, 4]);
        assert_eq!(marked(&mut taken, 3, 7), [5, 6]);
        assert_eq!(marked(&mut taken, 8, 10), [8, 9]);
        assert_eq!(marked(&mut taken, 0, 11), [0, 1, 7, 10]);
        assert_eq!(marked(&mut taken, 0, 12), [11]);
        assert_eq!((taken.ranges.len(), taken.ranges[0].clone()), (1, 0..12));
    }
}
