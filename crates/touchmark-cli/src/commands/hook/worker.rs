//! `touchmark hook worker`: attests what hooks have left, apart from the agent that they belong to.
//!
//! Turns are dealt with in the order of their times. One that cannot be attested now stays, and holds up no other
//! session; the next hook's worker, `publish` and `run` try it again.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use super::{base, git, record, sweep};
use crate::capture::guard::Guard;
use crate::capture::owner::Owner;
use crate::capture::session::{Began, Known, Sessions};
use crate::capture::snapshot::{self, Snapshot};
use crate::capture::spool::{Kind, Named, Turn, Turns};
use crate::capture::worker::Busy;
use crate::capture::{detached, marks, trouble};
use crate::cli::Global;
use crate::commands::attest::seen::{self, Made, Seen};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::escrow;
use crate::output::{Color, Format, Output};

/// A first look at a work tree that is late is no look at how it was: after this the commit alone counts.
const LATE_SECONDS: i64 = 3;
/// How long a look at a work tree may take. A repository whose files make git wait holds up all others as long.
const LOOK_PATIENCE: Duration = Duration::from_secs(10);
/// How often the lock is tried: a hook that asks for it holds it for a moment.
const TRIES: u32 = 20;

/// When a worker looks again for what an agent has not written yet, in milliseconds. Some write behind, some only as
/// they end, and after its last hook nobody else would look.
const LOOKS: [u64; 6] = [250, 500, 1_000, 2_000, 4_000, 8_000];
/// How long an agent that lives may take to write what its hook spoke of.
const WRITING_SECONDS: i64 = 60;

/// How often a turn may fail before it waits for a while.
const WEARY_ATTEMPTS: u64 = 8;
/// How long it waits.
const WEARY_SECONDS: i64 = 600;

/// Flags of `hook worker`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many seconds a single turn may take before it is left
    #[arg(long, hide = true, default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,
}

/// Runs `hook worker`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    detached::leave();
    let patience = Duration::from_secs(args.patience);
    let clock = || super::run::now().map(|(_, at)| at);
    let guard = Guard::new(&context.home.capture(), &context.environment, patience, clock);
    let mut tried = HashSet::new();
    let mut done = Done::default();
    let mut looks = LOOKS.into_iter();
    loop {
        work_on((Which::Due, Some(&guard)), &mut tried, &mut done, context)?;
        let late = std::mem::take(&mut done.late);
        let Some(pause) = looks.next().filter(|_| !late.is_empty()) else {
            break;
        };
        // Nobody is held up meanwhile: the lock is free.
        std::thread::sleep(Duration::from_millis(pause));
        tried.retain(|name| !late.contains(name));
    }
    if !done.made.is_empty() {
        escrow::ship_after_attest(context);
    }
    Ok(ExitCode::Allowed)
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The statements that were made.
    pub(crate) made: Vec<Made>,
    /// The turns that wait, and why.
    pub(crate) failed: Vec<(String, CliError)>,
    /// Those among them whose agent may not have written yet what they need.
    late: HashSet<String>,
}

/// Which turns are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Every one.
    All,
    /// Those that did not fail often and just now.
    Due,
}

/// Deals with turns, unless somebody else is at it.
pub(crate) fn work(which: Which, context: &Context<'_>) -> Result<Done, CliError> {
    let mut done = Done::default();
    work_on((which, None), &mut HashSet::new(), &mut done, context)?;
    Ok(done)
}

/// Deals with the turns that are not among those that were tried, and adds them to these.
fn work_on(
    (which, guard): (Which, Option<&Guard>),
    tried: &mut HashSet<String>,
    done: &mut Done,
    context: &Context<'_>,
) -> Result<(), CliError> {
    let capture = context.home.capture();
    if capture.symlink_metadata().is_err() {
        return Ok(());
    }
    loop {
        let Some(busy) = patiently(&capture) else {
            return Ok(());
        };
        let turns = Turns::open(&capture)?;
        turns.clean()?;
        if which == Which::Due {
            tried.extend(turns.names()?.into_iter().filter(|name| is_weary(name, context)));
        }
        pass(&turns, (tried, guard), done, context)?;
        sweep::run(guard, done, context);
        drop(busy);
        // A hook that found the lock taken relies on this look.
        if turns.names()?.iter().all(|name| tried.contains(name)) {
            return Ok(());
        }
    }
}

