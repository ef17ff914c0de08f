//! in-toto Statement v1: who is meant (`subject`), what is said (`predicate`).
//!
//! [`Statement`] is what we are about to sign; [`SignedStatement`] is exact bytes that somebody signed, with what they
//! say. Neither carries trust. Spec: in-toto/attestation v1.1, `spec/v1/statement.md`.

mod error;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

pub use self::error::StatementError;
use crate::digest::{DigestSet, Sha256Digest};
use crate::limits::{MAX_SUBJECTS, MAX_TEXT_BYTES, MAX_UNKNOWN_FIELDS};
use crate::predicate::{self, Predicate};
use crate::strict_json::{self, Author, JsonError, Rules};

/// The DSSE payload type of in-toto statements.
pub const IN_TOTO_PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The `_type` of a Statement v1.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// in-toto's `ResourceDescriptor`: a thing, by name, place and digests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDescriptor {
    /// A name that tells the things in one list apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the thing is, or what it is called globally.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests of its content; empty where none is given.
    #[serde(default, skip_serializing_if = "DigestSet::is_empty")]
    pub digest: DigestSet,
    /// The content itself, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Where the content can be had, if not at `uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_location: Option<String>,
    /// The media type of the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Anything else its author wanted to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, Value>>,
}

impl ResourceDescriptor {
    /// Returns a descriptor with a name and digests.
    pub fn new(name: impl Into<String>, digest: DigestSet) -> Self {
        Self {
            name: Some(name.into()),
            digest,
            ..Self::default()
        }
    }
}

/// A statement: what is said about which things.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The things that the statement is about.
    pub subject: Vec<ResourceDescriptor>,
    /// What kind of predicate follows; always that of `predicate`.
    pub predicate_type: String,
    /// What is said about them.
    pub predicate: Predicate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireOut<'a> {
    #[serde(rename = "_type")]
    statement_type: &'static str,
    subject: &'a [ResourceDescriptor],
    predicate_type: &'a str,
    predicate: &'a Predicate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireIn<'a> {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<ResourceDescriptor>,
    predicate_type: String,
    #[serde(borrow)]
    predicate: &'a RawValue,
}

impl Statement {
    /// Returns a statement; the predicate type is taken from the predicate.
    pub fn new(subject: Vec<ResourceDescriptor>, predicate: Predicate) -> Self {
        Self {
            subject,
            predicate_type: predicate.predicate_type().to_owned(),
            predicate,
        }
    }

    /// Writes the statement as canonical JSON (RFC 8785).
    ///
    /// Refuses every statement that [`SignedStatement::parse`] would refuse, or would read as anything else.
    pub fn encode(&self) -> Result<Vec<u8>, StatementError> {
        let bytes = strict_json::canonical(&WireOut {
            statement_type: STATEMENT_TYPE,
            subject: &self.subject,
            predicate_type: &self.predicate_type,
            predicate: &self.predicate,
        })?;
        let read = SignedStatement::parse(bytes)?;
        if read.statement != *self {
            return Err(StatementError::NotRoundTrip);
        }
        Ok(read.raw)
    }
}

/// The exact bytes of a statement that was, or is to be, signed, and what they say.
///
/// The parsed view is made from the bytes and never the other way round.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedStatement {
    raw: Vec<u8>,
    statement: Statement,
    unknown_fields: Vec<String>,
    unknown_field_count: usize,
}

impl SignedStatement {
    /// Parses the bytes of a statement.
    pub fn parse(raw: Vec<u8>) -> Result<Self, StatementError> {
        let (text, findings) = strict_json::scan(&raw, &Rules::FOREIGN_STATEMENT)?;
        let wire = strict_json::from_str_typed::<WireIn<'_>>(text, Author::Others, "")?;
        let (mut unknown_fields, mut unknown_field_count) = (wire.unknown, wire.unknown_count);
        let wire = wire.value;
        if wire.statement_type != STATEMENT_TYPE {
            return Err(StatementError::UnknownType {
                found: wire.statement_type,
            });
        }
        refuse_bad_predicate_type(&wire.predicate_type)?;
        refuse_bad_subjects(&wire.subject)?;
        if predicate::is_ours(&wire.predicate_type) && findings.inexact_number {
            return Err(JsonError::InexactNumber.into());
        }
        let predicate = predicate::parse(&wire.predicate_type, wire.predicate.get())?;
        unknown_field_count += predicate.unknown_count;
        let room = MAX_UNKNOWN_FIELDS.saturating_sub(unknown_fields.len());
        unknown_fields.extend(predicate.unknown.into_iter().take(room));
        let statement = Statement {
            subject: wire.subject,
            predicate_type: wire.predicate_type,
            predicate: predicate.value,
        };
        Ok(Self {
            raw,
            statement,
            unknown_fields,
            unknown_field_count,
        })
    }

    /// Returns the bytes, exactly as they were signed.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Returns what the bytes say.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Returns the SHA-256 digest of the bytes; with the signer it identifies a piece of evidence.
    pub fn payload_digest(&self) -> Sha256Digest {
        Sha256Digest::of(&self.raw)
    }

    /// Returns JSON pointers to fields that are there but that this version does not know, at most 1,024.
    ///
    /// They are kept in the bytes and never trusted. Documents in formats that we only read in part (SBOMs, and
    /// predicates of types that we do not know) list none.
    pub fn unknown_fields(&self) -> &[String] {
        &self.unknown_fields
    }

    /// Returns how many unknown fields there are, listed or not.
    pub fn unknown_field_count(&self) -> usize {
        self.unknown_field_count
    }
}

fn refuse_bad_predicate_type(predicate_type: &str) -> Result<(), StatementError> {
    let fits = (1..=MAX_TEXT_BYTES).contains(&predicate_type.len())
        && predicate_type
            .chars()
            .all(|character| !character.is_control() && !character.is_whitespace());
    if fits {
        Ok(())
    } else {
        Err(StatementError::PredicateType)
    }
}

fn refuse_bad_subjects(subjects: &[ResourceDescriptor]) -> Result<(), StatementError> {
    if subjects.is_empty() {
        return Err(StatementError::NoSubject);
    }
    if subjects.len() > MAX_SUBJECTS {
        return Err(StatementError::TooManySubjects {
            max: MAX_SUBJECTS,
            found: subjects.len(),
        });
    }
    for (index, subject) in subjects.iter().enumerate() {
        if subject.digest.is_empty() {
            return Err(StatementError::NoDigest { index });
        }
        if !subject.digest.has_strong() {
            return Err(StatementError::WeakDigest { index });
        }
        let texts = [
            &subject.name,
            &subject.uri,
            &subject.download_location,
            &subject.media_type,
        ];
        for text in texts.into_iter().flatten() {
            if text.len() > MAX_TEXT_BYTES || text.contains('\0') {
                return Err(StatementError::SubjectText { index });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
