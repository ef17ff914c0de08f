//! What git's own hooks are for: evidence stays with work whose commits are made again, and travels with a push.
//!
//! None of them prints anything, fails or keeps git waiting for long. Evidence is pushed with git's own hooks turned
//! off and from a git folder of our own, so that a push of evidence calls no hook again.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use touchmark_git::{EvidenceItem, EvidenceKey, Repository};
use touchmark_statement::agent_change::AgentChange;
use touchmark_statement::git_id::GitCommitId;
use touchmark_statement::statement::SignedStatement;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::git_view::GitView as _;

use super::record;
use super::run::{now, start_worker, stdin};
use crate::capture::hook_log::{self, Fate};
use crate::capture::session::{Known, Sessions};
use crate::capture::snapshot::{self, Snapshot};
use crate::capture::spool::{Kind, Turn, Turns};
use crate::capture::{detached, marks};
use crate::commands::attest::seen::{self, Made, Point, Seen};
use crate::context::Context;
use crate::environment::Environment;
use crate::error::{CliError, ExitCode};
use crate::pipeline;

/// How long git waits for its evidence before its own push goes on.
const PUSH_PATIENCE: Duration = Duration::from_secs(4);
/// How long the process that pushes evidence waits for turns that are just being attested.
const WORKER_PATIENCE: Duration = Duration::from_secs(10);
/// The most commits that one hook speaks of.
const MAX_COMMITS: usize = 1_000;

/// Deals with one of git's hooks: `git-NAME` with the words that git passes.
pub(super) fn hook(name: &str, words: &[OsString], capture: &Path, environment: &Environment) -> Option<()> {
    let started = Instant::now();
    let folder = std::env::current_dir().ok()?;
    let mut turn = turn(name, &folder, environment)?;
    let fate = match name {
        "post-commit" => {
            turn.kind = Kind::Commit;
            let head = turn.snapshot.as_ref()?.head.as_ref()?.to_string();
            turn.commits = vec![(String::new(), head)];
            keep(&turn, capture)
        }
        "post-rewrite" => {
            turn.kind = Kind::Rewrite;
            turn.commits = pairs(&String::from_utf8_lossy(&stdin()));
            keep(&turn, capture)
        }
        "pre-push" => {
            start_worker(capture, environment);
            push_meanwhile(words, &stdin(), &folder, environment);
            Fate::Passed
        }
        _ => Fate::Passed,
    };
    hook_log::add(capture, &turn, fate, "", started.elapsed().as_millis());
    if fate == Fate::Kept && environment.raw(marks::RUN).is_none() {
        start_worker(capture, environment);
    }
    Some(())
}

fn turn(name: &str, folder: &Path, environment: &Environment) -> Option<Turn> {
    let (_, at) = now()?;
    Some(Turn {
        version: 1,
        kind: Kind::Other,
        called: format!("git-{name}"),
        product: None,
        mismatch: false,
        event: None,
        session: None,
        turn: None,
        directory: folder.to_string_lossy().into_owned(),
        transcript: None,
        snapshot: Snapshot::head_only(folder, environment),
        last_message: None,
        at,
        dedupe: None,
        owner: None,
        parent: None,
        environment: marks::of(environment),
        commits: Vec::new(),
        problems: Vec::new(),
    })
}

fn keep(turn: &Turn, capture: &Path) -> Fate {
    // Before the first agent's hook there is nothing that could be kept attached.
    if !capture.join("sessions").exists() && !capture.join("turns").exists() {
        return Fate::Passed;
    }
    let put = || -> Option<()> {
        let (nanos, _) = now()?;
        Turns::open(capture).ok()?.put(turn, nanos).ok().map(drop)
    };
    put().map_or(Fate::Lost, |()| Fate::Kept)
}

/// The lines of post-rewrite: an old and a new id, and perhaps more.
fn pairs(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        })
        .take(MAX_COMMITS)
        .collect()
}

/// Files evidence about uncommitted work under the commit that it ended in, so that it is found from there.
pub(super) fn committed(turn: &Turn, context: &Context<'_>) -> Result<(), CliError> {
    let Some((git, id)) = opened(turn, turn.commits.first().map(|(_, id)| id.as_str()), context) else {
        return Ok(());
    };
    let tree = git.commit(&id)?.tree;
    let mut items = Vec::new();
    for known in Sessions::open(&context.home.capture())?.in_work_tree(&snapshot::work_tree(&git))? {
        let uri = crate::commands::attest::repository(&git, None)?.uri;
        let name = pipeline::chain::session_name(&known.product, &known.session, &uri);
        let link = pipeline::chain::last(&name, context)?;
        // What ended in another tree than its own is sought by nobody under that tree's name.
        let Some(link) = link.filter(|link| link.commit.is_none() && link.tree != tree) else {
            continue;
        };
        items.extend(copies(&git, &EvidenceKey::Tree(link.tree), &id)?);
    }
    git.write_evidence(&items, context.config.flag("keep-objects"))?;
    Ok(())
}

