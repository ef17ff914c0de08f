//! `touchmark attest tests`: the result of tests on exactly one tree, from reports, from a command's end, or both.
//!
//! The result is bound to the commit and tree of HEAD, which must be as committed before and not have moved after. It says
//! who ran the tests; whether that counts is up to the role of whoever signs.

mod command;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use touchmark_junit::{MAX_REPORT_BYTES, Outcome, Report};
use touchmark_sign::attestation;
use touchmark_sign::vault::RecordName;
use touchmark_statement::agent_change::{ChainId, EnvironmentKind, Source};
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::predicate::Predicate;
use touchmark_statement::statement::{ResourceDescriptor, Statement};
use touchmark_statement::test_result::{RunBy, TestResult, TestRun};

use super::head::Head;
use super::surroundings::Surroundings;
use super::{capture, report, vault};
use crate::capture::marks;
use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode, exit_of};
use crate::file_argument;
use crate::pipeline::{self, Lock};
use crate::signing_key::SigningArgs;

/// The most reports of one result.
const MAX_REPORTS: usize = 1_024;

/// Flags of `attest tests`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark attest tests --junit target/junit.xml", "touchmark attest tests -- cargo test"))]
pub(crate) struct Args {
    /// A report in JUnit's XML, written by a run of the tests on this tree; several make one result
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = "Tests")]
    junit: Vec<PathBuf>,
    /// Who ran the tests [default: what the environment tells]
    #[arg(long, value_enum, value_name = "WHO", help_heading = "Tests")]
    run_by: Option<By>,
    /// Where the run can be seen [default: the page of the CI run]
    #[arg(long, value_name = "URL", help_heading = "Tests")]
    url: Option<String>,
    /// Attests the work tree as it is; the result is then about the tree alone
    #[arg(long, help_heading = "Tests")]
    uncommitted: bool,

    #[command(flatten)]
    signing: SigningArgs,

    /// Prints the statement and writes nothing; a command is run all the same
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

    /// Runs this command as the tests, and ends with its status
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Who ran tests, as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// The agent whose work it is
    Agent,
    /// Whoever judges the work
    Verifier,
    /// A CI service
    Ci,
}

/// Runs `attest tests`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    if args.junit.is_empty() && args.command.is_empty() {
        return Err(
            CliError::usage("tests.nothing_named", "neither a report nor a command is named")
                .hint("touchmark attest tests --junit FILE, or touchmark attest tests -- COMMAND"),
        );
    }
    if args.junit.len() > MAX_REPORTS {
        return Err(CliError::usage(
            "tests.too_many_reports",
            format!("more than {MAX_REPORTS} reports"),
        ));
    }
    let git = pipeline::open_here(context)?;
    let surroundings = Surroundings::of(&context.environment);
    let files: Vec<PathBuf> = args.junit.iter().map(|file| context.path(file)).collect();
    let forge_id = surroundings.repository_id.clone();
    let head = match args.uncommitted {
        true => Head::uncommitted(&git, forge_id)?,
        false => Head::committed(&git, &files, forge_id)?,
    };
    let before: Vec<Option<Version>> = files.iter().map(|file| Version::of(file)).collect();
    let ended = match args.command.as_slice() {
        [] => None,
        words => Some(command::run(words, context)?),
    };
    if let Some(ended) = ended {
        // Whatever becomes of the statement, a command that failed is not passed over.
        context.output.leave_with(ended.status());
    }
    let new = head.refuse_moved(&git)?;
    if new > files.len() {
        context.output.warn(format!(
            "{} new files lie in the work tree and are not ignored; the result is about the tree without them",
            new - files.len()
        ));
    }
    for (file, before) in files.iter().zip(before) {
        let now = Version::of(file);
        let is_old = match (ended, now) {
            (Some(_), now) => now.is_some() && now == before,
            (None, Some(now)) => head.committed_at.is_some_and(|at| now.written < at.unix()),
            (None, None) => false,
        };
        if is_old {
            return Err(older(file));
        }
    }
    let reports = reports(&files)?;
    let outcome = Outcome::of(
        reports.iter().map(|(_, report)| report),
        ended.map(|ended| ended.is_success()),
    )
    .map_err(|error| {
        CliError::from_error(ExitCode::Invalid, error.code(), &error).hint("what did not run has not passed")
    })?;
    let key = capture::fresh_run_key()?;
    let statement = statement(
        args,
        &head,
        (&surroundings, &reports),
        (&outcome, ended),
        &key,
        context,
    )?;
    if args.dry_run {
        return report::dry_run(&statement, None, context);
    }
    issue(args, &statement, &git, &head, key, context)
}

