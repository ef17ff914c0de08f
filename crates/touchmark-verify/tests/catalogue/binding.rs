//! Catalogue: what binds a statement to this repository and change.

use serde_json::{Value, json};

use crate::case::*;

#[test]
fn case_134_and_case_139_digests_that_do_not_belong_together() {
    let mut case = case();
    let whole = case
        .git
        .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
    for subject in [0, 1] {
        let mut statement = whole.clone();
        statement["subject"][subject]["digest"]["sha256"] = json!("f".repeat(64));
        assert_eq!(
            set_aside(&case.lineage(&[statement])),
            [(0, "binding.digest_mismatch")],
            "{subject}"
        );
    }
    // An id of the other hash function, consistently.
    let mut statement = whole.clone();
    let id = "ab".repeat(32);
    statement["subject"][0]["digest"]["gitCommit"] = json!(id);
    statement["predicate"]["change"]["proposed"]["gitCommit"] = json!(id);
    assert_eq!(
        set_aside(&case.lineage(&[statement])),
        [(0, "binding.object_format")]
    );
    let mut statement = whole;
    let id = "ab".repeat(32);
    statement["predicate"]["change"]["base"]["gitTree"] = json!(id);
    assert_eq!(
        set_aside(&case.lineage(&[statement])),
        [(0, "binding.object_format")]
    );
}

#[test]
fn case_136_a_match_in_the_second_subject_is_named() {
    let mut case = case();
    let mut whole = case
        .git
        .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
    let report = json!({"name": "report.txt", "digest": {"sha256": "a".repeat(64)}});
    whole["subject"].as_array_mut().unwrap().insert(0, report);
    let lineage = case.lineage(&[whole]);
    assert!(lineage.is_accounted());
    assert_eq!(lineage.changes()[0].subjects, [1, 2]);
}

#[test]
fn case_147_another_repository_with_the_same_commits() {
    let mut case = case();
    for uri in [
        "https://github.com/mallory/app",
        "urn:touchmark:root:0000000000000000000000000000000000000000",
    ] {
        let mut whole = case
            .git
            .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
        whole["predicate"]["change"]["repository"]["uri"] = json!(uri);
        let lineage = case.lineage(&[whole]);
        assert_eq!(set_aside(&lineage), [(0, "binding.repository_mismatch")]);
        assert!(!lineage.is_accounted());
    }
    let mut whole = case
        .git
        .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
    whole["predicate"]["change"]["repository"]["uri"] = json!(format!("urn:touchmark:root:{}", case.base));
    assert!(case.lineage(&[whole]).is_accounted());
}

#[test]
fn path_rows_must_be_what_git_computes() {
    let mut case = case();
    let whole = case
        .git
        .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
    let change = |edit: fn(&mut Vec<Value>)| {
        let mut statement = whole.clone();
        edit(statement["predicate"]["change"]["paths"].as_array_mut().unwrap());
        statement
    };
    let variants = [
        ("one row missing", change(|rows| _ = rows.remove(0))),
        ("last row missing", change(|rows| _ = rows.pop())),
        ("no rows", change(Vec::clear)),
        (
            "a row more",
            change(|rows| {
                let mut extra = rows[0].clone();
                extra["path"] = json!("src/zzz");
                rows.push(extra);
            }),
        ),
        ("another path", change(|rows| rows[0]["path"] = json!("src/aa"))),
        (
            "another sha256",
            change(|rows| rows[0]["to"]["sha256"] = json!("0".repeat(64))),
        ),
        ("another size", change(|rows| rows[0]["to"]["size"] = json!(3))),
        (
            "another blob",
            change(|rows| rows[0]["to"]["gitBlob"] = json!("9".repeat(40))),
        ),
        (
            "another old blob",
            change(|rows| rows[0]["from"]["gitBlob"] = json!("9".repeat(40))),
        ),
        (
            "another mode",
            change(|rows| rows[3]["to"]["mode"] = json!("100644")),
        ),
        (
            "another old mode",
            change(|rows| rows[2]["from"]["mode"] = json!("100755")),
        ),
        (
            "added instead of modified",
            change(|rows| {
                rows[0].as_object_mut().unwrap().remove("from");
                rows[0]["status"] = json!("added");
            }),
        ),
    ];
    for (name, statement) in variants {
        let lineage = case.lineage(&[statement]);
        assert_eq!(set_aside(&lineage), [(0, "binding.paths_mismatch")], "{name}");
    }
    // The order of the rows carries no meaning.
    assert!(case.lineage(&[change(|rows| rows.reverse())]).is_accounted());
    let mut elsewhere = whole.clone();
    let change = elsewhere["predicate"]["change"].as_object_mut().unwrap();
    change.remove("paths");
    change.insert(
        "pathsTree".to_owned(),
        json!({"count": 4, "root": "0".repeat(64)}),
    );
    assert_eq!(
        set_aside(&case.lineage(&[elsewhere])),
        [(0, "binding.paths_tree_unsupported")]
    );
}

#[test]
fn endpoints_must_have_the_trees_that_are_stated() {
    let mut case = case();
    let mut whole = case
        .git
        .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
    whole["predicate"]["change"]["base"]["gitTree"] = json!(case.git.tree_of(&case.commits[0]).to_string());
    assert_eq!(set_aside(&case.lineage(&[whole])), [(0, "binding.tree_mismatch")]);
    let mut whole = case
        .git
        .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
    whole["predicate"]["change"]["base"]["gitCommit"] = json!("9".repeat(40));
    assert_eq!(
        set_aside(&case.lineage(&[whole])),
        [(0, "binding.object_unreadable")]
    );
    let whole = case
        .git
        .attest(&case.base, &case.commits.iter().collect::<Vec<_>>());
    let mut review = whole.clone();
    review["predicateType"] = json!("https://example.com/other/v1");
    assert_eq!(
        set_aside(&case.lineage(&[review])),
        [(0, "binding.not_agent_change")]
    );
}