/// Keeps evidence with commits that were made again: where the tree is the same under the new name too, else by a new
/// statement of the same session about the new commit.
pub(super) fn rewritten(turn: &Turn, context: &Context<'_>) -> Result<Vec<Made>, CliError> {
    let mut made = Vec::new();
    for (old, new) in &turn.commits {
        let (Some((git, new)), Ok(old)) = (opened(turn, Some(new), context), old.parse::<GitCommitId>())
        else {
            continue;
        };
        let key = EvidenceKey::Commit(old.clone());
        let found = git.read_evidence(&key)?.files;
        if found.is_empty() {
            continue;
        }
        let (before, after) = (git.commit(&old).ok(), git.commit(&new)?);
        if before.is_some_and(|before| before.tree == after.tree) {
            let items = copies(&git, &key, &new)?;
            git.write_evidence(&items, context.config.flag("keep-objects"))?;
            continue;
        }
        for file in found {
            if let Some(claim) = claim_of(&file.bytes) {
                made.extend(again(&claim, &new, turn, &git, context)?);
            }
        }
    }
    Ok(made)
}

/// States again what a statement said, about the commit that its own became.
fn again(
    claim: &AgentChange,
    new: &GitCommitId,
    turn: &Turn,
    git: &Repository,
    context: &Context<'_>,
) -> Result<Option<Made>, CliError> {
    let (Some(product), Some(instance)) = (&claim.agent.product, &claim.agent.instance) else {
        return Ok(None);
    };
    let sessions = Sessions::open(&context.home.capture())?;
    let mut known = sessions.read(&product.name, instance)?;
    // Only sessions of this machine have their records here.
    let Some(session) = load(&known, context)? else {
        return Ok(None);
    };
    let first = claim.change.commits.first().map(|row| row.git_commit.to_string());
    let moved = |id: &str| {
        turn.commits
            .iter()
            .find(|(old, _)| old == id)
            .map(|(_, new)| new.clone())
    };
    let first = first.as_deref().and_then(moved).and_then(|id| id.parse().ok());
    let base = parent(git, &first.unwrap_or_else(|| new.clone()))?;
    let proposed = Point {
        tree: git.commit(new)?.tree,
        head: Some(new.clone()),
        committed: true,
        ref_name: turn.snapshot.as_ref().and_then(|seen| seen.ref_name.clone()),
    };
    let last = seen::last_link(&session, git, context)?;
    let is_said = last.is_some_and(|last| last.tree == proposed.tree && last.base_tree == base.tree);
    if base.tree == proposed.tree || is_said {
        return Ok(None);
    }
    let work_tree = snapshot::work_tree(git);
    let stated = Snapshot {
        work_tree: work_tree.clone(),
        head: proposed.head.clone(),
        ref_name: proposed.ref_name.clone(),
        tree: Some(proposed.tree.clone()),
    };
    known.repositories.entry(work_tree).or_default().stated = Some(stated);
    sessions.write(&known)?;
    let seen = Seen {
        parent: known.parent.clone(),
        session,
        base,
        proposed,
        dirty: false,
        agent: None,
        hook: None,
    };
    seen::attest(seen, git, context).map(Some)
}

/// The session's record as far as statements have gone: making a commit again adds nothing to it.
fn load(
    known: &Known,
    context: &Context<'_>,
) -> Result<Option<touchmark_agents::session::Session>, CliError> {
    let Some(totals) = crate::capture::account::before(&known.product, &known.session, context)? else {
        return Ok(None);
    };
    record::at(known, totals.own_bytes())
}

fn parent(git: &Repository, id: &GitCommitId) -> Result<Point, CliError> {
    let parent = git.commit(id)?.parents.into_iter().next();
    let tree = match &parent {
        Some(parent) => git.commit(parent)?.tree,
        None => super::base::empty(git),
    };
    Ok(Point {
        tree,
        committed: parent.is_some(),
        head: parent,
        ref_name: None,
    })
}

/// The evidence under one key, to be filed under a commit as well.
fn copies(git: &Repository, from: &EvidenceKey, to: &GitCommitId) -> Result<Vec<EvidenceItem>, CliError> {
    let files = git.read_evidence(from)?.files.into_iter();
    Ok(files
        .filter(|file| claim_of(&file.bytes).is_some())
        .map(|file| EvidenceItem {
            key: EvidenceKey::Commit(to.clone()),
            name: file.name,
            bytes: file.bytes,
            attests: Some(to.clone()),
        })
        .collect())
}

