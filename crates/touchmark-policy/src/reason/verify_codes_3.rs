//! Codes of verification: bundles, signers, envelopes, log proofs, lineage. Part 3.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Finding, Invalid, Missing};

pub(super) const CODES: &[Entry] = &[
    entry(
        "binding.commits_mismatch",
        Invalid,
        "the statement's commits do not lead from its base to its end",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.digest_mismatch",
        Invalid,
        "the digests of a subject belong to different objects",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.duplicate",
        Finding,
        "the same statement was given twice",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.not_agent_change",
        Finding,
        "the statement is not an agent change",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.not_in_range",
        Missing,
        "the statement is about another change",
        "Neither its commit nor its tree is part of the change that is judged. A cherry-pick or a rebase \
         of only a part of a change is another change.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.object_format",
        Invalid,
        "an object id is of another hash function than the repository's",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.object_unreadable",
        Invalid,
        "an object that the statement names cannot be read here",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.paths_mismatch",
        Invalid,
        "the statement's list of paths is not what git computes",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.paths_tree_unsupported",
        Invalid,
        "the statement lists its paths elsewhere, which this version does not read",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.repository_mismatch",
        Invalid,
        "the statement is about another repository",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "binding.tree_mismatch",
        Invalid,
        "a commit of the statement has another tree",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "session.forked",
        Invalid,
        "two statements have one place in a session",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "session.skipped",
        Invalid,
        "a statement names a predecessor that is not the one before it",
        "A statement about a change is compared with git objects that were read and hashed again. What \
         does not match is set aside and accounts for nothing.",
        "attest the change as it is in this repository",
    ),
    entry(
        "session.gap",
        Finding,
        "a statement of the session that comes before is not at hand",
        "No gap proves nothing; a gap is worth a look.",
        "attest the change as it is in this repository",
    ),
    entry(
        "lineage.attribution",
        Finding,
        "paths are not attributed to the agent alone",
        "Worth a look although it decides nothing by itself.",
        "look at the paths named",
    ),
    entry(
        "lineage.commit_not_at_hand",
        Finding,
        "the attested commit is gone, its tree is what binds the statement",
        "Worth a look although it decides nothing by itself.",
        "look at the paths named",
    ),
    entry(
        "lineage.dirty",
        Finding,
        "the work tree differed from what was attested",
        "Worth a look although it decides nothing by itself.",
        "look at the paths named",
    ),
    entry(
        "lineage.undeclared",
        Finding,
        "paths changed that the transcript does not show the agent writing",
        "Worth a look although it decides nothing by itself.",
        "look at the paths named",
    ),
    entry(
        "lineage.commit_order",
        Error,
        "the commits are not in order from base to head",
        "What the verifier was asked about does not fit together, so nothing can be decided.",
        "ask about the range as it is in the repository",
    ),
    entry(
        "lineage.too_many_commits",
        Error,
        "the change has more commits than the limit",
        "What the verifier was asked about does not fit together, so nothing can be decided.",
        "ask about the range as it is in the repository",
    ),
    entry(
        "lineage.too_many_statements",
        Error,
        "there are more statements than the limit",
        "What the verifier was asked about does not fit together, so nothing can be decided.",
        "ask about the range as it is in the repository",
    ),
    entry(
        "lineage.tree_mismatch",
        Error,
        "a commit does not have the tree that it was asked about with",
        "What the verifier was asked about does not fit together, so nothing can be decided.",
        "ask about the range as it is in the repository",
    ),
    entry(
        "commitment.audit_path",
        Invalid,
        "the audit path does not lead to the statement's root",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
    entry(
        "commitment.encoding",
        Invalid,
        "the disclosed bytes do not have their encoding",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
    entry(
        "commitment.index_too_large",
        Invalid,
        "the index is larger than commitments can have",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
    entry(
        "commitment.key_length",
        Invalid,
        "the run key does not have 32 bytes",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
    entry(
        "commitment.mismatch",
        Invalid,
        "the disclosed bytes are not what was committed to",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
    entry(
        "commitment.none",
        Invalid,
        "the statement has no such commitment",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
    entry(
        "commitment.not_agent_change",
        Invalid,
        "the statement is not an agent change",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
    entry(
        "commitment.other_statement",
        Invalid,
        "the disclosure belongs to another statement",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
    entry(
        "commitment.root_mismatch",
        Invalid,
        "the commitments do not lead to the statement's root",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
    entry(
        "commitment.shape",
        Invalid,
        "the disclosure is malformed",
        "Commitments hide prompts and steps until somebody discloses one. A disclosure must open exactly \
         the commitment in the signed statement.",
        "disclose again: `touchmark disclose`",
    ),
];
