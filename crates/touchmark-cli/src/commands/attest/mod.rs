//! `touchmark attest`: captures an agent's change with no typing, signs it, logs it and stores the evidence.

mod change;
mod commitments;
mod instructions;
mod report;
mod rows;
mod sbom;
mod secrets;
mod session;
mod statement;
mod surroundings;
mod vault;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use touchmark_git::Repository;
use touchmark_sign::attestation;
use touchmark_sign::vault::RecordName;
use touchmark_statement::agent_change as claim;
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::repo_path::RepoPath;
use touchmark_statement::statement::Statement;
use touchmark_verify::commitment::RunKey;

pub(crate) use self::change::repository;
use self::change::{Asked, GitChange};
use self::commitments::Plain;
use self::rows::Rows;
use self::statement::{Commitments, Parts, Teller};
use self::surroundings::Surroundings;
use crate::cli::example;
use crate::context::Context;
use crate::environment::IGNORED_GIT;
use crate::error::{CliError, ExitCode};
use crate::pipeline::chain::{self, Link};
use crate::pipeline::{self, Lock, Outcome};
use crate::signing_key::KeyArgs;

/// Flags of `attest`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark attest", "touchmark attest --base main --session session.jsonl --key env://AGENT_KEY"))]
pub(crate) struct Args {
    /// What is attested
    #[arg(value_enum, default_value_t)]
    what: What,

    /// The commit the work started from [default: where this branch left its upstream]
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
    /// The bill of materials of the proposed tree, CycloneDX or SPDX
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    sbom: Option<PathBuf>,

    /// Takes secrets out of the transcript's stored copy and records that
    #[arg(long, help_heading = "Privacy")]
    redact: bool,
    /// Also writes the plain SHA-256 of the prompts, which can be guessed
    #[arg(long, help_heading = "Privacy")]
    plain_prompt_digest: bool,

    #[command(flatten)]
    key: KeyArgs,

    /// Prints the statement and writes nothing
    #[arg(short = 'n', long, help_heading = "Result")]
    dry_run: bool,
    /// Pushes the evidence refs to this remote afterwards
    #[arg(
        long,
        value_name = "REMOTE",
        help_heading = "Result",
        conflicts_with = "dry_run"
    )]
    push: Option<String>,
}

/// What can be attested.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum What {
    /// An agent's change
    #[default]
    Change,
}

/// Runs `attest`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let What::Change = args.what;
    for name in context.environment.set_among(IGNORED_GIT) {
        context.output.warn(format!(
            "{name} is ignored: the repository is found from the folder alone"
        ));
    }
    let git = pipeline::open_for_writing(&context.directory, context)?;
    if args.dry_run {
        let captured = Captured::read(&args, &git, context)?;
        let (chain, sequence, previous) = next_in_chain(captured.last_link(context)?.as_ref())?;
        let (statement, _) =
            captured.state(&args, &git, fresh_run_key()?, chain, sequence, previous, context)?;
        return report::dry_run(&statement, context);
    }
    let _lock = Lock::acquire(context)?;
    let drained = pipeline::drain(context)?;
    report::waiting(&drained, context);
    let captured = Captured::read(&args, &git, context)?;
    let last = captured.last_link(context)?;
    let exit = match last.filter(|link| captured.is_covered_by(link)) {
        Some(link) => report::folded(&link, &captured.change.keys, context)?,
        None => attest(&args, &git, &captured, context)?,
    };
    if let Some(remote) = &args.push {
        crate::commands::publish::push(remote, &captured.change.keys, context)?;
    }
    Ok(exit)
}

fn attest(
    args: &Args,
    git: &Repository,
    captured: &Captured,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let signer = args.key.open(git.work_tree(), context)?;
    pipeline::refuse_unloggable(signer.public_key())?;
    let (chain, sequence, previous) = next_in_chain(captured.last_link(context)?.as_ref())?;
    let (statement, kept) =
        captured.state(args, git, fresh_run_key()?, chain, sequence, previous, context)?;
    let prepared = attestation::prepare(&statement)?;
    vault::keep(
        &RecordName {
            chain,
            payload: prepared.payload_digest(),
        },
        kept,
        context,
    )?;
    let signed = prepared.sign(&*signer)?;
    let repository = git.work_tree().unwrap_or(git.git_dir());
    let id = pipeline::queue(signed, repository, &captured.change.keys, context)?;
    match pipeline::finish(&id, context)? {
        Outcome::Logged(published) => report::logged(&published, context),
        Outcome::Unlogged(error) => report::unlogged(&id, &error, context),
    }
}

/// What was read before anything was written.
#[derive(Debug)]
struct Captured {
    change: GitChange,
    teller: Teller,
    surroundings: Surroundings,
    session: Sha256Digest,
    work_tree: Option<PathBuf>,
}

impl Captured {
    fn read(args: &Args, git: &Repository, context: &Context<'_>) -> Result<Self, CliError> {
        let surroundings = Surroundings::of(&context.environment);
        let metadata = args
            .metadata
            .as_deref()
            .map(|file| session::metadata(file, context))
            .transpose()?;
        let asked = asked(args, metadata.as_ref())?;
        let change = GitChange::read(git, &asked, surroundings.repository_id.clone())?;
        let work_tree = git.work_tree().map(Path::to_owned);
        let teller = match (metadata, &args.session) {
            (Some(metadata), _) => metadata,
            (None, Some(file)) => Teller::Session(Box::new(session::named(file, context)?)),
            (None, None) => {
                let changed: BTreeSet<RepoPath> =
                    change.changes.iter().map(|change| change.path.clone()).collect();
                let root = work_tree.as_deref().unwrap_or(git.git_dir());
                Teller::Session(Box::new(session::discover(root, &changed, context)?))
            }
        };
        let session = match &teller {
            Teller::Session(session) => {
                let id = session.run.session_id.as_deref().unwrap_or_default();
                chain::session_name(&session.run.product.name, id, &change.repository.uri)
            }
            Teller::Metadata(metadata) => {
                chain::session_name("", &metadata.prompt_digest.to_string(), &change.repository.uri)
            }
        };
        Ok(Self {
            change,
            teller,
            surroundings,
            session,
            work_tree,
        })
    }

