//! Applies one policy to one lineage: accounting, rules, the policy's protection of itself.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_statement::agent_change::Attribution;
use touchmark_statement::predicate::Predicate;
use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::git_view::GitViewError;
use touchmark_verify::lineage::{Lineage, LineageError, PathClass};

use super::approvals::{self, Reviews};
use super::authors::{self, Authors};
use super::facts::{self, PathFact};
use super::gather::{Evidence, Gathered};
use super::request::JudgeRequest;
use crate::exit::Class;
use crate::file::{Approvals, Person, Policy, Residual};
use crate::verdict::{Account, Accounted, ApprovalAccount, PathAccount, Reason};

/// What one policy says to one set of agent changes.
#[derive(Debug)]
pub(super) struct Evaluation<'e, 'p> {
    pub(super) lineage: Lineage,
    pub(super) reasons: Vec<Reason>,
    pub(super) accounted: Accounted,
    pub(super) reviews: Reviews<'e, 'p>,
    /// People whose file keys were counted.
    pub(super) file_keys: BTreeSet<String>,
    /// Whether evidence is lacking that accounts for the bytes.
    pub(super) lacks_accounting: bool,
    /// Whether agent changes could account for what neither evidence nor people account for.
    pub(super) unaccounted: bool,
    /// Whether approvals are lacking.
    pub(super) lacks_approval: bool,
}

/// Why the question has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undecided {
    #[error(transparent)]
    Lineage(#[from] LineageError),
    #[error(transparent)]
    Git(#[from] GitViewError),
}

impl Undecided {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Lineage(error) => error.code(),
            Self::Git(error) => error.code(),
        }
    }
}

/// The parts that every check here looks at.
pub(super) struct Scene<'s, 'e, 'p> {
    pub(super) request: &'s JudgeRequest<'s>,
    pub(super) policy: &'p Policy,
    pub(super) facts: &'s [PathFact<'s, 'p>],
    pub(super) reviews: &'s Reviews<'e, 'p>,
    pub(super) authors: &'s Authors,
}

/// What the checks find.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) reasons: Vec<Reason>,
    /// People whose approval was counted, by path.
    pub(super) people: BTreeMap<RepoPath, BTreeSet<String>>,
    /// Residual paths that people approved.
    pub(super) approved: BTreeSet<RepoPath>,
    pub(super) rules: Vec<crate::verdict::RuleAccount>,
    pub(super) file_keys: BTreeSet<String>,
    pub(super) lacks_accounting: bool,
    pub(super) unaccounted: bool,
    pub(super) lacks_approval: bool,
}

