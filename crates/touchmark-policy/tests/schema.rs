//! `schemas/policy/v1.json` accepts what the parser accepts and refuses what it refuses, except for what a schema
//! cannot say.

use serde_json::Value;
use touchmark_policy::Policy;
use touchmark_policy::file::POLICY_SCHEMA_JSON;

const GOOD: &str = include_str!("policies/good.toml");

/// Codes for what a JSON Schema cannot say: ids, keys and names across the file; the grammar of TOML itself.
const BEYOND_A_SCHEMA: [&str; 4] = [
    "policy.duplicate_id",
    "policy.ambiguous_signer",
    "policy.unknown_reference",
    "policy.syntax",
];

/// Reads TOML as an editor hands it to a schema: dates become texts.
fn document(text: &str) -> Option<Value> {
    fn convert(value: toml::Value) -> Value {
        match value {
            toml::Value::Datetime(date) => Value::String(date.to_string()),
            toml::Value::Array(items) => items.into_iter().map(convert).collect(),
            toml::Value::Table(table) => table
                .into_iter()
                .map(|(key, value)| (key, convert(value)))
                .collect(),
            toml::Value::String(text) => Value::String(text),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(value) => value.into(),
        }
    }
    text.parse::<toml::Table>()
        .ok()
        .map(|table| convert(toml::Value::Table(table)))
}

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(POLICY_SCHEMA_JSON).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
}

#[test]
fn the_schema_and_the_parser_accept_the_good_file() {
    Policy::load(GOOD.as_bytes()).unwrap();
    let document = document(GOOD).unwrap();
    let validator = validator();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|e| format!("{} {e}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(validator.is_valid(&self::document("version = 1\nserial = 1\n").unwrap()));
}

/// Each line of `bad.txt` is `expected code | text that stands once in the good file | what stands there instead`.
#[test]
fn the_schema_and_the_parser_refuse_the_same_files() {
    let validator = validator();
    let mut count = 0;
    for line in include_str!("policies/bad.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let [code, from, to] = line
            .split(" | ")
            .collect::<Vec<_>>()
            .try_into()
            .unwrap_or_else(|_| panic!("{line}"));
        assert_eq!(GOOD.matches(from).count(), 1, "{from:?} must stand once");
        let text = GOOD.replace(from, &to.replace("\\n", "\n"));
        let error = Policy::load(text.as_bytes()).expect_err(line);
        assert_eq!(error.code(), code, "{line}: {error}");
        if BEYOND_A_SCHEMA.contains(&code) {
            continue;
        }
        let document = document(&text).unwrap_or_else(|| panic!("not TOML: {line}"));
        assert!(!validator.is_valid(&document), "the schema accepts: {line}");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

/// Single good edits that both must accept.
#[test]
fn the_schema_and_the_parser_accept_the_same_variations() {
    let validator = validator();
    let edits = [
        ("expires = 2027-06-30", "expires = 2027-06-30T00:00:00Z"),
        (", carry = \"none\"", ""),
        ("people = 2, ", ""),
        (
            "paths = [\"src/payments/**\"]",
            "paths = [\"a?b/*.c/**/d\", \"*\", \"**\"]",
        ),
        (
            "products = [\"claude-code >=2.1, <3\"]",
            "products = [\"claude-code\"]",
        ),
        ("status = \"active\"", "status = \"suspended\""),
        ("residual = \"approval\"", "residual = \"allow\""),
        ("undeclared = \"residual\"", "undeclared = \"finding\""),
        ("transcript = \"whole\"", "transcript = \"none\""),
        ("self = \"deny\"", "self = \"allow\""),
        (
            "message = \"two people look at infrastructure\"",
            "message = \"x\"",
        ),
    ];
    for (from, to) in edits {
        assert_eq!(GOOD.matches(from).count(), 1, "{from:?} must stand once");
        let text = GOOD.replace(from, to);
        Policy::load(text.as_bytes()).unwrap_or_else(|error| panic!("{to}: {error}"));
        let document = document(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|e| format!("{} {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{to}: {errors:#?}");
    }
}
