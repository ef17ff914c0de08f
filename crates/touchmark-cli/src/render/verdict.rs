//! One screen about a verdict: the answer, why, what a reviewer must look at, what it rests on, what it never claims.

use std::fmt::Write as _;

use touchmark_policy::verdict::{
    Account, CheckFinding, PathAccount, Reason, StatementFinding, StatementStatus, Verdict,
};

use super::{field, short};
use crate::output::escape;

/// How many rows of one kind are shown before the rest is counted.
const MAX_ROWS: usize = 40;

/// Renders the verdict; the exit code is the verdict's own.
pub(crate) fn render(verdict: &Verdict) -> String {
    let mut text = String::new();
    headline(&mut text, verdict);
    reasons(&mut text, verdict.reasons());
    look_at(&mut text, verdict);
    accounted(&mut text, verdict);
    evidence(&mut text, verdict.statements());
    text.push_str("not claimed\n");
    for entry in verdict.not_checked() {
        let _ = writeln!(text, "  - {}", escape::inline(&entry.text));
    }
    text.truncate(text.trim_end().len());
    text
}

fn headline(text: &mut String, verdict: &Verdict) {
    let decision = verdict.decision();
    let _ = writeln!(
        text,
        "verdict: {} (exit {})",
        decision.name(),
        verdict.exit_code().number()
    );
    if !verdict.enforced() {
        let _ = writeln!(
            text,
            "NOT ENFORCED: --exit-zero was given; the process ends with 0 whatever this says"
        );
    }
    if let Some(change) = &verdict.inputs().change {
        let state = if change.landed {
            "landed on"
        } else {
            "would land on"
        };
        let line = format!(
            "{} {state} {}",
            short(change.head_commit.as_str()),
            change.target_ref
        );
        let _ = writeln!(text, "{}", field("change", &line));
        let trees = format!(
            "{} -> {}",
            short(change.base_tree.as_str()),
            short(change.result_tree.as_str())
        );
        let _ = writeln!(text, "{}", field("trees", &trees));
    }
    for policy in &verdict.inputs().policies {
        let line = format!(
            "{} serial {} sha256:{}",
            policy.name,
            policy.serial,
            short(&policy.sha256.to_string())
        );
        let _ = writeln!(text, "{}", field("policy", &line));
    }
    text.push('\n');
}

fn reasons(text: &mut String, reasons: &[Reason]) {
    if reasons.is_empty() {
        return;
    }
    text.push_str("reasons\n");
    for reason in reasons.iter().take(MAX_ROWS) {
        let _ = writeln!(
            text,
            "  {}[{}]: {}",
            reason.class.name(),
            escape::inline(&reason.code),
            escape::inline(&reason.message)
        );
        for (label, value) in [
            ("statement", &reason.statement),
            ("policy", &reason.policy),
            ("expected", &reason.expected),
            ("found", &reason.found),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "    {label:<10} {}", escape::inline(value));
            }
        }
        for path in reason.paths.iter().take(MAX_ROWS) {
            let _ = writeln!(text, "    path       {}", escape::inline(&path.to_string()));
        }
        rest(text, reason.paths.len());
        let _ = writeln!(text, "    help       {}", escape::inline(&reason.help));
    }
    rest(text, reasons.len());
    text.push('\n');
}

/// What a reviewer has to read: residual and undeclared paths, and paths of a class that a rule gates.
fn look_at(text: &mut String, verdict: &Verdict) {
    let rows: Vec<_> = verdict
        .accounted()
        .paths
        .iter()
        .filter(|row| needs_eyes(row))
        .collect();
    if rows.is_empty() {
        return;
    }
    text.push_str("look at\n");
    for row in rows.iter().take(MAX_ROWS) {
        let mut why = Vec::new();
        if row.account == Account::Residual {
            why.push(format!(
                "nothing accounts for it ({})",
                row.residual.as_deref().unwrap_or("residual")
            ));
        }
        if row.undeclared {
            why.push("not declared as the agent's work".to_owned());
        }
        why.extend(
            row.classes
                .iter()
                .filter(|class| is_risky(class))
                .map(|class| format!("class {class}")),
        );
        let _ = writeln!(
            text,
            "  {:<40} {}",
            escape::inline(&row.path.to_string()),
            escape::inline(&why.join(", "))
        );
    }
    rest(text, rows.len());
    text.push('\n');
}