/// A turn that failed so often is tried again after a while: each hook's worker would try it otherwise.
pub(super) fn is_weary(name: &str, context: &Context<'_>) -> bool {
    let trouble = trouble::of(&context.home.capture(), name);
    let (Some(trouble), Ok(now)) = (trouble, context.now()) else {
        return false;
    };
    let since = now.unix() - trouble.at.unix();
    // What takes so long is not tried often.
    let is_weary =
        trouble.attempts >= WEARY_ATTEMPTS || matches!(trouble.code.as_str(), "git.timeout" | "capture.hung");
    is_weary && (0..WEARY_SECONDS).contains(&since)
}

fn patiently(capture: &Path) -> Option<Busy> {
    for attempt in 0..TRIES {
        if attempt > 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        if let Some(busy) = Busy::try_new(capture) {
            return Some(busy);
        }
    }
    None
}

fn pass(
    turns: &Turns,
    (tried, guard): (&mut HashSet<String>, Option<&Guard>),
    done: &mut Done,
    context: &Context<'_>,
) -> Result<(), CliError> {
    let mut queue = Vec::new();
    for name in turns.names()? {
        if tried.insert(name.clone()) {
            match turns.read(&name) {
                Ok(named) => queue.extend(named),
                Err(error) => fail(&name, error, done, context),
            }
        }
    }
    for at in 0..queue.len() {
        let named = &queue[at];
        match guarded(guard, &named.name, || one(named, &queue[at + 1..], done, context)) {
            Ok(()) => {
                turns.remove(&named.name)?;
                trouble::forget(&context.home.capture(), &named.name);
            }
            Err(error) => {
                if is_late(&error) && is_being_written(&named.turn, context) {
                    done.late.insert(named.name.clone());
                }
                fail(&named.name, error, done, context);
            }
        }
    }
    Ok(())
}

/// Does something under the eyes of the guard, if there is one.
pub(super) fn guarded<T>(guard: Option<&Guard>, name: &str, work: impl FnOnce() -> T) -> T {
    match guard {
        Some(guard) => guard.over(name, work),
        None => work(),
    }
}

/// Returns whether an error says that a record is not there yet, or not as far as it is needed.
fn is_late(error: &CliError) -> bool {
    matches!(
        error.code(),
        "capture.no_record"
            | "capture.no_answer"
            | "session.empty"
            | "session.not_held"
            | "session.unknown_format"
    )
}

/// Returns whether the agent may still be writing what it told its hook of: it lives, or has just called.
fn is_being_written(turn: &Turn, context: &Context<'_>) -> bool {
    context
        .now()
        .is_ok_and(|now| (0..WRITING_SECONDS).contains(&(now.unix() - turn.at.unix())))
}

fn fail(name: &str, error: CliError, done: &mut Done, context: &Context<'_>) {
    if let Ok(at) = context.now() {
        trouble::note(&context.home.capture(), name, &error, at);
    }
    done.failed.push((name.to_owned(), error));
}

/// Deals with one turn in the surroundings of its own hook. `later` are those after it.
fn one(named: &Named, later: &[Named], done: &mut Done, context: &Context<'_>) -> Result<(), CliError> {
    let turn = &named.turn;
    match turn.kind {
        Kind::Commit => git::committed(turn, context),
        Kind::Rewrite => done.extend(git::rewritten(turn, context)?),
        Kind::Other | Kind::SubagentEnd => Ok(()),
        Kind::SessionStart | Kind::Prompt => begin(turn, context),
        Kind::TurnEnd | Kind::SessionEnd => {
            let after = later.iter().map(|named| &named.turn);
            let next = after.clone().find(|next| is_of_one_session(turn, next));
            // Nobody looked at the work tree, and the next turn has ended already: they are one now.
            let is_folded = turn.snapshot.as_ref().is_some_and(|seen| seen.tree.is_none())
                && after
                    .clone()
                    .any(|next| next.kind.is_due() && is_of_one_session(turn, next));
            if is_folded || next.is_some_and(|next| is_same_end(turn, next)) {
                return hear(turn, context, |_| ());
            }
            let output = Output::new(Format::Text, Color::Never, true, &context.environment);
            done.extend(attest(
                (turn, Some(&named.name)),
                next,
                &of_turn(turn, context, &output)?,
            )?)
        }
    }
}

