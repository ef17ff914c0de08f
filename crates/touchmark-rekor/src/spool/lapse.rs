//! Certificates that lapse while an entry waits.

use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::entry::LogEntry;

use super::{Entry, LogAddress};
use crate::publisher::ApiVersion;

/// A log of Rekor v1 gives its own time, which must lie inside the certificate's window: so long before the end of it
/// nothing is sent any more.
const MARGIN_SECONDS: i64 = 10;

impl Entry {
    /// Tells whether the certificate has lapsed for this log: it is over, and no timestamp stands for its time, or the
    /// log would give a time of its own that lies outside. A managed key does not lapse.
    pub fn has_lapsed_for(&self, log: &LogAddress, now: Timestamp) -> bool {
        let Some(keyless) = &self.keyless else {
            return false;
        };
        let gives_time = matches!(
            log,
            LogAddress::Service {
                version: ApiVersion::V1,
                ..
            }
        );
        let margin = if gives_time { MARGIN_SECONDS } else { 0 };
        let is_over = keyless.expires_at.unix() < now.unix().saturating_add(margin);
        is_over && (gives_time || keyless.timestamps.is_empty())
    }

    /// Tells whether a log gave a time at which the certificate had lapsed, as one does that is slow to answer. With
    /// that answer the bundle would never verify, and keeping it would keep the statement from being signed again.
    pub(crate) fn was_logged_too_late(&self, log: &LogAddress, answer: &LogEntry) -> bool {
        let end = self.keyless.as_ref().map(|keyless| keyless.expires_at.unix());
        let gives_time = matches!(
            log,
            LogAddress::Service {
                version: ApiVersion::V1,
                ..
            }
        );
        let time = answer.integrated_time.filter(|_| gives_time);
        let time = time.map(|time| i64::try_from(time).unwrap_or(i64::MAX));
        end.zip(time).is_some_and(|(end, time)| end < time)
    }

    /// Tells whether the statement has to be signed again before the logs that have not answered can have it.
    pub fn needs_new_signature(&self, now: Timestamp) -> bool {
        self.unanswered()
            .any(|(_, target)| self.has_lapsed_for(&target.log, now))
    }
}
