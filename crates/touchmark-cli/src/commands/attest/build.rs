//! `touchmark attest build`: what was built from HEAD, as SLSA provenance v1.
//!
//! It says which commit the artifacts are of and who says so, and no more: how the build went is not watched. Whether a
//! builder counts is up to the role of whoever signs.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use touchmark_statement::agent_change::EnvironmentKind;
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::predicate::Predicate;
use touchmark_statement::provenance::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use touchmark_statement::statement::{ResourceDescriptor, Statement};

use super::head::Head;
use super::report;
use super::surroundings::Surroundings;
use crate::cli::example;
use crate::commands::version::VERSION;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::pipeline::{self, Lock, Outcome};
use crate::signing_key::SigningArgs;

/// How the parameters of our own provenance are to be read.
pub(crate) const BUILD_TYPE: &str = "https://touchmark.dev/build/v1";
/// Who builds where nobody else is named.
const LOCAL_BUILDER: &str = "https://touchmark.dev/builders/local";
const CI_BUILDER: &str = "https://touchmark.dev/builders/ci";
/// The largest artifact.
const MAX_ARTIFACT_BYTES: u64 = 1024 * 1024 * 1024;

/// Flags of `attest build`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark attest build --artifact target/release/app", "touchmark attest build --artifact app.tar.gz --builder-id https://ci.example/builders/1"))]
pub(crate) struct Args {
    /// What was built; give several that one build made
    #[arg(long, value_name = "FILE", num_args = 1.., required = true, help_heading = "Build")]
    artifact: Vec<PathBuf>,
    /// Who built it, as those who verify know it [default: one of ours for this kind of place]
    #[arg(long, value_name = "URI", help_heading = "Build")]
    builder_id: Option<String>,
    /// How the build is to be read [default: ours, touchmark.dev/build/v1]
    #[arg(long, value_name = "URI", help_heading = "Build")]
    build_type: Option<String>,

    #[command(flatten)]
    signing: SigningArgs,

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

/// Runs `attest build`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    for uri in [&args.builder_id, &args.build_type].into_iter().flatten() {
        refuse_no_uri(uri)?;
    }
    let git = pipeline::open_here(context)?;
    let surroundings = Surroundings::of(&context.environment);
    let files: Vec<PathBuf> = args.artifact.iter().map(|file| context.path(file)).collect();
    let head = Head::committed(&git, &files, surroundings.repository_id.clone())?;
    let subjects = artifacts(&files)?;
    head.refuse_moved(&git)?;
    let predicate = provenance(args, &head, &surroundings)?;
    let statement = Statement::new(subjects, Predicate::Provenance(Box::new(predicate)));
    if args.dry_run {
        return report::dry_run(&statement, None, context);
    }
    let signer = args.signing.open(&git, context)?;
    let folder = git.work_tree().unwrap_or(git.git_dir());
    // A remote may take its time; nobody else waits for it.
    let lock = Lock::acquire(context)?;
    let (id, outcome) = pipeline::issue(
        &statement,
        &signer,
        &args.signing.log,
        (folder, &head.keys),
        context,
    )?;
    drop(lock);
    let exit = match outcome {
        Outcome::Logged(published) => report::logged(&published, context)?,
        Outcome::Unlogged(error) => report::unlogged(&id, &error, context)?,
    };
    if let Some(remote) = &args.push {
        crate::commands::publish::push(remote, &head.keys, context)?;
    }
    Ok(exit)
}

/// Those who read provenance compare these byte for byte.
fn refuse_no_uri(text: &str) -> Result<(), CliError> {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    let scheme = text
        .split_once(':')
        .map_or("", |(scheme, rest)| if rest.is_empty() { "" } else { scheme });
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(letters)
        && text.chars().all(plain)
    {
        return Ok(());
    }
    Err(CliError::usage(
        "build.uri",
        format!("{text:?} is no absolute URI"),
    ))
}

fn artifacts(files: &[PathBuf]) -> Result<Vec<ResourceDescriptor>, CliError> {
    let mut subjects: Vec<ResourceDescriptor> = Vec::with_capacity(files.len());
    for file in files {
        let bytes = file_argument::read(file, MAX_ARTIFACT_BYTES)?;
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if subjects
            .iter()
            .any(|subject| subject.name.as_ref() == Some(&name))
        {
            return Err(CliError::usage(
                "build.same_name",
                format!("two artifacts are called {name}"),
            ));
        }
        subjects.push(ResourceDescriptor::new(
            name,
            DigestSet::of_sha256(Sha256Digest::of(&bytes)),
        ));
    }
    Ok(subjects)
}

fn provenance(args: &Args, head: &Head, surroundings: &Surroundings) -> Result<Provenance, CliError> {
    let commit = head.commit.as_ref().map(ToString::to_string).unwrap_or_default();
    let uri = format!("git+{}", head.repository.uri);
    let mut digest = DigestSet::new();
    digest.insert("gitCommit", &commit).map_err(|error| {
        CliError::failed("cli.internal", "a commit id that was just read is malformed").because(error)
    })?;
    let source = ResourceDescriptor {
        uri: Some(match &head.ref_name {
            Some(name) => format!("{uri}@{name}"),
            None => uri.clone(),
        }),
        digest,
        ..ResourceDescriptor::default()
    };
    let mut external = Map::new();
    external.insert(
        "source".to_owned(),
        json!({"uri": uri, "digest": {"gitCommit": commit}}),
    );
    if let Some(name) = &head.ref_name {
        external.insert("ref".to_owned(), Value::String(name.clone()));
    }
    let builder = match surroundings.kind {
        EnvironmentKind::Ci => CI_BUILDER,
        _ => LOCAL_BUILDER,
    };
    Ok(Provenance {
        build_definition: BuildDefinition {
            build_type: args.build_type.clone().unwrap_or_else(|| BUILD_TYPE.to_owned()),
            external_parameters: Some(external),
            internal_parameters: None,
            resolved_dependencies: Some(vec![source]),
        },
        run_details: RunDetails {
            builder: Builder {
                id: args.builder_id.clone().unwrap_or_else(|| builder.to_owned()),
                version: args
                    .builder_id
                    .is_none()
                    .then(|| [("touchmark".to_owned(), VERSION.to_owned())].into()),
                builder_dependencies: Vec::new(),
            },
            metadata: Some(BuildMetadata {
                invocation_id: surroundings.run.clone(),
                started_on: None,
                finished_on: None,
            }),
            byproducts: Vec::new(),
        },
    })
}
