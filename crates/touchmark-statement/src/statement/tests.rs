//! What a statement is refused for, one defect at a time, and that a good one survives being written.

mod meaning;

use serde_json::{Value, json};

use super::*;
use crate::predicate::{AGENT_CHANGE_V1, REVIEW_V1};
use crate::samples::*;

#[test]
fn a_good_statement_is_read_and_written() {
    let signed = parse(&good()).unwrap();
    assert_eq!(signed.statement().subject.len(), 2);
    assert_eq!(signed.unknown_fields(), &[] as &[String]);
    assert_eq!(signed.payload_digest(), Sha256Digest::of(signed.raw()));
    let bytes = signed.statement().encode().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), good());
    assert_eq!(
        SignedStatement::parse(bytes.clone()).unwrap().statement(),
        signed.statement()
    );
    assert_eq!(SignedStatement::parse(bytes.clone()).unwrap().raw(), bytes);
}

#[test]
fn both_reviews_are_read_and_written() {
    for review in [review_json(), deploy_review_json()] {
        let json = statement_json(REVIEW_V1, review);
        let bytes = parse(&json).unwrap().statement().encode().unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), json);
    }
}

#[test]
fn case_1_byte_order_mark_utf16_and_broken_utf8_are_refused() {
    let text = serde_json::to_string(&good()).unwrap();
    assert_eq!(code_of(format!("\u{feff}{text}")), "json.byte_order_mark");
    let utf16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    assert_eq!(code_of(utf16(u16::to_le_bytes)), "json.malformed");
    assert_eq!(code_of(utf16(u16::to_be_bytes)), "json.malformed");
    assert_eq!(
        code_of([&b"\xff\xfe"[..], &utf16(u16::to_le_bytes)].concat()),
        "json.not_utf8"
    );
    let mut bytes = text.into_bytes();
    let at = bytes.windows(8).position(|window| window == b"platform").unwrap();
    bytes[at] = 0xc3;
    assert_eq!(code_of(bytes), "json.not_utf8");
}

#[test]
fn case_2_anything_after_the_statement_is_refused() {
    let text = serde_json::to_string(&good()).unwrap();
    for tail in ["{}", "x", ",", "\n{\"a\":1}", "\0"] {
        assert_eq!(code_of(format!("{text}{tail}")), "json.trailing_data", "{tail:?}");
    }
    assert!(SignedStatement::parse(format!(" {text}\n").into_bytes()).is_ok());
}

/// The good statement with `at` replaced by `by` in its text.
fn edited(at: &str, by: &str) -> Vec<u8> {
    let text = serde_json::to_string(&good()).unwrap();
    assert_eq!(text.matches(at).count(), 1, "{at}");
    text.replace(at, by).into_bytes()
}

