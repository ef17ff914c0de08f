//! Statements whose JSON is well formed, but that are about nothing, of another type, or say more than we know.

use serde_json::{Value, json};

use crate::predicate::Predicate;
use crate::samples::*;
use crate::statement::StatementError;

#[test]
fn case_132_a_statement_about_nothing_is_refused() {
    assert_eq!(broken("/subject", json!([])), "subject.none");
    assert_eq!(broken("/subject/1/digest", json!({})), "subject.no_digest");
    assert_eq!(code(&without(good(), "/subject/1/digest")), "subject.no_digest");
    assert_eq!(code(&without(good(), "/subject")), "json.shape");
    // The same when writing.
    let mut statement = parse(&good()).unwrap().statement().clone();
    statement.subject.clear();
    assert_eq!(statement.encode().unwrap_err().code(), "subject.none");
}

#[test]
fn case_135_weak_or_unknown_digests_alone_are_refused() {
    let weak = [
        json!({"md5": "d41d8cd98f00b204e9800998ecf8427e"}),
        json!({"sha1": BLOB}),
        json!({"sha1": BLOB, "md5": "d41d8cd98f00b204e9800998ecf8427e", "whirlpool": "00"}),
        json!({"h1": "0"}),
        json!({"goModuleV1": "h1:x"}),
    ];
    for digest in weak {
        assert_eq!(
            broken("/subject/1/digest", digest.clone()),
            "subject.weak_digest",
            "{digest}"
        );
        assert_eq!(
            broken("/predicate/sbom/digest", digest.clone()),
            "predicate.weak_digest",
            "{digest}"
        );
    }
    assert!(parse(&changed(good(), "/subject/0/digest/dirHash1", json!("h1:kept"))).is_ok());
}

#[test]
fn case_137_too_many_subjects_or_digests_are_refused() {
    let subject = json!({"name": "x", "digest": {"sha256": SHA}});
    assert!(parse(&changed(good(), "/subject", json!(vec![&subject; 1_024]))).is_ok());
    assert_eq!(
        broken("/subject", json!(vec![&subject; 1_025])),
        "subject.too_many"
    );
    let digests = |count: usize| {
        let mut set: serde_json::Map<String, Value> = (1..count)
            .map(|number| (format!("x{number}"), json!("00")))
            .collect();
        set.insert("sha256".to_owned(), json!(SHA));
        json!(set)
    };
    assert!(parse(&changed(good(), "/subject/0/digest", digests(32))).is_ok());
    assert_eq!(broken("/subject/0/digest", digests(33)), "digest.too_many");
}

#[test]
fn case_139_git_names_have_a_length_that_git_has() {
    for length in [39, 41, 63, 65] {
        let name = json!("a".repeat(length));
        assert_eq!(
            broken("/subject/0/digest/gitCommit", name.clone()),
            "digest.length",
            "{length}"
        );
        assert_eq!(
            broken("/predicate/change/base/gitTree", name.clone()),
            "git_id.malformed",
            "{length}"
        );
        assert_eq!(
            broken("/predicate/change/paths/0/to/gitBlob", name),
            "git_id.malformed",
            "{length}"
        );
    }
}

#[test]
fn case_140_other_statement_types_are_refused() {
    let types = [
        "https://in-toto.io/Statement/v0.1",
        "https://in-toto.io/Statement/v1/",
        "https://in-toto.io/statement/v1",
        "http://in-toto.io/Statement/v1",
        "https://in-toto.io/Statement/v1.0",
        "anything",
        "",
    ];
    for found in types {
        assert_eq!(
            broken("/_type", json!(found)),
            "statement.unknown_type",
            "{found}"
        );
    }
    assert_eq!(code(&without(good(), "/_type")), "json.shape");
}

#[test]
fn case_141_a_look_alike_predicate_type_is_another_type() {
    for found in [
        "https://touchmark.dev/agent-change/v1/",
        "https://touchmark.dev/Agent-Change/v1",
        "https://touchmark.dev/agent-change/v1.0",
        "https://touchmark.dev/аgent-change/v1",
    ] {
        let signed = parse(&changed(good(), "/predicateType", json!(found))).unwrap();
        assert!(
            matches!(&signed.statement().predicate, Predicate::Other { predicate_type, .. } if predicate_type == found)
        );
    }
    assert_eq!(
        broken("/predicateType", json!("https://touchmark.dev/agent-change/v1 ")),
        "statement.predicate_type"
    );
}

#[test]
fn case_144_unknown_fields_change_nothing_and_are_listed() {
    let mut extended = good();
    for (pointer, value) in [
        ("/predicate/approvedByHuman", json!(true)),
        ("/predicate/change/paths/2/a~b", json!({"x": [1, ""]})),
        ("/predicate/agent/product/a\u{e9}", Value::Null),
        ("/subject/1/extra", json!("x")),
        ("/note", json!(0)),
    ] {
        extended = changed(extended, pointer, value);
    }
    let signed = parse(&extended).unwrap();
    assert_eq!(signed.statement(), parse(&good()).unwrap().statement());
    let mut found = signed.unknown_fields().to_vec();
    found.sort();
    let expected = [
        "/note",
        "/predicate/agent/product/a\u{e9}",
        "/predicate/approvedByHuman",
        "/predicate/change/paths/2/a~0b",
        "/subject/1/extra",
    ];
    assert_eq!(found, expected);
    assert_eq!(signed.unknown_field_count(), 5);
}

#[test]
fn case_144_more_unknown_fields_than_are_listed_are_counted() {
    let extra: serde_json::Map<String, Value> = (0..3_000).map(|n| (format!("x{n}"), json!(n))).collect();
    let mut extended = good();
    extended.as_object_mut().unwrap().extend(extra.clone());
    extended["predicate"].as_object_mut().unwrap().extend(extra);
    let signed = parse(&extended).unwrap();
    assert_eq!(signed.unknown_fields().len(), 1_024);
    assert_eq!(signed.unknown_field_count(), 6_000);
}

#[test]
fn a_statement_that_would_be_read_otherwise_is_not_written() {
    let mut statement = parse(&good()).unwrap().statement().clone();
    statement.predicate_type = "https://example.org/other/v1".to_owned();
    assert_eq!(statement.encode().unwrap_err().code(), "statement.not_round_trip");
    let mut change = agent_change();
    change.agent.owner = Some("x".repeat(4_097));
    let error = crate::samples::statement(Predicate::AgentChange(Box::new(change)))
        .encode()
        .unwrap_err();
    assert_eq!(error.code(), "json.text_too_long");
}

#[test]
fn refusals_say_where() {
    let error = parse(&changed(
        good(),
        "/predicate/change/paths/1/from/gitBlob",
        json!("x"),
    ))
    .unwrap_err();
    let StatementError::Json(error) = error else {
        panic!("{error}")
    };
    assert_eq!(
        error.to_string(),
        r#"the value at "/predicate/change/paths/1/from/gitBlob" is refused (git_id.malformed)"#
    );
}

#[test]
fn reserved_keys_cannot_smuggle_json_past_the_check() {
    let hidden = json!({"$serde_json::private::RawValue": "{\"a\":1,\"a\":2}"});
    let smuggled = statement_json("https://example.org/other/v1", hidden);
    assert_eq!(code(&smuggled), "json.reserved_key");
}
