//! Puts the parts of a lineage together: bind, find the way, classify each path, name what is missing.

use std::collections::{HashMap, HashSet};

use touchmark_statement::agent_change::AgentChange;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::repo_path::RepoPath;

use super::bind::{self, Bound, Range, Refusal};
use super::classify;
use super::diffs::Diffs;
use super::replay::{self, Replay};
use super::route::{Map, Step};
use super::{
    BoundChange, ChangeUnderJudgement, Finding, Lineage, LineageError, SetAside, SetAsideReason, review,
    session,
};
use crate::evidence::EvidenceId;
use crate::git_view::GitView;
use crate::limits::{MAX_CHANGE_COMMITS, MAX_LANDED_TREES, MAX_LINEAGE_STATEMENTS};
use crate::verified::VerifiedStatement;

/// An agent change that is bound.
pub(super) struct Known<'s> {
    pub(super) claim: &'s AgentChange,
    pub(super) evidence: EvidenceId,
    pub(super) bound: Bound,
}

/// By position among the statements given.
pub(super) type AllKnown<'s> = std::collections::BTreeMap<usize, Known<'s>>;

pub(super) fn build(
    change: &ChangeUnderJudgement,
    agent_changes: &[VerifiedStatement],
    reviews: &[VerifiedStatement],
    git: &dyn GitView,
) -> Result<Lineage, LineageError> {
    let mut diffs = Diffs::new(git);
    let range = examine_range(change, agent_changes.len(), &mut diffs)?;
    let (claims, mut set_aside, gaps) = claims(change, agent_changes, git);
    let (known, refused) = bind_all(claims, &range, agent_changes, &mut diffs)?;
    set_aside.extend(refused);
    set_aside.sort_by_key(|aside| aside.statement);

    let map = map_of(&known, |_| true);
    let (paths, relied) = match map.way(&change.base_tree, &change.result_tree, &[]) {
        // Where base and result are equal, work may still have been dropped on the way.
        Some(way) if !way.is_empty() => {
            let relied: Vec<usize> = way.iter().filter_map(|step| statement_of(*step)).collect();
            (classify::exact(change, &relied, &known, &mut diffs)?, relied)
        }
        _ => {
            let fresh = fresh(change, &range, &known, &mut diffs);
            let map = map_of(&known, |statement| fresh.contains(&statement));
            let replay = replay_all(change, &map, &known, &mut diffs)?;
            (classify::replayed(change, &replay, &mut diffs)?, replay.applied)
        }
    };
    let residual: HashSet<&RepoPath> = classify::residual(&paths).collect();
    let missing = classify::missing(change, &known, &residual, &mut diffs)?;
    let findings = findings(&relied, &known, &gaps);
    let reviews = review::bind_all(change, reviews, &relied, agent_changes, &mut diffs)?;
    let changes = order_changes(&relied, &known);
    Ok(Lineage {
        paths,
        changes,
        set_aside,
        missing,
        findings,
        reviews,
    })
}

fn map_of<'k>(known: &'k AllKnown<'_>, wanted: impl Fn(usize) -> bool) -> Map<'k> {
    let mut map = Map::default();
    for (statement, known) in known.iter().filter(|(statement, _)| wanted(**statement)) {
        let change = &known.claim.change;
        map.add(*statement, &change.base.git_tree, &change.proposed.git_tree);
    }
    map
}

/// Statements that may be replayed: those about a commit of the range, those about uncommitted work that has not
/// landed before, and those that lead to one of them.
///
/// A statement about a commit elsewhere fits any range that holds its tree, so that work which landed and was reverted
/// could be brought back by commits that only pass through that tree. It counts in a whole chain of trees alone.
fn fresh(
    change: &ChangeUnderJudgement,
    range: &Range,
    known: &AllKnown<'_>,
    diffs: &mut Diffs<'_>,
) -> HashSet<usize> {
    let mut by_proposed: HashMap<&GitTreeId, Vec<usize>> = HashMap::new();
    for (statement, known) in known {
        let tree = &known.claim.change.proposed.git_tree;
        by_proposed.entry(tree).or_default().push(*statement);
    }
    let uncommitted = known
        .values()
        .any(|known| known.claim.change.proposed.git_commit.is_none());
    let landed = if uncommitted {
        landed_trees(&change.base_commit, diffs)
    } else {
        HashSet::new()
    };
    let begins = |(_, known): &(&usize, &Known<'_>)| match &known.claim.change.proposed.git_commit {
        Some(commit) => range.commits.contains(commit),
        None => {
            let tree = &known.claim.change.proposed.git_tree;
            range.trees.contains(tree) && !landed.contains(tree)
        }
    };
    let mut queue: Vec<usize> = known
        .iter()
        .filter(begins)
        .map(|(statement, _)| *statement)
        .collect();
    let mut fresh: HashSet<usize> = queue.iter().copied().collect();
    while let Some(statement) = queue.pop() {
        let base = &known[&statement].claim.change.base.git_tree;
        let leading = by_proposed.get(base).map_or(&[][..], Vec::as_slice);
        queue.extend(
            leading
                .iter()
                .copied()
                .filter(|statement| fresh.insert(*statement)),
        );
    }
    fresh
}

