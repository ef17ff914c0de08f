//! What each part of a trajectory means.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::record::{Agent, Answer, FinalMetrics, Metrics, Step, ToolCall};
use crate::error::ImportError;
use crate::json::lenient::{Object, Text};
use crate::limits::MAX_NAME_BYTES;
use crate::neutral::tools::{deed, unquoted};
use crate::recorder::document::{Piece, walk};
use crate::recorder::names::identifier;
use crate::recorder::{NewAnswer, NewCall, NewResult, Place, Recorder, Spot, parts, times};
use crate::run::{Finding, PromptOrigin, Role, StepKind, Usage};

/// The lists of a trajectory.
pub(super) const LISTS: [&str; 2] = ["steps", "subagent_trajectories"];
/// How deep trajectories of sub-agents may stand inside one another.
const MAX_NESTING: usize = 16;

/// What stands at the head of a trajectory.
#[derive(Default)]
pub(super) struct Head {
    pub(super) session_id: Option<String>,
    pub(super) trajectory_id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) continued: Option<String>,
}

/// Reads trajectories into a run.
#[derive(Default)]
pub(super) struct Mapping {
    /// Files that trajectories name as their continuation, and as those of sub-agents.
    pub(super) continued: HashSet<String>,
    /// The tokens of the steps of the trajectory that is being read, and whether there are any.
    counted: Usage,
    /// What the steps cost, where they say so.
    step_cost: Option<f64>,
    has_total_cost: bool,
    /// The totals of the trajectory that is being read.
    reported: Option<Usage>,
}

impl Mapping {
    /// Reads the fields at the head of a trajectory, wherever in it they stand.
    pub(super) fn head(&mut self, recorder: &mut Recorder, whole: Spot<'_>, is_main: bool) -> Head {
        let mut head = Head::default();
        // What is wrong with the document is found when its steps are read.
        let _ = walk(whole, &LISTS, &mut |piece| {
            if let Piece::Field { path, spot } = piece {
                self.field(recorder, &mut head, path, spot, is_main);
            }
            Ok(())
        });
        head
    }

