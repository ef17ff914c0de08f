//! From candidates to verified statements of principals that may make them.
//!
//! The cheap filter by signer runs before any cap, so that a flood of strangers' bundles costs parsing only and can
//! never crowd out what counts. Whatever does not count is set aside and listed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use touchmark_statement::predicate::{
    AGENT_CHANGE_V1, CYCLONEDX_BOM, Predicate, REVIEW_V1, SLSA_PROVENANCE_V1, TEST_RESULT_V0_1,
};
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::verified::{CheckOutcome, VerifiedStatement};
use touchmark_verify::verify::{Verifier, VerifyError};
use touchmark_verify::x509;

use super::request::{Candidate, JudgeRequest};
use super::{admission, claims, expected};
use crate::agreement::RunPlace;
use crate::exit::Class;
use crate::file::{Policy, Principal, Signer};
use crate::reason::{self, registry};
use crate::verdict::{CheckFinding, LogAccount, Reason, StatementFinding, StatementStatus};

/// The most bundles of known signers that are verified for one question.
pub const MAX_KNOWN_CANDIDATES: usize = 50_000;

/// A verified statement of a principal that may make it.
#[derive(Debug, Clone)]
pub(super) struct Evidence<'p> {
    pub(super) verified: VerifiedStatement,
    pub(super) principal: Principal<'p>,
    pub(super) signer: &'p Signer,
    pub(super) source: String,
    pub(super) independent_log: bool,
    /// Where the run was whose certificate signed it.
    pub(super) place: Option<RunPlace>,
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
    let expected = expected::signers(request, policy);
    let mut known: Vec<(&Candidate, Bundle)> = Vec::new();
    for candidate in sorted(request.candidates) {
        match read(candidate, &expected.keys, policy) {
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
    let asked = expected::roots(request, policy)
        .and_then(|roots| expected::options(request, policy).map(|options| (roots, options)));
    let (roots, options) = match asked {
        Ok(asked) => asked,
        Err(reason) => {
            gathered.reasons.push(*reason);
            return gathered;
        }
    };
    let verifiers: Vec<Verifier<'_>> = roots.iter().map(|root| Verifier::new(root, &options)).collect();
    let mut placing = Placing {
        request,
        policy,
        expected: &expected,
        placed: BTreeSet::new(),
        refused: BTreeMap::new(),
    };
    for (candidate, bundle) in known {
        placing.consider(candidate, &bundle, &verifiers, &mut gathered);
    }
    let Placing { placed, refused, .. } = placing;
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

/// Parses a candidate and lets through those whose signer the policy could know. Nothing is verified here: a
/// certificate is read only for the names in it.
fn read(candidate: &Candidate, keys: &KeyRing, policy: &Policy) -> Result<Bundle, Box<Aside>> {
    let bundle = match Bundle::parse(&candidate.bytes) {
        Ok(bundle) => bundle,
        Err(error) => return Err(Box::new(aside(candidate, error.code(), sentence(&error), None))),
    };
    let leaf = match &bundle.material {
        VerificationMaterial::PublicKey { hint } => {
            if keys.resolve(hint).is_some_and(|key| keys.allows(&key)) {
                return Ok(bundle);
            }
            let detail = format!("the policy knows no principal with key {hint:?}");
            return Err(Box::new(aside(
                candidate,
                "signer.not_expected",
                detail,
                Some(&bundle),
            )));
        }
        VerificationMaterial::Certificate(leaf) => leaf.as_slice(),
        VerificationMaterial::CertificateChain(chain) => chain.first().map_or(&[][..], Vec::as_slice),
    };
    let (code, detail) = match x509::claimed_identity(leaf) {
        Ok(identity) => match policy.principal_of_identity(&identity) {
            // A claim that differs is told once it is verified.
            Ok(_) | Err(Some(_)) => return Ok(bundle),
            Err(None) if has_no_identity(policy) => {
                let detail = format!("the policy knows keys only, and no principal that is {identity}");
                ("signer.certificate_not_expected", detail)
            }
            Err(None) => admission::unknown(&identity),
        },
        Err(error) => (error.code(), sentence(&error)),
    };
    Err(Box::new(aside(candidate, code, detail, Some(&bundle))))
}

fn has_no_identity(policy: &Policy) -> bool {
    let mut signers = policy.principals().flat_map(Principal::signers);
    !signers.any(|signer| signer.identity().is_some())
}

/// What became of the statements that verify. One statement may come in several bundles: it counts if any of them does,
/// so that nobody displaces it with a copy that is logged elsewhere.
struct Placing<'r, 'p> {
    request: &'r JudgeRequest<'r>,
    policy: &'p Policy,
    expected: &'r ExpectedSigners,
    placed: BTreeSet<EvidenceId>,
    refused: BTreeMap<EvidenceId, Aside>,
}

impl<'p> Placing<'_, 'p> {
    /// Verifies against each root until the statement counts; the error shown is that of the root that came furthest.
    fn consider(
        &mut self,
        candidate: &Candidate,
        bundle: &Bundle,
        roots: &[Verifier<'_>],
        gathered: &mut Gathered<'p>,
    ) {
        let (mut verifies, mut best) = (false, None::<VerifyError>);
        for verifier in roots {
            match verifier.verify(bundle, self.expected) {
                Ok(verified) => {
                    verifies = true;
                    let id = verified.evidence_id();
                    if self.placed.contains(&id) {
                        return;
                    }
                    match self.place(gathered, candidate, verified) {
                        Ok(()) => {
                            self.placed.insert(id);
                            return;
                        }
                        Err(aside) => _ = self.refused.entry(id).or_insert(*aside),
                    }
                }
                Err(error) if is_alarm(error.code()) => {
                    // The log itself signed both views, so that nobody else can raise this alarm.
                    let reason = Reason::new(error.code()).found(sentence(&error));
                    gathered.reasons.push(reason.statement(&candidate.source));
                    best = Some(error);
                }
                Err(error)
                    if best
                        .as_ref()
                        .is_none_or(|best| reason::is_about_the_root(best.code())) =>
                {
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

    /// Puts a verified statement where it counts, if its signer's principal may make it.
    fn place(
        &self,
        gathered: &mut Gathered<'p>,
        candidate: &Candidate,
        verified: VerifiedStatement,
    ) -> Result<(), Box<Aside>> {
        let (principal, signer) = match admission::principal(&verified, self.policy) {
            Ok(found) => found,
            Err((code, detail)) => return Err(Box::new(unplaced(candidate, &verified, code, detail))),
        };
        let operators = admission::independent_operators(&verified, principal, self.policy);
        let independent_log = !operators.is_empty();
        let mut evidence = Evidence {
            place: None,
            verified,
            principal,
            signer,
            source: candidate.source.clone(),
            independent_log,
        };
        let admitted = admission::admit(&evidence, self.request, self.policy);
        let admitted = admitted.map(|place| evidence.place = place);
        let predicate = &evidence.verified.statement().predicate;
        if let Err((code, detail)) = admitted {
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
}

/// Whether a log contradicts itself.
fn is_alarm(code: &str) -> bool {
    registry::explain(code).is_some_and(|entry| entry.class == Class::Inconsistent)
}

/// A statement that verifies, by somebody who is no principal of the policy.
fn unplaced(candidate: &Candidate, verified: &VerifiedStatement, code: &str, detail: String) -> Aside {
    let mut aside = aside(candidate, code, detail, None);
    aside.kind = Some(kind_of(&verified.statement().predicate_type));
    aside.finding.payload = Some(verified.payload_digest());
    aside.finding.signer = Some(verified.signer().to_string());
    aside.finding.predicate_type = Some(verified.statement().predicate_type.clone());
    aside
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