/// The trees that the target had lately, along first parents.
fn landed_trees(base: &GitCommitId, diffs: &mut Diffs<'_>) -> HashSet<GitTreeId> {
    let (mut trees, mut at) = (HashSet::new(), Some(base.clone()));
    for _ in 0..MAX_LANDED_TREES {
        // Where history is cut off there is no telling; what is known of it counts.
        let Some(commit) = at.take().and_then(|id| diffs.commit(&id).ok()) else {
            break;
        };
        trees.insert(commit.tree.clone());
        at = commit.parents.first().cloned();
    }
    trees
}

fn statement_of(step: Step) -> Option<usize> {
    match step {
        Step::Statement(statement) => Some(statement),
        Step::Gap(_) => None,
    }
}

/// The commits of the change as the caller listed them must be what git has: this is the verifier's own side.
fn examine_range(
    change: &ChangeUnderJudgement,
    statements: usize,
    diffs: &mut Diffs<'_>,
) -> Result<Range, LineageError> {
    let found = change.commits.len() + change.pull_request_commits.len();
    if found > MAX_CHANGE_COMMITS {
        return Err(LineageError::TooManyCommits { found });
    }
    if statements > MAX_LINEAGE_STATEMENTS {
        return Err(LineageError::TooManyStatements { found: statements });
    }
    let named = [
        (&change.base_commit, &change.base_tree),
        (&change.head_commit, &change.result_tree),
    ];
    // Before landing the result may be a merge that does not exist as a commit yet.
    for (commit, tree) in named.into_iter().take(if change.landed { 2 } else { 1 }) {
        let found = &diffs.commit(commit)?.tree;
        if found != tree {
            let (commit, named, found) = (commit.clone(), tree.clone(), found.clone());
            return Err(LineageError::TreeMismatch { commit, named, found });
        }
    }
    let mut range = Range {
        commits: HashSet::new(),
        trees: HashSet::from([change.result_tree.clone()]),
        starts: vec![(change.base_commit.clone(), change.base_tree.clone())],
    };
    for list in [&change.commits, &change.pull_request_commits] {
        let members: HashSet<&GitCommitId> = list.iter().collect();
        let mut seen = HashSet::new();
        for id in list {
            let commit = diffs.commit(id)?;
            let early = commit
                .parents
                .iter()
                .any(|parent| members.contains(parent) && !seen.contains(parent));
            if early || !seen.insert(id) || *id == change.base_commit {
                return Err(LineageError::CommitOrder { commit: id.clone() });
            }
            range.trees.insert(commit.tree.clone());
            range.starts.push((id.clone(), commit.tree.clone()));
            range.commits.insert(id.clone());
        }
    }
    let head = &change.head_commit;
    if *head != change.base_commit && !change.commits.is_empty() && !range.commits.contains(head) {
        return Err(LineageError::CommitOrder { commit: head.clone() });
    }
    Ok(range)
}

type Claims<'s> = Vec<(usize, &'s AgentChange)>;

