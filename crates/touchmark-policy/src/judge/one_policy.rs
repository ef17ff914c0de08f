//! Judges a change by one policy.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_statement::predicate::Predicate;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::lineage::SetAsideReason;

use super::cross_check::{self, Checked};
use super::evaluate::{Evaluation, Undecided, evaluate};
use super::gather::{self, Aside, Evidence, Gathered, Kind, finding, sentence};
use super::request::{JudgeRequest, PolicyInForce};
use super::test_evidence::{self, Tested};
use super::{agent_rules, freshness};
use crate::agreement::RunPlace;
use crate::exit::Class;
use crate::file::{Contradictions, Principal};
use crate::reason::registry;
use crate::verdict::{CheckpointUsed, Findings, NotChecked, Reason, StatementFinding, StatementStatus};

/// What one policy says, and what it rests on.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) findings: Findings,
    pub(super) checkpoints: Vec<CheckpointUsed>,
    pub(super) evidence: Vec<String>,
}

/// Judges a change by one policy. `label` names the policy where there are several.
pub(super) fn judge(request: &JudgeRequest<'_>, used: &PolicyInForce<'_>, label: Option<&str>) -> Outcome {
    let mut outcome = Outcome::default();
    let gathered = gather::gather(request, used.policy);
    outcome.note_inputs(&gathered);
    let stopped = freshness::judge(request, used)
        .map_err(Undecided::from)
        .and_then(|reasons| {
            outcome.findings.reasons.extend(reasons);
            outcome.findings.reasons.extend(gathered.reasons.iter().cloned());
            let stop = outcome
                .findings
                .reasons
                .iter()
                .any(|reason| reason.class != Class::Finding);
            if stop {
                Ok(())
            } else {
                judge_evidence(request, used, &gathered, &mut outcome)
            }
        });
    if let Err(undecided) = stopped {
        let reason = Reason::new(undecided.code()).found(sentence(&undecided));
        // Whatever the code says of itself, a question without an answer is never a yes.
        let class = if reason.class.decision().is_some() {
            reason.class
        } else {
            Class::Error
        };
        outcome.findings.reasons.push(reason.class(class));
    }
    if outcome.findings.statements.is_empty() {
        outcome
            .findings
            .statements
            .extend(gathered.aside.iter().map(|aside| aside.finding.clone()));
    }
    outcome.name(label);
    outcome
}

/// An agent change, and the rules for its agent that it breaks.
struct Claimed<'g, 'p> {
    evidence: &'g Evidence<'p>,
    broken: Vec<Reason>,
    /// What is worth knowing of it where the answer rests on it.
    noted: Option<Reason>,
    checked: Checked,
}

fn judge_evidence(
    request: &JudgeRequest<'_>,
    used: &PolicyInForce<'_>,
    gathered: &Gathered<'_>,
    outcome: &mut Outcome,
) -> Result<(), Undecided> {
    let policy = used.policy;
    let mut claimed: Vec<Claimed<'_, '_>> = Vec::with_capacity(gathered.agent_changes.len());
    for evidence in &gathered.agent_changes {
        let (mut broken, mut noted, mut checked) = (Vec::new(), None, Checked::default());
        if let (Predicate::AgentChange(change), Principal::Agent(agent)) =
            (&evidence.verified.statement().predicate, evidence.principal)
        {
            broken = agent_rules::broken(request, policy, agent, evidence, change);
            noted = agent_rules::noted(agent, evidence, change);
            checked = cross_check::check(request, change)?;
            let statement = evidence.verified.payload_digest();
            let reasons = cross_check::classed(&checked.reasons, policy).into_iter();
            checked.reasons = reasons.map(|reason| reason.statement(statement)).collect();
            if policy.contradictions == Contradictions::Deny {
                broken.extend(checked.reasons.iter().cloned());
            }
        }
        claimed.push(Claimed {
            evidence,
            broken,
            noted,
            checked,
        });
    }
    let tested = test_evidence::judge(request, &gathered.tests, policy.merge.tests)?;
    let sound: Vec<&Evidence<'_>> = claimed
        .iter()
        .filter(|claim| claim.broken.is_empty())
        .map(|claim| claim.evidence)
        .collect();
    let mut agent_changes = sound;
    let mut evaluation = evaluate(request, policy, &agent_changes, gathered)?;
    // A statement that breaks its agent's rules never stands in the way of a yes. Where the change is not accounted for
    // without it, the rules it breaks are the better reason.
    if evaluation.unaccounted && agent_changes.len() < claimed.len() {
        let all: Vec<&Evidence<'_>> = claimed.iter().map(|claim| claim.evidence).collect();
        let with_all = evaluate(request, policy, &all, gathered)?;
        let relied_on: BTreeSet<usize> = with_all
            .lineage
            .relied_on()
            .map(|change| change.statement)
            .collect();
        let mut broken: Vec<Reason> = Vec::new();
        for (_, claim) in claimed.iter().enumerate().filter(|(i, _)| relied_on.contains(i)) {
            broken.extend(claim.broken.iter().cloned());
        }
        if !broken.is_empty() {
            (agent_changes, evaluation) = (all, with_all);
            evaluation.reasons.extend(broken);
        }
    }
    evaluation
        .reasons
        .extend(noted(request, used, &claimed, &evaluation)?);
    conclude(gathered, &claimed, &agent_changes, evaluation, tested, outcome);
    Ok(())
}

