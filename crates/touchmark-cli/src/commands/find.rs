//! `touchmark find`: evidence of this repository by commit, path, agent, model, signer and time, straight from its refs.
//!
//! Every piece is verified, whoever signed it; who may sign is the policy's business. What could not be verified or
//! read is counted, so that an empty answer is not taken for an empty history.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;
use touchmark_git::{EvidenceKey, Repository};
use touchmark_policy::globs::Glob;
use touchmark_statement::agent_change::AgentChange;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::git_view::GitView as _;
use touchmark_verify::key::KeyFingerprint;
use touchmark_verify::verified::VerifiedStatement;

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::investigation::{Coverage, Found, collect};
use crate::output::{Format, Schema, escape};
use crate::pipeline::open_for_writing;
use crate::render;
use crate::trust::RootArgs;

/// What stands for the paths of a change that has too many to list.
const UNLISTED: &str = "too many to list: only their root is stated, so any may be among them";

/// Flags of `find`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark find --path 'src/**' --since 2026-01-01T00:00:00Z", "touchmark find --commit HEAD"))]
pub(crate) struct Args {
    /// Evidence about this commit, or about its tree
    #[arg(long, value_name = "REV", help_heading = "Filters")]
    commit: Option<String>,
    /// Changes that touch a path; `*` stays within a folder, `**` does not
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    path: Option<String>,
    /// Changes by this agent
    #[arg(long, value_name = "ID", help_heading = "Filters")]
    agent: Option<String>,
    /// Changes in which a model took part: its id, or PROVIDER/ID; `*` stands for anything
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    model: Option<String>,
    /// Evidence signed with this key
    #[arg(long, value_name = "FINGERPRINT", help_heading = "Filters")]
    signer: Option<KeyFingerprint>,
    /// Runs that say they ended at this time or later
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    since: Option<Timestamp>,
    /// Runs that say they ended before this time
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    until: Option<Timestamp>,
    #[command(flatten)]
    roots: RootArgs,
}

/// One answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    payload_digest: String,
    predicate_type: String,
    signer: String,
    log_origin: Option<String>,
    log_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_root: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompts: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paths: Vec<String>,
    #[serde(skip)]
    paths_unlisted: bool,
    /// As the run says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_end: Option<Timestamp>,
    refs: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    found: Vec<Row>,
    unverified: Vec<Unverified>,
    coverage: Coverage,
}

#[derive(Serialize)]
struct Unverified {
    name: String,
    refs: Vec<String>,
    code: String,
    message: String,
}

/// Runs `find`. Ends with 10 when nothing matches.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let filter = Filter::parse(&args)?;
    let repository = open_for_writing(&context.directory, context)?;
    let keys = args
        .commit
        .as_deref()
        .map(|rev| keys_of(rev, &repository))
        .transpose()?;
    let roots = args.roots.load(context)?;
    let (found, coverage) = collect(&repository, keys, &roots, context)?;
    let mut answer = Answer {
        found: Vec::new(),
        unverified: Vec::new(),
        coverage,
    };
    // What is filed under several names is one answer.
    let mut rows: BTreeMap<EvidenceId, Row> = BTreeMap::new();
    for piece in found {
        match &piece.outcome {
            Ok(statement) if filter.admits(statement) => match rows.entry(statement.evidence_id()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(row(&piece, statement));
                }
                Entry::Occupied(mut known) => known.get_mut().refs.extend(piece.refs.iter().cloned()),
            },
            Ok(_) => {}
            Err(failure) => answer.unverified.push(Unverified {
                name: piece.name.clone(),
                refs: piece.refs.clone(),
                code: failure.code.clone(),
                message: failure.message.clone(),
            }),
        }
    }
    answer.found.extend(rows.into_values());
    for row in &mut answer.found {
        row.refs.sort();
        row.refs.dedup();
    }
    // The sort is stable: what ended at one time stays in the order of the digests.
    answer.found.sort_by_key(|row| Reverse(row.claimed_end));
    show(&answer, context)?;
    Ok(if answer.found.is_empty() {
        ExitCode::Missing
    } else {
        ExitCode::Allowed
    })
}

