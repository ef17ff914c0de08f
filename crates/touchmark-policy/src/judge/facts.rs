//! The changed paths, with the classes and rules each one meets.

use std::collections::BTreeSet;

use touchmark_statement::file_mode::FileMode;
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::TreeEntry;
use touchmark_verify::lineage::{AccountedPath, Lineage, PathClass};

use crate::classes::POLICY_CLASS;
use crate::file::{Policy, Rule, Undeclared};
use crate::globs::{Glob, Subject};

/// One path of the change.
#[derive(Debug)]
pub(super) struct PathFact<'l, 'p> {
    pub(super) path: &'l RepoPath,
    /// Whether base and result really differ here; evidence may name paths where they do not.
    pub(super) changes: bool,
    pub(super) class: PathClass,
    /// Why nothing accounts for it.
    pub(super) residual: Option<&'static str>,
    pub(super) undeclared: bool,
    pub(super) classes: Vec<&'p str>,
    pub(super) rules: Vec<usize>,
    /// Positions of the agent changes that touch it.
    pub(super) by: &'l [usize],
}

impl PathFact<'_, '_> {
    /// Returns whether the path belongs to the policy itself.
    pub(super) fn is_policy(&self) -> bool {
        self.changes && self.classes.contains(&POLICY_CLASS)
    }
}

/// Collects the facts, in the order of the paths.
pub(super) fn collect<'l, 'p>(lineage: &'l Lineage, policy: &'p Policy) -> Vec<PathFact<'l, 'p>> {
    let relied_on: BTreeSet<usize> = lineage.relied_on().map(|change| change.statement).collect();
    let undeclared: BTreeSet<&RepoPath> = lineage
        .findings()
        .iter()
        .filter(|finding| relied_on.contains(&finding.statement()))
        .filter_map(|finding| finding.path())
        .collect();
    lineage
        .paths()
        .iter()
        .map(|path| fact(path, undeclared.contains(&path.path), policy))
        .collect()
}

fn fact<'l, 'p>(path: &'l AccountedPath, undeclared: bool, policy: &'p Policy) -> PathFact<'l, 'p> {
    let matcher = Matcher::new(&path.path, path.from.as_ref(), path.to.as_ref());
    let classes: Vec<&str> = policy
        .classes
        .iter()
        .filter(|class| matcher.is_protected_by(&class.paths))
        .map(|class| class.id.as_str())
        .collect();
    let meets = |rule: &Rule| {
        rule.classes.iter().any(|class| classes.contains(&class.as_str()))
            || matcher.is_protected_by(&rule.paths)
    };
    let rules = policy
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| meets(rule))
        .map(|(i, _)| i)
        .collect();
    let residual = match path.class {
        PathClass::Residual(kind) => Some(kind.as_str()),
        _ if undeclared && policy.merge.undeclared == Undeclared::Residual => Some("undeclared"),
        PathClass::Exact | PathClass::Replayed { .. } => None,
        // A class that this crate does not know accounts for nothing.
        _ => Some("unknown"),
    };
    PathFact {
        path: &path.path,
        changes: path.from != path.to,
        class: path.class,
        residual,
        undeclared,
        classes,
        rules,
        by: &path.by,
    }
}

/// A path ready to be matched, and whether it could stand in for a folder.
#[derive(Debug)]
pub(super) struct Matcher {
    subject: Subject,
    indirect: bool,
}

impl Matcher {
    pub(super) fn new(path: &RepoPath, from: Option<&TreeEntry>, to: Option<&TreeEntry>) -> Matcher {
        let link = |entry: &TreeEntry| matches!(entry.mode, FileMode::Symlink | FileMode::Gitlink);
        let indirect = from.is_some_and(link) || to.is_some_and(link);
        Matcher {
            subject: Subject::new(path.as_bytes()),
            indirect,
        }
    }

    pub(super) fn is_protected_by(&self, globs: &[Glob]) -> bool {
        globs.iter().any(|glob| {
            glob.protects(&self.subject) || (self.indirect && glob.protects_through(&self.subject))
        })
    }
}