/// What is to be said of the statements that the answer rests on, what other sources say against them, and against the
/// commits beside them.
fn noted(
    request: &JudgeRequest<'_>,
    used: &PolicyInForce<'_>,
    claimed: &[Claimed<'_, '_>],
    evaluation: &Evaluation<'_, '_>,
) -> Result<Vec<Reason>, Undecided> {
    let ids: BTreeSet<EvidenceId> = evaluation
        .lineage
        .relied_on()
        .map(|change| change.evidence)
        .collect();
    let relied_on: Vec<&Claimed<'_, '_>> = claimed
        .iter()
        .filter(|claim| ids.contains(&claim.evidence.verified.evidence_id()))
        .collect();
    let mut reasons: Vec<Reason> = relied_on.iter().filter_map(|claim| claim.noted.clone()).collect();
    // Those that break a rule of the policy for it have said so.
    for claim in relied_on.iter().filter(|claim| claim.broken.is_empty()) {
        reasons.extend(claim.checked.reasons.iter().cloned());
    }
    let checked: Vec<&Checked> = relied_on.iter().map(|claim| &claim.checked).collect();
    if !checked.is_empty() {
        let beside = cross_check::unattested(request, &checked)?;
        reasons.extend(cross_check::classed(&beside, used.policy));
    }
    Ok(reasons)
}