/// Evaluates the policy on the agent changes and reviews given.
pub(super) fn evaluate<'e, 'p>(
    request: &JudgeRequest<'_>,
    policy: &'p Policy,
    agent_changes: &[&Evidence<'p>],
    gathered: &'e Gathered<'p>,
) -> Result<Evaluation<'e, 'p>, Undecided> {
    let reviews = gathered.reviews.as_slice();
    let statements: Vec<_> = agent_changes
        .iter()
        .map(|evidence| evidence.verified.clone())
        .collect();
    let reviewed: Vec<_> = reviews.iter().map(|evidence| evidence.verified.clone()).collect();
    let lineage = Lineage::build(request.change, &statements, &reviewed, request.git)?;
    let facts = facts::collect(&lineage, policy);
    let relied_on: BTreeSet<EvidenceId> = lineage.relied_on().map(|change| change.evidence).collect();
    let concerned: Vec<&Evidence<'_>> = gathered
        .agent_changes
        .iter()
        .filter(|evidence| {
            relied_on.contains(&evidence.verified.evidence_id()) || authors::ends_here(request, evidence)
        })
        .collect();
    let authors = authors::find(request, policy, &concerned, reviews)?;
    let reviews = approvals::judge(request, &lineage, reviews, agent_changes);
    let scene = Scene {
        request,
        policy,
        facts: &facts,
        reviews: &reviews,
        authors: &authors,
    };

    let mut found = Found {
        reasons: reviews.rejections(),
        ..Found::default()
    };
    super::protection::apply(&scene, &mut found);
    residual(&scene, &mut found);
    super::rules::apply(&scene, &mut found);
    missing_commits(policy, &lineage, &mut found);
    contradictions(&lineage, agent_changes, &mut found);
    findings(&lineage, agent_changes, &mut found);
    let approvals = approval_accounts(&reviews, &authors, &mut found);

    let accounted = Accounted {
        paths: facts
            .iter()
            .map(|fact| account(fact, &found, agent_changes))
            .collect(),
        commits_without_statement: lineage
            .missing()
            .iter()
            .map(|missing| missing.commit.clone())
            .collect(),
        approvals,
        rules: found.rules,
    };
    let Found {
        reasons,
        file_keys,
        lacks_accounting,
        unaccounted,
        lacks_approval,
        ..
    } = found;
    drop(facts);
    Ok(Evaluation {
        lineage,
        reasons,
        accounted,
        reviews,
        file_keys,
        lacks_accounting,
        unaccounted,
        lacks_approval,
    })
}

impl<'p> Scene<'_, '_, 'p> {
    /// Returns whether somebody other than git says who made the change.
    fn has_verified_author(&self) -> bool {
        self.request.forge_author.is_some()
    }

    /// Returns how many people a path needs. Whoever wrote residual bytes could be the one who approves them, so
    /// without a verified author one more distinct person is needed.
    pub(super) fn needed(&self, people: u32, fact: &PathFact<'_, '_>) -> u32 {
        let unverified = fact.residual.is_some() && !self.has_verified_author();
        people.saturating_add(u32::from(unverified))
    }

    /// Returns the people who count for the path, and notes them.
    pub(super) fn people(
        &self,
        fact: &PathFact<'_, '_>,
        wanted: &Approvals,
        found: &mut Found,
    ) -> BTreeSet<&'p Person> {
        let people = self.reviews.people(fact.path.as_bytes(), wanted, self.authors);
        if !people.is_empty() {
            let names = people.iter().map(|person| person.id.clone());
            found.people.entry(fact.path.clone()).or_default().extend(names);
        }
        if wanted.filekeys {
            let strict = Approvals {
                filekeys: false,
                ..wanted.clone()
            };
            let present = self.reviews.people(fact.path.as_bytes(), &strict, self.authors);
            found
                .file_keys
                .extend(people.difference(&present).map(|person| person.id.clone()));
        }
        people
    }
}

/// Paths that nothing accounts for. Those of the policy have their own rule.
fn residual(scene: &Scene<'_, '_, '_>, found: &mut Found) {
    let mut unmet: BTreeMap<(&str, Option<String>), Vec<RepoPath>> = BTreeMap::new();
    for fact in scene.facts.iter().filter(|fact| !fact.is_policy()) {
        let Some(kind) = fact.residual else { continue };
        let lacking = match scene.policy.merge.residual {
            Residual::Forbid | Residual::Allow => None,
            Residual::Approval => {
                let wanted = &scene.policy.merge.approvals;
                let people = scene.people(fact, wanted, found);
                match approvals::lacking(wanted, scene.needed(wanted.people, fact), &people) {
                    Some(lacking) => Some(lacking),
                    None => {
                        found.approved.insert(fact.path.clone());
                        continue;
                    }
                }
            }
        };
        unmet.entry((kind, lacking)).or_default().push(fact.path.clone());
    }
    for ((kind, lacking), paths) in unmet {
        let class = match scene.policy.merge.residual {
            Residual::Forbid => Class::Missing,
            Residual::Approval => Class::Approval,
            Residual::Allow => Class::Finding,
        };
        found.lacks_accounting |= class != Class::Finding;
        found.unaccounted |= class != Class::Finding;
        found.lacks_approval |= class == Class::Approval;
        let mut reason = Reason::new("accounted.residual")
            .class(class)
            .found(kind)
            .paths(paths);
        reason = match lacking {
            Some(lacking) => reason.expected(format!("evidence, or approval: {lacking}")),
            None => reason.expected("evidence that accounts for the path"),
        };
        found.reasons.push(reason);
    }
}

fn missing_commits(policy: &Policy, lineage: &Lineage, found: &mut Found) {
    if !policy.merge.every_commit {
        return;
    }
    for missing in lineage.missing() {
        found.lacks_accounting = true;
        found.unaccounted = true;
        let reason = Reason::new("accounted.missing_commit").expected("a statement for every commit");
        found.reasons.push(
            reason
                .found(&missing.commit)
                .paths(missing.residual.iter().cloned()),
        );
    }
}

