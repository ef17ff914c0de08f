//! Catalogue: chain across commits and within a session.

use serde_json::{Value, json};
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::git_view::GitView as _;
use touchmark_verify::lineage::{Finding, Lineage};

use crate::case::*;
use crate::repository::*;
use crate::support::*;

#[test]
fn case_176_one_commit_without_a_statement() {
    let mut case = case();
    let mut statements = case.each();
    statements.remove(1);
    let lineage = case.lineage(&statements);
    let missing: Vec<_> = lineage
        .missing()
        .iter()
        .map(|missing| (&missing.commit, missing.residual.len()))
        .collect();
    assert_eq!(missing, [(&case.commits[1], 1)]);
    let [a, b, c, new] = ["src/a", "src/b", "src/c", "src/new"].map(str::to_owned);
    assert_eq!(
        classes(&lineage),
        [(a, REPLAYED), (b, ADDED), (c, REPLAYED), (new, REPLAYED)]
    );
    assert!(!lineage.is_accounted());
    // No statement at all.
    let lineage = case.lineage(&[]);
    assert_eq!(lineage.missing().len(), 3);
    assert!(lineage.paths().iter().all(|path| path.class == ADDED));
}

#[test]
fn case_174_a_statement_about_another_commit() {
    let mut case = case();
    let other = case
        .git
        .commit_files(&[&case.base], &files(&[("README", "v1"), ("src/a", "evil")]));
    let mut statements = case.each();
    statements[2] = case.git.attest(&case.base, &[&other]);
    let lineage = case.lineage(&statements);
    assert_eq!(set_aside(&lineage), [(2, "binding.not_in_range")]);
    assert_eq!(lineage.missing().len(), 1);
}

#[test]
fn case_177_a_base_that_the_change_chose() {
    let mut case = case();
    // The statement begins at an unattested commit of the attacker and is silent about what came before.
    let tail = case.git.attest(&case.commits[1], &[&case.commits[2]]);
    let lineage = case.lineage(&[tail]);
    assert_eq!(lineage.missing().len(), 2);
    let residual: Vec<_> = lineage
        .residual()
        .map(|path| path.path.to_string_lossy().into_owned())
        .collect();
    assert_eq!(residual, ["src/a", "src/b"]);
    // The verifier's own base must be what it says it is.
    let mut change = case.question();
    change.base_tree = case.git.tree_of(&case.commits[1]);
    let refused = Lineage::build(&change, &[], &[], &case.git).unwrap_err();
    assert_eq!(refused.code(), "lineage.tree_mismatch");
}

#[test]
fn case_179_a_cherry_pick_has_another_tree() {
    let mut case = case();
    let statement = case.git.attest(&case.base, &[&case.commits[0]]);
    // The same patch on another base: same rows, other commit, other tree.
    let main = case.git.commit_files(
        &[&case.base],
        &files(&[
            ("README", "v2"),
            ("src/a", "a0"),
            ("src/b", "b0"),
            ("src/c", "c0"),
        ]),
    );
    let picked = case.git.commit_files(
        &[&main],
        &files(&[
            ("README", "v2"),
            ("src/a", "a1"),
            ("src/b", "b0"),
            ("src/c", "c0"),
        ]),
    );
    let change = case.git.change(&main, &[&picked]);
    let lineage = case.lineage_of(&change, &[statement]);
    assert_eq!(set_aside(&lineage), [(0, "binding.not_in_range")]);
    assert_eq!(
        lineage
            .missing()
            .iter()
            .map(|missing| &missing.commit)
            .collect::<Vec<_>>(),
        [&picked]
    );
    assert_eq!(classes(&lineage), [("src/a".to_owned(), ADDED)]);
}

#[test]
fn case_180_commits_that_skip_fork_or_repeat() {
    let mut case = case();
    let ids: Vec<&GitCommitId> = case.commits.iter().collect();
    let fork = case.git.commit_files(&[&case.base], &files(&[("src/fork", "x")]));
    let whole = case
        .git
        .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
    let row = |id: &GitCommitId| {
        let commit = case.git.commit(id).unwrap();
        let parents: Vec<String> = commit.parents.iter().map(ToString::to_string).collect();
        json!({"gitCommit": id.to_string(), "gitTree": commit.tree.to_string(), "parents": parents})
    };
    let broken = [
        ("skips one", vec![row(ids[0]), row(ids[2])]),
        ("skips the first", vec![row(ids[1]), row(ids[2])]),
        ("forks", vec![row(ids[0]), row(&fork), row(ids[1]), row(ids[2])]),
        (
            "repeats",
            vec![row(ids[0]), row(ids[0]), row(ids[1]), row(ids[2])],
        ),
        ("out of order", vec![row(ids[1]), row(ids[0]), row(ids[2])]),
        ("stops early", vec![row(ids[0]), row(ids[1])]),
        ("empty", vec![]),
    ];
    let mut variants: Vec<(&str, Value)> = broken
        .into_iter()
        .map(|(name, rows)| {
            let mut statement = whole.clone();
            statement["predicate"]["change"]["commits"] = json!(rows);
            (name, statement)
        })
        .collect();
    let mut cycle = whole.clone();
    cycle["predicate"]["change"]["commits"][0]["parents"] = json!([ids[2].to_string()]);
    variants.push(("cycle", cycle));
    let mut tree = whole.clone();
    tree["predicate"]["change"]["commits"][1]["gitTree"] = json!(case.git.tree_of(ids[0]).to_string());
    variants.push(("other tree", tree));
    for (name, statement) in variants {
        let lineage = case.lineage(&[statement]);
        assert_eq!(set_aside(&lineage), [(0, "binding.commits_mismatch")], "{name}");
        assert!(!lineage.is_accounted(), "{name}");
    }
}

