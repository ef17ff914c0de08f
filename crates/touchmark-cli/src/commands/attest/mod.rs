//! `touchmark attest`: captures an agent's change with no typing, signs it, logs it and stores the evidence.

mod build;
mod capture;
mod change;
mod commitments;
mod head;
mod identity;
mod instructions;
mod parent;
pub(crate) mod report;
mod rows;
mod sbom;
mod secrets;
pub(crate) mod seen;
pub(crate) mod session;
mod statement;
mod surroundings;
mod tests;
mod told;
mod vault;

use std::path::PathBuf;

use touchmark_git::Repository;
use touchmark_sign::attestation;
use touchmark_sign::vault::RecordName;

use self::capture::{Captured, Place};
pub(crate) use self::change::repository;
use self::told::Told;
use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::pipeline::{self, Lock, Outcome};
use crate::signing_key::{SigningArgs, Who};

/// Flags of `attest`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark attest", "touchmark attest --base main --session session.jsonl --key env://AGENT_KEY"))]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    /// What is attested; an agent's change where nothing is named.
    #[command(subcommand)]
    what: Option<What>,
    /// Flags without a name of what is attested.
    #[command(flatten)]
    change: ChangeArgs,
}

/// What can be attested.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// An agent's change (the same as without a name)
    #[command(before_help = example("touchmark attest change", "touchmark attest change --uncommitted"))]
    Change(Box<ChangeArgs>),
    /// The result of tests on HEAD
    Tests(Box<tests::Args>),
    /// The bill of materials of a commit's tree
    Sbom(Box<sbom::Args>),
    /// What was built from HEAD, as SLSA provenance
    Build(Box<build::Args>),
}

/// Flags of `attest change`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ChangeArgs {
    /// The commit the work started from [default: where this branch left its upstream, origin's default branch, or main]
    #[arg(long, value_name = "REV", help_heading = "Change")]
    base: Option<String>,
    /// The commit that is proposed [default: HEAD]
    #[arg(
        long,
        value_name = "REV",
        help_heading = "Change",
        conflicts_with = "uncommitted"
    )]
    proposed: Option<String>,
    /// Attests the work tree as it is, against HEAD or --base
    #[arg(long, help_heading = "Change")]
    uncommitted: bool,

    /// The agent's session file [default: the newest that wrote a changed path]
    #[arg(long, value_name = "FILE", help_heading = "Run", conflicts_with = "metadata")]
    session: Option<PathBuf>,
    /// A metadata record in place of a session: agent_id, model, prompt_hash, base_sha, proposed_sha, timestamp
    #[arg(long, value_name = "FILE", help_heading = "Run", conflicts_with_all = ["uncommitted", "redact"])]
    metadata: Option<PathBuf>,
    /// The id under which policy knows the agent [default: the product's name]
    #[arg(long, value_name = "ID", help_heading = "Run")]
    agent: Option<String>,
    /// The team that answers for the agent
    #[arg(long, value_name = "NAME", help_heading = "Run")]
    owner: Option<String>,
    /// The issue or ticket that the work was for
    #[arg(long, value_name = "URI", help_heading = "Run")]
    task: Option<String>,
    /// The bill of materials of the proposed tree, CycloneDX or SPDX [default: what its lockfiles say]
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    sbom: Option<PathBuf>,

    /// Takes secrets out of the transcript's stored copy and records that
    #[arg(long, help_heading = "Privacy")]
    redact: bool,
    /// More rules for what a secret is, in gitleaks' form (TOML); those built in always count
    #[arg(long, value_name = "FILE", help_heading = "Privacy")]
    redaction_rules: Vec<PathBuf>,
    /// Also writes the plain SHA-256 of the prompts, which can be guessed
    #[arg(long, help_heading = "Privacy")]
    plain_prompt_digest: bool,

    #[command(flatten)]
    signing: SigningArgs,

    /// Prints the statement and writes nothing
    #[arg(short = 'n', long, help_heading = "Result")]
    dry_run: bool,
    /// Also prints the trailer that names the statement, for `git commit --trailer`; no commit is changed
    #[arg(long, help_heading = "Result", conflicts_with = "dry_run")]
    trailer: bool,
    /// Pushes the evidence refs to this remote afterwards
    #[arg(
        long,
        value_name = "REMOTE",
        help_heading = "Result",
        conflicts_with = "dry_run"
    )]
    push: Option<String>,
}

/// Runs `attest`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match args.what {
        None => change_of(&args.change, context),
        Some(What::Change(args)) => change_of(&args, context),
        Some(What::Tests(args)) => tests::run(&args, context),
        Some(What::Sbom(args)) => sbom::run(&args, context),
        Some(What::Build(args)) => build::run(&args, context),
    }
}

fn change_of(args: &ChangeArgs, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let git = pipeline::open_here(context)?;
    if args.dry_run {
        let mut captured = Captured::read(args, &git, context)?;
        let mut place = Place::after(captured.last_link(context)?.as_ref())?;
        place.since = captured.take_off_known(context)?;
        let (statement, _) = captured.state(args, &git, place, context)?;
        let publication = args.signing.preview(context)?;
        return report::dry_run(&statement, publication, context);
    }
    // A login or a slow service holds up nobody else.
    let identity = args.signing.identity(&git, context)?;
    let lock = Lock::acquire(context)?;
    let drained = pipeline::drain(context)?;
    report::waiting(&drained, context);
    let mut captured = Captured::read(args, &git, context)?;
    let last = captured.last_link(context)?;
    let signer = args.signing.open_with(identity, &git, context)?;
    let told = Told::read(args, context)?;
    let said = match last {
        Some(link) if captured.is_covered_by(&link, &told, &signer.signer_id(), &git)? => Some(link),
        _ => None,
    };
    let exit = match said {
        Some(link) => {
            let exit = report::folded(&link, &captured.change.keys, context)?;
            report::trailer(args.trailer, link.payload, context);
            exit
        }
        None => attest(args, &git, &mut captured, &signer, context)?,
    };
    // A remote may take its time; nobody else waits for it.
    drop(lock);
    crate::escrow::ship_after_attest(context);
    if let Some(remote) = &args.push {
        crate::commands::publish::push(remote, &captured.change.keys, context)?;
    }
    Ok(exit)
}

fn attest(
    args: &ChangeArgs,
    git: &Repository,
    captured: &mut Captured,
    signer: &Who,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let repository = git.work_tree().unwrap_or(git.git_dir());
    let targets = pipeline::agreed_targets(&args.signing.log, repository, context)?;
    signer.refuse_unloggable_in(&targets)?;
    captured.sources.add_signer(signer);
    let mut place = Place::after(captured.last_link(context)?.as_ref())?;
    place.since = captured.take_off_known(context)?;
    let (chain, sequence) = (place.chain, place.sequence);
    let (statement, kept) = captured.state(args, git, place, context)?;
    let prepared = attestation::prepare(&statement)?;
    let payload = prepared.payload_digest();
    vault::keep(&RecordName { chain, payload }, kept, context)?;
    captured.note(sequence, payload, context)?;
    let signed = signer.sign(prepared, context)?;
    let keys = &captured.change.keys;
    let id = pipeline::queue_for(signed, targets, repository, keys, context)?;
    let exit = match pipeline::finish_with(&id, &args.signing.log, context)? {
        Outcome::Logged(published) => report::logged(&published, context)?,
        Outcome::Unlogged(error) => report::unlogged(&id, &error, context)?,
    };
    report::trailer(args.trailer, payload, context);
    Ok(exit)
}
