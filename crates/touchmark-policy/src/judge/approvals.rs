//! Reviews: which count, whose they are, and which reject.
//!
//! An approval counts only if every field of the change it names matches (once landed: all but the head, since a squash
//! lands the same trees as another commit), it names every agent change that the lineage relies on, and it has not
//! expired. People count once, whatever keys they use.

use std::collections::BTreeSet;

use touchmark_statement::predicate::Predicate;
use touchmark_statement::review::{Review, ReviewDecision};
use touchmark_verify::lineage::{BoundReview, Lineage, ReviewBinding};

use super::admission;
use super::authors::Authors;
use super::gather::Evidence;
use super::request::JudgeRequest;
use crate::file::{Approvals as Wanted, NotCounted, Person, Principal};
use crate::globs::Glob;
use crate::verdict::Reason;

/// What became of one review.
#[derive(Debug)]
pub(super) struct Judged<'e, 'p> {
    pub(super) evidence: &'e Evidence<'p>,
    pub(super) person: &'p Person,
    pub(super) decision: ReviewDecision,
    /// Why it does not count; `None` if it may.
    pub(super) refusal: Option<Refusal>,
    /// `None` for the whole change.
    scope: Option<Vec<Glob>>,
    presence: bool,
}

/// Why a review does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
}

/// All reviews of a change.
#[derive(Debug, Default)]
pub(super) struct Reviews<'e, 'p> {
    pub(super) judged: Vec<Judged<'e, 'p>>,
}

/// Judges every review of the lineage.
pub(super) fn judge<'e, 'p>(
    request: &JudgeRequest<'_>,
    lineage: &Lineage,
    reviews: &'e [Evidence<'p>],
    agent_changes: &[&Evidence<'_>],
) -> Reviews<'e, 'p> {
    let mut judged = Vec::new();
    for bound in lineage.reviews() {
        let Some(evidence) = reviews.get(bound.statement) else {
            continue;
        };
        let (Predicate::Review(review), Principal::Person(person)) =
            (&evidence.verified.statement().predicate, evidence.principal)
        else {
            continue;
        };
        let scope = match &review.scope.paths {
            None => Ok(None),
            Some(paths) => paths
                .iter()
                .map(|path| Glob::parse(path))
                .collect::<Result<Vec<_>, _>>()
                .map(Some),
        };
        let refusal = match &scope {
            // Whoever rejects need not say where in patterns that are understood.
            Err(error) if review.decision == ReviewDecision::Approved => Some(Refusal {
                code: "approval.scope",
                expected: "patterns of the one dialect".to_owned(),
                found: error.to_string(),
            }),
            _ => refuse(request, bound, review, agent_changes),
        };
        judged.push(Judged {
            evidence,
            person,
            decision: review.decision,
            refusal,
            scope: scope.unwrap_or_default(),
            presence: evidence.signer.presence && !admission::is_run(&evidence.verified),
        });
    }
    Reviews { judged }
}

