//! `touchmark verify`: judges a change by its evidence and a policy. Gathers inputs, asks the judge, renders its answer.

mod alone;
mod artifact;
mod disclosure;
mod evidence;
mod expected;
mod question;
mod report;
mod summary;

use std::path::PathBuf;
use std::sync::Arc;

use touchmark_git::{EvidenceKey, Repository};
use touchmark_policy::judge::{JudgeRequest, NamedRoot, NamedWitnessPolicy, PolicyInForce, judge};
use touchmark_policy::{Policy, Verdict};
use touchmark_verify::lineage::ChangeUnderJudgement;
use touchmark_verify::remembered::RememberedCheckpoints;

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::output::Format;
use crate::pipeline::open_for_writing;
use crate::remembered::{self, Remembered};
use crate::render;
use crate::trust::RootArgs;

pub(crate) use self::alone::checks;
pub(crate) use self::evidence::bundles;
use self::evidence::{candidates, public_keys};
use self::expected::IdentityArgs;
use self::question::Question;

/// Where a protected branch keeps its policy.
const POLICY_PATH: &str = ".touchmark/policy.toml";

/// Flags of `verify`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark verify main..HEAD", "touchmark verify --landed OLD..NEW --target refs/heads/main"))]
pub(crate) struct Args {
    /// BASE..HEAD, or a commit together with --target
    #[arg(value_name = "CHANGE", conflicts_with = "landed")]
    change: Option<String>,
    /// The protected ref the change is for; its tip is the base, and its policy judges
    #[arg(long, value_name = "REF", help_heading = "Change")]
    target: Option<String>,
    /// Judges what landed: the protected ref's old and new commit
    #[arg(long, value_name = "OLD..NEW", requires = "target", help_heading = "Change")]
    landed: Option<String>,
    /// The head of a pull request that was squashed or rebased into the change; give several in their order
    #[arg(long, value_name = "REV", help_heading = "Change")]
    pull_request: Vec<String>,
    /// Names this repository where its remote does not, as evidence names it; for --bundle alone, OWNER/NAME at GitHub or
    /// the address of the repository whose run must have signed
    #[arg(long, value_name = "REPOSITORY", help_heading = "Change")]
    repo: Option<String>,
    /// Who opened the change, where the forge itself said so
    #[arg(long, value_name = "LOGIN", help_heading = "Change")]
    forge_author: Option<String>,

    /// Judges by this policy instead of the protected ref's; given several times, each must say yes
    #[arg(long, value_name = "FILE", help_heading = "Policy")]
    policy: Vec<PathBuf>,
    /// Refuses a policy with a lower serial than this
    #[arg(long, value_name = "N", help_heading = "Policy")]
    min_serial: Option<u64>,

    /// More evidence: a bundle, a file of bundles (one a line), a folder of them, or - for standard input; alone, verifies
    /// just this, whoever made it
    #[arg(long, value_name = "PATH", help_heading = "Evidence")]
    bundle: Vec<PathBuf>,
    /// Fetches the evidence refs of this change from a remote first
    #[arg(long, value_name = "REMOTE", help_heading = "Evidence")]
    from: Option<String>,
    /// The signer's public key (PEM), or its fingerprint sha256:…; for --bundle alone this is the expected signer
    #[arg(long, value_name = "KEY", help_heading = "Evidence")]
    key: Vec<String>,

    /// Proves pieces of a run that `disclose` opened, against their statement in this repository or in --bundle
    #[arg(long, value_name = "FILE", conflicts_with_all = ["change", "landed"], help_heading = "Evidence")]
    disclosure: Option<PathBuf>,

