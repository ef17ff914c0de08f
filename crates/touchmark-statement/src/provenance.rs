//! SLSA build provenance, v1: the parts that say what was built, from what, and by whom.
//!
//! Spec: slsa.dev/spec/v1.1/provenance. Parameters are kept as JSON, because their shape is up to the build type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::statement::ResourceDescriptor;
use crate::strict_json::null_as_default;
use crate::timestamp::{self, Timestamp};

/// The predicate `https://slsa.dev/provenance/v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What was asked for.
    pub build_definition: BuildDefinition,
    /// What happened.
    pub run_details: RunDetails,
}

/// What a build was asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// How the parameters are to be read.
    pub build_type: String,
    /// Parameters under the control of whoever asked for the build; required by the specification, left out by some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_parameters: Option<Map<String, Value>>,
    /// Parameters under the control of the builder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_parameters: Option<Map<String, Value>>,
    /// What went into the build; absent is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_dependencies: Option<Vec<ResourceDescriptor>>,
}

/// What happened during a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// Who built it.
    pub builder: Builder,
    /// When and under what name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BuildMetadata>,
    /// What else came out.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub byproducts: Vec<ResourceDescriptor>,
}

/// Who built something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// The builder's URI.
    pub id: String,
    /// Versions of its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<BTreeMap<String, String>>,
    /// What the builder itself depends on.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub builder_dependencies: Vec<ResourceDescriptor>,
}

/// When a build took place, and under what name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildMetadata {
    /// The builder's name for this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    /// When it started.
    #[serde(
        default,
        deserialize_with = "timestamp::any_rfc3339",
        skip_serializing_if = "Option::is_none"
    )]
    pub started_on: Option<Timestamp>,
    /// When it finished.
    #[serde(
        default,
        deserialize_with = "timestamp::any_rfc3339",
        skip_serializing_if = "Option::is_none"
    )]
    pub finished_on: Option<Timestamp>,
}
