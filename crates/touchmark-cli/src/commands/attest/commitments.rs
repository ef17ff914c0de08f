//! From a session to commitments: what the statement says of prompts, steps, commands and instruction files.
//!
//! No word of any of them leaves this module except as HMAC under a key that the vault already holds.

use std::borrow::Cow;

use touchmark_agents::run::{self, Completeness};
use touchmark_agents::secrets::Redacted;
use touchmark_agents::session::Session;
use touchmark_statement::agent_change as claim;
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::limits::{MAX_PROMPTS, MAX_RUN_ITEMS};
use touchmark_verify::commitment::{self, Kind, Leaf, RunKey, TRANSCRIPT_RAW, TRANSCRIPT_REDACTED};

use super::instructions::Instruction;
use crate::error::CliError;

/// Returns the bytes of a whole transcript: its files in the importer's order.
pub(crate) fn transcript_bytes(session: &Session) -> Cow<'_, [u8]> {
    if let [only] = session.files.as_slice() {
        return Cow::Borrowed(&only.bytes);
    }
    let mut bytes = Vec::with_capacity(session.files.iter().map(|file| file.bytes.len()).sum());
    session
        .files
        .iter()
        .for_each(|file| bytes.extend_from_slice(&file.bytes));
    Cow::Owned(bytes)
}

/// Returns the bytes of one prompt that are committed to (see `commitment::prompt_bytes`; here parts that are no text
/// are known by their digest already).
pub(crate) fn prompt_bytes(prompt: &run::Prompt) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in &prompt.parts {
        let part: &[u8] = match part {
            run::PromptPart::Text(text) => text.as_bytes(),
            run::PromptPart::Other { sha256, .. } => sha256.as_bytes(),
        };
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Commits to every prompt of a session; `plain` adds a digest that can be guessed.
pub(crate) fn prompts(
    session: &Session,
    key: &RunKey,
    plain: Plain,
) -> Result<Option<claim::Prompt>, CliError> {
    let prompts = &session.run.prompts;
    if prompts.is_empty() {
        return Ok(None);
    }
    let mut commitments = Vec::with_capacity(prompts.len());
    for (index, prompt) in prompts.iter().enumerate() {
        let commitment = key.commit(Kind::Prompt, small(index)?, &prompt_bytes(prompt));
        commitments.push(claim::PromptCommitment {
            index: index as u64,
            origin: origin(prompt.origin),
            commitment,
        });
    }
    let root = commitment::root(&commitment::prompt_leaves(&commitments)?);
    let plain_digest = (plain == Plain::Digest).then(|| {
        let human: Vec<u8> = session.run.human_prompts().flat_map(text).collect();
        DigestSet::of_sha256(Sha256Digest::of(&human))
    });
    let count = Some(commitments.len() as u64);
    let listed = commitments.len() <= MAX_PROMPTS;
    Ok(Some(claim::Prompt {
        commitments: listed.then_some(commitments),
        root: Some(root),
        count,
        plain_digest,
    }))
}

/// Whether a plain digest of the prompts is written as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Commitments only.
    No,
    /// The SHA-256 of what people typed.
    Digest,
}

fn text(prompt: &run::Prompt) -> Vec<u8> {
    let parts = prompt.parts.iter().filter_map(|part| match part {
        run::PromptPart::Text(text) => Some(text.as_bytes()),
        run::PromptPart::Other { .. } => None,
    });
    parts.collect::<Vec<_>>().concat()
}

