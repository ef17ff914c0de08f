//! Where an attestation is made: a CI service or somebody's machine, and what set it off.
//!
//! Only the variables that `marks` lists are read and only their values reach a statement. All of them are claims: whoever
//! controls the environment controls them.

use touchmark_statement::agent_change::{self, EnvironmentKind, Trigger, TriggerKind};

use crate::capture::marks::{self, value};
use crate::environment::Environment;

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
    let trigger = if marks::agents(environment).is_empty() {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A hook keeps the variables that are listed: one that is read here and not listed would be lost with it.
    #[test]
    fn every_variable_that_is_read_is_kept_by_hooks() {
        let listed = marks::names();
        let source = include_str!("surroundings.rs");
        let is_variable = |text: &&str| {
            text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        let read: Vec<&str> = source.split('"').skip(1).step_by(2).filter(is_variable).collect();
        assert!(read.len() > 20);
        for name in read {
            assert!(listed.contains(&name), "{name}");
        }
    }
}
