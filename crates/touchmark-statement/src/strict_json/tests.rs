//! The two passes and canonical form, apart from any predicate.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

const ANY: Rules = Rules::FOREIGN_STATEMENT;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Outer {
    payload_type: String,
    inner: Option<Inner>,
    #[serde(default)]
    many: Vec<Inner>,
    #[serde(default)]
    by_name: BTreeMap<String, Inner>,
    choice: Option<Choice>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Inner {
    value: u8,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Choice {
    Plain,
    Wrapped(Inner),
    Fields { value: u8 },
    Pair(u8, Inner),
}

fn read(json: &str) -> Result<Outer, JsonError> {
    from_slice(json.as_bytes(), &ANY)
}

#[test]
fn reads_every_shape_through_the_wrapper() {
    let outer = read(
        r#"{"payloadType":"x","inner":{"value":1},"many":[{"value":2}],"byName":{"a":{"value":3}},"choice":"plain"}"#,
    );
    let expected = Outer {
        payload_type: "x".to_owned(),
        inner: Some(Inner { value: 1 }),
        many: vec![Inner { value: 2 }],
        by_name: BTreeMap::from([("a".to_owned(), Inner { value: 3 })]),
        choice: Some(Choice::Plain),
    };
    assert_eq!(outer.unwrap(), expected);
    let choice =
        |json: &str| read(&format!(r#"{{"payloadType":"x","choice":{json}}}"#)).map(|outer| outer.choice);
    assert_eq!(
        choice(r#"{"wrapped":{"value":1}}"#).unwrap(),
        Some(Choice::Wrapped(Inner { value: 1 }))
    );
    assert_eq!(
        choice(r#"{"fields":{"value":1}}"#).unwrap(),
        Some(Choice::Fields { value: 1 })
    );
    assert_eq!(
        choice(r#"{"pair":[1,{"value":2}]}"#).unwrap(),
        Some(Choice::Pair(1, Inner { value: 2 }))
    );
    assert_eq!(choice("null").unwrap(), None);
}

#[test]
fn case_6_arrays_are_no_objects_anywhere() {
    for json in [
        r#"["x"]"#,
        r#"{"payloadType":"x","inner":[1]}"#,
        r#"{"payloadType":"x","many":[[1]]}"#,
        r#"{"payloadType":"x","byName":{"a":[1]}}"#,
        r#"{"payloadType":"x","choice":{"wrapped":[1]}}"#,
        r#"{"payloadType":"x","choice":{"fields":[1]}}"#,
        r#"{"payloadType":"x","choice":{"pair":[1,[2]]}}"#,
    ] {
        assert_eq!(read(json).unwrap_err().code(), "json.array_for_object", "{json}");
    }
}

#[test]
fn case_7_look_alikes_of_known_keys_are_found() {
    let known = ["payload", "payloadType", "signatures"];
    for key in [
        "Payload",
        "PAYLOAD",
        "pay_load",
        "payload_type",
        "payloadtype",
        "PayloadType",
        "payload-type",
    ] {
        assert!(look_alike(key, &known).is_some(), "{key}");
        let json = format!(r#"{{"payload":"","{key}":""}}"#);
        assert_eq!(
            refuse_look_alikes(json.as_bytes(), &known).unwrap_err().code(),
            "json.look_alike_key",
            "{key}"
        );
    }
    for key in ["payload", "payloadType", "payloads", "keyid", ""] {
        assert_eq!(look_alike(key, &known), None, "{key}");
    }
    assert!(refuse_look_alikes(br#"{"payload":{"Payload":1},"other":2}"#, &known).is_ok());
    let both = r#"{"payloadType":"x","payload_type":"y"}"#;
    let error = read(both).unwrap_err();
    assert_eq!(error.code(), "json.look_alike_key");
    assert_eq!(
        error.to_string(),
        r#"key "/payload_type" looks like "payloadType" but is not spelled so"#
    );
}

#[test]
fn rules_are_kept() {
    let rules = Rules {
        max_bytes: 16,
        max_depth: 2,
        numbers: Numbers::ExactIntegers,
    };
    let code = |json: &str| check(json.as_bytes(), &rules).map_err(|error| error.code());
    assert_eq!(code("[[1]]"), Ok(()));
    assert_eq!(code("[[[1]]]"), Err("json.too_deep"));
    assert_eq!(code("[{\"a\":[]}]"), Err("json.too_deep"));
    assert_eq!(code("[1, 2, 3, 4, 5, 6]"), Err("json.too_large"));
    assert_eq!(code("[0.5]"), Err("json.inexact_number"));
    assert_eq!(code(""), Err("json.malformed"));
    assert_eq!(code("[1"), Err("json.malformed"));
    assert_eq!(code("nul"), Err("json.malformed"));
    assert!(check(b"[0.5, 1e3, 18446744073709551615]", &ANY).is_ok());
    assert_eq!(check(b"1e400", &ANY).unwrap_err().code(), "json.malformed");
}

#[test]
fn case_4_duplicates_among_many_keys_are_found() {
    let keys: Vec<String> = (0..1_000).map(|number| format!(r#""k{number}":0"#)).collect();
    assert!(check(format!("{{{}}}", keys.join(",")).as_bytes(), &ANY).is_ok());
    for again in [0, 15, 16, 17, 999] {
        let json = format!(r#"{{{},"k{again}":0}}"#, keys.join(","));
        assert_eq!(
            check(json.as_bytes(), &ANY).unwrap_err().code(),
            "json.duplicate_key",
            "{again}"
        );
    }
}

#[test]
fn canonical_form_is_rfc_8785() {
    // RFC 8785 §3.2.2 and §3.2.3.
    let value =
        json!({"numbers": [1e30, 4.50, 2e-3, 1e-27], "\u{20ac}": "Euro", "\r": "\u{0f}\n", "1": null});
    let text = String::from_utf8(canonical(&value).unwrap()).unwrap();
    assert_eq!(
        text,
        "{\"\\r\":\"\\u000f\\n\",\"1\":null,\"numbers\":[1e+30,4.5,0.002,1e-27],\"\u{20ac}\":\"Euro\"}"
    );
    // Keys go by UTF-16 code units: U+1F600 begins with 0xD83D, before U+FB33.
    let text = String::from_utf8(canonical(&json!({"\u{fb33}": 1, "\u{1f600}": 2})).unwrap()).unwrap();
    assert_eq!(text, "{\"\u{1f600}\":2,\"\u{fb33}\":1}");
}

#[test]
fn canonical_form_refuses_what_it_would_round() {
    assert!(canonical(&json!([9_007_199_254_740_991_u64, -9_007_199_254_740_991_i64])).is_ok());
    for value in [
        json!(9_007_199_254_740_992_u64),
        json!([{"a": -9_007_199_254_740_992_i64}]),
        json!(u64::MAX),
    ] {
        assert_eq!(
            canonical(&value).unwrap_err().code(),
            "json.inexact_number",
            "{value}"
        );
    }
    assert_eq!(
        canonical(&BTreeMap::from([((1, 2), 3)])).unwrap_err().code(),
        "json.unrepresentable"
    );
}

#[test]
fn a_value_of_any_kind_survives() {
    let value = json!({"a": [1, -2, 0.5, "x", null, true, {"b": {}}], "": []});
    let bytes = canonical(&value).unwrap();
    assert_eq!(from_slice::<Value>(&bytes, &ANY).unwrap(), value);
}
