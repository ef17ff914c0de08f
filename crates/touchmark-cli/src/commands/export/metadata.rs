//! The metadata record: what `touchmark attest --metadata` takes, from a statement.

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use touchmark_git::Repository;
use touchmark_sign::vault::Vault;
use touchmark_statement::agent_change::{Model, ModelRole, PromptOrigin};
use touchmark_statement::digest::Sha256Digest;
use touchmark_verify::commitment::Kind;
use touchmark_verify::git_view::GitView as _;

use super::source::Source;
use crate::context::Context;
use crate::error::CliError;

#[derive(Serialize)]
struct Record<'s> {
    agent_id: &'s str,
    model: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_hash: Option<String>,
    prompt_hash: String,
    base_sha: String,
    proposed_sha: String,
    timestamp: String,
}

/// Makes the record.
pub(super) fn of(source: &Source, git: &Repository, context: &Context<'_>) -> Result<Vec<u8>, CliError> {
    let claim = source.claim();
    let (base, proposed) = (&claim.change.base.git_commit, &claim.change.proposed.git_commit);
    let (Some(base), Some(proposed)) = (base, proposed) else {
        return Err(CliError::usage(
            "export.no_commits",
            "a metadata record has a base and a proposed commit, and this statement is about uncommitted work",
        )
        .hint("export the statement about the commit, or another format"));
    };
    let model = main_model(&claim.models);
    let ended = match claim.run.ended_at.or(claim.run.started_at) {
        Some(at) => at.unix(),
        None => git.commit(proposed)?.committer.time,
    };
    let record = Record {
        agent_id: &claim.agent.id,
        model: model.map(|model| model.id.as_str()).unwrap_or_default(),
        model_hash: model
            .and_then(|model| model.digest.as_ref()?.sha256())
            .map(|digest| format!("sha256:{digest}")),
        prompt_hash: format!("sha256:{}", prompt_digest(source, context)?),
        base_sha: base.to_string(),
        proposed_sha: proposed.to_string(),
        timestamp: DateTime::from_timestamp(ended, 0)
            .unwrap_or_default()
            .to_rfc3339_opts(SecondsFormat::Secs, true),
    };
    let mut bytes = serde_json::to_vec_pretty(&record)
        .map_err(|e| CliError::failed("output.unencodable", "the record cannot be written").because(e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn main_model(models: &[Model]) -> Option<&Model> {
    let primary = models.iter().filter(|model| model.role == ModelRole::Primary);
    primary.max_by_key(|model| model.steps).or(models.first())
}

/// The plain digest of what people typed: the statement's own, else computed from the prompts that the vault holds.
fn prompt_digest(source: &Source, context: &Context<'_>) -> Result<Sha256Digest, CliError> {
    let prompt = source.claim().prompt.as_ref();
    let stated = prompt.and_then(|prompt| prompt.plain_digest.as_ref()?.sha256());
    if let Some(digest) = stated {
        return Ok(digest);
    }
    let missing = || {
        CliError::usage(
            "export.no_prompt_digest",
            "there is no plain digest of the prompts",
        )
        .hint("attest with --plain-prompt-digest, or export where the vault is")
    };
    let folder = context.home.vault();
    if !folder.exists() {
        return Err(missing());
    }
    let (_, record) = Vault::open(&folder)?.find(&source.payload)?.ok_or_else(missing)?;
    context
        .output
        .warn("the plain digest of a short or common prompt can be guessed by anyone who sees it");
    let mut typed = Vec::new();
    let human = record
        .pieces()
        .filter(|piece| piece.item.kind == Kind::Prompt && piece.item.origin == Some(PromptOrigin::Human));
    for piece in human {
        texts(piece.bytes, &mut typed);
    }
    Ok(Sha256Digest::of(&typed))
}

/// Takes the texts out of a prompt's bytes: parts with their lengths before them. What is no text is a digest.
fn texts(mut bytes: &[u8], typed: &mut Vec<u8>) {
    while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((part, rest)) = rest.split_at_checked(length) else {
            return;
        };
        if std::str::from_utf8(part).is_ok() {
            typed.extend_from_slice(part);
        }
        bytes = rest;
    }
}