    fn field(&mut self, recorder: &mut Recorder, head: &mut Head, path: &str, spot: Spot<'_>, is_main: bool) {
        let text = || {
            let text = serde_json::from_str::<Text<'_>>(spot.json).ok()?.0?;
            Some(text.into_owned()).filter(|text| !text.is_empty() && text.len() <= MAX_NAME_BYTES)
        };
        match path {
            "session_id" => head.session_id = text(),
            "trajectory_id" => head.trajectory_id = text(),
            "continued_trajectory_ref" => head.continued = text(),
            "agent" => {
                if let Ok(Object(Some(agent))) = serde_json::from_str::<Object<Agent<'_>>>(spot.json) {
                    head.model = agent.model_name.as_deref().map(str::to_owned);
                    if is_main {
                        note_agent(recorder, &agent);
                    }
                }
            }
            _ => {}
        }
    }

    /// Reads the steps of a trajectory and, inside it, those of its sub-agents.
    pub(super) fn piece(
        &mut self,
        recorder: &mut Recorder,
        head: &Head,
        piece: Piece<'_>,
        agent: Option<&str>,
        depth: usize,
    ) -> Result<(), ImportError> {
        match piece {
            Piece::Item { list: "steps", spot } => self.step(recorder, head, spot, agent),
            Piece::Item { spot, .. } => self.nested(recorder, spot, depth),
            Piece::Field {
                path: "final_metrics",
                spot,
            } if agent.is_none() => {
                self.totals(recorder, spot);
                Ok(())
            }
            Piece::Field { .. } => Ok(()),
        }
    }

    fn nested(&mut self, recorder: &mut Recorder, spot: Spot<'_>, depth: usize) -> Result<(), ImportError> {
        if depth >= MAX_NESTING || !spot.json.starts_with('{') {
            recorder.add_step(StepKind::Unknown, spot)?;
            return Ok(());
        }
        let head = self.head(recorder, spot, false);
        let agent = head.trajectory_id.clone().or_else(|| head.session_id.clone());
        let agent = agent.unwrap_or_else(|| "subagent".to_owned());
        walk(spot, &LISTS, &mut |piece| {
            recorder.begin_record();
            self.piece(recorder, &head, piece, Some(&agent), depth + 1)
        })?;
        Ok(())
    }

    fn step(
        &mut self,
        recorder: &mut Recorder,
        head: &Head,
        spot: Spot<'_>,
        agent: Option<&str>,
    ) -> Result<(), ImportError> {
        let Ok(Object(Some(step))) = serde_json::from_str::<Object<Step<'_>>>(spot.json) else {
            recorder.run.counters.malformed += 1;
            recorder.add_step(StepKind::Unreadable, spot)?;
            return Ok(());
        };
        let kind = match step.source.as_deref() {
            Some("user") => StepKind::Prompt,
            Some("agent") => StepKind::Answer,
            Some("system") => StepKind::Other,
            _ => StepKind::Unknown,
        };
        let mut place = recorder.add_step(kind, spot)?;
        let extra = step.extra.0.as_ref();
        let own_agent = extra.and_then(|extra| extra.agent_id.as_deref()).or(agent);
        if own_agent.is_some() || extra.is_some_and(|extra| extra.is_sidechain.is_true()) {
            place.role = Role::Subagent;
        }
        let of_file = recorder.source_agent().map(str::to_owned);
        recorder.speaker(own_agent.or(of_file.as_deref()));
        recorder.time(step.timestamp.as_deref().and_then(times::text));
        recorder.working_directory(extra.and_then(|extra| extra.cwd.as_deref()));
        if step.is_copied_context.is_true() {
            // It stands in the trajectory that this one goes on from: what it did is counted there.
            recorder.copied(place.step);
            return Ok(());
        }
        if extra.is_some_and(|extra| extra.state.as_deref() == Some("rewound")) {
            recorder.rewound(place.step);
        }
        if place.role == Role::Subagent
            && let Some(agent) = own_agent.or(of_file.as_deref())
            && let Some(known) = recorder.subagent(agent)
        {
            known.steps += 1;
        }
        match kind {
            StepKind::Prompt | StepKind::Other => prompt(recorder, &step, kind, place)?,
            StepKind::Answer => self.answer(recorder, head, &step, place)?,
            _ => {}
        }
        observe(recorder, &step, place);
        Ok(())
    }

    fn answer(
        &mut self,
        recorder: &mut Recorder,
        head: &Head,
        step: &Step<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        // A step without a call of a model is the agent's own program at work.
        if step.llm_call_count.0 != Some(0) {
            let usage = step.metrics.0.as_ref().map(usage).unwrap_or_default();
            let usage = Usage {
                requests: step.llm_call_count.0,
                ..usage
            };
            let is_own = place.role == recorder.source_role();
            for (sum, more) in [
                (&mut self.counted.input_tokens, usage.input_tokens),
                (&mut self.counted.output_tokens, usage.output_tokens),
            ] {
                if let Some(more) = more.filter(|_| is_own) {
                    *sum = Some(sum.unwrap_or(0).saturating_add(more));
                }
            }
            recorder.answer(
                &NewAnswer {
                    model: step.model_name.as_deref().or(head.model.as_deref()),
                    usage,
                    ..NewAnswer::default()
                },
                place,
            );
            if let Some(cost) = step
                .metrics
                .0
                .as_ref()
                .and_then(|metrics| metrics.cost_usd?.get().parse::<f64>().ok())
                .filter(|cost| cost.is_finite() && *cost >= 0.0)
            {
                self.step_cost = Some(self.step_cost.unwrap_or(0.0) + cost);
            }
        }
        if let Some(reasoning) = step.reasoning_content.as_deref() {
            recorder.reasons(reasoning, place)?;
        }
        if let (true, Some(message)) = (recorder.keeps_words(), step.message) {
            for part in parts::from_json(message.get()) {
                if let crate::run::PromptPart::Text(text) = part {
                    recorder.says(&text, place)?;
                }
            }
        }
        step.tool_calls
            .objects()
            .try_for_each(|call| add_call(recorder, call, place))
    }

    /// Keeps the totals of a trajectory until its steps are read: they may stand before them.
    fn totals(&mut self, recorder: &mut Recorder, spot: Spot<'_>) {
        let Ok(Object(Some(totals))) = serde_json::from_str::<Object<FinalMetrics<'_>>>(spot.json) else {
            return;
        };
        if let Some(cost) = totals.total_cost_usd.filter(|raw| raw.get() != "null") {
            recorder.cost(cost.get(), "USD", None);
            self.has_total_cost = recorder.run.cost.is_some();
        }
        let written = totals
            .extra
            .0
            .and_then(|extra| extra.total_cache_creation_input_tokens.0);
        self.reported = Some(split(
            totals.total_prompt_tokens.0,
            totals.total_completion_tokens.0,
            totals.total_cached_tokens.0,
            written,
        ));
    }

    /// Ends a file. Its totals count where its steps have no tokens, or fewer; where both are there and differ, that is
    /// a contradiction between sources.
    pub(super) fn end_of_file(&mut self, recorder: &mut Recorder) {
        if let (Some(cost), false) = (self.step_cost, self.has_total_cost) {
            recorder.cost(&format!("{cost}"), "USD", None);
        }
        let counted = std::mem::take(&mut self.counted);
        let Some(reported) = self.reported.take() else {
            return;
        };
        let has_none = counted.output_tokens.is_none() && counted.input_tokens.is_none();
        let mut is_more = false;
        if let (Some(counted), Some(reported)) = (counted.output_tokens, reported.output_tokens)
            && counted != reported
        {
            recorder.finding(Finding::UsageDiffers { counted, reported });
            // Steps without tokens make a sum too small, nothing makes it too large.
            is_more = reported > counted;
        }
        if has_none || is_more {
            let scope = format!("file {}", recorder.run.sources.len());
            let place = recorder.last_place();
            recorder.total(&scope, None, reported, place);
        }
    }
}

