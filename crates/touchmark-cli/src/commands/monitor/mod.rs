//! `touchmark monitor`: follows transparency logs, and tells when somebody signed as one of ours.
//!
//! The signers to look for come from policies, the logs from trusted roots, and what is explained from the evidence of
//! repositories and bundles, each verified here. It keeps its place in a folder of its own and may be stopped anywhere.

mod notify;
mod sources;
mod watching;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use touchmark_http::{Deadline, Url};
use touchmark_rekor::monitor::{
    Alarm, Explained, Finding, FindingId, FollowError, Limit, LogReport, Monitor, Start, Status, Store,
    StoreError, Watch,
};
use touchmark_statement::timestamp::Timestamp;

use self::sources::Source;
use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};
use crate::trust::{Root, RootArgs};

/// Most entries with evidence that are remembered.
const KEEP_EXPLAINED: usize = 10_000;

/// Flags of `monitor`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark monitor --once --policy policy.toml", "touchmark monitor --log https://log.acme.example --webhook https://hooks.acme.example/touchmark"))]
pub(crate) struct Args {
    /// Looks for the signers that this policy names; give several
    #[arg(long, value_name = "FILE", help_heading = "What to look for")]
    policy: Vec<PathBuf>,
    /// Follows this log: an address or an embedded log's folder, with ORIGIN= where it is reached under another name
    #[arg(
        long = "log",
        value_name = "[ORIGIN=]URL|DIR",
        help_heading = "What to look for"
    )]
    logs: Vec<String>,
    /// Takes the evidence of this repository as explanation; give several
    #[arg(long = "repository", value_name = "DIR", help_heading = "What explains it")]
    repositories: Vec<PathBuf>,
    /// Takes these bundles as explanation: a bundle, a file of bundles (one a line), or a folder of them
    #[arg(long = "bundle", value_name = "PATH", help_heading = "What explains it")]
    bundles: Vec<PathBuf>,
    /// How long an entry may wait for its evidence before it is an alert
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration, help_heading = "What explains it")]
    grace: Duration,
    #[command(flatten)]
    roots: RootArgs,

    /// Makes one pass and ends
    #[arg(long, help_heading = "How to run")]
    once: bool,
    /// The time between two passes
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration, conflicts_with = "once", help_heading = "How to run")]
    interval: Duration,
    /// Where to begin in a log that was never followed
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHERE",
        help_heading = "How to run"
    )]
    start: Begin,
    /// Judges at most this many entries of a log in one pass
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1_000_000,
        help_heading = "How to run"
    )]
    max_entries: u64,
    /// Spends about this long on one log in one pass; the next pass goes on
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration, help_heading = "How to run")]
    per_log: Duration,
    /// Keeps its records here
    #[arg(long, value_name = "DIR", help_heading = "How to run")]
    state: Option<PathBuf>,
    /// Posts each alert, each alarm and a sign of life for every pass to this address, as JSON
    #[arg(long, value_name = "URL", help_heading = "How to run")]
    webhook: Option<Url>,

    /// Closes an alert, and ends
    #[arg(
        long,
        value_name = "ID",
        requires = "reason",
        conflicts_with = "once",
        help_heading = "Alerts"
    )]
    acknowledge: Option<FindingId>,
    /// Why it is closed
    #[arg(long, value_name = "TEXT", requires = "acknowledge", help_heading = "Alerts")]
    reason: Option<String>,
}

/// Where to begin in a log that was never followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Begin {
    /// With its first entry
    #[default]
    Beginning,
    /// With what is logged from now on
    Now,
}

/// What one pass found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    at: Timestamp,
    watched: usize,
    explained: usize,
    logs: Vec<LogReport>,
    alarms: Vec<Alarm>,
    unread: Vec<Unread>,
    new: Vec<Finding>,
    open: Vec<Finding>,
    waiting: u64,
}

/// A log that could not be followed, and why.
#[derive(Debug, Serialize)]
struct Unread {
    log: String,
    code: String,
    message: String,
}

