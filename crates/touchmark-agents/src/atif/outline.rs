//! The steps of a trajectory, put together from the words of a session: what one answer says and calls is one step, and
//! what its calls gave back stands with it.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::export::prompt_tokens;
use crate::neutral::tools::deed;
use crate::run::{PromptOrigin, PromptPart, Role, Run, StepState, Usage, Word, WordEntry, Words};

/// The steps of a session and of its sub-agents.
#[derive(Default)]
pub(super) struct Outline {
    pub(super) primary: Vec<OutStep>,
    pub(super) subagents: BTreeMap<String, Vec<OutStep>>,
}

/// One step as it is written.
#[derive(Default)]
pub(super) struct OutStep {
    /// What the user or the system said; `None` for a step of the agent.
    said: Option<Said>,
    texts: Vec<String>,
    reasoning: Vec<String>,
    model: Option<String>,
    usage: Option<Usage>,
    calls: Vec<Value>,
    results: Vec<Answered>,
    time: Option<DateTime<Utc>>,
    rewound: bool,
}

struct Said {
    source: &'static str,
    origin: PromptOrigin,
    message: Value,
}

struct Answered {
    call: String,
    output: Option<String>,
    failed: Option<bool>,
    exit_code: Option<i32>,
}

/// Where things stand while one trajectory is put together.
#[derive(Default)]
struct Thread {
    steps: Vec<OutStep>,
    by_answer: HashMap<String, usize>,
    by_record: HashMap<usize, usize>,
    by_call: HashMap<String, usize>,
    /// The step that what has no other place belongs to.
    open: Option<usize>,
}

impl Outline {
    pub(super) fn of(run: &Run, words: &Words) -> Self {
        let mut threads: BTreeMap<Option<String>, Thread> = BTreeMap::new();
        let mut seen = HashSet::new();
        let times: HashMap<usize, DateTime<Utc>> = words.times.iter().copied().collect();
        for entry in &words.entries {
            let state = run.steps.get(entry.step).map(|step| step.state);
            // A record that repeats another may still hold a call that is new: calls are told apart by their names.
            let is_copy = state == Some(StepState::Copied);
            if is_copy && !matches!(entry.word, Word::Call { .. } | Word::Result { .. }) {
                continue;
            }
            let agent = (entry.role == Role::Subagent)
                .then(|| entry.subagent.clone().unwrap_or_else(|| "subagent".to_owned()));
            let thread = threads.entry(agent).or_default();
            thread.add(run, entry, &mut seen);
            if let Some(step) = thread.by_record.get(&entry.step).map(|at| &mut thread.steps[*at]) {
                step.time = step.time.or_else(|| times.get(&entry.step).copied());
                step.rewound |= state == Some(StepState::Rewound);
            }
        }
        let mut outline = Self::default();
        for (agent, thread) in threads {
            match agent {
                None => outline.primary = thread.steps,
                Some(agent) => {
                    outline.subagents.insert(agent, thread.steps);
                }
            }
        }
        outline
    }
}

impl Thread {
    fn add(&mut self, run: &Run, entry: &WordEntry, seen: &mut HashSet<String>) {
        match &entry.word {
            Word::Prompt(index) => {
                let Some(prompt) = run.prompts.get(*index) else {
                    return;
                };
                self.steps.push(OutStep {
                    said: Some(said(prompt.origin, &prompt.parts)),
                    ..OutStep::default()
                });
                self.by_record.insert(entry.step, self.steps.len() - 1);
                self.open = None;
            }
            Word::Answer { id, model, usage } => {
                let at = self.answer(id.as_deref(), entry.step);
                let step = &mut self.steps[at];
                step.model = model.clone().or(step.model.take());
                // What an earlier record of the answer said stands where this one is silent.
                let earlier = step.usage.unwrap_or_default();
                step.usage = Some(Usage {
                    input_tokens: usage.input_tokens.or(earlier.input_tokens),
                    output_tokens: usage.output_tokens.or(earlier.output_tokens),
                    cache_read_tokens: usage.cache_read_tokens.or(earlier.cache_read_tokens),
                    cache_write_tokens: usage.cache_write_tokens.or(earlier.cache_write_tokens),
                    requests: None,
                });
            }
            Word::Text(text) => {
                let at = self.agent_step(entry.step);
                self.steps[at].texts.push(text.clone());
            }
            Word::Reasoning(text) => {
                let at = self.agent_step(entry.step);
                self.steps[at].reasoning.push(text.clone());
            }
            Word::Call {
                id,
                name,
                arguments,
                command,
                writes,
            } => {
                let named = id.clone().filter(|id| !id.is_empty());
                let id = named.unwrap_or_else(|| format!("call-{}-{}", entry.step, seen.len()));
                if !seen.insert(id.clone()) {
                    return;
                }
                let at = self.agent_step(entry.step);
                let mut call = json!({
                    "tool_call_id": id,
                    "function_name": name,
                    "arguments": object(arguments.as_deref()),
                });
                // What the name and the arguments do not tell by themselves stands beside them.
                let told = deed(name, arguments.as_deref());
                if told.command != *command || told.writes != *writes {
                    call["extra"] = json!({ "command": command, "writes": writes });
                }
                self.steps[at].calls.push(call);
                self.by_call.insert(id, at);
            }
            Word::Result {
                id,
                output,
                failed,
                exit_code,
            } => {
                // A result whose call is not at hand has no place in a trajectory.
                let Some(at) = self.by_call.get(id).copied() else {
                    return;
                };
                self.steps[at].results.push(Answered {
                    call: id.clone(),
                    output: output.clone(),
                    failed: *failed,
                    exit_code: *exit_code,
                });
                self.open = None;
            }
        }
    }

