//! From candidates to verified statements of principals that may make them.
//!
//! The cheap filter by signer runs before any cap, so that a flood of strangers' bundles costs parsing only and can
//! never crowd out what counts. Whatever does not count is set aside and listed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use touchmark_statement::predicate::{
    AGENT_CHANGE_V1, CYCLONEDX_BOM, Predicate, REVIEW_V1, SLSA_PROVENANCE_V1, TEST_RESULT_V0_1,
};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::{CheckOutcome, VerifiedStatement};
use touchmark_verify::verify::{LogRequirement, Verifier, VerifyError, VerifyOptions};
use touchmark_verify::window::Window;

use super::claims;
use super::request::{Candidate, JudgeRequest};
use crate::file::{KeySigner, Policy, Principal, SelfOperatedLog, ServiceRole};
use crate::verdict::{CheckFinding, LogAccount, Reason, StatementFinding, StatementStatus};

/// The most bundles of known signers that are verified for one question.
pub const MAX_KNOWN_CANDIDATES: usize = 50_000;

/// A verified statement of a principal that may make it.
#[derive(Debug, Clone)]
pub(super) struct Evidence<'p> {
    pub(super) verified: VerifiedStatement,
    pub(super) principal: Principal<'p>,
    pub(super) signer: &'p KeySigner,
    pub(super) source: String,
    pub(super) independent_log: bool,
}

/// What a piece of evidence could be needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    AgentChange,
    Review,
    Test,
    Other,
}

/// Evidence that does not count, and why.
#[derive(Debug, Clone)]
pub(super) struct Aside {
    pub(super) finding: StatementFinding,
    pub(super) code: String,
    pub(super) detail: String,
    /// `None` where not even that can be told: it could have been needed for anything.
    pub(super) kind: Option<Kind>,
}

/// Everything that was found, sorted by evidence id, each piece once.
#[derive(Debug, Default)]
pub(super) struct Gathered<'p> {
    pub(super) agent_changes: Vec<Evidence<'p>>,
    pub(super) reviews: Vec<Evidence<'p>>,
    pub(super) tests: Vec<Evidence<'p>>,
    pub(super) shown: Vec<Evidence<'p>>,
    pub(super) aside: Vec<Aside>,
    pub(super) reasons: Vec<Reason>,
}

/// Gathers evidence under one policy.
pub(super) fn gather<'p>(request: &JudgeRequest<'_>, policy: &'p Policy) -> Gathered<'p> {
    let mut gathered = Gathered::default();
    let expected = ExpectedSigners::from(key_ring(request, policy));
    let mut known: Vec<(&Candidate, Bundle)> = Vec::new();
    for candidate in sorted(request.candidates) {
        match read(candidate, &expected.keys) {
            Ok(bundle) => known.push((candidate, bundle)),
            Err(aside) => gathered.aside.push(*aside),
        }
    }
    if known.len() > MAX_KNOWN_CANDIDATES {
        let reason = Reason::new("candidates.too_many")
            .expected(MAX_KNOWN_CANDIDATES)
            .found(known.len());
        gathered.reasons.push(reason);
        return gathered;
    }
    let roots = match roots(request, policy) {
        Ok(roots) => roots,
        Err(reason) => {
            gathered.reasons.push(*reason);
            return gathered;
        }
    };
    let options = VerifyOptions {
        log: log_requirement(policy),
        ..VerifyOptions::new(request.at)
    };
    let verifiers: Vec<Verifier<'_>> = roots.iter().map(|root| Verifier::new(root, &options)).collect();
    let mut placing = Placing::default();
    for (candidate, bundle) in known {
        placing.consider(candidate, &bundle, &expected, &verifiers, policy, &mut gathered);
    }
    let Placing { placed, refused } = placing;
    let refused = refused.into_iter().filter(|(id, _)| !placed.contains(id));
    gathered.aside.extend(refused.map(|(_, aside)| aside));
    for list in [
        &mut gathered.agent_changes,
        &mut gathered.reviews,
        &mut gathered.tests,
        &mut gathered.shown,
    ] {
        list.sort_by_key(|evidence| evidence.verified.evidence_id());
    }
    gathered
}