    /// For --bundle alone: what must have been signed, a file or sha256:…; of a statement, one of its subjects
    #[arg(
        long,
        visible_alias = "digest",
        value_name = "FILE|DIGEST",
        conflicts_with_all = ["change", "landed"],
        help_heading = "Evidence"
    )]
    artifact: Option<String>,
    /// For --bundle alone: takes only statements of this type
    #[arg(long, value_name = "URI", conflicts_with_all = ["change", "landed"], help_heading = "Evidence")]
    predicate_type: Option<String>,
    /// For --bundle alone: accepts version 0.1 bundles whose log only promised to include them
    #[arg(long, conflicts_with_all = ["change", "landed"], help_heading = "Evidence")]
    allow_promise_only: bool,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    roots: RootArgs,
    /// Compares each log's checkpoint with the one seen before, and remembers it: a log that shows two views is an alarm
    #[arg(long, help_heading = "Trust")]
    remember: bool,

    /// For --bundle alone: prints the verified statements, byte for byte, and nothing else
    #[arg(long, conflicts_with_all = ["change", "landed"], help_heading = "Result")]
    statement: bool,
    /// Ends with 0 whatever the verdict; written into the verdict as not enforced
    #[arg(long, help_heading = "Result")]
    exit_zero: bool,
    /// Signs a landed verdict that says yes with this key and stores it with the evidence
    #[arg(
        long,
        value_name = "URI",
        requires = "landed",
        conflicts_with = "exit_zero",
        help_heading = "Result"
    )]
    gate_key: Option<String>,
    /// Also writes the verdict to a file: text=PATH or json=PATH
    #[arg(long, value_name = "FORMAT=PATH", help_heading = "Result")]
    output: Vec<String>,
}

/// Runs `verify`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    context.output.must_be_read();
    let files = Files::parse(&args.output)?;
    if let Some(file) = &args.disclosure {
        return disclosure::run(&args, file, context);
    }
    if args.change.is_none() && args.landed.is_none() {
        return alone::run(&args, context);
    }
    if args.identity.is_given() {
        return Err(CliError::usage(
            "verify.identity_of_change",
            "who may have signed the evidence of a change is said by a policy, not by flags",
        )
        .hint("write the identity into a policy: signers = [{ issuer = \"…\", san = \"…\" }]"));
    }
    let repository = open_for_writing(&context.directory, context)?;
    let question = Question::ask(&args, &repository)?;
    if let Some(warning) = question.doubt() {
        context.output.warn(warning);
    }
    let mut change = question.change(&repository)?;
    question::add_pull_requests(&mut change, &args.pull_request, &repository)?;
    change.repository.uris.extend(args.repo.clone());
    let policies = policies(&args, &change, &repository, context)?;
    let keys = public_keys(&args.key, context)?;
    if let Some(remote) = &args.from {
        let wanted = evidence_keys(&change, &repository)?;
        repository.fetch_evidence(remote, &wanted)?;
    }
    let candidates = candidates(&args, &mut change, &policies, &repository, context)?;
    let wanted = policies.iter().flat_map(|(_, policy)| &policy.trust.roots);
    let roots = args.roots.load_named(wanted.map(String::as_str), context)?;
    let witness_policies = args.roots.witness_policies(context)?;
    let named_witness_policies: Vec<_> = witness_policies
        .iter()
        .map(|named| NamedWitnessPolicy {
            name: &named.name,
            policy: &named.policy,
            digest: named.digest,
        })
        .collect();
    let named_roots: Vec<_> = roots
        .iter()
        .map(|root| NamedRoot {
            name: &root.name,
            root: &root.root,
        })
        .collect();
    let in_force: Vec<_> = policies
        .iter()
        .map(|(name, policy)| PolicyInForce {
            name,
            policy,
            serial_floor: args.min_serial,
        })
        .collect();
    let remembered = Remembered::if_asked(args.remember, context)?;
    let seen_before = remembered
        .clone()
        .map(|remembered| remembered as Arc<dyn RememberedCheckpoints>);
    let mut verdict = judge(&JudgeRequest {
        change: &change,
        candidates: &candidates,
        git: &repository,
        trusted_roots: &named_roots,
        witness_policies: &named_witness_policies,
        remembered: seen_before.as_ref(),
        policies: &in_force,
        keys: &keys,
        at: context.now()?,
        forge_author: args.forge_author.as_deref(),
        tool: concat!("touchmark/", env!("CARGO_PKG_VERSION")),
    });
    remembered::finish(remembered.as_deref(), context)?;
    if args.exit_zero {
        context.output.warn("--exit-zero: this verdict is not enforced");
        verdict = verdict.not_enforced();
    }
    show(&verdict, &files, context)?;
    if let Some(key) = &args.gate_key {
        summary::sign(&verdict, &change, key, &repository, context)?;
    }
    Ok(status(&verdict))
}