    /// The step of an answer: the one that has its name, or that its record began, or the one that is open.
    fn answer(&mut self, id: Option<&str>, record: usize) -> usize {
        let known = id
            .and_then(|id| self.by_answer.get(id))
            .or_else(|| self.by_record.get(&record))
            .copied()
            .filter(|at| self.steps[*at].said.is_none());
        let open = self
            .open
            .filter(|at| id.is_none() && self.steps[*at].usage.is_none());
        let at = known.or(open).unwrap_or_else(|| self.new_agent_step());
        if let Some(id) = id {
            self.by_answer.insert(id.to_owned(), at);
        }
        self.by_record.insert(record, at);
        self.open = Some(at);
        at
    }

    fn agent_step(&mut self, record: usize) -> usize {
        let known = self.by_record.get(&record).copied().or(self.open);
        let at = known
            .filter(|at| self.steps[*at].said.is_none())
            .unwrap_or_else(|| self.new_agent_step());
        self.by_record.insert(record, at);
        self.open = Some(at);
        at
    }

    fn new_agent_step(&mut self) -> usize {
        self.steps.push(OutStep::default());
        self.steps.len() - 1
    }
}

fn said(origin: PromptOrigin, parts: &[PromptPart]) -> Said {
    let source = match origin {
        PromptOrigin::Human | PromptOrigin::Agent => "user",
        PromptOrigin::Injected | PromptOrigin::Compaction => "system",
    };
    let text = |part: &PromptPart| match part {
        PromptPart::Text(text) => text.clone(),
        // A picture's bytes are not in a trajectory, only where it lies; here it lies nowhere.
        PromptPart::Other { kind, sha256 } => format!("[{kind}, sha256 {}]", sha256),
    };
    let message = match parts {
        [] => Value::from(""),
        [one] => text(one).into(),
        many => many
            .iter()
            .map(|part| json!({ "type": "text", "text": text(part) }))
            .collect(),
    };
    Said {
        source,
        origin,
        message,
    }
}

/// Arguments are an object; what is none stands under one name.
fn object(arguments: Option<&str>) -> Value {
    let Some(json) = arguments else {
        return json!({});
    };
    match serde_json::from_str(json) {
        Ok(Value::Object(object)) => object.into(),
        Ok(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(object)) => object.into(),
            _ => json!({ "input": text }),
        },
        Ok(Value::Null) => json!({}),
        Ok(other) => json!({ "input": other }),
        Err(_) => json!({ "input": json }),
    }
}

impl OutStep {
    pub(super) fn into_value(self, number: usize, refs: &HashMap<String, Vec<String>>) -> Value {
        let mut step = Map::new();
        let mut extra = Map::new();
        step.insert("step_id".into(), number.into());
        if let Some(time) = self.time {
            let time = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            step.insert("timestamp".into(), time.into());
        }
        if self.rewound {
            extra.insert("state".into(), "rewound".into());
        }
        match self.said {
            Some(said) => {
                step.insert("source".into(), said.source.into());
                step.insert("message".into(), said.message);
                extra.insert("origin".into(), said.origin.as_str().into());
            }
            None => {
                step.insert("source".into(), "agent".into());
                step.insert("message".into(), self.texts.join("\n\n").into());
                if let Some(model) = self.model {
                    step.insert("model_name".into(), model.into());
                }
                if !self.reasoning.is_empty() {
                    step.insert("reasoning_content".into(), self.reasoning.join("\n\n").into());
                }
                if let Some(metrics) = self.usage.and_then(metrics) {
                    step.insert("metrics".into(), metrics);
                }
                if !self.calls.is_empty() {
                    step.insert("tool_calls".into(), self.calls.into());
                }
            }
        }
        if !self.results.is_empty() {
            let results: Vec<Value> = self
                .results
                .into_iter()
                .map(|result| result.into_value(refs))
                .collect();
            step.insert("observation".into(), json!({ "results": results }));
        }
        if !extra.is_empty() {
            step.insert("extra".into(), extra.into());
        }
        step.into()
    }
}

impl Answered {
    fn into_value(self, refs: &HashMap<String, Vec<String>>) -> Value {
        let mut result = Map::new();
        if let Some(output) = self.output {
            result.insert("content".into(), output.into());
        }
        if let Some(agents) = refs.get(&self.call) {
            let links: Vec<Value> = agents
                .iter()
                .map(|agent| json!({ "trajectory_id": agent }))
                .collect();
            result.insert("subagent_trajectory_ref".into(), links.into());
        }
        let mut extra = Map::new();
        if let Some(failed) = self.failed {
            extra.insert("is_error".into(), failed.into());
        }
        if let Some(code) = self.exit_code {
            extra.insert("exit_code".into(), code.into());
        }
        if !extra.is_empty() {
            result.insert("extra".into(), extra.into());
        }
        result.insert("source_call_id".into(), self.call.into());
        result.into()
    }
}

fn metrics(usage: Usage) -> Option<Value> {
    let mut metrics = Map::new();
    if let Some(tokens) = prompt_tokens(usage) {
        metrics.insert("prompt_tokens".into(), tokens.into());
    }
    if let Some(tokens) = usage.output_tokens {
        metrics.insert("completion_tokens".into(), tokens.into());
    }
    if let Some(tokens) = usage.cache_read_tokens {
        metrics.insert("cached_tokens".into(), tokens.into());
    }
    if let Some(tokens) = usage.cache_write_tokens {
        metrics.insert("extra".into(), json!({ "cache_creation_input_tokens": tokens }));
    }
    (!metrics.is_empty()).then(|| metrics.into())
}
