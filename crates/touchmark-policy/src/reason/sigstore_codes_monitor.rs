//! Codes of following logs.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Inconsistent, Unavailable, Usage};

const FOLLOWING: &str = "The monitor remembers each log's newest checkpoint, and proves that the log's current one extends \
    it and that every entry it is offered belongs to it. A log that fails such a proof has shown two views, or takes \
    something back; its own signatures on both notes prove that to anybody.";
const RECORDS: &str = "The monitor keeps where it is in each log, and what it found, in a folder of its own. It does not \
    start over by itself: that would forget what it saw.";
const KEEP_NOTES: &str = "keep both notes (they are in the `.alarm.json` file of the monitor's records), tell the log's \
    operator and those who rely on it, and trust nothing new of that log";

pub(super) const CODES: &[Entry] = &[
    entry(
        "monitor.busy",
        Unavailable,
        "another monitor works with the same records",
        RECORDS,
        "wait for it, or give this one records of its own with `--state`",
    ),
    entry(
        "monitor.entries_missing",
        Inconsistent,
        "a log offers no entry where its checkpoint says that there is one",
        FOLLOWING,
        KEEP_NOTES,
    ),
    entry(
        "monitor.failed",
        Error,
        "a log could not be followed",
        FOLLOWING,
        "see the causes; the next pass goes on from the same place",
    ),
    entry(
        "monitor.finding_id",
        Usage,
        "a finding is named by a log id of 64 hex digits, a hyphen and an index",
        "Alerts are closed by name, so that none is closed by mistake.",
        "copy the id from the alert",
    ),
    entry(
        "monitor.finding_unknown",
        Usage,
        "there is no finding of this name",
        "Alerts are closed by name, so that none is closed by mistake.",
        "`touchmark monitor --once --format json` lists the open ones",
    ),
    entry(
        "monitor.finding_unusable",
        Error,
        "a finding in the monitor's records cannot be read",
        RECORDS,
        "restore the file from a backup; nothing else writes there",
    ),
    entry(
        "monitor.log_unknown",
        Usage,
        "no trusted root has the log that is to be followed",
        "A log is followed under the key that a trusted root gives for it; what an address says of itself is not believed.",
        "give the log's trusted root, or say which of its logs is meant: `--log ORIGIN=URL`",
    ),
    entry(
        "monitor.nobody_watched",
        Usage,
        "no policy names a signer to look for",
        "A monitor that looks for nobody would be silent whatever happens.",
        "give `--policy FILE`, or configure `policies`",
    ),
    entry(
        "monitor.not_included",
        Inconsistent,
        "the entries that a log offers are not those of the tree that it signed",
        FOLLOWING,
        KEEP_NOTES,
    ),
    entry(
        "monitor.position_unusable",
        Error,
        "a kept position is damaged, or of another log",
        RECORDS,
        "restore the file from a backup; if there is none, move it away: the log is then followed from its beginning",
    ),
    entry(
        "monitor.tree_forgotten",
        Inconsistent,
        "a log no longer has a tree that it had before",
        FOLLOWING,
        KEEP_NOTES,
    ),
];
