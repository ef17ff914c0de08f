//! The schemas accept what the types write, and refuse what the types refuse.

use jsonschema::Validator;
use serde_json::{Value, json};

use super::*;
use crate::limits;
use crate::predicate;
use crate::samples::*;

fn validator(schema: &str) -> Validator {
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
}

fn assert_valid(validator: &Validator, value: &Value) {
    if let Some(error) = validator.iter_errors(value).next() {
        panic!("{error} at {}", error.instance_path());
    }
}

#[test]
fn what_we_write_is_valid() {
    assert_valid(
        &validator(AGENT_CHANGE_V1),
        &serde_json::to_value(agent_change()).unwrap(),
    );
    assert_valid(&validator(REVIEW_V1), &serde_json::to_value(review()).unwrap());
    assert_valid(&validator(REVIEW_V1), &deploy_review_json());
    let bytes = parse(&good()).unwrap().statement().encode().unwrap();
    assert_valid(&validator(STATEMENT_V1), &serde_json::from_slice(&bytes).unwrap());
    let beyond = json!({"count": 20_001, "root": SHA});
    let beyond = changed(
        without(agent_change_json(), "/change/paths"),
        "/change/pathsTree",
        beyond,
    );
    assert_valid(&validator(AGENT_CHANGE_V1), &beyond);
}

#[test]
fn each_schema_says_who_it_is() {
    for (schema, name) in [
        (STATEMENT_V1, "statement"),
        (AGENT_CHANGE_V1, "agent-change"),
        (REVIEW_V1, "review"),
    ] {
        let schema: Value = serde_json::from_str(schema).unwrap();
        assert_eq!(
            schema["$id"],
            format!("https://touchmark.dev/schemas/{name}/v1.json")
        );
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::meta::validate(&schema).unwrap();
    }
}

#[test]
fn schema_and_types_require_the_same() {
    let documents = [
        (AGENT_CHANGE_V1, predicate::AGENT_CHANGE_V1, agent_change_json()),
        (REVIEW_V1, predicate::REVIEW_V1, review_json()),
        (REVIEW_V1, predicate::REVIEW_V1, deploy_review_json()),
    ];
    for (schema, predicate_type, document) in documents {
        let validator = validator(schema);
        for pointer in pointers(&document, "") {
            let smaller = without_any(document.clone(), &pointer);
            let by_type = parse(&statement_json(predicate_type, smaller.clone())).is_ok();
            assert_eq!(
                validator.is_valid(&smaller),
                by_type || counted(&pointer),
                "without {pointer}"
            );
        }
    }
}

#[test]
fn schema_and_types_take_the_same_kinds_of_values() {
    let wrong = [
        json!(null),
        json!(1),
        json!(-1),
        json!(0.5),
        json!(""),
        json!("x\0"),
        json!([]),
        json!({}),
        json!(true),
    ];
    for (schema, predicate_type, document) in [
        (AGENT_CHANGE_V1, predicate::AGENT_CHANGE_V1, agent_change_json()),
        (REVIEW_V1, predicate::REVIEW_V1, review_json()),
    ] {
        let validator = validator(schema);
        for pointer in pointers(&document, "")
            .into_iter()
            .filter(|pointer| !pointer.contains("annotations"))
        {
            for value in &wrong {
                let other = changed(document.clone(), &pointer, value.clone());
                let by_type = parse(&statement_json(predicate_type, other.clone())).is_ok();
                let by_schema = validator.is_valid(&other);
                assert!(by_schema || !by_type, "the types take {pointer} = {value}");
                assert!(
                    by_type || !by_schema || beyond_schema(&pointer),
                    "the schema takes {pointer} = {value}"
                );
            }
        }
    }
}

/// What the types check and a schema cannot: numbering, and that a count fits its list.
fn beyond_schema(pointer: &str) -> bool {
    pointer.ends_with("/index") || matches!(pointer, "/prompt/count" | "/prompt/commitments")
}

/// A list of prompts with one left out does not fit its count, which a schema cannot see.
fn counted(pointer: &str) -> bool {
    matches!(pointer, "/prompt/commitments/0" | "/prompt/commitments/1")
}

fn pointers(value: &Value, at: &str) -> Vec<String> {
    let below = |key: String, value: &Value| {
        let pointer = format!("{at}/{key}");
        let mut all = pointers(value, &pointer);
        all.push(pointer);
        all
    };
    match value {
        // Keys of maps that hold a slash are not fields.
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !key.contains('/'))
            .flat_map(|(key, value)| below(key.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, value)| below(index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    }
}

fn without_any(mut document: Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.remove(key).unwrap()),
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        other => panic!("{other} has no fields"),
    }
    document
}