    fn last_link(&self, context: &Context<'_>) -> Result<Option<Link>, CliError> {
        chain::last(&self.session, context)
    }

    fn is_covered_by(&self, link: &Link) -> bool {
        let change = &self.change;
        link.covers(
            &change.base.git_tree,
            &change.proposed.git_tree,
            change.proposed.git_commit.as_ref(),
        )
    }

    /// Makes the statement, and what the vault has to keep so that it can be opened again.
    fn state(
        &self,
        args: &Args,
        git: &Repository,
        key: RunKey,
        chain: claim::ChainId,
        sequence: u64,
        previous: Option<DigestSet>,
        context: &Context<'_>,
    ) -> Result<(Statement, vault::Kept), CliError> {
        let mut kept = vault::Kept::new(key);
        let mut commitments = Commitments::default();
        let found = instructions::find(
            git,
            &self.change.base.git_tree,
            self.work_tree.as_deref(),
            context.environment.path("HOME").as_deref(),
            self.change.changes.iter().map(|change| &change.path),
        )?;
        commitments.instructions = commitments::instructions(&found, &kept.key)?;
        kept.add_instructions(&found)?;
        commitments.task = args.task.as_ref().map(|uri| claim::Task {
            uri: Some(uri.clone()),
            commitment: None,
        });
        let mut written = None;
        if let Teller::Session(session) = &self.teller {
            let raw = commitments::transcript_bytes(session);
            let redacted = secrets::in_transcript(&raw, args.redact)?;
            let plain = if args.plain_prompt_digest {
                Plain::Digest
            } else {
                Plain::No
            };
            if plain == Plain::Digest {
                context.output.warn(
                    "the plain digest of a short or common prompt can be guessed by anyone who sees it",
                );
            }
            commitments.prompt = commitments::prompts(session, &kept.key, plain)?;
            commitments.commands = commitments::commands(session, &kept.key)?;
            commitments.transcript = Some(commitments::transcript(
                session,
                &kept.key,
                &raw,
                redacted.as_ref(),
            )?);
            let root = self
                .work_tree
                .as_deref()
                .map(Path::to_string_lossy)
                .unwrap_or_default();
            written = Some(rows::written(session, &root));
            kept.add_session(session, raw, redacted)?;
        }
        let rows = Rows::of(git, &self.change.changes, written.as_ref())?;
        let paths_tree = if rows.too_many() { Some(rows.tree()?) } else { None };
        let setting = |flag: &Option<String>, name| {
            flag.clone()
                .or_else(|| context.config.text(name).map(str::to_owned))
        };
        let statement = statement::build(Parts {
            teller: &self.teller,
            change: &self.change,
            rows,
            paths_tree,
            commitments,
            sbom: args
                .sbom
                .as_deref()
                .map(|file| sbom::read(&context.path(file)))
                .transpose()?,
            surroundings: &self.surroundings,
            agent: setting(&args.agent, "agent"),
            owner: setting(&args.owner, "owner"),
            chain,
            sequence,
            previous,
        })?;
        secrets::in_statement(&statement.encode()?)?;
        Ok((statement, kept))
    }
}

/// A metadata record names its own base and proposed commit; flags may repeat but not change them.
fn asked(args: &Args, metadata: Option<&Teller>) -> Result<Asked, CliError> {
    if let Some(Teller::Metadata(metadata)) = metadata {
        if args.base.is_some() || args.proposed.is_some() {
            return Err(CliError::usage(
                "attest.metadata_range",
                "a metadata record names its base and proposed commit itself",
            )
            .hint("leave out --base and --proposed"));
        }
        let (base, proposed) = (Some(metadata.base.to_string()), metadata.proposed.to_string());
        return Ok(Asked::Commits { base, proposed });
    }
    if args.uncommitted {
        return Ok(Asked::Uncommitted {
            base: args.base.clone(),
        });
    }
    let proposed = args.proposed.clone().unwrap_or_else(|| "HEAD".to_owned());
    Ok(Asked::Commits {
        base: args.base.clone(),
        proposed,
    })
}

fn fresh_run_key() -> Result<RunKey, CliError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    fill_random(&mut *bytes)?;
    Ok(RunKey::from_bytes(&*bytes)?)
}

fn next_in_chain(last: Option<&Link>) -> Result<(claim::ChainId, u64, Option<DigestSet>), CliError> {
    if let Some(link) = last {
        return Ok((
            link.chain,
            link.sequence + 1,
            Some(DigestSet::of_sha256(link.payload)),
        ));
    }
    let mut name = [0; 16];
    fill_random(&mut name)?;
    Ok((claim::ChainId::from_bytes(name), 0, None))
}

fn fill_random(bytes: &mut [u8]) -> Result<(), CliError> {
    getrandom::fill(bytes)
        .map_err(|_| CliError::failed("key.no_randomness", "no randomness from the operating system"))
}
