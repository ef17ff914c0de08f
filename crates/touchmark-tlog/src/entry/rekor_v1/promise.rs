//! The inclusion promise of Rekor v1 (SET): what the log signs when it takes an entry.

use crate::encoding::{base64_encode, hex_encode};
use crate::entry::LogEntry;

/// Returns the bytes that the log's inclusion promise covers: RFC 8785 JSON of body, time, log and position, the
/// position being the global one over all shards. `None` for an entry without a time, which has no promise.
pub fn promise_payload(entry: &LogEntry) -> Option<Vec<u8>> {
    let integrated_time = entry.integrated_time?;
    // Every value is a number, hex or base64, and the names are in RFC 8785 order (`logID` before `logIndex`).
    let payload = format!(
        r#"{{"body":"{}","integratedTime":{integrated_time},"logID":"{}","logIndex":{}}}"#,
        base64_encode(&entry.canonicalized_body),
        hex_encode(entry.log_id.as_bytes()),
        entry.log_index,
    );
    Some(payload.into_bytes())
}
