//! The predicates we write and the ones we read, by `predicateType`.
//!
//! Types are compared byte by byte: a look-alike (another case, a trailing slash, `/v1.0`) is simply another type.

mod error;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

pub use self::error::PredicateError;
use crate::agent_change::AgentChange;
use crate::provenance::Provenance;
use crate::review::Review;
use crate::sbom::{Sbom, SbomFormat};
use crate::statement::StatementError;
use crate::strict_json::{Author, Typed, from_str_typed};
use crate::test_result::TestResult;
use crate::vsa::VerificationSummary;

/// The predicate type of [`AgentChange`].
pub const AGENT_CHANGE_V1: &str = "https://touchmark.dev/agent-change/v1";

/// The predicate type of [`Review`].
pub const REVIEW_V1: &str = "https://touchmark.dev/review/v1";

/// The predicate type of suspects; read as [`Predicate::Other`] so far.
pub const SUSPECT_V1: &str = "https://touchmark.dev/suspect/v1";

/// The predicate type of [`TestResult`].
pub const TEST_RESULT_V0_1: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The predicate type of [`Provenance`].
pub const SLSA_PROVENANCE_V1: &str = "https://slsa.dev/provenance/v1";

/// The predicate type of CycloneDX documents.
pub const CYCLONEDX_BOM: &str = "https://cyclonedx.org/bom";

/// The predicate type of SPDX documents, version not stated.
pub const SPDX_DOCUMENT: &str = "https://spdx.dev/Document";

/// The predicate type of SPDX 2.3 documents.
pub const SPDX_DOCUMENT_V2_3: &str = "https://spdx.dev/Document/v2.3";

/// The predicate type of SPDX 3 documents.
pub const SPDX_DOCUMENT_V3: &str = "https://spdx.dev/Document/v3";

/// The predicate type of [`VerificationSummary`].
pub const SLSA_VSA_V1: &str = "https://slsa.dev/verification_summary/v1";

/// What a statement says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Predicate {
    /// What an agent did.
    AgentChange(Box<AgentChange>),
    /// A decision about a change or a deployment.
    Review(Box<Review>),
    /// The result of running tests.
    TestResult(Box<TestResult>),
    /// How an artifact was built, SLSA v1.
    Provenance(Box<Provenance>),
    /// What something is made of.
    Sbom(Box<Sbom>),
    /// A verdict.
    VerificationSummary(Box<VerificationSummary>),
    /// A predicate that this version does not know.
    Other {
        /// Its type.
        predicate_type: String,
        /// What it says.
        value: Value,
    },
}

impl Predicate {
    /// Returns the type that a statement with this predicate has.
    pub fn predicate_type(&self) -> &str {
        match self {
            Self::AgentChange(_) => AGENT_CHANGE_V1,
            Self::Review(_) => REVIEW_V1,
            Self::TestResult(_) => TEST_RESULT_V0_1,
            Self::Provenance(_) => SLSA_PROVENANCE_V1,
            Self::Sbom(sbom) => sbom.predicate_type(),
            Self::VerificationSummary(_) => SLSA_VSA_V1,
            Self::Other { predicate_type, .. } => predicate_type,
        }
    }

    /// Returns the agent change, if it is one.
    pub fn as_agent_change(&self) -> Option<&AgentChange> {
        if let Self::AgentChange(change) = self {
            Some(change)
        } else {
            None
        }
    }

    /// Returns the review, if it is one.
    pub fn as_review(&self) -> Option<&Review> {
        if let Self::Review(review) = self {
            Some(review)
        } else {
            None
        }
    }
}

impl Serialize for Predicate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AgentChange(change) => change.serialize(serializer),
            Self::Review(review) => review.serialize(serializer),
            Self::TestResult(result) => result.serialize(serializer),
            Self::Provenance(provenance) => provenance.serialize(serializer),
            Self::Sbom(sbom) => sbom.document().serialize(serializer),
            Self::VerificationSummary(summary) => summary.serialize(serializer),
            Self::Other { value, .. } => value.serialize(serializer),
        }
    }
}

/// Whether a predicate type is one of ours, whose numbers are exact integers.
pub(crate) fn is_ours(predicate_type: &str) -> bool {
    matches!(predicate_type, AGENT_CHANGE_V1 | REVIEW_V1 | SUSPECT_V1)
}

/// Reads a predicate of the given type from text that has passed `scan`.
pub(crate) fn parse(predicate_type: &str, text: &str) -> Result<Typed<Predicate>, StatementError> {
    match predicate_type {
        AGENT_CHANGE_V1 => {
            let typed = read::<Box<AgentChange>>(text, Author::Us)?;
            typed.value.validate()?;
            Ok(typed.map(Predicate::AgentChange))
        }
        REVIEW_V1 => {
            let typed = read::<Box<Review>>(text, Author::Us)?;
            typed.value.validate()?;
            Ok(typed.map(Predicate::Review))
        }
        TEST_RESULT_V0_1 => Ok(read(text, Author::Others)?.map(Predicate::TestResult)),
        SLSA_PROVENANCE_V1 => Ok(read(text, Author::Others)?.map(Predicate::Provenance)),
        SLSA_VSA_V1 => Ok(read(text, Author::Others)?.map(Predicate::VerificationSummary)),
        other => match SbomFormat::from_predicate_type(other) {
            Some(format) => Ok(Typed::of(Predicate::Sbom(Box::new(Sbom::parse(
                format, other, text,
            )?)))),
            None => {
                let value = read::<Value>(text, Author::Others)?;
                Ok(value.map(|value| Predicate::Other {
                    predicate_type: other.to_owned(),
                    value,
                }))
            }
        },
    }
}

fn read<'de, T: Deserialize<'de>>(text: &'de str, author: Author) -> Result<Typed<T>, StatementError> {
    Ok(from_str_typed(text, author, "/predicate")?)
}

#[cfg(test)]
mod tests;