/// Statements about the same step that attribute a path to different makers: nobody can tell which one is right, so
/// these paths, and only these, are denied.
fn contradictions(lineage: &Lineage, agent_changes: &[&Evidence<'_>], found: &mut Found) {
    let mut said: BTreeMap<(&str, &str, &RepoPath), BTreeSet<&str>> = BTreeMap::new();
    for bound in lineage.changes() {
        let Some(evidence) = agent_changes.get(bound.statement) else {
            continue;
        };
        let Predicate::AgentChange(claim) = &evidence.verified.statement().predicate else {
            continue;
        };
        let step = (
            claim.change.base.git_tree.as_str(),
            claim.change.proposed.git_tree.as_str(),
        );
        for row in claim.change.paths.iter().flatten() {
            let maker = match row.attribution {
                Attribution::Agent => "agent",
                Attribution::Human => "human",
                Attribution::Mixed => "mixed",
                Attribution::Unknown => continue,
            };
            said.entry((step.0, step.1, &row.path)).or_default().insert(maker);
        }
    }
    let disagree = said.into_iter().filter(|(_, makers)| makers.len() > 1);
    let paths: BTreeSet<RepoPath> = disagree.map(|((_, _, path), _)| path.clone()).collect();
    if !paths.is_empty() {
        found
            .reasons
            .push(Reason::new("accounted.contradiction").paths(paths));
    }
}

/// What is worth a look although it decides nothing.
fn findings(lineage: &Lineage, agent_changes: &[&Evidence<'_>], found: &mut Found) {
    let mut grouped: BTreeMap<(&str, usize), Vec<RepoPath>> = BTreeMap::new();
    for finding in lineage.findings() {
        let paths = grouped.entry((finding.code(), finding.statement())).or_default();
        paths.extend(finding.path().cloned());
    }
    for ((code, statement), paths) in grouped {
        let mut reason = Reason::new(code).class(Class::Finding).paths(paths);
        if let Some(evidence) = agent_changes.get(statement) {
            reason = reason.statement(evidence.verified.payload_digest());
        }
        found.reasons.push(reason);
    }
}

fn approval_accounts(
    reviews: &Reviews<'_, '_>,
    authors: &Authors,
    found: &mut Found,
) -> Vec<ApprovalAccount> {
    let counted: BTreeSet<String> = found.people.values().flatten().cloned().collect();
    let uncounted: BTreeMap<_, _> = reviews
        .uncounted(authors)
        .into_iter()
        .map(|(judged, code)| (judged.evidence.verified.evidence_id(), code))
        .collect();
    let mut accounts = Vec::new();
    for judged in &reviews.judged {
        let statement = judged.evidence.verified.payload_digest();
        let excluded = uncounted.get(&judged.evidence.verified.evidence_id());
        let counts = match judged.decision {
            touchmark_statement::review::ReviewDecision::Approved => {
                judged.counts() && counted.contains(&judged.person.id)
            }
            touchmark_statement::review::ReviewDecision::Rejected => judged.counts(),
        };
        let code = match (&judged.refusal, excluded) {
            (Some(refusal), _) => Some(refusal.code),
            (None, Some(code)) if !counts => Some(*code),
            _ => None,
        };
        if let (Some(code), None) = (code, &judged.refusal) {
            let reason = Reason::new(code).class(Class::Finding).statement(statement);
            found.reasons.push(reason.found(&judged.person.id));
        }
        accounts.push(ApprovalAccount {
            policy: None,
            person: judged.person.id.clone(),
            decision: match judged.decision {
                touchmark_statement::review::ReviewDecision::Approved => "approved",
                touchmark_statement::review::ReviewDecision::Rejected => "rejected",
            }
            .to_owned(),
            statement,
            counted: counts,
            code: code.map(str::to_owned),
        });
    }
    accounts
}

fn account(fact: &PathFact<'_, '_>, found: &Found, agent_changes: &[&Evidence<'_>]) -> PathAccount {
    let account = match (fact.residual, fact.class) {
        (Some(_), _) if found.approved.contains(fact.path) => Account::Approved,
        (None, PathClass::Exact) => Account::Exact,
        (None, PathClass::Replayed { .. }) => Account::Replayed,
        _ => Account::Residual,
    };
    let digests = fact.by.iter().filter_map(|by| agent_changes.get(*by));
    PathAccount {
        path: fact.path.clone(),
        account,
        residual: fact.residual.map(str::to_owned),
        classes: fact.classes.iter().map(|class| (*class).to_owned()).collect(),
        agent_changes: digests
            .map(|evidence| evidence.verified.payload_digest())
            .collect(),
        people: found
            .people
            .get(fact.path)
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        undeclared: fact.undeclared,
    }
}
