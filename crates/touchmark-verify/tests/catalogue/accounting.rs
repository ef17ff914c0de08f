//! Who accounts for each path: exact, replayed or residual.

use serde_json::{Value, json};
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::lineage::{ChangeUnderJudgement, Lineage, PathClass};

use crate::case::*;
use crate::repository::*;

#[test]
fn a_chain_from_base_to_result_is_exact() {
    let mut case = case();
    let statements = case.each();
    let lineage = case.lineage(&statements);
    assert_eq!(set_aside(&lineage), []);
    assert!(lineage.is_accounted() && lineage.missing().is_empty() && lineage.findings().is_empty());
    assert_eq!(
        lineage
            .relied_on()
            .map(|change| change.statement)
            .collect::<Vec<_>>(),
        [0, 1, 2]
    );
    let paths = ["src/a", "src/b", "src/c", "src/new"].map(|path| (path.to_owned(), PathClass::Exact));
    assert_eq!(classes(&lineage), paths);
    let by: Vec<&[usize]> = lineage.paths().iter().map(|path| &*path.by).collect();
    assert_eq!(by, [&[0][..], &[1], &[2], &[2]]);
    // The order in which evidence is found does not matter.
    let statements: Vec<Value> = statements.into_iter().rev().collect();
    let lineage = case.lineage(&statements);
    assert_eq!(classes(&lineage), paths);
    assert_eq!(
        lineage
            .relied_on()
            .map(|change| change.statement)
            .collect::<Vec<_>>(),
        [2, 1, 0]
    );
}

#[test]
fn one_statement_may_cover_all_commits() {
    let mut case = case();
    let whole = case
        .git
        .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
    let lineage = case.lineage(&[whole]);
    assert!(lineage.is_accounted() && lineage.missing().is_empty());
    assert!(lineage.paths().iter().all(|path| path.class == PathClass::Exact));
}

#[test]
fn uncommitted_trees_on_the_way_are_walked() {
    let mut case = case();
    let base = case.git.tree_of(&case.base);
    let midway = case.git.tree(&files(&[
        ("README", "v1"),
        ("src/a", "half"),
        ("src/b", "b0"),
        ("src/c", "c0"),
    ]));
    let first = case.git.tree_of(&case.commits[0]);
    let mut statements = case.each();
    statements[0] = case.git.attest_trees(&base, &midway);
    statements.push(case.git.attest_trees(&midway, &first));
    let lineage = case.lineage(&statements);
    assert_eq!(set_aside(&lineage), []);
    assert!(
        lineage.paths().iter().all(|path| path.class == PathClass::Exact),
        "{:?}",
        classes(&lineage)
    );
    assert_eq!(
        lineage
            .relied_on()
            .map(|change| change.statement)
            .collect::<Vec<_>>(),
        [0, 3, 1, 2]
    );
    assert!(lineage.missing().is_empty());
}

#[test]
fn what_the_result_leaves_out_adds_or_edits_is_residual() {
    let mut case = case();
    let statements = case.each();
    let lands = |case: &mut Case, content: &[(&str, &str)]| {
        let squash = case.git.commit_files(&[&case.base], &files(content));
        let mut change = case.git.change(&case.base, &[&squash]);
        change.pull_request_commits = case.commits.clone();
        let lineage = case.lineage_of(&change, &statements);
        let classes = classes(&lineage);
        classes
            .into_iter()
            .filter(|(_, class)| matches!(class, PathClass::Residual(_)))
            .collect::<Vec<_>>()
    };
    let full = [
        ("README", "v1"),
        ("src/a", "a1"),
        ("src/b", "b1"),
        ("src/new", "+xn"),
    ];
    assert_eq!(lands(&mut case, &full), []);
    let part = [
        ("README", "v1"),
        ("src/a", "a1"),
        ("src/b", "b0"),
        ("src/new", "+xn"),
    ];
    assert_eq!(lands(&mut case, &part), [("src/b".to_owned(), OMITTED)]);
    let more = [
        ("README", "v1"),
        ("src/a", "a1"),
        ("src/b", "b1"),
        ("src/new", "+xn"),
        ("src/evil", "e"),
    ];
    assert_eq!(lands(&mut case, &more), [("src/evil".to_owned(), ADDED)]);
    let other = [
        ("README", "v1"),
        ("src/a", "a1"),
        ("src/b", "evil"),
        ("src/new", "+xn"),
    ];
    assert_eq!(lands(&mut case, &other), [("src/b".to_owned(), EDITED)]);
    // The mode alone, and a link in place of a file.
    let mode = [
        ("README", "v1"),
        ("src/a", "a1"),
        ("src/b", "b1"),
        ("src/new", "n"),
    ];
    assert_eq!(lands(&mut case, &mode), [("src/new".to_owned(), EDITED)]);
    let link = [
        ("README", "v1"),
        ("src/a", "->a1"),
        ("src/b", "b1"),
        ("src/new", "+xn"),
    ];
    assert_eq!(lands(&mut case, &link), [("src/a".to_owned(), EDITED)]);
}