impl Done {
    fn extend(&mut self, made: Vec<Made>) -> Result<(), CliError> {
        self.made.extend(made);
        Ok(())
    }
}

pub(super) fn is_of_one_session(one: &Turn, other: &Turn) -> bool {
    one.session.is_some()
        && one.session == other.session
        && one.product == other.product
        && one.directory == other.directory
}

/// Returns whether a session ended right where its turn had ended: the one statement is then about its whole record.
fn is_same_end(turn: &Turn, next: &Turn) -> bool {
    turn.kind == Kind::TurnEnd
        && next.kind == Kind::SessionEnd
        && turn.snapshot.is_some()
        && turn.snapshot == next.snapshot
}

/// Remembers what a turn says of its session, and what else is known then.
fn hear(turn: &Turn, context: &Context<'_>, note: impl FnOnce(&mut Known)) -> Result<(), CliError> {
    let (Some(product), Some(session)) = (&turn.product, &turn.session) else {
        return Ok(());
    };
    let sessions = Sessions::open(&context.home.capture())?;
    let mut known = sessions.read(product, session)?;
    known.hear(turn);
    note(&mut known);
    sessions.write(&known)
}

/// The surroundings of a turn's own hook: its folder, and the variables that say who started it.
pub(super) fn of_turn<'a>(
    turn: &Turn,
    context: &Context<'_>,
    output: &'a Output,
) -> Result<Context<'a>, CliError> {
    let environment = context.environment.with(&marks::names(), &turn.environment);
    let global = Global {
        directory: Some(turn.directory.clone().into()),
        ..Global::default()
    };
    Context::new(&global, environment, output)
}

/// Remembers how the repository was when a session or a turn began.
fn begin(turn: &Turn, context: &Context<'_>) -> Result<(), CliError> {
    hear(turn, context, |known| {
        let Some(seen) = looked(turn, context) else { return };
        let began = known.repositories.entry(seen.work_tree.clone()).or_default();
        if began.start.is_none() {
            began.start = Some(seen.clone());
        }
        began.turn = (turn.kind == Kind::Prompt).then_some(seen);
    })
}

/// The repository as it was at an event: as the hook saw it; else as it is now, if that was just now and the session's
/// record shows that nothing has happened since; else as it was committed then.
fn looked(turn: &Turn, context: &Context<'_>) -> Option<Snapshot> {
    let seen = turn.snapshot.clone()?;
    if seen.tree.is_some() {
        return Some(seen);
    }
    let work_tree = Path::new(&seen.work_tree);
    let git = snapshot::open(work_tree, &context.environment)?;
    let patience = Duration::from_secs(LATE_SECONDS.unsigned_abs());
    let look = || {
        Snapshot::within(patience, work_tree, &context.environment)
            .ok()
            .flatten()
    };
    let age = context.now().ok()?.unix() - turn.at.unix();
    let mark = turn.transcript.as_ref();
    let is_still = || mark.is_some_and(|mark| record::length(Path::new(&mark.path)) == mark.bytes);
    let now = (age <= LATE_SECONDS && is_still()).then(look);
    now.flatten()
        .filter(|now| now.head == seen.head && is_still())
        .or_else(|| seen.as_committed(&git))
}

