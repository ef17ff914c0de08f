//! What policy asks of an agent and of its statements.
//!
//! A statement that breaks one of these rules cannot account for anything. It is kept apart from statements that are
//! wrong: where it would have accounted for the change, its broken rules are the reason for the no.

use std::collections::BTreeSet;

use touchmark_statement::agent_change::{AgentChange, Completeness, PathRow, SbomClaim};
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::GitTreeId;
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::{GitObject, GitViewError};

use super::admission;
use super::gather::{Evidence, sentence};
use super::lines::Difference;
use super::request::JudgeRequest;
use crate::agreement::RunPlace;
use crate::classes::POLICY_CLASS;
use crate::exit::Class;
use crate::file::{Agent, AgentStatus, Policy, SbomRequirement, TranscriptRequirement};
use crate::globs::{Glob, Subject};
use crate::verdict::Reason;

/// The largest file whose lines are counted.
const MAX_COUNTED_BYTES: u64 = 16 * 1024 * 1024;
/// The most bytes of one statement whose lines are counted.
const MAX_COUNTED_BYTES_IN_ALL: u64 = 256 * 1024 * 1024;

/// Returns every rule that the statement breaks.
pub(super) fn broken(
    request: &JudgeRequest<'_>,
    policy: &Policy,
    agent: &Agent,
    evidence: &Evidence<'_>,
    change: &AgentChange,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if agent.status == AgentStatus::Suspended {
        reasons.push(Reason::new("agent.suspended").found(&agent.id));
    }
    product(agent, change, &mut reasons);
    models(agent, change, &mut reasons);
    repository(request, agent, evidence, change, &mut reasons);
    git_ref(agent, change, &mut reasons);
    paths(policy, agent, change, &mut reasons);
    lines(request, agent, change, &mut reasons);
    requirements(agent, change, &mut reasons);
    let statement = evidence.verified.payload_digest();
    reasons
        .into_iter()
        .map(|reason| reason.statement(statement))
        .collect()
}

fn product(agent: &Agent, change: &AgentChange, reasons: &mut Vec<Reason>) {
    if agent.products.is_empty() {
        return;
    }
    let (name, version) = match &change.agent.product {
        Some(product) => (
            product.name.as_str(),
            product.version.as_deref().unwrap_or_default(),
        ),
        None => ("", ""),
    };
    if !agent
        .products
        .iter()
        .any(|requirement| requirement.admits(name, version))
    {
        let found = if name.is_empty() {
            "no product named".to_owned()
        } else {
            format!("{name} {version}")
        };
        let expected: Vec<String> = agent.products.iter().map(ToString::to_string).collect();
        reasons.push(
            Reason::new("agent.product")
                .expected(expected.join(" or "))
                .found(found.trim_end()),
        );
    }
}

fn models(agent: &Agent, change: &AgentChange, reasons: &mut Vec<Reason>) {
    if agent.models.is_empty() {
        return;
    }
    for model in &change.models {
        let name = format!("{}/{}", model.provider, model.id);
        if !agent.models.iter().any(|glob| glob.matches(name.as_bytes())) {
            reasons.push(
                Reason::new("agent.model")
                    .expected(list(&agent.models))
                    .found(name),
            );
        }
    }
}

fn repository(
    request: &JudgeRequest<'_>,
    agent: &Agent,
    evidence: &Evidence<'_>,
    change: &AgentChange,
    reasons: &mut Vec<Reason>,
) {
    let Some(scope) = &agent.scope.repositories else {
        return;
    };
    let identity = &request.change.repository;
    let Some(allowed) = scope.iter().find(|allowed| identity.is_named_by(&allowed.uri)) else {
        let uris: Vec<&str> = scope.iter().map(|allowed| allowed.uri.as_str()).collect();
        reasons.push(
            Reason::new("agent.repository")
                .expected(uris.join(" or "))
                .found(identity.uris.join(", ")),
        );
        return;
    };
    let Some(expected) = &allowed.id else { return };
    // A certificate knows the repository of the run. That of a fork, and what a key signs, is only what is claimed.
    let certified = evidence
        .verified
        .signer()
        .certificate()
        .filter(|identity| admission::place(evidence, identity, request) == Ok(RunPlace::SameRepository))
        .and_then(|identity| identity.claims.source_repository_identifier.as_deref());
    let found = certified.or(change.change.repository.id.as_deref());
    if found != Some(expected) {
        reasons.push(
            Reason::new("agent.repository_id")
                .expected(expected)
                .found(found.unwrap_or("no id named")),
        );
    }
}

