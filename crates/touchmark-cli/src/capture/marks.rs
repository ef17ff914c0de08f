//! The variables by which a process says who started it and where. A worker serves the hooks of many agents, so each
//! hook's own are kept with its turn. Names and values of other variables are never written down.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_policy::identity::SESSION_VARIABLES;

use crate::environment::Environment;

/// The longest value that is taken over.
const MAX_VALUE_BYTES: usize = 1_024;

/// Set by `touchmark run` for everything inside: hooks then leave their turns for it.
pub(crate) const RUN: &str = "TOUCHMARK_RUN";

/// Variables by which agents mark the processes they start, and whose they are. `AI_AGENT` holds a name itself.
const AGENTS: &[(&str, Option<&str>)] = &[
    ("AI_AGENT", None),
    ("ANTIGRAVITY_AGENT", Some("antigravity")),
    ("AUGMENT_AGENT", Some("augment")),
    ("CLAUDECODE", Some("claude-code")),
    ("CLAUDE_CODE_ENTRYPOINT", Some("claude-code")),
    ("CODEX_CI", Some("codex")),
    ("CODEX_SANDBOX", Some("codex")),
    ("CODEX_THREAD_ID", Some("codex")),
    ("COPILOT_AGENT_SESSION_ID", Some("copilot")),
    ("COPILOT_CLI", Some("copilot")),
    ("CURSOR_AGENT", Some("cursor")),
    ("CURSOR_SANDBOX", Some("cursor")),
    ("GEMINI_CLI", Some("gemini")),
    ("GOOSE_TERMINAL", Some("goose")),
    ("OPENCODE", Some("opencode")),
];

/// Variables that say where a process runs, and what set it off. None of them holds a token.
const PLACES: &[&str] = &[
    "BUILDKITE",
    "BUILDKITE_BUILD_CREATOR",
    "BUILDKITE_BUILD_URL",
    "BUILDKITE_SOURCE",
    "BUILD_URL",
    "CHANGE_AUTHOR",
    "CI",
    "CIRCLECI",
    "CIRCLE_BUILD_URL",
    "CIRCLE_USERNAME",
    "CI_JOB_URL",
    "CI_PIPELINE_SOURCE",
    "CI_PROJECT_ID",
    "CLAUDE_CODE_REMOTE",
    "GITHUB_ACTIONS",
    "GITHUB_ACTOR",
    "GITHUB_EVENT_NAME",
    "GITHUB_REPOSITORY",
    "GITHUB_REPOSITORY_ID",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_SERVER_URL",
    "GITHUB_TRIGGERING_ACTOR",
    "GITLAB_CI",
    "GITLAB_USER_LOGIN",
    "JENKINS_URL",
];

/// Returns every variable that is read, and that hooks therefore keep.
pub(crate) fn names() -> Vec<&'static str> {
    let agents = AGENTS.iter().map(|(name, _)| *name);
    let sessions = SESSION_VARIABLES.iter().map(|(name, _)| *name);
    let all: BTreeSet<&str> = agents.chain(sessions).chain(PLACES.iter().copied()).collect();
    all.into_iter().collect()
}

/// Returns which variables mark this process as started by an agent, each with the agent that it names.
pub(crate) fn agents(environment: &Environment) -> Vec<(&'static str, Option<String>)> {
    let set = AGENTS.iter().filter(|(name, _)| environment.raw(name).is_some());
    set.map(|(name, agent)| {
        let agent = agent.map_or_else(|| value(environment, name), |agent| Some(agent.to_owned()));
        (*name, agent)
    })
    .collect()
}

/// Returns the identifiers of sessions that the environment names, each with its variable.
pub(crate) fn sessions(environment: &Environment) -> Vec<(&'static str, String)> {
    let all = SESSION_VARIABLES.iter();
    all.filter_map(|(name, _)| Some((*name, value(environment, name)?)))
        .collect()
}

/// A variable's value, if it is short and free of characters that would have to be shown.
pub(crate) fn value(environment: &Environment, name: &str) -> Option<String> {
    let text = environment.text(name)?;
    let plain = text.len() <= MAX_VALUE_BYTES && !text.chars().any(crate::output::escape::is_unsafe);
    plain.then(|| without_credentials(text))
}

/// Drops `user:password@` from a URL.
fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

/// Takes over those that are set.
pub(crate) fn of(environment: &Environment) -> BTreeMap<String, String> {
    names()
        .into_iter()
        .filter_map(|name| Some((name, environment.text(name)?)))
        .filter(|(_, value)| value.len() <= MAX_VALUE_BYTES)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Returns the session of another product that this one says it runs inside of.
pub(crate) fn parent(environment: &Environment, product: &str, session: Option<&str>) -> Option<String> {
    SESSION_VARIABLES
        .iter()
        .filter(|(_, other)| *other != product)
        .filter_map(|(name, _)| environment.text(name))
        .find(|id| Some(*id) != session && id.len() <= MAX_VALUE_BYTES)
        .map(str::to_owned)
}

/// Returns the product whose session this one says it runs inside of; nothing where two of them would be.
pub(crate) fn product_of(environment: &Environment, session: &str) -> Option<&'static str> {
    let mut named = SESSION_VARIABLES
        .iter()
        .filter(|(name, _)| environment.text(name) == Some(session));
    let (_, product) = named.next()?;
    named.next().is_none().then_some(*product)
}
