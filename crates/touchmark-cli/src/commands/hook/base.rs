//! From where a statement starts: where the one before ended, or where the session began; and where neither leads to
//! what is there now, because commits were made again or another branch was taken, where the two lines part.

use std::collections::HashSet;

use touchmark_agents::session::Session;
use touchmark_git::Repository;
use touchmark_statement::git_id::{GitCommitId, GitTreeId, ObjectFormat};
use touchmark_verify::git_view::GitView as _;

use crate::capture::session::Began;
use crate::capture::snapshot::Snapshot;
use crate::commands::attest::seen::Point;
use crate::error::CliError;
use crate::pipeline::chain::Link;

/// How many commits back a known one is sought.
const MAX_BACK: usize = 5_000;

/// A part of a turn's work that one statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) base: Point,
    pub(crate) proposed: Point,
    /// Whether something lies in the work tree beyond it.
    pub(crate) dirty: bool,
}

/// Finds where the statement about `now` starts.
pub(crate) fn find(
    git: &Repository,
    began: &Began,
    link: Option<&Link>,
    now: &Snapshot,
    session: &Session,
) -> Result<Point, CliError> {
    let line = line(git, now.head.as_ref())?;
    let leads = |head: Option<&GitCommitId>| head.is_none_or(|head| line.contains(head));
    let turn = began
        .turn
        .as_ref()
        .map(|seen| point(git, seen))
        .transpose()?
        .flatten();
    let before = match link {
        Some(link) => Some(stated(git, began, link)?),
        None => began
            .start
            .as_ref()
            .map(|seen| point(git, seen))
            .transpose()?
            .flatten(),
    };
    if let Some(before) = before {
        // Somebody else moved on between the turns: that is not the agent's.
        let moved = turn
            .as_ref()
            .filter(|turn| link.is_some() && turn.head != before.head);
        let from = moved.unwrap_or(&before);
        if leads(from.head.as_ref()) {
            return Ok(from.clone());
        }
    }
    match turn {
        Some(turn) if leads(turn.head.as_ref()) => Ok(turn),
        _ => parting(git, began, now, session, &line),
    }
}

/// Divides the way from `base` to `now`: what was committed, and what lies in the work tree beyond.
pub(crate) fn stretches(
    git: &Repository,
    began: &Began,
    base: Point,
    now: &Snapshot,
) -> Result<Vec<Stretch>, CliError> {
    let Some(tree) = now.tree.clone() else {
        return Ok(Vec::new());
    };
    let end = Point {
        tree,
        head: now.head.clone(),
        committed: false,
        ref_name: now.ref_name.clone(),
    };
    let mut found = Vec::new();
    let mut from = base;
    if let Some(head) = &now.head {
        let commit = Point {
            tree: git.commit(head)?.tree,
            committed: true,
            ..end.clone()
        };
        let is_clean = commit.tree == end.tree;
        if is_clean || from.head != commit.head {
            // What lay about before the session began was not committed by it.
            let lay_about = !from.committed && !is_clean && is_start(began, &from);
            let start = if lay_about {
                committed(git, &from)?
            } else {
                from.clone()
            };
            if start.tree != commit.tree {
                found.push(Stretch {
                    base: start,
                    proposed: commit.clone(),
                    dirty: !is_clean,
                });
            }
            if is_clean || (lay_about && !is_more(git, &from, &commit, &end)?) {
                return Ok(found);
            }
            from = commit;
        }
    }
    if from.tree != end.tree {
        found.push(Stretch {
            base: from,
            proposed: end,
            dirty: false,
        });
    }
    Ok(found)
}

fn is_start(began: &Began, point: &Point) -> bool {
    began
        .start
        .as_ref()
        .is_some_and(|start| start.tree.as_ref() == Some(&point.tree))
}