fn git_ref(agent: &Agent, change: &AgentChange, reasons: &mut Vec<Reason>) {
    let Some(refs) = &agent.scope.refs else { return };
    let name = change.change.ref_name.as_deref().unwrap_or_default();
    if !refs.iter().any(|glob| glob.matches(name.as_bytes())) {
        let found = if name.is_empty() { "no ref named" } else { name };
        reasons.push(Reason::new("agent.ref").expected(list(refs)).found(found));
    }
}

fn paths(policy: &Policy, agent: &Agent, change: &AgentChange, reasons: &mut Vec<Reason>) {
    let rows = rows(change);
    let protected: Vec<RepoPath> = rows
        .iter()
        .filter(|row| row_is_protected(policy, row))
        .map(|row| row.path.clone())
        .collect();
    if !protected.is_empty() {
        reasons.push(Reason::new("agent.policy_path").paths(protected));
    }
    if let Some(globs) = &agent.scope.paths {
        let outside = |row: &&PathRow| !globs.iter().any(|glob| glob.matches(row.path.as_bytes()));
        let outside: Vec<RepoPath> = rows.iter().filter(outside).map(|row| row.path.clone()).collect();
        if !outside.is_empty() {
            reasons.push(Reason::new("agent.path").expected(list(globs)).paths(outside));
        }
    }
    if let Some(limit) = agent.limits.paths {
        let found = change
            .change
            .paths_tree
            .as_ref()
            .map_or(rows.len() as u64, |tree| tree.count);
        if found > limit {
            reasons.push(
                Reason::new("agent.too_many_paths")
                    .expected(format!("at most {limit}"))
                    .found(found),
            );
        }
    }
}

fn row_is_protected(policy: &Policy, row: &PathRow) -> bool {
    let link = |mode: FileMode| matches!(mode, FileMode::Symlink | FileMode::Gitlink);
    let indirect = row.from.as_ref().is_some_and(|side| link(side.mode))
        || row.to.as_ref().is_some_and(|side| link(side.mode));
    let path = Subject::new(row.path.as_bytes());
    policy
        .classes
        .iter()
        .filter(|class| class.id == POLICY_CLASS)
        .flat_map(|class| &class.paths)
        .any(|glob| glob.protects(&path) || (indirect && glob.protects_through(&path)))
}

fn rows(change: &AgentChange) -> &[PathRow] {
    change.change.paths.as_deref().unwrap_or_default()
}

fn lines(request: &JudgeRequest<'_>, agent: &Agent, change: &AgentChange, reasons: &mut Vec<Reason>) {
    let Some(limit) = agent.limits.lines else { return };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let code = "agent.too_many_lines";
    match changed_lines(request, change, limit) {
        Ok(true) => {}
        Ok(false) => {
            reasons.push(
                Reason::new(code)
                    .expected(format!("at most {limit}"))
                    .found("more"),
            );
        }
        Err(error) => {
            let found = format!("lines that cannot be counted: {}", sentence(&error));
            reasons.push(
                Reason::new(code)
                    .expected(format!("at most {limit}"))
                    .found(found),
            );
        }
    }
}