/// Attests what a turn did, in every repository that it worked in. It goes by the name of its file, if it has one.
pub(super) fn attest(
    (turn, name): (&Turn, Option<&str>),
    next: Option<&Turn>,
    context: &Context<'_>,
) -> Result<Vec<Made>, CliError> {
    let sessions = Sessions::open(&context.home.capture())?;
    let mut known = match (&turn.product, &turn.session) {
        (Some(product), Some(session)) => sessions.read(product, session)?,
        _ => Known::default(),
    };
    let has_failed = |name| trouble::of(&context.home.capture(), name).is_some();
    if name.is_some_and(|name| name < known.through.as_str() && has_failed(name)) {
        // It failed while a later one did not, and is part of that. One that did not fail was made by a clock that was
        // set back.
        return Ok(Vec::new());
    }
    known.hear(turn);
    let Some(found) = record::find(turn, &known, next, context)? else {
        // An agent that left no record of this session anywhere did nothing that could be told.
        return Err(CliError::failed(
            "capture.no_record",
            "the session's record was not found",
        ));
    };
    let mut session = found.load()?;
    if session.run.session_id.is_none() {
        session.run.session_id.clone_from(&turn.session);
    }
    if session.run.models.is_empty() {
        sessions.write(&named(known, &session))?;
        let is_alive = turn.owner.as_ref().is_none_or(Owner::is_alive);
        if is_alive && is_being_written(turn, context) {
            return Err(CliError::failed(
                "capture.no_answer",
                "the session's record holds no answer yet",
            ));
        }
        // Somebody worked, and a statement has to say who: this waits until a person sees to it.
        if !session.run.tools.is_empty() {
            return Err(CliError::failed(
                "session.no_model",
                "the session's record names no model, and tells of work",
            ));
        }
        return Ok(Vec::new());
    }
    known = named(known, &session);
    let mut made = Vec::new();
    let folders = record::Folders::of(turn, &session);
    for folder in &folders.known {
        let Some(repository) = snapshot::open(folder, &context.environment) else {
            continue;
        };
        if repository.work_tree().is_none() {
            continue;
        }
        let now = match &turn.snapshot {
            Some(seen) if seen.tree.is_some() && seen.work_tree == snapshot::work_tree(&repository) => {
                seen.clone()
            }
            _ => match Snapshot::within(LOOK_PATIENCE, folder, &context.environment)? {
                Some(now) => now,
                None => continue,
            },
        };
        let began = known
            .repositories
            .entry(now.work_tree.clone())
            .or_default()
            .clone();
        let link = seen::last_link(&session, &repository, context)?;
        let base = base::find(&repository, &began, link.as_ref(), &now, &session)?;
        let began = known.repositories.entry(now.work_tree.clone()).or_default();
        remember(began, &now, &base);
        // From here on this turn stands for those before it, and stays until it is stated.
        if let Some(name) = name {
            name.clone_into(&mut known.through);
        }
        sessions.write(&known)?;
        for stretch in base::stretches(&repository, &began_of(&known, &now), base, &now)? {
            let seen = Seen {
                session: session.clone(),
                base: stretch.base,
                proposed: stretch.proposed,
                dirty: stretch.dirty,
                parent: known.parent.clone(),
                agent: None,
                hook: turn
                    .product
                    .clone()
                    .map(|product| (product, turn.session.clone())),
            };
            made.push(seen::attest(seen, &repository, context)?);
        }
    }
    known.seen = found.bytes();
    sessions.write(&known)?;
    if folders.has_more {
        // What was attested stays; that there was more is not passed over.
        return Err(CliError::failed(
            "capture.too_many_repositories",
            "the session wrote in more repositories than are attested by themselves",
        )
        .hint("attest the others with `touchmark attest` inside of them"));
    }
    Ok(made)
}

fn began_of(known: &Known, now: &Snapshot) -> Began {
    known
        .repositories
        .get(&now.work_tree)
        .cloned()
        .unwrap_or_default()
}

/// A session that no payload named is named by its record.
fn named(mut known: Known, session: &touchmark_agents::session::Session) -> Known {
    if known.session.is_empty() {
        known.product.clone_from(&session.run.product.name);
        known.session = session.run.session_id.clone().unwrap_or_default();
    }
    known
}

/// Before the statement: a statement whose process dies right after is known by its tree.
fn remember(began: &mut Began, now: &Snapshot, base: &seen::Point) {
    if began.start.is_none() {
        began.start = Some(Snapshot {
            work_tree: now.work_tree.clone(),
            head: base.head.clone(),
            ref_name: base.ref_name.clone(),
            tree: Some(base.tree.clone()),
        });
    }
    began.stated = Some(now.clone());
}
