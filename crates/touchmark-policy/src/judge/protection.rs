//! The policy protects itself: a change of it needs a policy-admin and lands alone. Not configurable.

use touchmark_statement::repo_path::RepoPath;

use super::approvals;
use super::evaluate::{Found, Scene};
use super::facts::PathFact;
use crate::file::Approvals;
use crate::verdict::Reason;

pub(super) fn apply(scene: &Scene<'_, '_, '_>, found: &mut Found) {
    let policy: Vec<&PathFact<'_, '_>> = scene.facts.iter().filter(|fact| fact.is_policy()).collect();
    if policy.is_empty() {
        return;
    }
    let others: Vec<RepoPath> = scene
        .facts
        .iter()
        .filter(|fact| fact.changes && !fact.is_policy())
        .map(|fact| fact.path.clone())
        .collect();
    if !others.is_empty() {
        let reason = Reason::new("policy.not_alone").expected("a change of the policy alone");
        found.reasons.push(reason.found("other paths too").paths(others));
    }
    // Teams and numbers of the gate do not apply; whose keys count, and who does not count at all, does.
    let wanted = Approvals {
        people: 1,
        teams: Vec::new(),
        ..scene.policy.merge.approvals.clone()
    };
    let mut unmet: Vec<RepoPath> = Vec::new();
    let mut lacking = String::new();
    for fact in policy {
        let people = scene.people(fact, &wanted, found);
        let admin = people.iter().any(|person| person.policy_admin);
        match approvals::lacking(&wanted, scene.needed(wanted.people, fact), &people) {
            None if admin => {
                found.approved.insert(fact.path.clone());
            }
            other => {
                found.unaccounted |= fact.residual.is_some();
                lacking = other.unwrap_or_else(|| "no policy-admin among them".to_owned());
                unmet.push(fact.path.clone());
            }
        }
    }
    if !unmet.is_empty() {
        found.lacks_approval = true;
        let expected = "approval by a person with `policy-admin = true`";
        found.reasons.push(
            Reason::new("policy.admin_approval")
                .expected(expected)
                .found(lacking)
                .paths(unmet),
        );
    }
}