fn note_agent(recorder: &mut Recorder, agent: &Agent<'_>) {
    recorder.product(agent.name.as_deref());
    // Agents that do not know their version have to write one all the same.
    let version = agent.version.as_deref().filter(|version| *version != "unknown");
    let Some(extra) = &agent.extra.0 else {
        return recorder.version(version);
    };
    for version in &extra.versions.0 {
        recorder.version(version.as_deref());
    }
    recorder.version(version);
    for cwd in &extra.cwds.0 {
        recorder.working_directory(cwd.as_deref());
    }
    for branch in &extra.git_branches.0 {
        recorder.branch(branch.as_deref());
    }
    for base in extra.base_commits.objects() {
        recorder.base_commit(
            base.id.as_deref(),
            base.branch.as_deref(),
            base.repository.as_deref(),
        );
    }
    recorder.entrypoint(extra.entrypoint.as_deref());
    recorder.run.product.vendor = extra
        .vendor
        .as_deref()
        .filter(|name| identifier(name) == *name)
        .map(str::to_owned);
}

fn prompt(
    recorder: &mut Recorder,
    step: &Step<'_>,
    kind: StepKind,
    place: Place<'_>,
) -> Result<(), ImportError> {
    let parts = step
        .message
        .map(|raw| parts::from_json(raw.get()))
        .unwrap_or_default();
    let named = step.extra.0.as_ref().and_then(|extra| extra.origin.as_deref());
    let origin = match (kind, named, place.role) {
        (_, Some("injected"), _) => PromptOrigin::Injected,
        (_, Some("compaction"), _) => PromptOrigin::Compaction,
        (_, Some("agent"), _) | (StepKind::Prompt, _, Role::Subagent) => PromptOrigin::Agent,
        (StepKind::Prompt, _, Role::Primary) => PromptOrigin::Human,
        _ => PromptOrigin::Injected,
    };
    if kind == StepKind::Other
        && parts
            .iter()
            .all(|part| matches!(part, crate::run::PromptPart::Text(text) if text.is_empty()))
    {
        return Ok(());
    }
    recorder.prompt(parts, origin, place)
}

