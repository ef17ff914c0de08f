//! Writing a session as a trajectory.
//!
//! The result holds prompts, answers, arguments and output: it is for who holds the session, never for a statement.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::outline::{OutStep, Outline};
use crate::error::ImportError;
use crate::importer::by_format;
use crate::run::{Role, Run, Usage, Words};
use crate::session::{ImportOptions, Session};

/// The version that is written.
const SCHEMA_VERSION: &str = "ATIF-v1.7";

/// Why a session could not be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// No importer has this name.
    #[error("no importer reads {format:?}")]
    UnknownFormat {
        /// The format that the session names.
        format: &'static str,
    },
    /// The session could not be read again.
    #[error("the session could not be read again")]
    Import(#[source] Box<ImportError>),
    /// Nothing in the session can be told as a step.
    #[error("nothing in the session can be told as a step")]
    Nothing,
}

impl ExportError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownFormat { .. } => "session.unknown_format",
            Self::Import(error) => error.code(),
            Self::Nothing => "session.empty",
        }
    }
}

/// Writes a session as one trajectory, those of its sub-agents inside.
///
/// The session is read again with its words, since a [`Run`] does not carry them. What the product injected is a step of
/// the system, and `extra.origin` tells it from what a person said. Steps that repeat others are left out.
pub fn export(session: &Session) -> Result<Value, ExportError> {
    let again;
    let (run, words) = match &session.run.words {
        Some(words) => (&session.run, words),
        None => {
            again = read_again(session)?;
            let words = again.words.as_ref().ok_or(ExportError::Nothing)?;
            (&again, words)
        }
    };
    trajectory(run, words, session.run.session_id.as_deref())
}

fn read_again(session: &Session) -> Result<Run, ExportError> {
    let importer = by_format(session.format).ok_or(ExportError::UnknownFormat {
        format: session.format,
    })?;
    let options = ImportOptions {
        session_id: session.run.session_id.clone(),
        words: true,
        ..ImportOptions::default()
    };
    importer
        .import(&session.files, &options)
        .map_err(|error| ExportError::Import(Box::new(error)))
}

fn trajectory(run: &Run, words: &Words, session_id: Option<&str>) -> Result<Value, ExportError> {
    let mut outline = Outline::of(run, words);
    if outline.primary.is_empty() && outline.subagents.len() == 1 {
        // A sub-agent's file that was read for itself.
        outline.primary = outline
            .subagents
            .pop_first()
            .map(|(_, steps)| steps)
            .unwrap_or_default();
    }
    if outline.primary.is_empty() {
        return Err(ExportError::Nothing);
    }
    let refs = references(run, &outline.subagents);
    let mut root = Map::new();
    root.insert("schema_version".into(), SCHEMA_VERSION.into());
    if let Some(id) = session_id {
        root.insert("session_id".into(), id.into());
    }
    root.insert("agent".into(), agent(run, Role::Primary));
    let total = outline.primary.len();
    root.insert("steps".into(), steps(outline.primary, &refs));
    root.insert("final_metrics".into(), final_metrics(run, total));
    let embedded: Vec<Value> = outline
        .subagents
        .into_iter()
        .filter(|(_, own)| !own.is_empty())
        .map(|(id, own)| {
            json!({
                "schema_version": SCHEMA_VERSION,
                "trajectory_id": id,
                "agent": agent(run, Role::Subagent),
                "steps": steps(own, &refs),
            })
        })
        .collect();
    if !embedded.is_empty() {
        root.insert("subagent_trajectories".into(), embedded.into());
    }
    root.insert(
        "extra".into(),
        json!({
            "transcript": {
                "importer": run.importer.name,
                "completeness": run.completeness.as_str(),
                "unknown": run.counters.unknown,
                "malformed": run.counters.malformed,
                "skipped": run.counters.skipped,
                "rewound": run.counters.rewound,
            }
        }),
    );
    Ok(root.into())
}

