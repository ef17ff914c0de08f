//! Rules of `agent-change/v1` that span several fields, and its caps.

use std::collections::HashSet;

use super::{AgentChange, Change, PathRow, PathStatus, Prompt};
use crate::digest::DigestSet;
use crate::file_mode::FileMode;
use crate::limits::{
    MAX_COMMITS, MAX_DEPENDENCIES, MAX_FOUND_VALUES, MAX_IDENTITIES, MAX_MODELS, MAX_PARENTS, MAX_PATHS,
    MAX_PROMPTS, MAX_RUN_ITEMS, MAX_SOURCES, MAX_TEXT_BYTES, MAX_UNREAD,
};
use crate::predicate::PredicateError;
use crate::repo_path::RepoPath;

pub(super) fn validate(claim: &AgentChange) -> Result<(), PredicateError> {
    people_and_models(claim)?;
    if let Some(prompt) = &claim.prompt {
        validate_prompt(prompt)?;
    }
    run_items(claim)?;
    identities(claim)?;
    validate_change(&claim.change)?;
    if let Some(sbom) = &claim.sbom {
        strong("/sbom/digest", Some(&sbom.digest))?;
        strong("/sbom/base", sbom.base.as_ref())?;
        at_most("/sbom/dependencies", MAX_DEPENDENCIES, sbom.dependencies.len())?;
        at_most("/sbom/unread", MAX_UNREAD, sbom.unread.len())?;
    }
    let cost = claim.usage.as_ref().and_then(|usage| usage.cost.as_ref());
    if cost.is_some_and(|cost| {
        cost.currency.len() != 3 || !cost.currency.bytes().all(|b| b.is_ascii_uppercase())
    }) {
        return Err(PredicateError::Currency);
    }
    if matches!((claim.run.started_at, claim.run.ended_at), (Some(start), Some(end)) if end < start) {
        return Err(PredicateError::RunTimes);
    }
    strong("/run/previous", claim.run.previous.as_ref())?;
    let sources = &claim.capture.sources;
    at_most("/capture/sources", MAX_SOURCES, sources.len())?;
    let is_pointer = |key: &String| (key.is_empty() || key.starts_with('/')) && key.len() <= MAX_TEXT_BYTES;
    if sources.keys().all(is_pointer) {
        Ok(())
    } else {
        Err(PredicateError::SourcePointer)
    }
}

fn people_and_models(claim: &AgentChange) -> Result<(), PredicateError> {
    let parent = claim
        .agent
        .parent
        .as_ref()
        .and_then(|parent| parent.statement.as_ref());
    strong("/agent/parent/statement", parent)?;
    if claim.models.is_empty() {
        return Err(PredicateError::Empty { pointer: "/models" });
    }
    at_most("/models", MAX_MODELS, claim.models.len())?;
    claim
        .models
        .iter()
        .try_for_each(|model| strong("/models/-/digest", model.digest.as_ref()))
}

fn run_items(claim: &AgentChange) -> Result<(), PredicateError> {
    let instructions = claim.instructions.as_deref().unwrap_or_default();
    at_most("/instructions", MAX_RUN_ITEMS, instructions.len())?;
    for instruction in instructions {
        strong("/instructions/-/digest", instruction.digest.as_ref())?;
    }
    let tools = claim.tools.as_deref().unwrap_or_default();
    at_most("/tools", MAX_RUN_ITEMS, tools.len())?;
    for server in tools.iter().filter_map(|tool| tool.server.as_ref()) {
        strong("/tools/-/server/digest", server.digest.as_ref())?;
    }
    at_most(
        "/commands",
        MAX_RUN_ITEMS,
        claim.commands.as_ref().map_or(0, Vec::len),
    )?;
    let redacted = claim
        .transcript
        .as_ref()
        .and_then(|transcript| transcript.redacted.as_ref());
    at_most(
        "/transcript/redacted/rules",
        MAX_RUN_ITEMS,
        redacted.map_or(0, |redacted| redacted.rules.len()),
    )
}

fn identities(claim: &AgentChange) -> Result<(), PredicateError> {
    let identities = claim.identities.as_deref().unwrap_or_default();
    at_most("/identities", MAX_IDENTITIES, identities.len())?;
    let findings = claim.findings.as_deref().unwrap_or_default();
    at_most("/findings", MAX_IDENTITIES, findings.len())?;
    for finding in findings {
        at_most("/findings/-/values", MAX_FOUND_VALUES, finding.values.len())?;
        if finding.values.is_empty() {
            return Err(PredicateError::Empty {
                pointer: "/findings/-/values",
            });
        }
    }
    Ok(())
}

