//! The whole flow of the gate, before merge and after landing.
//!
//! For each policy: is it in force (`freshness`); which candidates are verified statements of principals that may
//! make them (`expected`, `gather`, `admission`); which agent changes keep the rules for their agent (`agent_rules`) and
//! agree with what git and other sources say of who made them (`cross_check`); what the lineage of
//! the rest accounts for, and whether accounting, approvals and rules are met (`evaluate`); what tests say
//! (`test_evidence`). All reasons are collected, and none hides another.

mod admission;
mod agent_rules;
mod approvals;
mod authors;
mod claims;
mod cross_check;
mod evaluate;
mod expected;
mod facts;
mod freshness;
mod gather;
mod lines;
mod one_policy;
mod protection;
mod request;
mod rules;
mod test_evidence;

pub use gather::MAX_KNOWN_CANDIDATES;
pub use request::{Candidate, JudgeRequest, NamedRoot, NamedWitnessPolicy, PolicyInForce};

use std::collections::BTreeMap;

use touchmark_statement::repo_path::RepoPath;

use crate::verdict::{
    Account, Accounted, ChangeInput, Findings, Inputs, NamedDigest, NotChecked, PathAccount, PolicyUsed,
    RanToTheEnd, Reason, Verdict,
};

/// Judges a change. The same request gives the same bytes, in whatever order candidates, roots and policies stand.
pub fn judge(request: &JudgeRequest<'_>) -> Verdict {
    let mut inputs = inputs(request);
    if request.policies.is_empty() {
        return Verdict::refused(vec![Reason::new("policy.none")], inputs);
    }
    let mut findings = Findings {
        not_checked: NotChecked::always(),
        ..Findings::default()
    };
    if request.change.landed {
        findings
            .not_checked
            .push(NotChecked::new("unclaimed.evidence_before_landing"));
    }
    let several = request.policies.len() > 1;
    let mut policies: Vec<&PolicyInForce<'_>> = request.policies.iter().collect();
    policies.sort_by_key(|used| (used.name, used.policy.digest));
    for used in policies {
        let outcome = one_policy::judge(request, used, several.then_some(used.name));
        findings.reasons.extend(outcome.findings.reasons);
        findings.statements.extend(outcome.findings.statements);
        findings.not_checked.extend(outcome.findings.not_checked);
        merge(&mut findings.accounted, outcome.findings.accounted);
        inputs.checkpoints.extend(outcome.checkpoints);
        inputs.evidence.extend(outcome.evidence);
    }
    Verdict::conclude(findings, inputs, RanToTheEnd(()))
}

/// Joins what two policies say of the same paths: the weaker account stands.
fn merge(all: &mut Accounted, other: Accounted) {
    let mut rows: BTreeMap<RepoPath, PathAccount> = std::mem::take(&mut all.paths)
        .into_iter()
        .map(|row| (row.path.clone(), row))
        .collect();
    for row in other.paths {
        match rows.get_mut(&row.path) {
            Some(known) => join(known, row),
            None => _ = rows.insert(row.path.clone(), row),
        }
    }
    all.paths = rows.into_values().collect();
    for commit in other.commits_without_statement {
        if !all.commits_without_statement.contains(&commit) {
            all.commits_without_statement.push(commit);
        }
    }
    all.approvals.extend(other.approvals);
    all.rules.extend(other.rules);
}

fn join(known: &mut PathAccount, row: PathAccount) {
    known.account = known.account.max(row.account);
    if known.account == Account::Residual {
        known.residual = known.residual.take().or(row.residual);
    }
    known.undeclared |= row.undeclared;
    for (list, more) in [(&mut known.classes, row.classes), (&mut known.people, row.people)] {
        list.extend(more);
        list.sort();
        list.dedup();
    }
    for digest in row.agent_changes {
        if !known.agent_changes.contains(&digest) {
            known.agent_changes.push(digest);
        }
    }
}

fn inputs(request: &JudgeRequest<'_>) -> Inputs {
    let change = request.change;
    Inputs {
        tool: request.tool.to_owned(),
        at: request.at,
        change: Some(ChangeInput {
            repository: change.repository.uris.clone(),
            target_ref: change.target_ref.clone(),
            base_commit: change.base_commit.clone(),
            base_tree: change.base_tree.clone(),
            head_commit: change.head_commit.clone(),
            result_tree: change.result_tree.clone(),
            landed: change.landed,
            forge_author: request.forge_author.map(str::to_owned),
        }),
        policies: request
            .policies
            .iter()
            .map(|used| PolicyUsed {
                name: used.name.to_owned(),
                sha256: used.policy.digest,
                serial: used.policy.serial,
            })
            .collect(),
        trusted_roots: request
            .trusted_roots
            .iter()
            .map(|named| NamedDigest {
                name: named.name.to_owned(),
                sha256: named.root.digest(),
            })
            .collect(),
        witness_policies: request
            .witness_policies
            .iter()
            .map(|named| NamedDigest {
                name: named.name.to_owned(),
                sha256: named.digest,
            })
            .collect(),
        checkpoints: Vec::new(),
        evidence: Vec::new(),
    }
}
