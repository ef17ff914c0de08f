//! Applies the rules: every rule that meets a changed path, in whatever order they stand.

use std::collections::BTreeSet;

use touchmark_statement::repo_path::RepoPath;

use super::approvals;
use super::evaluate::{Found, Scene};
use super::facts::PathFact;
use crate::exit::Class;
use crate::file::{Approvals, Exception, Rule, Tier};
use crate::verdict::{Reason, RuleAccount};

pub(super) fn apply(scene: &Scene<'_, '_, '_>, found: &mut Found) {
    for (i, rule) in scene.policy.rules.iter().enumerate() {
        let paths: Vec<&PathFact<'_, '_>> = scene
            .facts
            .iter()
            .filter(|fact| fact.changes && fact.rules.contains(&i))
            .collect();
        if paths.is_empty() {
            continue;
        }
        let paths = without_exceptions(scene, rule, paths, found);
        if !paths.is_empty() {
            apply_one(scene, rule, &paths, found);
        }
    }
}

fn apply_one(scene: &Scene<'_, '_, '_>, rule: &Rule, paths: &[&PathFact<'_, '_>], found: &mut Found) {
    let mut account = RuleAccount {
        policy: None,
        rule: rule.id.clone(),
        tier: "free".to_owned(),
        met: true,
        paths: paths.len(),
        people: Vec::new(),
        needed: 0,
    };
    match &rule.tier {
        Tier::Free => {}
        Tier::Forbidden => {
            account.tier = "forbidden".to_owned();
            account.met = false;
            let reason = reason(rule, Class::Denied)
                .expected("no change of these paths")
                .found("a change");
            found
                .reasons
                .push(reason.paths(paths.iter().map(|fact| fact.path.clone())));
        }
        Tier::Gated(wanted) => {
            account.tier = "gated".to_owned();
            gated(scene, rule, wanted, paths, &mut account, found);
        }
    }
    found.rules.push(account);
}

fn gated(
    scene: &Scene<'_, '_, '_>,
    rule: &Rule,
    wanted: &Approvals,
    paths: &[&PathFact<'_, '_>],
    account: &mut RuleAccount,
    found: &mut Found,
) {
    let mut unmet: Vec<RepoPath> = Vec::new();
    let mut lacking = String::new();
    let mut everywhere: Option<BTreeSet<String>> = None;
    for fact in paths {
        let people = scene.people(fact, wanted, found);
        let needed = scene.needed(wanted.people, fact);
        account.needed = account.needed.max(needed);
        if let Some(lack) = approvals::lacking(wanted, needed, &people) {
            lacking = lack;
            unmet.push(fact.path.clone());
        }
        let names: BTreeSet<String> = people.iter().map(|person| person.id.clone()).collect();
        everywhere = Some(match everywhere {
            None => names,
            Some(others) => others.intersection(&names).cloned().collect(),
        });
    }
    account.people = everywhere.unwrap_or_default().into_iter().collect();
    account.met = unmet.is_empty();
    if !account.met {
        found.lacks_approval = true;
        let mut expected = format!("approval by {} people", account.needed);
        for (team, count) in &wanted.teams {
            expected.push_str(&format!(", {count} from team {team}"));
        }
        if account.needed > wanted.people {
            expected.push_str(": one more than the rule asks, since nothing proves who made a path");
        }
        found.reasons.push(
            reason(rule, Class::Approval)
                .expected(expected)
                .found(lacking)
                .paths(unmet),
        );
    }
}

/// Takes out the paths that an exception in force lifts the rule for, and says so.
fn without_exceptions<'f, 'l, 'p>(
    scene: &Scene<'_, '_, '_>,
    rule: &Rule,
    paths: Vec<&'f PathFact<'l, 'p>>,
    found: &mut Found,
) -> Vec<&'f PathFact<'l, 'p>> {
    let mut left = paths;
    for exception in scene
        .policy
        .exceptions
        .iter()
        .filter(|exception| exception.rule == rule.id)
    {
        let lifts = |fact: &&PathFact<'_, '_>| {
            exception
                .paths
                .iter()
                .any(|glob| glob.matches(fact.path.as_bytes()))
        };
        let (lifted, rest): (Vec<_>, Vec<_>) = left.iter().copied().partition(lifts);
        if lifted.is_empty() {
            continue;
        }
        let expired = exception.until <= scene.request.at;
        found.reasons.push(exception_reason(exception, expired, &lifted));
        if !expired {
            left = rest;
        }
    }
    left
}

fn exception_reason(exception: &Exception, expired: bool, lifted: &[&PathFact<'_, '_>]) -> Reason {
    let code = if expired {
        "exception.expired"
    } else {
        "exception.applied"
    };
    Reason::new(code)
        .found(format!(
            "rule {}, until {}, {}, owner {}",
            exception.rule, exception.until, exception.reason, exception.owner
        ))
        .paths(lifted.iter().map(|fact| fact.path.clone()))
}

fn reason(rule: &Rule, class: Class) -> Reason {
    let (message, help) = match class {
        Class::Approval => ("lacks approvals", "have the change approved: `touchmark approve`"),
        _ => (
            "lets no change of these paths pass",
            "take these paths out of the change, or add an [[exception]]",
        ),
    };
    let mut reason = Reason::new(&format!("policy.rule.{}", rule.id)).class(class);
    reason = reason.message(format!("rule {} {message}", rule.id)).help(help);
    if let Some(message) = &rule.message {
        reason = reason.message(message);
    }
    if let Some(solution) = &rule.solution {
        reason = reason.help(solution);
    }
    reason
}
