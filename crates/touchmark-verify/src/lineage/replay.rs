//! Applies whole agent changes to the base tree, path by path, where no unbroken chain leads to the result.
//!
//! Commits are taken apart into lines of first parents. Along each line the statements with the fewest gaps between
//! them are chosen, none overlapping, and then applied to the base tree in the order of the commits. A path takes a
//! change's new entry only where it holds the change's old one; that is stricter than merging contents, and the
//! difference is residual.

use std::collections::{BTreeMap, HashMap, HashSet};

use touchmark_statement::git_id::{GitCommitId, GitTreeId, ObjectFormat};
use touchmark_statement::repo_path::RepoPath;

use super::diffs::Diffs;
use super::route::{Map, Step};
use crate::git_view::{GitViewError, PathChange, TreeEntry};

/// The entry at a path, if there is one.
pub(super) type Entry = Option<TreeEntry>;

/// The base tree with changes applied, as far as they touch it.
#[derive(Default)]
pub(super) struct Replay {
    /// Every path touched: its entry in the base tree, its entry now, who touched it, and whether that fitted.
    pub(super) touched: BTreeMap<RepoPath, Touched>,
    /// The statements applied, in order.
    pub(super) applied: Vec<usize>,
}

/// A path that at least one change touches.
pub(super) struct Touched {
    pub(super) base: Entry,
    pub(super) now: Entry,
    pub(super) by: Vec<usize>,
    pub(super) conflict: bool,
}

/// Commits that follow one another by their first parents.
struct Line {
    start: GitTreeId,
    /// Position in the list of commits, and tree.
    steps: Vec<(usize, GitTreeId)>,
}

/// Replays the statements of `map` along `commits` onto the tree `base`. `ends` gives base and proposed tree of each.
pub(super) fn replay(
    base: &GitTreeId,
    commits: &[GitCommitId],
    map: &Map<'_>,
    ends: &dyn Fn(usize) -> (GitTreeId, GitTreeId),
    diffs: &mut Diffs<'_>,
) -> Result<Replay, GitViewError> {
    let mut entries = HashMap::new();
    let mut chosen = Vec::new();
    let mut used = HashSet::new();
    for line in lines(commits, diffs)? {
        for (order, statement, rows) in walk(base, &line, map, ends, diffs, &mut entries)? {
            if used.insert(statement) {
                chosen.push((order, statement, rows));
            }
        }
    }
    // Stable: statements that end at one commit stay in the order of their way.
    chosen.sort_by_key(|(order, ..)| *order);
    let mut replay = Replay::default();
    for (_, statement, rows) in chosen {
        apply(&mut replay, statement, &rows, &entries);
    }
    Ok(replay)
}

fn apply(replay: &mut Replay, statement: usize, rows: &[PathChange], entries: &HashMap<RepoPath, Entry>) {
    replay.applied.push(statement);
    for row in rows {
        let touched = replay.touched.entry(row.path.clone()).or_insert_with(|| {
            let base = entries
                .get(&row.path)
                .cloned()
                .unwrap_or_else(|| row.from.clone());
            Touched {
                now: base.clone(),
                base,
                by: Vec::new(),
                conflict: false,
            }
        });
        touched.by.push(statement);
        if touched.now == row.from {
            touched.now = row.to.clone();
        } else if touched.now != row.to {
            // Where the path holds the new entry already, both sides made the same change.
            touched.conflict = true;
        }
    }
}

/// Takes the commits apart into lines, the one that ends first before the others.
fn lines(commits: &[GitCommitId], diffs: &mut Diffs<'_>) -> Result<Vec<Line>, GitViewError> {
    let position: HashMap<&GitCommitId, usize> = commits.iter().zip(0..).collect();
    let mut taken = HashSet::new();
    let mut lines = Vec::new();
    for (end, _) in commits.iter().enumerate().rev() {
        let (mut steps, mut at) = (Vec::new(), end);
        let start = loop {
            if !taken.insert(at) {
                break None;
            }
            let commit = diffs.commit(&commits[at])?;
            steps.push((at, commit.tree.clone()));
            let Some(parent) = commit.parents.first() else {
                break Some(empty_tree(commit.tree.object_format()));
            };
            match position.get(parent) {
                Some(before) if !taken.contains(before) => at = *before,
                _ => break Some(diffs.commit(parent)?.tree.clone()),
            }
        };
        if let Some(start) = start {
            steps.reverse();
            lines.push(Line { start, steps });
        }
    }
    lines.reverse();
    Ok(lines)
}

/// Returns the id of the tree without entries.
pub(super) fn empty_tree(format: ObjectFormat) -> GitTreeId {
    let id = match format {
        ObjectFormat::Sha1 => "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        ObjectFormat::Sha256 => "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    };
    id.parse().expect("a constant id")
}

type Chosen = Vec<(usize, usize, std::rc::Rc<[PathChange]>)>;

/// Chooses the statements of one line, and notes the base tree's entry of every path that they touch.
fn walk(
    base: &GitTreeId,
    line: &Line,
    map: &Map<'_>,
    ends: &dyn Fn(usize) -> (GitTreeId, GitTreeId),
    diffs: &mut Diffs<'_>,
    entries: &mut HashMap<RepoPath, Entry>,
) -> Result<Chosen, GitViewError> {
    let Some((_, end)) = line.steps.last() else {
        return Ok(Vec::new());
    };
    let before = std::iter::once(&line.start).chain(line.steps.iter().map(|(_, tree)| tree));
    let gaps: Vec<_> = line
        .steps
        .iter()
        .zip(before)
        .map(|((at, tree), before)| (*at, before, tree))
        .collect();
    let order: HashMap<&GitTreeId, usize> = line.steps.iter().map(|(at, tree)| (tree, *at)).collect();
    let trees: HashMap<usize, (&GitTreeId, &GitTreeId)> = gaps
        .iter()
        .map(|(at, before, tree)| (*at, (*before, *tree)))
        .collect();
    let way = map.way(&line.start, end, &gaps).unwrap_or_default();
    let away: HashMap<RepoPath, Entry> = diffs
        .changed(base, &line.start)?
        .iter()
        .map(|row| (row.path.clone(), row.from.clone()))
        .collect();
    let (mut chosen, mut waiting) = (Vec::new(), Vec::new());
    for step in way {
        let (from, to) = match step {
            Step::Statement(statement) => ends(statement),
            Step::Gap(at) => (trees[&at].0.clone(), trees[&at].1.clone()),
        };
        let rows = diffs.changed(&from, &to)?;
        for row in rows.iter() {
            // What the base tree has where it differs from the line's start, else what the line first found there.
            entries
                .entry(row.path.clone())
                .or_insert_with(|| away.get(&row.path).unwrap_or(&row.from).clone());
        }
        if let Step::Statement(statement) = step {
            waiting.push((statement, rows));
        }
        // Work that was not committed takes the place of the commit it ended up in.
        if let Some(at) = order.get(&to) {
            chosen.extend(waiting.drain(..).map(|(statement, rows)| (*at, statement, rows)));
        }
    }
    Ok(chosen)
}
