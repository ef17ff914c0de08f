//! Catalogue: statement and predicate.

use serde_json::{Value, json};
use touchmark_statement::predicate::Predicate;

use crate::support::*;

/// Breaks one thing in a good statement before it is signed, and returns the code.
fn broken(change: impl FnOnce(&mut Value)) -> &'static str {
    let mut world = World::new();
    let mut payload = statement_value();
    change(&mut payload);
    let bundle = world.bundle(&bytes(&payload));
    world.code(&bundle)
}

#[test]
fn a_good_bundle_verifies_and_says_what_was_checked() {
    let mut world = World::new();
    let bundle = world.good();
    let verified = world.verify(&bundle).unwrap();
    assert_eq!(verified.signer().key(), Some(&world.signer.fingerprint()));
    assert_eq!(verified.log().unwrap().origin, world.log.origin);
    assert_eq!(verified.log().unwrap().index, 5);
    assert_eq!(verified.signed().raw(), statement());
    assert!(verified.verified_times().is_empty());
    let names: Vec<&str> = verified.checks().iter().map(|check| check.name).collect();
    assert_eq!(
        names,
        [
            "bundle.structure",
            "envelope.payload_type",
            "time.signed",
            "signer.expected",
            "signer.keyid",
            "signer.window",
            "envelope.signature",
            "tlog.window",
            "tlog.consistency",
            "tlog.witnesses",
            "tlog.binding",
            "tlog.checkpoint",
            "tlog.inclusion",
            "statement.form",
            "statement.subjects",
        ]
    );
}

#[test]
fn a_signature_over_something_that_is_no_statement_is_refused() {
    for (payload, expected) in [
        (&b"hello"[..], "json.malformed"),
        (b"{}", "json.shape"),
        (b"null", "json.shape"),
    ] {
        let mut world = World::new();
        let bundle = world.bundle(payload);
        assert_eq!(world.code(&bundle), expected);
    }
}

#[test]
fn case_132_no_subject_or_no_digest() {
    assert_eq!(broken(|value| value["subject"] = json!([])), "subject.none");
    assert_eq!(
        broken(|value| value["subject"][0]["digest"] = json!({})),
        "subject.no_digest"
    );
    assert_eq!(
        broken(|value| _ = value["subject"][0].as_object_mut().unwrap().remove("digest")),
        "subject.no_digest"
    );
    assert_eq!(
        broken(|value| _ = value.as_object_mut().unwrap().remove("subject")),
        "json.shape"
    );
}

#[test]
fn case_134_subjects_that_disagree_with_the_predicate() {
    let other = || json!("9".repeat(40));
    assert_eq!(
        broken(|value| value["subject"][0]["digest"]["gitCommit"] = other()),
        "statement.subject_mismatch"
    );
    assert_eq!(
        broken(|value| value["subject"][1]["digest"]["gitTree"] = other()),
        "statement.subject_mismatch"
    );
    assert_eq!(
        broken(|value| value["predicate"]["change"]["proposed"]["gitTree"] = other()),
        "statement.subject_mismatch"
    );
    assert_eq!(
        broken(|value| _ = value["subject"].as_array_mut().unwrap().remove(0)),
        "statement.subject_missing"
    );
    assert_eq!(
        broken(|value| _ = value["subject"].as_array_mut().unwrap().remove(1)),
        "statement.subject_missing"
    );
    assert_eq!(
        broken(|value| value["subject"][0]["digest"]["gitTree"] = other()),
        "statement.subject_mixed"
    );
    let without_commit = |value: &mut Value| {
        _ = value["predicate"]["change"]["proposed"]
            .as_object_mut()
            .unwrap()
            .remove("gitCommit");
    };
    assert_eq!(broken(without_commit), "statement.subject_mismatch");
}

#[test]
fn case_135_only_weak_or_unknown_digests() {
    for digest in [
        json!({"md5": "0".repeat(32)}),
        json!({"sha1": "0".repeat(40)}),
        json!({"whirlpool": "00"}),
    ] {
        assert_eq!(
            broken(|value| value["subject"][1]["digest"] = digest.clone()),
            "subject.weak_digest",
            "{digest}"
        );
    }
}

#[test]
fn case_136_a_match_in_a_later_subject_is_a_match() {
    let report = json!({"name": "report.txt", "digest": {"sha256": "a".repeat(64)}});
    assert_eq!(
        broken(|value| value["subject"].as_array_mut().unwrap().insert(0, report)),
        "ok"
    );
}

#[test]
fn case_137_too_many_subjects_or_digests() {
    let subject = json!({"name": "x", "digest": {"sha256": "a".repeat(64)}});
    let fill = |count: usize| {
        let subject = subject.clone();
        move |value: &mut Value| value["subject"].as_array_mut().unwrap().resize(count, subject)
    };
    assert_eq!(broken(fill(1_024)), "ok");
    assert_eq!(broken(fill(1_025)), "subject.too_many");
    let digests = |count: usize| {
        move |value: &mut Value| {
            for number in 0..count {
                value["subject"][0]["digest"][format!("future{number}")] = json!("00");
            }
        }
    };
    assert_eq!(broken(digests(30)), "ok");
    assert_eq!(broken(digests(31)), "digest.too_many");
}