#[test]
fn the_schema_refuses_single_defects() {
    let validator = validator(AGENT_CHANGE_V1);
    let upper = SHA.to_uppercase();
    for (pointer, value) in [
        ("/change/pathsTree", json!({"count": 1, "root": SHA})),
        ("/change/paths/0/status", json!("deleted")),
        ("/change/paths/3/to/sha256", json!(SHA)),
        ("/change/paths/0/to/mode", json!("040000")),
        ("/change/paths/0/path", json!("../x")),
        ("/change/paths/0/path", json!(".git/config")),
        ("/change/paths/0/path", json!("/etc/passwd")),
        ("/change/repository/uri", json!("https://token@example.org/x")),
        ("/change/ref", json!("main")),
        ("/change/base/gitTree", json!("abc")),
        ("/transcript/commitment", json!(upper)),
        ("/sbom/digest", json!({"sha1": BLOB})),
        ("/sbom/digest/gitCommit", json!("abc")),
        ("/usage/cost/amount", json!("1e3")),
        ("/usage/cost/currency", json!("eur")),
        ("/run/chain", json!("00")),
        ("/run/startedAt", json!("2026-02-03T04:05:06+00:00")),
        ("/capture/sources", json!({"models": "hook"})),
        ("/prompt", json!({})),
        ("/models", json!([])),
        ("/run/sequence", json!(9_007_199_254_740_992_u64)),
    ] {
        let other = changed(agent_change_json(), pointer, value.clone());
        assert!(!validator.is_valid(&other), "{pointer} = {value}");
        assert!(
            parse(&statement_json(predicate::AGENT_CHANGE_V1, other)).is_err(),
            "{pointer} = {value}"
        );
    }
}

#[test]
fn the_statement_schema_refuses_single_defects() {
    let validator = validator(STATEMENT_V1);
    assert_valid(&validator, &good());
    let subject = json!({"digest": {"sha256": SHA}});
    for (pointer, value) in [
        ("/_type", json!("https://in-toto.io/Statement/v0.1")),
        ("/subject", json!([])),
        ("/subject", json!(vec![subject; 1_025])),
        ("/subject/0/digest", json!({})),
        (
            "/subject/0/digest",
            json!({"md5": "d41d8cd98f00b204e9800998ecf8427e"}),
        ),
        ("/subject/0/digest/sha256", json!(SHA.to_uppercase())),
        ("/subject/0/digest/gitCommit", json!("abc")),
        ("/predicateType", json!("")),
        ("/predicateType", json!("a b")),
    ] {
        let other = changed(good(), pointer, value.clone());
        assert!(!validator.is_valid(&other), "{pointer} = {value}");
        assert!(parse(&other).is_err(), "{pointer} = {value}");
    }
    for field in ["_type", "subject", "predicateType", "predicate"] {
        assert!(
            !validator.is_valid(&without(good(), &format!("/{field}"))),
            "{field}"
        );
    }
}

#[test]
fn caps_stand_in_the_schemas() {
    let change: Value = serde_json::from_str(AGENT_CHANGE_V1).unwrap();
    let properties = &change["properties"];
    let caps = [
        (&properties["models"], limits::MAX_MODELS),
        (&properties["instructions"], limits::MAX_RUN_ITEMS),
        (&properties["tools"], limits::MAX_RUN_ITEMS),
        (&properties["commands"], limits::MAX_RUN_ITEMS),
        (
            &properties["prompt"]["properties"]["commitments"],
            limits::MAX_PROMPTS,
        ),
        (&properties["change"]["properties"]["paths"], limits::MAX_PATHS),
        (
            &properties["change"]["properties"]["commits"],
            limits::MAX_COMMITS,
        ),
        (
            &properties["sbom"]["properties"]["dependencies"],
            limits::MAX_DEPENDENCIES,
        ),
    ];
    for (schema, cap) in caps {
        assert_eq!(schema["maxItems"], json!(cap), "{schema}");
    }
    let definitions = &change["$defs"];
    assert_eq!(definitions["count"]["maximum"], json!(limits::MAX_EXACT_INTEGER));
    assert_eq!(definitions["text"]["maxLength"], json!(limits::MAX_TEXT_BYTES));
    assert_eq!(
        definitions["digestSet"]["maxProperties"],
        json!(limits::MAX_DIGESTS)
    );
    assert_eq!(
        properties["capture"]["properties"]["sources"]["maxProperties"],
        json!(limits::MAX_SOURCES)
    );
    let statement: Value = serde_json::from_str(STATEMENT_V1).unwrap();
    assert_eq!(
        statement["properties"]["subject"]["maxItems"],
        json!(limits::MAX_SUBJECTS)
    );
    let review: Value = serde_json::from_str(REVIEW_V1).unwrap();
    assert_eq!(
        review["properties"]["evidence"]["maxItems"],
        json!(limits::MAX_REVIEW_ITEMS)
    );
}
