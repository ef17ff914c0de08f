//! `touchmark hook run`: what agents and git call. Keeps what happened, durably, and returns at once.
//!
//! Whatever happens, nothing is printed and the exit status is 0: to several agents status 2 means that the turn may
//! not end, and words on standard output are an answer of their own. What could not be kept is told by the hook log and,
//! where even that could not be written, by the gate, which misses the evidence.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use touchmark_agents::hook::{self, HookReading};
use touchmark_sign::folder::Folder;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;

use super::{RunArgs, git};
use crate::capture::hook_log::{self, Fate};
use crate::capture::owner::Owner;
use crate::capture::snapshot::Snapshot;
use crate::capture::spool::{Kind, Turn, Turns, Watermark};
use crate::capture::{detached, marks, stream, worker};
use crate::context::Context;
use crate::environment::Environment;
use crate::error::{CliError, ExitCode};
use crate::home::Home;
use crate::interrupt;

/// How long standard input may take: an agent that never closes it holds up nobody.
const STDIN_PATIENCE: Duration = Duration::from_millis(1_500);
/// How long the whole of it may take, whatever hangs.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest payload that is read; a longer one is read to here.
const MAX_PAYLOAD_BYTES: u64 = 16 * 1024 * 1024;
/// How much of each end of a transcript is looked at.
const END_BYTES: u64 = 16 * 1024;

/// Runs the hook if that is what was typed, before anything else that could fail or print.
pub(crate) fn intercept() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if (words.next()?, words.next()?) != (OsString::from("hook"), OsString::from("run")) {
        return None;
    }
    let words: Vec<OsString> = words.collect();
    let asks_for_help = words.iter().any(|word| word == "--help" || word == "-h");
    if asks_for_help || words.is_empty() {
        return None;
    }
    quietly(&words, &Environment::capture());
    Some(ExitCode::Allowed)
}

/// Runs `hook run` where flags stood before the verb.
pub(crate) fn run(args: &RunArgs, context: &Context<'_>) -> Result<ExitCode, CliError> {
    quietly(&args.words, &context.environment);
    Ok(ExitCode::Allowed)
}

fn quietly(words: &[OsString], environment: &Environment) {
    interrupt::silence_panics();
    let _ = std::thread::Builder::new().spawn(|| {
        std::thread::sleep(PATIENCE);
        leave();
    });
    // A bug of ours is no reason to hold up an agent.
    let _ = catch_unwind(AssertUnwindSafe(|| hook(words, environment)));
}

#[allow(
    clippy::disallowed_methods,
    reason = "a hook that hangs ends, and says that all is well"
)]
fn leave() -> ! {
    std::process::exit(0)
}

/// What is done for one hook. Nothing in it tells its caller of a failure.
fn hook(words: &[OsString], environment: &Environment) -> Option<()> {
    let started = Instant::now();
    let (called, rest) = words.split_first()?;
    let called = called.to_string_lossy().into_owned();
    let capture = Home::find(environment).ok()?.capture();
    if let Some(name) = called.strip_prefix("git-") {
        return git::hook(name, rest, &capture, environment);
    }
    let rest: Vec<String> = rest
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let payload = payload(&rest);
    let reading = hook::parse_arguments(Some(&called), &rest, &payload);
    let (nanos, at) = now()?;
    let mut turn = turn_of(&called, &reading, at, environment);
    let (fate, code) = match keep(&mut turn, &reading, &payload, nanos, &capture, environment) {
        Ok(fate) => (fate, String::new()),
        Err(error) => (Fate::Lost, error.code().to_owned()),
    };
    hook_log::add(&capture, &turn, fate, &code, started.elapsed().as_millis());
    // Inside of `touchmark run`, that finishes what its hooks have kept.
    if fate == Fate::Kept && turn.kind != Kind::Other && environment.raw(marks::RUN).is_none() {
        start_worker(&capture, environment);
    }
    Some(())
}

/// Starts a worker, unless there is one.
pub(super) fn start_worker(capture: &Path, environment: &Environment) {
    if worker::is_needed(capture) {
        let _ = detached::start(&["hook", "worker"], environment);
    }
}

/// The time: for the order of turns, and as it is recorded.
#[allow(
    clippy::disallowed_methods,
    reason = "a hook has no context whose clock it could ask"
)]
pub(super) fn now() -> Option<(u128, Timestamp)> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok()?;
    Some((since.as_nanos(), Timestamp::from_unix(seconds).ok()?))
}

