//! `touchmark log proof`: takes the proof out of a bundle that its entry is logged, and verifies such proofs offline.

use std::path::{Path, PathBuf};

use serde::Serialize;
use touchmark_tlog::entry::{EntryBody, MAX_ENTRY_JSON_BYTES};
use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_tlog::tlog_proof::{MAX_TLOG_PROOF_BYTES, TlogProof};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::limits::MAX_BUNDLE_BYTES;
use touchmark_verify::verified::{Check, CheckOutcome};
use touchmark_verify::verify::{LogError, ProvenEntry, VerifyOptions, verify_log_proof};

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::output::{Format, Schema};
use crate::trust::RootArgs;

/// What to do with a proof.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Prints the proof that a bundle's entry is logged (C2SP tlog-proof)
    #[command(before_help = example("touchmark log proof export --bundle change.sigstore.json > change.tlog-proof", "touchmark log proof export --bundle change.sigstore.json --number 1"))]
    Export {
        /// The bundle
        #[arg(long, value_name = "FILE")]
        bundle: PathBuf,
        /// Which of the bundle's log entries, counted from 0
        #[arg(long, default_value_t = 0, value_name = "N")]
        number: usize,
    },
    /// Verifies that an entry is logged, offline: that of a bundle, of a file, or the one beside the proof
    #[command(before_help = example("touchmark log proof verify change.tlog-proof --trusted-root trusted_root.json", "touchmark log proof verify change.tlog-proof --bundle change.sigstore.json --witness-policy witnesses.txt"))]
    Verify(VerifyArgs),
}

