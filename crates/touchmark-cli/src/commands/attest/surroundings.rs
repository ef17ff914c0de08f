//! Where an attestation is made: a CI service or somebody's machine, and what set it off.
//!
//! Only the variables named here are read and only their values reach a statement. All of them are claims: whoever
//! controls the environment controls them.

use touchmark_statement::agent_change::{self, EnvironmentKind, Trigger, TriggerKind};

use crate::environment::Environment;

/// The longest value that is taken over.
const MAX_VALUE_BYTES: usize = 1_024;

/// Where the command runs and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// What kind of place it is.
    pub(crate) kind: EnvironmentKind,
    /// The page of the CI run.
    pub(crate) run: Option<String>,
    /// What set the work off.
    pub(crate) trigger: TriggerKind,
    /// Who set it off, as the CI service names them.
    pub(crate) principal: Option<String>,
    /// The forge's number for the repository.
    pub(crate) repository_id: Option<String>,
}

/// Reads what one CI service says.
type Reader = fn(&Environment) -> Surroundings;

/// Variables by which agents mark the processes they start, and whose they are. `AI_AGENT` holds a name itself.
const AGENT_MARKS: &[(&str, Option<&str>)] = &[
    ("AI_AGENT", None),
    ("CLAUDECODE", Some("claude-code")),
    ("CLAUDE_CODE_ENTRYPOINT", Some("claude-code")),
    ("CODEX_CI", Some("codex")),
    ("CODEX_SANDBOX", Some("codex")),
    ("CODEX_THREAD_ID", Some("codex")),
    ("GEMINI_CLI", Some("gemini")),
    ("ANTIGRAVITY_AGENT", Some("antigravity")),
    ("COPILOT_AGENT_SESSION_ID", Some("copilot")),
    ("COPILOT_CLI", Some("copilot")),
    ("CURSOR_AGENT", Some("cursor")),
    ("CURSOR_SANDBOX", Some("cursor")),
    ("OPENCODE", Some("opencode")),
    ("AUGMENT_AGENT", Some("augment")),
    ("GOOSE_TERMINAL", Some("goose")),
];

/// Variables that hold the session's own identifier.
const SESSION_MARKS: &[(&str, &str)] = &[
    ("CLAUDE_CODE_SESSION_ID", "claude-code"),
    ("CODEX_THREAD_ID", "codex"),
    ("COPILOT_AGENT_SESSION_ID", "copilot"),
];

/// Returns which variables mark this process as started by an agent, each with the agent that it names.
pub(crate) fn agent_marks(environment: &Environment) -> Vec<(&'static str, Option<String>)> {
    let set = AGENT_MARKS
        .iter()
        .filter(|(name, _)| environment.raw(name).is_some());
    set.map(|(name, agent)| {
        let agent = agent.map_or_else(|| value(environment, name), |agent| Some(agent.to_owned()));
        (*name, agent)
    })
    .collect()
}

/// Returns the identifiers of sessions that the environment names: variable, agent, identifier.
pub(crate) fn session_marks(environment: &Environment) -> Vec<(&'static str, &'static str, String)> {
    let all = SESSION_MARKS.iter();
    all.filter_map(|(name, agent)| Some((*name, *agent, value(environment, name)?)))
        .collect()
}

impl Surroundings {
    /// Reads the allow-listed variables.
    pub(crate) fn of(environment: &Environment) -> Self {
        let services: [(&str, Reader); 5] = [
            ("GITHUB_ACTIONS", github),
            ("GITLAB_CI", gitlab),
            ("BUILDKITE", buildkite),
            ("CIRCLECI", circleci),
            ("JENKINS_URL", jenkins),
        ];
        let service = services.iter().find(|(mark, _)| environment.raw(mark).is_some());
        service.map_or_else(|| local(environment), |(_, read)| read(environment))
    }

    /// The predicate's environment.
    pub(crate) fn environment(&self) -> agent_change::Environment {
        agent_change::Environment {
            kind: self.kind,
            run: self.run.clone(),
            image: None,
            sandbox: None,
        }
    }