#[test]
fn case_139_a_git_id_of_no_object_format() {
    for length in [39, 41, 63, 65] {
        let id = json!("a".repeat(length));
        assert_eq!(
            broken(|value| value["subject"][0]["digest"]["gitCommit"] = id.clone()),
            "digest.length"
        );
        assert_eq!(
            broken(|value| value["predicate"]["change"]["base"]["gitTree"] = id),
            "git_id.malformed"
        );
    }
}

#[test]
fn case_140_a_statement_of_another_type() {
    for kind in [
        "https://in-toto.io/Statement/v0.1",
        "https://in-toto.io/Statement/v1/",
        "https://in-toto.io/statement/v1",
        "https://in-toto.io/Statement/v1.0",
        "",
    ] {
        assert_eq!(
            broken(|value| value["_type"] = json!(kind)),
            "statement.unknown_type",
            "{kind}"
        );
    }
}

#[test]
fn case_141_a_predicate_type_that_looks_like_ours_is_not_ours() {
    for kind in [
        "https://touchmark.dev/Agent-Change/v1",
        "https://touchmark.dev/agent-change/v1/",
        "https://touchmark.dev/agent-change/v1.0",
        "http://touchmark.dev/agent-change/v1",
        "https://touchmark.dev/\u{430}gent-change/v1",
    ] {
        let mut world = World::new();
        let mut payload = statement_value();
        payload["predicateType"] = json!(kind);
        let verified = world.verified(&payload);
        assert!(
            verified.statement().predicate.as_agent_change().is_none(),
            "{kind}"
        );
        assert!(
            matches!(verified.statement().predicate, Predicate::Other { .. }),
            "{kind}"
        );
    }
}

#[test]
fn case_144_an_unknown_field_changes_nothing_and_is_listed() {
    let mut world = World::new();
    let plain = world.verified(&statement_value());
    assert!(plain.signed().unknown_fields().is_empty());
    let mut payload = statement_value();
    payload["future"] = json!({"trusted": true});
    payload["predicate"]["humanReviewed"] = json!(true);
    let extra = world.verified(&payload);
    assert_eq!(
        extra.signed().unknown_fields(),
        ["/future", "/predicate/humanReviewed"]
    );
    assert_eq!(extra.statement(), plain.statement());
    assert_eq!(extra.checks(), plain.checks());
}

#[test]
fn a_review_must_be_about_its_subjects() {
    let review = |edit: fn(&mut Value)| {
        let (tree, head) = ("d".repeat(40), "c".repeat(40));
        let mut value = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"gitTree": tree}}, {"digest": {"gitCommit": head}}],
            "predicateType": "https://touchmark.dev/review/v1",
            "predicate": {
                "decision": "approved", "about": "change",
                "change": {
                    "repository": {"uri": "https://github.com/acme/app"}, "targetRef": "refs/heads/main",
                    "baseTree": "b".repeat(40), "resultTree": tree, "head": head,
                },
                "scope": {"whole": true}, "evidence": [], "shown": {"sha256": "a".repeat(64)}, "method": "cli",
            },
        });
        edit(&mut value);
        let mut world = World::new();
        let bundle = world.bundle(&bytes(&value));
        world.code(&bundle)
    };
    assert_eq!(review(|_| {}), "ok");
    assert_eq!(
        review(|value| value["predicate"]["change"]["head"] = json!("9".repeat(40))),
        "statement.subject_mismatch"
    );
    assert_eq!(
        review(|value| value["predicate"]["change"]["resultTree"] = json!("9".repeat(40))),
        "statement.subject_mismatch"
    );
    assert_eq!(
        review(|value| _ = value["subject"].as_array_mut().unwrap().pop()),
        "statement.subject_missing"
    );
    let deploy = |value: &mut Value| {
        value["predicate"]["about"] = json!("deploy");
        value["predicate"].as_object_mut().unwrap().remove("change");
        value["predicate"]["deploy"] =
            json!({"artifact": {"sha256": "7".repeat(64)}, "environment": "production"});
        value["subject"] = json!([{"digest": {"sha256": "7".repeat(64)}}]);
    };
    assert_eq!(review(deploy), "ok");
    assert_eq!(
        review(|value| {
            value["predicate"]["about"] = json!("deploy");
            value["predicate"].as_object_mut().unwrap().remove("change");
            value["predicate"]["deploy"] =
                json!({"artifact": {"sha256": "7".repeat(64)}, "environment": "production"});
            value["subject"] = json!([{"digest": {"sha256": "8".repeat(64)}}]);
        }),
        "statement.subject_mismatch"
    );
}
