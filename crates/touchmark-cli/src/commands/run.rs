//! `touchmark run -- COMMAND`: attests what a command did, for agents that have no hooks.
//!
//! The command gets our streams, our signals and no word from us; its exit status is ours, whether or not its work
//! could be attested, unless `--strict` says otherwise.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use chrono::{DateTime, Utc};
use touchmark_agents::session::{ImportOptions, Session};
use touchmark_git::Repository;

use crate::capture::marks;
use crate::capture::session::{Began, Sessions};
use crate::capture::snapshot::Snapshot;
use crate::capture::spool::Turns;
use crate::cli::example;
use crate::commands::attest::seen::{self, Made, Seen};
use crate::commands::attest::session;
use crate::commands::hook::base;
use crate::commands::hook::worker::{self, Which};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::escrow;
use crate::interrupt;
use crate::pipeline;

/// The most sessions that one command can have written.
const MAX_SESSIONS: usize = 64;

/// Flags of `run`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark run -- aider --yes --message 'fix it'", "touchmark run --agent fixer --session out/session.jsonl -- ./agent.sh"))]
pub(crate) struct Args {
    /// The id under which policy knows the agent [default: the product's name]
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The session file that the command writes [default: those that were written meanwhile]
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
    /// Fails if the command succeeds and its work cannot be attested
    #[arg(long)]
    strict: bool,
    /// The command and its arguments
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<OsString>,
}

/// Runs `run`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let started = clock();
    let before = look(context);
    let status = supervise(args, context)?;
    let attested = before.and_then(|before| finish(args, &before, started, context));
    let failed = match attested {
        Ok(made) => {
            tell(&made, context);
            made.iter().any(|made| matches!(made, Made::Unlogged(..)))
        }
        Err(error) => {
            context.output.complain(&error);
            true
        }
    };
    let code = code(status);
    if code == 0 && failed && args.strict {
        return Ok(ExitCode::Error);
    }
    context.output.leave_with(code);
    Ok(ExitCode::Allowed)
}

/// As shells do it: the signal's number and 128.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    u8::try_from(code.unwrap_or(1)).unwrap_or(1)
}

fn look(context: &Context<'_>) -> Result<Snapshot, CliError> {
    Snapshot::whole(&pipeline::open_for_writing(&context.directory, context)?)
}

#[allow(
    clippy::disallowed_methods,
    reason = "files are compared with the clock of the system that wrote them"
)]
fn clock() -> DateTime<Utc> {
    Utc::now()
}

/// Runs the command and passes on what is sent to us.
fn supervise(args: &Args, context: &Context<'_>) -> Result<ExitStatus, CliError> {
    let (program, words) = args
        .command
        .split_first()
        .ok_or_else(|| CliError::usage("run.no_command", "there is no command to run"))?;
    let mut mark = [0; 8];
    // Only presence counts.
    let _ = getrandom::fill(&mut mark);
    let mut command = Command::new(program);
    command
        .args(words)
        .current_dir(&context.directory)
        .env(marks::RUN, format!("{:016x}", u64::from_be_bytes(mark)));
    let failed = |error: std::io::Error| {
        CliError::usage(
            "run.not_started",
            format!("{} cannot be run", program.to_string_lossy()),
        )
        .because(error)
    };
    let mut child = command.spawn().map_err(failed)?;
    let passing = interrupt::pass_on_to(child.id());
    let status = child.wait().map_err(failed);
    drop(passing);
    status
}

/// Attests every session that was written meanwhile, and what hooks have kept.
fn finish(
    args: &Args,
    before: &Snapshot,
    started: DateTime<Utc>,
    context: &Context<'_>,
) -> Result<Vec<Made>, CliError> {
    // Turns that hooks kept know more than we do, but for where it all began: they come first.
    begin(before, context)?;
    let done = worker::work(Which::All, context)?;
    let mut made = done.made;
    for (_, error) in &done.failed {
        context.output.complain(error);
    }
    let git = pipeline::open_for_writing(&context.directory, context)?;
    let now = Snapshot::whole(&git)?;
    let sessions = sessions(args, &git, started, context)?;
    if sessions.is_empty() && made.is_empty() && before.tree != now.tree {
        return Err(CliError::usage(
            "session.not_found",
            "something changed, and no agent's session was written meanwhile",
        )
        .hint("name the session's file with --session FILE"));
    }
    for session in sessions {
        made.extend(attest(args, session, before, &now, &git, context)?);
    }
    if !made.is_empty() {
        escrow::ship_after_attest(context);
    }
    Ok(made)
}

