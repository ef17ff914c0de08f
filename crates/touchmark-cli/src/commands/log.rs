//! `touchmark log`: makes, serves, reads and audits embedded transparency logs.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use touchmark_log::serve::{Limits, serve};
use touchmark_log::{Log, Report};

use crate::cli::example;
use crate::commands::log_proof;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};
use crate::pipeline;

/// Flags of `log`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark log check", "touchmark log root > trusted_root.json"))]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Which log.
#[derive(Debug, Clone, clap::Args)]
struct Which {
    /// The log's folder instead of the configured one
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Makes a new log with a key of its own
    #[command(before_help = example("touchmark log create --log /srv/log", "touchmark log create --name agents.acme.example"))]
    Create {
        #[command(flatten)]
        which: Which,
        /// The host name that the log's origin ends with
        #[arg(long, default_value = pipeline::LOG_NAME)]
        name: String,
    },
    /// Offers a log over HTTP: the Rekor v2 write API and C2SP tiles
    #[command(before_help = example("touchmark log serve", "touchmark log serve --log /srv/log --listen 0.0.0.0:3000"))]
    Serve {
        #[command(flatten)]
        which: Which,
        /// The address to listen on; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
        listen: std::net::SocketAddr,
    },
    /// Prints one entry with a fresh proof of inclusion
    #[command(before_help = example("touchmark log get 0", "touchmark log get 17 --log /srv/log"))]
    Get {
        /// The entry's index
        index: u64,
        #[command(flatten)]
        which: Which,
    },
    /// Derives the whole tree again and compares it with the checkpoint
    #[command(before_help = example("touchmark log check", "touchmark log check --log /srv/log --format json"))]
    Check {
        #[command(flatten)]
        which: Which,
    },
    /// Prints the log as a Sigstore trusted root
    #[command(before_help = example("touchmark log root > trusted_root.json", "touchmark log root --log /srv/log"))]
    Root {
        #[command(flatten)]
        which: Which,
        /// Who runs the log, as you state it; without one it counts as run by whoever signs
        #[arg(long, value_name = "NAME")]
        operator: Option<String>,
    },
    /// Takes proofs out of bundles that their entries are logged, and verifies such proofs
    #[command(subcommand)]
    Proof(log_proof::Action),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogDocument {
    directory: String,
    origin: String,
    key: String,
    size: u64,
    root: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckDocument {
    size: u64,
    root: String,
    entries: u64,
    tiles: u64,
    problems: Vec<String>,
    more_problems: u64,
}

/// Runs `log`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match args.action {
        Action::Create { which, name } => create(&which, &name, context),
        Action::Serve { which, listen } => run_server(&which, listen, context),
        Action::Get { index, which } => {
            context.output.raw(&open(&which, context)?.get(index)?.encode());
            context.output.raw(b"\n");
            Ok(ExitCode::Allowed)
        }
        Action::Check { which } => check(&open(&which, context)?.check()?, context),
        Action::Root { which, operator } => {
            let root = open(&which, context)?.trusted_root_json_of(operator.as_deref());
            context.output.raw(root.as_bytes());
            Ok(ExitCode::Allowed)
        }
        Action::Proof(action) => log_proof::run(action, context),
    }
}

fn folder(which: &Which, context: &Context<'_>) -> PathBuf {
    match &which.log {
        Some(folder) => context.path(folder),
        None => pipeline::log_folder(context),
    }
}

fn open(which: &Which, context: &Context<'_>) -> Result<Log, CliError> {
    Ok(Log::open(&folder(which, context))?)
}

fn create(which: &Which, name: &str, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let folder = folder(which, context);
    let log = Log::create(&folder, name)?;
    let checkpoint = log.checkpoint()?;
    let document = LogDocument {
        directory: folder.to_string_lossy().into_owned(),
        origin: log.origin().to_owned(),
        key: log.verifier_key().to_string(),
        size: checkpoint.size(),
        root: checkpoint.root().to_string(),
    };
    match context.output.format() {
        Format::Json => context.output.document(Schema::new("log", 1), &document)?,
        Format::Text => context.output.line(format!(
            "{}\n{}\n{}",
            document.directory, document.origin, document.key
        )),
    }
    Ok(ExitCode::Allowed)
}

fn check(report: &Report, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let document = CheckDocument {
        size: report.size,
        root: report.root.to_string(),
        entries: report.entries,
        tiles: report.tiles,
        problems: report.problems.iter().map(ToString::to_string).collect(),
        more_problems: report.more_problems,
    };
    match context.output.format() {
        Format::Json => context.output.document(Schema::new("log-check", 1), &document)?,
        Format::Text => {
            for problem in &document.problems {
                context.output.line(format!("fail  {problem}"));
            }
            if report.more_problems > 0 {
                context
                    .output
                    .line(format!("fail  and {} more", report.more_problems));
            }
            let word = if report.problems.is_empty() {
                "pass"
            } else {
                "fail"
            };
            context.output.line(format!(
                "{word}  {} entries, size {}, root {}",
                report.entries, report.size, report.root
            ));
        }
    }
    Ok(if report.problems.is_empty() {
        ExitCode::Allowed
    } else {
        ExitCode::Inconsistent
    })
}

fn run_server(
    which: &Which,
    listen: std::net::SocketAddr,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let log = Log::open_or_create(&folder(which, context), pipeline::LOG_NAME)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::failed("log.serve", "no threads to serve from").because(e))?;
    let failed = |e: std::io::Error| {
        CliError::failed("log.serve", format!("cannot serve on {listen}"))
            .because(e)
            .hint("choose another --listen address")
    };
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        context
            .output
            .note(format!("log {} listens on http://{address}", log.origin()));
        // Ctrl-C ends the process: what was answered is durable, what was not is safe to send again.
        let never = std::future::pending();
        serve(Arc::new(log), listener, Limits::default(), never)
            .await
            .map_err(failed)
    })?;
    Ok(ExitCode::Allowed)
}