fn conclude(
    gathered: &Gathered<'_>,
    claimed: &[Claimed<'_, '_>],
    agent_changes: &[&Evidence<'_>],
    evaluation: Evaluation<'_, '_>,
    tested: Tested,
    outcome: &mut Outcome,
) {
    let mut aside = gathered.aside.clone();
    let mut statements: Vec<StatementFinding> = Vec::new();
    agent_statements(claimed, agent_changes, &evaluation, &mut aside, &mut statements);
    review_statements(&evaluation, &mut aside, &mut statements);
    for (i, evidence) in gathered.tests.iter().enumerate() {
        let status = if tested.counted.contains(&i) {
            StatementStatus::ReliedOn
        } else {
            StatementStatus::Shown
        };
        statements.push(finding(evidence, status, &[], None));
    }
    statements.extend(
        gathered
            .shown
            .iter()
            .map(|e| finding(e, StatementStatus::Shown, &[], None)),
    );

    let mut needs: Vec<Kind> = Vec::new();
    if evaluation.lacks_accounting {
        needs.push(Kind::AgentChange);
    }
    if evaluation.lacks_approval {
        needs.push(Kind::Review);
    }
    if tested.missing {
        needs.push(Kind::Test);
    }
    let findings = &mut outcome.findings;
    findings
        .reasons
        .extend(aside.iter().filter_map(|aside| promoted(aside, &needs)));
    statements.extend(aside.into_iter().map(|aside| aside.finding));
    if !evaluation.file_keys.is_empty() {
        let people: Vec<&str> = evaluation.file_keys.iter().map(String::as_str).collect();
        findings.not_checked.push(NotChecked::about(
            "unchecked.file_key_presence",
            people.join(", "),
        ));
    }
    for (check, code) in [
        ("tlog.consistency", "unchecked.log_consistency"),
        ("tlog.witnesses", "unchecked.log_witnesses"),
    ] {
        let skipped = |statement: &StatementFinding| {
            statement.status == StatementStatus::ReliedOn
                && statement
                    .checks
                    .iter()
                    .any(|c| c.name == check && c.outcome != "pass")
        };
        if statements.iter().any(skipped) {
            findings.not_checked.push(NotChecked::new(code));
        }
    }
    runs(gathered, &statements, &mut findings.not_checked);
    findings.statements.extend(statements);
    findings.reasons.extend(evaluation.reasons);
    findings.reasons.extend(tested.reasons);
    findings.accounted = evaluation.accounted;
}

/// What rests on the certificates of runs, and what those do not say.
fn runs(gathered: &Gathered<'_>, statements: &[StatementFinding], not_checked: &mut Vec<NotChecked>) {
    let relied_on: BTreeSet<_> = statements
        .iter()
        .filter(|statement| statement.status == StatementStatus::ReliedOn)
        .filter_map(|statement| statement.payload)
        .collect();
    let lists = [&gathered.agent_changes, &gathered.reviews, &gathered.tests];
    for evidence in lists.into_iter().flatten() {
        if !relied_on.contains(&evidence.verified.payload_digest()) {
            continue;
        }
        if evidence.place == Some(RunPlace::OtherRepository) {
            not_checked.push(NotChecked::new("unchecked.run_repository"));
        }
        let certificate = evidence.verified.signer().certificate();
        if certificate.is_some_and(|identity| identity.claims.source_repository_uri.is_some()) {
            not_checked.push(NotChecked::new("unclaimed.run_not_misused"));
        }
    }
}

/// Evidence that is wrong becomes a reason only where something it could have been is lacking.
fn promoted(aside: &Aside, needs: &[Kind]) -> Option<Reason> {
    let relevant = match aside.kind {
        Some(kind) => needs.contains(&kind),
        None => !needs.is_empty(),
    };
    let class = registry::explain(&aside.code).map_or(Class::Error, |entry| entry.class);
    if !relevant || matches!(class, Class::Finding | Class::Approval) {
        return None;
    }
    let about = aside
        .finding
        .payload
        .map_or_else(|| aside.finding.source.clone(), |digest| digest.to_string());
    Some(Reason::new(&aside.code).statement(about).found(&aside.detail))
}

fn agent_statements(
    claimed: &[Claimed<'_, '_>],
    agent_changes: &[&Evidence<'_>],
    evaluation: &Evaluation<'_, '_>,
    aside: &mut Vec<Aside>,
    statements: &mut Vec<StatementFinding>,
) {
    let lineage = &evaluation.lineage;
    let used: BTreeSet<EvidenceId> = agent_changes
        .iter()
        .map(|evidence| evidence.verified.evidence_id())
        .collect();
    let relied_on: BTreeSet<EvidenceId> = lineage.relied_on().map(|change| change.evidence).collect();
    let refused: BTreeMap<EvidenceId, &SetAsideReason> = lineage
        .set_aside()
        .iter()
        .map(|set_aside| (set_aside.evidence, &set_aside.reason))
        .collect();
    for claim in claimed {
        let codes: Vec<String> = claim.broken.iter().map(|reason| reason.code.clone()).collect();
        let id = claim.evidence.verified.evidence_id();
        if !used.contains(&id) {
            statements.push(finding(claim.evidence, StatementStatus::SetAside, &codes, None));
            continue;
        }
        if let Some(reason) = refused.get(&id) {
            let (code, detail) = (reason.code().to_owned(), sentence(*reason));
            let finding = finding(
                claim.evidence,
                StatementStatus::SetAside,
                std::slice::from_ref(&code),
                Some(&detail),
            );
            aside.push(Aside {
                finding,
                code,
                detail,
                kind: Some(Kind::AgentChange),
            });
            continue;
        }
        let status = if relied_on.contains(&id) {
            StatementStatus::ReliedOn
        } else {
            StatementStatus::Shown
        };
        statements.push(finding(claim.evidence, status, &codes, None));
    }
}

fn review_statements(
    evaluation: &Evaluation<'_, '_>,
    aside: &mut Vec<Aside>,
    statements: &mut Vec<StatementFinding>,
) {
    for judged in &evaluation.reviews.judged {
        match &judged.refusal {
            None => statements.push(finding(judged.evidence, StatementStatus::ReliedOn, &[], None)),
            Some(refusal) => {
                let detail = format!("expected {}; {}", refusal.expected, refusal.found);
                let code = refusal.code.to_owned();
                let finding = finding(
                    judged.evidence,
                    StatementStatus::SetAside,
                    std::slice::from_ref(&code),
                    Some(&detail),
                );
                aside.push(Aside {
                    finding,
                    code,
                    detail,
                    kind: Some(Kind::Review),
                });
            }
        }
    }
}

impl Outcome {
    fn note_inputs(&mut self, gathered: &Gathered<'_>) {
        let lists = [
            &gathered.agent_changes,
            &gathered.reviews,
            &gathered.tests,
            &gathered.shown,
        ];
        for evidence in lists.into_iter().flatten() {
            self.evidence.push(evidence.verified.evidence_id().to_string());
            let proven = evidence.verified.logs().iter();
            self.checkpoints.extend(proven.filter_map(|log| {
                let checkpoint = log.checkpoint.as_ref()?;
                Some(CheckpointUsed {
                    origin: log.origin.clone(),
                    size: checkpoint.size(),
                    root: checkpoint.root().to_string(),
                })
            }));
        }
    }

    fn name(&mut self, label: Option<&str>) {
        let Some(label) = label else { return };
        for reason in &mut self.findings.reasons {
            reason.policy = Some(label.to_owned());
        }
        for statement in &mut self.findings.statements {
            statement.policy = Some(label.to_owned());
        }
        for approval in &mut self.findings.accounted.approvals {
            approval.policy = Some(label.to_owned());
        }
        for rule in &mut self.findings.accounted.rules {
            rule.policy = Some(label.to_owned());
        }
    }
}