/// Only an allowed verdict, or one that is openly not enforced, ends with 0.
fn status(verdict: &Verdict) -> ExitCode {
    if verdict.enforced() {
        verdict.exit_code()
    } else {
        ExitCode::Allowed
    }
}

/// The policies that judge: those given, else the one at the tip of the protected ref together with those configured.
/// What is configured depends on where the environment says that the configuration is, so that it adds and never
/// replaces.
fn policies(
    args: &Args,
    change: &ChangeUnderJudgement,
    repository: &Repository,
    context: &Context<'_>,
) -> Result<Vec<(String, Policy)>, CliError> {
    let configured: Vec<PathBuf> = context
        .config
        .strings("policies")
        .iter()
        .map(PathBuf::from)
        .collect();
    let files = if args.policy.is_empty() {
        &configured
    } else {
        &args.policy
    };
    let mut policies = Vec::new();
    for file in files {
        let bytes = file_argument::read(&context.path(file), super::policy::MAX_POLICY_BYTES)?;
        let name = file.display().to_string();
        policies.push((name.clone(), load_policy(&bytes, &name)?));
    }
    if !args.policy.is_empty() {
        return Ok(policies);
    }
    let path = POLICY_PATH
        .parse()
        .map_err(|_| CliError::failed("cli.internal", "the policy's own path is no path"))?;
    use touchmark_verify::git_view::GitView as _;
    match repository.read_path(&change.base_tree, &path, super::policy::MAX_POLICY_BYTES)? {
        Some(bytes) => {
            let name = format!("{}:{POLICY_PATH}", change.target_ref);
            policies.push((name.clone(), load_policy(&bytes, &name)?));
        }
        None if policies.is_empty() => {
            return Err(CliError::usage(
                "policy.absent",
                format!("{} has no {POLICY_PATH}, and none was given", change.target_ref),
            )
            .hint("land a policy on the protected branch, or name one with --policy FILE"));
        }
        None => {}
    }
    Ok(policies)
}

fn load_policy(bytes: &[u8], name: &str) -> Result<Policy, CliError> {
    Policy::load(bytes).map_err(|error| {
        let place = error.line().map_or_else(String::new, |line| format!(":{line}"));
        CliError::from_error(ExitCode::Usage, error.code(), &error).because(format_args!("in {name}{place}"))
    })
}

fn evidence_keys(
    change: &ChangeUnderJudgement,
    repository: &Repository,
) -> Result<Vec<EvidenceKey>, CliError> {
    use touchmark_verify::git_view::GitView as _;
    let mut keys = Vec::new();
    for commit in change.commits.iter().chain(&change.pull_request_commits) {
        keys.push(EvidenceKey::Commit(commit.clone()));
        keys.push(EvidenceKey::Tree(repository.commit(commit)?.tree.clone()));
    }
    Ok(keys)
}

/// Files that the verdict is also written to.
struct Files(Vec<(Format, PathBuf)>);

impl Files {
    fn parse(given: &[String]) -> Result<Self, CliError> {
        let file = |text: &String| match text.split_once('=') {
            Some(("text", path)) if !path.is_empty() => Ok((Format::Text, PathBuf::from(path))),
            Some(("json", path)) if !path.is_empty() => Ok((Format::Json, PathBuf::from(path))),
            _ => Err(CliError::usage(
                "output.unknown_format",
                format!("{text} is not text=PATH or json=PATH"),
            )),
        };
        given.iter().map(file).collect::<Result<_, _>>().map(Self)
    }
}

fn show(verdict: &Verdict, files: &Files, context: &Context<'_>) -> Result<(), CliError> {
    for (format, path) in &files.0 {
        let bytes = match format {
            Format::Text => format!("{}\n", render::verdict::render(verdict)).into_bytes(),
            Format::Json => verdict.encode(),
        };
        let path = context.path(path);
        std::fs::write(&path, bytes).map_err(|error| CliError::io("output.unwritable", &path, &error))?;
    }
    match context.output.format() {
        Format::Text => context.output.rendered(render::verdict::render(verdict)),
        Format::Json => context.output.json(verdict)?,
    }
    Ok(())
}