/// Sorts out what needs no git: other kinds of statement, other repositories, repetitions, broken sessions.
fn claims<'s>(
    change: &ChangeUnderJudgement,
    agent_changes: &'s [VerifiedStatement],
    git: &dyn GitView,
) -> (Claims<'s>, Vec<SetAside>, HashSet<usize>) {
    let (mut set_aside, mut members, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (statement, verified) in agent_changes.iter().enumerate() {
        let evidence = verified.evidence_id();
        let claim = match seen.insert(evidence) {
            true => bind::claim(verified, change, git.object_format()),
            false => Err(SetAsideReason::Duplicate),
        };
        match claim {
            Ok(claim) => members.push(session::Member {
                statement,
                signer: evidence.signer,
                payload: evidence.payload,
                claim,
            }),
            Err(reason) => set_aside.push(SetAside {
                statement,
                evidence,
                reason,
            }),
        }
    }
    let sessions = session::examine(&members);
    let mut refused: HashMap<usize, SetAsideReason> = sessions.refused.into_iter().collect();
    let mut claims = Vec::new();
    for member in members {
        let evidence = EvidenceId {
            payload: member.payload,
            signer: member.signer,
        };
        match refused.remove(&member.statement) {
            Some(reason) => set_aside.push(SetAside {
                statement: member.statement,
                evidence,
                reason,
            }),
            None => claims.push((member.statement, member.claim)),
        }
    }
    (claims, set_aside, sessions.gaps.into_iter().collect())
}

/// Binds the statements that end in the range, and those that lead to the beginning of one that does.
fn bind_all<'s>(
    claims: Claims<'s>,
    range: &Range,
    agent_changes: &'s [VerifiedStatement],
    diffs: &mut Diffs<'_>,
) -> Result<(AllKnown<'s>, Vec<SetAside>), LineageError> {
    let mut by_proposed: HashMap<&GitTreeId, Vec<usize>> = HashMap::new();
    for (place, (_, claim)) in claims.iter().enumerate() {
        by_proposed
            .entry(&claim.change.proposed.git_tree)
            .or_default()
            .push(place);
    }
    let inside = |(_, (_, claim)): &(usize, &(usize, &AgentChange))| bind::is_in_range(&claim.change, range);
    let mut queue: Vec<usize> = claims
        .iter()
        .enumerate()
        .filter(inside)
        .map(|(place, _)| place)
        .collect();
    let mut reached: HashSet<usize> = queue.iter().copied().collect();
    while let Some(place) = queue.pop() {
        let leading = by_proposed
            .get(&claims[place].1.change.base.git_tree)
            .map_or(&[][..], Vec::as_slice);
        queue.extend(leading.iter().copied().filter(|place| reached.insert(*place)));
    }
    let (mut known, mut set_aside) = (AllKnown::new(), Vec::new());
    for (place, (statement, claim)) in claims.into_iter().enumerate() {
        let verified = &agent_changes[statement];
        let evidence = verified.evidence_id();
        let bound = match reached.contains(&place) {
            true => bind::bind(claim, &verified.statement().subject, range, diffs),
            false => Err(SetAsideReason::NotInRange.into()),
        };
        match bound {
            Ok(bound) => {
                _ = known.insert(
                    statement,
                    Known {
                        claim,
                        evidence,
                        bound,
                    },
                )
            }
            Err(Refusal::Aside(reason)) => set_aside.push(SetAside {
                statement,
                evidence,
                reason,
            }),
            Err(Refusal::Undecided(error)) => return Err(error.into()),
        }
    }
    Ok((known, set_aside))
}

fn replay_all(
    change: &ChangeUnderJudgement,
    map: &Map<'_>,
    known: &AllKnown<'_>,
    diffs: &mut Diffs<'_>,
) -> Result<Replay, LineageError> {
    let mut seen = HashSet::new();
    let commits = change.pull_request_commits.iter().chain(&change.commits);
    let commits: Vec<GitCommitId> = commits.filter(|commit| seen.insert(*commit)).cloned().collect();
    let ends = |statement: usize| {
        let change = &known[&statement].claim.change;
        (change.base.git_tree.clone(), change.proposed.git_tree.clone())
    };
    Ok(replay::replay(&change.base_tree, &commits, map, &ends, diffs)?)
}

fn findings(relied: &[usize], known: &AllKnown<'_>, gaps: &HashSet<usize>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &statement in relied {
        let change = &known[&statement].claim.change;
        let undeclared = change.undeclared.iter().flatten();
        findings.extend(undeclared.map(|path| Finding::Undeclared {
            statement,
            path: path.clone(),
        }));
        let rows = change.paths.iter().flatten();
        findings.extend(rows.filter_map(|row| match row.attribution {
            touchmark_statement::agent_change::Attribution::Agent => None,
            attribution => Some(Finding::Attribution {
                statement,
                path: row.path.clone(),
                attribution,
            }),
        }));
        if change.dirty {
            findings.push(Finding::Dirty { statement });
        }
        if gaps.contains(&statement) {
            findings.push(Finding::SessionGap { statement });
        }
        if let Some(commit) = &known[&statement].bound.commit_gone {
            findings.push(Finding::CommitNotAtHand {
                statement,
                commit: commit.clone(),
            });
        }
    }
    findings
}

/// Lists the changes relied on first, in the order in which they apply, then the others.
fn order_changes(relied: &[usize], known: &AllKnown<'_>) -> Vec<BoundChange> {
    let relied_on: HashSet<usize> = relied.iter().copied().collect();
    let others = known
        .keys()
        .copied()
        .filter(|statement| !relied_on.contains(statement));
    let ordered = relied.iter().copied().chain(others);
    let entry = |statement: usize| BoundChange {
        statement,
        evidence: known[&statement].evidence,
        subjects: known[&statement].bound.subjects.clone(),
        relied_on: relied_on.contains(&statement),
    };
    ordered.map(entry).collect()
}