fn keys_of(rev: &str, repository: &Repository) -> Result<Vec<EvidenceKey>, CliError> {
    let commit = repository.resolve(rev)?;
    let tree = repository.commit(&commit)?.tree.clone();
    Ok(vec![EvidenceKey::Commit(commit), EvidenceKey::Tree(tree)])
}

/// What is asked for; everything given must hold.
struct Filter<'a> {
    args: &'a Args,
    path: Option<Glob>,
}

impl<'a> Filter<'a> {
    fn parse(args: &'a Args) -> Result<Self, CliError> {
        let path = args.path.as_deref().map(Glob::parse).transpose();
        let path = path.map_err(|error| {
            CliError::from_error(ExitCode::Usage, "find.glob", &error)
                .hint("a file is src/lib.rs, all below a folder is 'src/**'")
        })?;
        Ok(Self { args, path })
    }

    fn admits(&self, statement: &VerifiedStatement) -> bool {
        if self.args.signer.is_some() && self.args.signer.as_ref() != statement.signer().key() {
            return false;
        }
        let asks_about_a_change = self.path.is_some()
            || self.args.model.is_some()
            || self.args.agent.is_some()
            || self.args.since.is_some()
            || self.args.until.is_some();
        match statement.statement().predicate.as_agent_change() {
            Some(change) => self.admits_change(change),
            None => !asks_about_a_change,
        }
    }

    fn admits_change(&self, change: &AgentChange) -> bool {
        let touches = |glob: &Glob| {
            // A change that states only the root of its paths cannot be ruled out.
            let rows = change.change.paths.as_deref();
            rows.is_none_or(|rows| rows.iter().any(|row| glob.matches(row.path.as_bytes())))
        };
        let used = |pattern: &String| {
            change.models.iter().any(|model| {
                matches(pattern, &model.id) || matches(pattern, &format!("{}/{}", model.provider, model.id))
            })
        };
        let ended = claimed_end(change);
        self.path.as_ref().is_none_or(touches)
            && self.args.model.as_ref().is_none_or(used)
            && self
                .args
                .agent
                .as_ref()
                .is_none_or(|agent| *agent == change.agent.id)
            && self
                .args
                .since
                .is_none_or(|since| ended.is_some_and(|ended| ended >= since))
            && self
                .args
                .until
                .is_none_or(|until| ended.is_some_and(|ended| ended < until))
    }
}

/// Returns whether the text is the pattern, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    for part in middle.split('*') {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn claimed_end(change: &AgentChange) -> Option<Timestamp> {
    change.run.ended_at.or(change.run.started_at)
}

fn row(piece: &Found, verified: &VerifiedStatement) -> Row {
    let statement = verified.statement();
    let change = statement.predicate.as_agent_change();
    let review = statement.predicate.as_review();
    let reviewed = review.and_then(|review| review.change.as_ref());
    let commit = change
        .and_then(|change| change.change.proposed.git_commit.as_ref())
        .or_else(|| reviewed.map(|reviewed| &reviewed.head));
    Row {
        payload_digest: format!("sha256:{}", verified.payload_digest()),
        predicate_type: statement.predicate_type.clone(),
        signer: verified.signer().to_string(),
        log_origin: verified.log().map(|log| log.origin.clone()),
        log_index: verified.log().map(|log| log.index),
        agent: change.map(|change| change.agent.id.clone()),
        models: change.map_or_else(Vec::new, |change| {
            change
                .models
                .iter()
                .map(|model| format!("{}/{}", model.provider, model.id))
                .collect()
        }),
        session: change.and_then(|change| change.agent.instance.clone()),
        commit: commit.map(ToString::to_string),
        decision: review.map(|review| render::statement::word(&review.decision)),
        prompt_root: change.and_then(|change| change.prompt.as_ref()?.root.map(|root| root.to_string())),
        prompts: change.and_then(|change| change.prompt.as_ref()?.count),
        paths: change.map_or_else(Vec::new, |change| {
            change
                .change
                .paths
                .iter()
                .flatten()
                .map(|row| row.path.to_string())
                .collect()
        }),
        paths_unlisted: change.is_some_and(|change| change.change.paths.is_none()),
        claimed_end: change.and_then(claimed_end),
        refs: piece.refs.clone(),
    }
}

