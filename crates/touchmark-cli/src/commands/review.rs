//! `touchmark approve` and `touchmark reject`: one person's word about exactly one change.
//!
//! What is signed names repository, target ref, base tree, result tree and head, every agent change that was shown, and
//! the digest of the text that was shown. That text is what this command prints.

mod shown;

use serde::Serialize;
use touchmark_git::{EvidenceKey, Repository};
use touchmark_policy::globs::Glob;
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::predicate::Predicate;
use touchmark_statement::review::{
    Review, ReviewDecision, ReviewMethod, ReviewScope, ReviewSubject, ReviewedChange,
};
use touchmark_statement::statement::{ResourceDescriptor, Statement};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::git_view::GitView as _;
use touchmark_verify::lineage::ChangeUnderJudgement;

use crate::cli::example;
use crate::commands::attest;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::investigation;
use crate::output::{Format, Schema};
use crate::pipeline::{self, Lock, Outcome};
use crate::signing_key::SigningArgs;

/// Which way the decision goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Yes.
    Approved,
    /// No.
    Rejected,
}

/// Flags of `approve` and `reject`.
#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "touchmark approve HEAD --target refs/heads/main --key ssh-agent:",
    "touchmark reject agent/fix --target refs/heads/main --key alice.pem --reason \"drops the audit log\""
))]
pub(crate) struct Args {
    /// The head of the change
    #[arg(value_name = "REV", default_value = "HEAD")]
    revision: String,

    /// The protected ref that the change is for, by its full name
    #[arg(long, value_name = "REF", help_heading = "Change")]
    target: String,
    /// Covers only these paths of the change
    #[arg(long, value_name = "GLOB", num_args = 1.., help_heading = "Change")]
    paths: Vec<String>,

    /// Why
    #[arg(long, value_name = "TEXT", help_heading = "Decision")]
    reason: Option<String>,
    /// When the decision lapses
    #[arg(long, value_name = "TIME", help_heading = "Decision")]
    expires: Option<Timestamp>,
    /// The payload digest of an earlier review of yours that this one replaces
    #[arg(long, value_name = "SHA256", help_heading = "Decision")]
    supersedes: Option<Sha256Digest>,

    #[command(flatten)]
    signing: SigningArgs,

    /// Prints what would be signed, with its digest, and signs nothing
    #[arg(short = 'n', long, help_heading = "Result", conflicts_with = "push")]
    dry_run: bool,
    /// Signs only if what is shown now has this digest, which --dry-run printed
    #[arg(long, value_name = "SHA256", help_heading = "Result")]
    shown: Option<Sha256Digest>,
    /// Pushes the evidence ref to this remote afterwards
    #[arg(long, value_name = "REMOTE", help_heading = "Result")]
    push: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreviewDocument<'a> {
    decision: &'static str,
    agent_changes: Vec<String>,
    shown: &'a str,
    shown_sha256: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewDocument {
    outcome: &'static str,
    decision: &'static str,
    payload: String,
    evidence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_index: Option<u64>,
    refs: Vec<String>,
    agent_changes: Vec<String>,
    shown: String,
    shown_sha256: String,
}

/// Runs `approve` or `reject`.
pub(crate) fn run(args: Args, decision: Decision, context: &Context<'_>) -> Result<ExitCode, CliError> {
    // A review is a person's: the key that agents sign with by default is never taken for it.
    let key = args.signing.key.key.as_deref();
    let is_named = key.is_some() || context.config.text("key").is_some();
    if !args.dry_run && !is_named && !args.signing.identity.signs(key, &args.signing.log, context)? {
        return Err(
            CliError::usage("review.no_key", "a review is signed with a key of your own")
                .hint("name it with --key URI, set `key` in your configuration, or sign with your identity (--oidc-issuer)"),
        );
    }
    refuse_bad_scope(&args)?;
    let repository = pipeline::open_here(context)?;
    let change = change(&args, &repository)?;
    let keys: Vec<EvidenceKey> = keys_about(&change, &repository)?;
    let (found, coverage) = investigation::collect(
        &repository,
        Some(keys),
        &args.signing.log.roots().load(context)?,
        context,
    )?;
    let shown = shown::Shown::of(&change, decision, (&found, &coverage), &repository)?;
    if args.dry_run {
        if let Some(publication) = args.signing.preview(context)? {
            context.output.note(publication.in_words());
        }
        return preview(&shown, decision, context);
    }
    refuse_changed(&shown, args.shown)?;
    let folder = repository.work_tree().unwrap_or_else(|| repository.git_dir());
    let signer = args.signing.open(&repository, context)?;
    let statement = statement(&args, decision, &change, &shown, &repository)?;
    let under = [EvidenceKey::Tree(change.result_tree.clone())];
    // Let go before anything is pushed: a remote may take its time.
    let lock = Lock::acquire(context)?;
    let (id, outcome) = pipeline::issue(&statement, &signer, &args.signing.log, (folder, &under), context)?;
    drop(lock);
    let (word, index, exit) = match &outcome {
        Outcome::Logged(published) => ("logged", Some(published.index), ExitCode::Allowed),
        Outcome::Unlogged(error) => {
            context.output.warn(format!(
                "signed but unlogged: [{}] {}",
                error.code(),
                error.message()
            ));
            ("unlogged", None, ExitCode::Unavailable)
        }
    };
    let document = ReviewDocument {
        outcome: word,
        decision: decision.word(),
        payload: id.payload.to_string(),
        evidence: id.to_string(),
        log_index: index,
        refs: if index.is_some() {
            under.iter().map(EvidenceKey::ref_name).collect()
        } else {
            Vec::new()
        },
        agent_changes: shown.agent_changes.iter().map(ToString::to_string).collect(),
        shown_sha256: Sha256Digest::of(shown.text.as_bytes()).to_string(),
        shown: shown.text,
    };
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("review-result", 1), &document)?,
        Format::Text => {
            context.output.line(&document.shown);
            context
                .output
                .line(format!("{} {} ({word})", document.decision, document.evidence));
        }
    }
    if let Some(remote) = &args.push {
        crate::commands::publish::push(remote, &under, context)?;
    }
    Ok(exit)
}

