//! The records of a trajectory.

use std::collections::{HashMap, VecDeque};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tools::{self, Act};
use crate::error::ImportError;
use crate::json::lenient::{Count, Flag, Object, Text};
use crate::limits::MAX_DISTINCT_NAMES;
use crate::recorder::document::{Piece, survey};
use crate::recorder::names::split_provider;
use crate::recorder::{NewCall, NewResult, Place, Recorder, Spot, parts};
use crate::run::{PromptOrigin, StepKind};

/// A text of which a copy is kept, or nothing.
fn owned<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Text::deserialize(deserializer)?;
    Ok(text.0.map(std::borrow::Cow::into_owned))
}

fn counted<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Count::deserialize(deserializer)?.0)
}

/// A number as it stands in JSON.
fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = <Option<&RawValue>>::deserialize(deserializer)?;
    Ok(raw
        .map(|raw| raw.get().to_owned())
        .filter(|text| text.len() <= 64))
}

/// An object, or its default where another value stands.
fn inside<'de, T: Default + Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Object::<T>::deserialize(deserializer)?.0.unwrap_or_default())
}

/// How the run was set up.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    #[serde(deserialize_with = "inside")]
    pub(super) env: Env,
    #[serde(deserialize_with = "inside")]
    pub(super) agent: Agent,
    #[serde(deserialize_with = "inside")]
    pub(super) problem_statement: Problem,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Env {
    #[serde(deserialize_with = "inside")]
    pub(super) repo: Repo,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Repo {
    #[serde(deserialize_with = "owned")]
    pub(super) base_commit: Option<String>,
    #[serde(deserialize_with = "owned")]
    pub(super) github_url: Option<String>,
    #[serde(deserialize_with = "owned")]
    pub(super) path: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Agent {
    #[serde(deserialize_with = "inside")]
    pub(super) model: Model,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Model {
    #[serde(deserialize_with = "owned")]
    pub(super) name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    #[serde(deserialize_with = "owned")]
    pub(super) id: Option<String>,
}

/// How the run ended.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    #[serde(deserialize_with = "owned")]
    pub(super) submission: Option<String>,
    #[serde(rename = "swe_agent_version", deserialize_with = "owned")]
    pub(super) version: Option<String>,
    #[serde(deserialize_with = "inside")]
    pub(super) model_stats: Stats,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Stats {
    #[serde(deserialize_with = "number")]
    pub(super) instance_cost: Option<String>,
    #[serde(deserialize_with = "counted")]
    pub(super) tokens_sent: Option<u64>,
    #[serde(deserialize_with = "counted")]
    pub(super) tokens_received: Option<u64>,
    #[serde(deserialize_with = "counted")]
    pub(super) api_calls: Option<u64>,
}

/// Reads how the run ended.
pub(super) fn info(spot: Spot<'_>) -> Option<Info> {
    serde_json::from_str::<Object<Info>>(spot.json).ok()?.0
}

/// A step of the agent.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Taken<'a> {
    #[serde(borrow)]
    action: Text<'a>,
    #[serde(borrow)]
    observation: Text<'a>,
    #[serde(borrow)]
    response: Text<'a>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
}

/// Where the agent stood after a step.
#[derive(Default, Deserialize)]
#[serde(default)]
struct State<'a> {
    #[serde(borrow)]
    open_file: Text<'a>,
    #[serde(borrow)]
    working_dir: Text<'a>,
}

impl State<'_> {
    /// The same, apart from the text that it was read from.
    fn kept(self) -> State<'static> {
        let kept = |text: Text<'_>| Text(text.0.map(|text| text.into_owned().into()));
        State {
            open_file: kept(self.open_file),
            working_dir: kept(self.working_dir),
        }
    }
}

/// A message of the conversation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Text<'a>,
    is_demo: Flag,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ToolCall<'a> {
    #[serde(borrow)]
    function: Object<Function<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Function<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    arguments: Text<'a>,
}

/// What the conversation says of an action.
struct Named {
    tool: String,
    arguments: Option<String>,
}

/// Reads the lists.
pub(super) struct Reader<'c> {
    model: Option<(&'c str, Option<&'static str>)>,
    /// The calls of the conversation, by the action that each gave.
    named: HashMap<String, VecDeque<Named>>,
    /// Whether the conversation repeats what the trajectory holds, whichever stands first.
    has_trajectory: bool,
    taken: usize,
    has_answered: bool,
}

impl<'c> Reader<'c> {
    pub(super) fn new(config: &'c Config, bytes: &[u8]) -> Result<Self, ImportError> {
        let mut named: HashMap<String, VecDeque<Named>> = HashMap::new();
        let mut has_trajectory = false;
        survey(bytes, &["history", "trajectory"], &mut |piece| {
            match piece {
                Piece::Item {
                    list: "history",
                    spot,
                    ..
                } => {
                    if let Some((action, call)) = named_call(spot.json)
                        && named.len() < MAX_DISTINCT_NAMES
                    {
                        named.entry(action).or_default().push_back(call);
                    }
                }
                Piece::Item { .. } => has_trajectory = true,
                Piece::Field { .. } => {}
            }
            Ok(())
        })?;
        let model = config.agent.model.name.as_deref().map(split_provider);
        Ok(Self {
            model: model.map(|(provider, name)| (name, provider)),
            named,
            has_trajectory,
            taken: 0,
            has_answered: false,
        })
    }