fn statement(
    args: &Args,
    head: &Head,
    (surroundings, reports): (&Surroundings, &[(ResourceDescriptor, Report)]),
    (outcome, ended): (&Outcome, Option<command::Ended>),
    key: &touchmark_verify::commitment::RunKey,
    context: &Context<'_>,
) -> Result<Statement, CliError> {
    let marks = marks::agents(&context.environment);
    let marks: Vec<String> = marks.into_iter().map(|(name, _)| name.to_owned()).collect();
    let (run_by, source) = run_by(args.run_by, surroundings, &marks);
    let run = TestRun {
        run_by,
        source,
        agent_marks: marks,
        command: ended.map(|ended| ended.said(command::commitment(&args.command, key))),
        counts: (!reports.is_empty()).then_some(outcome.counts),
        totals_differ: outcome.totals_differ,
    };
    let mut configuration = vec![run.descriptor()];
    configuration.extend(reports.iter().map(|(descriptor, _)| descriptor.clone()));
    let result = TestResult {
        result: outcome.result,
        configuration,
        url: args.url.clone().or_else(|| surroundings.run.clone()),
        passed_tests: outcome.passed.clone(),
        warned_tests: outcome.warned.clone(),
        failed_tests: outcome.failed.clone(),
    };
    Ok(Statement::new(
        head.subjects.clone(),
        Predicate::TestResult(Box::new(result)),
    ))
}

/// Who ran the tests. Within an agent's process it is the agent, whatever a flag says: the mark is recorded beside it.
fn run_by(
    flag: Option<By>,
    surroundings: &Surroundings,
    marks: &[String],
) -> (Option<RunBy>, Option<Source>) {
    if let Some(by) = flag {
        let by = match by {
            By::Agent => RunBy::Agent,
            By::Verifier => RunBy::Verifier,
            By::Ci => RunBy::Ci,
        };
        return (Some(by), Some(Source::SelfReported));
    }
    let by = match surroundings.kind {
        _ if !marks.is_empty() => Some(RunBy::Agent),
        EnvironmentKind::Ci => Some(RunBy::Ci),
        _ => None,
    };
    (by, by.map(|_| Source::Environment))
}

fn reports(files: &[PathBuf]) -> Result<Vec<(ResourceDescriptor, Report)>, CliError> {
    let mut reports = Vec::with_capacity(files.len());
    for file in files {
        let bytes = file_argument::read(file, MAX_REPORT_BYTES)?;
        let report = touchmark_junit::read(&bytes).map_err(|error| {
            CliError::from_error(exit_of(error.code()), error.code(), &error)
                .because(format_args!("in {}", file.display()))
        })?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let mut descriptor = ResourceDescriptor::new(name, DigestSet::of_sha256(Sha256Digest::of(&bytes)));
        descriptor.media_type = Some("application/xml".to_owned());
        reports.push((descriptor, report));
    }
    Ok(reports)
}

/// Which version of a file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    written: i64,
    nanoseconds: i64,
    inode: u64,
    bytes: u64,
}

impl Version {
    fn of(file: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::metadata(file).ok()?;
        Some(Self {
            written: found.mtime(),
            nanoseconds: found.mtime_nsec(),
            inode: found.ino(),
            bytes: found.len(),
        })
    }
}

fn older(file: &Path) -> CliError {
    CliError::usage(
        "tests.report_older",
        format!(
            "{} was written before what it is said to be a report of",
            file.display()
        ),
    )
    .hint("run the tests again, so that they write it anew")
}

fn issue(
    args: &Args,
    statement: &Statement,
    git: &touchmark_git::Repository,
    head: &Head,
    key: touchmark_verify::commitment::RunKey,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let folder = git.work_tree().unwrap_or(git.git_dir());
    let signer = args.signing.open(git, context)?;
    // A remote may take its time; nobody else waits for it.
    let lock = Lock::acquire(context)?;
    if !args.command.is_empty() {
        let prepared = attestation::prepare(statement)?;
        let mut kept = vault::Kept::new(key);
        kept.add_command(0, command::bytes(&args.command));
        let mut chain = [0; 16];
        capture::fill_random(&mut chain)?;
        let name = RecordName {
            chain: ChainId::from_bytes(chain),
            payload: prepared.payload_digest(),
        };
        vault::keep(&name, kept, context)?;
    }
    let (id, outcome) = pipeline::issue(
        statement,
        &signer,
        &args.signing.log,
        (folder, &head.keys),
        context,
    )?;
    drop(lock);
    let exit = match outcome {
        pipeline::Outcome::Logged(published) => report::logged(&published, context)?,
        pipeline::Outcome::Unlogged(error) => report::unlogged(&id, &error, context)?,
    };
    if let Some(remote) = &args.push {
        crate::commands::publish::push(remote, &head.keys, context)?;
    }
    Ok(exit)
}