/// Commits to a transcript and each of its steps, and to its redacted copy where there is one.
pub(crate) fn transcript(
    session: &Session,
    key: &RunKey,
    raw: &[u8],
    redacted: Option<&Redacted>,
) -> Result<claim::Transcript, CliError> {
    let mut leaves = Vec::with_capacity(session.run.steps.len());
    for (index, step) in session.run.steps.iter().enumerate() {
        let record = step_record(session, step)?;
        let index = small(index)?;
        leaves.push(Leaf::step(
            index,
            key.commit(Kind::Step, index, commitment::step_bytes(&record)),
        ));
    }
    let counters = session.run.counters;
    Ok(claim::Transcript {
        format: session.format.to_owned(),
        commitment: key.commit(Kind::Transcript, TRANSCRIPT_RAW, raw),
        steps: claim::Steps {
            count: leaves.len() as u64,
            root: commitment::root(&leaves),
        },
        redacted: redacted.map(|redacted| claim::Redaction {
            commitment: key.commit(Kind::Transcript, TRANSCRIPT_REDACTED, &redacted.bytes),
            rules: redacted.rules.iter().map(|rule| rule.to_string()).collect(),
        }),
        complete: match session.run.completeness {
            Completeness::Whole => claim::Completeness::Whole,
            Completeness::Prefix => claim::Completeness::Prefix,
            Completeness::TailMissing => claim::Completeness::TailMissing,
        },
        counters: claim::TranscriptCounters {
            unknown: counters.unknown,
            malformed: counters.malformed,
            skipped: counters.skipped,
            rewound: counters.rewound,
        },
    })
}

/// Returns the bytes of a step that are committed to.
pub(crate) fn step_record<'a>(session: &'a Session, step: &run::Step) -> Result<Cow<'a, [u8]>, CliError> {
    session.step_bytes(step).ok_or_else(|| {
        CliError::failed(
            "session.inconsistent",
            "a step of the session lies outside of its file",
        )
    })
}

/// Commits to every command; `None` where there are more than a statement may hold.
pub(crate) fn commands(session: &Session, key: &RunKey) -> Result<Option<Vec<claim::Command>>, CliError> {
    if session.run.commands.len() > MAX_RUN_ITEMS {
        return Ok(None);
    }
    let rows = session.run.commands.iter().enumerate().map(|(index, command)| {
        Ok(claim::Command {
            commitment: key.commit(Kind::Command, small(index)?, command.text.as_bytes()),
            exit_code: command.exit_code.map(i64::from),
            kind: match command.kind {
                run::CommandKind::Test => claim::CommandKind::Test,
                run::CommandKind::Build => claim::CommandKind::Build,
                run::CommandKind::Vcs => claim::CommandKind::Vcs,
                run::CommandKind::Other => claim::CommandKind::Other,
            },
            step: command.step as u64,
        })
    });
    rows.collect::<Result<Vec<_>, CliError>>().map(Some)
}

/// Names every instruction file: by digest where the base tree holds it, else by commitment.
pub(crate) fn instructions(found: &[Instruction], key: &RunKey) -> Result<Vec<claim::Instruction>, CliError> {
    let rows = found.iter().enumerate().map(|(index, instruction)| {
        let commitment = instruction
            .private
            .as_deref()
            .map(|bytes| Ok(key.commit(Kind::Instruction, small(index)?, bytes)));
        let commitment: Option<Sha256Digest> = commitment.transpose().map_err(|error: CliError| error)?;
        let from_base = instruction.private.is_none();
        Ok(claim::Instruction {
            name: instruction.name.clone(),
            digest: from_base.then(|| DigestSet::of_sha256(instruction.digest)),
            commitment,
            from_base,
        })
    });
    rows.collect()
}

/// The predicate's word for who gave a prompt.
pub(crate) fn origin(origin: run::PromptOrigin) -> claim::PromptOrigin {
    match origin {
        run::PromptOrigin::Human => claim::PromptOrigin::Human,
        run::PromptOrigin::Injected => claim::PromptOrigin::Injected,
        run::PromptOrigin::Compaction => claim::PromptOrigin::Compaction,
        run::PromptOrigin::Agent => claim::PromptOrigin::Agent,
    }
}

/// An index as a commitment takes it.
pub(crate) fn small(index: usize) -> Result<u32, CliError> {
    u32::try_from(index)
        .map_err(|_| CliError::failed("session.too_large", "the session has more than 2^32 items"))
}
