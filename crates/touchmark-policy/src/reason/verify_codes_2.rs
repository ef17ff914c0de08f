//! Codes of verification: bundles, signers, envelopes, log proofs, lineage. Part 2.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Inconsistent, Invalid, Missing, Usage};

pub(super) const CODES: &[Entry] = &[
    entry(
        "tlog.checkpoint_origin",
        Invalid,
        "the checkpoint is another log's",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.checkpoint_root",
        Invalid,
        "a checkpoint's root hash is malformed",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.checkpoint_size",
        Invalid,
        "a checkpoint's tree size is malformed",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.digest_mismatch",
        Invalid,
        "the log entry is about other bytes",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.duplicate_entry",
        Invalid,
        "two entries of one log",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_bytes",
        Invalid,
        "a log entry has a field that is not what it must be",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_digest",
        Invalid,
        "a log entry's digest does not have its length",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_hash_algorithm",
        Invalid,
        "a log entry's hash algorithm is not supported",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_key_details",
        Invalid,
        "a log entry's key type is not supported",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_kind",
        Invalid,
        "a log entry is of a kind or version that is not verified",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_missing",
        Missing,
        "no log entry, and one is required",
        "The statement was not published to a log, or its bundle was made without the proof.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_not_canonical",
        Invalid,
        "a log entry's body is not in canonical form",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_not_prehashed",
        Invalid,
        "a log entry's key type does not sign digests",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_number",
        Invalid,
        "a log entry has a number that is not canonical",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_verifier",
        Invalid,
        "a log entry does not have exactly one verifier",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.index_range",
        Invalid,
        "the entry's index is outside the tree",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.key_details_mismatch",
        Invalid,
        "the log entry states another key type than its key has",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.log_unknown",
        Invalid,
        "the entry is of a log that is not trusted",
        "The log is in none of the trusted roots that count.",
        "add the log to a trusted root, if it is one to trust",
    ),
    entry(
        "tlog.outside_log_window",
        Invalid,
        "the entry is outside the time in which the log was in use",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.proof_length",
        Invalid,
        "the inclusion proof does not have the length that the tree needs",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.proof_missing",
        Invalid,
        "the log entry has no inclusion proof",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.root_mismatch",
        Invalid,
        "the inclusion proof leads to another root than the checkpoint signs",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.signature_mismatch",
        Invalid,
        "the log entry holds another signature",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.too_few_operators",
        Missing,
        "fewer log operators than required",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.verifier_mismatch",
        Invalid,
        "the log entry holds another key",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.inconsistent",
        Inconsistent,
        "the log contradicts itself",
        "A consistency proof fails, or one size has two roots: the log forked or went back. The two \
         checkpoints are the evidence; keep them.",
        "stop relying on the log and raise the alarm with both checkpoints",
    ),
    entry(
        "tlog.size_order",
        Inconsistent,
        "the log is smaller than it was",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.note_key",
        Invalid,
        "a log's key does not belong to its name",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.note_key_name",
        Invalid,
        "a log's key has a name that no note can carry",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.note_key_text",
        Invalid,
        "a log's key is not in its text form",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.note_key_type",
        Invalid,
        "a log's key is of a type that is not supported",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.note_signature",
        Invalid,
        "a signature of a known key on a checkpoint is wrong",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.note_signature_line",
        Invalid,
        "a signature line of a checkpoint is malformed",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.note_signatures",
        Invalid,
        "a checkpoint has more signatures than the limit",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.note_size",
        Invalid,
        "a checkpoint is larger than the limit",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.note_structure",
        Invalid,
        "a checkpoint is not a signed note",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.note_unsigned",
        Invalid,
        "no known key signed the checkpoint",
        "A signed note, in which logs publish their checkpoints, is read strictly: every line of a known \
         key must verify.",
        "fetch the checkpoint again",
    ),
    entry(
        "tlog.entry_bundle",
        Error,
        "a tile of entries is malformed",
        "Tiles hold the hashes and entries of a log.",
        "fetch or rebuild the tiles",
    ),
    entry(
        "tlog.entry_size",
        Error,
        "an entry is larger than a tile can hold",
        "Tiles hold the hashes and entries of a log.",
        "fetch or rebuild the tiles",
    ),
    entry(
        "tlog.tile_length",
        Error,
        "a tile does not have its length",
        "Tiles hold the hashes and entries of a log.",
        "fetch or rebuild the tiles",
    ),
    entry(
        "tlog.tile_path",
        Error,
        "a tile's path is malformed",
        "Tiles hold the hashes and entries of a log.",
        "fetch or rebuild the tiles",
    ),
    entry(
        "tlog.tile_unreadable",
        Error,
        "a tile cannot be read",
        "Tiles hold the hashes and entries of a log.",
        "fetch or rebuild the tiles",
    ),
    entry(
        "trust.base64",
        Usage,
        "a field of the trusted root is not base64",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.base_url",
        Usage,
        "a log's base URL names no origin",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.chain_empty",
        Usage,
        "an authority has no certificates",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.duplicate_log_id",
        Usage,
        "two logs have one id",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.key",
        Usage,
        "a log's key is unusable",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.log_id",
        Usage,
        "a log's id is not that of its key",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.media_type",
        Usage,
        "the trusted root's media type is not known",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.start_missing",
        Usage,
        "a part of the trusted root does not say since when it is valid",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.time",
        Usage,
        "a time in the trusted root is malformed",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.too_large",
        Usage,
        "the trusted root is larger than the limit",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.too_many",
        Usage,
        "the trusted root has more parts than the limit",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
    entry(
        "trust.window_reversed",
        Usage,
        "a validity ends before it begins",
        "A trusted root names the logs and authorities that a verifier believes. It is read strictly, and \
         never taken from what is being verified.",
        "create the trusted root again: `touchmark trust create`",
    ),
];
