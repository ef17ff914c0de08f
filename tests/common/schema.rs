//! JSON documents against the schemas that are published with them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of all schemas.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

/// The file of the schema that a document names, `https://touchmark.dev/schemas/NAME-vN.json`.
pub fn file_of(id: &str) -> PathBuf {
    let name = id
        .strip_prefix("https://touchmark.dev/schemas/")
        .and_then(|rest| rest.strip_suffix(".json"))
        .unwrap_or_else(|| panic!("{id} is not a schema of ours"));
    let (name, version) = name.rsplit_once("-v").expect("a version");
    let file = format!("{name}/v{version}.json");
    // The verdict is a format of its own; everything else that is printed lies under output/.
    if name == "verdict" {
        folder().join(file)
    } else {
        folder().join("output").join(file)
    }
}

/// Reads the schema that a document names.
#[track_caller]
pub fn read(id: &str) -> Value {
    let file = file_of(id);
    let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let schema: Value = serde_json::from_slice(&bytes).expect("a schema is JSON");
    assert_eq!(schema["$id"], id, "{}", file.display());
    schema
}

/// Fails the test unless the document fits the schema that it names.
#[track_caller]
pub fn assert_valid(document: &Value) {
    let id = document["schema"].as_str().expect("a document names its schema");
    let validator = jsonschema::validator_for(&read(id)).expect("a valid schema");
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{id}: {errors:#?}");
}
