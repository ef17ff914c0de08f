//! Codes of Rekor v1 entries, inclusion promises, witnesses, remembered checkpoints and log proofs.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Inconsistent, Invalid, Missing, Usage};

const BINDING: &str = "A log entry must be about exactly this signature, this key or certificate and these bytes, and \
    be proven included under a checkpoint that a trusted log signed. A genuine entry about something \
    else proves nothing here.";
const PROMISE: &str = "The inclusion promise of Rekor v1 is the log's signature over an entry's body, time and \
    position. It is what makes the entry's time a time; a promise that is there must verify.";
const ANSWER: &str = "What a log answers is compared with what was sent, and with its own parts, before anything of it \
    is kept.";
const FORK: &str = "A log signs one history. Two signed checkpoints that cannot both be of it prove that the log \
    showed different things to different people, or took something back; its own signatures prove \
    that to anybody.";
const WITNESSES: &str = "Witnesses cosign a checkpoint only if it extends every one that they saw before, so that a \
    quorum of them makes a log's split views visible to all.";
const POLICY: &str = "A witness policy (c2sp.org/tlog-policy) names logs, witnesses, groups of them and the quorum. It \
    is read strictly: one that says something unclear would be a rule that nobody wrote.";
const PROOF: &str = "A log proof (c2sp.org/tlog-proof) is an entry's index, its inclusion proof and the log's \
    checkpoint as one text.";
const KEEP_NOTES: &str = "keep both notes, tell the log's operator and those who rely on it, and trust nothing new of that \
    log";