/// Returns whether at most `limit` lines were added or removed.
fn changed_lines(
    request: &JudgeRequest<'_>,
    change: &AgentChange,
    limit: usize,
) -> Result<bool, GitViewError> {
    let (base, proposed) = (&change.change.base.git_tree, &change.change.proposed.git_tree);
    let read = |tree: &GitTreeId, path: &RepoPath, mode: Option<FileMode>| match mode {
        Some(mode) if mode.is_file() => request
            .git
            .read_path(tree, path, MAX_COUNTED_BYTES)
            .map(Option::unwrap_or_default),
        _ => Ok(Vec::new()),
    };
    let mut left_to_read = MAX_COUNTED_BYTES_IN_ALL;
    // One file at a time is kept in memory.
    let mut difference = |row: &PathRow| {
        let old = read(base, &row.path, row.from.as_ref().map(|side| side.mode))?;
        let new = read(proposed, &row.path, row.to.as_ref().map(|side| side.mode))?;
        left_to_read = left_to_read
            .checked_sub((old.len() + new.len()) as u64)
            .ok_or_else(|| GitViewError::TooLarge {
                object: GitObject::Tree(proposed.clone()),
                limit: MAX_COUNTED_BYTES_IN_ALL,
            })?;
        Ok::<_, GitViewError>(Difference::of(&old, &new))
    };
    let mut unclear = Vec::new();
    let (mut at_most, mut kept) = (0_usize, 0_usize);
    for row in rows(change) {
        // Files only added or removed are counted at once, and need no second look.
        let size = difference(row)?.at_most();
        at_most = at_most.saturating_add(size);
        match row.from.is_some() && row.to.is_some() {
            true => unclear.push(row),
            false => kept = kept.saturating_add(size),
        }
        if kept > limit {
            return Ok(false);
        }
    }
    if at_most <= limit {
        return Ok(true);
    }
    let mut left = limit - kept;
    for row in unclear {
        match difference(row)?.count(left) {
            Some(count) => left -= count,
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn requirements(agent: &Agent, change: &AgentChange, reasons: &mut Vec<Reason>) {
    if agent.require.prompt {
        match &change.prompt {
            Some(prompt) if prompt.count.is_some_and(|count| count > 0) => {}
            Some(prompt) if prompt.plain_digest.is_some() => {
                let found = "only a plain digest, which can be guessed";
                reasons.push(
                    Reason::new("agent.prompt_unsalted")
                        .expected("salted commitments")
                        .found(found),
                );
            }
            _ => reasons.push(
                Reason::new("agent.prompt_missing")
                    .expected("salted commitments")
                    .found("none"),
            ),
        }
    }
    let complete = change.transcript.as_ref().map(|transcript| transcript.complete);
    let (met, expected) = match agent.require.transcript {
        TranscriptRequirement::None => (true, ""),
        TranscriptRequirement::Committed => (complete.is_some(), "a commitment to the transcript"),
        TranscriptRequirement::Whole => (
            complete == Some(Completeness::Whole),
            "a commitment to the whole transcript",
        ),
    };
    if !met {
        let found = match complete {
            None => "none",
            Some(Completeness::Whole) => "whole",
            Some(Completeness::Prefix) => "a prefix of it",
            Some(Completeness::TailMissing) => "its tail is missing",
        };
        reasons.push(
            Reason::new("agent.transcript_missing")
                .expected(expected)
                .found(found),
        );
    }
    let whole = agent.require.sbom == SbomRequirement::Whole;
    match &change.sbom {
        None if agent.require.sbom != SbomRequirement::None => reasons.push(
            Reason::new("agent.sbom_missing")
                .expected("the SBOM of the proposed tree")
                .found("none"),
        ),
        Some(sbom) if whole => reasons.extend(left_out(sbom)),
        _ => {}
    }
}

/// What is worth knowing of a statement that keeps the rules: the SBOM that is required leaves something out.
pub(super) fn noted(agent: &Agent, evidence: &Evidence<'_>, change: &AgentChange) -> Option<Reason> {
    let sbom = change.sbom.as_ref()?;
    // One that was made elsewhere says nothing of dependencies, and whoever hands it in knows that.
    let is_read_from_trees = sbom.base.is_some();
    if agent.require.sbom != SbomRequirement::Named || !is_read_from_trees {
        return None;
    }
    let reason = left_out(sbom)?.class(Class::Finding);
    Some(reason.statement(evidence.verified.payload_digest()))
}

/// What an SBOM leaves out of what the change does to dependencies.
fn left_out(sbom: &SbomClaim) -> Option<Reason> {
    let reason = Reason::new("agent.sbom_incomplete").expected("every dependency that differs");
    if sbom.base.is_none() {
        return Some(reason.found("a document of the proposed tree alone"));
    }
    let manifests: BTreeSet<&RepoPath> = sbom.unread.iter().map(|unread| &unread.manifest).collect();
    let codes: BTreeSet<&str> = sbom.unread.iter().map(|unread| unread.reason.as_str()).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let found = match (manifests.len(), sbom.omitted) {
        (0, 0) => return None,
        (0, omitted) => format!("{omitted} that are not listed"),
        (_, 0) => format!("lockfiles that are not known in full: {}", codes.join(", ")),
        (_, omitted) => format!(
            "lockfiles that are not known in full: {}; {omitted} dependencies that are not listed",
            codes.join(", ")
        ),
    };
    Some(reason.found(found).paths(manifests.into_iter().cloned()))
}

fn list(globs: &[Glob]) -> String {
    globs.iter().map(Glob::as_str).collect::<Vec<_>>().join(" or ")
}