fn add_call(recorder: &mut Recorder, call: &ToolCall<'_>, place: Place<'_>) -> Result<(), ImportError> {
    let Some(name) = call.function_name.as_deref() else {
        return Ok(());
    };
    let arguments = call.arguments.map(RawValue::get);
    let mut deed = deed(name, arguments);
    if let Some(extra) = &call.extra.0 {
        deed.command = extra.command.as_deref().map(str::to_owned).or(deed.command);
        let named = extra
            .writes
            .0
            .iter()
            .filter_map(Text::as_deref)
            .map(str::to_owned);
        deed.writes = Some(named.collect::<Vec<String>>())
            .filter(|named| !named.is_empty())
            .unwrap_or(deed.writes);
    }
    let call = NewCall {
        id: call.tool_call_id.as_deref(),
        name,
        arguments,
        ..NewCall::default()
    };
    deed.call(recorder, call, place)
}

/// Reads the answers to a step's calls. One that names no call answers the only one, where there is only one.
fn observe(recorder: &mut Recorder, step: &Step<'_>, place: Place<'_>) {
    let Some(observation) = &step.observation.0 else {
        return;
    };
    let mut calls = step
        .tool_calls
        .objects()
        .filter_map(|call| call.tool_call_id.as_deref());
    let only = calls.next().filter(|_| calls.next().is_none());
    for answer in observation.results.objects() {
        let Some(id) = answer.source_call_id.as_deref().or(only) else {
            continue;
        };
        let (failed, exit_code) = outcome(answer);
        let text = answer.content.map(|raw| unquoted(raw.get()));
        recorder.result(
            &NewResult {
                id,
                failed,
                exit_code,
                output: text.as_deref(),
            },
            place,
        );
        for link in answer.subagent_trajectory_ref.objects() {
            let named = link.trajectory_id.as_deref().or(link.session_id.as_deref());
            let of_path = link.trajectory_path.as_deref().and_then(super::stem_of);
            if let Some(agent) = named.or(of_path) {
                recorder.link_subagent(agent, Some(id));
            }
        }
    }
}

/// Whether a call failed, and its exit code, only where the answer says so.
fn outcome(answer: &Answer<'_>) -> (Option<bool>, Option<i32>) {
    let Some(extra) = &answer.extra.0 else {
        return (None, None);
    };
    let failed = extra.is_error.0.or(extra.tool_result_is_error.0);
    let code = extra.exit_code.or(extra.returncode);
    (failed, code.and_then(|raw| raw.get().parse().ok()))
}

fn usage(metrics: &Metrics<'_>) -> Usage {
    let written = metrics
        .extra
        .0
        .as_ref()
        .and_then(|extra| extra.cache_creation_input_tokens.0);
    split(
        metrics.prompt_tokens.0,
        metrics.completion_tokens.0,
        metrics.cached_tokens.0,
        written,
    )
}

/// The prompt's tokens hold those from and for a cache.
fn split(prompt: Option<u64>, completion: Option<u64>, cached: Option<u64>, written: Option<u64>) -> Usage {
    Usage {
        input_tokens: prompt.map(|all| {
            all.saturating_sub(cached.unwrap_or(0))
                .saturating_sub(written.unwrap_or(0))
        }),
        output_tokens: completion,
        cache_read_tokens: cached,
        cache_write_tokens: written,
        requests: None,
    }
}

/// The files of sub-agents that a step names.
pub(super) fn paths_of(step: &str) -> Vec<String> {
    let Ok(Object(Some(step))) = serde_json::from_str::<Object<Step<'_>>>(step) else {
        return Vec::new();
    };
    let results = step.observation.0.iter().flat_map(|seen| seen.results.objects());
    results
        .flat_map(|answer| answer.subagent_trajectory_ref.objects())
        .filter_map(|link| link.trajectory_path.as_deref().map(str::to_owned))
        .collect()
}
