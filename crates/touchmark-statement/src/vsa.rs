//! SLSA verification summaries, v1: a verdict, as we write it and as others do.
//!
//! Spec: slsa.dev/spec/v1.1/verification_summary.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::DigestSet;
use crate::statement::ResourceDescriptor;
use crate::strict_json::null_as_default;
use crate::timestamp::{self, Timestamp};

/// The predicate `https://slsa.dev/verification_summary/v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationSummary {
    /// Who verified.
    pub verifier: Verifier,
    /// When.
    #[serde(
        default,
        deserialize_with = "timestamp::any_rfc3339",
        skip_serializing_if = "Option::is_none"
    )]
    pub time_verified: Option<Timestamp>,
    /// What was verified, by where it is.
    pub resource_uri: String,
    /// The policy it was verified against.
    pub policy: ResourceDescriptor,
    /// The attestations that were used; absent is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_attestations: Option<Vec<InputAttestation>>,
    /// The outcome.
    pub verification_result: VerificationResult,
    /// The levels that were reached.
    #[serde(deserialize_with = "null_as_default")]
    pub verified_levels: Vec<String>,
    /// How many dependencies reached which level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependency_levels: Option<BTreeMap<String, u64>>,
    /// The version of SLSA that the levels are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slsa_version: Option<String>,
}

/// Who verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verifier {
    /// The verifier's URI.
    pub id: String,
    /// Versions of its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<BTreeMap<String, String>>,
}

/// An attestation that a verifier used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputAttestation {
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests of it.
    #[serde(default, skip_serializing_if = "DigestSet::is_empty")]
    pub digest: DigestSet,
}

/// The outcome of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerificationResult {
    /// It satisfies the policy.
    Passed,
    /// It does not.
    Failed,
}
