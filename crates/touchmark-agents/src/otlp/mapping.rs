//! From requests to a run: operations are collected while lines are read, and told to the recorder in order of time once
//! it is known which of them stand inside which.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;
use touchmark_statement::digest::Sha256Digest;

use super::attributes::Attributes;
use super::messages::Message;
use super::nesting;
use super::operation::{Kind, Operation, ToolUse};
use super::record::{LogRecord, Request, Span};
use crate::error::ImportError;
use crate::json::lenient::Object;
use crate::neutral::tools::deed;
use crate::recorder::{LineFormat, NewAnswer, NewCall, NewResult, Place, Recorder, Spot};
use crate::run::{PromptOrigin, PromptPart, Role, StepKind};

/// Collects operations.
#[derive(Default)]
pub(super) struct Mapping {
    operations: Vec<Operation>,
    /// The conversation that is wanted, where one is.
    wanted: Option<String>,
    /// How often each prompt was seen in one operation: models are given the whole conversation each time.
    prompts: HashMap<Sha256Digest, usize>,
    /// Calls that were seen in messages, and answers to them.
    asked: HashSet<String>,
    answered: HashSet<String>,
    service: Option<String>,
    cost: Option<f64>,
}

impl LineFormat for Mapping {
    type Record<'a> = Request<'a>;

    fn record(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        request: Request<'_>,
    ) -> Result<(), ImportError> {
        let before = recorder.run.steps.len();
        for part in request.resource_spans.objects() {
            if let Some(resource) = &part.resource.0 {
                self.resource(recorder, &resource.attributes);
            }
            for scope in part.scope_spans.objects() {
                for raw in &scope.spans.0 {
                    self.span(recorder, within(spot, raw))?;
                }
            }
        }
        for part in request.resource_logs.objects() {
            if let Some(resource) = &part.resource.0 {
                self.resource(recorder, &resource.attributes);
            }
            for scope in part.scope_logs.objects() {
                for raw in &scope.log_records.0 {
                    self.log(recorder, within(spot, raw))?;
                }
            }
        }
        if recorder.run.steps.len() == before {
            let is_known = request.resource_metrics.0
                || !request.resource_spans.0.is_empty()
                || !request.resource_logs.0.is_empty();
            recorder.add_step(
                if is_known {
                    StepKind::Other
                } else {
                    StepKind::Unknown
                },
                spot,
            )?;
        }
        Ok(())
    }
}

/// Where an item of a line stands: it is borrowed from the line.
fn within<'a>(line: Spot<'a>, raw: &'a RawValue) -> Spot<'a> {
    let start = (raw.get().as_ptr() as usize).saturating_sub(line.json.as_ptr() as usize);
    Spot {
        json: raw.get(),
        offset: line.offset + start as u64,
    }
}

impl Mapping {
    pub(super) fn new(wanted: Option<&str>) -> Self {
        Self {
            wanted: wanted.map(str::to_owned),
            ..Self::default()
        }
    }

    /// What produced the telemetry, and where it ran.
    fn resource(&mut self, recorder: &mut Recorder, attributes: &Attributes<'_>) {
        let service = attributes
            .text(&["service.name"])
            .filter(|name| !name.starts_with("unknown_service"));
        if self.service.is_none() {
            self.service = service.map(str::to_owned);
        }
        recorder.version(attributes.text(&["service.version"]));
        surroundings(recorder, attributes);
    }