/// Shows what would be signed.
fn preview(shown: &shown::Shown, decision: Decision, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let document = PreviewDocument {
        decision: decision.word(),
        agent_changes: shown.agent_changes.iter().map(ToString::to_string).collect(),
        shown: &shown.text,
        shown_sha256: Sha256Digest::of(shown.text.as_bytes()).to_string(),
    };
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("review-preview", 1), &document)?,
        Format::Text => {
            context.output.line(document.shown);
            context.output.line(format!(
                "nothing is signed yet; --shown {}",
                document.shown_sha256
            ));
        }
    }
    Ok(ExitCode::Allowed)
}

/// What a person read and what is signed are one text, or nothing is signed.
fn refuse_changed(shown: &shown::Shown, read: Option<Sha256Digest>) -> Result<(), CliError> {
    let now = Sha256Digest::of(shown.text.as_bytes());
    match read {
        Some(read) if read != now => Err(CliError::usage(
            "review.shown_changed",
            format!("what is shown now has the digest {now}, not {read}"),
        )
        .hint("the change or its evidence has moved: look again with --dry-run")),
        _ => Ok(()),
    }
}

impl Decision {
    fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

fn refuse_bad_scope(args: &Args) -> Result<(), CliError> {
    for glob in &args.paths {
        Glob::parse(glob).map_err(|error| {
            CliError::usage("review.scope", format!("{glob:?} is not a pattern of paths")).because(error)
        })?;
    }
    Ok(())
}

fn change(args: &Args, repository: &Repository) -> Result<ChangeUnderJudgement, CliError> {
    if !args.target.starts_with("refs/") {
        return Err(CliError::usage(
            "range.target_not_full",
            format!("{:?} is not the full name of a ref", args.target),
        )
        .hint("for instance --target refs/heads/main"));
    }
    let base = repository.resolve(&args.target)?;
    let head = repository.resolve(&args.revision)?;
    Ok(repository.change(&base, &head, &args.target, false)?)
}

fn keys_about(change: &ChangeUnderJudgement, repository: &Repository) -> Result<Vec<EvidenceKey>, CliError> {
    let mut keys = Vec::with_capacity(change.commits.len() * 2);
    for commit in &change.commits {
        keys.push(EvidenceKey::Commit(commit.clone()));
        keys.push(EvidenceKey::Tree(repository.commit(commit)?.tree));
    }
    Ok(keys)
}

fn statement(
    args: &Args,
    decision: Decision,
    change: &ChangeUnderJudgement,
    shown: &shown::Shown,
    repository: &Repository,
) -> Result<Statement, CliError> {
    let whole = args.paths.is_empty();
    let named = attest::repository(repository, None)?;
    let head = repository.commit(&change.head_commit)?;
    let tree = repository.tree_digest(&change.result_tree)?;
    let subjects = vec![
        ResourceDescriptor::new(
            format!("git+{}", named.uri),
            DigestSet::of_commit(&change.head_commit, head.content_sha256),
        ),
        ResourceDescriptor::new("tree", DigestSet::of_tree(&change.result_tree, tree)),
    ];
    let review = Review {
        decision: match decision {
            Decision::Approved => ReviewDecision::Approved,
            Decision::Rejected => ReviewDecision::Rejected,
        },
        about: ReviewSubject::Change,
        change: Some(ReviewedChange {
            repository: named,
            target_ref: change.target_ref.clone(),
            base_tree: change.base_tree.clone(),
            result_tree: change.result_tree.clone(),
            head: change.head_commit.clone(),
        }),
        deploy: None,
        scope: ReviewScope {
            whole,
            paths: (!whole).then(|| args.paths.clone()),
        },
        evidence: shown
            .agent_changes
            .iter()
            .copied()
            .map(DigestSet::of_sha256)
            .collect(),
        shown: DigestSet::of_sha256(Sha256Digest::of(shown.text.as_bytes())),
        supersedes: args.supersedes.map(DigestSet::of_sha256),
        reason: args.reason.clone(),
        expires_at: args.expires,
        method: ReviewMethod::Cli,
        forge: None,
    };
    Ok(Statement::new(subjects, Predicate::Review(Box::new(review))))
}
