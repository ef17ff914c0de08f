//! What reviews bind to, and how they are carried.

use serde_json::{Value, json};
use touchmark_statement::git_id::GitCommitId;
use touchmark_verify::git_view::GitView as _;
use touchmark_verify::lineage::{ChangeUnderJudgement, Lineage};
use touchmark_verify::verified::VerifiedStatement;

use crate::case::*;
use crate::repository::*;

fn review(case: &Case, change: &ChangeUnderJudgement, shown: &[VerifiedStatement]) -> Value {
    let tree = change.result_tree.to_string();
    let head = case.git.commit(&change.head_commit).unwrap();
    let evidence: Vec<Value> = shown
        .iter()
        .map(|shown| json!({"sha256": shown.payload_digest().to_string()}))
        .collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "tree", "digest": {"gitTree": tree, "sha256": case.git.tree_digest(&change.result_tree).unwrap().to_string()}},
            {"name": "head", "digest": {"gitCommit": change.head_commit.to_string(), "sha256": head.content_sha256.to_string()}},
        ],
        "predicateType": "https://touchmark.dev/review/v1",
        "predicate": {
            "decision": "approved",
            "about": "change",
            "change": {
                "repository": {"uri": URI},
                "targetRef": change.target_ref,
                "baseTree": change.base_tree.to_string(),
                "resultTree": tree,
                "head": change.head_commit.to_string(),
            },
            "scope": {"whole": true},
            "evidence": evidence,
            "shown": {"sha256": "a".repeat(64)},
            "method": "cli",
        },
    })
}

#[test]
fn a_review_binds_by_every_field_and_names_what_was_shown() {
    let mut case = case();
    let statements = case.each();
    let agent_changes = case.verified(&statements);
    let change = case.question();
    let good = review(&case, &change, &agent_changes[..2]);
    let bind = |case: &mut Case, statement: &Value| {
        let review = case.world.verified(statement);
        Lineage::build(&change, &agent_changes, &[review], &case.git)
            .unwrap()
            .reviews()[0]
            .clone()
    };
    let bound = bind(&mut case, &good);
    assert!(bound.binding.unwrap().is_exact());
    assert_eq!((bound.shown, bound.not_shown), (vec![0, 1], vec![2]));
    assert_eq!(bound.carried, None);
    let other = "9".repeat(40);
    for field in ["targetRef", "baseTree", "repository", "sha256"] {
        let mut broken = good.clone();
        match field {
            "targetRef" => broken["predicate"]["change"][field] = json!("refs/heads/release"),
            "repository" => {
                broken["predicate"]["change"][field]["uri"] = json!("https://github.com/mallory/app")
            }
            "sha256" => broken["subject"][0]["digest"]["sha256"] = json!("0".repeat(64)),
            _ => broken["predicate"]["change"][field] = json!(other),
        }
        assert!(!bind(&mut case, &broken).binding.unwrap().is_exact(), "{field}");
    }
    // The reviewed tree and head with their subjects, consistently of another commit.
    let earlier = case.git.change(&case.base, &[&case.commits[0], &case.commits[1]]);
    let stale = review(&case, &earlier, &agent_changes);
    let binding = bind(&mut case, &stale).binding.unwrap();
    assert!(!binding.result_tree && !binding.head && binding.base_tree && binding.subjects);
}

#[test]
fn an_approval_is_carried_where_the_base_moved_elsewhere() {
    let mut case = case();
    let statements = case.each();
    let agent_changes = case.verified(&statements);
    let approval = review(&case, &case.question(), &agent_changes);
    let approval = case.world.verified(&approval);
    let moved = case.git.commit_files(
        &[&case.base],
        &files(&[
            ("README", "v2"),
            ("src/a", "a0"),
            ("src/b", "b0"),
            ("src/c", "c0"),
        ]),
    );
    let tips = case.commits.last().unwrap().clone();
    let merged = |case: &mut Case, a: &str| {
        let tree = files(&[
            ("README", "v2"),
            ("src/a", a),
            ("src/b", "b1"),
            ("src/new", "+xn"),
        ]);
        let merge = case.git.commit_files(&[&moved, &tips], &tree);
        let ids = case.commits.clone();
        let commits: Vec<&GitCommitId> = ids.iter().chain([&merge]).collect();
        let change = case.git.change(&moved, &commits);
        let lineage = Lineage::build(
            &change,
            &agent_changes,
            std::slice::from_ref(&approval),
            &case.git,
        )
        .unwrap();
        lineage.reviews()[0].carried.clone().unwrap()
    };
    let carried = merged(&mut case, "a1");
    assert_eq!(carried.touched.len(), 4);
    assert!(carried.base_differs.is_empty() && carried.result_differs.is_empty());
    let carried = merged(&mut case, "evil");
    assert_eq!(
        carried
            .result_differs
            .iter()
            .map(|path| path.to_string_lossy())
            .collect::<Vec<_>>(),
        ["src/a"]
    );
}
