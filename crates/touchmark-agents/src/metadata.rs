//! The article-style record about an agent's change: `{agent_id, model, model_hash?, prompt_hash, base_sha,
//! proposed_sha, timestamp}`. Strict JSON; every value in it is said by the caller of itself.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::GitCommitId;
use touchmark_statement::strict_json::{self, Numbers, Rules};

use crate::error::ImportError;
use crate::limits::{MAX_METADATA_BYTES, MAX_NAME_BYTES};
use crate::run::Source;

/// What an article-style record says. The commits still have to be looked up in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The agent's identifier.
    pub agent_id: String,
    /// The model, as the record spells it.
    pub model: String,
    /// The digest of the model, where one is given.
    pub model_digest: Option<Sha256Digest>,
    /// The plain digest of the prompt: it can be guessed, so whoever publishes it is warned.
    pub prompt_digest: Sha256Digest,
    /// The commit that the change starts from.
    pub base: GitCommitId,
    /// The commit that the agent proposes.
    pub proposed: GitCommitId,
    /// The time that the record gives.
    pub timestamp: DateTime<Utc>,
}

impl Metadata {
    /// The source of every value of such a record.
    pub const SOURCE: Source = Source::SelfReported;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    agent_id: String,
    model: String,
    #[serde(default)]
    model_hash: Option<String>,
    prompt_hash: String,
    base_sha: String,
    proposed_sha: String,
    timestamp: String,
}

/// Imports an article-style record.
///
/// Digests are 64 lowercase hexadecimal digits, with or without the prefix `sha256:`; commits are full ids; the time is
/// RFC 3339.
pub fn import(bytes: &[u8]) -> Result<Metadata, ImportError> {
    let rules = Rules {
        max_bytes: MAX_METADATA_BYTES,
        max_depth: 2,
        numbers: Numbers::ExactIntegers,
    };
    let wire: Wire =
        strict_json::from_slice(bytes, &rules).map_err(|source| ImportError::Metadata { source })?;
    Ok(Metadata {
        agent_id: name("agent_id", wire.agent_id)?,
        model: name("model", wire.model)?,
        model_digest: wire
            .model_hash
            .map(|text| digest("model_hash", &text))
            .transpose()?,
        prompt_digest: digest("prompt_hash", &wire.prompt_hash)?,
        base: commit("base_sha", &wire.base_sha)?,
        proposed: commit("proposed_sha", &wire.proposed_sha)?,
        timestamp: DateTime::parse_from_rfc3339(&wire.timestamp)
            .map_err(|_| ImportError::MetadataField {
                field: "timestamp",
                expected: "a time of RFC 3339",
            })?
            .with_timezone(&Utc),
    })
}

fn name(field: &'static str, text: String) -> Result<String, ImportError> {
    if text.is_empty() || text.len() > MAX_NAME_BYTES || text.chars().any(char::is_control) {
        return Err(ImportError::MetadataField {
            field,
            expected: "a short text without control characters",
        });
    }
    Ok(text)
}

fn digest(field: &'static str, text: &str) -> Result<Sha256Digest, ImportError> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    hex.parse().map_err(|_| ImportError::MetadataField {
        field,
        expected: "64 lowercase hexadecimal digits",
    })
}

fn commit(field: &'static str, text: &str) -> Result<GitCommitId, ImportError> {
    text.parse().map_err(|_| ImportError::MetadataField {
        field,
        expected: "a full commit id in lowercase",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"agent_id":"payments-fixer","model":"claude-sonnet-4-5","prompt_hash":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","base_sha":"1111111111111111111111111111111111111111","proposed_sha":"2222222222222222222222222222222222222222","timestamp":"2026-03-01T10:00:00Z"}"#;

    #[test]
    fn reads_every_field_of_a_good_record() {
        let record = import(GOOD.as_bytes()).unwrap();
        assert_eq!(record.agent_id, "payments-fixer");
        assert_eq!(record.model, "claude-sonnet-4-5");
        assert_eq!(record.model_digest, None);
        assert_eq!(record.prompt_digest, Sha256Digest::of(b""));
        assert_eq!(record.base.as_str(), "1".repeat(40));
        assert_eq!(record.proposed.as_str(), "2".repeat(40));
        assert_eq!(record.timestamp.timestamp(), 1_772_359_200);
        assert_eq!(Metadata::SOURCE.as_str(), "selfReported");
    }

    #[test]
    fn takes_the_digest_prefix_and_a_model_digest() {
        let text = GOOD.replace(r#""prompt_hash":""#, r#""model_hash":"sha256:0000000000000000000000000000000000000000000000000000000000000000","prompt_hash":"sha256:"#);
        let record = import(text.as_bytes()).unwrap();
        assert_eq!(record.model_digest, Some(Sha256Digest::from_bytes([0; 32])));
    }

    #[test]
    fn rejects_each_single_defect_with_its_own_code() {
        for (from, to, code) in [
            ("\"agent_id\"", "\"agentId\"", "metadata.malformed"),
            ("\"model\":", "\"extra\":1,\"model\":", "metadata.malformed"),
            (
                "\"model\":\"claude-sonnet-4-5\"",
                "\"model\":\"a\",\"model\":\"b\"",
                "metadata.malformed",
            ),
            (
                "\"timestamp\":\"2026-03-01T10:00:00Z\"}",
                "\"timestamp\":\"2026-03-01T10:00:00Z\"} {}",
                "metadata.malformed",
            ),
            ("2026-03-01T10:00:00Z", "yesterday", "metadata.field"),
            ("e3b0c442", "E3B0C442", "metadata.field"),
            ("\"base_sha\":\"1111", "\"base_sha\":\"11", "metadata.field"),
            (
                "\"proposed_sha\":\"2222",
                "\"proposed_sha\":\"HEAD",
                "metadata.field",
            ),
            ("payments-fixer", "", "metadata.field"),
            ("payments-fixer", "a\\u0000b", "metadata.field"),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "{from}");
            assert_eq!(
                import(text.as_bytes()).unwrap_err().code(),
                code,
                "{from} -> {to}"
            );
        }
    }
}