/// What a bundle claims: to file it again, nothing is believed.
fn claim_of(bytes: &[u8]) -> Option<AgentChange> {
    let bundle = Bundle::parse(bytes).ok()?;
    let signed = SignedStatement::parse(bundle.envelope()?.payload.clone()).ok()?;
    signed.statement().predicate.as_agent_change().cloned()
}

fn opened(turn: &Turn, id: Option<&str>, context: &Context<'_>) -> Option<(Repository, GitCommitId)> {
    let git = snapshot::open(Path::new(&turn.directory), &context.environment)?;
    Some((git, id?.parse().ok()?))
}

/// Starts the push of evidence and waits for it, but not for long: it goes on by itself.
fn push_meanwhile(words: &[OsString], lines: &[u8], folder: &Path, environment: &Environment) -> Option<()> {
    let remote = words.first()?.to_str()?.to_owned();
    let mut all = vec!["-C".to_owned(), folder.to_str()?.to_owned()];
    all.extend(["hook", "push"].map(str::to_owned));
    for line in String::from_utf8_lossy(lines).lines().take(MAX_COMMITS) {
        // githooks(5): local ref, local id, remote ref, remote id.
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [local, id, _, theirs] = fields.as_slice() else {
            continue;
        };
        if !local.starts_with("refs/touchmark/") && id.bytes().any(|byte| byte != b'0') {
            all.push(format!("--range={theirs}..{id}"));
        }
    }
    if all.len() == 4 {
        return None;
    }
    all.extend(["--".to_owned(), remote]);
    let mut child = detached::start(&all, environment).ok()?;
    let until = Instant::now() + PUSH_PATIENCE;
    while Instant::now() < until {
        if !matches!(child.try_wait(), Ok(None)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Some(())
}

/// Flags of `hook push`.
#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// What is pushed: what the remote has, two dots, what it gets
    #[arg(long, value_name = "OLD..NEW")]
    range: Vec<String>,
    /// The remote, by name or address
    #[arg(value_name = "REMOTE")]
    remote: String,
}

/// Runs `hook push`: the evidence about these commits goes to the remote that they go to.
pub(crate) fn push(args: &PushArgs, context: &Context<'_>) -> Result<ExitCode, CliError> {
    detached::leave();
    wait_for_turns(context);
    let git = pipeline::open_for_writing(&context.directory, context)?;
    let mut keys = Vec::new();
    for range in &args.range {
        let Some((old, new)) = range.split_once("..") else {
            continue;
        };
        keys.extend(keys_of(&git, old, new)?);
    }
    keys.sort_by_key(EvidenceKey::ref_name);
    keys.dedup();
    if !keys.is_empty() {
        git.push_evidence(&args.remote, &keys)?;
    }
    Ok(ExitCode::Allowed)
}

/// The keys under which evidence about these commits is found.
fn keys_of(git: &Repository, old: &str, new: &str) -> Result<Vec<EvidenceKey>, CliError> {
    let Ok(head) = new.parse::<GitCommitId>() else {
        return Ok(Vec::new());
    };
    let known = old
        .parse::<GitCommitId>()
        .ok()
        .filter(|old| git.commit(old).is_ok());
    let base = match known {
        Some(base) => Some(base),
        None => git
            .upstream_base(MAX_COMMITS)
            .ok()
            .flatten()
            .filter(|base| *base != head),
    };
    if let Some(base) = base
        && let Ok(change) = git.change(&base, &head, "refs/heads/pushed", false)
    {
        let found = git.evidence_about(&change, &|_| true)?.files;
        return Ok(found
            .iter()
            .filter_map(|file| EvidenceKey::from_ref_name(&file.ref_name))
            .collect());
    }
    // Nothing tells what is new on a branch that nobody knows yet: as much as is reasonable.
    let all = git.list_evidence()?.into_iter().map(|found| found.key);
    Ok(all.take(2 * MAX_COMMITS).collect())
}

fn wait_for_turns(context: &Context<'_>) {
    let until = Instant::now() + WORKER_PATIENCE;
    let capture = context.home.capture();
    while Instant::now() < until {
        match Turns::open_if_any(&capture).map(|turns| turns.map(|turns| turns.names())) {
            Ok(Some(Ok(names))) if !names.is_empty() => std::thread::sleep(Duration::from_millis(50)),
            _ => return,
        }
        // What waits for somebody else is not waited for here.
        if crate::capture::worker::is_needed(&capture) {
            return;
        }
    }
}