fn refuse(
    request: &JudgeRequest<'_>,
    bound: &BoundReview,
    review: &Review,
    agent_changes: &[&Evidence<'_>],
) -> Option<Refusal> {
    let Some(binding) = bound.binding else {
        let (expected, found) = (
            "a review of a change".to_owned(),
            "a review of something else".to_owned(),
        );
        return Some(Refusal {
            code: "approval.not_about_change",
            expected,
            found,
        });
    };
    let is_about_this = match review.decision {
        ReviewDecision::Approved => {
            // What was reviewed may land as another commit, as after a squash: its bytes are what was approved.
            let head = binding.head || request.change.landed;
            ReviewBinding { head, ..binding }.is_exact()
        }
        // Whoever rejects the bytes or the head rejects this change, on whatever base.
        ReviewDecision::Rejected => {
            binding.repository && binding.target_ref && (binding.result_tree || binding.head)
        }
    };
    if !is_about_this {
        let expected = "every field of the change as it is judged".to_owned();
        return Some(Refusal {
            code: "approval.not_bound",
            expected,
            found: differing(&binding),
        });
    }
    if review.decision == ReviewDecision::Rejected {
        return None;
    }
    if let Some(expired) = review.expires_at.filter(|expires| *expires <= request.at) {
        let expected = format!("an approval valid at {}", request.at);
        return Some(Refusal {
            code: "approval.expired",
            expected,
            found: format!("it expired at {expired}"),
        });
    }
    if !bound.not_shown.is_empty() {
        let names: Vec<String> = bound
            .not_shown
            .iter()
            .filter_map(|index| agent_changes.get(*index))
            .map(|evidence| evidence.verified.payload_digest().to_string())
            .collect();
        let expected = "every agent change relied on, named in `evidence`".to_owned();
        let found = format!("not named: {}", names.join(", "));
        return Some(Refusal {
            code: "approval.evidence_incomplete",
            expected,
            found,
        });
    }
    None
}

fn differing(binding: &ReviewBinding) -> String {
    let fields = [
        ("repository", binding.repository),
        ("targetRef", binding.target_ref),
        ("baseTree", binding.base_tree),
        ("resultTree", binding.result_tree),
        ("head", binding.head),
        ("subjects", binding.subjects),
    ];
    let differ: Vec<&str> = fields
        .iter()
        .filter(|(_, same)| !same)
        .map(|(name, _)| *name)
        .collect();
    format!("different: {}", differ.join(", "))
}

impl<'e, 'p> Reviews<'e, 'p> {
    fn approvals(&self) -> impl Iterator<Item = &Judged<'e, 'p>> {
        self.judged
            .iter()
            .filter(|judged| judged.counts() && judged.decision == ReviewDecision::Approved)
    }

    /// Returns the people whose approval of the path counts towards what is wanted.
    pub(super) fn people(&self, path: &[u8], wanted: &Wanted, authors: &Authors) -> BTreeSet<&'p Person> {
        let covers = |judged: &Judged<'_, '_>| match &judged.scope {
            None => true,
            Some(globs) => globs.iter().any(|glob| glob.matches(path)),
        };
        self.approvals()
            .filter(|judged| judged.presence || wanted.filekeys)
            .filter(|judged| !excluded(judged.person, &wanted.not, authors))
            .filter(|judged| covers(judged))
            .map(|judged| judged.person)
            .collect()
    }

    /// Returns the approvals that could never count for one of these reasons, as findings.
    pub(super) fn uncounted(&self, authors: &Authors) -> Vec<(&Judged<'e, 'p>, &'static str)> {
        self.approvals()
            .filter_map(|judged| {
                let code = if authors.authors.contains(&judged.person.id) {
                    "approval.author"
                } else if authors.operators.contains(&judged.person.id) {
                    "approval.agent_operator"
                } else if !judged.presence {
                    "approval.file_key"
                } else {
                    return None;
                };
                Some((judged, code))
            })
            .collect()
    }

    /// Returns a reason for each rejection that its author has not superseded.
    pub(super) fn rejections(&self) -> Vec<Reason> {
        let superseded = |rejection: &Judged<'_, '_>| {
            self.approvals().any(|approval| {
                approval.person.id == rejection.person.id
                    && approval
                        .review()
                        .and_then(|review| review.supersedes.as_ref())
                        .is_some_and(|set| set.sha256() == Some(rejection.evidence.verified.payload_digest()))
            })
        };
        self.judged
            .iter()
            .filter(|judged| judged.counts() && judged.decision == ReviewDecision::Rejected)
            .filter(|judged| !superseded(judged))
            .map(|judged| {
                let said = judged.review().and_then(|review| review.reason.as_deref());
                Reason::new("approval.rejected")
                    .statement(judged.evidence.verified.payload_digest())
                    .found(format!(
                        "{}: {}",
                        judged.person.id,
                        said.unwrap_or("no reason given")
                    ))
            })
            .collect()
    }
}

impl Judged<'_, '_> {
    /// Returns whether the review is about this change and in force.
    pub(super) fn counts(&self) -> bool {
        self.refusal.is_none()
    }

    fn review(&self) -> Option<&Review> {
        self.evidence.verified.statement().predicate.as_review()
    }
}

fn excluded(person: &Person, not: &[NotCounted], authors: &Authors) -> bool {
    not.iter().any(|kind| match kind {
        NotCounted::Author => authors.authors.contains(&person.id),
        NotCounted::AgentOperators => authors.operators.contains(&person.id),
    })
}

/// What approvals lack, for one path; `None` if nothing.
pub(super) fn lacking(wanted: &Wanted, needed: u32, people: &BTreeSet<&Person>) -> Option<String> {
    let has = |team: &String| people.iter().filter(|person| person.teams.contains(team)).count();
    let mut lacking = Vec::new();
    if people.len() < needed as usize {
        lacking.push(format!("{} of {needed} people", people.len()));
    }
    for (team, count) in &wanted.teams {
        if has(team) < *count as usize {
            lacking.push(format!("{} of {count} from team {team}", has(team)));
        }
    }
    (!lacking.is_empty()).then(|| lacking.join(", "))
}
