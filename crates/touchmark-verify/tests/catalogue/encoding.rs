//! Catalogue: encoding. Every case starts from the JSON of one good bundle.

use serde_json::{Value, json};
use touchmark_verify::bundle::{Bundle, MediaType};

use crate::support::*;

/// The JSON text of a good bundle.
pub(crate) fn good_text() -> String {
    String::from_utf8(World::new().good().encode()).unwrap()
}

pub(crate) fn good_value() -> Value {
    serde_json::from_str(&good_text()).unwrap()
}

/// Returns the code with which bytes are refused, or `ok`.
pub(crate) fn parse_code(json: &[u8]) -> &'static str {
    Bundle::parse(json).map_or_else(|error| error.code(), |_| "ok")
}

pub(crate) fn value_code(value: &Value) -> &'static str {
    parse_code(&bytes(value))
}

/// Breaks one thing in the JSON of a good bundle and returns the code.
pub(crate) fn broken(change: impl FnOnce(&mut Value)) -> &'static str {
    let mut value = good_value();
    change(&mut value);
    value_code(&value)
}

/// Replaces one piece of the text of a good bundle, which must be there, and returns the code.
pub(crate) fn edited(from: &str, to: &str) -> &'static str {
    let text = good_text();
    assert!(text.contains(from), "{from}");
    parse_code(text.replacen(from, to, 1).as_bytes())
}

#[test]
fn a_good_bundle_survives_encoding_and_parsing() {
    let bundle = World::new().good();
    let parsed = Bundle::parse(&bundle.encode()).unwrap();
    assert_eq!(parsed, bundle);
    assert_eq!(parsed.encode(), bundle.encode());
}

#[test]
fn case_1_byte_order_mark_utf16_and_invalid_utf8() {
    let text = good_text();
    assert_eq!(
        parse_code(format!("\u{feff}{text}").as_bytes()),
        "json.byte_order_mark"
    );
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(parse_code(&utf16), "json.malformed");
    let mut invalid = text.into_bytes();
    let position = invalid
        .windows(7)
        .position(|window| window == b"sha256:")
        .unwrap();
    invalid[position] = 0xff;
    assert_eq!(parse_code(&invalid), "json.not_utf8");
}

#[test]
fn case_2_a_second_document_or_bytes_after_the_first() {
    let text = good_text();
    for tail in [text.as_str(), "{}", "x", ",", "\0"] {
        assert_eq!(
            parse_code(format!("{text}{tail}").as_bytes()),
            "json.trailing_data",
            "{tail:.10}"
        );
    }
    assert_eq!(parse_code(format!(" {text}\n").as_bytes()), "ok");
}

