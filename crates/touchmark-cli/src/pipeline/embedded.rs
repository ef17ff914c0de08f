//! The embedded log as one of the logs that submissions go to.

use touchmark_http::Deadline;
use touchmark_log::{AddError, Log};
use touchmark_rekor::{LogSubmission, PublishError, Publisher, verify_answer};
use touchmark_tlog::entry::LogEntry;
use touchmark_tlog::merkle::Hash;

/// The log of a folder on this machine.
#[derive(Debug)]
pub(super) struct Embedded(pub(super) Log);

impl Publisher for Embedded {
    fn publish(&self, submission: &LogSubmission, _deadline: Deadline) -> Result<LogEntry, PublishError> {
        let request = submission.create_entry_request()?;
        let entry = match self.0.add(&request) {
            Ok(entry) => entry,
            // Added by an attempt that was killed before it could keep the answer.
            Err(AddError::Duplicate { index }) => self.0.get(index).map_err(|error| PublishError::Other {
                code: error.code(),
                is_worth_retrying: true,
                source: Box::new(error),
            })?,
            Err(error) => {
                return Err(PublishError::Other {
                    code: error.code(),
                    is_worth_retrying: !matches!(error, AddError::Rejected(_)),
                    source: Box::new(error),
                });
            }
        };
        verify_answer(submission, &entry, &[self.0.trusted_log()])?;
        Ok(entry)
    }

    fn is_answer_of(&self, log_id: &Hash) -> bool {
        self.0.verifier_key().log_id() == *log_id
    }
}
