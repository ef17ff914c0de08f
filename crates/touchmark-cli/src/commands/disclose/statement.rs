//! Which statement is meant: by its digest, by a commit, or the last one made here.

use std::path::Path;

use touchmark_git::EvidenceKey;
use touchmark_statement::agent_change::AgentChange;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::statement::SignedStatement;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::commitment::CommitmentError;
use touchmark_verify::git_view::GitView as _;

use crate::commands::verify::bundles;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::investigation;
use crate::pipeline::{chain, open_for_writing};

/// The fewest hex digits that name a statement.
const MIN_PREFIX: usize = 8;

/// Returns the agent change of a statement.
pub(crate) fn claim(signed: &SignedStatement) -> Result<&AgentChange, CliError> {
    let claim = signed.statement().predicate.as_agent_change();
    claim.ok_or_else(|| CommitmentError::NotAgentChange.into())
}

/// Finds the one statement that is meant. Nothing is verified: what is opened is held against it, and whoever is given
/// the disclosure verifies the statement.
pub(super) fn find(
    named: Option<&str>,
    bundle: Option<&Path>,
    context: &Context<'_>,
) -> Result<SignedStatement, CliError> {
    let wanted = Wanted::read(named, bundle.is_some(), context)?;
    let mut found: Vec<SignedStatement> = Vec::new();
    for statement in candidates(&wanted, bundle, context)? {
        let digest = statement.payload_digest();
        let is_new = found.iter().all(|known| known.payload_digest() != digest);
        if is_new && wanted.is_met_by(&digest) && claim(&statement).is_ok() {
            found.push(statement);
        }
    }
    let mut found = found.into_iter();
    let statement = found.next().ok_or_else(|| {
        CliError::new(ExitCode::Missing, "disclose.no_statement", "the statement is not here").hint(
            "`touchmark find` lists the statements of this repository; give another one's bundle with --bundle FILE",
        )
    })?;
    match found.next() {
        None => Ok(statement),
        Some(other) => Err(CliError::usage(
            "disclose.ambiguous",
            format!(
                "sha256:{} and sha256:{} are both meant",
                statement.payload_digest(),
                other.payload_digest()
            ),
        )
        .hint("name one by its digest")),
    }
}

enum Wanted {
    /// The beginning of a payload digest.
    Digest(String),
    /// Whatever is filed under these keys.
    Filed(Vec<EvidenceKey>),
    /// Whatever is in the bundle.
    Given,
}

impl Wanted {
    fn read(named: Option<&str>, given: bool, context: &Context<'_>) -> Result<Self, CliError> {
        let Some(text) = named else {
            if given {
                return Ok(Self::Given);
            }
            let last = chain::newest(context)?.ok_or_else(|| {
                CliError::new(
                    ExitCode::Missing,
                    "disclose.no_statement",
                    "nothing was attested here yet",
                )
                .hint("name a statement by its digest, or a commit")
            })?;
            return Ok(Self::Digest(last.payload.to_string()));
        };
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if let Some(digest) = text.strip_prefix("sha256:") {
            if !is_hex(digest) || !(MIN_PREFIX..=64).contains(&digest.len()) {
                return Err(
                    CliError::usage("show.not_a_digest", format!("{text} is not a payload digest"))
                        .hint(format!("give at least {MIN_PREFIX} lowercase hex digits")),
                );
            }
            return Ok(Self::Digest(digest.to_owned()));
        }
        if given && is_hex(text) && (MIN_PREFIX..=64).contains(&text.len()) {
            return Ok(Self::Digest(text.to_owned()));
        }
        let repository = open_for_writing(&context.directory, context)?;
        match repository.resolve(text) {
            Ok(commit) => {
                let tree = repository.commit(&commit)?.tree;
                Ok(Self::Filed(vec![
                    EvidenceKey::Commit(commit),
                    EvidenceKey::Tree(tree),
                ]))
            }
            Err(_) if is_hex(text) && (MIN_PREFIX..=64).contains(&text.len()) => {
                Ok(Self::Digest(text.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_met_by(&self, digest: &Sha256Digest) -> bool {
        match self {
            Self::Digest(prefix) => digest.to_string().starts_with(prefix),
            Self::Filed(_) | Self::Given => true,
        }
    }
}

fn candidates(
    wanted: &Wanted,
    bundle: Option<&Path>,
    context: &Context<'_>,
) -> Result<Vec<SignedStatement>, CliError> {
    if let Some(path) = bundle {
        let given = bundles(&context.path(path))?;
        return Ok(given
            .iter()
            .filter_map(|candidate| payload(&candidate.bytes))
            .collect());
    }
    let repository = open_for_writing(&context.directory, context)?;
    let keys = match wanted {
        Wanted::Filed(keys) => Some(keys.clone()),
        _ => None,
    };
    let (pieces, _) = investigation::read(&repository, keys)?;
    Ok(pieces.values().filter_map(|(_, bytes)| payload(bytes)).collect())
}

/// Every statement of the repository, unverified, for commands that look for what statements commit to.
pub(crate) fn statements(context: &Context<'_>) -> Result<Vec<SignedStatement>, CliError> {
    candidates(&Wanted::Given, None, context)
}

/// The statement in a bundle, unverified.
fn payload(bundle: &[u8]) -> Option<SignedStatement> {
    let bundle = Bundle::parse(bundle).ok()?;
    SignedStatement::parse(bundle.envelope()?.payload.clone()).ok()
}