/// The order in which candidates are given must not matter.
fn sorted(candidates: &[Candidate]) -> Vec<&Candidate> {
    let mut sorted: Vec<&Candidate> = candidates.iter().collect();
    sorted.sort_by(|a, b| (&a.source, &a.bytes).cmp(&(&b.source, &b.bytes)));
    sorted
}

fn key_ring(request: &JudgeRequest<'_>, policy: &Policy) -> KeyRing {
    let mut ring = KeyRing::new();
    for signer in policy.principals().flat_map(Principal::signers) {
        match window(signer) {
            Some(window) => ring.allow_within(signer.key, window),
            None => ring.allow(signer.key),
        };
    }
    for key in request.keys {
        ring.add_key(key.clone());
    }
    ring
}

/// A policy's `until` is the first moment outside; a window's end is the last one inside.
fn window(signer: &KeySigner) -> Option<Window> {
    if signer.from.is_none() && signer.until.is_none() {
        return None;
    }
    let first = Timestamp::from_unix(0).expect("the first second of 1970 is a time");
    let end = signer
        .until
        .and_then(|until| Timestamp::from_unix(until.unix() - 1).ok());
    Some(Window {
        start: signer.from.unwrap_or(first),
        end,
    })
}

fn log_requirement(policy: &Policy) -> LogRequirement {
    if policy.trust.inclusion {
        return LogRequirement::ONE_LOG;
    }
    LogRequirement::DangerouslyUnlogged {
        reason: "the policy says trust.log.inclusion = false".to_owned(),
    }
}

/// The trusted roots that count for this policy.
fn roots<'r>(request: &JudgeRequest<'r>, policy: &Policy) -> Result<Vec<&'r TrustedRoot>, Box<Reason>> {
    let counts =
        |name: &str| policy.trust.roots.is_empty() || policy.trust.roots.iter().any(|root| root == name);
    let mut named: Vec<_> = request
        .trusted_roots
        .iter()
        .filter(|named| counts(named.name))
        .collect();
    if named.is_empty() {
        if policy.trust.roots.is_empty() {
            return Err(Box::new(Reason::new("trust.no_root")));
        }
        let mut found: Vec<&str> = request.trusted_roots.iter().map(|named| named.name).collect();
        found.sort_unstable();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        };
        let reason = Reason::new("trust.no_named_root")
            .expected(policy.trust.roots.join(" or "))
            .found(found);
        return Err(Box::new(reason));
    }
    named.sort_by_key(|named| (named.name, named.root.digest()));
    Ok(named.into_iter().map(|named| named.root).collect())
}

/// Parses a candidate and lets through those whose signer the policy knows.
fn read(candidate: &Candidate, ring: &KeyRing) -> Result<Bundle, Box<Aside>> {
    let bundle = match Bundle::parse(&candidate.bytes) {
        Ok(bundle) => bundle,
        Err(error) => return Err(Box::new(aside(candidate, error.code(), sentence(&error), None))),
    };
    let VerificationMaterial::PublicKey { hint } = &bundle.material else {
        let detail = "the bundle is signed with a certificate".to_owned();
        return Err(Box::new(aside(
            candidate,
            "certificate.unsupported",
            detail,
            Some(&bundle),
        )));
    };
    if ring.resolve(hint).is_some_and(|key| ring.allows(&key)) {
        return Ok(bundle);
    }
    let detail = format!("the policy knows no principal with key {hint:?}");
    Err(Box::new(aside(
        candidate,
        "signer.not_expected",
        detail,
        Some(&bundle),
    )))
}

/// What became of the statements that verify. One statement may come in several bundles: it counts if any of them does,
/// so that nobody displaces it with a copy that is logged elsewhere.
#[derive(Default)]
struct Placing {
    placed: BTreeSet<EvidenceId>,
    refused: BTreeMap<EvidenceId, Aside>,
}

