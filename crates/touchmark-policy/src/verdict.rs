//! The verdict: one deterministic document that says what was decided, why, and what it does not claim.
//!
//! The same inputs give the same bytes: every list is sorted, nothing reads a clock. A yes can only be built by
//! [`crate::judge::judge`]; everybody else can build refusals ([`Verdict::refused`]).
//! JSON Schema: `schemas/verdict/v1.json`.

mod account;
mod finding;
mod inputs;

use serde::{Deserialize, Serialize};
use touchmark_statement::repo_path::RepoPath;

use crate::exit::{Class, Decision, ExitCode};
use crate::reason::registry;

pub use self::account::{Account, Accounted, ApprovalAccount, PathAccount, RuleAccount};
pub use self::finding::{CheckFinding, Claim, LogAccount, StatementFinding, StatementStatus, Vantage};
pub use self::inputs::{ChangeInput, CheckpointUsed, Inputs, NamedDigest, PolicyUsed};

/// The schema id that every verdict document carries.
pub const VERDICT_SCHEMA: &str = "https://touchmark.dev/schemas/verdict-v1.json";
/// The JSON Schema of verdict documents.
pub const VERDICT_SCHEMA_JSON: &str = include_str!("../../../schemas/verdict/v1.json");
/// The version of the verdict document.
pub const VERDICT_VERSION: u32 = 1;

/// The answer of the gate with everything it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    schema: &'static str,
    version: u32,
    decision: Decision,
    exit_code: u8,
    enforced: bool,
    reasons: Vec<Reason>,
    accounted: Accounted,
    statements: Vec<StatementFinding>,
    not_checked: Vec<NotChecked>,
    inputs: Inputs,
}

/// Proof that the whole flow of the gate ran to its end; only the judge can make one.
#[derive(Debug)]
pub(crate) struct RanToTheEnd(pub(crate) ());

/// What the judge found, before it is decided.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) reasons: Vec<Reason>,
    pub(crate) accounted: Accounted,
    pub(crate) statements: Vec<StatementFinding>,
    pub(crate) not_checked: Vec<NotChecked>,
}

impl Verdict {
    /// Decides. Without a reason against it, this is a yes: hence the marker.
    pub(crate) fn conclude(findings: Findings, inputs: Inputs, _: RanToTheEnd) -> Verdict {
        let decision =
            Decision::strictest(findings.reasons.iter().map(|r| r.class)).unwrap_or(Decision::Allowed);
        Verdict::assemble(decision, findings, inputs)
    }

    /// Returns a verdict that is not a yes, for whatever stopped the question from being judged.
    /// Without a reason of weight it says `verdict.no_reason`.
    pub fn refused(reasons: Vec<Reason>, inputs: Inputs) -> Verdict {
        let mut findings = Findings {
            reasons,
            not_checked: NotChecked::always(),
            ..Findings::default()
        };
        let decision = Decision::strictest(findings.reasons.iter().map(|r| r.class)).unwrap_or_else(|| {
            findings.reasons.push(Reason::new("verdict.no_reason"));
            Decision::Error
        });
        Verdict::assemble(decision, findings, inputs)
    }

    fn assemble(decision: Decision, mut findings: Findings, mut inputs: Inputs) -> Verdict {
        findings.reasons.sort();
        findings.reasons.dedup();
        findings.accounted.paths.sort_by(|a, b| a.path.cmp(&b.path));
        findings.accounted.approvals.sort();
        findings.accounted.approvals.dedup();
        findings.accounted.rules.sort();
        findings
            .statements
            .sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        findings.not_checked.sort();
        findings.not_checked.dedup();
        inputs.sort();
        Verdict {
            schema: VERDICT_SCHEMA,
            version: VERDICT_VERSION,
            decision,
            exit_code: decision.exit_code().number(),
            enforced: true,
            reasons: findings.reasons,
            accounted: findings.accounted,
            statements: findings.statements,
            not_checked: findings.not_checked,
            inputs,
        }
    }

    /// Returns the same verdict marked as not enforced (`--exit-zero`): decision and codes stay.
    pub fn not_enforced(mut self) -> Verdict {
        self.enforced = false;
        self
    }

    /// Returns the decision.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Returns the exit code of the decision, whether or not it is enforced.
    pub fn exit_code(&self) -> ExitCode {
        self.decision.exit_code()
    }

