//! A statement for people: what the signer says, never what is true.

use std::fmt::Write as _;

use serde::Serialize;
use touchmark_statement::agent_change::{AgentChange, PathRow};
use touchmark_statement::predicate::Predicate;
use touchmark_statement::review::Review;
use touchmark_statement::statement::{SignedStatement, Statement};
use touchmark_statement::test_result::TestResult;

use super::{field, short};
use crate::output::escape;

const MAX_ROWS: usize = 60;

/// Renders a parsed statement.
pub(crate) fn render(signed: &SignedStatement) -> String {
    let statement = signed.statement();
    let mut text = String::new();
    let _ = writeln!(text, "statement sha256:{}", signed.payload_digest());
    let _ = writeln!(text, "{}", field("type", &statement.predicate_type));
    subjects(&mut text, statement);
    match &statement.predicate {
        Predicate::AgentChange(change) => agent_change(&mut text, change),
        Predicate::Review(review) => review_lines(&mut text, review),
        Predicate::TestResult(result) => test_result(&mut text, result),
        other => generic(&mut text, other),
    }
    for pointer in signed.unknown_fields().iter().take(MAX_ROWS) {
        let _ = writeln!(text, "{}", field("unknown", pointer));
    }
    text.truncate(text.trim_end().len());
    text
}

fn subjects(text: &mut String, statement: &Statement) {
    for subject in statement.subject.iter().take(MAX_ROWS) {
        let digests: Vec<String> = subject
            .digest
            .iter()
            .map(|(algorithm, value)| format!("{algorithm}:{}", short(value)))
            .collect();
        let name = subject.name.as_deref().unwrap_or("(no name)");
        let _ = writeln!(
            text,
            "{}",
            field("subject", &format!("{name} {}", digests.join(" ")))
        );
    }
    rest(text, statement.subject.len());
}

fn agent_change(text: &mut String, change: &AgentChange) {
    let agent = &change.agent;
    let mut who = agent.id.clone();
    if let Some(product) = &agent.product {
        let _ = write!(
            who,
            " ({} {})",
            product.name,
            product.version.as_deref().unwrap_or("version unknown")
        );
    }
    let mut rows = vec![("agent", who)];
    rows.extend(agent.instance.clone().map(|instance| ("session", instance)));
    rows.extend(agent.owner.clone().map(|owner| ("owner", owner)));
    rows.extend(change.models.iter().map(|model| {
        (
            "model",
            format!(
                "{}/{} ({}, {} steps)",
                model.provider,
                model.id,
                word(&model.role),
                model.steps
            ),
        )
    }));
    if let Some(prompt) = &change.prompt {
        let human = prompt
            .commitments
            .iter()
            .flatten()
            .filter(|c| word(&c.origin) == "human")
            .count();
        let count = prompt
            .count
            .map_or_else(|| "unknown".to_owned(), |count| count.to_string());
        let root = prompt
            .root
            .map_or_else(String::new, |root| format!(", root {root}"));
        rows.push(("prompts", format!("{count} committed, {human} human{root}")));
    }
    if let Some(transcript) = &change.transcript {
        let line = format!(
            "{}, {}, {} steps",
            transcript.format,
            word(&transcript.complete),
            transcript.steps.count
        );
        rows.push(("transcript", line));
    }
    rows.extend(run_rows(change));
    let git = &change.change;
    rows.push(("repository", git.repository.uri.clone()));
    rows.extend(git.ref_name.clone().map(|name| ("ref", name)));
    rows.push(("base", endpoint(&git.base)));
    rows.push(("proposed", endpoint(&git.proposed)));
    if git.dirty {
        rows.push((
            "dirty",
            "the work tree held more than what is attested".to_owned(),
        ));
    }
    if let Some(sbom) = &change.sbom {
        rows.push((
            "sbom",
            format!(
                "{}, {} dependencies changed",
                sbom.format,
                sbom.dependencies.len()
            ),
        ));
    }
    for (label, value) in rows {
        let _ = writeln!(text, "{}", field(label, &value));
    }
    findings(text, change);
    paths(text, git.paths.as_deref().unwrap_or_default());
    for (label, list) in [("undeclared", &git.undeclared), ("unwritten", &git.unwritten)] {
        for path in list.iter().flatten().take(MAX_ROWS) {
            let _ = writeln!(text, "{}", field(label, &path.to_string()));
        }
    }
}

