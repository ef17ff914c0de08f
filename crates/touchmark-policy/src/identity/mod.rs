//! Who took part in a change, as every source says, and where two of them contradict each other.
//!
//! Nothing is decided here: a contradiction is recorded with both values, whoever writes the statement. What git says is
//! read again by whoever judges, so that a statement cannot hide it.

mod commit;
mod known;

use std::collections::BTreeSet;

use touchmark_statement::agent_change::{AgentChange, Finding, FoundValue, Identity, IdentityRole, Source};
use touchmark_statement::limits::MAX_FOUND_VALUES;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::lineage::RepositoryIdentity;

pub use commit::{PERSON, identities_of};
pub use known::{SESSION_VARIABLES, known_agent};

/// What a statement is about, as far as other sources may contradict it.
#[derive(Debug, Clone, Default)]
pub struct Told<'a> {
    /// The product whose session it is, and how that is known.
    pub product: Option<(&'a str, Source)>,
    /// The session's identifier.
    pub session: Option<&'a str>,
    /// Identifiers of sessions that it goes on from.
    pub other_sessions: BTreeSet<&'a str>,
    /// The agent's id, as whoever attests declares it.
    pub declared: Option<&'a str>,
    /// When the session began.
    pub started_at: Option<Timestamp>,
    /// When the newest commit says that it was written.
    pub authored_at: Option<Timestamp>,
    /// The repository.
    pub repository: Option<&'a str>,
}

impl<'a> Told<'a> {
    /// Takes what a statement says.
    pub fn of(claim: &'a AgentChange) -> Self {
        let product = claim.agent.product.as_ref();
        Self {
            product: product.map(|product| (product.name.as_str(), Source::Transcript)),
            session: claim.agent.instance.as_deref(),
            other_sessions: BTreeSet::new(),
            declared: Some(&claim.agent.id),
            started_at: claim.run.started_at,
            authored_at: None,
            repository: Some(&claim.change.repository.uri),
        }
    }
}

/// Returns every contradiction, in a fixed order.
pub fn contradictions(told: &Told<'_>, identities: &[Identity]) -> Vec<Finding> {
    let mut found: BTreeSet<Finding> = BTreeSet::new();
    // Where no session is at hand, a declared id that is the name of an agent stands for its product.
    let declared_product = told
        .declared
        .and_then(known_agent)
        .map(|agent| (agent, Source::SelfReported));
    if let Some((product, source)) = told.product.or(declared_product) {
        let product = known_agent(product).unwrap_or(product);
        let said = value(product, source, None);
        found.extend(other_agents(product, &said, identities));
        found.extend(declared(product, &said, told));
        found.extend(other_sessions(product, source, told, identities));
    }
    found.extend(bots(identities));
    found.extend(before(told));
    found.extend(other_repository(told, identities));
    found.into_iter().collect()
}

/// Sources that name another agent than the one whose session it is.
fn other_agents<'i>(
    product: &'i str,
    said: &'i FoundValue,
    identities: &'i [Identity],
) -> impl Iterator<Item = Finding> + 'i {
    // Agents start agents, so of the environment's marks one has to fit, not all.
    let marks = |identity: &&Identity| is_agent(identity) && identity.source == Source::Environment;
    let is_marked = identities
        .iter()
        .filter(marks)
        .any(|identity| identity.value == product);
    identities
        .iter()
        .filter(move |identity| identity.value != product)
        .filter_map(move |identity| {
            let code = match (identity.role, identity.source) {
                (IdentityRole::Agent, Source::Trailer) => "identity.trailer_differs",
                (IdentityRole::Agent, Source::Hook) => "identity.hook_differs",
                (IdentityRole::Agent, Source::Environment) if !is_marked => "identity.environment_differs",
                (IdentityRole::Author | IdentityRole::Committer, _) => "identity.author_differs",
                _ => return None,
            };
            known_agent(&identity.value)?;
            Some(finding(code, [of(identity), said.clone()]))
        })
}

fn is_agent(identity: &Identity) -> bool {
    identity.role == IdentityRole::Agent
}

