//! What became of each piece of evidence, and how strong each of its claims is.

use serde::{Deserialize, Serialize};
use touchmark_statement::digest::Sha256Digest;

/// What became of one piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StatementStatus {
    /// The answer rests on it.
    ReliedOn,
    /// Verified and shown; the answer does not rest on it.
    Shown,
    /// Set aside: it did not influence the answer.
    SetAside,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementFinding {
    /// Where it came from (a ref, a file): for people, without any trust.
    pub source: String,
    /// The policy under which it was looked at, where several are in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Payload digest, once verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Sha256Digest>,
    /// Signer fingerprint, as found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The principal that policy finds through the signer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The predicate type, once verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// What became of it.
    pub status: StatementStatus,
    /// Why it was set aside (reason codes, sorted).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// One line for people about the first code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The checks that ran on it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckFinding>,
    /// Its log entry: origin and index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogAccount>,
    /// What it says, with the strength that the verifier computed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
}

impl StatementFinding {
    pub(super) fn sort_key(&self) -> impl Ord {
        let signer = self.signer.as_deref();
        (
            self.payload,
            &self.source,
            signer,
            self.policy.as_deref(),
            self.status,
            &self.codes,
            &self.detail,
        )
    }
}

/// One check of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckFinding {
    /// The check's name.
    pub name: String,
    /// `pass` or `skipped: why`.
    pub outcome: String,
}

/// Where a statement is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogAccount {
    /// The log's origin.
    pub origin: String,
    /// The index of the entry.
    pub index: u64,
    /// Whether the log counts as run by somebody other than the signer.
    pub independent: bool,
}

/// How strong a claim is, as computed by the verifier. The order is from strongest to weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Vantage {
    /// Recomputed from git by the verifier, or said by a signer that policy marks isolated.
    Observed,
    /// Read from a verified certificate.
    Platform,
    /// Said to come from a harness hook.
    Hook,
    /// Said to come from the session's transcript.
    Transcript,
    /// Said to come from the environment of the run.
    Environment,
    /// Said to come from a commit trailer.
    Trailer,
    /// Said by the signer, with no source named.
    SelfReported,
}

impl Vantage {
    /// Returns the word used in JSON and in evidence.
    pub fn name(self) -> &'static str {
        match self {
            Vantage::Observed => "observed",
            Vantage::Platform => "platform",
            Vantage::Hook => "hook",
            Vantage::Transcript => "transcript",
            Vantage::Environment => "environment",
            Vantage::Trailer => "trailer",
            Vantage::SelfReported => "selfReported",
        }
    }
}

/// One thing a statement says: a claim, never a fact unless its vantage is `observed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// JSON pointer into the predicate.
    pub pointer: String,
    /// The value, as text.
    pub value: String,
    /// How strong it is.
    pub vantage: Vantage,
}