fn needs_eyes(row: &PathAccount) -> bool {
    row.account == Account::Residual || row.undeclared || row.classes.iter().any(|class| is_risky(class))
}

fn is_risky(class: &str) -> bool {
    !matches!(class, "source" | "tests" | "docs")
}

fn accounted(text: &mut String, verdict: &Verdict) {
    let paths = &verdict.accounted().paths;
    let count = |account| paths.iter().filter(|row| row.account == account).count();
    let _ = writeln!(
        text,
        "accounted: {} paths: {} exact, {} replayed, {} approved, {} residual",
        paths.len(),
        count(Account::Exact),
        count(Account::Replayed),
        count(Account::Approved),
        count(Account::Residual)
    );
    for commit in verdict
        .accounted()
        .commits_without_statement
        .iter()
        .take(MAX_ROWS)
    {
        let _ = writeln!(
            text,
            "  missing      no statement names commit {}",
            short(commit.as_str())
        );
    }
    for approval in &verdict.accounted().approvals {
        let counted = match (&approval.code, approval.counted) {
            (_, true) => "counts".to_owned(),
            (Some(code), false) => format!("does not count: {code}"),
            (None, false) => "does not count".to_owned(),
        };
        let line = format!("{} by {}, {counted}", approval.decision, approval.person);
        let _ = writeln!(text, "{}", field("review", &line));
    }
    for rule in &verdict.accounted().rules {
        let state = if rule.met { "pass" } else { "fail" };
        let line = format!(
            "{state} {} ({}, {} of {} people)",
            rule.rule,
            rule.tier,
            rule.people.len(),
            rule.needed
        );
        let _ = writeln!(text, "{}", field("rule", &line));
    }
    text.push('\n');
}

fn evidence(text: &mut String, statements: &[StatementFinding]) {
    if statements.is_empty() {
        return;
    }
    text.push_str("evidence\n");
    for statement in statements.iter().take(MAX_ROWS) {
        let status = match statement.status {
            StatementStatus::ReliedOn => "relied on",
            StatementStatus::Shown => "shown",
            StatementStatus::SetAside => "set aside",
        };
        let name = statement
            .payload
            .map_or_else(|| statement.source.clone(), |digest| format!("sha256:{digest}"));
        let _ = writeln!(text, "  {status}: {}", escape::inline(&name));
        for (label, value) in [
            ("signer", &statement.signer),
            ("principal", &statement.principal),
            ("type", &statement.predicate_type),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "    {label:<10} {}", escape::inline(value));
            }
        }
        if let Some(log) = &statement.log {
            let who = if log.independent {
                ""
            } else {
                " (run by the signer)"
            };
            let _ = writeln!(
                text,
                "    log        {} index {}{who}",
                escape::inline(&log.origin),
                log.index
            );
        }
        checks(text, &statement.checks);
        for code in &statement.codes {
            let _ = writeln!(text, "    code       {}", escape::inline(code));
        }
        for claim in statement.claims.iter().take(MAX_ROWS) {
            let line = format!("{} = {} ({})", claim.pointer, claim.value, claim.vantage.name());
            let _ = writeln!(text, "    claim      {}", escape::inline(&line));
        }
    }
    rest(text, statements.len());
    text.push('\n');
}

/// Those that passed are counted, those that were skipped are named with the reason.
fn checks(text: &mut String, checks: &[CheckFinding]) {
    let (passed, others): (Vec<_>, Vec<_>) = checks.iter().partition(|check| check.outcome == "pass");
    if !passed.is_empty() {
        let _ = writeln!(text, "    checks     {} pass", passed.len());
    }
    for check in others {
        let line = format!("{} {}", check.name, check.outcome);
        let _ = writeln!(text, "    check      {}", escape::inline(&line));
    }
}

fn rest(text: &mut String, rows: usize) {
    if rows > MAX_ROWS {
        let _ = writeln!(text, "    and {} more (--format json lists all)", rows - MAX_ROWS);
    }
}