/// Flags of `log proof verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The proof
    #[arg(value_name = "PROOF")]
    proof: PathBuf,
    /// The bundle one of whose entries must be the one that is proven
    #[arg(long, value_name = "FILE", conflicts_with = "entry")]
    bundle: Option<PathBuf>,
    /// The entry that must be proven, byte for byte as it was logged
    #[arg(long, value_name = "FILE")]
    entry: Option<PathBuf>,
    #[command(flatten)]
    roots: RootArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProofDocument {
    origin: String,
    log_id: String,
    index: u64,
    size: u64,
    root: String,
    leaf: String,
    operator: Option<String>,
    cosigned: Vec<CosignedDocument>,
    checks: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CosignedDocument {
    name: String,
    key_name: String,
    claimed_at: Option<String>,
}

/// Runs `log proof`.
pub(crate) fn run(action: Action, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match action {
        Action::Export { bundle, number } => export(&bundle, number, context),
        Action::Verify(args) => verify(&args, context),
    }
}

fn export(path: &Path, number: usize, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let bundle = read_bundle(path, context)?;
    let entry = bundle.tlog_entries.get(number).ok_or_else(|| {
        CliError::new(
            ExitCode::Missing,
            "tlog.entry_missing",
            format!("{} has no log entry {number}", path.display()),
        )
        .hint("`touchmark inspect` shows what a bundle holds")
    })?;
    let body = EntryBody::of(entry)
        .map_err(|error| CliError::from_error(ExitCode::Invalid, error.code(), &error))?;
    let proof = TlogProof::of_entry(entry, &body).ok_or_else(|| {
        CliError::new(
            ExitCode::Missing,
            "tlog.proof_missing",
            format!("log entry {number} of {} has no inclusion proof", path.display()),
        )
    })?;
    context.output.raw(proof.encode().as_bytes());
    Ok(ExitCode::Allowed)
}

fn verify(args: &VerifyArgs, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let text = file_argument::read(&context.path(&args.proof), MAX_TLOG_PROOF_BYTES as u64)?;
    let proof = TlogProof::parse(&text).map_err(|error| {
        CliError::from_error(ExitCode::Invalid, error.code(), &error)
            .because(format_args!("in {}", args.proof.display()))
    })?;
    let roots = args.roots.load_for_bundles(context)?;
    if roots.is_empty() {
        return Err(
            CliError::new(ExitCode::Missing, "trust.no_root", "no trusted root is known")
                .hint("name one with --trusted-root FILE"),
        );
    }
    let mut options = VerifyOptions::new(context.now()?);
    options.witnesses = args.roots.witness_policy(context)?;
    let leaves = leaves(args, &proof, context)?;
    let mut refused = None;
    for (root, leaf) in roots
        .iter()
        .flat_map(|root| leaves.iter().map(move |leaf| (root, leaf)))
    {
        match verify_log_proof(&proof, leaf, &root.root, &options) {
            Ok(proven) => return show(&proven, leaf, context),
            // The refusal by the root that knows the log says more than one by a root that does not.
            Err(error) => match refused {
                Some(ref known) if !is_unknown(known) => {}
                _ => refused = Some(error),
            },
        }
    }
    let error = refused.expect("there is a root and a leaf, and they were refused");
    Err(CliError::from_error(exit_of(error.code()), error.code(), &error)
        .because(format_args!("in {}", args.proof.display())))
}

fn is_unknown(error: &LogError) -> bool {
    matches!(error, LogError::NoLog { .. })
}

/// The exit code that the table of codes gives.
fn exit_of(code: &str) -> ExitCode {
    touchmark_policy::reason::registry::explain(code)
        .and_then(|entry| entry.exit_code())
        .unwrap_or(ExitCode::Invalid)
}

/// The hashes of the entries that may be meant: a bundle has one or more, everything else has one.
fn leaves(args: &VerifyArgs, proof: &TlogProof, context: &Context<'_>) -> Result<Vec<Hash>, CliError> {
    if let Some(path) = &args.bundle {
        let bundle = read_bundle(path, context)?;
        let entries = bundle.tlog_entries.iter();
        let leaves: Vec<Hash> = entries
            .map(|entry| leaf_hash(&entry.canonicalized_body))
            .collect();
        return match leaves.is_empty() {
            false => Ok(leaves),
            true => Err(CliError::new(
                ExitCode::Missing,
                "tlog.entry_missing",
                format!("{} has no log entry", path.display()),
            )),
        };
    }
    if let Some(path) = &args.entry {
        let entry = file_argument::read(&context.path(path), MAX_ENTRY_JSON_BYTES as u64)?;
        return Ok(vec![leaf_hash(&entry)]);
    }
    match &proof.extra {
        Some(entry) => Ok(vec![leaf_hash(entry)]),
        None => Err(CliError::usage(
            "log_proof.entry_needed",
            "the proof does not carry its entry, and none was named",
        )
        .hint("name it with --bundle FILE or --entry FILE")),
    }
}

fn read_bundle(path: &Path, context: &Context<'_>) -> Result<Bundle, CliError> {
    let bytes = file_argument::read(&context.path(path), MAX_BUNDLE_BYTES as u64)?;
    Bundle::parse(&bytes).map_err(|error| {
        CliError::from_error(ExitCode::Invalid, error.code(), &error)
            .because(format_args!("in {}", path.display()))
    })
}

fn show(proven: &ProvenEntry, leaf: &Hash, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let log = &proven.log;
    let checkpoint = log.checkpoint.as_ref();
    let document = ProofDocument {
        origin: checkpoint.map_or_else(|| log.origin.clone(), |note| note.checkpoint().origin.clone()),
        log_id: log.log_id.to_string(),
        index: log.index,
        size: checkpoint.map_or(0, |note| note.size()),
        root: checkpoint.map(|note| note.root().to_string()).unwrap_or_default(),
        leaf: leaf.to_string(),
        operator: log.operator.clone(),
        cosigned: log
            .cosigned
            .iter()
            .map(|witness| CosignedDocument {
                name: witness.name.clone(),
                key_name: witness.key_name.clone(),
                claimed_at: witness.claimed_at.map(|at| at.to_string()),
            })
            .collect(),
        checks: proven.checks.iter().map(check).collect(),
    };
    match context.output.format() {
        Format::Json => context.output.document(Schema::new("log-proof", 1), &document)?,
        Format::Text => {
            let place = format!("{} of {} in {}", document.index, document.size, document.origin);
            context.output.line(format!("pass  entry {place}"));
            for witness in &document.cosigned {
                context.output.line(format!("pass  cosigned by {}", witness.name));
            }
            for check in &document.checks {
                context.output.line(format!("check {check}"));
            }
        }
    }
    Ok(ExitCode::Allowed)
}

fn check(check: &Check) -> String {
    match &check.outcome {
        CheckOutcome::Pass => format!("{} pass", check.name),
        CheckOutcome::Skipped { reason } => format!("{} skipped: {reason}", check.name),
    }
}