/// A declared id that is the name of another agent. An id of the user's own choice names none.
fn declared(product: &str, said: &FoundValue, told: &Told<'_>) -> Option<Finding> {
    let declared = told.declared?;
    let agent = known_agent(declared).filter(|agent| *agent != product)?;
    let value = value(agent, Source::SelfReported, Some("agent"));
    Some(finding("identity.declared_differs", [value, said.clone()]))
}

/// Sources that name another session of the same agent.
fn other_sessions(product: &str, source: Source, told: &Told<'_>, identities: &[Identity]) -> Vec<Finding> {
    let Some(own) = told.session else {
        return Vec::new();
    };
    let differs = |identity: &&Identity| {
        identity.role == IdentityRole::Session
            && identity.value != own
            && !told.other_sessions.contains(identity.value.as_str())
            && (identity.source == Source::Hook
                || (writer_of(identity) == Some(product) && is_alike(own, &identity.value)))
    };
    let said = value(own, source, None);
    let all = identities.iter().filter(differs);
    all.map(|identity| finding("identity.session_differs", [of(identity), said.clone()]))
        .collect()
}

/// Returns the one agent that sets a variable or writes a trailer with the identifier of a session.
fn writer_of(identity: &Identity) -> Option<&'static str> {
    match identity.name.as_deref()? {
        "Claude-Session" => Some("claude-code"),
        "Agent-Logs-Url" => Some("copilot"),
        "Amp-Thread-ID" => Some("amp"),
        name => {
            let known = SESSION_VARIABLES.iter().find(|(variable, _)| *variable == name);
            known.map(|(_, agent)| *agent)
        }
    }
}

/// Returns whether two identifiers are of one form: services name their sessions in other ways than programs do.
fn is_alike(one: &str, other: &str) -> bool {
    let form = |text: &str| -> String {
        let kind = |c: char| if c.is_ascii_alphanumeric() { 'x' } else { c };
        text.chars().map(kind).collect()
    };
    form(one) == form(other)
}

/// Authors that are bots, and no agent that is known.
fn bots(identities: &[Identity]) -> impl Iterator<Item = Finding> {
    let people = |identity: &&Identity| {
        matches!(identity.role, IdentityRole::Author | IdentityRole::Committer)
            && identity.value.ends_with("[bot]")
            && known_agent(&identity.value).is_none()
    };
    let bots = identities.iter().filter(people);
    bots.map(|identity| finding("identity.author_is_bot", [of(identity)]))
}

/// A commit that says it was written before the session began.
fn before(told: &Told<'_>) -> Option<Finding> {
    let (started, authored) = (told.started_at?, told.authored_at?);
    let values = [
        value(&authored.to_string(), Source::Observed, Some("author")),
        value(&started.to_string(), Source::Transcript, Some("startedAt")),
    ];
    (authored < started).then(|| finding("identity.commit_before_session", values))
}

/// A token of a run in another repository.
fn other_repository(told: &Told<'_>, identities: &[Identity]) -> Vec<Finding> {
    let Some(repository) = told.repository else {
        return Vec::new();
    };
    let differs = |identity: &&Identity| {
        identity.role == IdentityRole::Repository && {
            let certified = RepositoryIdentity {
                uris: vec![identity.value.clone()],
                root_commits: Vec::new(),
            };
            !certified.is_named_by(repository)
        }
    };
    let said = value(repository, Source::Observed, Some("repository"));
    let all = identities.iter().filter(differs);
    all.map(|identity| finding("identity.repository_differs", [of(identity), said.clone()]))
        .collect()
}

fn of(identity: &Identity) -> FoundValue {
    value(&identity.value, identity.source, identity.name.as_deref())
}

fn value(text: &str, source: Source, name: Option<&str>) -> FoundValue {
    FoundValue {
        value: text.to_owned(),
        source,
        name: name.map(str::to_owned),
    }
}

fn finding(code: &str, values: impl IntoIterator<Item = FoundValue>) -> Finding {
    Finding {
        code: code.to_owned(),
        values: values.into_iter().take(MAX_FOUND_VALUES).collect(),
    }
}

#[cfg(test)]
mod tests;
