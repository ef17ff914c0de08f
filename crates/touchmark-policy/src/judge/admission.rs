//! Whether a verified statement counts: who its signer is to the policy, whether that principal may say this, whether
//! enough independent logs hold it, and whether it agrees with the certificate that signed it.

use std::collections::BTreeSet;

use touchmark_statement::predicate::Predicate;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::identity::{CertificateIdentity, Claim};
use touchmark_verify::verified::{SignerIdentity, VerifiedStatement};

use super::gather::Evidence;
use super::request::JudgeRequest;
use crate::agreement::{self, RunPlace};
use crate::file::{Agent, Policy, Principal, SelfOperatedLog, ServiceRole, Signer};

/// A code and a line about it.
pub(super) type Refusal = (&'static str, String);

/// Finds the one principal that the signer is, and by which entry.
pub(super) fn principal<'p>(
    verified: &VerifiedStatement,
    policy: &'p Policy,
) -> Result<(Principal<'p>, &'p Signer), Refusal> {
    match verified.signer() {
        SignerIdentity::Key(key) => policy.principal_of(key).ok_or_else(|| {
            let detail = format!("the policy knows no principal with key {key}");
            ("signer.not_expected", detail)
        }),
        SignerIdentity::Certificate(identity) => {
            let (principal, entries) =
                policy
                    .principal_of_identity(identity)
                    .map_err(|nearest| match nearest {
                        Some(mismatch) => (mismatch.code(), mismatch.to_string()),
                        None => unknown(identity),
                    })?;
            let times = times(verified);
            let good = |entry: &&&Signer| times.iter().all(|at| entry.is_good_at(*at));
            let windowed = entries
                .iter()
                .all(|entry| entry.from.is_some() || entry.until.is_some());
            if windowed && times.is_empty() {
                let detail =
                    "the identity is accepted within a time only, and no verified time tells when it signed";
                return Err(("signer.window_needs_time", detail.to_owned()));
            }
            match entries.iter().find(good) {
                Some(entry) => Ok((principal, *entry)),
                None => {
                    let at: Vec<String> = times.iter().map(ToString::to_string).collect();
                    let detail = format!("{identity} is not accepted at {}", at.join(", "));
                    Err(("signer.outside_window", detail))
                }
            }
        }
        _ => Err((
            "signer.not_expected",
            "a kind of signer that is not known".to_owned(),
        )),
    }
}

/// The refusal of an identity that no entry comes near.
pub(super) fn unknown(identity: &CertificateIdentity) -> Refusal {
    let detail = format!("the policy knows no principal that is {identity}");
    ("signer.not_expected", detail)
}

/// Every check of a statement whose signer is a principal; the first refusal is enough. Returns where the run was whose
/// certificate signed.
pub(super) fn admit(
    evidence: &Evidence<'_>,
    request: &JudgeRequest<'_>,
    policy: &Policy,
) -> Result<Option<RunPlace>, Refusal> {
    role(evidence)?;
    logged(evidence, policy)?;
    if let Some(found) =
        agreement::began_after_signing(evidence.verified.statement(), &times(&evidence.verified))
    {
        return Err((found.code, found.to_string()));
    }
    let Some(identity) = evidence.verified.signer().certificate() else {
        return Ok(None);
    };
    let place = place(evidence, identity, request)?;
    let found = agreement::compare(evidence.verified.statement(), identity, place);
    match found.disagreements.first() {
        Some(first) => Err((first.code, first.to_string())),
        None => Ok(Some(place)),
    }
}

/// Where the run was that signed. A name alone says which workflow ran, not where: anybody can call a workflow that is
/// shared, so the repository must be the one under judgement, or one that the policy names.
pub(super) fn place(
    evidence: &Evidence<'_>,
    identity: &CertificateIdentity,
    request: &JudgeRequest<'_>,
) -> Result<RunPlace, Refusal> {
    let claims = &identity.claims;
    // Before there were addresses, certificates named a repository of GitHub as OWNER/NAME.
    let name = claims.github_workflow_repository.as_deref();
    let old = name.map(|name| format!("https://github.com/{name}"));
    let Some(uri) = claims.source_repository_uri.as_deref().or(old.as_deref()) else {
        return Ok(RunPlace::SameRepository);
    };
    if request.change.repository.is_named_by(uri) {
        return Ok(RunPlace::SameRepository);
    }
    let places = [
        Claim::SourceRepositoryUri,
        Claim::SourceRepositoryId,
        Claim::SourceRepositoryOwnerUri,
        Claim::SourceRepositoryOwnerId,
    ];
    let named = evidence.signer.identity().is_some_and(|rule| {
        rule.repository_id.is_some()
            || rule.source_repository.is_some()
            || rule.claims.iter().any(|(claim, _)| places.contains(claim))
    });
    let fork = match evidence.principal {
        Principal::Agent(agent) => takes_forks(agent, request),
        _ => false,
    };
    if named || fork {
        return Ok(RunPlace::OtherRepository);
    }
    let expected = request.change.repository.uris.join(" or ");
    let detail = format!("the run was in {uri}, expected {expected}, or a repository that the policy names");
    Err(("identity.other_repository", detail))
}

fn takes_forks(agent: &Agent, request: &JudgeRequest<'_>) -> bool {
    let repositories = agent.scope.repositories.iter().flatten();
    repositories
        .filter(|repository| request.change.repository.is_named_by(&repository.uri))
        .any(|repository| repository.forks)
}

/// Returns whether a run of some CI signed: whatever the policy says of its name, no person acted.
pub(super) fn is_run(verified: &VerifiedStatement) -> bool {
    verified.signer().certificate().is_some_and(|identity| {
        // A token's issuer and subject are all that the certificate of a person tells.
        let of_a_run = |claim| !matches!(claim, Claim::IssuerV1 | Claim::Issuer | Claim::TokenSubject);
        identity.claims.iter().any(|(claim, _)| of_a_run(claim))
    })
}

/// Returns the times by which the statement was signed.
pub(super) fn times(verified: &VerifiedStatement) -> Vec<Timestamp> {
    verified
        .verified_times()
        .iter()
        .map(|time| time.not_after)
        .collect()
}

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

/// A log run by the signer is storage, not transparency. The others count by operator.
fn logged(evidence: &Evidence<'_>, policy: &Policy) -> Result<(), Refusal> {
    if !policy.trust.inclusion || policy.trust.self_operated == SelfOperatedLog::Allow {
        return Ok(());
    }
    let needed = usize::from(policy.trust.operators.get());
    if independent_operators(&evidence.verified, evidence.principal, policy).len() >= needed {
        return Ok(());
    }
    let operators: Vec<&str> = evidence
        .verified
        .logs()
        .iter()
        .map(|log| log.operator.as_deref().unwrap_or("nobody named"))
        .collect();
    let operators = operators.join(", ");
    let detail = match needed {
        1 => format!("logged only by {operators}, which counts as the signer itself"),
        _ => format!("logged by {operators}, expected {needed} operators that are not the signer itself"),
    };
    Err(("tlog.self_operated", detail))
}

/// Returns the operators of logs that hold the statement and count, without those that count as its signer.
pub(super) fn independent_operators<'v>(
    verified: &'v VerifiedStatement,
    principal: Principal<'_>,
    policy: &Policy,
) -> BTreeSet<&'v str> {
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
    let counted = verified.logs().iter().filter(|log| log.counts);
    let operators = counted.filter_map(|log| log.operator.as_deref());
    operators.filter(|operator| !own.contains(operator)).collect()
}
