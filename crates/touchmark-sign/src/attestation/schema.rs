//! Every statement we sign fits its published JSON Schema; the schemas are compiled once.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;
use touchmark_statement::{predicate, schemas};

use super::AttestationError;

struct Schemas {
    statement: Validator,
    agent_change: Validator,
    review: Validator,
}

/// Validates the bytes of a statement, then its predicate where the schema of that is ours.
pub(super) fn validate(predicate_type: &str, payload: &[u8]) -> Result<(), AttestationError> {
    static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| Schemas {
        statement: compile(schemas::STATEMENT_V1),
        agent_change: compile(schemas::AGENT_CHANGE_V1),
        review: compile(schemas::REVIEW_V1),
    });
    let statement: Value = serde_json::from_slice(payload).expect("canonical JSON was written just now");
    expect_fit(&schemas.statement, "statement/v1", "", &statement)?;
    let predicate = &statement["predicate"];
    match predicate_type {
        predicate::AGENT_CHANGE_V1 => {
            expect_fit(&schemas.agent_change, "agent-change/v1", "/predicate", predicate)
        }
        predicate::REVIEW_V1 => expect_fit(&schemas.review, "review/v1", "/predicate", predicate),
        _ => Ok(()),
    }
}

fn expect_fit(
    validator: &Validator,
    schema: &'static str,
    prefix: &str,
    value: &Value,
) -> Result<(), AttestationError> {
    // The places only: the library's messages quote values, which may be somebody's words.
    validator
        .validate(value)
        .map_err(|error| AttestationError::Schema {
            schema,
            at: format!("{prefix}{}", error.instance_path()),
            rule: error.schema_path().to_string(),
        })
}

fn compile(schema: &str) -> Validator {
    let schema = serde_json::from_str(schema).expect("published schemas are JSON");
    jsonschema::validator_for(&schema).expect("published schemas compile")
}