/// Which calls started which of the sub-agents that are written.
fn references(run: &Run, subagents: &BTreeMap<String, Vec<OutStep>>) -> HashMap<String, Vec<String>> {
    let mut refs: HashMap<String, Vec<String>> = HashMap::new();
    for (id, subagent) in &run.subagents {
        if let Some(call) = &subagent.tool_use_id
            && subagents.get(id).is_some_and(|steps| !steps.is_empty())
        {
            refs.entry(call.clone()).or_default().push(id.clone());
        }
    }
    refs
}

fn agent(run: &Run, role: Role) -> Value {
    let version = run.product.versions.last().map_or("unknown", String::as_str);
    let model = run
        .models
        .iter()
        .filter(|((_, part), _)| *part == role)
        .max_by_key(|(_, model)| model.answers)
        .map(|((name, _), _)| name.clone());
    let mut agent = json!({ "name": run.product.name, "version": version });
    if let Some(model) = model {
        agent["model_name"] = model.into();
    }
    if role == Role::Primary {
        agent["extra"] = about(run);
    }
    agent
}

fn about(run: &Run) -> Value {
    let mut about = Map::new();
    for (name, values) in [
        ("versions", &run.product.versions),
        ("cwds", &run.working_directories),
        ("git_branches", &run.branches),
    ] {
        if !values.is_empty() {
            about.insert(name.into(), values.clone().into());
        }
    }
    let bases: Vec<Value> = run
        .base_commits
        .iter()
        .map(|base| json!({ "id": base.id, "branch": base.branch, "repository": base.repository }))
        .collect();
    if !bases.is_empty() {
        about.insert("base_commits".into(), bases.into());
    }
    for (name, value) in [("vendor", &run.product.vendor), ("entrypoint", &run.entrypoint)] {
        if let Some(value) = value {
            about.insert(name.into(), value.clone().into());
        }
    }
    about.into()
}

fn steps(own: Vec<OutStep>, refs: &HashMap<String, Vec<String>>) -> Value {
    let steps = own
        .into_iter()
        .enumerate()
        .map(|(at, step)| step.into_value(at + 1, refs));
    steps.collect::<Vec<Value>>().into()
}

/// The tokens of the session itself. Those of its sub-agents stand in their own trajectories, where models account for
/// all that was used; otherwise the whole stands here.
fn final_metrics(run: &Run, total_steps: usize) -> Value {
    let of = |wanted: &[Role]| {
        let models = run.models.iter().filter(|((_, role), _)| wanted.contains(role));
        models.fold(Usage::default(), |sum, (_, model)| Usage {
            input_tokens: plus(sum.input_tokens, model.usage.input_tokens),
            output_tokens: plus(sum.output_tokens, model.usage.output_tokens),
            cache_read_tokens: plus(sum.cache_read_tokens, model.usage.cache_read_tokens),
            cache_write_tokens: plus(sum.cache_write_tokens, model.usage.cache_write_tokens),
            requests: run.usage.requests,
        })
    };
    let usage = if of(&[Role::Primary, Role::Subagent]) == run.usage {
        of(&[Role::Primary])
    } else {
        run.usage
    };
    let mut metrics = json!({ "total_steps": total_steps });
    if let Some(prompt) = prompt_tokens(usage) {
        metrics["total_prompt_tokens"] = prompt.into();
    }
    if let Some(tokens) = usage.output_tokens {
        metrics["total_completion_tokens"] = tokens.into();
    }
    if let Some(tokens) = usage.cache_read_tokens {
        metrics["total_cached_tokens"] = tokens.into();
    }
    if let Some(tokens) = usage.cache_write_tokens {
        metrics["extra"] = json!({ "total_cache_creation_input_tokens": tokens });
    }
    let cost = run.cost.as_ref().filter(|cost| cost.currency == "USD");
    if let Some(amount) = cost.and_then(|cost| cost.amount.parse::<f64>().ok()) {
        metrics["total_cost_usd"] = amount.into();
    }
    metrics
}

/// The prompt's tokens with those from and for a cache.
pub(super) fn prompt_tokens(usage: Usage) -> Option<u64> {
    plus(
        plus(usage.input_tokens, usage.cache_read_tokens),
        usage.cache_write_tokens,
    )
}

fn plus(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    }
}
