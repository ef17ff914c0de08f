//! Rekor v1: `dsse` for envelopes, `hashedrekord` for messages; every key, Ed25519 too where an envelope is sent.
//!
//! <https://github.com/sigstore/rekor/blob/v1.5.4/openapi.yaml>

use std::time::Duration;

use touchmark_http::{Accept, Client, ContentType, Deadline, Request, Response, Url};
use touchmark_statement::digest::Sha256Digest;
use touchmark_tlog::entry::rekor_v1::{DsseRequest, DsseV001, EntryUuid, NamedDigest, parse_answer};
use touchmark_tlog::entry::{HashAlgorithm, KindVersion, LogEntry, MAX_ENTRY_JSON_BYTES};
use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_verify::trust::TrustedLog;

use crate::answer::{Expected, verify_v1};
use crate::error::{Missing, PublishError};
use crate::publisher::{Publisher, failure, json, refuse_log_key};
use crate::reader::{ReaderError, RekorV1Reader};
use crate::submission::LogSubmission;

/// How often an entry is asked for that the log says it has: the answer may lag behind.
const MAX_READS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// How an envelope is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EnvelopeKind {
    /// As `dsse`: the log sees the payload, and keeps its digest.
    #[default]
    Dsse,
    /// As `hashedrekord` over the PAE: the log sees a digest only.
    HashedRekord,
}

/// A Rekor v1 service.
#[derive(Debug)]
pub struct RekorV1 {
    client: Client,
    service: Url,
    logs: Vec<TrustedLog>,
    envelope_kind: EnvelopeKind,
}

impl RekorV1 {
    /// Publishes to the service at this address; answers of these logs are believed.
    pub fn new(client: Client, service: &Url, logs: Vec<TrustedLog>) -> Self {
        RekorV1 {
            client,
            service: service.clone(),
            logs,
            envelope_kind: EnvelopeKind::default(),
        }
    }

    /// Logs envelopes in this way.
    #[must_use]
    pub fn with_envelopes_as(mut self, kind: EnvelopeKind) -> Self {
        self.envelope_kind = kind;
        self
    }

    fn request(&self, submission: &LogSubmission) -> Result<(Vec<u8>, Expected), PublishError> {
        let dsse = match self.envelope_kind {
            EnvelopeKind::Dsse => submission.dsse_request()?,
            EnvelopeKind::HashedRekord => None,
        };
        if let Some(request) = dsse {
            return Ok((request.encode(), expected_dsse(&request, submission)?));
        }
        let request = submission.hashedrekord_request()?;
        let expected = Expected {
            kind: kind("hashedrekord"),
            body: request.expected_entry().canonical_body(),
        };
        Ok((request.encode(), expected))
    }

    /// Reads the entry that the log says it has, by the name it tells or by the one that follows from the body.
    fn recover(
        &self,
        expected: &Expected,
        told: Option<EntryUuid>,
        deadline: Deadline,
    ) -> Result<LogEntry, PublishError> {
        let leaf = leaf_hash(&expected.body);
        let uuid = match told {
            // Another leaf is another entry, whatever is there.
            Some(told) if told.leaf != leaf => return Err(PublishError::OtherEntry),
            Some(told) => told,
            None => EntryUuid { tree_id: None, leaf },
        };
        let reader = RekorV1Reader::new(self.client.clone(), &self.service).by(deadline);
        for _ in 0..MAX_READS {
            match reader.entry(&uuid) {
                Ok(found) => {
                    verify_v1(expected, &found.entry, &self.logs)?;
                    return Ok(found.entry);
                }
                Err(ReaderError::NotFound { .. }) => std::thread::sleep(PAUSE.min(deadline.remaining())),
                Err(ReaderError::Http(error)) => return Err(PublishError::Http(error)),
                Err(ReaderError::Answer(source)) => return Err(PublishError::Malformed { source }),
                Err(error) => return Err(PublishError::Read(error)),
            }
            if deadline.is_over() {
                break;
            }
        }
        Err(PublishError::DuplicateLost)
    }
}

impl Publisher for RekorV1 {
    fn publish(&self, submission: &LogSubmission, deadline: Deadline) -> Result<LogEntry, PublishError> {
        refuse_log_key(submission, &self.logs)?;
        let (request, expected) = self.request(submission)?;
        let url = self.service.join(["api", "v1", "log", "entries"]);
        let post = Request::post(&url, ContentType::Json, request, Accept::Json)
            .at_most(MAX_ENTRY_JSON_BYTES)
            .by(deadline);
        let response = self.client.send(post)?;
        match response.status {
            200 | 201 => {
                json(&response)?;
                let answer =
                    parse_answer(&response.body).map_err(|source| PublishError::Malformed { source })?;
                match verify_v1(&expected, &answer.entry, &self.logs) {
                    // Taken and promised, but not yet in a tree: read again when it is.
                    Err(PublishError::Incomplete { part: Missing::Proof }) => {
                        self.recover(&expected, Some(answer.uuid), deadline)
                    }
                    other => other.map(|()| answer.entry),
                }
            }
            409 => self.recover(&expected, told_uuid(&response), deadline),
            _ => Err(failure(response)),
        }
    }

    fn is_answer_of(&self, log_id: &Hash) -> bool {
        self.logs.iter().any(|log| log.log_id == *log_id)
    }
}

/// The name of the existing entry, which ends the `Location`; only the name is taken from it, never the address.
fn told_uuid(response: &Response) -> Option<EntryUuid> {
    response.header("location")?.rsplit('/').next()?.parse().ok()
}

fn kind(kind: &str) -> KindVersion {
    KindVersion {
        kind: kind.to_owned(),
        version: "0.0.1".to_owned(),
    }
}

fn expected_dsse(request: &DsseRequest, submission: &LogSubmission) -> Result<Expected, PublishError> {
    let envelope = submission.envelope().ok_or(PublishError::NoEnvelope)?;
    let sha256 = |bytes: &[u8]| NamedDigest {
        algorithm: HashAlgorithm::Sha256,
        digest: Sha256Digest::of(bytes).as_bytes().to_vec(),
    };
    let body = DsseV001 {
        envelope_hash: sha256(request.envelope().as_bytes()),
        payload_hash: sha256(&envelope.payload),
        signatures: vec![(submission.signature().to_vec(), submission.pem_verifier())],
    };
    Ok(Expected {
        kind: kind("dsse"),
        body: body.canonical_body(),
    })
}
