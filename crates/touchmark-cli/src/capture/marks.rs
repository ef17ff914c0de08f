//! The variables by which a process says who started it and where. A worker serves the hooks of many agents, so each
//! hook's own are kept with its turn. Names and values of other variables are never written down.

use std::collections::BTreeMap;

use crate::environment::Environment;

/// The longest value that is kept.
const MAX_VALUE_BYTES: usize = 1_024;

/// Set by `touchmark run` for everything inside: hooks then leave their turns for it.
pub(crate) const RUN: &str = "TOUCHMARK_RUN";

/// Variables that name the session of an agent that runs others.
const SESSIONS: &[(&str, &str)] = &[
    ("claude-code", "CLAUDE_CODE_SESSION_ID"),
    ("codex", "CODEX_THREAD_ID"),
    ("copilot", "COPILOT_AGENT_SESSION_ID"),
    ("gemini", "GEMINI_SESSION_ID"),
];

/// Everything that is kept. None of them holds a token.
pub(crate) const NAMES: &[&str] = &[
    "AI_AGENT",
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
    "CLAUDECODE",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_REMOTE",
    "CLAUDE_CODE_SESSION_ID",
    "CODEX_CI",
    "CODEX_SANDBOX",
    "CODEX_THREAD_ID",
    "COPILOT_AGENT_SESSION_ID",
    "COPILOT_CLI",
    "CURSOR_AGENT",
    "CURSOR_TRACE_ID",
    "GEMINI_CLI",
    "GEMINI_SESSION_ID",
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
    "GOOSE_TERMINAL",
    "JENKINS_URL",
    "OPENCODE",
];

/// Takes over those that are set.
pub(crate) fn of(environment: &Environment) -> BTreeMap<String, String> {
    NAMES
        .iter()
        .filter_map(|name| Some((*name, environment.text(name)?)))
        .filter(|(_, value)| value.len() <= MAX_VALUE_BYTES)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Returns the session of another product that this one says it runs inside of.
pub(crate) fn parent(environment: &Environment, product: &str, session: Option<&str>) -> Option<String> {
    SESSIONS
        .iter()
        .filter(|(other, _)| *other != product)
        .filter_map(|(_, name)| environment.text(name))
        .find(|id| Some(*id) != session && id.len() <= MAX_VALUE_BYTES)
        .map(str::to_owned)
}

/// Returns the product whose session this one says it runs inside of; nothing where two of them would be.
pub(crate) fn product_of(environment: &Environment, session: &str) -> Option<&'static str> {
    let mut named = SESSIONS
        .iter()
        .filter(|(_, name)| environment.text(name) == Some(session));
    let (product, _) = named.next()?;
    named.next().is_none().then_some(*product)
}
