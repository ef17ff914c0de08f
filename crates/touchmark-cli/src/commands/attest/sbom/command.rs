//! `touchmark attest sbom`: the bill of materials of one commit's tree, signed, logged and filed like other evidence.

use std::path::PathBuf;

use serde_json::Value;
use touchmark_git::{EvidenceKey, Repository};
use touchmark_statement::digest::DigestSet;
use touchmark_statement::limits::MAX_STATEMENT_BYTES;
use touchmark_statement::predicate::{CYCLONEDX_BOM, Predicate};
use touchmark_statement::sbom::Sbom;
use touchmark_statement::statement::{ResourceDescriptor, Statement};
use touchmark_verify::git_view::GitView as _;

use super::super::change::repository;
use super::super::report;
use super::{file, tool, trees, warn};
use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::pipeline::{self, Lock, Outcome};
use crate::signing_key::SigningArgs;

/// What a statement needs beside the document.
const AROUND_BYTES: usize = 64 * 1024;

/// Flags of `attest sbom`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark attest sbom", "touchmark attest sbom --print > bom.json"))]
pub(crate) struct Args {
    /// The commit whose tree is meant
    #[arg(long, value_name = "REV", default_value = "HEAD", help_heading = "Tree")]
    proposed: String,
    /// A document made elsewhere, CycloneDX or SPDX, in place of what the lockfiles say
    #[arg(long, value_name = "FILE", help_heading = "Tree")]
    sbom: Option<PathBuf>,

    #[command(flatten)]
    signing: SigningArgs,

    /// Writes the CycloneDX document to standard output and signs nothing
    #[arg(long, help_heading = "Result", conflicts_with_all = ["sbom", "dry_run", "push"])]
    print: bool,
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

/// Runs `attest sbom`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let git = pipeline::open_here(context)?;
    let commit = git.resolve(&args.proposed)?;
    let tree = git.commit(&commit)?.tree;
    if args.print {
        let inventory = trees::of_tree(&git, &tree)?;
        warn(&inventory, context);
        context.output.raw(&inventory.cyclonedx(&tool()));
        return Ok(ExitCode::Allowed);
    }
    let keys = [
        EvidenceKey::Commit(commit.clone()),
        EvidenceKey::Tree(tree.clone()),
    ];
    let subjects = vec![
        ResourceDescriptor::new(
            format!("git+{}", repository(&git, None)?.uri),
            DigestSet::of_commit(&commit, git.commit(&commit)?.content_sha256),
        ),
        ResourceDescriptor::new("tree", DigestSet::of_tree(&tree, git.tree_digest(&tree)?)),
    ];
    let document = match &args.sbom {
        Some(path) => {
            let (document, bytes) = file::document(&context.path(path))?;
            refuse_too_large(bytes.len())?;
            document
        }
        None => written(&git, &tree, context)?,
    };
    let statement = Statement::new(subjects, Predicate::Sbom(Box::new(document)));
    if args.dry_run {
        let publication = args.signing.preview(context)?;
        return report::dry_run(&statement, publication, context);
    }
    issue(args, &statement, &git, &keys, context)
}

fn written(
    git: &Repository,
    tree: &touchmark_statement::git_id::GitTreeId,
    context: &Context<'_>,
) -> Result<Sbom, CliError> {
    let inventory = trees::of_tree(git, tree)?;
    warn(&inventory, context);
    let bytes = inventory.cyclonedx(&tool());
    refuse_too_large(bytes.len())?;
    let document: Value = serde_json::from_slice(&bytes)
        .map_err(|e| CliError::failed("output.unencodable", "the document cannot be read back").because(e))?;
    Ok(Sbom::from_document(CYCLONEDX_BOM, &document)?)
}

fn refuse_too_large(bytes: usize) -> Result<(), CliError> {
    if bytes <= MAX_STATEMENT_BYTES - AROUND_BYTES {
        return Ok(());
    }
    Err(CliError::usage(
        "attest.sbom_too_large",
        format!("the document has {bytes} bytes, which no statement can hold"),
    )
    .hint("`--print` writes it to a file; `attest change` names it by its digest all the same"))
}

fn issue(
    args: &Args,
    statement: &Statement,
    git: &Repository,
    keys: &[EvidenceKey],
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let folder = git.work_tree().unwrap_or(git.git_dir());
    let signer = args.signing.open(git, context)?;
    // Let go before anything is pushed: a remote may take its time.
    let lock = Lock::acquire(context)?;
    let (id, outcome) = pipeline::issue(statement, &signer, &args.signing.log, (folder, keys), context)?;
    drop(lock);
    let exit = match outcome {
        Outcome::Logged(published) => report::logged(&published, context)?,
        Outcome::Unlogged(error) => report::unlogged(&id, &error, context)?,
    };
    if let Some(remote) = &args.push {
        crate::commands::publish::push(remote, keys, context)?;
    }
    Ok(exit)
}