#[test]
fn case_4_a_key_that_stands_twice_is_refused_at_every_depth() {
    let twice = [
        (r#""dirty":false"#, r#""dirty":false,"dirty":true"#),
        (r#""dirty":false"#, r#""dirty":false,"ours":{"a":1,"a":2}"#),
        (
            r#""dirty":false"#,
            r#""dirty":false,"ours":[[{"deep":{"a":1,"b":2,"a":3}}]]"#,
        ),
        (r#""annotations":{"#, r#""annotations":{"size":1,"#),
        (r#""predicateType":"#, r#""predicateType":"x","predicateType":"#),
    ];
    for (at, by) in twice {
        assert_eq!(code_of(edited(at, by)), "json.duplicate_key", "{by}");
    }
}

#[test]
fn case_5_a_key_that_stands_twice_through_an_escape_is_refused() {
    let edits = [
        (r#""dirty":false"#, r#""dirty":false,"\u0064irty":true"#),
        (r#""dirty":false"#, r#""dirty":false,"x":{"\u0061":1,"a":2}"#),
        (
            r#""predicateType":"#,
            r#""predicate\u0054ype":"x","predicateType":"#,
        ),
    ];
    for (at, by) in edits {
        assert_eq!(code_of(edited(at, by)), "json.duplicate_key", "{by}");
    }
}

#[test]
fn case_6_an_array_in_place_of_an_object_is_refused() {
    let sha = json!({"sha256": SHA});
    let whole = json!([STATEMENT_TYPE, [{"digest": sha}], AGENT_CHANGE_V1, agent_change_json()]);
    assert_eq!(code(&whole), "json.array_for_object");
    assert_eq!(
        broken("/predicate/change/repository", json!(["https://example.org"])),
        "json.array_for_object"
    );
    assert_eq!(
        broken("/subject/0", json!(["name", null, {"sha256": SHA}])),
        "json.array_for_object"
    );
    assert_eq!(broken("/predicate", json!([])), "json.array_for_object");
    assert_eq!(
        broken("/predicate/change/base", json!([COMMIT, TREE])),
        "json.array_for_object"
    );
}

#[test]
fn case_7_keys_that_look_like_known_keys_are_refused() {
    for key in [
        "Predicate",
        "predicate_type",
        "PREDICATETYPE",
        "Subject",
        "_Type",
        "type",
    ] {
        assert_eq!(
            broken(&format!("/{key}"), json!(1)),
            "json.look_alike_key",
            "{key}"
        );
    }
    assert_eq!(
        broken("/predicate/change/Dirty", json!(true)),
        "json.look_alike_key"
    );
    assert_eq!(
        broken("/predicate/change/paths_tree", json!(true)),
        "json.look_alike_key"
    );
    assert_eq!(
        broken("/predicate/commands/0/exit_code", json!(1)),
        "json.look_alike_key"
    );
    assert_eq!(
        broken("/subject/0/digest/SHA-256", json!(SHA)),
        "digest.look_alike"
    );
    assert_eq!(
        broken("/subject/0/digest/git_commit", json!(COMMIT)),
        "digest.look_alike"
    );
}

#[test]
fn case_9_an_integer_is_an_integer() {
    for number in [
        "1.0",
        "1e0",
        "-0",
        "1E+2",
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551616",
    ] {
        let (at, by) = (r#""sequence":3"#, format!(r#""sequence":{number}"#));
        assert_eq!(code_of(edited(at, &by)), "json.inexact_number", "{number}");
        // A field that nobody knows makes no difference.
        let by = format!(r#""sequence":3,"later":[{number}]"#);
        assert_eq!(code_of(edited(at, &by)), "json.inexact_number", "{number}");
    }
    for number in ["1e400", "01", "+1", ".5", "0x1", "NaN", "1_0"] {
        let by = format!(r#""sequence":{number}"#);
        assert_eq!(
            code_of(edited(r#""sequence":3"#, &by)),
            "json.malformed",
            "{number}"
        );
    }
    for value in [json!("3"), json!(-1), json!(true), json!([3])] {
        assert_eq!(
            broken("/predicate/run/sequence", value.clone()),
            "json.shape",
            "{value}"
        );
    }
}

#[test]
fn case_10_deep_nesting_is_refused_without_overflow() {
    for depth in [10_000, 500_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(code_of(nested.clone()), "json.too_deep");
        let by = format!(r#""dirty":false,"deep":{nested}"#);
        assert_eq!(code_of(edited(r#""dirty":false"#, &by)), "json.too_deep");
        assert_eq!(code_of("{\"a\":".repeat(depth)), "json.too_deep");
    }
    // The statement, its predicate and `change` are three levels; 61 more are allowed, 62 are not.
    let deep = |levels: usize| {
        format!(
            r#""dirty":false,"deep":{}{}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    assert!(SignedStatement::parse(edited(r#""dirty":false"#, &deep(61))).is_ok());
    assert_eq!(code_of(edited(r#""dirty":false"#, &deep(62))), "json.too_deep");
}

#[test]
fn case_11_lone_surrogates_and_nul_are_refused() {
    for text in [r"\ud800", r"\udc00", r"\ud800x", r"\ud800\ud800", r"\udc00\ud800"] {
        let by = format!(r#""owner":"{text}""#);
        assert_eq!(
            code_of(edited(r#""owner":"platform""#, &by)),
            "json.malformed",
            "{text}"
        );
        let by = format!(r#""owner":"platform","{text}":1"#);
        assert_eq!(
            code_of(edited(r#""owner":"platform""#, &by)),
            "json.malformed",
            "{text}"
        );
        let by = format!(r#""owner":"platform","x":["{text}"]"#);
        assert_eq!(
            code_of(edited(r#""owner":"platform""#, &by)),
            "json.malformed",
            "{text}"
        );
    }
    assert_eq!(broken("/predicate/agent/id", json!("a\0b")), "json.nul");
    assert_eq!(
        broken("/predicate/change/paths/0/path", json!("a\0b")),
        "json.nul"
    );
    assert_eq!(
        broken("/predicate/change/paths/0/path", json!({"bytes": "/wBh"})),
        "path.nul"
    );
    assert_eq!(broken("/subject/0/name", json!("a\0b")), "subject.text");
    assert_eq!(
        broken("/predicateType", json!("a\0b")),
        "statement.predicate_type"
    );
}

#[test]
fn case_15_digest_values_are_lowercase_hex_of_the_right_length() {
    let upper = SHA.to_uppercase();
    let cases = [
        (upper.as_str(), "digest.not_lower_hex"),
        (&SHA[1..], "digest.length"),
        (&SHA[2..], "digest.length"),
        ("", "digest.length"),
        (&format!("sha256:{SHA}"), "digest.length"),
        (&format!("sha256:{}", &SHA[7..]), "digest.not_lower_hex"),
        (&format!("0x{}", &SHA[2..]), "digest.not_lower_hex"),
        (&format!(" {}", &SHA[1..]), "digest.not_lower_hex"),
    ];
    for (value, code) in cases {
        assert_eq!(broken("/subject/0/digest/sha256", json!(value)), code, "{value}");
        // The same inside a predicate, in a set and as a plain digest.
        assert_eq!(
            broken("/predicate/sbom/digest/sha256", json!(value)),
            code_in_ours(value, code),
            "{value}"
        );
        assert_eq!(
            broken("/predicate/transcript/commitment", json!(value)),
            code_in_ours(value, code),
            "{value}"
        );
    }
    assert_eq!(
        broken("/subject/0/digest/gitCommit", json!(&COMMIT[1..])),
        "digest.length"
    );
    assert_eq!(broken("/subject/0/digest/md5", json!("00")), "digest.length");
}

/// Texts of ours are never empty, which is found before their format is looked at.
fn code_in_ours(value: &str, code: &'static str) -> &'static str {
    if value.is_empty() { "json.empty_text" } else { code }
}

#[test]
fn case_16_a_statement_beyond_the_cap_is_refused_before_parsing() {
    let huge = vec![b'['; 200 * 1024 * 1024];
    assert_eq!(code_of(huge), "json.too_large");
    let mut padded = serde_json::to_vec(&good()).unwrap();
    padded.resize(crate::limits::MAX_STATEMENT_BYTES, b' ');
    assert!(SignedStatement::parse(padded.clone()).is_ok());
    padded.push(b' ');
    assert_eq!(code_of(padded), "json.too_large");
}

#[test]
fn case_21_null_and_empty_text_stand_for_nothing() {
    for field in [
        "agent",
        "models",
        "change",
        "run",
        "capture",
        "change/dirty",
        "agent/id",
        "run/chain",
    ] {
        assert_eq!(
            broken(&format!("/predicate/{field}"), Value::Null),
            "json.shape",
            "{field}"
        );
    }
    for field in [
        "prompt",
        "agent/owner",
        "change/paths",
        "transcript",
        "change/ref",
        "sbom/base",
    ] {
        assert_eq!(
            broken(&format!("/predicate/{field}"), Value::Null),
            "json.shape",
            "{field}"
        );
    }
    for field in ["_type", "subject", "predicateType"] {
        assert_eq!(broken(&format!("/{field}"), Value::Null), "json.shape", "{field}");
    }
    for field in [
        "agent/id",
        "agent/owner",
        "models/0/id",
        "models/0/provider",
        "usage/method",
    ] {
        assert_eq!(
            broken(&format!("/predicate/{field}"), json!("")),
            "json.empty_text",
            "{field}"
        );
    }
    assert_eq!(broken("/predicateType", json!("")), "statement.predicate_type");
}