/// Sessions that began inside began where we looked.
fn begin(before: &Snapshot, context: &Context<'_>) -> Result<(), CliError> {
    let capture = context.home.capture();
    let Some(turns) = Turns::open_if_any(&capture)? else {
        return Ok(());
    };
    let sessions = Sessions::open(&capture)?;
    for name in turns.names()? {
        let turn = turns.read(&name)?.map(|named| named.turn);
        let Some((Some(product), Some(session))) = turn.map(|turn| (turn.product, turn.session)) else {
            continue;
        };
        let mut known = sessions.read(&product, &session)?;
        let began = known.repositories.entry(before.work_tree.clone()).or_default();
        if began.start.is_none() {
            began.start = Some(before.clone());
            sessions.write(&known)?;
        }
    }
    Ok(())
}

fn sessions(
    args: &Args,
    git: &Repository,
    started: DateTime<Utc>,
    context: &Context<'_>,
) -> Result<Vec<Session>, CliError> {
    if let Some(file) = &args.session {
        return Ok(vec![session::named(file, context)?]);
    }
    let root = git.work_tree().unwrap_or(git.git_dir());
    let mut found = Vec::new();
    for (importer, candidate) in session::candidates(root, context)?.into_iter().take(MAX_SESSIONS) {
        // File systems keep time coarsely.
        if candidate.modified < started - chrono::TimeDelta::seconds(1) {
            continue;
        }
        let options = ImportOptions {
            session_id: Some(candidate.session_id.clone()),
            ..ImportOptions::default()
        };
        match importer.load(&candidate.path, &options) {
            Ok(session) if !session.run.models.is_empty() => found.push(session),
            Ok(_) => {}
            Err(error) => context
                .output
                .warn(format!("{} is left out: {error}", candidate.path.display())),
        }
    }
    Ok(found)
}

fn attest(
    args: &Args,
    session: Session,
    before: &Snapshot,
    now: &Snapshot,
    git: &Repository,
    context: &Context<'_>,
) -> Result<Vec<Made>, CliError> {
    let id = session.run.session_id.clone().unwrap_or_default();
    let known = Sessions::open(&context.home.capture())?;
    let mut state = known.read(&session.run.product.name, &id)?;
    let began = state.repositories.entry(now.work_tree.clone()).or_default();
    if began.start.is_none() {
        began.start = Some(before.clone());
    }
    // What was there before this command began was not its doing, even if the session is older.
    began.turn = Some(before.clone());
    let link = seen::last_link(&session, git, context)?;
    let from = base::find(git, began, link.as_ref(), now, &session)?;
    let began: Began = {
        began.stated = Some(now.clone());
        began.clone()
    };
    known.write(&state)?;
    let mut made = Vec::new();
    for stretch in base::stretches(git, &began, from, now)? {
        let seen = Seen {
            session: session.clone(),
            base: stretch.base,
            proposed: stretch.proposed,
            dirty: stretch.dirty,
            parent: None,
            agent: args.agent.clone(),
            hook: None,
        };
        made.push(seen::attest(seen, git, context)?);
    }
    Ok(made)
}

fn tell(made: &[Made], context: &Context<'_>) {
    for made in made {
        match made {
            Made::Logged(id) => context.output.note(format!("attested {id}")),
            Made::Unlogged(id, error) => {
                context.output.complain(error);
                context.output.note(format!("signed but unlogged {id}"));
            }
        }
    }
    if made.is_empty() {
        context.output.note("nothing changed, so nothing is attested");
    }
}