impl Placing {
    /// Verifies against each root until the statement counts; the error shown is that of the root that came furthest.
    fn consider<'p>(
        &mut self,
        candidate: &Candidate,
        bundle: &Bundle,
        expected: &ExpectedSigners,
        roots: &[Verifier<'_>],
        policy: &'p Policy,
        gathered: &mut Gathered<'p>,
    ) {
        let (mut verifies, mut best) = (false, None::<VerifyError>);
        for verifier in roots {
            match verifier.verify(bundle, expected) {
                Ok(verified) => {
                    verifies = true;
                    let id = verified.evidence_id();
                    if self.placed.contains(&id) {
                        return;
                    }
                    match place(gathered, candidate, verified, policy) {
                        Ok(()) => {
                            self.placed.insert(id);
                            return;
                        }
                        Err(aside) => _ = self.refused.entry(id).or_insert(*aside),
                    }
                }
                Err(error) if best.as_ref().is_none_or(|best| best.code() == "tlog.log_unknown") => {
                    best = Some(error)
                }
                Err(_) => {}
            }
        }
        if let Some(error) = best.filter(|_| !verifies) {
            let (code, detail) = (error.code(), sentence(&error));
            gathered.aside.push(aside(candidate, code, detail, Some(bundle)));
        }
    }
}

/// Puts a verified statement where it counts, if its signer's principal may make it.
fn place<'p>(
    gathered: &mut Gathered<'p>,
    candidate: &Candidate,
    verified: VerifiedStatement,
    policy: &'p Policy,
) -> Result<(), Box<Aside>> {
    let Some((principal, signer)) = verified.signer().key().and_then(|key| policy.principal_of(key)) else {
        let detail = "the policy knows no principal with this key".to_owned();
        return Err(Box::new(aside(candidate, "signer.not_expected", detail, None)));
    };
    let independent_log = is_independent(&verified, principal, policy);
    let evidence = Evidence {
        verified,
        principal,
        signer,
        source: candidate.source.clone(),
        independent_log,
    };
    let refusal = role(&evidence).err().or_else(|| logged(&evidence, policy).err());
    let predicate = &evidence.verified.statement().predicate;
    if let Some((code, detail)) = refusal {
        let kind = Some(kind_of(predicate.predicate_type()));
        let finding = finding(
            &evidence,
            StatementStatus::SetAside,
            &[code.to_owned()],
            Some(&detail),
        );
        return Err(Box::new(Aside {
            finding,
            code: code.to_owned(),
            detail,
            kind,
        }));
    }
    match predicate {
        Predicate::AgentChange(_) => gathered.agent_changes.push(evidence),
        Predicate::Review(_) => gathered.reviews.push(evidence),
        Predicate::TestResult(_) => gathered.tests.push(evidence),
        _ => gathered.shown.push(evidence),
    }
    Ok(())
}

