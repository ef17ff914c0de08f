//! Log entries by signers of ours.

use std::fmt;

use serde::{Deserialize, Serialize};
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::merkle::Hash;

/// The name of a finding: the log, and the entry's place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId {
    /// The log.
    pub log_id: Hash,
    /// The place of the entry.
    pub index: u64,
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.log_id, self.index)
    }
}

impl std::str::FromStr for FindingId {
    type Err = FindingIdError;

    fn from_str(text: &str) -> Result<Self, FindingIdError> {
        let (log_id, index) = text.split_once('-').ok_or(FindingIdError)?;
        let canonical = index == "0" || !index.starts_with(['0', '+']);
        Ok(Self {
            log_id: log_id.parse().map_err(|_| FindingIdError)?,
            index: index.parse().ok().filter(|_| canonical).ok_or(FindingIdError)?,
        })
    }
}

/// A text that is not the name of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a finding is named by a log id of 64 hex digits, a hyphen and an index")]
pub struct FindingIdError;

impl FindingIdError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        "monitor.finding_id"
    }
}

/// How far a finding has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Status {
    /// No evidence explains the entry yet, and the time of grace is not over.
    Waiting,
    /// No evidence explains the entry: somebody signed as one of ours.
    Alert,
    /// Verified evidence is about exactly this entry.
    Explained,
    /// A person has looked at it.
    Acknowledged,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Alert => "alert",
            Self::Explained => "explained",
            Self::Acknowledged => "acknowledged",
        })
    }
}

/// Whether the signer named in an entry is proven. A log takes entries with any certificate, so one that merely
/// carries our name shows nothing about us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum SignerProof {
    /// The key itself is watched; the log verified the signature before it took the entry.
    Key,
    /// A certificate authority of the trusted root issued the certificate.
    Issued,
    /// The certificate does not lead to an authority of the trusted root.
    Lookalike,
}

/// A log entry by a signer that policy names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Finding {
    /// The origin of the log.
    pub origin: String,
    /// The id of the log, 64 hex digits.
    pub log_id: String,
    /// The place of the entry.
    pub index: u64,
    /// The hash of the entry's leaf, 64 hex digits.
    pub leaf_hash: String,
    /// Kind and version of the entry, such as `hashedrekord 0.0.2`.
    pub kind: String,
    /// The principal of the policy whose signer this is.
    pub principal: String,
    /// The key or identity, as the entry names it.
    pub signer: String,
    /// How the signer is proven.
    pub proof: SignerProof,
    /// What was signed: `<algorithm>:<hex>`, where the entry says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When the monitor first saw the entry.
    pub first_seen: Timestamp,
    /// How far it has come.
    pub status: Status,
    /// Who acknowledged it and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the webhook has taken the alert.
    pub delivered: bool,
}

impl Finding {
    /// Returns the name of the finding.
    pub fn id(&self) -> Option<FindingId> {
        Some(FindingId {
            log_id: self.log_id.parse().ok()?,
            index: self.index,
        })
    }

    /// Tells whether somebody must look at it: an alert about a proven signer.
    pub fn is_open(&self) -> bool {
        self.status == Status::Alert && self.proof != SignerProof::Lookalike
    }
}