/// Runs `monitor`. Ends with 13 when a log contradicts itself or an alert is open, with 1 when entries are left for the
/// next pass.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let folder = match &args.state {
        Some(folder) => context.path(folder),
        None => context.home.data().join("monitor"),
    };
    let store = Store::open(&folder).map_err(|error| store_error(&error))?;
    if let Some(id) = args.acknowledge {
        return acknowledge(&store, id, args.reason.as_deref().unwrap_or_default());
    }
    let mut exit = ExitCode::Allowed;
    loop {
        let document = pass(args, &store, context)?;
        let outcome = document.exit();
        report(&document, context)?;
        notify::keep_heartbeat(&store, &document)?;
        if let Some(webhook) = &args.webhook {
            // Many webhooks are a secret address: it is shown nowhere.
            let webhook = webhook.clone().with_secret_path();
            notify::deliver(&webhook, &store, &document, context)?;
        }
        if outcome == ExitCode::Inconsistent || exit == ExitCode::Allowed {
            exit = outcome;
        }
        if args.once {
            return Ok(exit);
        }
        if !context.output.pass_on() {
            return Err(CliError::failed(
                "output.unwritable",
                "nobody reads what the monitor finds",
            ));
        }
        std::thread::sleep(args.interval);
    }
}

fn acknowledge(store: &Store, id: FindingId, reason: &str) -> Result<ExitCode, CliError> {
    let mut finding = store.finding(&id).map_err(|error| store_error(&error))?;
    finding.status = Status::Acknowledged;
    finding.note = Some(reason.to_owned());
    store.replace(&finding).map_err(|error| store_error(&error))?;
    Ok(ExitCode::Allowed)
}

/// One pass over all logs. Policies, roots and evidence are read again each time: they change while it runs.
fn pass(args: &Args, store: &Store, context: &Context<'_>) -> Result<Document, CliError> {
    let roots = args.roots.load(context)?;
    let signers = watching::signers(&args.policy, context)?;
    let explained = watching::explained(args, &signers.expected, &roots, context)?;
    let sources = sources::resolve(&args.logs, &roots, context)?;
    let mut document = Document {
        at: context.now()?,
        watched: signers.watch.len(),
        explained: explained.len(),
        logs: Vec::new(),
        alarms: Vec::new(),
        unread: Vec::new(),
        new: Vec::new(),
        open: Vec::new(),
        waiting: 0,
    };
    for source in &sources {
        let monitor = monitor(
            args,
            store,
            &signers.watch,
            &explained,
            &roots[source.root],
            context,
        )?;
        let monitor = monitor.begin(&source.log).map_err(|error| store_error(&error))?;
        follow(&monitor, source, &mut document)?;
    }
    if let Some(root) = roots.first() {
        let settled = monitor(args, store, &signers.watch, &explained, root, context)?.settle();
        let settled = settled.map_err(|error| store_error(&error))?;
        (document.new, document.open, document.waiting) = (settled.new, settled.open, settled.waiting);
    }
    Ok(document)
}

fn monitor<'a>(
    args: &Args,
    store: &'a Store,
    watch: &'a Watch,
    explained: &'a Explained,
    root: &'a Root,
    context: &Context<'_>,
) -> Result<Monitor<'a>, CliError> {
    Ok(Monitor {
        store,
        watch,
        explained,
        root: &root.root,
        now: context.now()?,
        grace: args.grace.as_secs(),
        start: match args.start {
            Begin::Beginning => Start::Beginning,
            Begin::Now => Start::Now,
        },
        limit: Limit {
            entries: args.max_entries,
            deadline: Some(Deadline::after(args.per_log)),
        },
        keep_explained: KEEP_EXPLAINED,
    })
}

