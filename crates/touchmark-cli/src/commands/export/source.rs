//! The statement that is exported: the one that is named, or the newest of its session about a commit.

use touchmark_git::{EvidenceKey, Repository};
use touchmark_statement::agent_change::AgentChange;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::statement::SignedStatement;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::git_view::GitView as _;

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::investigation::{Found, collect};
use crate::pipeline::logs::LogArgs;

/// The fewest hex digits that name a statement.
const MIN_PREFIX: usize = 8;

/// An agent change, as it was signed.
#[derive(Debug)]
pub(super) struct Source {
    signed: SignedStatement,
    /// What identifies it.
    pub(super) payload: Sha256Digest,
}

impl Source {
    /// Returns what it says.
    pub(super) fn claim(&self) -> &AgentChange {
        let claim = self.signed.statement().predicate.as_agent_change();
        claim.expect("only agent changes become a source")
    }

    /// Returns what it is about.
    pub(super) fn signed(&self) -> &SignedStatement {
        &self.signed
    }

    /// Returns where evidence about the same work is filed.
    pub(super) fn keys(&self) -> Vec<EvidenceKey> {
        let proposed = &self.claim().change.proposed;
        let commit = proposed.git_commit.clone().map(EvidenceKey::Commit);
        commit
            .into_iter()
            .chain([EvidenceKey::Tree(proposed.git_tree.clone())])
            .collect()
    }
}

/// Finds the statement. One that cannot be verified is exported all the same, with a warning.
pub(super) fn find(
    text: &str,
    git: &Repository,
    log: &LogArgs,
    context: &Context<'_>,
) -> Result<Source, CliError> {
    let digest = text.strip_prefix("sha256:").unwrap_or(text);
    let is_hex = digest
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let is_digest = is_hex && (digest.len() == 64 || digest != text);
    let commit = if is_digest { None } else { git.resolve(text).ok() };
    let roots = log.roots().load(context)?;
    let keys = match &commit {
        Some(commit) => Some(vec![
            EvidenceKey::Commit(commit.clone()),
            EvidenceKey::Tree(git.commit(commit)?.tree),
        ]),
        None if is_hex && digest.len() >= MIN_PREFIX => None,
        None => return Err(not_found(text)),
    };
    let (found, _) = collect(git, keys, &roots, context)?;
    let mut fitting: Vec<(Source, Option<String>)> = found.into_iter().filter_map(read).collect();
    if commit.is_none() {
        fitting.retain(|(source, _)| source.payload.to_string().starts_with(digest));
    }
    choose(fitting, text, context)
}

/// Reads an agent change; the code of what could not be verified stands beside it.
fn read(found: Found) -> Option<(Source, Option<String>)> {
    let (signed, failure) = match found.outcome {
        Ok(verified) => (verified.signed().clone(), None),
        Err(failure) => {
            let bundle = Bundle::parse(&found.bytes).ok()?;
            let payload = bundle.envelope()?.payload.clone();
            (SignedStatement::parse(payload).ok()?, Some(failure.code))
        }
    };
    signed.statement().predicate.as_agent_change()?;
    let payload = Sha256Digest::of(signed.raw());
    Some((Source { signed, payload }, failure))
}

/// Takes what is verified before what is not, and of one session the newest.
fn choose(
    mut fitting: Vec<(Source, Option<String>)>,
    text: &str,
    context: &Context<'_>,
) -> Result<Source, CliError> {
    if fitting.iter().any(|(_, failure)| failure.is_none()) {
        fitting.retain(|(_, failure)| failure.is_none());
    }
    fitting.sort_by_key(|(source, _)| std::cmp::Reverse(source.claim().run.sequence));
    let mut all = fitting.into_iter();
    let (source, failure) = all.next().ok_or_else(|| not_found(text))?;
    let other = all.find(|(other, _)| {
        other.payload != source.payload && other.claim().run.chain != source.claim().run.chain
    });
    if let Some((other, _)) = other {
        let message = format!("{} and {} both fit {text}", source.payload, other.payload);
        return Err(CliError::usage("export.ambiguous", message)
            .hint("name one by its payload digest; `touchmark find` lists them"));
    }
    if let Some(code) = failure {
        context.output.warn(format!(
            "{} could not be verified ({code}): what it says is exported unproven",
            source.payload
        ));
    }
    Ok(source)
}

fn not_found(text: &str) -> CliError {
    CliError::new(
        ExitCode::Missing,
        "export.not_found",
        format!("no agent change here is called {text}, and no commit of that name has one"),
    )
    .hint("`touchmark find` lists what there is; `touchmark publish --fetch REMOTE` fetches that of others")
}