/// The commit that was checked out at a moment, without what lay about.
fn committed(git: &Repository, point: &Point) -> Result<Point, CliError> {
    let tree = match &point.head {
        Some(head) => git.commit(head)?.tree,
        None => empty(git),
    };
    Ok(Point {
        tree,
        committed: point.head.is_some(),
        ..point.clone()
    })
}

/// Returns whether there is more in the work tree beyond its commit than there was before.
fn is_more(git: &Repository, before: &Point, commit: &Point, now: &Point) -> Result<bool, CliError> {
    let old = git.changed_paths(&committed(git, before)?.tree, &before.tree)?;
    let old: HashSet<_> = old
        .into_iter()
        .map(|change| (change.path, change.to.map(|to| to.id)))
        .collect();
    let new = git.changed_paths(&commit.tree, &now.tree)?;
    Ok(new
        .into_iter()
        .any(|change| !old.contains(&(change.path, change.to.map(|to| to.id)))))
}

/// The commits from here back along first parents.
fn line(git: &Repository, head: Option<&GitCommitId>) -> Result<Vec<GitCommitId>, CliError> {
    let mut line = Vec::new();
    let mut next = head.cloned();
    while let Some(id) = next {
        if line.len() == MAX_BACK {
            break;
        }
        // A shallow clone ends somewhere.
        let Ok(commit) = git.commit(&id) else { break };
        next = commit.parents.into_iter().next();
        line.push(id);
    }
    Ok(line)
}

/// A snapshot as a point; nothing where nobody looked at its tree.
fn point(git: &Repository, seen: &Snapshot) -> Result<Option<Point>, CliError> {
    let Some(tree) = seen.tree.clone() else {
        return Ok(None);
    };
    let committed = match &seen.head {
        Some(head) => git.commit(head).is_ok_and(|commit| commit.tree == tree),
        None => false,
    };
    Ok(Some(Point {
        tree,
        head: seen.head.clone(),
        committed,
        ref_name: seen.ref_name.clone(),
    }))
}

/// Where the last statement ended.
fn stated(git: &Repository, began: &Began, link: &Link) -> Result<Point, CliError> {
    let seen = began
        .stated
        .as_ref()
        .filter(|seen| seen.tree.as_ref() == Some(&link.tree));
    if let Some(point) = seen.map(|seen| point(git, seen)).transpose()?.flatten() {
        return Ok(point);
    }
    Ok(Point {
        tree: link.tree.clone(),
        head: link.commit.clone(),
        committed: link.commit.is_some(),
        ref_name: None,
    })
}

/// The newest commit that was there before the session: where it began if that is still on the line, where the branch
/// left its upstream, or the last one that is older than the session's first record.
fn parting(
    git: &Repository,
    began: &Began,
    now: &Snapshot,
    session: &Session,
    line: &[GitCommitId],
) -> Result<Point, CliError> {
    let start = began.start.as_ref().and_then(|seen| seen.head.clone());
    // An upstream that cannot be found out tells nothing.
    let upstream = git.upstream_base(MAX_BACK).ok().flatten();
    let began_at = session.run.started_at.map(|time| time.timestamp());
    for id in line {
        let commit = git.commit(id)?;
        let is_older = began_at.is_some_and(|time| commit.committer.time < time);
        let is_known = Some(id) == start.as_ref();
        let is_upstream = Some(id) == upstream.as_ref() && Some(id) != now.head.as_ref();
        if is_known || is_upstream || is_older {
            return Ok(Point {
                tree: commit.tree,
                head: Some(id.clone()),
                committed: true,
                ref_name: now.ref_name.clone(),
            });
        }
    }
    Ok(Point {
        tree: empty(git),
        head: None,
        committed: false,
        ref_name: now.ref_name.clone(),
    })
}

/// The tree without entries.
pub(crate) fn empty(git: &Repository) -> GitTreeId {
    let id = match git.object_format() {
        ObjectFormat::Sha1 => "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        ObjectFormat::Sha256 => "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    };
    id.parse().expect("a constant id")
}