fn validate_prompt(prompt: &Prompt) -> Result<(), PredicateError> {
    strong("/prompt/plainDigest", prompt.plain_digest.as_ref())?;
    let count = match (prompt.root, prompt.count) {
        (Some(_), Some(count)) => Some(count),
        (None, None) => None,
        _ => return Err(PredicateError::PromptCommitments),
    };
    if let Some(commitments) = &prompt.commitments {
        at_most("/prompt/commitments", MAX_PROMPTS, commitments.len())?;
        let numbered = commitments
            .iter()
            .zip(0..)
            .all(|(commitment, number)| commitment.index == number);
        if count != u64::try_from(commitments.len()).ok() || !numbered {
            return Err(PredicateError::PromptCommitments);
        }
    }
    match (count, &prompt.plain_digest) {
        (None, None) => Err(PredicateError::PromptSaysNothing),
        _ => Ok(()),
    }
}

fn validate_change(change: &Change) -> Result<(), PredicateError> {
    repository_uri("/change/repository/uri", &change.repository.uri)?;
    if let Some(name) = &change.ref_name {
        full_ref_name("/change/ref", name)?;
    }
    at_most("/change/commits", MAX_COMMITS, change.commits.len())?;
    for commit in &change.commits {
        at_most("/change/commits/-/parents", MAX_PARENTS, commit.parents.len())?;
    }
    match (&change.paths, &change.paths_tree) {
        (Some(rows), None) => {
            at_most("/change/paths", MAX_PATHS, rows.len())?;
            distinct("/change/paths", rows.iter().map(|row| &row.path))?;
            rows.iter().try_for_each(validate_row)?;
        }
        (None, Some(_)) => {}
        _ => return Err(PredicateError::PathsOrTree),
    }
    let lists = [
        ("/change/undeclared", &change.undeclared),
        ("/change/unwritten", &change.unwritten),
    ];
    for (pointer, list) in lists {
        let list = list.as_deref().unwrap_or_default();
        at_most(pointer, MAX_PATHS, list.len())?;
        distinct(pointer, list.iter())?;
    }
    Ok(())
}

fn validate_row(row: &PathRow) -> Result<(), PredicateError> {
    let computed = PathStatus::of(row.from.as_ref(), row.to.as_ref());
    if computed != Some(row.status) {
        return Err(PredicateError::PathStatus {
            path: row.path.clone(),
            stated: row.status,
            computed,
        });
    }
    let is_tree = row.from.as_ref().is_some_and(|side| side.mode == FileMode::Tree);
    let content_fits = row.to.as_ref().is_none_or(|side| match side.mode {
        FileMode::Tree => false,
        FileMode::Gitlink => side.sha256.is_none() && side.size.is_none(),
        _ => side.sha256.is_some() && side.size.is_some(),
    });
    if is_tree || !content_fits {
        Err(PredicateError::PathContent {
            path: row.path.clone(),
        })
    } else {
        Ok(())
    }
}

pub(crate) fn at_most(pointer: &'static str, max: usize, found: usize) -> Result<(), PredicateError> {
    if found > max {
        Err(PredicateError::TooMany { pointer, max, found })
    } else {
        Ok(())
    }
}

/// Refuses a digest set that identifies nothing.
pub(crate) fn strong(pointer: &'static str, set: Option<&DigestSet>) -> Result<(), PredicateError> {
    match set {
        Some(set) if set.is_empty() => Err(PredicateError::Empty { pointer }),
        Some(set) if !set.has_strong() => Err(PredicateError::WeakDigest { pointer }),
        _ => Ok(()),
    }
}

fn distinct<'a>(
    pointer: &'static str,
    paths: impl Iterator<Item = &'a RepoPath>,
) -> Result<(), PredicateError> {
    let mut seen = HashSet::new();
    for path in paths {
        if !seen.insert(path) {
            return Err(PredicateError::DuplicatePath {
                pointer,
                path: path.clone(),
            });
        }
    }
    Ok(())
}

/// Refuses a repository URI that could carry a secret, or that is no URI.
pub(crate) fn repository_uri(pointer: &'static str, uri: &str) -> Result<(), PredicateError> {
    let refused = PredicateError::RepositoryUri { pointer };
    let Some((scheme, rest)) = uri.split_once(':') else {
        return Err(refused);
    };
    let scheme_fits = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'));
    let authority = rest
        .strip_prefix("//")
        .map_or("", |rest| rest.split('/').next().unwrap_or(rest));
    let plain = !uri
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#'));
    if scheme_fits && plain && !rest.is_empty() && !authority.contains('@') {
        Ok(())
    } else {
        Err(refused)
    }
}

/// Refuses a name that is not that of one ref in full.
pub(crate) fn full_ref_name(pointer: &'static str, name: &str) -> Result<(), PredicateError> {
    let plain = |c: char| !c.is_control() && !matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    let fits = name
        .strip_prefix("refs/")
        .is_some_and(|rest| rest.split('/').all(|part| !part.is_empty()))
        && name.chars().all(plain)
        && !name.contains("..")
        && !name.contains("@{");
    if fits {
        Ok(())
    } else {
        Err(PredicateError::RefName { pointer })
    }
}