/// Follows the trees of one log. What cannot be reached is reported; what cannot be kept ends the run.
fn follow(monitor: &Monitor<'_>, source: &Source, document: &mut Document) -> Result<(), CliError> {
    let unread = |code: &str, error: &dyn std::error::Error| Unread {
        log: source.log.origin.clone(),
        code: code.to_owned(),
        message: sources::words(error),
    };
    let trees = match source.trees() {
        Ok(trees) => trees,
        Err(error) => {
            document.unread.push(unread(error.code(), &error));
            return Ok(());
        }
    };
    let (mut origins, mut is_whole) = (Vec::new(), true);
    for tree in &trees {
        match monitor.follow(&source.log, tree.as_ref()) {
            Ok(report) => {
                origins.push(report.origin.clone());
                document.logs.push(report);
            }
            Err(FollowError::Alarm(alarm)) => {
                origins.push(alarm.origin.clone());
                document.alarms.push(*alarm);
            }
            // One tree that cannot be read keeps nobody from reading the others.
            Err(FollowError::Read(error)) => {
                document.unread.push(unread(error.code(), &error));
                is_whole = false;
            }
            Err(FollowError::Checkpoint(error)) => {
                document.unread.push(unread(error.code(), &error));
                is_whole = false;
            }
            Err(FollowError::Keep(error)) => return Err(store_error(&error)),
            Err(error) => return Err(CliError::failed("monitor.failed", error.to_string())),
        }
    }
    if !is_whole {
        return Ok(());
    }
    match monitor.require_trees(&source.log, &origins) {
        Err(FollowError::Alarm(alarm)) => document.alarms.push(*alarm),
        Err(FollowError::Keep(error)) => return Err(store_error(&error)),
        _ => {}
    }
    Ok(())
}

impl Document {
    fn exit(&self) -> ExitCode {
        if !self.alarms.is_empty() || !self.open.is_empty() {
            ExitCode::Inconsistent
        } else if self.logs.iter().any(|log| log.judged < log.size) {
            // What was not looked at may hold anything.
            ExitCode::Error
        } else if !self.unread.is_empty() {
            ExitCode::Unavailable
        } else {
            ExitCode::Allowed
        }
    }
}

fn report(document: &Document, context: &Context<'_>) -> Result<(), CliError> {
    let output = context.output;
    if output.format() == Format::Json {
        return output.document(Schema::new("monitor", 1), document);
    }
    for log in &document.logs {
        let word = if log.judged < log.size { "behind" } else { "pass  " };
        output.line(format!(
            "{word} {}  {} entries, {} judged, {} of them now",
            log.origin, log.size, log.judged, log.judged_now
        ));
        for (kind, count) in &log.not_checked {
            output.line(format!("       not checked: {count} of kind {kind}"));
        }
    }
    for unread in &document.unread {
        output.line(format!(
            "fail   {}  {} [{}]",
            unread.log, unread.message, unread.code
        ));
    }
    for alarm in &document.alarms {
        output.line(format!(
            "alarm  {}  {} [{}]",
            alarm.origin, alarm.message, alarm.code
        ));
    }
    for finding in &document.open {
        let word = if document.new.contains(finding) {
            "new"
        } else {
            "open"
        };
        output.line(format!(
            "alert  {}  entry {} by {} of {}: no evidence explains it ({word}, id {}-{})",
            finding.origin, finding.index, finding.signer, finding.principal, finding.log_id, finding.index
        ));
    }
    output.line(format!(
        "{} signers looked for, {} entries explained, {} waiting, {} alerts open",
        document.watched,
        document.explained,
        document.waiting,
        document.open.len()
    ));
    Ok(())
}

fn store_error(error: &StoreError) -> CliError {
    let exit = match error {
        StoreError::Unknown { .. } => ExitCode::Usage,
        StoreError::Busy { .. } => ExitCode::Unavailable,
        _ => ExitCode::Error,
    };
    CliError::from_error(exit, error.code(), error)
}

/// Parses a number with `s`, `m`, `h` or `d`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number with s, m, h or d, such as 10m".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text
        .strip_suffix(unit)
        .and_then(|number| number.parse().ok())
        .ok_or_else(wrong)?;
    number
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}
