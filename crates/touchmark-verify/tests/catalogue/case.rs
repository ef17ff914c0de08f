//! A repository with a base commit and a session's three commits, and the lineage of statements about them.

use serde_json::Value;
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::lineage::{ChangeUnderJudgement, Lineage, PathClass, REPLAY_STRATEGY, ResidualKind};
use touchmark_verify::verified::VerifiedStatement;

use crate::repository::*;
use crate::support::*;

/// A repository with a base commit, and what a session left in it: three commits on one file each.
pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) git: MemoryGit,
    pub(crate) base: GitCommitId,
    pub(crate) commits: Vec<GitCommitId>,
}

pub(crate) fn case() -> Case {
    let mut git = MemoryGit::default();
    let base = git.commit_files(
        &[],
        &files(&[
            ("README", "v1"),
            ("src/a", "a0"),
            ("src/b", "b0"),
            ("src/c", "c0"),
        ]),
    );
    let one = git.commit_files(
        &[&base],
        &files(&[
            ("README", "v1"),
            ("src/a", "a1"),
            ("src/b", "b0"),
            ("src/c", "c0"),
        ]),
    );
    let two = git.commit_files(
        &[&one],
        &files(&[
            ("README", "v1"),
            ("src/a", "a1"),
            ("src/b", "b1"),
            ("src/c", "c0"),
        ]),
    );
    let three = git.commit_files(
        &[&two],
        &files(&[
            ("README", "v1"),
            ("src/a", "a1"),
            ("src/b", "b1"),
            ("src/new", "+xn"),
        ]),
    );
    Case {
        world: World::new(),
        git,
        base,
        commits: vec![one, two, three],
    }
}

impl Case {
    pub(crate) fn verified(&mut self, statements: &[Value]) -> Vec<VerifiedStatement> {
        statements
            .iter()
            .map(|statement| self.world.verified(statement))
            .collect()
    }

    /// One statement for each commit.
    pub(crate) fn each(&self) -> Vec<Value> {
        let before = std::iter::once(&self.base).chain(&self.commits);
        before
            .zip(&self.commits)
            .map(|(base, commit)| self.git.attest(base, &[commit]))
            .collect()
    }

    pub(crate) fn question(&self) -> ChangeUnderJudgement {
        self.git
            .change(&self.base, &self.commits.iter().collect::<Vec<_>>())
    }

    pub(crate) fn lineage(&mut self, statements: &[Value]) -> Lineage {
        let change = self.question();
        self.lineage_of(&change, statements)
    }

    pub(crate) fn lineage_of(&mut self, change: &ChangeUnderJudgement, statements: &[Value]) -> Lineage {
        let verified = self.verified(statements);
        Lineage::build(change, &verified, &[], &self.git).unwrap()
    }
}

pub(crate) fn classes(lineage: &Lineage) -> Vec<(String, PathClass)> {
    lineage
        .paths()
        .iter()
        .map(|path| (path.path.to_string_lossy().into_owned(), path.class))
        .collect()
}

pub(crate) fn set_aside(lineage: &Lineage) -> Vec<(usize, &'static str)> {
    lineage
        .set_aside()
        .iter()
        .map(|aside| (aside.statement, aside.reason.code()))
        .collect()
}

pub(crate) const REPLAYED: PathClass = PathClass::Replayed {
    strategy: REPLAY_STRATEGY,
};
pub(crate) const ADDED: PathClass = PathClass::Residual(ResidualKind::Added);
pub(crate) const OMITTED: PathClass = PathClass::Residual(ResidualKind::Omitted);
pub(crate) const EDITED: PathClass = PathClass::Residual(ResidualKind::Edited);
pub(crate) const CONFLICT: PathClass = PathClass::Residual(ResidualKind::Conflict);
