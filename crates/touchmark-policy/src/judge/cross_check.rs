//! What other sources say of who made a change, held against what a statement says. Git is read again here: what it shows
//! counts as seen, whether the statement speaks of it or not.

use std::collections::BTreeSet;

use touchmark_statement::agent_change::{AgentChange, Finding, Identity, IdentityRole, Source};
use touchmark_statement::git_id::GitCommitId;
use touchmark_statement::limits::MAX_COMMITS;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::git_view::{GitCommit, GitViewError};

use super::request::JudgeRequest;
use crate::exit::Class;
use crate::file::{Contradictions, Policy};
use crate::identity::{self, Told, identities_of, known_agent};
use crate::reason::registry;
use crate::verdict::Reason;

/// What was found about one statement.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) reasons: Vec<Reason>,
    /// The agent whose work the statement says it is, by its known name.
    pub(super) agent: Option<String>,
    /// The commits that the statement is about, as far as they are of the change.
    pub(super) commits: BTreeSet<GitCommitId>,
}

/// Holds a statement against git and against itself.
pub(super) fn check(request: &JudgeRequest<'_>, claim: &AgentChange) -> Result<Checked, GitViewError> {
    let commits = commits(request, claim)?;
    let mut seen: BTreeSet<Identity> = BTreeSet::new();
    for (_, commit) in &commits {
        seen.extend(identities_of(commit));
    }
    let mut told = Told::of(claim);
    told.authored_at = commits
        .first()
        .and_then(|(_, head)| Timestamp::from_unix(head.author.time).ok());
    let stated = claim.identities.as_deref().unwrap_or_default();
    let mut all = seen.clone();
    // What git says was read above. A certificate is compared elsewhere, and more strictly.
    let elsewhere = |identity: &&Identity| !is_of_git(identity) && identity.role != IdentityRole::Repository;
    all.extend(stated.iter().filter(elsewhere).cloned());
    let all: Vec<Identity> = all.into_iter().collect();
    let mut found: BTreeSet<Finding> = identity::contradictions(&told, &all).into_iter().collect();
    let own = |finding: &&Finding| {
        ["identity.", "session."]
            .iter()
            .any(|area| finding.code.starts_with(area))
            && registry::explain(&finding.code).is_some_and(|entry| entry.class == Class::Finding)
    };
    found.extend(claim.findings.iter().flatten().filter(own).cloned());
    let mut reasons: Vec<Reason> = found.iter().map(reason).collect();
    if claim.identities.is_some() {
        reasons.extend(concealed(&seen, stated));
    }
    let product = claim.agent.product.as_ref().map(|product| product.name.as_str());
    Ok(Checked {
        reasons,
        agent: product.map(|name| known_agent(name).unwrap_or(name).to_owned()),
        commits: commits.into_iter().map(|(id, _)| id).collect(),
    })
}

/// Follows the commits of the change back from the statement's, newest first, up to its base.
fn commits(
    request: &JudgeRequest<'_>,
    claim: &AgentChange,
) -> Result<Vec<(GitCommitId, GitCommit)>, GitViewError> {
    let change = request.change;
    let of_change: BTreeSet<&GitCommitId> = change
        .commits
        .iter()
        .chain(&change.pull_request_commits)
        .collect();
    let mut found = Vec::new();
    let mut next = claim.change.proposed.git_commit.clone();
    while let Some(id) = next.take() {
        let is_base = claim.change.base.git_commit.as_ref() == Some(&id);
        if is_base || !of_change.contains(&id) || found.len() >= MAX_COMMITS {
            break;
        }
        let commit = request.git.commit(&id)?;
        next = commit.parents.first().cloned();
        found.push((id, commit));
    }
    Ok(found)
}

fn is_of_git(identity: &Identity) -> bool {
    matches!(identity.source, Source::Trailer | Source::Observed)
}

/// Agents that git shows and that a statement which lists who took part leaves out.
fn concealed(seen: &BTreeSet<Identity>, stated: &[Identity]) -> Vec<Reason> {
    let agents: BTreeSet<&str> = seen
        .iter()
        .filter_map(|identity| known_agent(&identity.value))
        .collect();
    let named: BTreeSet<&str> = stated
        .iter()
        .filter(|identity| is_of_git(identity))
        .filter_map(|identity| known_agent(&identity.value))
        .collect();
    let hidden = agents.difference(&named);
    hidden
        .map(|agent| {
            Reason::new("identity.concealed")
                .expected(agent)
                .found("not among the statement's identities")
        })
        .collect()
}

/// Commits of the change that no statement speaks of, and that name an agent of which no statement speaks either.
pub(super) fn unattested(
    request: &JudgeRequest<'_>,
    relied_on: &[&Checked],
) -> Result<Vec<Reason>, GitViewError> {
    let mut found: BTreeSet<(String, GitCommitId)> = BTreeSet::new();
    for id in &request.change.commits {
        if relied_on.iter().any(|checked| checked.commits.contains(id)) {
            continue;
        }
        for identity in identities_of(&request.git.commit(id)?) {
            let agent = known_agent(&identity.value);
            let attested = |agent: &str| {
                relied_on
                    .iter()
                    .any(|checked| checked.agent.as_deref() == Some(agent))
            };
            found.extend(
                agent
                    .filter(|agent| !attested(agent))
                    .map(|agent| (agent.to_owned(), id.clone())),
            );
        }
    }
    let reasons = found.into_iter().map(|(agent, commit)| {
        Reason::new("identity.unattested_agent")
            .expected("a statement of that agent")
            .found(format!("{agent} in commit {commit}"))
    });
    Ok(reasons.collect())
}

fn reason(finding: &Finding) -> Reason {
    let mut said = finding.values.iter().map(|value| {
        let source = super::claims::word(&value.source);
        match &value.name {
            Some(name) => format!("{} ({source}, {name})", value.value),
            None => format!("{} ({source})", value.value),
        }
    });
    let found = said.next().unwrap_or_default();
    let others: Vec<String> = said.collect();
    let reason = Reason::new(&finding.code).found(found);
    match others.is_empty() {
        true => reason,
        false => reason.expected(others.join(", ")),
    }
}

/// Gives reasons the class that the policy gives contradictions.
pub(super) fn classed(reasons: &[Reason], policy: &Policy) -> Vec<Reason> {
    let class = match policy.contradictions {
        Contradictions::Warn => Class::Finding,
        Contradictions::Deny => Class::Denied,
    };
    reasons.iter().map(|reason| reason.clone().class(class)).collect()
}