#[test]
fn a_moved_base_replays_where_paths_are_apart_and_conflicts_where_they_meet() {
    let mut case = case();
    let statements = case.each();
    let moved = case.git.commit_files(
        &[&case.base],
        &files(&[
            ("README", "v2"),
            ("src/a", "a0"),
            ("src/b", "b0"),
            ("src/c", "c0"),
        ]),
    );
    let (ids, tips) = (case.commits.clone(), case.commits.last().unwrap().clone());
    let merge = case.git.commit_files(
        &[&moved, &tips],
        &files(&[
            ("README", "v2"),
            ("src/a", "a1"),
            ("src/b", "b1"),
            ("src/new", "+xn"),
        ]),
    );
    let commits: Vec<&GitCommitId> = ids.iter().chain([&merge]).collect();
    let change = case.git.change(&moved, &commits);
    let lineage = case.lineage_of(&change, &statements);
    assert!(
        lineage.is_accounted() && lineage.missing().is_empty(),
        "{:?} {:?}",
        classes(&lineage),
        lineage.missing()
    );
    assert!(lineage.paths().iter().all(|path| path.class == REPLAYED));
    // An evil merge: what it adds is its own, and named.
    let evil = case.git.commit_files(
        &[&moved, &tips],
        &files(&[
            ("README", "v2"),
            ("src/a", "evil"),
            ("src/b", "b1"),
            ("src/new", "+xn"),
        ]),
    );
    let commits: Vec<&GitCommitId> = ids.iter().chain([&evil]).collect();
    let change = case.git.change(&moved, &commits);
    let lineage = case.lineage_of(&change, &statements);
    assert_eq!(
        lineage.residual().map(|path| path.class).collect::<Vec<_>>(),
        [EDITED]
    );
    assert_eq!(lineage.missing().len(), 1);
    assert_eq!(
        (&lineage.missing()[0].commit, lineage.missing()[0].residual.len()),
        (&evil, 1)
    );
    // Both sides changed one path: whatever the merge made of it is residual.
    let moved = case.git.commit_files(
        &[&case.base],
        &files(&[
            ("README", "v1"),
            ("src/a", "theirs"),
            ("src/b", "b0"),
            ("src/c", "c0"),
        ]),
    );
    let merge = case.git.commit_files(
        &[&moved, &tips],
        &files(&[
            ("README", "v1"),
            ("src/a", "both"),
            ("src/b", "b1"),
            ("src/new", "+xn"),
        ]),
    );
    let commits: Vec<&GitCommitId> = ids.iter().chain([&merge]).collect();
    let change = case.git.change(&moved, &commits);
    let lineage = case.lineage_of(&change, &statements);
    assert_eq!(
        lineage.residual().map(|path| path.class).collect::<Vec<_>>(),
        [CONFLICT]
    );
    // `-s ours` drops the work: every path of it is omitted.
    let ours = case.git.commit_tree(&[&moved, &tips], &case.git.tree_of(&moved));
    let commits: Vec<&GitCommitId> = ids.iter().chain([&ours]).collect();
    let change = case.git.change(&moved, &commits);
    let lineage = case.lineage_of(&change, &statements);
    let dropped: Vec<_> = lineage.paths().iter().map(|path| path.class).collect();
    assert_eq!(dropped, [CONFLICT, OMITTED, OMITTED, OMITTED]);
}

#[test]
fn case_167_dropping_attested_work_is_residual_even_where_nothing_else_changes() {
    let mut case = case();
    let statements = case.each();
    let tips = case.commits.last().unwrap().clone();
    let ours = case
        .git
        .commit_tree(&[&case.base, &tips], &case.git.tree_of(&case.base));
    let ids = case.commits.clone();
    let commits: Vec<&GitCommitId> = ids.iter().chain([&ours]).collect();
    let change = case.git.change(&case.base, &commits);
    let lineage = case.lineage_of(&change, &statements);
    assert!(lineage.paths().iter().all(|path| path.class == OMITTED));
    assert_eq!(lineage.paths().len(), 4);
}

#[test]
fn undeclared_paths_and_attribution_are_findings() {
    let mut case = case();
    let mut statements = case.each();
    statements[0]["predicate"]["change"]["undeclared"] = json!(["src/a"]);
    statements[1]["predicate"]["change"]["paths"][0]["attribution"] = json!("mixed");
    statements[2]["predicate"]["change"]["dirty"] = json!(true);
    let lineage = case.lineage(&statements);
    let found: Vec<_> = lineage
        .findings()
        .iter()
        .map(|finding| (finding.statement(), finding.code()))
        .collect();
    assert_eq!(
        found,
        [
            (0, "lineage.undeclared"),
            (1, "lineage.attribution"),
            (2, "lineage.dirty")
        ]
    );
    assert!(lineage.is_accounted());
}

#[test]
fn the_verifier_s_own_list_of_commits_must_hang_together() {
    let case = case();
    let code = |edit: fn(&mut ChangeUnderJudgement)| {
        let mut change = case.question();
        edit(&mut change);
        Lineage::build(&change, &[], &[], &case.git).map_or_else(|error| error.code(), |_| "ok")
    };
    assert_eq!(code(|_| {}), "ok");
    assert_eq!(code(|change| change.commits.reverse()), "lineage.commit_order");
    assert_eq!(
        code(|change| change.commits.push(change.commits[0].clone())),
        "lineage.commit_order"
    );
    assert_eq!(code(|change| _ = change.commits.pop()), "lineage.commit_order");
    assert_eq!(
        code(|change| change.commits.insert(0, change.base_commit.clone())),
        "lineage.commit_order"
    );
    assert_eq!(
        code(|change| change.commits[0] = "9".repeat(40).parse().unwrap()),
        "git.object_missing"
    );
    let landed = |change: &mut ChangeUnderJudgement| {
        change.landed = true;
        change.result_tree = change.base_tree.clone();
    };
    assert_eq!(code(landed), "lineage.tree_mismatch");
    let many = |change: &mut ChangeUnderJudgement| change.commits = vec![change.head_commit.clone(); 100_001];
    assert_eq!(code(many), "lineage.too_many_commits");
}
