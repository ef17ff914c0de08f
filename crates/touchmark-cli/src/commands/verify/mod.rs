//! `touchmark verify`: judges a change by its evidence and a policy. Gathers inputs, asks the judge, renders its answer.

mod alone;
mod question;
mod summary;

use std::path::PathBuf;

use touchmark_git::{EvidenceKey, EvidenceName, Repository};
use touchmark_policy::judge::{Candidate, JudgeRequest, NamedRoot, PolicyInForce, judge};
use touchmark_policy::{Policy, Verdict};
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::evidence::SignerId;
use touchmark_verify::key::PublicKey;
use touchmark_verify::lineage::ChangeUnderJudgement;

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::output::Format;
use crate::pipeline::open_for_writing;
use crate::render;
use crate::trust::RootArgs;

pub(crate) use self::alone::checks;
use self::question::Question;

/// How far back the first commit is sought when evidence names the repository by it.
const MAX_HISTORY: usize = 1_000_000;
/// How many pieces of evidence by signers that no policy knows are looked at: enough to say so, and too few to matter.
const MAX_UNKNOWN: u32 = 4;
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
    /// Names this repository where its remote does not, as evidence names it
    #[arg(long, value_name = "URI", help_heading = "Change")]
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

    /// More evidence: a bundle, a file of bundles (one a line), or a folder of them; alone, verifies just this
    #[arg(long, value_name = "PATH", help_heading = "Evidence")]
    bundle: Vec<PathBuf>,
    /// Fetches the evidence refs of this change from a remote first
    #[arg(long, value_name = "REMOTE", help_heading = "Evidence")]
    from: Option<String>,
    /// The signer's public key (PEM), or its fingerprint sha256:…; for --bundle alone this is the expected signer
    #[arg(long, value_name = "KEY", help_heading = "Evidence")]
    key: Vec<String>,

    #[command(flatten)]
    roots: RootArgs,

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
    if args.change.is_none() && args.landed.is_none() {
        return alone::run(&args, context);
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
    let roots = args.roots.load(context)?;
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
    let mut verdict = judge(&JudgeRequest {
        change: &change,
        candidates: &candidates,
        git: &repository,
        trusted_roots: &named_roots,
        policies: &in_force,
        keys: &keys,
        at: context.now()?,
        forge_author: args.forge_author.as_deref(),
        tool: concat!("touchmark/", env!("CARGO_PKG_VERSION")),
    });
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

/// Evidence from the refs, filtered by the signers that a policy knows, and from the files that were given.
fn candidates(
    args: &Args,
    change: &mut ChangeUnderJudgement,
    policies: &[(String, Policy)],
    repository: &Repository,
    context: &Context<'_>,
) -> Result<Vec<Candidate>, CliError> {
    let known: std::collections::BTreeSet<String> = policies
        .iter()
        .flat_map(|(_, policy)| policy.principals())
        .flat_map(|principal| principal.signers())
        .map(|signer| SignerId::of_key(&signer.key).to_string())
        .collect();
    // Evidence of unknown signers decides nothing, but its reader wants to know that it is there.
    let unknown = std::cell::Cell::new(0);
    let wanted = |name: &EvidenceName| {
        known.contains(name.signer()) || {
            unknown.set(unknown.get() + 1);
            unknown.get() <= MAX_UNKNOWN
        }
    };
    let gathered = repository.evidence_about(change, &wanted)?;
    // Files may name the repository by its first commit too.
    if gathered.names_root_commit || !args.bundle.is_empty() {
        change.repository.root_commits = first_commits(change, repository, context);
    }
    let mut candidates: Vec<Candidate> = gathered
        .files
        .into_iter()
        .map(|file| Candidate {
            source: format!("{}:{}", file.ref_name, file.name),
            bytes: file.bytes,
        })
        .collect();
    for path in &args.bundle {
        candidates.extend(bundles(&context.path(path))?);
    }
    Ok(candidates)
}

/// The first commit of the protected ref: what is checked out is the change's to choose. Where it cannot be found, what
/// names the repository by it does not count; evidence that nobody verified must not end the question.
fn first_commits(
    change: &ChangeUnderJudgement,
    repository: &Repository,
    context: &Context<'_>,
) -> Vec<GitCommitId> {
    match repository.root_commits_of(&change.base_commit, MAX_HISTORY) {
        Ok(commits) => commits,
        Err(error) => {
            context.output.warn(format!(
                "evidence that names the repository by its first commit does not count: {error}"
            ));
            Vec::new()
        }
    }
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

/// The bundles of a file (one, or one a line) or of every `.json` and `.jsonl` file of a folder.
fn bundles(path: &std::path::Path) -> Result<Vec<Candidate>, CliError> {
    const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;
    const MAX_FILES: usize = 10_000;
    let unreadable = |error: std::io::Error| CliError::io("file.unreadable", path, &error);
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
            .map_err(unreadable)?
            .take(MAX_FILES + 1)
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        if entries.len() > MAX_FILES {
            return Err(CliError::failed(
                "file.too_many",
                format!("{} holds more than {MAX_FILES} files", path.display()),
            ));
        }
        entries.retain(|entry| {
            entry
                .extension()
                .is_some_and(|ending| ending == "json" || ending == "jsonl")
        });
        entries.sort();
        files = entries;
    }
    let mut candidates = Vec::new();
    for file in files {
        let bytes = file_argument::read(&file, MAX_FILE_BYTES)?;
        let source = file.display().to_string();
        if file.extension().is_some_and(|ending| ending == "jsonl") {
            let lines = bytes
                .split(|byte| *byte == b'\n')
                .enumerate()
                .filter(|(_, line)| !line.is_empty());
            candidates.extend(lines.map(|(number, line)| Candidate {
                source: format!("{source}:{}", number + 1),
                bytes: line.to_vec(),
            }));
        } else {
            candidates.push(Candidate { source, bytes });
        }
    }
    Ok(candidates)
}

/// The keys given as files; fingerprints need no material of their own.
fn public_keys(given: &[String], context: &Context<'_>) -> Result<Vec<PublicKey>, CliError> {
    const MAX_KEY_BYTES: u64 = 64 * 1024;
    let files = given.iter().filter(|text| !text.starts_with("sha256:"));
    files
        .map(|file| {
            let bytes = file_argument::read(&context.path(std::path::Path::new(file)), MAX_KEY_BYTES)?;
            PublicKey::from_pem(&bytes).map_err(|error| {
                CliError::from_error(ExitCode::Usage, error.code(), &error).because(format_args!("in {file}"))
            })
        })
        .collect()
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