/// What the statement itself says that its sources contradict each other in.
fn findings(text: &mut String, change: &AgentChange) {
    for finding in change.findings.iter().flatten().take(MAX_ROWS) {
        let values: Vec<String> = finding
            .values
            .iter()
            .map(|value| {
                let name = value.name.as_ref().map(|name| format!(", {name}"));
                format!(
                    "{} ({}{})",
                    value.value,
                    word(&value.source),
                    name.unwrap_or_default()
                )
            })
            .collect();
        let line = format!("{}: {}", finding.code, values.join("; "));
        let _ = writeln!(text, "{}", field("finding", &line));
    }
}

fn test_result(text: &mut String, result: &TestResult) {
    let mut rows = vec![("result", word(&result.result))];
    rows.extend(result.url.clone().map(|url| ("url", url)));
    if let Some(run) = result.run() {
        rows.extend(run.run_by.map(|by| ("run by", word(&by))));
        rows.extend(
            run.agent_marks
                .iter()
                .map(|mark| ("mark", format!("{mark}: within an agent"))),
        );
        rows.extend(run.counts.map(|counts| {
            let line = format!(
                "{} passed, {} flaky, {} skipped, {} failed, {} errors",
                counts.passed, counts.flaky, counts.skipped, counts.failed, counts.errors
            );
            ("tests", line)
        }));
        rows.extend(
            run.command
                .and_then(|command| Some(("exit code", command.exit_code?.to_string()))),
        );
    }
    let failed = result.failed_tests.iter().flatten().take(MAX_ROWS);
    rows.extend(failed.map(|name| ("failed", name.clone())));
    for (label, value) in rows {
        let _ = writeln!(text, "{}", field(label, &value));
    }
}

fn run_rows(change: &AgentChange) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(tools) = &change.tools {
        let calls: u64 = tools.iter().map(|tool| tool.calls).sum();
        rows.push(("tools", format!("{} kinds, {calls} calls", tools.len())));
    }
    if let Some(commands) = &change.commands {
        let tests = commands
            .iter()
            .filter(|command| word(&command.kind) == "test")
            .count();
        rows.push(("commands", format!("{}, {tests} of them tests", commands.len())));
    }
    if let Some(usage) = &change.usage {
        let count =
            |tokens: Option<u64>| tokens.map_or_else(|| "unknown".to_owned(), |tokens| tokens.to_string());
        rows.push((
            "tokens",
            format!(
                "{} in, {} out",
                count(usage.input_tokens),
                count(usage.output_tokens)
            ),
        ));
    }
    rows.extend(change.run.started_at.map(|at| ("started", at.to_string())));
    rows.extend(change.run.ended_at.map(|at| ("ended", at.to_string())));
    rows
}

fn endpoint(endpoint: &touchmark_statement::agent_change::Endpoint) -> String {
    match &endpoint.git_commit {
        Some(commit) => format!("{commit} tree {}", short(endpoint.git_tree.as_str())),
        None => format!("uncommitted, tree {}", endpoint.git_tree),
    }
}

fn paths(text: &mut String, rows: &[PathRow]) {
    for row in rows.iter().take(MAX_ROWS) {
        let line = format!("{} {} ({})", row.status, row.path, word(&row.attribution));
        let _ = writeln!(text, "{}", field("path", &line));
    }
    rest(text, rows.len());
}

fn review_lines(text: &mut String, review: &Review) {
    let mut rows = vec![("decision", word(&review.decision))];
    if let Some(change) = &review.change {
        rows.push(("repository", change.repository.uri.clone()));
        rows.push(("target", change.target_ref.clone()));
        rows.push(("head", change.head.to_string()));
        rows.push(("trees", format!("{} -> {}", change.base_tree, change.result_tree)));
    }
    if let Some(deploy) = &review.deploy {
        rows.push(("environment", deploy.environment.clone()));
    }
    let scope = match &review.scope.paths {
        None => "the whole change".to_owned(),
        Some(globs) => globs.join(", "),
    };
    rows.push(("scope", scope));
    rows.extend(review.reason.clone().map(|reason| ("reason", reason)));
    rows.extend(review.expires_at.map(|at| ("expires", at.to_string())));
    for (label, value) in rows {
        let _ = writeln!(text, "{}", field(label, &value));
    }
}

/// Any other predicate: its JSON, indented and escaped.
fn generic(text: &mut String, predicate: &Predicate) {
    let json = serde_json::to_string_pretty(predicate).unwrap_or_default();
    let _ = writeln!(text, "{}", escape::block(&json));
}

/// The word that JSON uses for an enum's variant.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unknown".to_owned(),
    }
}

fn rest(text: &mut String, rows: usize) {
    if rows > MAX_ROWS {
        let _ = writeln!(text, "  and {} more (--format json lists all)", rows - MAX_ROWS);
    }
}