type Refusal = (&'static str, String);

/// Who may say what.
fn role(evidence: &Evidence<'_>) -> Result<(), Refusal> {
    let predicate = &evidence.verified.statement().predicate;
    let service = |role| match evidence.principal {
        Principal::Service(service) => service.may.contains(&role),
        _ => false,
    };
    let may = match predicate {
        Predicate::AgentChange(claim) => match evidence.principal {
            Principal::Agent(agent) if agent.id != claim.agent.id => {
                let detail = format!("expected agent.id {:?}, found {:?}", agent.id, claim.agent.id);
                return Err(("agent.id_mismatch", detail));
            }
            Principal::Agent(_) => true,
            _ => false,
        },
        Predicate::Review(_) => matches!(evidence.principal, Principal::Person(_)),
        Predicate::TestResult(_) => service(ServiceRole::TestResult),
        Predicate::Provenance(_) => service(ServiceRole::Build),
        Predicate::Sbom(_) => service(ServiceRole::Sbom),
        Predicate::Other { predicate_type, .. } => {
            return Err((
                "evidence.other_type",
                format!("nothing here needs {predicate_type:?}"),
            ));
        }
        _ => false,
    };
    if may {
        return Ok(());
    }
    let (kind, id) = (evidence.principal.kind(), evidence.principal.id());
    Err((
        "identity.role",
        format!("{kind} {id:?} may not sign {}", predicate.predicate_type()),
    ))
}

/// A log run by the signer is storage, not transparency.
fn logged(evidence: &Evidence<'_>, policy: &Policy) -> Result<(), Refusal> {
    if !policy.trust.inclusion
        || policy.trust.self_operated == SelfOperatedLog::Allow
        || evidence.independent_log
    {
        return Ok(());
    }
    let operators: Vec<&str> = evidence
        .verified
        .logs()
        .iter()
        .map(|log| log.operator.as_deref().unwrap_or("nobody named"))
        .collect();
    let detail = format!(
        "logged only by {}, which counts as the signer itself",
        operators.join(", ")
    );
    Err(("tlog.self_operated", detail))
}

/// Returns whether a log of the statement is run by somebody other than its signer.
fn is_independent(verified: &VerifiedStatement, principal: Principal<'_>, policy: &Policy) -> bool {
    let mut own: Vec<&str> = vec![principal.id()];
    match principal {
        Principal::Agent(agent) => {
            own.extend(agent.owner.as_deref());
            let teams = agent
                .operators
                .iter()
                .filter_map(|operator| operator.strip_prefix("team:"));
            own.extend(agent.operators.iter().map(String::as_str).chain(teams));
            let people = policy
                .people
                .iter()
                .filter(|person| policy.operates(person, agent));
            own.extend(people.map(|person| person.id.as_str()));
        }
        Principal::Person(person) => own.extend(person.teams.iter().map(String::as_str)),
        Principal::Service(_) => {}
    }
    verified.logs().iter().any(|log| {
        log.operator
            .as_deref()
            .is_some_and(|operator| !own.contains(&operator))
    })
}

fn aside(candidate: &Candidate, code: &str, detail: String, bundle: Option<&Bundle>) -> Aside {
    let signer = bundle.and_then(|bundle| match &bundle.material {
        VerificationMaterial::PublicKey { hint } if !hint.is_empty() => Some(hint.clone()),
        _ => None,
    });
    let finding = StatementFinding {
        source: candidate.source.clone(),
        policy: None,
        payload: None,
        signer,
        principal: None,
        predicate_type: None,
        status: StatementStatus::SetAside,
        codes: vec![code.to_owned()],
        detail: Some(detail.clone()),
        checks: Vec::new(),
        log: None,
        claims: Vec::new(),
    };
    Aside {
        finding,
        code: code.to_owned(),
        detail,
        kind: bundle.and_then(peek),
    }
}

/// Reads what an unverified payload says it is, only to tell which requirement it could have been meant for.
fn peek(bundle: &Bundle) -> Option<Kind> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Peek {
        predicate_type: String,
    }
    let peek: Peek = serde_json::from_slice(&bundle.envelope()?.payload).ok()?;
    Some(kind_of(&peek.predicate_type))
}

fn kind_of(predicate_type: &str) -> Kind {
    match predicate_type {
        AGENT_CHANGE_V1 => Kind::AgentChange,
        REVIEW_V1 => Kind::Review,
        TEST_RESULT_V0_1 => Kind::Test,
        SLSA_PROVENANCE_V1 | CYCLONEDX_BOM => Kind::Other,
        _ => Kind::Other,
    }
}

/// Describes a verified statement for the verdict.
pub(super) fn finding(
    evidence: &Evidence<'_>,
    status: StatementStatus,
    codes: &[String],
    detail: Option<&str>,
) -> StatementFinding {
    let verified = &evidence.verified;
    let outcome = |outcome: &CheckOutcome| match outcome {
        CheckOutcome::Pass => "pass".to_owned(),
        CheckOutcome::Skipped { reason } => format!("skipped: {reason}"),
    };
    StatementFinding {
        source: evidence.source.clone(),
        policy: None,
        payload: Some(verified.payload_digest()),
        signer: Some(verified.signer().to_string()),
        principal: Some(evidence.principal.id().to_owned()),
        predicate_type: Some(verified.statement().predicate_type.clone()),
        status,
        codes: codes.to_vec(),
        detail: detail.map(str::to_owned),
        checks: verified
            .checks()
            .iter()
            .map(|check| CheckFinding {
                name: check.name.to_owned(),
                outcome: outcome(&check.outcome),
            })
            .collect(),
        log: verified.log().map(|log| LogAccount {
            origin: log.origin.clone(),
            index: log.index,
            independent: evidence.independent_log,
        }),
        claims: claims::of(evidence),
    }
}

/// Returns an error with the errors it comes from, as one line.
pub(super) fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}
