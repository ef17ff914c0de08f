//! Codes of the policy file.

use super::registry::{Entry, entry};
use crate::exit::Class::{Invalid, Usage};

pub(super) const CODES: &[Entry] = &[
    entry(
        "policy.empty",
        Usage,
        "the policy file is empty",
        "A policy with no content would decide nothing. It is never read as a policy that allows everything.",
        "write a policy; `touchmark init` makes a first one",
    ),
    entry(
        "policy.too_large",
        Usage,
        "the policy file is larger than the limit",
        "Policy files are read up to 1 MiB.",
        "split the policy, or shorten its lists with patterns",
    ),
    entry(
        "policy.not_utf8",
        Usage,
        "the policy file is not UTF-8",
        "TOML files are UTF-8. The line of the first byte that is not is named.",
        "save the file as UTF-8",
    ),
    entry(
        "policy.syntax",
        Usage,
        "the policy file is not TOML",
        "The file breaks the grammar of TOML 1.0, for instance by a key that stands twice.",
        "mend the line named",
    ),
    entry(
        "policy.version",
        Usage,
        "a policy version that this program does not read",
        "`version` says how the file is to be read. This program reads version 1.",
        "write `version = 1`, or use a newer program",
    ),
    entry(
        "policy.unknown_key",
        Usage,
        "the policy has a key that does not exist",
        "A misspelt key that is silently ignored is a rule that nobody enforces, so unknown keys are refused.",
        "correct or remove the key named",
    ),
    entry(
        "policy.unsupported",
        Usage,
        "the policy asks for something that this version does not enforce",
        "The key is part of the policy language but has no effect in this version. It is refused by name, so that nobody \
         believes in a rule that is not enforced.",
        "remove the key named, or use a version that enforces it",
    ),
    entry(
        "policy.missing_key",
        Usage,
        "the policy lacks a key that it must have",
        "There is no safe default for this key.",
        "add the key named",
    ),
    entry(
        "policy.wrong_type",
        Usage,
        "a policy key has a value of another type",
        "For instance a text where an integer is needed. Nothing is converted silently.",
        "write a value of the type named",
    ),
    entry(
        "policy.value",
        Usage,
        "a policy key has a value that is not allowed",
        "The type is right, the value is not one of those that the key takes.",
        "write one of the values named",
    ),
    entry(
        "policy.glob",
        Usage,
        "a pattern of the policy is outside the one dialect",
        "Patterns have `*` and `?` within a segment and `**` as a whole segment. What other dialects read in another way \
         (`!`, `^`, brackets, braces, backslashes, `..`) is refused rather than guessed.",
        "rewrite the pattern named",
    ),
    entry(
        "policy.threshold",
        Usage,
        "a threshold of the policy is zero, negative or too large",
        "A threshold of zero would be a rule that asks for nothing.",
        "write a number within the range named",
    ),
    entry(
        "policy.duplicate_id",
        Usage,
        "an id stands twice in the policy",
        "Ids of people, agents and services are one name space; ids of rules and of classes are one each.",
        "give the second one another id",
    ),
    entry(
        "policy.ambiguous_signer",
        Usage,
        "a signer of the policy could be two principals",
        "A signature must lead to one principal. A key that stands twice, two identities that one certificate could match, \
         and one mailbox given to two people would let one stand in for the other. Two regular expressions are proven to \
         exclude each other, or refused.",
        "give each principal its own key or identity; where patterns overlap, add what tells them apart, such as \
         `repository-id`",
    ),
    entry(
        "policy.unknown_reference",
        Usage,
        "the policy names something that it does not define",
        "A rule, class, person or team that is named must be defined; most often this is a misspelling.",
        "define the name, or correct it",
    ),
    entry(
        "policy.none",
        Usage,
        "no policy",
        "There is no policy to judge by. The absence of a policy is never a yes.",
        "commit `.touchmark/policy.toml` to the protected branch, or name one with `--policy`",
    ),
    entry(
        "policy.expired",
        Usage,
        "the policy has expired",
        "The policy's `expires` lies before the time of the question. Only a change confined to `.touchmark/` is still \
         judged by it, so that it can be renewed.",
        "renew the policy in a change that touches only `.touchmark/`",
    ),
    entry(
        "policy.rolled_back",
        Invalid,
        "an older policy than the last one seen",
        "The policy's `serial` is lower than the last one this verifier held. Somebody may have put an older, weaker \
         policy back.",
        "use the policy with the serial expected; a changed policy needs a higher serial",
    ),
];
