//! Codes of the gate: roles, accounting, approvals, tests, the verdict itself.

use super::registry::{Entry, entry};
use crate::exit::Class::{Approval, Denied, Error, Finding, Invalid, Missing, Usage};

pub(super) const CODES: &[Entry] = &[
    entry(
        "identity.role",
        Invalid,
        "the signer's principal may not make statements of this kind",
        "Agents sign agent changes, people sign reviews, services sign what `may` lists. Anything else is \
         set aside, whoever signed it.",
        "sign the statement with the key that the policy gives to the right principal",
    ),
    entry(
        "agent.id_mismatch",
        Invalid,
        "the statement names another agent than its signer is",
        "`agent.id` is a claim. It must equal the agent that the policy finds through the signing key.",
        "set the agent's id in the configuration of `attest` to the id in the policy",
    ),
    entry(
        "evidence.other_type",
        Finding,
        "evidence of a type that nothing here needs",
        "The statement is well signed, but no requirement takes evidence of this predicate type. \
         Look-alikes of a known type (another case, a trailing slash, another version) are other types.",
        "nothing to do, unless the type was meant to be another one",
    ),
    entry(
        "candidates.too_many",
        Error,
        "more evidence of known signers than one question may bring",
        "Evidence of unknown signers is filtered out first and never counts towards this cap. Reaching it \
         means that the question cannot be decided.",
        "judge a smaller range",
    ),
    entry(
        "trust.no_named_root",
        Usage,
        "none of the trusted roots that the policy names is at hand",
        "Trust comes from files that the verifier chose. None was given, or none of those that the policy \
         names.",
        "pass `--trusted-root NAME=FILE`, or configure the roots that the policy names",
    ),
    entry(
        "range.no_commits",
        Error,
        "the change has no commits",
        "Trees that differ come about through commits, and their authors do not approve their own work. Without the \
         commits nobody could be excluded, so nothing is decided.",
        "name the commits of the change, or the heads of its pull requests",
    ),
    entry(
        "suspect.unsupported",
        Error,
        "the protected branch lists suspects, which this version does not read",
        "Ignoring `.touchmark/suspects/` silently could let through what somebody has warned about, so \
         nothing is decided.",
        "use a version that reads suspects",
    ),
    entry(
        "tlog.self_operated",
        Missing,
        "logged only by a log that the signer runs",
        "A log run by the signer is storage, not transparency: it proves nothing against the signer. A \
         log with no named operator counts as the signer's own.",
        "publish to a log run by somebody else, name its operator in the trusted root, or set \
         `trust.log.self = \"allow\"`",
    ),
    entry(
        "agent.suspended",
        Denied,
        "the agent is suspended",
        "The policy says `status = \"suspended\"`: no new verdict rests on this agent.",
        "lift the suspension in the policy, or have people account for the change",
    ),
    entry(
        "agent.product",
        Denied,
        "the product or its version is not allowed",
        "The policy limits what this agent may do. A statement that breaks the limits accounts for \
         nothing; where the change cannot be accounted for without it, the broken limit is the reason.",
        "change what the agent did, or have the limit changed in the policy",
    ),
    entry(
        "agent.model",
        Denied,
        "a model that took part is not allowed",
        "Every model that the statement names must match one of the agent's `models`. That the names are \
         true cannot be proven; a wrong name is still a broken rule.",
        "change what the agent did, or have the limit changed in the policy",
    ),
    entry(
        "agent.repository",
        Denied,
        "the agent may not work in this repository",
        "The policy limits what this agent may do. A statement that breaks the limits accounts for \
         nothing; where the change cannot be accounted for without it, the broken limit is the reason.",
        "change what the agent did, or have the limit changed in the policy",
    ),
    entry(
        "agent.ref",
        Denied,
        "the agent may not work on this ref",
        "The policy limits what this agent may do. A statement that breaks the limits accounts for \
         nothing; where the change cannot be accounted for without it, the broken limit is the reason.",
        "change what the agent did, or have the limit changed in the policy",
    ),
    entry(
        "agent.path",
        Denied,
        "the agent changed paths outside its scope",
        "The policy limits what this agent may do. A statement that breaks the limits accounts for \
         nothing; where the change cannot be accounted for without it, the broken limit is the reason.",
        "change what the agent did, or have the limit changed in the policy",
    ),
    entry(
        "agent.policy_path",
        Denied,
        "the agent changed the policy",
        "No agent's scope reaches `.touchmark/`, whatever the policy says.",
        "have a policy-admin make the change alone",
    ),
    entry(
        "agent.too_many_paths",
        Denied,
        "the agent changed more paths than it may",
        "The policy limits what this agent may do. A statement that breaks the limits accounts for \
         nothing; where the change cannot be accounted for without it, the broken limit is the reason.",
        "change what the agent did, or have the limit changed in the policy",
    ),
    entry(
        "agent.too_many_lines",
        Denied,
        "the agent changed more lines than it may",
        "Added and removed lines of all files are counted. Files that cannot be read count as too many.",
        "change what the agent did, or have the limit changed in the policy",
    ),
    entry(
        "agent.prompt_missing",
        Missing,
        "the statement has no prompt commitments",
        "The policy requires commitments to the prompts.",
        "attest from a session whose prompts can be read",
    ),
    entry(
        "agent.prompt_unsalted",
        Invalid,
        "the prompt digest is not salted",
        "A plain digest of a prompt can be guessed. The policy requires salted commitments.",
        "attest without `--plain-prompt-digest` alone",
    ),
    entry(
        "agent.transcript_missing",
        Missing,
        "the transcript that the policy requires is not committed to",
        "The statement has no transcript commitment, or one to a part of the transcript where the whole \
         is required.",
        "attest after the session has ended, from the complete session file",
    ),
    entry(
        "agent.sbom_missing",
        Missing,
        "the SBOM that the policy requires is not named",
        "The policy limits what this agent may do. A statement that breaks the limits accounts for \
         nothing; where the change cannot be accounted for without it, the broken limit is the reason.",
        "change what the agent did, or have the limit changed in the policy",
    ),
    entry(
        "agent.sbom_incomplete",
        Missing,
        "the SBOM leaves out dependencies that the change may change",
        "Lockfiles that could not be read, or not in full, and dependencies beyond the cap of a list are named or \
         counted, not shown. Where the policy asks for `sbom = \"whole\"` such a statement accounts for nothing; where it \
         asks for `sbom = true` it is told and changes nothing about the answer.",
        "let the package manager write the lockfile again in a form that is read, or ask for less in the policy",
    ),
    entry(
        "accounted.residual",
        Missing,
        "no evidence accounts for paths of the change",
        "`added`: the change has the path and no evidence does. `omitted`: evidence changes the path and \
         the change does not. `edited`: the change has something else than the evidence. `conflict`: the \
         evidence started from something else. `undeclared`: the statement itself says that the agent did \
         not write it.",
        "attest the change; where a statement was set aside, mend what its own reason names; or have the paths \
         approved where the policy allows that",
    ),
    entry(
        "accounted.missing_commit",
        Missing,
        "a commit has no statement",
        "The policy says `every-commit = true`.",
        "attest each commit",
    ),
    entry(
        "accounted.contradiction",
        Denied,
        "statements contradict each other about who made a path",
        "Two permitted signers attribute the same path of the same step to different makers. Nobody can \
         tell which one is right, so these paths, and only these, are denied.",
        "find out which statement is wrong and have its signer withdraw it",
    ),
    entry(
        "approval.not_bound",
        Invalid,
        "the review is about another state of the change",
        "An approval counts only for exactly the change it names: repository, target ref, base tree, \
         result tree and head, with every agent change that the lineage relies on named in its evidence.",
        "approve the change as it is now: `touchmark approve`; if only the repository differs, name the one that was \
         approved with `--repo`; if only the target differs, judge the branch under its own name",
    ),
    entry(
        "approval.not_about_change",
        Invalid,
        "the review is not about a change",
        "An approval counts only for exactly the change it names: repository, target ref, base tree, \
         result tree and head, with every agent change that the lineage relies on named in its evidence.",
        "approve the change as it is now: `touchmark approve`",
    ),
    entry(
        "approval.evidence_incomplete",
        Invalid,
        "the reviewer was not shown every agent change",
        "Order is causal: an approval that does not name an agent change was given without it.",
        "approve the change as it is now: `touchmark approve`",
    ),
    entry(
        "approval.scope",
        Invalid,
        "the scope of the review has a pattern outside the dialect",
        "An approval counts only for exactly the change it names: repository, target ref, base tree, \
         result tree and head, with every agent change that the lineage relies on named in its evidence.",
        "approve the change as it is now: `touchmark approve`",
    ),
    entry(
        "approval.expired",
        Missing,
        "the approval has expired",
        "An approval counts only for exactly the change it names: repository, target ref, base tree, \
         result tree and head, with every agent change that the lineage relies on named in its evidence.",
        "approve the change as it is now: `touchmark approve`",
    ),
    entry(
        "approval.rejected",
        Denied,
        "a person rejected the change",
        "A rejection that is found denies, until the same person approves this change and names the \
         rejection in `supersedes`.",
        "settle what the rejection says; then its author runs `touchmark approve --supersedes DIGEST`",
    ),
    entry(
        "approval.author",
        Finding,
        "an approval by somebody who could have made the change",
        "Git authors and committers, the forge's author, and whoever triggered the run do not approve \
         their own work. Names in git are claims, so they are used to exclude only.",
        "have somebody else approve",
    ),
    entry(
        "approval.agent_operator",
        Finding,
        "an approval by somebody who runs the agent",
        "An approval counts only for exactly the change it names: repository, target ref, base tree, \
         result tree and head, with every agent change that the lineage relies on named in its evidence.",
        "have somebody else approve",
    ),
    entry(
        "approval.file_key",
        Finding,
        "an approval by a key or an identity that takes no act of a person",
        "Only signers marked `presence = true` count, unless the rule says `filekeys = true`.",
        "approve with a hardware key or after a login, or let the rule count file keys",
    ),
    entry(
        "policy.admin_approval",
        Approval,
        "a change of the policy lacks the approval of a policy-admin",
        "Changes of `.touchmark/` need a person with `policy-admin = true`. This is not configurable.",
        "have a policy-admin approve",
    ),
    entry(
        "policy.not_alone",
        Denied,
        "a change of the policy comes with other changes",
        "A change of the policy is judged by the policy that is in force, and lands alone.",
        "split the change",
    ),
    entry(
        "policy.rule.*",
        Denied,
        "a rule of the policy is not met",
        "The code ends with the id of the rule. A `gated` rule lacks approvals (exit code 14); a \
         `forbidden` rule lets no change of its paths pass (exit code 12).",
        "see the rule's own message and solution",
    ),
    entry(
        "exception.applied",
        Finding,
        "an exception lifted a rule",
        "The exception is in force and lifts the rule for these paths.",
        "nothing to do",
    ),
    entry(
        "exception.expired",
        Finding,
        "an exception for these paths has expired",
        "The exception would have lifted a rule for these paths, but its time is over.",
        "renew the exception in the policy, or meet the rule",
    ),
    entry(
        "tests.missing",
        Missing,
        "no test result for the result tree",
        "The policy requires tests: a test result for exactly the result tree, signed by a service that \
         may make one. Tests that the agent ran itself are shown, and do not count.",
        "run the tests on the result tree and attest the result: `touchmark attest tests`",
    ),
    entry(
        "tests.failed",
        Denied,
        "a test failed",
        "A service says that a test failed on exactly the tree to land. Where tests are not required this \
         is a finding.",
        "mend the change and test it again",
    ),
    entry(
        "tests.warned",
        Finding,
        "tests passed with warnings",
        "The policy requires tests: a test result for exactly the result tree, signed by a service that \
         may make one. Tests that the agent ran itself are shown, and do not count.",
        "run the tests on the result tree and attest the result: `touchmark attest tests`",
    ),
    entry(
        "tests.other_subject",
        Finding,
        "a test result for something else",
        "The statement has no subject that is the result tree with every digest matching.",
        "run the tests on the result tree and attest the result: `touchmark attest tests`",
    ),
    entry(
        "unclaimed.no_unattested_agent",
        Finding,
        "that no unattested agent helped a person is not claimed",
        "Printed with every verdict so that nobody takes a yes for more than it is.",
        "nothing to do",
    ),
    entry(
        "unclaimed.model_identity",
        Finding,
        "that a model was what its provider calls it is not claimed",
        "Printed with every verdict so that nobody takes a yes for more than it is.",
        "nothing to do",
    ),
    entry(
        "unclaimed.reviewed_code_is_good",
        Finding,
        "that reviewed code is good is not claimed",
        "Printed with every verdict so that nobody takes a yes for more than it is.",
        "nothing to do",
    ),
    entry(
        "unclaimed.no_rejection_exists",
        Finding,
        "that nobody rejected the change is not claimed: rejections count where they are found",
        "Printed with every verdict so that nobody takes a yes for more than it is.",
        "nothing to do",
    ),
    entry(
        "unclaimed.person_behind_key",
        Finding,
        "that a person, and nobody in their place, used their key is not claimed",
        "Printed with every verdict so that nobody takes a yes for more than it is.",
        "nothing to do",
    ),
    entry(
        "unclaimed.evidence_before_landing",
        Finding,
        "that the evidence existed before the change landed is not proven: no verified time says so",
        "Printed with every verdict so that nobody takes a yes for more than it is.",
        "nothing to do",
    ),
    entry(
        "unchecked.file_key_presence",
        Finding,
        "no act of a person was needed for approvals with file keys",
        "Printed with every verdict so that nobody takes a yes for more than it is.",
        "nothing to do",
    ),
    entry(
        "unchecked.log_consistency",
        Finding,
        "checkpoints were not compared with remembered ones",
        "Printed with every verdict so that nobody takes a yes for more than it is.",
        "nothing to do",
    ),
    entry(
        "unchecked.log_witnesses",
        Finding,
        "no witness quorum was asked for",
        "Printed with every verdict so that nobody takes a yes for more than it is.",
        "nothing to do",
    ),
    entry(
        "verdict.no_reason",
        Error,
        "a refusal without a reason",
        "The program refused to judge without saying why. This is a bug; it is never a yes.",
        "report this as a bug",
    ),
];