    pub(super) fn item(
        &mut self,
        recorder: &mut Recorder,
        list: &str,
        spot: Spot<'_>,
    ) -> Result<(), ImportError> {
        match list {
            "trajectory" => self.taken(recorder, spot),
            "history" => self.message(recorder, spot),
            // Attempts that were given up; the one that counts stands in the lists above.
            _ => recorder.add_step(StepKind::Other, spot).map(|_| ()),
        }
    }

    fn taken(&mut self, recorder: &mut Recorder, spot: Spot<'_>) -> Result<(), ImportError> {
        let Ok(Object(Some(taken))) = serde_json::from_str::<Object<Taken<'_>>>(spot.json) else {
            return recorder.add_step(StepKind::Unknown, spot).map(|_| ());
        };
        let place = recorder.add_step(StepKind::Answer, spot)?;
        self.taken += 1;
        if let Some((model, provider)) = self.model {
            recorder.model_step(model, provider, place);
        }
        if let Some(response) = taken.response.as_deref() {
            recorder.says(response, place)?;
        }
        let state = state(taken.state);
        let stood = recorder.run.working_directories.last().cloned();
        recorder.working_directory(state.working_dir.as_deref());
        let place = Place {
            working_directory: stood.as_deref().or(state.working_dir.as_deref()),
            ..place
        };
        let Some(action) = taken.action.as_deref().filter(|action| !action.trim().is_empty()) else {
            return Ok(());
        };
        let named = self.named.get_mut(action).and_then(VecDeque::pop_front);
        let act = Act::of(
            action,
            named.as_ref().map(|named| named.tool.as_str()),
            state.open_file.as_deref(),
        );
        // The identifiers of the conversation's calls are not unique: replayed demonstrations repeat theirs.
        let id = format!("trajectory-{}", self.taken);
        let writes: Vec<&str> = act.path.iter().map(String::as_str).collect();
        recorder.call(
            &NewCall {
                id: Some(&id),
                name: &act.tool,
                command: act.command.as_deref(),
                writes: &writes,
                arguments: named.as_ref().and_then(|named| named.arguments.as_deref()),
                ..NewCall::default()
            },
            place,
        )?;
        if let Some(observation) = taken.observation.as_deref() {
            recorder.result(
                &NewResult {
                    id: &id,
                    failed: tools::has_failed(observation),
                    exit_code: None,
                    output: Some(observation),
                },
                place,
            );
        }
        Ok(())
    }

    fn message(&mut self, recorder: &mut Recorder, spot: Spot<'_>) -> Result<(), ImportError> {
        let message = serde_json::from_str::<Object<Message<'_>>>(spot.json)
            .ok()
            .and_then(|message| message.0)
            .unwrap_or_default();
        let role = message.role.as_deref();
        let kind = match role {
            Some("system") => StepKind::Prompt,
            Some("user") if !self.has_answered => StepKind::Prompt,
            Some("user" | "tool") => StepKind::ToolResult,
            Some("assistant") => StepKind::Answer,
            _ => StepKind::Unknown,
        };
        let place = recorder.add_step(kind, spot)?;
        match kind {
            StepKind::Prompt => {
                let origin = if role == Some("user") && !message.is_demo.is_true() {
                    PromptOrigin::Human
                } else {
                    PromptOrigin::Injected
                };
                let parts = message
                    .content
                    .map(|raw| parts::from_json(raw.get()))
                    .unwrap_or_default();
                recorder.prompt(parts, origin, place)
            }
            StepKind::Answer | StepKind::ToolResult => {
                self.has_answered |= !message.is_demo.is_true();
                if self.has_trajectory {
                    recorder.copied(place.step);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Reads where the agent stood: an object, or a text that holds one.
fn state(raw: Option<&RawValue>) -> State<'_> {
    let json = raw.map(RawValue::get).unwrap_or_default();
    let inner = serde_json::from_str::<Text<'_>>(json)
        .ok()
        .and_then(|text| text.0);
    let read = match inner {
        Some(inner) => serde_json::from_str::<Object<State<'_>>>(&inner)
            .ok()
            .map(|state| state.0.map(State::kept)),
        None => serde_json::from_str::<Object<State<'_>>>(json)
            .ok()
            .map(|state| state.0),
    };
    read.flatten().unwrap_or_default()
}

/// The action of an answer, and the call that gave it.
fn named_call(json: &str) -> Option<(String, Named)> {
    let message = serde_json::from_str::<Object<Message<'_>>>(json).ok()?.0?;
    let action = message.action.0?;
    let calls: Vec<Object<ToolCall<'_>>> = serde_json::from_str(message.tool_calls?.get()).ok()?;
    let call = calls.into_iter().next()?.0?;
    let function = call.function.0?;
    let tool = function.name.0.filter(|name| !name.is_empty())?.into_owned();
    let named = Named {
        tool,
        arguments: function.arguments.0.map(std::borrow::Cow::into_owned),
    };
    Some((action.into_owned(), named))
}
