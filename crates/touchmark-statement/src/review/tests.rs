//! Rules of a review, one defect at a time.

use serde_json::{Value, json};

use super::*;
use crate::predicate::REVIEW_V1;
use crate::samples::*;

fn refused(review: Value) -> &'static str {
    code(&statement_json(REVIEW_V1, review))
}

#[test]
fn a_review_is_about_a_change_or_a_deployment() {
    let deploy = deploy_review_json()["deploy"].clone();
    let cases = [
        changed(review_json(), "/deploy", deploy.clone()),
        without(review_json(), "/change"),
        changed(review_json(), "/about", json!("deploy")),
        changed(deploy_review_json(), "/about", json!("change")),
        without(deploy_review_json(), "/deploy"),
        changed(without(review_json(), "/change"), "/deploy", deploy),
    ];
    for review in cases {
        assert_eq!(refused(review.clone()), "review.change_or_deploy", "{review}");
    }
}

#[test]
fn case_145_every_binding_field_must_be_there() {
    for pointer in [
        "/decision",
        "/about",
        "/scope",
        "/evidence",
        "/shown",
        "/method",
        "/scope/whole",
        "/change/repository",
        "/change/targetRef",
        "/change/baseTree",
        "/change/resultTree",
        "/change/head",
        "/forge/id",
        "/forge/login",
        "/forge/uri",
    ] {
        assert_eq!(
            refused(without(review_json(), pointer)),
            "json.shape",
            "{pointer}"
        );
    }
    for pointer in ["/deploy/artifact", "/deploy/environment"] {
        assert_eq!(
            refused(without(deploy_review_json(), pointer)),
            "json.shape",
            "{pointer}"
        );
    }
}

#[test]
fn case_20_unknown_decisions_are_refused() {
    for (field, words) in [
        ("decision", ["Approved", "approve", "yes"]),
        ("about", ["Change", "merge", "x"]),
        ("method", ["CLI", "api", "x"]),
    ] {
        for word in words {
            assert_eq!(
                refused(changed(review_json(), &format!("/{field}"), json!(word))),
                "json.shape",
                "{word}"
            );
        }
    }
}

#[test]
fn a_scope_is_the_whole_or_some_paths() {
    for scope in [
        json!({"whole": true, "paths": ["a"]}),
        json!({"whole": false}),
        json!({"whole": false, "paths": []}),
        json!({"whole": true, "paths": []}),
    ] {
        assert_eq!(
            refused(changed(review_json(), "/scope", scope.clone())),
            "review.scope",
            "{scope}"
        );
    }
    let globs = json!({"whole": false, "paths": vec!["a"; 1_025]});
    assert_eq!(
        refused(changed(review_json(), "/scope", globs)),
        "predicate.too_many"
    );
    assert_eq!(
        refused(changed(review_json(), "/scope/paths/0", json!(""))),
        "json.empty_text"
    );
}

#[test]
fn digests_and_names_identify_something() {
    for pointer in ["/evidence/0", "/shown", "/supersedes"] {
        assert_eq!(
            refused(changed(review_json(), pointer, json!({}))),
            "predicate.empty",
            "{pointer}"
        );
        let weak = json!({"sha1": BLOB});
        assert_eq!(
            refused(changed(review_json(), pointer, weak)),
            "predicate.weak_digest",
            "{pointer}"
        );
    }
    let weak = changed(
        deploy_review_json(),
        "/deploy/artifact",
        json!({"md5": "0".repeat(32)}),
    );
    assert_eq!(refused(weak), "predicate.weak_digest");
    assert_eq!(
        refused(changed(review_json(), "/change/targetRef", json!("main"))),
        "change.ref_name"
    );
    let uri = json!("https://t@example.org");
    assert_eq!(
        refused(changed(review_json(), "/change/repository/uri", uri)),
        "repository.uri"
    );
    assert_eq!(
        refused(changed(
            review_json(),
            "/evidence",
            json!(vec![json!({"sha256": SHA}); 1_025])
        )),
        "predicate.too_many"
    );
}

#[test]
fn a_forge_review_says_where() {
    assert_eq!(refused(without(review_json(), "/forge")), "review.forge");
    assert_eq!(
        refused(changed(review_json(), "/method", json!("cli"))),
        "review.forge"
    );
    assert_eq!(review().method, ReviewMethod::Forge);
}