    fn span(&mut self, recorder: &mut Recorder, spot: Spot<'_>) -> Result<(), ImportError> {
        let Ok(Object(Some(span))) = serde_json::from_str::<Object<Span<'_>>>(spot.json) else {
            return unreadable(recorder, spot);
        };
        let operation = Operation::of_span(&span, recorder.run.steps.len());
        recorder.add_step(step_kind(&operation), spot)?;
        surroundings(recorder, &span.attributes);
        recorder.version(span.attributes.text(&["gen_ai.agent.version"]));
        let id = format!("{}/{}", operation.trace, operation.id);
        // An exporter that got no answer sends a span again.
        if !operation.id.is_empty() && !recorder.is_first(operation.step, &id) {
            return Ok(());
        }
        recorder.time(operation.start);
        recorder.time(operation.end);
        self.keep(recorder, operation);
        Ok(())
    }

    fn log(&mut self, recorder: &mut Recorder, spot: Spot<'_>) -> Result<(), ImportError> {
        let Ok(Object(Some(record))) = serde_json::from_str::<Object<LogRecord<'_>>>(spot.json) else {
            return unreadable(recorder, spot);
        };
        let Some(operation) = Operation::of_log(&record, recorder.run.steps.len()) else {
            recorder.add_step(StepKind::Other, spot)?;
            return Ok(());
        };
        recorder.add_step(step_kind(&operation), spot)?;
        recorder.time(operation.start);
        self.keep(recorder, operation);
        Ok(())
    }

    /// Keeps an operation without what earlier ones said already.
    fn keep(&mut self, recorder: &Recorder, mut operation: Operation) {
        let mut counts: HashMap<Sha256Digest, usize> = HashMap::new();
        operation.input.retain(|message| {
            if !matches!(message.role.as_str(), "user" | "system" | "developer" | "") {
                return !message.answers.is_empty();
            }
            let count = counts.entry(digest(message)).or_insert(0);
            *count += 1;
            let known = self.prompts.entry(digest(message)).or_insert(0);
            let is_new = *count > *known;
            *known = (*known).max(*count);
            is_new
        });
        for message in &mut operation.input {
            message.answers.retain(|(id, _)| self.answered.insert(id.clone()));
        }
        for message in &mut operation.output {
            message
                .calls
                .retain(|call| call.id.as_ref().is_none_or(|id| self.asked.insert(id.clone())));
            if !recorder.keeps_words() {
                message.parts.clear();
                message.reasoning.clear();
            }
        }
        if operation.kind != Kind::Other || operation.conversation.is_some() || !operation.id.is_empty() {
            self.operations.push(operation);
        }
    }

    /// Tells everything to the recorder.
    pub(super) fn finish(mut self, recorder: &mut Recorder) -> Result<(), ImportError> {
        let conversations = self.conversations();
        let parents = nesting::parents(&self.operations);
        let counted_below = nesting::counted_below(&self.operations, &parents);
        let owners = nesting::owners(&self.operations, &parents);
        let has_tools = self
            .operations
            .iter()
            .any(|operation| operation.kind == Kind::Tool);
        let mut order: Vec<usize> = (0..self.operations.len()).collect();
        order.sort_by_key(|at| {
            let operation = &self.operations[*at];
            (operation.start.map(|start| start.time), *at)
        });
        let mut name = None;
        for at in order {
            let operation = std::mem::take(&mut self.operations[at]);
            let conversation = operation
                .conversation
                .as_ref()
                .or(conversations.get(&operation.trace));
            if let (Some(wanted), Some(conversation)) = (&self.wanted, conversation)
                && wanted != conversation
            {
                recorder.session_id(Some(conversation));
                continue;
            }
            if operation.kind == Kind::Agent && owners[at].is_none() && name.is_none() {
                name.clone_from(&operation.agent);
            }
            recorder.session_id(conversation.map(String::as_str));
            self.tell(
                recorder,
                &operation,
                owners[at].as_deref(),
                counted_below[at],
                has_tools,
            )?;
        }
        if let Some(cost) = self.cost {
            recorder.cost(&format!("{cost}"), "USD", None);
        }
        recorder.product(self.service.or(name).as_deref());
        Ok(())
    }

    /// The conversation of each trace, where one of its operations names it.
    fn conversations(&self) -> HashMap<String, String> {
        let named = self.operations.iter().filter_map(|operation| {
            let conversation = operation.conversation.clone()?;
            (!operation.trace.is_empty()).then(|| (operation.trace.clone(), conversation))
        });
        named.collect()
    }

    fn tell(
        &mut self,
        recorder: &mut Recorder,
        operation: &Operation,
        owner: Option<&str>,
        is_repeated: bool,
        has_tools: bool,
    ) -> Result<(), ImportError> {
        let place = Place {
            step: operation.step,
            role: if owner.is_some() {
                Role::Subagent
            } else {
                Role::Primary
            },
            working_directory: None,
        };
        recorder.speaker(owner);
        if let Some(start) = operation.start {
            recorder.step_time(operation.step, start);
        }
        if let Some(known) = owner.and_then(|owner| recorder.subagent(owner)) {
            known.steps += 1;
        }
        for message in &operation.input {
            prompt(recorder, message, place)?;
            if !has_tools {
                answers(recorder, message, place);
            }
        }
        let is_answer = operation.kind == Kind::Inference && operation.model.is_some();
        if (is_answer || operation.has_usage()) && !is_repeated {
            self.answer(recorder, operation, place);
        }
        for message in &operation.output {
            for text in message.texts() {
                recorder.says(text, place)?;
            }
            for text in &message.reasoning {
                recorder.reasons(text, place)?;
            }
            if !has_tools {
                for call in &message.calls {
                    let arguments = call.arguments.as_deref();
                    let told = NewCall {
                        id: call.id.as_deref(),
                        name: &call.name,
                        arguments,
                        ..NewCall::default()
                    };
                    deed(&call.name, arguments).call(recorder, told, place)?;
                }
            }
        }
        match &operation.tool {
            Some(tool) => tool_use(recorder, operation, tool, place),
            None => Ok(()),
        }
    }

    fn answer(&mut self, recorder: &mut Recorder, operation: &Operation, place: Place<'_>) {
        let is_inference = operation.kind == Kind::Inference;
        if let Some(cost) = operation.cost.filter(|cost| *cost >= 0.0) {
            self.cost = Some(self.cost.unwrap_or(0.0) + cost);
        }
        let span = format!("{}/{}", operation.trace, operation.id);
        let own = Some(span.as_str()).filter(|_| !operation.id.is_empty() && !operation.is_log);
        recorder.answer(
            &NewAnswer {
                id: operation.answer.as_deref().or(own),
                request: None,
                model: operation.model.as_deref(),
                provider: operation.provider.as_deref(),
                usage: crate::run::Usage {
                    // How many answers stand behind an agent's sum is not known; one at least.
                    requests: is_inference.then_some(1),
                    ..operation.usage
                },
            },
            place,
        );
    }
}

