//! `touchmark export`: what a statement says, in the forms of others.
//!
//! An export is not signed, and says so; `--sign` makes a statement of its own of it. The forms that hold the words of the
//! session are written to a file that is named, and to standard output only where that is asked for.

mod atif;
mod metadata;
mod provenance;
mod source;

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use touchmark_git::EvidenceKey;

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::pipeline::{self, Lock, Outcome, open_for_writing};
use crate::signing_key::SigningArgs;

/// Flags of `export`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark export HEAD --as slsa-provenance", "touchmark export 0123abcd --as atif --output session.json"))]
pub(crate) struct Args {
    /// The payload digest of an agent change or the beginning of it, or a commit
    #[arg(value_name = "STATEMENT|COMMIT", default_value = "HEAD")]
    what: String,
    /// The form
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Form,
    /// Writes to this new file; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The session's file, for forms that hold its words [default: where its product keeps it, else the vault]
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
    /// Signs the export as a statement, logs it and files it under the commit (slsa-provenance only)
    #[arg(long, conflicts_with = "output")]
    sign: bool,

    #[command(flatten)]
    signing: SigningArgs,
}

/// What an export can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// A metadata record: agent_id, model, prompt_hash, base_sha, proposed_sha, timestamp
    Metadata,
    /// SLSA provenance v1 with a build type for agents
    SlsaProvenance,
    /// The session as a trajectory (ATIF), prompts included
    Atif,
}

/// Runs `export`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    if args.sign && args.form != Form::SlsaProvenance {
        return Err(CliError::usage(
            "export.not_a_statement",
            "only slsa-provenance is a statement that can be signed",
        )
        .hint("leave out --sign, or say --as slsa-provenance"));
    }
    if args.form == Form::Atif && args.output.is_none() {
        return Err(CliError::usage(
            "export.consent",
            "a trajectory holds every prompt and answer of the session",
        )
        .hint("name a file with --output FILE, or say --output - to have it on standard output"));
    }
    let git = open_for_writing(&context.directory, context)?;
    let source = source::find(&args.what, &git, &args.signing.log, context)?;
    match args.form {
        Form::Metadata => write(args, &metadata::of(&source, &git, context)?, context)?,
        Form::Atif => write(
            args,
            &atif::of(&source, args.session.as_deref(), &git, context)?,
            context,
        )?,
        Form::SlsaProvenance => {
            let statement = provenance::of(&source);
            if args.sign {
                let signer = args.signing.open(&git, context)?;
                let keys: Vec<EvidenceKey> = source.keys();
                let folder = git.work_tree().unwrap_or(git.git_dir());
                let _lock = Lock::acquire(context)?;
                let (id, outcome) =
                    pipeline::issue(&statement, &signer, &args.signing.log, (folder, &keys), context)?;
                return match outcome {
                    Outcome::Logged(published) => {
                        crate::commands::attest::report::logged(&published, context)
                    }
                    Outcome::Unlogged(error) => {
                        crate::commands::attest::report::unlogged(&id, &error, context)
                    }
                };
            }
            write(args, &statement.encode()?, context)?;
        }
    }
    context.output.note(
        "unsigned: whoever reads this export has your word for it only; the signed statement is the evidence",
    );
    Ok(ExitCode::Allowed)
}

/// Writes an export. A file is new, and nobody else can read it.
fn write(args: &Args, bytes: &[u8], context: &Context<'_>) -> Result<(), CliError> {
    let file = match args.output.as_deref() {
        None => None,
        Some(file) if file == Path::new("-") => None,
        Some(file) => Some(context.path(file)),
    };
    let Some(path) = file else {
        context.output.raw(bytes);
        if !bytes.ends_with(b"\n") {
            context.output.raw(b"\n");
        }
        return Ok(());
    };
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path);
    let mut file = opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::usage("export.exists", format!("{} exists", path.display()))
                .hint("name another file, or remove the old one")
        }
        _ => CliError::io("file.unwritable", &path, &error),
    })?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|error| CliError::io("file.unwritable", &path, &error))
}