    /// The predicate's trigger; where the environment says nothing, a person's prompt does.
    pub(crate) fn trigger(&self, prompted: bool) -> Trigger {
        let kind = match self.trigger {
            TriggerKind::Unknown if prompted => TriggerKind::Human,
            kind => kind,
        };
        Trigger {
            kind,
            principal: self.principal.clone(),
        }
    }
}

fn local(environment: &Environment) -> Surroundings {
    let trigger = if agent_marks(environment).is_empty() {
        TriggerKind::Unknown
    } else {
        TriggerKind::Agent
    };
    let kind = match (environment.text("CI"), environment.text("CLAUDE_CODE_REMOTE")) {
        (_, Some("true")) => EnvironmentKind::Cloud,
        (Some(ci), _) if ci != "false" => EnvironmentKind::Ci,
        _ => EnvironmentKind::Local,
    };
    Surroundings {
        kind,
        run: None,
        trigger,
        principal: None,
        repository_id: None,
    }
}

fn github(environment: &Environment) -> Surroundings {
    let run = match (
        value(environment, "GITHUB_SERVER_URL"),
        value(environment, "GITHUB_REPOSITORY"),
        value(environment, "GITHUB_RUN_ID"),
    ) {
        (Some(server), Some(repository), Some(id)) => {
            let attempt = value(environment, "GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
            Some(format!(
                "{server}/{repository}/actions/runs/{id}/attempts/{attempt}"
            ))
        }
        _ => None,
    };
    let trigger = match environment.text("GITHUB_EVENT_NAME") {
        Some("schedule") => TriggerKind::Schedule,
        Some("workflow_dispatch" | "repository_dispatch" | "issue_comment" | "issues") => TriggerKind::Human,
        Some(_) => TriggerKind::Ci,
        None => TriggerKind::Unknown,
    };
    Surroundings {
        kind: EnvironmentKind::Ci,
        run,
        trigger,
        principal: value(environment, "GITHUB_TRIGGERING_ACTOR")
            .or_else(|| value(environment, "GITHUB_ACTOR")),
        repository_id: value(environment, "GITHUB_REPOSITORY_ID"),
    }
}

fn gitlab(environment: &Environment) -> Surroundings {
    let trigger = match environment.text("CI_PIPELINE_SOURCE") {
        Some("schedule") => TriggerKind::Schedule,
        Some("web" | "chat") => TriggerKind::Human,
        Some(_) => TriggerKind::Ci,
        None => TriggerKind::Unknown,
    };
    Surroundings {
        kind: EnvironmentKind::Ci,
        run: value(environment, "CI_JOB_URL"),
        trigger,
        principal: value(environment, "GITLAB_USER_LOGIN"),
        repository_id: value(environment, "CI_PROJECT_ID"),
    }
}

fn buildkite(environment: &Environment) -> Surroundings {
    let trigger = match environment.text("BUILDKITE_SOURCE") {
        Some("schedule") => TriggerKind::Schedule,
        Some("ui") => TriggerKind::Human,
        Some(_) => TriggerKind::Ci,
        None => TriggerKind::Unknown,
    };
    Surroundings {
        kind: EnvironmentKind::Ci,
        run: value(environment, "BUILDKITE_BUILD_URL"),
        trigger,
        principal: value(environment, "BUILDKITE_BUILD_CREATOR"),
        repository_id: None,
    }
}

fn circleci(environment: &Environment) -> Surroundings {
    Surroundings {
        kind: EnvironmentKind::Ci,
        run: value(environment, "CIRCLE_BUILD_URL"),
        trigger: TriggerKind::Ci,
        principal: value(environment, "CIRCLE_USERNAME"),
        repository_id: None,
    }
}

fn jenkins(environment: &Environment) -> Surroundings {
    Surroundings {
        kind: EnvironmentKind::Ci,
        run: value(environment, "BUILD_URL"),
        trigger: TriggerKind::Ci,
        principal: value(environment, "CHANGE_AUTHOR"),
        repository_id: None,
    }
}

/// A variable's value, if it is short and free of characters that would have to be shown.
fn value(environment: &Environment, name: &str) -> Option<String> {
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