fn unreadable(recorder: &mut Recorder, spot: Spot<'_>) -> Result<(), ImportError> {
    recorder.run.counters.malformed += 1;
    recorder.add_step(StepKind::Unreadable, spot)?;
    Ok(())
}

fn step_kind(operation: &Operation) -> StepKind {
    match operation.kind {
        Kind::Inference if operation.model.is_none() && !operation.input.is_empty() => StepKind::Prompt,
        Kind::Inference => StepKind::Answer,
        Kind::Tool => StepKind::ToolResult,
        Kind::Agent | Kind::Other => StepKind::Other,
    }
}

fn digest(message: &Message) -> Sha256Digest {
    let mut bytes = message.role.clone().into_bytes();
    for part in &message.parts {
        bytes.push(0);
        match part {
            PromptPart::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            PromptPart::Other { sha256, .. } => bytes.extend_from_slice(sha256.as_bytes()),
        }
    }
    Sha256Digest::of(&bytes)
}

fn prompt(recorder: &mut Recorder, message: &Message, place: Place<'_>) -> Result<(), ImportError> {
    let origin = match (message.role.as_str(), place.role) {
        ("user" | "", Role::Primary) => PromptOrigin::Human,
        ("user" | "", Role::Subagent) => PromptOrigin::Agent,
        ("system" | "developer", _) => PromptOrigin::Injected,
        _ => return Ok(()),
    };
    if message.parts.is_empty() && !message.answers.is_empty() {
        return Ok(());
    }
    recorder.prompt(message.parts.clone(), origin, place)
}

fn answers(recorder: &mut Recorder, message: &Message, place: Place<'_>) {
    for (id, output) in &message.answers {
        recorder.result(
            &NewResult {
                id,
                output: Some(output),
                ..NewResult::default()
            },
            place,
        );
    }
}

fn tool_use(
    recorder: &mut Recorder,
    operation: &Operation,
    tool: &ToolUse,
    place: Place<'_>,
) -> Result<(), ImportError> {
    let span = format!("{}/{}#{}", operation.trace, operation.id, operation.step);
    let id = tool.id.as_deref().unwrap_or(&span);
    let arguments = tool.arguments.as_deref();
    let deed = deed(&tool.name, arguments);
    let call = NewCall {
        id: Some(id),
        name: &tool.name,
        server: tool.server.as_deref(),
        arguments,
        ..NewCall::default()
    };
    deed.call(recorder, call, place)?;
    if let Some(agent) = deed.agent_type.as_deref().filter(|_| place.role == Role::Primary) {
        recorder.link_subagent(agent, Some(id));
    }
    recorder.result(
        &NewResult {
            id,
            failed: tool.failed,
            exit_code: tool.exit_code,
            output: tool.result.as_deref(),
        },
        place,
    );
    Ok(())
}

/// Where the agent worked, in the names of the conventions and of one product.
fn surroundings(recorder: &mut Recorder, attributes: &Attributes<'_>) {
    recorder.working_directory(attributes.text(&["process.working_directory", "cwd"]));
    let branch = attributes.text(&["vcs.ref.head.name", "copilot_chat.repo.head_branch_name"]);
    recorder.branch(branch);
    recorder.base_commit(
        attributes.text(&["vcs.ref.head.revision", "copilot_chat.repo.head_commit_hash"]),
        branch,
        attributes.text(&["vcs.repository.url.full", "copilot_chat.repo.remote_url"]),
    );
}
