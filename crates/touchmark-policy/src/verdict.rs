//! The verdict: one deterministic document that says what was decided, why, and what it does not claim.
//!
//! The same inputs give the same bytes: every list is sorted, nothing reads a clock. A yes can only be built by
//! [`crate::judge::judge`]; everybody else can build refusals ([`Verdict::refused`]).
//! JSON Schema: `schemas/verdict/v1.json`.

use serde::{Deserialize, Serialize};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::repo_path::RepoPath;
use touchmark_statement::timestamp::Timestamp;

use crate::exit::{Class, Decision, ExitCode};
use crate::reason::registry;

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

/// What accounts for the bytes of the change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accounted {
    /// One row for every path that differs between the base tree and the result tree, sorted by path.
    pub paths: Vec<PathAccount>,
    /// Commits of the change that no statement names, in order.
    pub commits_without_statement: Vec<GitCommitId>,
    /// Every approval and rejection found, counted or not.
    pub approvals: Vec<ApprovalAccount>,
    /// Every rule that a changed path meets.
    pub rules: Vec<RuleAccount>,
}

/// How a changed path is accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// An agent change (or a chain) from the base tree to the result tree.
    Exact,
    /// Applying whole agent changes to the base reproduces the entry.
    Replayed,
    /// A review of this very change covers it.
    Approved,
    /// Nothing accounts for it.
    Residual,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathAccount {
    /// The path.
    pub path: RepoPath,
    /// How it is accounted for.
    pub account: Account,
    /// Why it is residual: `omitted`, `added`, `edited`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual: Option<String>,
    /// Path classes it belongs to, over all policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Payload digests of the agent changes that touch it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agent_changes: Vec<Sha256Digest>,
    /// People whose approval covers it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// True when an agent change lists it as undeclared or as not made by the agent alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub undeclared: bool,
}

/// One approval or rejection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalAccount {
    /// The policy under which it was looked at, where several are in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The principal who signed it.
    pub person: String,
    /// `approved` or `rejected`.
    pub decision: String,
    /// Payload digest of the review.
    pub statement: Sha256Digest,
    /// Whether it counts.
    pub counted: bool,
    /// Why it does not count (a reason code).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// One rule and how far it is met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleAccount {
    /// The policy it is in, where several are in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The rule's id.
    pub rule: String,
    /// `free`, `gated` or `forbidden`.
    pub tier: String,
    /// Whether it is met.
    pub met: bool,
    /// How many paths it is about.
    pub paths: usize,
    /// People who count towards it, for every path it is about.
    pub people: Vec<String>,
    /// How many people it needs.
    pub needed: u32,
}

/// What became of one piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StatementStatus {
    /// The answer rests on it.
    ReliedOn,
    /// Verified and shown; the answer does not rest on it.
    Shown,
    /// Set aside: it did not influence the answer.
    SetAside,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementFinding {
    /// Where it came from (a ref, a file): for people, without any trust.
    pub source: String,
    /// The policy under which it was looked at, where several are in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Payload digest, once verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Sha256Digest>,
    /// Signer fingerprint, as found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The principal that policy finds through the signer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The predicate type, once verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// What became of it.
    pub status: StatementStatus,
    /// Why it was set aside (reason codes, sorted).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// One line for people about the first code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The checks that ran on it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckFinding>,
    /// Its log entry: origin and index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogAccount>,
    /// What it says, with the strength that the verifier computed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
}

impl StatementFinding {
    fn sort_key(&self) -> impl Ord {
        let signer = self.signer.as_deref();
        (
            self.payload,
            &self.source,
            signer,
            self.policy.as_deref(),
            self.status,
            &self.codes,
            &self.detail,
        )
    }
}

/// One check of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckFinding {
    /// The check's name.
    pub name: String,
    /// `pass` or `skipped: why`.
    pub outcome: String,
}

/// Where a statement is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogAccount {
    /// The log's origin.
    pub origin: String,
    /// The index of the entry.
    pub index: u64,
    /// Whether the log counts as run by somebody other than the signer.
    pub independent: bool,
}

/// How strong a claim is, as computed by the verifier. The order is from strongest to weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Vantage {
    /// Recomputed from git by the verifier, or said by a signer that policy marks isolated.
    Observed,
    /// Read from a verified certificate.
    Platform,
    /// Said to come from a harness hook.
    Hook,
    /// Said to come from the session's transcript.
    Transcript,
    /// Said to come from the environment of the run.
    Environment,
    /// Said to come from a commit trailer.
    Trailer,
    /// Said by the signer, with no source named.
    SelfReported,
}

impl Vantage {
    /// Returns the word used in JSON and in evidence.
    pub fn name(self) -> &'static str {
        match self {
            Vantage::Observed => "observed",
            Vantage::Platform => "platform",
            Vantage::Hook => "hook",
            Vantage::Transcript => "transcript",
            Vantage::Environment => "environment",
            Vantage::Trailer => "trailer",
            Vantage::SelfReported => "selfReported",
        }
    }
}

/// One thing a statement says: a claim, never a fact unless its vantage is `observed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// JSON pointer into the predicate.
    pub pointer: String,
    /// The value, as text.
    pub value: String,
    /// How strong it is.
    pub vantage: Vantage,
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

/// What a verdict was made from: enough to ask again and get the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inputs {
    /// Version of the program.
    pub tool: String,
    /// The time the question was asked for.
    pub at: Timestamp,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeInput>,
    /// Policies in force.
    pub policies: Vec<PolicyUsed>,
    /// Trusted roots in force.
    pub trusted_roots: Vec<NamedDigest>,
    /// Checkpoints that inclusion was proven against.
    pub checkpoints: Vec<CheckpointUsed>,
    /// Evidence ids that were verified.
    pub evidence: Vec<String>,
}

impl Inputs {
    fn sort(&mut self) {
        self.policies.sort();
        self.trusted_roots.sort();
        self.checkpoints.sort();
        self.checkpoints.dedup();
        self.evidence.sort();
        self.evidence.dedup();
    }
}

/// The change that was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeInput {
    /// Names of the repository.
    pub repository: Vec<String>,
    /// The protected ref.
    pub target_ref: String,
    /// Tip of the protected ref before the change.
    pub base_commit: GitCommitId,
    /// Its tree.
    pub base_tree: GitTreeId,
    /// Head of the change.
    pub head_commit: GitCommitId,
    /// The tree that would land, or has landed.
    pub result_tree: GitTreeId,
    /// Whether the change has landed.
    pub landed: bool,
    /// The forge's author of the change, where the gate was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forge_author: Option<String>,
}

/// A name with a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedDigest {
    /// The name.
    pub name: String,
    /// sha256 of its bytes.
    pub sha256: Sha256Digest,
}

/// A policy that was in force.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyUsed {
    /// The name the caller gave it.
    pub name: String,
    /// sha256 of the file.
    pub sha256: Sha256Digest,
    /// Its serial.
    pub serial: u64,
}

/// A checkpoint that an inclusion proof was verified against.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointUsed {
    /// The log's origin.
    pub origin: String,
    /// Tree size.
    pub size: u64,
    /// Root hash, hex.
    pub root: String,
}
