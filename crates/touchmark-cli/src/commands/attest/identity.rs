//! Who took part, as every source at hand says: commits, environment, hook, certificate. What they say is recorded with
//! where it comes from; what contradicts is found by `touchmark_policy::identity`, as whoever judges does again.
//!
//! Nobody's name or address is recorded: git holds those of the commits, and the statement names the commits.

use std::collections::BTreeSet;

use touchmark_agents::run;
use touchmark_agents::session::Session;
use touchmark_git::Repository;
use touchmark_policy::identity::{self, PERSON, Told, identities_of, known_agent};
use touchmark_statement::agent_change::{Finding, FoundValue, Identity, IdentityRole, Source};
use touchmark_statement::limits::MAX_IDENTITIES;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::git_view::GitView as _;
use touchmark_verify::identity::{CertificateIdentity, SubjectAlternativeName};
use touchmark_verify::lineage::normal_uri;

use super::change::GitChange;
use crate::capture::marks;
use crate::environment::Environment;
use crate::error::CliError;
use crate::signing_key::Who;

/// What sources outside of the session say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    identities: BTreeSet<Identity>,
    /// When the newest commit says that it was written.
    authored_at: Option<Timestamp>,
}

impl Sources {
    /// Reads commits and environment.
    pub(crate) fn read(
        git: &Repository,
        change: &GitChange,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let mut sources = Self::default();
        for row in &change.commits {
            sources
                .identities
                .extend(identities_of(&git.commit(&row.git_commit)?));
        }
        if let Some(head) = &change.proposed.git_commit {
            sources.authored_at = Timestamp::from_unix(git.commit(head)?.author.time).ok();
        }
        for (name, agent) in marks::agents(environment) {
            let agent = agent.map(|agent| known_agent(&agent).map_or(agent.clone(), str::to_owned));
            sources.say(IdentityRole::Agent, agent, Source::Environment, name);
        }
        for (name, session) in marks::sessions(environment) {
            sources.say(IdentityRole::Session, Some(session), Source::Environment, name);
        }
        Ok(sources)
    }

    /// Adds what called a hook.
    pub(crate) fn add_hook(&mut self, product: &str, session: Option<&str>) {
        let agent = known_agent(product).unwrap_or(product).to_owned();
        self.say(IdentityRole::Agent, Some(agent), Source::Hook, "hook");
        self.say(
            IdentityRole::Session,
            session.map(str::to_owned),
            Source::Hook,
            "hook",
        );
    }

    /// Adds what the signer's certificate says. Of a person it says here that it is one, and no more.
    fn add_certificate(&mut self, certificate: &CertificateIdentity) {
        let name = match &certificate.san {
            SubjectAlternativeName::Uri(uri) => uri.clone(),
            _ => PERSON.to_owned(),
        };
        self.say(IdentityRole::Signer, Some(name), Source::Platform, "certificate");
        let repository = certificate.claims.source_repository_uri.clone();
        self.say(
            IdentityRole::Repository,
            repository,
            Source::Platform,
            "certificate",
        );
    }

    /// Adds whoever signs.
    pub(crate) fn add_signer(&mut self, signer: &Who) {
        if let Who::Identity(identity) = signer {
            self.add_certificate(identity.certificate().identity());
        }
    }

    fn say(&mut self, role: IdentityRole, value: Option<String>, source: Source, name: &str) {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return;
        };
        self.identities.insert(Identity {
            role,
            value,
            source,
            name: Some(name.to_owned()),
        });
    }

    /// Returns who took part, and every contradiction. `declared` is the agent's id where somebody chose it; beside the
    /// session stands whether this is its first statement.
    pub(crate) fn against(
        &self,
        session: Option<(&Session, bool)>,
        declared: Option<&str>,
        change: &GitChange,
    ) -> (Vec<Identity>, Vec<Finding>) {
        let run = session.map(|(session, _)| &session.run);
        let mut told = Told {
            product: run.map(|run| (run.product.name.as_str(), Source::Transcript)),
            declared,
            authored_at: self.authored_at,
            repository: Some(&change.repository.uri),
            ..Told::default()
        };
        if let Some(run) = run {
            told.session = run.session_id.as_deref();
            told.other_sessions = run.other_session_ids.iter().map(String::as_str).collect();
            told.started_at = run
                .started_at
                .and_then(|at| Timestamp::from_unix(at.timestamp()).ok());
        }
        let identities: Vec<Identity> = self.identities.iter().take(MAX_IDENTITIES).cloned().collect();
        let mut findings = identity::contradictions(&told, &identities);
        findings.extend(
            run.iter()
                .flat_map(|run| &run.findings)
                .filter_map(importer_finding),
        );
        if let Some((session, true)) = session {
            findings.extend(other_base(&session.run, change));
        }
        findings.sort();
        findings.dedup();
        findings.truncate(MAX_IDENTITIES);
        (identities, findings)
    }
}

/// A session that says it began at a commit of which the change knows nothing. Only its first statement begins there.
fn other_base(run: &run::Run, change: &GitChange) -> Option<Finding> {
    let base = change.base.git_commit.as_ref()?;
    let here: Vec<&run::BaseCommit> = run
        .base_commits
        .iter()
        .filter(|said| {
            let named = said.repository.as_deref().and_then(normal_uri);
            named.is_none() || named == normal_uri(&change.repository.uri)
        })
        .collect();
    let known = |said: &&run::BaseCommit| {
        let rows = change.commits.iter().map(|row| &row.git_commit);
        rows.chain([base]).any(|id| id.as_str().starts_with(&said.id))
    };
    if here.is_empty() || here.iter().any(known) {
        return None;
    }
    let value = |text: &str, source, name: &str| FoundValue {
        value: text.to_owned(),
        source,
        name: Some(name.to_owned()),
    };
    let code = "session.base_differs";
    Some(Finding {
        code: code.to_owned(),
        values: vec![
            value(&here[0].id, Source::Transcript, "base"),
            value(base.as_str(), Source::Observed, "base"),
        ],
    })
}

/// What the importer found within the session itself.
fn importer_finding(finding: &run::Finding) -> Option<Finding> {
    let value = |value: &String| FoundValue {
        value: value.clone(),
        source: Source::Transcript,
        name: None,
    };
    let values = match finding {
        run::Finding::SessionIdDiffers { used, other } => [value(other), value(used)],
        run::Finding::ModelDiffers { first, later } => [value(first), value(later)],
        run::Finding::UsageDiffers { counted, reported } => {
            [counted, reported].map(|count| value(&count.to_string()))
        }
        _ => return None,
    };
    Some(Finding {
        code: code(finding)?.to_owned(),
        values: values.into(),
    })
}

fn code(finding: &run::Finding) -> Option<&'static str> {
    Some(match finding {
        run::Finding::SessionIdDiffers { .. } => "identity.session_differs",
        run::Finding::ModelDiffers { .. } => "identity.model_differs",
        run::Finding::UsageDiffers { .. } => "session.usage_differs",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
