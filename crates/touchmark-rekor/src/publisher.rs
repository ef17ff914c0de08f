//! One log that takes submissions, whatever it speaks.

use std::sync::Arc;

use touchmark_http::{Client, Deadline, HttpError, Response, Url};
use touchmark_tlog::entry::LogEntry;
use touchmark_tlog::merkle::Hash;
use touchmark_verify::trust::{TrustedLog, TrustedRoot};

use crate::error::PublishError;
use crate::submission::LogSubmission;
use crate::v1::RekorV1;
use crate::v2::RekorV2;

/// A log that takes submissions.
///
/// What it returns was compared with what was sent and verified under the key of a trusted log. Publishing the same
/// submission again gives the same entry wherever the log knows that it has it.
pub trait Publisher: Send + Sync {
    /// Publishes, or finds what was published before.
    fn publish(&self, submission: &LogSubmission, deadline: Deadline) -> Result<LogEntry, PublishError>;

    /// Tells whether an answer that names this log would be believed.
    fn is_answer_of(&self, log_id: &Hash) -> bool;
}

/// The protocol of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ApiVersion {
    /// Rekor v1: `dsse` and `hashedrekord` entries, inclusion promises.
    V1,
    /// Rekor v2: `hashedrekord` entries, tiles.
    V2,
}

impl ApiVersion {
    /// Returns the version of this number.
    pub fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(ApiVersion::V1),
            2 => Some(ApiVersion::V2),
            _ => None,
        }
    }

    /// Returns the number.
    pub fn number(self) -> u64 {
        match self {
            ApiVersion::V1 => 1,
            ApiVersion::V2 => 2,
        }
    }
}

/// Returns the publisher for a service; the logs of the root are those whose answers are believed.
pub fn connect(
    client: &Client,
    service: &Url,
    version: ApiVersion,
    root: &TrustedRoot,
) -> Arc<dyn Publisher> {
    let logs: Vec<TrustedLog> = root.logs().to_vec();
    match version {
        ApiVersion::V1 => Arc::new(RekorV1::new(client.clone(), service, logs)),
        ApiVersion::V2 => Arc::new(RekorV2::new(client.clone(), service, logs)),
    }
}

/// A log's own key must not sign what it logs: one signature could then be offered in both roles.
pub(crate) fn refuse_log_key(submission: &LogSubmission, logs: &[TrustedLog]) -> Result<(), PublishError> {
    let key = submission.signatory().public_key();
    match logs.iter().find(|log| log.key.spki_der() == key.spki_der()) {
        Some(log) => Err(PublishError::RoleReused {
            key: key.fingerprint(),
            origin: log.origin.clone(),
        }),
        None => Ok(()),
    }
}

/// What every answer that is neither an entry nor a conflict means.
pub(crate) fn failure(response: Response) -> PublishError {
    match response.status {
        405 => PublishError::Frozen,
        _ if response.is_worth_retrying() || (200..400).contains(&response.status) => {
            PublishError::Http(response.into_status_error())
        }
        // The service is not where it should be: a wrong address, or a proxy that knows nothing of it.
        404 => PublishError::Http(response.into_status_error()),
        status => PublishError::Refused {
            status,
            message: printable(&response.body),
        },
    }
}

/// Enough of a foreign message to understand it, without anything that a terminal would obey.
fn printable(body: &[u8]) -> String {
    String::from_utf8_lossy(body)
        .chars()
        .filter(|c| *c == ' ' || c.is_ascii_graphic())
        .take(200)
        .collect()
}

/// JSON or nothing: a page of a proxy is no answer of a log.
pub(crate) fn json(response: &Response) -> Result<(), HttpError> {
    response.expect_media_type("application/json")
}
