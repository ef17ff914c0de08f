//! Codes of what two sources say of one identity.

use super::registry::{Entry, entry};
use crate::exit::Class::Finding;

const HELP: &str = "look at what the sources say and at the session; `[identity] contradictions = \"deny\"` in a \
                    policy makes it a no";

pub(super) const CODES: &[Entry] = &[
    entry(
        "identity.author_differs",
        Finding,
        "a commit was made by another agent than the session's",
        "The author or committer in git is the account of a known agent, and the statement is about a session of \
         another one. Both are claims; a session may have been attested that did not make the commit.",
        HELP,
    ),
    entry(
        "identity.author_is_bot",
        Finding,
        "a commit was made by a bot that is no known agent",
        "The author or committer in git says of itself that it is a bot. What it changed may not be the session's work.",
        HELP,
    ),
    entry(
        "identity.commit_before_session",
        Finding,
        "the commit says that it was written before the session began",
        "The author's time of the newest commit is earlier than the first record of the session that is said to have \
         made it. Clocks and amended commits differ for good reasons too.",
        HELP,
    ),
    entry(
        "identity.concealed",
        Finding,
        "git shows an agent that the statement leaves out",
        "The statement lists who took part, and an author or trailer in the commits it is about names an agent that is \
         not in that list. Whoever judges reads the commits again, so that this cannot be hidden.",
        HELP,
    ),
    entry(
        "identity.declared_differs",
        Finding,
        "the declared agent is the name of another product",
        "The agent's id, as declared by a flag or a setting, is the name of a known agent, and the session is of \
         another one.",
        "declare an id of your own choice, or the product's own name",
    ),
    entry(
        "identity.environment_differs",
        Finding,
        "the environment names another agent than the session",
        "Variables mark the process that attested as started by an agent, and none of those is the agent of the \
         session. Agents start agents, so that one of several marks has to fit, not all.",
        HELP,
    ),
    entry(
        "identity.hook_differs",
        Finding,
        "the hook was called by another agent than the session's",
        "What called the hook is one product, and the session that was attested is another's.",
        HELP,
    ),
    entry(
        "identity.model_differs",
        Finding,
        "the session names two models for one answer",
        "Two records of the session share an answer's identifier and name different models. Both are kept.",
        HELP,
    ),
    entry(
        "identity.repository_differs",
        Finding,
        "the signer's run was in another repository",
        "The token that the signature rests on was issued to a run in one repository, and the remote of the attested \
         repository is another one.",
        "sign where the work is, or name the other repository in the policy",
    ),
    entry(
        "identity.session_differs",
        Finding,
        "two sources name different sessions",
        "A hook, the environment or a trailer names a session of the same agent that is not the one which was attested, \
         nor one that it goes on from.",
        HELP,
    ),
    entry(
        "identity.trailer_differs",
        Finding,
        "a commit's message names another agent than the session's",
        "A trailer such as Co-authored-by names a known agent, and the statement is about a session of another one. \
         Trailers are written by whoever commits; two agents may also have worked on one commit.",
        HELP,
    ),
    entry(
        "session.base_differs",
        Finding,
        "the session says that it began at another commit",
        "The session's own record names the commit it began at, and that is neither the base of the change nor one of its \
         commits. Work that was moved to another base looks like this too.",
        HELP,
    ),
    entry(
        "session.usage_differs",
        Finding,
        "the session's tokens do not add up to the product's own total",
        "The answers of the session hold other numbers of tokens than the product states for the whole. Both are kept.",
        HELP,
    ),
    entry(
        "identity.unattested_agent",
        Finding,
        "a commit names an agent of which no statement speaks",
        "A commit of the change that no statement is about names a known agent as author or in a trailer, and no statement \
         that the answer rests on is of that agent.",
        "attest that agent's session as well",
    ),
];