fn show(answer: &Answer, context: &Context<'_>) -> Result<(), CliError> {
    if context.output.format() == Format::Json {
        return context.output.document(Schema::new("find", 1), answer);
    }
    for row in &answer.found {
        let what = row
            .decision
            .clone()
            .or_else(|| row.agent.clone())
            .unwrap_or_else(|| row.predicate_type.clone());
        context
            .output
            .rendered(format!("{} {}", row.payload_digest, escape::inline(&what)));
        let prompts = row.prompts.map(|count| count.to_string());
        for (label, value) in [
            ("commit", row.commit.as_ref()),
            ("session", row.session.as_ref()),
            ("prompts", prompts.as_ref()),
            ("prompt root", row.prompt_root.as_ref()),
            ("signer", Some(&row.signer)),
            ("log", row.log_origin.as_ref()),
        ] {
            if let Some(value) = value {
                context.output.rendered(render::field(label, value));
            }
        }
        for model in &row.models {
            context.output.rendered(render::field("model", model));
        }
        if let Some(ended) = row.claimed_end {
            context
                .output
                .rendered(render::field("ended", &format!("{ended} (claimed)")));
        }
        for path in &row.paths {
            context.output.rendered(render::field("path", path));
        }
        if row.paths_unlisted {
            context.output.rendered(render::field("paths", UNLISTED));
        }
    }
    for unverified in &answer.unverified {
        context.output.warn(format!(
            "{} is not verified [{}]: {}",
            unverified.name,
            unverified.code,
            escape::inline(&unverified.message)
        ));
    }
    for unreadable in &answer.coverage.unreadable {
        context.output.warn(escape::inline(unreadable));
    }
    context.output.note(format!(
        "{} found; looked at {} pieces of evidence under {} refs, {} of them not verified",
        answer.found.len(),
        answer.coverage.evidence,
        answer.coverage.refs,
        answer.coverage.unverified
    ));
    if let Some(hint) = hint(answer) {
        context.output.note(format!("hint: {hint}"));
    }
    Ok(())
}

/// What a look around can miss for want of something that the user has to bring.
fn hint(answer: &Answer) -> Option<&'static str> {
    if answer.coverage.evidence == 0 {
        return Some(
            "a clone brings no evidence along: git fetch REMOTE 'refs/touchmark/*:refs/touchmark/*'",
        );
    }
    let no_root = |piece: &Unverified| matches!(piece.code.as_str(), "trust.no_root" | "tlog.log_unknown");
    let untrusted = answer.unverified.iter().any(no_root);
    untrusted.then_some("name the log's trusted root with --trusted-root FILE; `touchmark log root` prints it where the log is")
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything_and_every_part_has_its_own_place() {
        for (pattern, text) in [
            ("a", "a"),
            ("*", ""),
            ("*", "a/b"),
            ("a*", "a"),
            ("*a", "ba"),
            ("a*c", "a/b/c"),
            ("a**c", "ac"),
            ("*b*", "abc"),
            ("a*b*c", "a-b-b-c"),
            ("*a*a", "aba"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", "ab"),
            ("", "a"),
            ("a*", "ba"),
            ("*a", "ab"),
            ("a*a", "a"),
            ("*a*a", "a"),
            ("a*b*c", "acb"),
            ("?", "a"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