/// What the agent passes on: on standard input, or as the last word.
fn payload(words: &[String]) -> Vec<u8> {
    let in_words = words
        .iter()
        .any(|word| word.starts_with('{') || word == "--session" || word.starts_with("--session="));
    if in_words { Vec::new() } else { stdin() }
}

/// Reads standard input as far as it comes in time.
pub(super) fn stdin() -> Vec<u8> {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    let read = move || {
        let mut input = std::io::stdin().lock().take(MAX_PAYLOAD_BYTES);
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = input.read(&mut chunk) {
            if sender.send(chunk[..length].to_vec()).is_err() {
                break;
            }
        }
    };
    let mut bytes = Vec::new();
    if std::thread::Builder::new().spawn(read).is_err() {
        return bytes;
    }
    let until = Instant::now() + STDIN_PATIENCE;
    while let Ok(chunk) = receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

/// What is known without looking at anything.
fn turn_of(called: &str, reading: &HookReading, at: Timestamp, environment: &Environment) -> Turn {
    let event = &reading.event;
    let product = reading.product.clone().or_else(|| reading.claimed.clone());
    let inside = product.as_deref().unwrap_or_default();
    Turn {
        version: 1,
        kind: Kind::of(event.kind),
        called: called.to_owned(),
        mismatch: reading.mismatch,
        event: event.event_name.clone(),
        session: event.session_id.clone(),
        turn: event.turn_id.clone(),
        directory: directory(reading),
        transcript: None,
        snapshot: None,
        last_message: event.last_message_digest(),
        at,
        dedupe: event.dedupe_key(),
        owner: None,
        parent: marks::parent(environment, inside, event.session_id.as_deref()),
        environment: marks::of(environment),
        commits: Vec::new(),
        problems: reading
            .problems
            .iter()
            .map(|problem| problem.code().to_owned())
            .collect(),
        product,
    }
}

/// Where the agent works: as it says, if there is such a folder, else where it called us.
fn directory(reading: &HookReading) -> String {
    let said = reading.event.cwd.iter().chain(&reading.event.workspace_roots);
    let found = said
        .map(PathBuf::from)
        .find(|folder| folder.is_absolute() && folder.is_dir())
        .or_else(|| std::env::current_dir().ok());
    found.unwrap_or_default().to_string_lossy().into_owned()
}

/// Makes the event durable.
fn keep(
    turn: &mut Turn,
    reading: &HookReading,
    payload: &[u8],
    nanos: u128,
    capture: &Path,
    environment: &Environment,
) -> Result<Fate, CliError> {
    let (product, session) = (turn.product.as_deref(), turn.session.as_deref());
    let mut record = reading.event.transcript_path.as_ref().map(PathBuf::from);
    let mut streamed = false;
    if let (Some(product), Some(session)) = (product, session)
        && stream::is_kept(product)
    {
        Folder::open(capture)?;
        if let Some(path) = stream::append(capture, product, session, payload)? {
            record = Some(path);
            streamed = true;
        }
    }
    // Nothing begins or ends with a tool: what it did is in the record.
    let readable = !reading.problems.iter().any(|problem| {
        matches!(
            problem.code(),
            "hook.payload_malformed" | "hook.payload_empty" | "hook.payload_too_large"
        )
    });
    if turn.kind == Kind::Other {
        if readable {
            return Ok(if streamed { Fate::Kept } else { Fate::Passed });
        }
        // What it was called for cannot be told: that a turn has ended is the one thing that must not be missed.
        turn.kind = Kind::TurnEnd;
    }
    turn.transcript = record.as_deref().and_then(watermark);
    turn.owner = Owner::find();
    turn.snapshot = Snapshot::quick(Path::new(&turn.directory), environment);
    Folder::open(capture)?;
    Turns::open(capture)?.put(turn, nanos)?;
    Ok(Fate::Kept)
}

/// How far a record is written, and its ends. A path that is no file of ours to read has none.
fn watermark(path: &Path) -> Option<Watermark> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut file = File::options().read(true).custom_flags(flags).open(path).ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || !path.is_absolute() {
        return None;
    }
    let bytes = found.len();
    let mut ends = Vec::new();
    (&mut file)
        .take(END_BYTES.min(bytes))
        .read_to_end(&mut ends)
        .ok()?;
    file.seek(SeekFrom::Start(bytes.saturating_sub(END_BYTES))).ok()?;
    (&mut file).take(END_BYTES).read_to_end(&mut ends).ok()?;
    Some(Watermark {
        path: path.to_string_lossy().into_owned(),
        bytes,
        ends: Sha256Digest::of(&ends),
    })
}