    /// Returns the number the process exits with: the exit code, or 0 when the verdict is not enforced.
    pub fn exit_status(&self) -> u8 {
        if self.enforced {
            self.exit_code().number()
        } else {
            0
        }
    }

    /// Returns false only under `--exit-zero`.
    pub fn enforced(&self) -> bool {
        self.enforced
    }

    /// Returns every reason, the weightiest class first.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Returns what accounts for each changed path.
    pub fn accounted(&self) -> &Accounted {
        &self.accounted
    }

    /// Returns every piece of evidence that was looked at.
    pub fn statements(&self) -> &[StatementFinding] {
        &self.statements
    }

    /// Returns what was not checked, and what a yes never claims.
    pub fn not_checked(&self) -> &[NotChecked] {
        &self.not_checked
    }

    /// Returns what the verdict was made from.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Returns the document: JSON, two spaces, a line feed at the end.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec_pretty(self).expect("a verdict holds only strings, numbers and lists");
        bytes.push(b'\n');
        bytes
    }
}

/// One reason. Its code is stable and documented in the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// What it does to the answer.
    pub class: Class,
    /// The stable code, for instance `accounted.residual`.
    pub code: String,
    /// One line that says what is wrong.
    pub message: String,
    /// The paths it is about, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// The payload digest of the statement, or the name of the evidence, it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// The policy it comes from, where several are in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What would change the answer.
    pub help: String,
}

impl Reason {
    /// Returns a reason with the class, title and help of the registry. A code that the registry does not know
    /// (a bug) is kept and counts as "could not decide".
    pub fn new(code: &str) -> Reason {
        let (class, message, help) = match registry::explain(code) {
            Some(entry) => (entry.class, entry.title, entry.help),
            None => (
                Class::Error,
                "a reason code that this version does not document",
                "report this as a bug",
            ),
        };
        Reason {
            class,
            code: code.to_owned(),
            message: message.to_owned(),
            paths: Vec::new(),
            statement: None,
            policy: None,
            expected: None,
            found: None,
            help: help.to_owned(),
        }
    }

    /// Sets the class where it differs from the registry's.
    pub fn class(mut self, class: Class) -> Reason {
        self.class = class;
        self
    }

    /// Sets the one-line message.
    pub fn message(mut self, message: impl Into<String>) -> Reason {
        self.message = message.into();
        self
    }

    /// Sets what was expected.
    pub fn expected(mut self, expected: impl std::fmt::Display) -> Reason {
        self.expected = Some(expected.to_string());
        self
    }

    /// Sets what was found.
    pub fn found(mut self, found: impl std::fmt::Display) -> Reason {
        self.found = Some(found.to_string());
        self
    }

    /// Sets the paths it is about.
    pub fn paths(mut self, paths: impl IntoIterator<Item = RepoPath>) -> Reason {
        self.paths = paths.into_iter().collect();
        self.paths.sort();
        self.paths.dedup();
        self
    }

    /// Sets the statement or evidence file it is about.
    pub fn statement(mut self, statement: impl std::fmt::Display) -> Reason {
        self.statement = Some(statement.to_string());
        self
    }

    /// Sets the policy it comes from.
    pub fn policy(mut self, policy: impl Into<String>) -> Reason {
        self.policy = Some(policy.into());
        self
    }

    /// Sets what would change the answer.
    pub fn help(mut self, help: impl Into<String>) -> Reason {
        self.help = help.into();
        self
    }
}

/// Something that was not checked, or that a yes never claims.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotChecked {
    /// Stable code, in the registry.
    pub code: String,
    /// One sentence.
    pub text: String,
}

impl NotChecked {
    /// Returns the entry of the registry.
    pub fn new(code: &str) -> NotChecked {
        let text = registry::explain(code).map_or("not documented by this version", |entry| entry.title);
        NotChecked {
            code: code.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Returns the entry with something specific added.
    pub fn about(code: &str, what: impl std::fmt::Display) -> NotChecked {
        let mut entry = NotChecked::new(code);
        entry.text = format!("{}: {what}", entry.text);
        entry
    }

    /// Returns what no verdict ever claims.
    pub fn always() -> Vec<NotChecked> {
        [
            "unclaimed.no_unattested_agent",
            "unclaimed.model_identity",
            "unclaimed.reviewed_code_is_good",
            "unclaimed.no_rejection_exists",
            "unclaimed.person_behind_key",
        ]
        .into_iter()
        .map(NotChecked::new)
        .collect()
    }
}
