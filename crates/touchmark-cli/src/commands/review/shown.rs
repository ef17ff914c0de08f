//! The text that a reviewer is shown. Its digest is signed, so it is the same for the same change and evidence.

use std::fmt::Write as _;

use touchmark_git::Repository;
use touchmark_statement::agent_change::{AgentChange, PathStatus};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::{GitView as _, PathChange};
use touchmark_verify::lineage::ChangeUnderJudgement;
use touchmark_verify::verified::VerifiedStatement;

use super::Decision;
use crate::error::CliError;
use crate::investigation::{Coverage, Found};
use crate::output::escape::inline;

/// The text, and the agent changes that stand in it.
#[derive(Debug)]
pub(super) struct Shown {
    /// The text.
    pub(super) text: String,
    /// The payload digests, in order.
    pub(super) agent_changes: Vec<Sha256Digest>,
}

impl Shown {
    /// Describes the change and its evidence.
    pub(super) fn of(
        change: &ChangeUnderJudgement,
        decision: Decision,
        (found, coverage): (&[Found], &Coverage),
        repository: &Repository,
    ) -> Result<Self, CliError> {
        let mut text = format!(
            "{} {}\n  target  {}\n  base    tree {}\n  result  tree {}\n",
            decision.word(),
            change.head_commit,
            inline(&change.target_ref),
            change.base_tree,
            change.result_tree
        );
        let _ = writeln!(text, "  commits {}", change.commits.len());
        let mut verified: Vec<(&VerifiedStatement, &AgentChange)> = found
            .iter()
            .filter_map(|found| found.outcome.as_deref().ok())
            .filter_map(|statement| Some((statement, statement.statement().predicate.as_agent_change()?)))
            .collect();
        verified.sort_by_key(|(statement, _)| statement.evidence_id());
        verified.dedup_by_key(|(statement, _)| statement.evidence_id());
        let changes = repository.changed_paths(&change.base_tree, &change.result_tree)?;
        paths(&mut text, &changes, &verified);
        agents(&mut text, &verified);
        set_aside(&mut text, found);
        unreadable(&mut text, &coverage.unreadable);
        let mut agent_changes: Vec<Sha256Digest> = verified
            .iter()
            .map(|(statement, _)| statement.payload_digest())
            .collect();
        agent_changes.dedup();
        // The last line feed is the printer's.
        text.truncate(text.trim_end_matches('\n').len());
        Ok(Self { text, agent_changes })
    }
}

fn paths(text: &mut String, changes: &[PathChange], verified: &[(&VerifiedStatement, &AgentChange)]) {
    let _ = writeln!(text, "paths ({})", changes.len());
    for change in changes {
        let spoken_for = verified.iter().any(|(_, claim)| claims(claim, &change.path));
        let note = if spoken_for {
            ""
        } else {
            "    no agent change speaks of it"
        };
        let _ = writeln!(
            text,
            "  {:<11} {}{note}",
            status(change),
            inline(&change.path.to_string_lossy())
        );
    }
}

fn claims(claim: &AgentChange, path: &RepoPath) -> bool {
    // Rows that were replaced by their root are not at hand.
    claim
        .change
        .paths
        .as_ref()
        .is_none_or(|rows| rows.iter().any(|row| row.path == *path))
}

fn status(change: &PathChange) -> PathStatus {
    match (&change.from, &change.to) {
        (None, _) => PathStatus::Added,
        (_, None) => PathStatus::Deleted,
        (Some(from), Some(to)) if from.id != to.id && from.mode == to.mode => PathStatus::Modified,
        (Some(from), Some(to)) if !(from.mode.is_file() && to.mode.is_file()) => PathStatus::TypeChanged,
        (Some(from), Some(to)) if from.id == to.id => PathStatus::ModeChanged,
        _ => PathStatus::Modified,
    }
}

fn agents(text: &mut String, verified: &[(&VerifiedStatement, &AgentChange)]) {
    let _ = writeln!(text, "agent changes ({})", verified.len());
    for (statement, claim) in verified {
        let models: Vec<String> = claim
            .models
            .iter()
            .map(|model| inline(&format!("{}/{}", model.provider, model.id)))
            .collect();
        let _ = writeln!(
            text,
            "  {} by {}",
            statement.payload_digest(),
            inline(&claim.agent.id)
        );
        let _ = writeln!(text, "    signer     {}", statement.evidence_id().signer);
        let _ = writeln!(text, "    models     {}", models.join(", "));
        let listed = |paths: &Option<Vec<RepoPath>>| match paths {
            Some(paths) if paths.is_empty() => "none".to_owned(),
            Some(paths) => paths
                .iter()
                // Quoted, so that no name of a file reads like a list or like the word for an empty one.
                .map(|path| format!("{:?}", inline(&path.to_string_lossy())))
                .collect::<Vec<_>>()
                .join(", "),
            None => "unknown".to_owned(),
        };
        let _ = writeln!(text, "    undeclared {}", listed(&claim.change.undeclared));
        if let Some(sbom) = &claim.sbom {
            let _ = writeln!(text, "    sbom       {}", inline(&sbom.format));
        }
    }
}

fn set_aside(text: &mut String, found: &[Found]) {
    let failed: Vec<(&str, &str)> = found
        .iter()
        .filter_map(|found| Some((found.name.as_str(), found.outcome.as_ref().err()?.code.as_str())))
        .collect();
    if !failed.is_empty() {
        let _ = writeln!(text, "set aside, not counted as evidence ({})", failed.len());
        for (name, code) in failed {
            let _ = writeln!(text, "  {} [{}]", inline(name), inline(code));
        }
    }
}

/// Evidence that could not be read might be an agent change: who reviews must know that it is missing here.
fn unreadable(text: &mut String, unreadable: &[String]) {
    if !unreadable.is_empty() {
        let _ = writeln!(text, "unreadable, not looked at ({})", unreadable.len());
        for what in unreadable {
            let _ = writeln!(text, "  {}", inline(what));
        }
    }
}