#[test]
fn case_4_duplicate_key_inside_predicate_or_unknown_object() {
    assert_eq!(
        edited(r#""mediaType":"#, r#""mediaType":"x","mediaType":"#),
        "json.duplicate_key"
    );
    assert_eq!(
        edited(r#""logId":{"#, r#""logId":{"keyId":"","#),
        "json.duplicate_key"
    );
    // Inside the signed bytes: in a known object of the predicate, and in one that nobody knows.
    for twice in [r#""agent":{"id":"other","#, r#""future":{"a":1,"a":2},"agent":{"#] {
        let mut world = World::new();
        let payload = String::from_utf8(statement())
            .unwrap()
            .replacen(r#""agent":{"#, twice, 1);
        let bundle = world.bundle(payload.as_bytes());
        assert_eq!(world.code(&bundle), "json.duplicate_key", "{twice}");
    }
}

#[test]
fn case_5_duplicate_key_through_an_escape() {
    assert_eq!(
        edited(r#""payload":"#, r#""p\u0061yload":"AA==","payload":"#),
        "json.duplicate_key"
    );
    assert_eq!(
        edited(r#""treeSize":"#, r#""tr\u0065eSize":"1","treeSize":"#),
        "json.duplicate_key"
    );
    let mut world = World::new();
    let payload =
        String::from_utf8(statement())
            .unwrap()
            .replacen(r#""id":"#, r#""\u0069d":"other","id":"#, 1);
    let bundle = world.bundle(payload.as_bytes());
    assert_eq!(world.code(&bundle), "json.duplicate_key");
}

#[test]
fn case_6_an_array_where_an_object_is_expected() {
    assert_eq!(parse_code(b"[]"), "json.array_for_object");
    for pointer in [
        "/verificationMaterial",
        "/verificationMaterial/publicKey",
        "/verificationMaterial/tlogEntries/0",
        "/verificationMaterial/tlogEntries/0/logId",
        "/verificationMaterial/tlogEntries/0/inclusionProof",
        "/dsseEnvelope",
        "/dsseEnvelope/signatures/0",
    ] {
        let code = broken(|value| {
            let object = value.pointer_mut(pointer).unwrap();
            let fields: Vec<Value> = object.as_object().unwrap().values().cloned().collect();
            *object = Value::Array(fields);
        });
        assert_eq!(code, "json.array_for_object", "{pointer}");
    }
    for pointer in ["", "/predicate", "/predicate/agent", "/subject/0"] {
        let mut world = World::new();
        let mut payload = statement_value();
        let object = payload.pointer_mut(pointer).unwrap();
        *object = Value::Array(object.as_object().unwrap().values().cloned().collect());
        let bundle = world.bundle(&bytes(&payload));
        assert_eq!(world.code(&bundle), "json.array_for_object", "{pointer}");
    }
}

#[test]
fn case_7_look_alike_keys_and_unknown_fields() {
    for (pointer, key) in [
        ("/dsseEnvelope", "payload_type"),
        ("/dsseEnvelope", "Payload"),
        ("/dsseEnvelope/signatures/0", "Sig"),
        ("", "media_type"),
        ("/verificationMaterial", "tlog_entries"),
        ("/verificationMaterial/tlogEntries/0", "log_index"),
        ("/verificationMaterial/tlogEntries/0/inclusionProof", "RootHash"),
    ] {
        let code = broken(|value| value.pointer_mut(pointer).unwrap()[key] = json!("x"));
        assert_eq!(code, "json.look_alike_key", "{pointer}/{key}");
    }
    for pointer in [
        "",
        "/dsseEnvelope",
        "/verificationMaterial",
        "/verificationMaterial/tlogEntries/0",
    ] {
        let code = broken(|value| value.pointer_mut(pointer).unwrap()["future"] = json!("x"));
        assert_eq!(code, "json.shape", "{pointer}");
    }
}

#[test]
fn case_9_numbers_that_are_not_integers() {
    let mut world = World::new();
    for (number, expected) in [
        ("1.0", "json.inexact_number"),
        ("1e0", "json.inexact_number"),
        ("-0", "json.inexact_number"),
        ("1e400", "json.malformed"),
    ] {
        // Where protobuf JSON writes integers, bundles have text; a number is refused whatever it is.
        let code = edited(r#""treeSize":"6""#, &format!(r#""treeSize":{number}"#));
        assert_eq!(code, expected, "{number}");
        let payload = String::from_utf8(statement()).unwrap();
        let payload = payload.replacen(r#""sequence":0"#, &format!(r#""sequence":{number}"#), 1);
        let bundle = world.bundle(payload.as_bytes());
        assert_eq!(world.code(&bundle), expected, "{number}");
    }
    assert_eq!(edited(r#""treeSize":"6""#, r#""treeSize":6"#), "json.shape");
    for text in ["6.0", "6e0", "-6", "06", "+6", " 6", "9223372036854775808"] {
        let code = edited(r#""treeSize":"6""#, &format!(r#""treeSize":"{text}""#));
        assert_eq!(code, "tlog.entry_number", "{text}");
    }
}

#[test]
fn case_10_ten_thousand_nested_arrays() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(parse_code(deep.as_bytes()), "json.too_deep");
    assert_eq!(
        edited(
            r#""dsseEnvelope":"#,
            &format!(r#""messageSignature":{deep},"dsseEnvelope":"#)
        ),
        "json.too_deep"
    );
    let mut world = World::new();
    let payload = String::from_utf8(statement())
        .unwrap()
        .replacen('{', &format!(r#"{{"future":{deep},"#), 1);
    let bundle = world.bundle(payload.as_bytes());
    assert_eq!(world.code(&bundle), "json.too_deep");
}

#[test]
fn case_11_lone_surrogate_and_nul() {
    assert_eq!(edited(r#""hint":""#, r#""hint":"\ud800"#), "json.malformed");
    let mut world = World::new();
    for (inserted, expected) in [(r"\ud800", "json.malformed"), (r"\u0000", "json.nul")] {
        let payload = String::from_utf8(statement()).unwrap();
        let payload = payload.replacen("payments-fixer", &format!("payments{inserted}-fixer"), 1);
        let bundle = world.bundle(payload.as_bytes());
        assert_eq!(world.code(&bundle), expected, "{inserted}");
    }
}

/// Every field of a bundle that carries bytes, with the code that refuses a bad one.
const BYTE_FIELDS: [(&str, &str); 6] = [
    ("/dsseEnvelope/payload", "bundle.base64"),
    ("/dsseEnvelope/signatures/0/sig", "bundle.base64"),
    (
        "/verificationMaterial/tlogEntries/0/logId/keyId",
        "tlog.entry_bytes",
    ),
    (
        "/verificationMaterial/tlogEntries/0/canonicalizedBody",
        "tlog.entry_bytes",
    ),
    (
        "/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
        "tlog.entry_bytes",
    ),
    (
        "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/0",
        "tlog.entry_bytes",
    ),
];

fn with_bytes(pointer: &str, text: impl FnOnce(&str) -> String) -> &'static str {
    broken(|value| {
        let field = value.pointer_mut(pointer).unwrap();
        *field = Value::String(text(field.as_str().unwrap()));
    })
}

#[test]
fn case_12_base64_that_is_not_the_one_spelling() {
    for (pointer, expected) in BYTE_FIELDS {
        for (name, spoil) in [
            (
                "newline",
                (|text: &str| format!("{}\n{}", &text[..4], &text[4..])) as fn(&str) -> String,
            ),
            ("space", |text| format!("{} {}", &text[..4], &text[4..])),
            ("line feed at the end", |text| format!("{text}\n")),
            ("double padding", |text| format!("{text}=")),
            ("mixed alphabets", |text| format!("-_+/{text}")),
            ("trailing bits", |_| "AB==".to_owned()),
            ("second text", |text| format!("AA=={text}")),
        ] {
            assert_eq!(with_bytes(pointer, spoil), expected, "{pointer}: {name}");
        }
    }
}

#[test]
fn case_14_unpadded_or_url_safe_base64_is_refused_on_every_path() {
    for (pointer, expected) in BYTE_FIELDS {
        assert_eq!(with_bytes(pointer, |_| "AQ".to_owned()), expected, "{pointer}");
        assert_eq!(with_bytes(pointer, |_| "-_-_".to_owned()), expected, "{pointer}");
        assert_eq!(with_bytes(pointer, |_| String::new()), expected, "{pointer}");
    }
}

#[test]
fn case_15_digest_hex_in_another_spelling() {
    let hex = "e".repeat(64);
    let long = format!("{hex}ee");
    let prefixed = format!("sha256:{hex}");
    for (digest, expected) in [
        (hex.to_uppercase(), "digest.not_lower_hex"),
        (hex[1..].to_owned(), "digest.length"),
        (long, "digest.length"),
        (prefixed, "digest.length"),
        (String::new(), "digest.length"),
    ] {
        let mut world = World::new();
        let mut payload = statement_value();
        payload["subject"][0]["digest"]["sha256"] = json!(digest);
        let bundle = world.bundle(&bytes(&payload));
        assert_eq!(world.code(&bundle), expected, "{digest}");
    }
}

#[test]
fn case_16_two_hundred_megabytes_or_a_million_entries() {
    let mut huge = good_text().into_bytes();
    huge.resize(200_000_000, b' ');
    assert_eq!(parse_code(&huge), "bundle.too_large");
    drop(huge);
    let many = format!(r#""tlogEntries":[{}"#, "{},".repeat(1_000_000));
    assert_eq!(edited(r#""tlogEntries":["#, &many), "bundle.too_many_entries");
    let stamps = json!(vec![json!({"signedTimestamp": "AA=="}); 17]);
    let code = broken(|value| {
        value["verificationMaterial"]["timestampVerificationData"] = json!({"rfc3161Timestamps": stamps});
    });
    assert_eq!(code, "bundle.too_many_timestamps");
    let chain = json!(vec![json!({"rawBytes": "AA=="}); 17]);
    let code = broken(|value| {
        value["mediaType"] = json!(MediaType::V02.as_str());
        value["verificationMaterial"]["publicKey"] = Value::Null;
        value["verificationMaterial"]["x509CertificateChain"] = json!({"certificates": chain});
    });
    assert_eq!(code, "bundle.certificate_count");
    assert_eq!(
        broken(|value| value["dsseEnvelope"]["signatures"][0]["keyid"] = json!("k".repeat(1025))),
        "bundle.hint_too_long"
    );
}

#[test]
fn case_17_a_bundle_is_never_decompressed() {
    // A gzip member: nothing here expands anything, so that it is just bytes that are not JSON.
    assert_eq!(
        parse_code(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        "json.not_utf8"
    );
}
