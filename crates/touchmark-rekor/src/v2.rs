//! Rekor v2: `hashedrekord` over the digest of an envelope's PAE, or of a message.
//!
//! The log answers once, when a checkpoint covers the entry. An answer that is lost is found again: the log then says
//! that it has the entry (409) and where, and the proof is rebuilt from its tiles.
//! <https://github.com/sigstore/rekor-tiles/blob/v2.3.0/CLIENTS.md>

use std::time::Duration;

use touchmark_http::{Accept, Client, ContentType, Deadline, Request, Url};
use touchmark_tlog::checkpoint::{Checkpoint, CheckpointError, VerifiedCheckpoint, verify_note};
use touchmark_tlog::entry::{
    CreateEntryRequest, InclusionProof, KindVersion, LogEntry, MAX_ENTRY_JSON_BYTES,
};
use touchmark_tlog::merkle::Hash;
use touchmark_tlog::note::Note;
use touchmark_tlog::prove::{ProveError, Prover};
use touchmark_tlog::tile::{TILE_WIDTH, entries_width};
use touchmark_verify::trust::TrustedLog;

use crate::answer::{Expected, verify_v2};
use crate::error::PublishError;
use crate::publisher::{Publisher, failure, json, refuse_log_key};
use crate::reader::{ReaderError, TileReader};
use crate::submission::LogSubmission;

/// How far back an entry is looked for whose index nobody told: so many bundles of 256.
pub const MAX_SCAN_BUNDLES: u64 = 64;
/// How often a checkpoint is read again that does not cover an entry yet.
const MAX_CHECKPOINT_READS: u32 = 20;
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(500);

/// A Rekor v2 service.
#[derive(Debug)]
pub struct RekorV2 {
    client: Client,
    service: Url,
    logs: Vec<TrustedLog>,
}

impl RekorV2 {
    /// Publishes to the service at this address; answers of these logs are believed.
    pub fn new(client: Client, service: &Url, logs: Vec<TrustedLog>) -> Self {
        RekorV2 {
            client,
            service: service.clone(),
            logs,
        }
    }

    /// Finds the entry that the log says it has.
    fn recover(
        &self,
        expected: &Expected,
        index: Option<u64>,
        deadline: Deadline,
    ) -> Result<LogEntry, PublishError> {
        let reader = TileReader::rekor_v2(self.client.clone(), &self.service).by(deadline);
        let (log, checkpoint, note) = self.covering(&reader, index, deadline)?;
        let index = match index {
            Some(index) => {
                let body = reader.entry(index, checkpoint.size()).map_err(read)?;
                if body != expected.body {
                    return Err(PublishError::OtherEntry);
                }
                index
            }
            None => scan(&reader, checkpoint.size(), expected)?,
        };
        let hashes =
            Prover::new(&reader, checkpoint.size())
                .inclusion(index)
                .map_err(|error| match error {
                    ProveError::Source(error) => read(error),
                    _ => PublishError::DuplicateLost,
                })?;
        let entry = LogEntry {
            log_index: index,
            log_id: log.log_id,
            kind: expected.kind.clone(),
            integrated_time: None,
            inclusion_promise: None,
            inclusion_proof: Some(InclusionProof {
                log_index: index,
                root_hash: *checkpoint.root(),
                tree_size: checkpoint.size(),
                hashes,
                checkpoint: Some(note),
            }),
            canonicalized_body: expected.body.clone(),
        };
        verify_v2(expected, &entry, &self.logs)?;
        Ok(entry)
    }

    /// Reads checkpoints until one covers the index: an entry may be known before it is integrated.
    fn covering(
        &self,
        reader: &TileReader,
        index: Option<u64>,
        deadline: Deadline,
    ) -> Result<(&TrustedLog, VerifiedCheckpoint, String), PublishError> {
        for _ in 0..MAX_CHECKPOINT_READS {
            let bytes = reader.checkpoint().map_err(read)?;
            let (log, checkpoint) = self.verify_checkpoint(&bytes)?;
            if index.is_none_or(|index| index < checkpoint.size()) {
                let note = checkpoint.note().encode();
                return Ok((log, checkpoint, note));
            }
            std::thread::sleep(CHECKPOINT_PAUSE.min(deadline.remaining()));
            if deadline.is_over() {
                break;
            }
        }
        Err(PublishError::DuplicateLost)
    }

    fn verify_checkpoint(&self, bytes: &[u8]) -> Result<(&TrustedLog, VerifiedCheckpoint), PublishError> {
        let note = Note::parse(bytes).map_err(CheckpointError::from)?;
        let origin = Checkpoint::parse(note.text())?.origin;
        let log = self
            .logs
            .iter()
            .find(|log| log.origin == origin)
            .ok_or(PublishError::UnknownOrigin { origin })?;
        Ok((log, verify_note(bytes, &log.origin, &log.key)?))
    }
}

impl Publisher for RekorV2 {
    fn publish(&self, submission: &LogSubmission, deadline: Deadline) -> Result<LogEntry, PublishError> {
        refuse_log_key(submission, &self.logs)?;
        let request = submission.create_entry_request()?;
        let expected = expected(&request)?;
        let url = self.service.join(["api", "v2", "log", "entries"]);
        let post = Request::post(&url, ContentType::Json, request.encode(), Accept::Json)
            .at_most(MAX_ENTRY_JSON_BYTES)
            .by(deadline);
        let response = self.client.send(post)?;
        match response.status {
            200 | 201 => {
                json(&response)?;
                let answer =
                    LogEntry::parse(&response.body).map_err(|source| PublishError::Malformed { source })?;
                verify_v2(&expected, &answer, &self.logs)?;
                Ok(answer)
            }
            409 => {
                let index = response.header("x-log-index").and_then(|text| text.parse().ok());
                self.recover(&expected, index, deadline)
            }
            _ => Err(failure(response)),
        }
    }

    fn is_answer_of(&self, log_id: &Hash) -> bool {
        self.logs.iter().any(|log| log.log_id == *log_id)
    }
}

/// Verifies what a log that speaks Rekor v2 answers to a submission: ours, of one of these logs, and in its tree.
pub fn verify_answer(
    submission: &LogSubmission,
    answer: &LogEntry,
    logs: &[TrustedLog],
) -> Result<(), PublishError> {
    refuse_log_key(submission, logs)?;
    verify_v2(&expected(&submission.create_entry_request()?)?, answer, logs)
}

fn expected(request: &CreateEntryRequest) -> Result<Expected, PublishError> {
    Ok(Expected {
        kind: KindVersion::hashedrekord_v002(),
        body: request
            .to_entry()
            .map_err(|source| PublishError::Request { source })?
            .canonical_body(),
    })
}

/// Looks for an entry from the end backwards, a bounded way.
fn scan(reader: &TileReader, size: u64, expected: &Expected) -> Result<u64, PublishError> {
    let width = u64::from(TILE_WIDTH);
    let last = size.div_ceil(width);
    for bundle in (last.saturating_sub(MAX_SCAN_BUNDLES)..last).rev() {
        let Some(count) = entries_width(bundle, size) else {
            continue;
        };
        let entries = reader.bundle(bundle, count).map_err(read)?;
        if let Some(within) = entries.iter().position(|body| *body == expected.body) {
            return Ok(bundle * width + within as u64);
        }
    }
    Err(PublishError::DuplicateLost)
}

fn read(error: ReaderError) -> PublishError {
    match error {
        ReaderError::Http(error) => PublishError::Http(error),
        ReaderError::NotFound { .. } => PublishError::DuplicateLost,
        error => PublishError::Read(error),
    }
}