/// Gives the statements of a case their places in one session.
fn in_session(statements: &mut [Value]) {
    let mut previous = None::<String>;
    for (sequence, statement) in statements.iter_mut().enumerate() {
        statement["predicate"]["run"] = json!({"chain": "0".repeat(32), "sequence": sequence});
        if let Some(previous) = &previous {
            statement["predicate"]["run"]["previous"] = json!({"sha256": previous});
        }
        previous = Some(touchmark_statement::digest::Sha256Digest::of(&bytes(statement)).to_string());
    }
}

#[test]
fn case_180_sessions_that_skip_or_fork() {
    let mut case = case();
    let mut statements = case.each();
    in_session(&mut statements);
    let lineage = case.lineage(&statements);
    assert_eq!(set_aside(&lineage), []);
    assert!(lineage.is_accounted() && lineage.findings().is_empty());
    // The last one names the first as its predecessor, leaving one out.
    let mut skips = statements.clone();
    skips[2]["predicate"]["run"]["previous"] = skips[1]["predicate"]["run"]["previous"].clone();
    assert_eq!(set_aside(&case.lineage(&skips)), [(2, "session.skipped")]);
    // It names the right one, from another place.
    let mut moved = statements.clone();
    moved[2]["predicate"]["run"]["sequence"] = json!(5);
    assert_eq!(set_aside(&case.lineage(&moved)), [(2, "session.skipped")]);
    // It names a statement of another session.
    let mut foreign = statements.clone();
    foreign[2]["predicate"]["run"]["chain"] = json!("1".repeat(32));
    assert_eq!(set_aside(&case.lineage(&foreign)), [(2, "session.skipped")]);
    // Two with one place and different work.
    let mut fork = statements.clone();
    fork[2]["predicate"]["run"]["sequence"] = json!(1);
    assert_eq!(
        set_aside(&case.lineage(&fork)),
        [(1, "session.forked"), (2, "session.forked")]
    );
    // The predecessor is not at hand: a finding, since it may be about something else.
    let gap = [statements[0].clone(), statements[2].clone()];
    let lineage = case.lineage(&gap);
    assert_eq!(set_aside(&lineage), []);
    assert_eq!(lineage.findings(), [Finding::SessionGap { statement: 1 }]);
    // The same said twice is one thing said twice.
    let mut again = statements.clone();
    again.push(statements[0].clone());
    again[3]["predicate"]["task"] = json!({"uri": "https://example.com/1"});
    again.push(statements[1].clone());
    assert_eq!(set_aside(&case.lineage(&again)), [(4, "binding.duplicate")]);
}

#[test]
fn case_184_history_rewritten_after_verification() {
    let mut case = case();
    let statements = case.each();
    // The same trees under new commits: judged again, and still explained by their trees.
    let mut parent = case.base.clone();
    let mut rewritten = Vec::new();
    for commit in &case.commits {
        let tree = case.git.tree_of(commit);
        parent = case.git.commit_tree(&[&parent], &tree);
        rewritten.push(parent.clone());
    }
    let change = case.git.change(&case.base, &rewritten.iter().collect::<Vec<_>>());
    let lineage = case.lineage_of(&change, &statements);
    assert!(
        lineage.is_accounted() && lineage.missing().is_empty(),
        "{:?}",
        set_aside(&lineage)
    );
    // The old commits are gone as well: the trees bind, and the report says what could not be compared.
    for commit in &case.commits.clone() {
        case.git.forget_commit(commit);
    }
    let lineage = case.lineage_of(&change, &statements);
    assert!(lineage.is_accounted(), "{:?}", set_aside(&lineage));
    assert_eq!(
        lineage.findings().iter().map(Finding::code).collect::<Vec<_>>(),
        ["lineage.commit_not_at_hand"; 3]
    );
    // One byte more in the rewritten history, and it is not accounted for.
    let evil = case.git.commit_files(
        &[&rewritten[1]],
        &files(&[
            ("README", "v1"),
            ("src/a", "a1"),
            ("src/b", "evil"),
            ("src/new", "+xn"),
        ]),
    );
    let change = case
        .git
        .change(&case.base, &[&rewritten[0], &rewritten[1], &evil]);
    let lineage = case.lineage_of(&change, &statements);
    assert!(!lineage.is_accounted());
    assert_eq!(
        lineage
            .missing()
            .iter()
            .map(|missing| &missing.commit)
            .collect::<Vec<_>>(),
        [&evil]
    );
}
