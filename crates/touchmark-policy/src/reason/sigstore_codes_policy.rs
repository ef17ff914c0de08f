//! Codes of identities in policies, and of statements that their signer's certificate contradicts.

use super::registry::{Entry, entry};
use crate::exit::Class::{Denied, Finding, Invalid, Missing, Usage};

/// What is wrong when a statement and its certificate disagree.
const DISAGREE: &str = "Certificate and statement are both signed, and nothing makes them agree. What the certificate says was read from a \
     token that the platform issued, so a statement that says otherwise is wrong.";
/// What to do about it.
const ATTEST_HERE: &str = "attest in the run that did the work, and sign with that run's own token";

pub(super) const CODES: &[Entry] = &[
    entry(
        "agreement.repository",
        Invalid,
        "the statement names another repository than the certificate of its signer",
        DISAGREE,
        ATTEST_HERE,
    ),
    entry(
        "agreement.repository_id",
        Invalid,
        "the statement names another repository id than the certificate of its signer",
        DISAGREE,
        ATTEST_HERE,
    ),
    entry(
        "agreement.ref",
        Invalid,
        "the statement names another ref than the certificate of its signer",
        DISAGREE,
        ATTEST_HERE,
    ),
    entry(
        "agreement.commit",
        Invalid,
        "the run that signed was at a commit that the statement does not attest",
        "The certificate names the commit that the run checked out. It must be the base of the attested change, or one of \
         its commits; for a build, the source that went into it.",
        ATTEST_HERE,
    ),
    entry(
        "agreement.actor",
        Invalid,
        "the statement names somebody else as its trigger than the certificate of its signer",
        DISAGREE,
        ATTEST_HERE,
    ),
    entry(
        "agreement.run",
        Invalid,
        "the statement names another run than the certificate of its signer",
        DISAGREE,
        ATTEST_HERE,
    ),
    entry(
        "agreement.trigger",
        Invalid,
        "the statement says that something else began the run than the certificate of its signer",
        DISAGREE,
        ATTEST_HERE,
    ),
    entry(
        "agreement.workflow",
        Invalid,
        "the statement names another workflow than the certificate of its signer",
        DISAGREE,
        ATTEST_HERE,
    ),
    entry(
        "agreement.owner",
        Invalid,
        "the statement names another owner of the repository than the certificate of its signer",
        DISAGREE,
        ATTEST_HERE,
    ),
    entry(
        "agreement.runner",
        Invalid,
        "the statement names another kind of runner than the certificate of its signer",
        DISAGREE,
        ATTEST_HERE,
    ),
    entry(
        "agreement.time",
        Invalid,
        "the statement says that the work began after it was signed",
        "A verified time is an upper bound on when the signature was made. Work that begins later cannot have been signed \
         then.",
        "mend the clock of the machine that attests",
    ),
    entry(
        "identity.other_repository",
        Invalid,
        "the run that signed was in a repository that nobody named",
        "The name in a certificate says which workflow ran, not where. Anybody can call a workflow that is shared, so the \
         run must have been in the repository under judgement, in a fork where the agent's scope allows forks, or in a \
         repository that the signer's entry names by `repository`, `repository-id` or `owner-id`.",
        "name the repository of the run in the signer's entry, or set `forks = true` in the agent's scope",
    ),
    entry(
        "agent.repository_id",
        Denied,
        "the repository does not have the id that the agent's scope names",
        "A name can be given up and taken over by somebody else; the forge's id cannot. The id is read from the certificate \
         of a run in this repository, else from the statement.",
        "correct the id in the scope, or attest in the repository that has it",
    ),
    entry(
        "trust.no_witness_policy",
        Usage,
        "the witness policy that the policy names is not at hand",
        "A policy names a quorum of witnesses; who they are comes from the verifier's own configuration.",
        "pass `--witness-policy NAME=FILE`, or configure `witness-policies`",
    ),
    entry(
        "trust.witness_policy_twice",
        Usage,
        "two witness policies where one is asked for",
        "Policies call witness policies by name, so that each name stands for one; and bundles that no policy judges are \
         held against one at most.",
        "give each its own name: `--witness-policy NAME=FILE`",
    ),
    entry(
        "verify.identity_incomplete",
        Usage,
        "an expected identity lacks its name or its issuer",
        "A name means something only together with who vouches for it: the same name of another issuer is somebody else.",
        "give both --certificate-identity and --certificate-oidc-issuer, or their -regexp forms",
    ),
    entry(
        "verify.identity_of_change",
        Usage,
        "flags for the signer of a bundle beside a change",
        "Whose evidence counts for a change, and for what, is said by a policy.",
        "write the identity into a policy's `signers`",
    ),
    entry(
        "verify.artifact_needed",
        Usage,
        "a signature over an artifact, and no artifact",
        "The bundle holds a bare signature. Nothing can be said about it without what was signed.",
        "name it with `--artifact FILE` or `--artifact sha256:DIGEST`",
    ),
    entry(
        "verify.digest",
        Usage,
        "a digest that is not one",
        "Digests are written `sha256:`, `sha384:` or `sha512:` and lowercase hex digits.",
        "correct the digest, or name a file",
    ),
    entry(
        "verify.no_statement",
        Usage,
        "the bundle holds no statement",
        "`--statement` prints a verified statement, and the bundle signs an artifact itself.",
        "leave `--statement` out",
    ),
    entry(
        "verify.predicate_type",
        Missing,
        "no statement of the type asked for",
        "Predicate types are compared byte for byte: another case, a trailing slash or another version is another type.",
        "ask for the type that the bundle holds; `touchmark inspect` shows it",
    ),
    entry(
        "subject.not_bound",
        Invalid,
        "the statement is not about the artifact",
        "One subject must agree with the artifact in every digest that both have, and have at least one strong one.",
        "name the artifact that the statement is about",
    ),
    entry(
        "unchecked.run_repository",
        Finding,
        "runs in other repositories were not held against the commit and ref of this one",
        "The signer's entry names another repository, or the agent's scope allows forks. What its certificate says of \
         commit and ref is about that repository.",
        "nothing to do",
    ),
    entry(
        "unclaimed.run_not_misused",
        Finding,
        "that the runs whose certificates signed did only what their workflows say is not claimed",
        "Printed with every verdict that rests on the certificate of a run: a run that was misused signs as well as any \
         other.",
        "nothing to do",
    ),
];
