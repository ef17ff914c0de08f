//! Whether the statements of one session stand in one line: each place once, each after the one it names.
//!
//! Two statements of one place that say the same (same trees, same predecessor) are one thing said twice. A gap is a
//! finding only: what lies in it may be about other repositories, and a session without gaps proves nothing either.

use std::collections::HashMap;

use touchmark_statement::agent_change::{AgentChange, ChainId};
use touchmark_statement::digest::Sha256Digest;

use super::SetAsideReason;
use crate::evidence::SignerId;

/// One statement of a session.
pub(super) struct Member<'s> {
    pub(super) statement: usize,
    pub(super) signer: SignerId,
    pub(super) payload: Sha256Digest,
    pub(super) claim: &'s AgentChange,
}

/// What became of the sessions.
#[derive(Default)]
pub(super) struct Sessions {
    pub(super) refused: Vec<(usize, SetAsideReason)>,
    pub(super) gaps: Vec<usize>,
}

/// Examines all sessions at once.
pub(super) fn examine(members: &[Member<'_>]) -> Sessions {
    let mut places: HashMap<(SignerId, &ChainId, u64), Vec<&Member<'_>>> = HashMap::new();
    // One payload may be signed by several keys; a session has one.
    let mut by_payload: HashMap<(SignerId, Sha256Digest), &Member<'_>> = HashMap::new();
    for member in members {
        let run = &member.claim.run;
        places
            .entry((member.signer, &run.chain, run.sequence))
            .or_default()
            .push(member);
        by_payload.insert((member.signer, member.payload), member);
    }
    let mut sessions = Sessions::default();
    for member in members {
        let run = &member.claim.run;
        let place = &places[&(member.signer, &run.chain, run.sequence)];
        if place
            .iter()
            .any(|other| !says_the_same(member.claim, other.claim))
        {
            sessions.refused.push((
                member.statement,
                SetAsideReason::SessionForked {
                    sequence: run.sequence,
                },
            ));
            continue;
        }
        let previous = run.previous.as_ref().and_then(|digests| digests.sha256());
        match previous.map(|digest| by_payload.get(&(member.signer, digest))) {
            Some(Some(before)) if is_before(before, member) => {}
            Some(Some(_)) => {
                sessions.refused.push((
                    member.statement,
                    SetAsideReason::SessionSkipped {
                        sequence: run.sequence,
                    },
                ));
            }
            Some(None) => sessions.gaps.push(member.statement),
            None if run.sequence > 0 => sessions.gaps.push(member.statement),
            None => {}
        }
    }
    sessions
}

fn says_the_same(one: &AgentChange, other: &AgentChange) -> bool {
    one.change.base.git_tree == other.change.base.git_tree
        && one.change.proposed.git_tree == other.change.proposed.git_tree
        && one.run.previous == other.run.previous
}

fn is_before(before: &Member<'_>, member: &Member<'_>) -> bool {
    let (earlier, later) = (&before.claim.run, &member.claim.run);
    earlier.chain == later.chain && earlier.sequence.checked_add(1) == Some(later.sequence)
}