pub(super) const CODES: &[Entry] = &[
    entry(
        "log_proof.entry_needed",
        Usage,
        "a log proof does not carry its entry, and none was named",
        PROOF,
        "name the entry with `--bundle FILE` or `--entry FILE`",
    ),
    entry(
        "tlog.answer_count",
        Error,
        "an answer of Rekor v1 is not about exactly one entry",
        ANSWER,
        "ask again; if it stays so, the service is not a Rekor v1",
    ),
    entry(
        "tlog.answer_shards",
        Error,
        "an answer of Rekor v1 names too many shards",
        ANSWER,
        "ask again; if it stays so, the service is not a Rekor v1",
    ),
    entry(
        "tlog.cosignature",
        Invalid,
        "a cosignature of a known witness does not verify",
        WITNESSES,
        "fetch the bundle again; if it stays so, compare the witness's key in the policy with the \
         one that its operator publishes",
    ),
    entry(
        "tlog.digest_unknown",
        Missing,
        "the log entry has a digest that is not known of the message",
        BINDING,
        "verify the file itself, not its digest; or name the digest that the entry has",
    ),
    entry(
        "tlog.entry_pem",
        Invalid,
        "the log entry's verifier is not exactly one PEM block of a key or certificate",
        BINDING,
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_signatures",
        Invalid,
        "the log entry has no signature, or too many",
        BINDING,
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.entry_uuid",
        Error,
        "the name of a Rekor v1 entry is malformed",
        ANSWER,
        "ask again; if it stays so, the service is not a Rekor v1",
    ),
    entry(
        "tlog.entry_uuid_mismatch",
        Error,
        "a Rekor v1 entry does not have the name that it is answered under",
        ANSWER,
        "ask again; an answer about another entry proves nothing of this one",
    ),
    entry(
        "tlog.entry_uuid_tree",
        Error,
        "a Rekor v1 entry is named after another tree than its checkpoint",
        ANSWER,
        "ask again; an answer about another entry proves nothing of this one",
    ),
    entry(
        "tlog.no_envelope",
        Invalid,
        "the log entry is about an envelope, but a message was signed",
        BINDING,
        "sign the message again: its entry must be a `hashedrekord`",
    ),
    entry(
        "tlog.not_extended",
        Inconsistent,
        "a log's larger tree does not begin with its smaller one",
        FORK,
        KEEP_NOTES,
    ),
    entry(
        "tlog.payload_type_mismatch",
        Invalid,
        "the log entry names another payload type than the envelope",
        BINDING,
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.promise_signature",
        Invalid,
        "the log did not sign this inclusion promise",
        PROMISE,
        "fetch the bundle again from where it was published",
    ),
    entry(
        "tlog.promise_time",
        Invalid,
        "an inclusion promise has no time that it could be about",
        PROMISE,
        "fetch the bundle again from where it was published",
    ),
    entry(
        "tlog.remembered_unreadable",
        Error,
        "the checkpoint that was remembered of a log cannot be read",
        "What was seen of a log before is kept so that a log that changes its story is found out. \
         Going on without it would be to forget that.",
        "restore the file from a backup; or, if you accept to start over with this log, remove it",
    ),
    entry(
        "tlog.rollback",
        Inconsistent,
        "a log's current tree is smaller than one it had before",
        FORK,
        KEEP_NOTES,
    ),
    entry(
        "tlog.signature_count",
        Invalid,
        "the log entry is about an envelope with several signatures",
        BINDING,
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.split_view",
        Inconsistent,
        "a log signed two roots for one size",
        FORK,
        KEEP_NOTES,
    ),
    entry(
        "tlog.witness_key",
        Usage,
        "the key of a witness is unusable",
        POLICY,
        "copy the witness's key again from its operator",
    ),
    entry(
        "tlog.witness_key_text",
        Usage,
        "the key of a witness is malformed",
        POLICY,
        "copy the witness's key again from its operator",
    ),
    entry(
        "tlog.witness_key_type",
        Usage,
        "a key is none for cosignatures",
        POLICY,
        "name a key of type 4 (Ed25519) or 6 (ML-DSA-44); a log's own key is not a witness's",
    ),
    entry(
        "tlog.witness_quorum",
        Missing,
        "too few of the witnesses that are asked for have cosigned",
        WITNESSES,
        "fetch the bundle again once the witnesses have cosigned, or have the log's operator ask \
         them; the policy decides who counts",
    ),
    entry(
        "tlog_proof.hashes",
        Invalid,
        "a log proof has too many hashes",
        PROOF,
        "export the proof again",
    ),
    entry(
        "tlog_proof.header",
        Invalid,
        "the text is no log proof",
        PROOF,
        "export the proof again; its first line is `c2sp.org/tlog-proof@v1`",
    ),
    entry(
        "tlog_proof.line",
        Invalid,
        "a line of a log proof is missing or malformed",
        PROOF,
        "export the proof again",
    ),
    entry(
        "tlog_proof.too_large",
        Invalid,
        "the text is too large for a log proof",
        PROOF,
        "export the proof again",
    ),
    entry(
        "witness_policy.duplicate_key",
        Usage,
        "a witness policy has one key twice",
        POLICY,
        "remove one of the lines: a key counts once, whatever its names",
    ),
    entry(
        "witness_policy.duplicate_name",
        Usage,
        "a witness policy defines a name twice",
        POLICY,
        "give each witness and group its own name; `none` is reserved",
    ),
    entry(
        "witness_policy.limit",
        Usage,
        "a witness policy has too many lines of a kind, or a text that is too long",
        POLICY,
        "split the policy, or shorten it",
    ),
    entry(
        "witness_policy.line",
        Usage,
        "a line of a witness policy is not understood",
        POLICY,
        "a line is `log KEY [URL]`, `witness NAME KEY [URL]`, `group NAME all|any|K MEMBERS…`, \
         `quorum NAME`, or a comment",
    ),
    entry(
        "witness_policy.member_twice",
        Usage,
        "a witness or group is a member twice",
        POLICY,
        "let each be a member of one group: nobody counts in two ways",
    ),
    entry(
        "witness_policy.quorum",
        Usage,
        "a witness policy has no quorum line, or several",
        POLICY,
        "write exactly one line `quorum NAME`; `quorum none` asks for nobody",
    ),
    entry(
        "witness_policy.text",
        Usage,
        "a witness policy is not text of lines",
        POLICY,
        "save the file as UTF-8, with a line end after its last line",
    ),
    entry(
        "witness_policy.threshold",
        Usage,
        "the threshold of a group is not possible",
        POLICY,
        "write `all`, `any`, or a number from 1 to the number of members",
    ),
    entry(
        "witness_policy.too_large",
        Usage,
        "a witness policy is too large",
        POLICY,
        "split the policy, or shorten it",
    ),
    entry(
        "witness_policy.unknown_name",
        Usage,
        "a witness policy names what no line above it defines",
        POLICY,
        "define the witness or group above the line that names it",
    ),
];
